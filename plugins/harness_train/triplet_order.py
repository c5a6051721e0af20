"""Tell shuffled positives of triplets from positives that were exchanged with their negatives."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

TIE = 1e-6
"""Maximum difference of two similarities that are equal."""
_OTHERS = 0.5
"""Minimum share of anchors with a nearer positive in another row, for positives of other rows."""


def belong_to_others(
    anchor: np.ndarray, positive: np.ndarray, negative: np.ndarray, positives: Sequence[str]
) -> bool:
    """Whether most anchors have, in another row, a positive that is nearer than their own negative.

    So it is where positives were shuffled, beside hard negatives. A negative that was the positive before
    both columns were exchanged is the nearest of all.

    anchor, positive, negative: (n, dim) of length 1. positives: (n,) texts.
    """
    number = {text: index for index, text in enumerate(dict.fromkeys(positives))}
    names = np.array([number[text] for text in positives])
    more = anchor @ positive.T > (anchor * negative).sum(axis=1)[:, None] + TIE
    nearer = (more & (names[:, None] != names[None, :])).any(axis=1)
    return bool(nearer.mean() >= _OTHERS)


def mutual_share(anchor: np.ndarray, positive: np.ndarray) -> float:
    """Return the share of anchors that are the nearest one of their nearest positive."""
    similarity = anchor @ positive.T
    nearest, back = similarity.argmax(axis=1), similarity.argmax(axis=0)
    return float((back[nearest] == np.arange(len(nearest))).mean())
