"""Confidence curves: the interval of a score or a gain at any level, and the p-value that agrees with it."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence

LEVEL = 0.05
"""Significance level of two-sided tests; intervals are of 95 %."""

SMALLEST_P = 1e-12
"""Smallest p-value that is returned; a smaller one is returned as this."""

_HALVINGS = 60


class Interval(NamedTuple):
    """The ends of an interval; both NaN where it is undefined."""

    low: float
    high: float

    def hull(self, other: Interval) -> Interval:
        """Return the smallest interval that contains both."""
        return Interval(min(self.low, other.low), max(self.high, other.high))


UNBOUNDED = Interval(-math.inf, math.inf)


class Curve(ABC):
    """All intervals of one score or gain, by level; nested, the lower the level, the wider.

    The p-value is the level at which an end of the interval is the value that is tested: interval and p-value
    cannot disagree.
    Source: Birnbaum (1961), "Confidence curves: an omnibus technique for estimation and testing statistical
    hypotheses".
    """

    test: str
    """Name of the test, as `docs/statistics.md` has it."""

    @abstractmethod
    def interval(self, level: float = LEVEL) -> Interval:
        """Return the interval that misses the truth with probability `level`, half of it on each side."""

    def p(self, value: float = 0.0) -> float:
        """Return the two-sided p-value of a true score or gain of `value`: in [SMALLEST_P, 1].

        A subclass that knows it in closed form overrides this.
        """
        low, high = math.log(SMALLEST_P), 0.0
        if _contains(self.interval(1.0), value):
            return 1.0
        for _ in range(_HALVINGS):
            middle = (low + high) / 2
            inside = _contains(self.interval(math.exp(middle)), value)
            low, high = (middle, high) if inside else (low, middle)
        return math.exp(high)


def _contains(interval: Interval, value: float) -> bool:
    return interval.low <= value <= interval.high


@dataclass(frozen=True, slots=True)
class StudentCurve(Curve):
    """Student's t: an estimate, its standard error and degrees of freedom; within bounds, if it has any."""

    value: float
    error: float
    freedom: float
    bounds: Interval = UNBOUNDED
    test: str = "Student's t"

    def interval(self, level: float = LEVEL) -> Interval:
        """Return value ± t · error."""
        half = quantile(1 - level / 2, self.freedom) * self.error
        low, high = self.value - half, self.value + half
        return Interval(max(low, self.bounds.low), min(high, self.bounds.high))

    def p(self, value: float = 0.0) -> float:
        """Return the p-value of Student's t; 1 at the estimate itself."""
        from scipy.special import stdtr

        if value == self.value:
            return 1.0
        if not self.error:
            return SMALLEST_P
        return max(SMALLEST_P, 2 * float(stdtr(self.freedom, -abs(self.value - value) / self.error)))


@dataclass(frozen=True, slots=True)
class WidestCurve(Curve):
    """The hull of several curves, each of which fails somewhere: its p-value is the largest of theirs."""

    curves: Sequence[Curve]
    test: str

    def interval(self, level: float = LEVEL) -> Interval:
        """Return the smallest interval that contains those of all curves."""
        first, *others = (curve.interval(level) for curve in self.curves)
        for other in others:
            first = first.hull(other)
        return first

    def p(self, value: float = 0.0) -> float:
        """Return the largest of the p-values."""
        return max(curve.p(value) for curve in self.curves)


@dataclass(frozen=True, slots=True)
class PointCurve(Curve):
    """An interval of no width: the very same predictions differ by nothing, without doubt."""

    value: float
    test: str = "identical"

    def interval(self, level: float = LEVEL) -> Interval:  # noqa: ARG002 - the same at any level
        """Return the point."""
        return Interval(self.value, self.value)

    def p(self, value: float = 0.0) -> float:
        """Return 1 at the point, and the smallest p-value elsewhere."""
        return 1.0 if value == self.value else SMALLEST_P


def quantile(probability: float, freedom: float) -> float:
    """Return a quantile of Student's t with so many degrees of freedom, of 1 at least."""
    from scipy.special import stdtrit

    return float(stdtrit(max(freedom, 1.0), probability))
