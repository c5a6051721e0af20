"""Intervals of scores, over clusters of examples."""

from __future__ import annotations

import hashlib
import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from harness.metrics import standard as metrics
from harness.stats import area, average_precision, correlation, jackknife, macro_f1, means
from harness.stats.answer_pair import Answers
from harness.stats.curve import Curve, Interval
from harness.stats.unseen_share import UnseenCurve, bounds_of, is_without_width

if TYPE_CHECKING:
    from collections.abc import Callable

    from harness.metrics.interface import Metric
    from harness.tasks.dataset import Column, Predictions

_CURVES: dict[Callable[..., float], Callable[[Answers], Curve | None]] = {
    metrics.pearson: correlation.score_curve,
    metrics.spearman: correlation.score_curve,
    metrics.roc_auc: area.score_curve,
    metrics.average_precision: average_precision.score_curve,
    metrics.macro_f1: macro_f1.score_curve,
}

FEWEST_UNITS = 10
"""Minimum number of clusters (of examples, where there are no clusters) for an interval.

With fewer it is far too narrow: of 95 % intervals of a normal mean, 75 % cover it with 3 units, 84 % with 5,
90 % with 10, 93 % with 20.
"""


class Estimate(NamedTuple):
    """A score and its interval."""

    score: float
    interval: Interval
    examples: int
    clusters: int


def seed_from(*parts: str) -> int:
    """Derive a seed from texts, so that the same content gets the same random draws."""
    return int.from_bytes(hashlib.sha256("\x1f".join(parts).encode()).digest()[:8], "big")


def estimate(metric: Metric, predictions: Predictions) -> Estimate:
    """Score predictions by a metric, with a 95 % interval.

    Units are clusters where the predictions have clusters, else examples. The interval follows from the
    metric alone, contains the score, and always has width; it is NaN for fewer than FEWEST_UNITS units, and
    where the metric or its error is undefined.
    """
    columns = [_array(predictions[name]) for name in metric.columns]
    clusters = _array(_clusters(predictions))
    if metric.where is not None:
        kept = np.asarray(predictions[metric.where], dtype=bool)
        columns, clusters = [column[kept] for column in columns], clusters[kept]
    answers = Answers.of(metric, columns, clusters)
    interval = Interval(math.nan, math.nan)
    if math.isfinite(answers.score) and answers.count >= FEWEST_UNITS:
        curve = score_curve(answers)
        if curve is not None:
            interval = curve.interval()
    return Estimate(answers.score, interval, len(answers.units), answers.count)


def score_curve(answers: Answers) -> Curve | None:
    """Return the confidence curve of a score, which follows from the metric; None where there is none."""
    if answers.metric.per_example:
        return means.score_curve(answers)
    curve = _CURVES.get(answers.metric.compute, jackknife.score_curve)(answers)
    bounds = bounds_of(answers.metric)
    if curve is None or not is_without_width(curve, bounds):
        return curve
    # No unit moves the score: its interval is what units that were not seen could do.
    known = math.isfinite(bounds.high)
    return UnseenCurve(answers.score, answers.count, bounds, curve.test) if known else None


def _clusters(predictions: Predictions) -> Column:
    return predictions["cluster"] if "cluster" in predictions else predictions["id"]


def _array(values: Column) -> np.ndarray:
    """Return an array with one cell per row, also where a row is a list."""
    if len(values) and isinstance(values[0], list | tuple | np.ndarray):
        cells = np.empty(len(values), dtype=object)
        cells[:] = [np.asarray(value) for value in values]
        return cells
    return np.asarray(values)
