"""Student's t, corrected for the skewness of what is averaged."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Self

import numpy as np

from harness.stats.curve import LEVEL, SMALLEST_P, UNBOUNDED, Curve, Interval, quantile
from harness.stats.influence import standard_error

_LEAST = 1e-9
"""Skewness below which there is no correction: it would be a difference of nearly equal numbers."""


@dataclass(frozen=True, slots=True)
class HallCurve(Curve):
    """Hall's transformation of t, which is as symmetric as a normal variable to the second order.

    Source: Hall (1992), "On the removal of skewness by transformation".
    """

    value: float
    error: float
    """Standard error of the value, above 0."""
    skewness: float
    """Of the units' influences, divided by the root of their number."""
    freedom: float
    bounds: Interval = UNBOUNDED
    test: str = "skewness-corrected t"

    @classmethod
    def of(
        cls,
        value: float,
        influence: np.ndarray,
        bounds: Interval = UNBOUNDED,
        counts: np.ndarray | None = None,
    ) -> Self:
        """Return the curve of a value from the influences of units, (k,), which are not all equal.

        counts: (k,), how many units have each; not necessarily whole numbers. By default one.
        """
        if counts is None:
            off = influence - influence.mean()
            skewness = float(np.sum(off**3) / np.sum(off**2) ** 1.5)
            return cls(value, standard_error(influence), skewness, len(influence) - 1, bounds)
        units = float(counts.sum())
        off = influence - counts @ influence / units
        square = float(counts @ off**2)
        error = float(np.sqrt(units / (units - 1) * square))
        return cls(value, error, float(counts @ off**3) / square**1.5, units - 1, bounds)

    def interval(self, level: float = LEVEL) -> Interval:
        """Return the interval, widened to contain the value."""
        wanted = quantile(1 - level / 2, self.freedom)
        low, high = (self.value - self.error * self._from_symmetric(each) for each in (wanted, -wanted))
        return Interval(
            max(min(low, self.value), self.bounds.low), min(max(high, self.value), self.bounds.high)
        )

    def p(self, value: float = 0.0) -> float:
        """Return the p-value of the transformed t; 1 at the value itself."""
        from scipy.special import stdtr

        t = (self.value - value) / self.error
        size = self._to_symmetric(t) * math.copysign(1.0, t)
        if t == 0 or size <= 0:
            return 1.0
        return max(SMALLEST_P, 2 * float(stdtr(self.freedom, -size)))

    def _to_symmetric(self, t: float) -> float:
        """Return Hall's monotone transformation of t, with a = skewness / 3: t + a t² + a² t³ / 3 + a / 2."""
        skewness = self.skewness
        if abs(skewness) < _LEAST:
            return t
        return ((1 + skewness * t / 3) ** 3 - 1) / skewness + skewness / 6

    def _from_symmetric(self, transformed: float) -> float:
        """Return the t that Hall's transformation takes to a value."""
        skewness = self.skewness
        if abs(skewness) < _LEAST:
            return transformed
        return 3 / skewness * (float(np.cbrt(1 + skewness * (transformed - skewness / 6))) - 1)
