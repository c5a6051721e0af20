"""Interface of metrics: from columns of predictions to one float."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy as np


@dataclass(frozen=True, slots=True)
class Metric:
    """A name and a pure function of columns of `Predictions`; higher is better."""

    name: str
    """The field's standard name, such as `spearman` or `recall@10`."""
    compute: Callable[..., float]
    """Arrays in, one float out; NaN where undefined, never an exception for data."""
    columns: tuple[str, ...] = ("gold", "predicted")
    """Names of the columns that `compute` takes, in this order."""
    where: str | None = None
    """Name of a boolean column; rows where it is false do not count."""
    per_example: bool = False
    """Whether the score is the mean of one value per example, the first of `columns`."""
    resample: Callable[..., np.ndarray] | None = None
    """Scores of many resamples at once, for speed: (*columns, counts (B, n)) → (B,).

    counts: how often each example is in each resample; 0 for those that are left out.
    """
