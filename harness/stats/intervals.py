"""Bootstrap intervals of scores, over clusters of examples; seeded by content."""

from __future__ import annotations

import hashlib
import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from harness.stats.bootstrap import draw_resamples, resampled_scores

if TYPE_CHECKING:
    from harness.metrics.interface import Metric
    from harness.tasks.dataset import Column, Predictions

RESAMPLES = 2000
"""Number of resamples: between seeds, the ends of a 95 % interval move by about 2 % of its width."""

FEWEST_UNITS = 10
"""Minimum number of clusters (of examples, where there are no clusters) for an interval.

With fewer it is far too narrow: of 95 % intervals of a normal mean, 75 % cover it with 3 units, 84 % with 5,
90 % with 10, 93 % with 20.
"""


class Interval(NamedTuple):
    """The ends of an interval; both NaN where it is undefined."""

    low: float
    high: float

    def with_score(self, score: float) -> Interval:
        """Return the interval, widened to a score outside of it; an undefined one stays undefined."""
        return self if math.isnan(self.low) else Interval(min(self.low, score), max(self.high, score))


class Estimate(NamedTuple):
    """A score and its interval."""

    score: float
    interval: Interval
    examples: int
    clusters: int


def seed_from(*parts: str) -> int:
    """Derive a seed from content, so that the same content gets the same resamples."""
    return int.from_bytes(hashlib.sha256("\x1f".join(parts).encode()).digest()[:8], "big")


def interval_seed(digest: str, task: str, metric: str) -> int:
    """Derive the seed of a score's interval, the same as for its record.

    digest: of the dataset's rows.
    """
    return seed_from(digest, task, metric, "interval")


def estimate(metric: Metric, predictions: Predictions, seed: int, *, resamples: int = RESAMPLES) -> Estimate:
    """Score predictions by a metric, with a 95 % interval.

    Resampled are clusters where the predictions have clusters, else examples.
    The interval is the bootstrap's percentile interval (Efron, 1979); resamples on which the metric
    is undefined do not count, and where they are the majority the interval is NaN, as it is for fewer
    than FEWEST_UNITS units. It is widened to the score where that lies outside, as for a metric whose
    resamples are biased. Where the values of a `per_example` metric are all 0 or all 1, all resamples
    are equal, and the interval is the exact binomial one over the units (Clopper and Pearson,
    1934, "The use of confidence or fiducial limits illustrated in the case of the binomial").
    """
    columns = [_array(predictions[name]) for name in metric.columns]
    clusters = np.unique(_array(_clusters(predictions)), return_inverse=True)[1]
    if metric.where is not None:
        kept = np.asarray(predictions[metric.where], dtype=bool)
        columns = [column[kept] for column in columns]
        clusters = np.unique(clusters[kept], return_inverse=True)[1]
    units = 1 + int(clusters.max()) if len(clusters) else 0
    score = float(metric.compute(*columns))
    interval = Interval(math.nan, math.nan)
    if math.isfinite(score) and units >= FEWEST_UNITS:
        if metric.per_example and score in {0, 1} and np.all(columns[0] == score):
            interval = _exact(score, units)
        else:
            blocks = draw_resamples(units, seed, resamples, width=len(clusters))
            scores = [resampled_scores(metric, columns, counts[:, clusters]) for counts in blocks]
            interval = _percentiles(np.concatenate(scores)).with_score(score)
    return Estimate(score, interval, len(clusters), units)


def _clusters(predictions: Predictions) -> Column:
    return predictions["cluster"] if "cluster" in predictions else predictions["id"]


def _array(values: Column) -> np.ndarray:
    """Return an array with one cell per row, also where a row is a list."""
    if len(values) and isinstance(values[0], list | tuple | np.ndarray):
        cells = np.empty(len(values), dtype=object)
        cells[:] = [np.asarray(value) for value in values]
        return cells
    return np.asarray(values)


def _exact(score: float, units: int) -> Interval:
    """Return Clopper and Pearson's interval for units that are all 0 or all 1: one end is the score."""
    bound = 0.025 ** (1 / units)
    return Interval(bound, 1.0) if score == 1 else Interval(0.0, 1 - bound)


def _percentiles(scores: np.ndarray) -> Interval:
    defined = scores[np.isfinite(scores)]
    if 2 * len(defined) < len(scores):
        return Interval(math.nan, math.nan)
    low, high = np.percentile(defined, [2.5, 97.5])
    return Interval(float(low), float(high))
