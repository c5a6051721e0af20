"""Scores of a metric on many resamples at once, such as those that leave units out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from harness.errors import HarnessError
from harness.metrics.interface import metric_code

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harness.metrics.interface import Metric


def resampled_scores(metric: Metric, columns: Sequence[np.ndarray], counts: np.ndarray) -> np.ndarray:
    """Score a metric on many resamples: (B,).

    columns: (n,) each; counts: (B, n) how often each example is in a resample.
    Raises HarnessError where there is not one number for each, and PluginError for what the metric raises.
    """
    with metric_code(metric):
        scores = np.asarray(_scores(metric, columns, counts))
    if scores.shape != counts.shape[:1] or scores.dtype.kind not in "fiu":
        name = "compute" if metric.resample is None else "resample"
        raise HarnessError(
            f"{name} of metric {metric.name} returned {scores.dtype} of shape {scores.shape} for resamples:"
            f" numbers of shape {counts.shape[:1]} are wanted, NaN where one is undefined"
        )
    return scores


def _scores(metric: Metric, columns: Sequence[np.ndarray], counts: np.ndarray) -> Any:  # noqa: ANN401 - of a plugin
    if metric.resample is not None:
        # Copies: what it sorts in place is read again.
        return metric.resample(*(column.copy() for column in columns), counts)
    rows = np.arange(counts.shape[1])
    picks = (np.repeat(rows, row.astype(int)) for row in counts)
    return [metric.compute(*(column[pick] for column in columns)) for pick in picks]
