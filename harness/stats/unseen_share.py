"""Bounds on what was not seen: a kind of unit that is in none of n may still be a share of all."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from harness.stats.curve import LEVEL, Curve, Interval

_NARROWEST = 1e-6
"""Share of a metric's range that is the width of an interval at least: rounding makes narrower ones, since
correlations of nearly 1 lose half of their digits."""

if TYPE_CHECKING:
    from collections.abc import Callable

    from harness.metrics.interface import Metric


def unseen_share(units: float, level: float = LEVEL) -> float:
    """Return the largest share of all units that a kind may have of which none was seen, in (0, 1].

    One end of a two-sided exact interval for zero of `units`, 1 − (level / 2)^(1 / units).
    Source: Clopper and Pearson (1934), "The use of confidence or fiducial limits illustrated in the case of
    the binomial".
    """
    return 1 - float((level / 2) ** (1 / units))


@dataclass(frozen=True, slots=True)
class UnseenCurve(Curve):
    """A score or gain that no unit moves: each that was not seen may move it by the metric's whole range."""

    value: float
    units: float
    bounds: Interval
    """The least and the greatest value that it can have."""
    test: str

    def interval(self, level: float = LEVEL) -> Interval:
        """Return the value, moved towards both bounds by the unseen share."""
        share = unseen_share(self.units, level)
        low, high = self.bounds
        return Interval(self.value - share * (self.value - low), self.value + share * (high - self.value))


def is_without_width(curve: Curve, bounds: Interval) -> bool:
    """Return whether the ends of a curve's interval differ by rounding alone.

    bounds: the least and the greatest score. Answers of another scale have the same correlation, but for the
    last bits.
    """
    low, high = curve.interval()
    spread = bounds.high - bounds.low
    return high - low <= _NARROWEST * (spread if math.isfinite(spread) else max(abs(low), abs(high)))


def bounds_of(metric: Metric) -> Interval:
    """Return the least and the greatest score of a metric; infinite where unknown.

    They are those that the metric says or, where it is one of our functions, those of the function.
    """
    from harness.metrics import standard as metrics

    if metric.bounds is not None:
        return Interval(*metric.bounds)
    known: dict[Callable[..., float], Interval] = {
        metrics.pearson: Interval(-1.0, 1.0),
        metrics.spearman: Interval(-1.0, 1.0),
        metrics.roc_auc: Interval(0.0, 1.0),
        metrics.average_precision: Interval(0.0, 1.0),
        metrics.macro_f1: Interval(0.0, 1.0),
    }
    return known.get(metric.compute, Interval(-math.inf, math.inf))
