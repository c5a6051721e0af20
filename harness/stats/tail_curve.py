"""Confidence curves from one-sided tests, and curves whose p-value of no gain is known exactly."""

from __future__ import annotations

import math
from dataclasses import dataclass

from harness.stats.curve import LEVEL, SMALLEST_P, UNBOUNDED, Curve, Interval
from harness.stats.sign_flip import MOST_SUBSETS, SubsetTail
from harness.stats.tails import Residuals, SignTail, Tail


@dataclass(frozen=True, slots=True)
class TailCurve(Curve):
    """The centers that neither of two one-sided tests rejects.

    Where a side has no test, the interval ends at the gain itself: it is one of several curves then.
    """

    value: float
    """The gain; above it, `above` tests the gain of the models in each other's place."""
    below: Tail | None
    above: Tail | None
    test: str
    bounds: Interval = UNBOUNDED
    sides: float = 2.0
    """Each side is tested at level / sides."""

    def interval(self, level: float = LEVEL) -> Interval:
        """Return the interval between the centers that are rejected."""
        each = level / self.sides
        low = high = self.value
        if each < 0.5:
            low = self.below.low_end(each, self.bounds.low) if self.below else low
            high = -self.above.low_end(each, -self.bounds.high) if self.above else high
        return Interval(min(low, self.value), max(high, self.value))

    def p(self, value: float = 0.0) -> float:
        """Return the p-value of a center; 1 at the gain."""
        if value == self.value:
            return 1.0
        tail, center = (self.below, value) if value < self.value else (self.above, -value)
        return min(1.0, max(SMALLEST_P, self.sides * tail.probability(center))) if tail else SMALLEST_P


def sign_curve(residuals: Residuals, bounds: Interval = UNBOUNDED) -> TailCurve:
    """Return the curve of the inverted sign flip: of all sets of few units, else by a saddlepoint."""
    whole = bool((residuals.counts % 1 == 0).all())
    if whole and residuals.counts.sum() <= MOST_SUBSETS:
        sets = SubsetTail.of(residuals)
        return TailCurve(residuals.gain, sets, sets.mirrored(), "sign flip", bounds)
    below, above = SignTail(residuals), SignTail(residuals.mirrored())
    return TailCurve(residuals.gain, below, above, "sign flip", bounds)


@dataclass(frozen=True, slots=True)
class PinnedCurve(Curve):
    """A curve whose p-value of zero is known exactly; its other p-values are kept in order with that one."""

    curve: Curve
    estimate: float
    p_of_zero: float
    test: str

    def interval(self, level: float = LEVEL) -> Interval:
        """Return the curve's interval, widened to 0 or cut before it as the exact p-value demands."""
        low, high = self.curve.interval(level)
        if self.p_of_zero >= level:
            return Interval(min(low, 0.0), max(high, 0.0))
        if self.estimate > 0 >= low:
            return Interval(math.ulp(0.0), high)
        return Interval(low, -math.ulp(0.0)) if self.estimate < 0 <= high else Interval(low, high)

    def p(self, value: float = 0.0) -> float:
        """Return the curve's p-value; between 0 and the estimate no less than that of 0, beyond no more."""
        if value == 0:
            return self.p_of_zero
        if value == self.estimate:
            return 1.0
        between = min(0.0, self.estimate) < value < max(0.0, self.estimate)
        beyond = self.estimate == 0 or (value > 0) != (self.estimate > 0)
        own = self.curve.p(value)
        return max(own, self.p_of_zero) if between else min(own, self.p_of_zero) if beyond else own
