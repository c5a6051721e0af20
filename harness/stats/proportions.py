"""Test and interval for the difference of two paired proportions."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


Z_95 = 1.959963984540054
"""The 97.5 % quantile of the normal distribution: half of a 95 % interval, in standard errors."""

_HALVINGS = 60
"""Halvings of an interval of length 2 at most: to the last bit."""


def mcnemar(gained: int, lost: int) -> float:
    """Return the two-sided mid-p value of McNemar's test, in (0, 1]; 1 where nothing changed.

    gained, lost: number of examples that only the candidate, only the baseline gets right.
    Source: McNemar (1947); mid-p: Fagerland, Lydersen and Laake (2013), "The McNemar test for binary
    matched-pairs data: mid-p and asymptotic are better than exact conditional".
    """
    from scipy.special import bdtr

    changed, fewer = gained + lost, min(gained, lost)
    if not changed:
        return 1.0
    at_most = float(bdtr(fewer, changed, 0.5))
    below = float(bdtr(fewer - 1, changed, 0.5)) if fewer else 0.0
    return min(1.0, at_most + below)


def tango(gained: int, lost: int, examples: int) -> tuple[float, float]:
    """Return the 95 % score interval of the difference of two paired proportions, within [-1, 1].

    It contains the differences that a score test does not reject; at a difference of zero that is
    McNemar's test.
    Source: Tango (1998), "Equivalence test and confidence interval for the difference in
    proportions for the paired-sample design".
    """
    middle = (gained - lost) / examples

    def score(difference: float) -> float:
        first = -gained - lost + (2 * examples - gained + lost) * difference
        second = -lost * difference * (1 - difference)
        root = math.sqrt(max(first * first - 8 * examples * second, 0.0))
        off = (root - first) / (4 * examples)
        variance = examples * (2 * off + difference * (1 - difference))
        above = gained - lost - examples * difference
        if variance <= 0:
            return math.copysign(math.inf, above) if above else 0.0
        return above / math.sqrt(variance)

    low = _crossing(lambda difference: score(difference) > Z_95, -1.0, middle)
    high = _crossing(lambda difference: score(difference) >= -Z_95, middle, 1.0)
    return low, high


def _crossing(outside: Callable[[float], bool], low: float, high: float) -> float:
    """Return where a condition ends that holds at `low` and not at `high`."""
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        low, high = (middle, high) if outside(middle) else (low, middle)
    return (low + high) / 2
