"""Gain of a candidate over a baseline by one metric: interval and p-value.

The test follows from the metric alone, in `gain_curve`; `docs/statistics.md` has the measured errors and
coverage of each.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from harness.metrics import standard as metrics
from harness.stats import area, average_precision, correlation, jackknife, macro_f1, means
from harness.stats.curve import Curve, Interval, PointCurve
from harness.stats.influence import score_influences, standard_error
from harness.stats.intervals import FEWEST_UNITS
from harness.stats.unseen_share import UnseenCurve, bounds_of, is_without_width

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy as np

    from harness.stats.answer_pair import AnswerPair

_UNDEFINED = math.nan

_CURVES: dict[Callable[..., float], Callable[[AnswerPair], Curve | None]] = {
    metrics.pearson: correlation.gain_curve,
    metrics.spearman: correlation.gain_curve,
    metrics.roc_auc: area.gain_curve,
    metrics.average_precision: average_precision.gain_curve,
    metrics.macro_f1: macro_f1.gain_curve,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Gain:
    """A candidate's gain over a baseline by one metric on the same examples."""

    baseline: float
    candidate: float
    """Scores of the paired examples."""
    value: float
    """candidate − baseline."""
    low: float
    high: float
    """Ends of the 95 % interval; NaN where there is none."""
    p: float
    """Two-sided, not corrected; NaN without a test. Below 5 % exactly where the interval excludes 0."""
    standard_error: float
    """NaN where unknown."""
    examples: int
    units: int
    """Number of independent units: clusters, or examples where there are no clusters."""
    test: str
    """Name of the test; `none` where there is none, `identical` for the very same predictions."""
    baseline_error: float = _UNDEFINED
    """Standard error of the baseline's score; NaN where unknown."""
    moved: int = 0
    """Number of units to which both models' answers differ; 0 where unknown."""
    curve: Curve | None = field(default=None, repr=False, compare=False)
    """Intervals at any level; None where there is no interval."""
    influence: np.ndarray | None = field(default=None, repr=False, compare=False)
    """(units,): influence of each unit on the gain; None where there is no test."""
    unit_names: np.ndarray | None = field(default=None, repr=False, compare=False)
    """(units,): their names."""
    unit_shares: np.ndarray | None = field(default=None, repr=False, compare=False)
    """(units,): their shares of all examples."""


def gain_of(pair: AnswerPair, *, identical: bool = False) -> Gain:
    """Estimate and test a gain.

    identical: whether both models gave the same answers: the gain is then exactly 0.
    Interval and p-value are NaN for fewer than FEWEST_UNITS units, and where a score is undefined.
    """
    if not math.isfinite(pair.gain) or (pair.count < FEWEST_UNITS and not identical):
        return _gain(pair, None)
    if identical:
        return _gain(pair, PointCurve(0.0))
    return _gain(pair, gain_curve(pair))


def gain_curve(pair: AnswerPair) -> Curve | None:
    """Return the confidence curve of a gain, which follows from the metric; None where there is none.

    Where no unit moves the gain, its interval is what units that were not seen could do: only the very same
    predictions leave no doubt.
    """
    kind = means.gain_curve if pair.metric.per_example else _CURVES.get(pair.metric.compute)
    curve = (kind or jackknife.gain_curve)(pair)
    if curve is None:
        return None
    bounds = means.bounds_of_values(pair) if pair.metric.per_example else bounds_of(pair.metric)
    if pair.metric.per_example:  # means know which differences are of rounding
        low, high = curve.interval()
        return _unseen(pair, bounds, curve.test) if low == high else curve
    return _unseen(pair, bounds, curve.test) if is_without_width(curve, bounds) else curve


def _unseen(pair: AnswerPair, bounds: Interval, test: str) -> Curve | None:
    spread = bounds.high - bounds.low
    if not math.isfinite(spread):
        return None
    return UnseenCurve(pair.gain, pair.count, Interval(pair.gain - spread, pair.gain + spread), test)


def _gain(pair: AnswerPair, curve: Curve | None) -> Gain:
    baseline, candidate = pair.scores
    identical = isinstance(curve, PointCurve)
    of_baseline = influence = None
    if curve is not None and not identical:
        of_baseline = score_influences(pair.baseline)
        influence = score_influences(pair.candidate) - of_baseline
    low, high = curve.interval() if curve else (_UNDEFINED, _UNDEFINED)
    error = 0.0 if identical else _UNDEFINED if influence is None else standard_error(influence)
    return Gain(
        baseline=baseline,
        candidate=candidate,
        value=candidate - baseline,
        low=low,
        high=high,
        p=curve.p() if curve else _UNDEFINED,
        standard_error=error,
        baseline_error=_UNDEFINED if of_baseline is None else standard_error(of_baseline),
        examples=pair.examples,
        units=pair.count,
        moved=pair.moved,
        test=curve.test if curve else "none",
        curve=curve,
        influence=influence,
        unit_names=None if influence is None else pair.names,
        unit_shares=None if influence is None else pair.unit_shares,
    )
