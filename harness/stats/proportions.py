"""Tests and intervals of proportions: of one, and of the difference of two paired ones."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from harness.stats.curve import LEVEL, SMALLEST_P, Curve, Interval, quantile

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


def tango(gained: int, lost: int, examples: float, level: float = LEVEL) -> Interval:
    """Return the score interval of the difference of two paired proportions, within [-1, 1].

    It contains the differences that a score test does not reject; at a difference of zero that is
    McNemar's test.
    Source: Tango (1998), "Equivalence test and confidence interval for the difference in
    proportions for the paired-sample design".
    """
    from scipy.special import ndtri

    middle = (gained - lost) / examples
    wanted = -float(ndtri(level / 2))

    def score(difference: float) -> float:
        return tango_score(gained, lost, examples, difference)

    low = _crossing(lambda difference: score(difference) > wanted, -1.0, middle)
    high = _crossing(lambda difference: score(difference) >= -wanted, middle, 1.0)
    return Interval(low, high)


def tango_score(gained: int, lost: int, examples: float, difference: float) -> float:
    """Return how far the difference of two paired proportions lies above another one, in standard errors.

    The standard error is that of the likeliest proportions with that other difference. Infinite where it has
    none, as at −1 and 1.
    """
    first = -gained - lost + (2 * examples - gained + lost) * difference
    second = -lost * difference * (1 - difference)
    root = math.sqrt(max(first * first - 8 * examples * second, 0.0))
    off = (root - first) / (4 * examples)
    variance = examples * (2 * off + difference * (1 - difference))
    above = gained - lost - examples * difference
    if variance <= 0:
        return math.copysign(math.inf, above) if above else 0.0
    return above / math.sqrt(variance)


def _crossing(outside: Callable[[float], bool], low: float, high: float) -> float:
    """Return where a condition ends that holds at `low` and not at `high`."""
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        low, high = (middle, high) if outside(middle) else (low, middle)
    return (low + high) / 2


@dataclass(frozen=True, slots=True)
class FlipsCurve(Curve):
    """Right and wrong answers: Tango's interval, and McNemar's mid-p value for no gain.

    Both tests of no gain must agree, and the more cautious one decides: p is the larger one, and the interval
    is widened to 0 where Tango's ends before.
    """

    gained: int
    lost: int
    examples: float
    """Number of examples; of clusters in which none differs, the effective number."""
    test: str = "McNemar mid-p"

    def interval(self, level: float = LEVEL) -> Interval:
        """Return Tango's interval, with 0 where that is not rejected."""
        own = tango(self.gained, self.lost, self.examples, level)
        return own.hull(Interval(0.0, 0.0)) if self.p() >= level else own

    def p(self, value: float = 0.0) -> float:
        """Return the p-value of a gain; between 0 and the estimate it is no less than that of 0."""
        own = self._score_p(value)
        estimate = (self.gained - self.lost) / self.examples
        if min(0.0, estimate) <= value <= max(0.0, estimate):
            return max(own, self._score_p(0.0), mcnemar(self.gained, self.lost))
        return own

    def _score_p(self, value: float) -> float:
        from scipy.special import ndtr

        if not -1 <= value <= 1:
            return SMALLEST_P
        score = tango_score(self.gained, self.lost, self.examples, value)
        return max(SMALLEST_P, 2 * float(ndtr(-abs(score))))


@dataclass(frozen=True, slots=True)
class ShareCurve(Curve):
    """A proportion, or a mean of values between 0 and 1, by the exact interval of an effective number.

    The effective number of examples is that of independent right or wrong answers which would have the mean's
    standard error, less what its few degrees of freedom leave unknown. Of independent right or wrong answers
    it is their number: Clopper and Pearson's interval.
    Source: Clopper and Pearson (1934); Korn and Graubard (1998), "Confidence intervals for proportions with
    small expected number of positive counts estimated from survey data".
    """

    value: float
    examples: float
    """Number of independent right or wrong answers of the same standard error."""
    freedom: float
    """Degrees of freedom of the standard error; infinite where it follows from the value."""
    rows: float
    """Number of examples; of right or wrong answers no more are effective."""
    binary: bool
    test: str = "exact"

    def interval(self, level: float = LEVEL) -> Interval:
        """Return Clopper and Pearson's interval for the effective number."""
        from scipy.special import betaincinv

        number = self._effective(level)
        right, wrong = self.value * number, (1 - self.value) * number
        low = float(betaincinv(right, wrong + 1, level / 2)) if right > 0 else 0.0
        high = float(betaincinv(right + 1, wrong, 1 - level / 2)) if wrong > 0 else 1.0
        return Interval(min(low, self.value), max(high, self.value))

    def _effective(self, level: float) -> float:
        if math.isinf(self.freedom):
            return self.examples
        # Above the middle quantiles both are 0: the ratio is taken a little before.
        outer = 1 - min(level, 0.99) / 2
        ratio = quantile(outer, self.rows - 1) / quantile(outer, self.freedom)
        number = self.examples * ratio**2
        return min(number, self.rows) if self.binary else number
