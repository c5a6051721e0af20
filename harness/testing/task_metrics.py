"""Rules of a task's metrics: defined, pure, NaN where undefined; and no NaN in what they read."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from harness.metrics.interface import bounds_fault, number_fault
from harness.results.records import plain_values
from harness.system.plugin_code import error_sentence, plugin_code, raised_by
from harness.testing.rules import Rule
from harness.testing.watched_model import WatchedModel

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy as np

    from harness.metrics.interface import Metric
    from harness.tasks.dataset import Predictions
    from harness.testing.task_trial import TaskTrial

_CLOSE = 1e-9
"""Maximum difference of scores that are computed in two ways."""
_RESAMPLES = 8


def _columns_exist(trial: TaskTrial) -> Iterator[str]:
    predictions = trial.answers
    for metric in trial.task.metrics:
        needed = [*metric.columns, *([metric.where] if metric.where else [])]
        if lacking := [name for name in needed if name not in predictions]:
            yield (
                f"metric {metric.name!r} reads the column {lacking[0]!r}, which predict does not return:"
                f" {', '.join(predictions.columns)}"
            )


def _finite(trial: TaskTrial) -> Iterator[str]:
    """Find NaN and infinite values that a metric reads, with a model that gives a text zeros, too."""
    yield from _not_finite(trial, trial.answers, "")
    zeros = trial.ask(trial.task, WatchedModel(trial.first, zeros=True))
    yield from _not_finite(trial, zeros, "with a model that gives a text an embedding of zeros, ")


def _not_finite(trial: TaskTrial, predictions: Predictions, when: str) -> Iterator[str]:
    for metric in trial.task.metrics:
        for name, column in zip(metric.columns, columns_of(metric, predictions), strict=True):
            cells = plain_values(column)
            broken = [cell for cell in cells if cell is None or _is_not_finite(cell)]
            if broken:
                yield (
                    f"{when}column {name!r} has {broken[0]} in {len(broken)} of {len(cells)} rows, and metric"
                    f" {metric.name!r} is undefined: say which rows count with `where`, or mend the division"
                )


def _is_not_finite(cell: Any) -> bool:  # noqa: ANN401 - any cell
    return isinstance(cell, float) and not math.isfinite(cell)


def columns_of(metric: Metric, predictions: Predictions) -> list[np.ndarray]:
    """Return copies of the columns that a metric reads, of the rows that count."""
    import numpy as np

    columns = [_array(predictions[name]) for name in metric.columns]
    if metric.where is None:
        return columns
    kept = np.asarray(predictions[metric.where], dtype=bool)
    return [column[kept] for column in columns]


def _array(values: Any) -> np.ndarray:  # noqa: ANN401 - a column of any type
    import numpy as np

    if len(values) and isinstance(values[0], list | tuple | np.ndarray):
        cells = np.empty(len(values), dtype=object)
        cells[:] = [np.array(value) for value in values]
        return cells
    return np.array(values)


def _defined(trial: TaskTrial) -> Iterator[str]:
    for metric in trial.task.metrics:
        columns = columns_of(metric, trial.answers)
        score: Any = metric.compute(*columns)
        if (fault := number_fault(score)) is not None:
            yield f"metric {metric.name!r} returns {fault}: one number is wanted, such as float(score)"
        elif not math.isfinite(score):
            what = "infinite" if math.isinf(score) else "NaN"
            yield f"metric {metric.name!r} is {what} on these {len(trial.answers)} examples"
        elif (fault := bounds_fault(metric, float(score), columns)) is not None:
            yield f"{fault}: mend the metric, or its bounds"


def _pure(trial: TaskTrial) -> Iterator[str]:
    import numpy as np

    for metric in trial.task.metrics:
        columns = columns_of(metric, trial.answers)
        score = float(metric.compute(*columns))
        for name, now, before in zip(metric.columns, columns, columns_of(metric, trial.answers), strict=True):
            if plain_values(now) != plain_values(before):
                yield f"metric {metric.name!r} changes its column {name!r}: work on a copy"
                return
        if float(metric.compute(*columns)) != score:
            yield f"metric {metric.name!r} returns another score for the same columns"
            return
        order = np.random.default_rng(0).permutation(len(columns[0]))
        shuffled = float(metric.compute(*(column[order] for column in columns)))
        if not math.isclose(shuffled, score, rel_tol=1e-6, abs_tol=1e-6):
            yield (
                f"metric {metric.name!r} depends on the order of the rows: {score:.6f}, shuffled"
                f" {shuffled:.6f}"
            )


def _undefined(trial: TaskTrial) -> Iterator[str]:
    """Find metrics that raise for too few examples, or have a score without any."""
    for metric in trial.task.metrics:
        columns = columns_of(metric, trial.answers)
        for count in (0, 1):
            try:
                with plugin_code():
                    score = float(metric.compute(*(column[:count] for column in columns)))
            except Exception as error:  # noqa: BLE001 - a plugin may raise anything
                yield (
                    f"metric {metric.name!r} raises {error_sentence(raised_by(error))} for {count} examples:"
                    + _NAN
                )
                break
            if count == 0 and not math.isnan(score):
                yield f"metric {metric.name!r} is {score:g} for no examples:" + _NAN
                break


_NAN = " NaN is wanted where a metric is undefined, since intervals leave examples out"


def _resampled(trial: TaskTrial) -> Iterator[str]:
    """Find metrics whose `resample` has other scores than `compute`."""
    import numpy as np

    for metric in trial.task.metrics:
        if metric.resample is None:
            continue
        columns = columns_of(metric, trial.answers)
        count = len(columns[0])
        drawn = np.random.default_rng(0).multinomial(count, np.full(count, 1 / count), _RESAMPLES)
        counts = np.vstack([np.ones(count), drawn])
        scores = np.asarray(metric.resample(*columns, counts))
        if scores.shape != (len(counts),):
            yield f"resample of {metric.name!r} returns shape {scores.shape} for {len(counts)} resamples"
            continue
        for row, score in zip(counts.astype(int), scores, strict=True):
            wanted = float(metric.compute(*(np.repeat(column, row) for column in columns)))
            if not np.isclose(score, wanted, rtol=_CLOSE, atol=_CLOSE, equal_nan=True):
                yield (
                    f"resample of {metric.name!r} is {score:.6f} where compute is {wanted:.6f} for the same"
                    " examples"
                )
                break


COLUMN_RULES = (Rule("metric-columns", "returns every column that a metric reads", _columns_exist),)
VALUE_RULES = (Rule("finite", "has numbers in what metrics read, also for an embedding of zeros", _finite),)
DEFINED_RULES = (
    Rule("metrics-defined", "has metrics that return a number, within the bounds that they say", _defined),
)
METRIC_RULES = (
    Rule("metrics-pure", "has metrics that change nothing and ignore the order of rows", _pure),
    Rule("metrics-undefined", "has metrics that are NaN for too few examples, and do not raise", _undefined),
    Rule("metrics-resample", "has the same scores from `resample` as from `compute`", _resampled),
)
