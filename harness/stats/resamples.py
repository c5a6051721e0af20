"""Scores of a metric on many resamples at once, such as those that leave units out."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harness.metrics.interface import Metric


def resampled_scores(metric: Metric, columns: Sequence[np.ndarray], counts: np.ndarray) -> np.ndarray:
    """Score a metric on many resamples: (B,).

    columns: (n,) each; counts: (B, n) how often each example is in a resample.
    """
    if metric.resample is not None:
        return metric.resample(*columns, counts)
    rows = np.arange(counts.shape[1])
    picks = (np.repeat(rows, row.astype(int)) for row in counts)
    return np.array([metric.compute(*(column[pick] for column in columns)) for pick in picks])
