"""Step-down tests of many lines by the largest statistic of those that are not yet rejected."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable


def step_down(observed: np.ndarray, null: Iterable[np.ndarray], tolerance: float = 0.0) -> np.ndarray:
    """Return adjusted p-values, (lines,) in (0, 1], that keep the error of all lines together.

    observed: (lines,) absolute statistics, in any order.
    null: blocks of (lines, draws): absolute statistics of draws in which no line has a gain, drawn jointly.
    They may be overwritten.
    tolerance: relative difference up to which a drawn statistic equals an observed one.
    The adjusted p-value of a line is the share of draws in which the largest statistic of this line and of
    all lines with a smaller observed statistic is at least the observed one, (b + 1) / (draws + 1); and at
    least that of the line before.
    Source: Westfall and Young (1993), "Resampling-based multiple testing", algorithm 4.1 (max-T).
    """
    order = np.argsort(-observed, kind="stable")
    sought = (observed[order] * (1 - tolerance))[:, None]
    beyond, draws = np.zeros(len(observed), dtype=np.int64), 0
    for block in null:
        drawn = block[order[::-1]]
        largest = np.maximum.accumulate(drawn, axis=0, out=drawn)[::-1]
        beyond += np.count_nonzero(largest >= sought, axis=1)
        draws += block.shape[1]
    adjusted = np.empty(len(observed))
    adjusted[order] = np.maximum.accumulate((beyond + 1) / (draws + 1))
    return adjusted
