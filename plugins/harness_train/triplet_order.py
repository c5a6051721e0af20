"""Tell shuffled positives of triplets from positives that were exchanged with their negatives."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

STOCK = 3
"""Minimum number of rows with one positive that is a stock answer."""
TIE = 1e-6
"""Maximum difference of two similarities that are equal."""
_OTHERS = 0.5
"""Minimum share of anchors with a nearer positive in another row, for positives of other rows."""
_STANDS_OUT = 0.6
"""Minimum median distance of an anchor's two nearest positives, in standard deviations of its similarities.

It is 0.7 to 2.3 in half of the benchmark's pairs that the base reads well, and 0.4 for random normal ones.
"""


def ordered_rows(anchors: Sequence[str], positives: Sequence[str], negatives: Sequence[str]) -> list[int]:
    """Return the triplets whose order a base can tell: (m,) positions.

    Not those whose negative is its anchor or its positive, nor those with a stock answer as their positive:
    of these other findings speak.
    """
    often = Counter(positives)
    return [
        row
        for row, (anchor, positive, negative) in enumerate(zip(anchors, positives, negatives, strict=True))
        if negative not in (anchor, positive) and often[positive] < STOCK
    ]


def belong_to_others(
    anchor: np.ndarray, positive: np.ndarray, negative: np.ndarray, positives: Sequence[str]
) -> bool:
    """Whether most anchors have, in another row, a positive that is nearer than their own negative.

    So it is where positives were shuffled, beside hard negatives. A negative that was the positive before
    both columns were exchanged is the nearest of all. The nearest positive must stand out: with texts of few
    topics there are always some that are nearer.

    anchor, positive, negative: (n, dim) of length 1. positives: (n,) texts.
    """
    number = {text: index for index, text in enumerate(dict.fromkeys(positives))}
    names = np.array([number[text] for text in positives])
    similarity = anchor @ positive.T
    more = similarity > (anchor * negative).sum(axis=1)[:, None] + TIE
    nearer = (more & (names[:, None] != names[None, :])).any(axis=1)
    first, second = -np.partition(-similarity, 1, axis=1)[:, :2].T
    stands_out = (first - second) / np.maximum(similarity.std(axis=1), TIE)
    return bool(nearer.mean() >= _OTHERS and np.median(stands_out) >= _STANDS_OUT)


def mutual_share(anchor: np.ndarray, positive: np.ndarray) -> float:
    """Return the share of anchors that are the nearest one of their nearest positive."""
    similarity = anchor @ positive.T
    nearest, back = similarity.argmax(axis=1), similarity.argmax(axis=0)
    return float((back[nearest] == np.arange(len(nearest))).mean())
