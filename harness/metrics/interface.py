"""Interface of metrics: from columns of predictions to one float."""

from __future__ import annotations

import math
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from harness.errors import HarnessError
from harness.render import with_article
from harness.system.plugin_code import PluginError, error_sentence, plugin_code

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

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
    bounds: tuple[float, float] | None = None
    """The least and the greatest score, such as (0, 1); of a mean, of its values. None where unknown.

    Intervals end there, and thresholds of a gate beyond are refused.
    """


def compute_score(metric: Metric, columns: Sequence[np.ndarray]) -> float:
    """Return a metric's score of columns, (n,) each: a float, NaN or infinite where it is undefined.

    The metric gets copies: what it sorts in place is read by other metrics too. Raises HarnessError for what
    is no number, or not within the metric's bounds, and PluginError that names the metric for what it raises.
    """
    with metric_code(metric):
        value: Any = metric.compute(*(column.copy() for column in columns))
    if (fault := number_fault(value)) is not None:
        what = f"metric {metric.name} returned {fault}: one number is wanted, NaN where it is undefined"
        raise HarnessError(what, without_texts=f"metric {metric.name} returned no number")
    score = float(value)
    if metric.bounds is None or not math.isfinite(score):
        return score
    if fault := bounds_fault(metric, score, columns):
        raise HarnessError(fault, without_texts=fault, hint=_BOUNDS_HINT)
    low, high = metric.bounds
    return min(max(score, low), high)


def bounds_fault(metric: Metric, score: float, columns: Sequence[np.ndarray]) -> str | None:
    """Return how a finite score, or a value of a mean, is not within its metric's bounds; None if it is.

    What lies beyond by rounding is within.
    """
    if metric.bounds is None:
        return None
    low, high = metric.bounds
    beyond = _ROUNDING * (high - low)
    values = columns[0].astype(float) if metric.per_example else None
    for value in (score,) if values is None else (values.min(), values.max()):
        if not low - beyond <= value <= high + beyond:
            what = f"has the value {value:g}" if metric.per_example else f"returned {value:g}"
            return f"metric {metric.name} {what}, and its bounds say between {low:g} and {high:g}"
    return None


_ROUNDING = 1e-6
"""Share of a metric's range by which a score may be beyond it: sums in float32 are no better."""
_BOUNDS_HINT = "mend the metric, or its bounds: bounds=(least, greatest)"


@contextmanager
def metric_code(metric: Metric) -> Iterator[None]:
    """Run a metric's functions as the body; raises PluginError that names the metric for what they raise."""
    try:
        with plugin_code():
            yield
    except HarnessError:
        raise
    except Exception as error:
        raise PluginError(f"metric {metric.name} raised {error_sentence(error)}") from error


def number_fault(value: Any) -> str | None:  # noqa: ANN401 - code of a plugin may return anything
    """Return what a value is that is not one real number; None for a number, of numpy too."""
    if isinstance(value, float) or type(value) is int:
        return None
    kind = getattr(getattr(value, "dtype", None), "kind", "")
    if kind and kind in "fiu":
        shape = getattr(value, "shape", ())
        return None if shape == () else f"an array of shape {shape}"
    return "nothing (None)" if value is None else f"{str(value)[:40]!r}, {with_article(type(value).__name__)}"
