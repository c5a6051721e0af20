"""What a task gives is checked where it enters: its rows, texts, predictions and aggregate scores.

Each check raises one HarnessError that says what came and what is wanted.
"""

from __future__ import annotations

import json
import math
import operator
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from harness.errors import HarnessError
from harness.finding import Finding, Severity, finding_fault
from harness.metrics.interface import number_fault
from harness.models.interface import Role
from harness.render import with_article
from harness.results.records import column_hash, content_hash, plain_values
from harness.stats.intervals import estimate
from harness.system.stored_texts import StoredTexts
from harness.tasks.dataset import Dataset, Predictions

if TYPE_CHECKING:
    from collections.abc import Iterable

    from harness.metrics.interface import Metric
    from harness.results.records import Score
    from harness.tasks.interface import Task

_UNREADABLE = (TypeError, ValueError, AttributeError, OverflowError, RecursionError)
"""Errors of turning cells into plain data: UnicodeEncodeError, a ValueError, is half a character."""


def check_dataset(dataset: object, method: str = "load") -> Dataset:
    """Return what `load` or `limited` returned; raises HarnessError unless it is a Dataset of plain cells."""
    if not isinstance(dataset, Dataset):
        message = f"{method} returned {_shown(dataset)}, not a Dataset"
        raise HarnessError(message, without_texts=_kind(dataset, method))
    try:
        dataset.digest  # noqa: B018 - it is kept
    except _UNREADABLE as error:
        faults = {name: _kind_fault(values, dict) for name, values in dataset.columns.items()}
        faults |= {name: _value_fault(values) for name, values in dataset.columns.items() if not faults[name]}
        name = next((name for name, fault in faults.items() if fault), None)
        what = f"column {name!r} of the dataset" if name else "a table of the dataset"
        raise HarnessError(
            f"{what} {faults[name] if name else f'holds what is not plain data: {error}'}",
            without_texts=f"{what} holds cells that are not plain data",
            hint="cells are texts, numbers, true or false, None, or lists and dicts of these",
        ) from error
    _check_findings(dataset.findings, "the dataset")
    return dataset


def announced_texts(task: Task, dataset: Dataset) -> list[tuple[str, Role]]:
    """Return the texts that a task announces, with their roles.

    Raises HarnessError for what is no pair of a text and a Role, and what `texts` raises.
    """
    # Its lists refuse to be changed; compiled code that does not ask them changes a copy.
    given: Any = task.texts(dataset.lent())
    hint = "texts() yields pairs such as (text, Role.TEXT), one for each text that predict encodes"
    if given is None or isinstance(given, str) or not hasattr(given, "__iter__"):
        raise HarnessError(f"texts returned {_shown(given)}", hint=hint, without_texts=_kind(given, "texts"))
    pairs: list[tuple[str, Role]] = []
    for pair in given:
        text, role = pair if isinstance(pair, tuple | list) and len(pair) == 2 else (None, None)
        if not isinstance(text, str) or role not in _ROLES:
            raise HarnessError(
                f"texts gave {_shown(pair)}, not a text and its Role",
                hint=hint,
                without_texts=_kind(pair, "texts"),
            )
        pairs.append((text if type(text) is str else str.__str__(text), Role(role)))
    return pairs


def texts_on_disk(dataset: Dataset | None) -> int:
    """Return how many texts a task encodes that stay on disk, and are not announced."""
    if dataset is None:
        return 0
    own = dataset.columns.get("text", ())
    below = sum(map(texts_on_disk, dataset.tables.values()))
    return below + (len(own) if isinstance(own, StoredTexts) else 0)


_ROLES = frozenset(Role)


def check_predictions(predictions: object, lent: Dataset, rows: Dataset) -> Predictions:
    """Return what `predict` returned, if it is one row of plain cells for each of the dataset, in its order.

    A task may make a dataset of its own with other columns for them, but not with other rows.
    lent: the dataset that it was given; rows: the one that `load` returned, which it had no chance to change.
    """
    if not isinstance(predictions, Predictions):
        raise HarnessError(
            f"predict returned {_shown(predictions)}, not Predictions: one row of answers for each example",
            without_texts=_kind(predictions, "predict"),
        )
    what = "the predictions are not of the rows that load returned"
    hint = "pass the dataset that predict was given: Predictions(dataset, predicted=…)"
    lengths = {name: _length(values) for name, values in predictions.columns.items()}
    wrong = [f"{name}: {length}" for name, length in lengths.items() if length != len(rows)]
    if wrong or "id" not in lengths:
        exists = f"{len(rows)} rows; rows of columns: {', '.join(wrong) or 'no column id'}"
        raise HarnessError(what, exists=exists, hint=hint)
    _check_cells(predictions)
    if plain_values(predictions["id"]) != plain_values(rows["id"]):
        raise HarnessError(what, exists="they have other ids, or another order", hint=hint)
    given = predictions.rows
    for name in given.columns.keys() & rows.columns.keys():
        if not _same(given[name], rows[name], lent=given is lent):
            raise HarnessError(what, exists=f"their column {name!r} differs", hint=hint)
    _check_findings(predictions.findings, "Predictions")
    _check_fitted(predictions.fitted)
    return predictions


def _same(given: Any, kept: Any, *, lent: bool) -> bool:  # noqa: ANN401 - columns
    """Whether two columns have the same values; a lent one is a copy, whose cells are mostly identical."""
    if given is kept:
        return True
    if lent and isinstance(given, list) and isinstance(kept, list):
        return len(given) == len(kept) and all(map(operator.is_, given, kept))
    return column_hash(given) == column_hash(kept)


def _length(values: Any) -> int:  # noqa: ANN401 - a column that a plugin may have put there
    try:
        return len(values)
    except TypeError:
        return -1


def _check_cells(predictions: Predictions) -> None:
    for name, values in predictions.columns.items():
        if (fault := _kind_fault(values)) is not None:
            raise _cell_error(name, fault)


def _cell_error(name: str, fault: str) -> HarnessError:
    return HarnessError(
        f"column {name!r} of the predictions {fault}",
        without_texts=f"column {name!r} of the predictions holds what is not plain data",
        hint="its cells are texts, numbers, true or false, None, or lists of these",
    )


def predictions_hash(predictions: Predictions) -> str:
    """Return the hash of predictions; raises HarnessError for cells in lists that are not plain data."""
    try:
        return content_hash(predictions)
    except _UNREADABLE as error:
        faults = {name: _value_fault(values) for name, values in predictions.columns.items()}
        found = next(((name, fault) for name, fault in faults.items() if fault), None)
        if found is None:
            raise
        raise _cell_error(*found) from error


def _kind_fault(values: Any, *also: type) -> str | None:  # noqa: ANN401 - a column of a plugin
    """Return what kind of cells a column has that are not plain data; None if all are. Looks into no list.

    also: further kinds that are.
    """
    if isinstance(values, str | bytes | dict | set | frozenset):
        return f"is a {type(values).__name__}, not a list or an array"
    if isinstance(values, np.ndarray) and values.dtype != object:
        wide = values.dtype.kind == "u" and bool((values > _LARGEST).any())
        if values.dtype.kind not in "fiubU" or wide:
            return f"holds {'whole numbers of more than 64 bits' if wide else values.dtype}"
        return None
    kinds = set(map(type, values))
    if wrong := [kind.__name__ for kind in kinds if not issubclass(kind, (*_PLAIN, *also))]:
        return f"holds {' and '.join(map(with_article, sorted(wrong)))}"
    if int in kinds and any(type(cell) is int and not -_LARGEST <= cell <= _LARGEST for cell in values):
        return "holds a whole number of more than 64 bits"
    return None


def _value_fault(values: Any) -> str | None:  # noqa: ANN401 - as above
    """Return what is wrong with the values of a column; None if they are plain data."""
    try:
        column_hash(values)
    except _UNREADABLE as error:
        return f"holds what is not plain data: {error}"
    return None


_LARGEST = 2**63 - 1
"""Maximum of a whole number in a file of predictions."""
_PLAIN = (str, int, float, bool, type(None), list, tuple, np.ndarray, np.generic)


def _check_findings(findings: Iterable[object], where: str) -> None:
    for finding in findings:
        if fault := finding_fault(finding):
            message = f"findings of {where} has {fault}"
            raise HarnessError(message, without_texts=f"findings of {where} has what is not a Finding")


def _check_fitted(fitted: Mapping[str, Any]) -> None:
    try:
        json.dumps(fitted, default=lambda value: value.tolist())
    except _UNREADABLE as error:
        raise HarnessError(
            f"fitted={sorted(map(str, fitted))} of Predictions is not plain data: {error}",
            without_texts="fitted of Predictions is not plain data",
            hint="texts, numbers, lists and dicts of these: float(threshold), array.tolist()",
        ) from error


def check_columns(metric: Metric, predictions: Predictions) -> None:
    """Raise HarnessError for a metric that reads a column that predictions do not have."""
    needed = [*metric.columns, *([metric.where] if metric.where else [])]
    if lacking := [name for name in needed if name not in predictions]:
        names = ", ".join(predictions.columns)
        message = f"metric {metric.name} reads the column {', '.join(lacking)}, which predict does not give"
        raise HarnessError(message, exists=f"columns: {names}", hint="Metric(…, columns=(…)) names them")


def infinite_metrics(task: Task, predictions: Predictions, scores: Iterable[Score]) -> list[str]:
    """Return the metrics that are infinite, of those that have no score."""
    without = {score.metric for score in scores if score.score is None}
    return [
        metric.name
        for metric in task.metrics
        if metric.name in without and math.isinf(estimate(metric, predictions).score)
    ]


def infinite_findings(names: Iterable[str], count: int) -> list[Finding]:
    """Return a warning for each metric that is infinite: it has no score."""
    return [
        Finding("metric-infinite", Severity.WARNING, f"{name} is infinite on these {count} examples", _FINITE)
        for name in names
    ]


_FINITE = "mend the division: a metric is a finite number, or NaN where it is undefined"


def undefined(
    metric: Metric | None, name: str, predictions: Predictions | None, count: int, *, infinite: bool = False
) -> HarnessError:
    """Return the error for a headline without a score, with the reason where a column shows it."""
    message = f"{name} is {'infinite' if infinite else 'undefined'}"
    hint = _FINITE if infinite else "one side may be constant, or a class missing; a larger --limit may help"
    if predictions is not None:
        message += f" on these {count} examples"
        for column in metric.columns if metric else ():
            if rows := _not_finite(predictions[column]):
                message += f": column {column!r} has {len(rows)} that are NaN, infinite or None, the first"
                message += f" in row {rows[0]} (id {predictions['id'][rows[0]]!s:.40})"
                hint = (
                    "predict gives a finite number for each example that counts (`where` leaves others out)"
                )
                break
    return HarnessError(message, hint=hint, without_texts=message)


def _not_finite(values: Any) -> list[int]:  # noqa: ANN401 - a column
    """Return the rows whose cell is a number that is not finite."""
    try:
        array = np.asarray(values)
        if array.dtype == object:
            return [row for row, cell in enumerate(values) if cell is None]
        return np.flatnonzero(~np.isfinite(array)).tolist() if array.dtype.kind == "f" else []
    except (TypeError, ValueError):
        return []


def aggregate_scores(task: Task, given: object) -> dict[str, float]:
    """Return what `AggregateTask.score` returned; raises HarnessError unless it is metric → number."""
    if not isinstance(given, Mapping):
        raise HarnessError(f"score returned {_shown(given)}, not a dict of metric → score")
    for name, value in given.items():
        if not isinstance(name, str) or not name:
            raise HarnessError(f"score of {task.name} names a metric {name!r}, not a text")
        if (fault := number_fault(value)) is not None:
            raise HarnessError(f"score of {task.name} gives {name} as {fault}: one number is wanted")
    return {name: float(value) for name, value in given.items()}


def _shown(value: object) -> str:
    """Return what came: its kind, with the value of what is short."""
    if value is None:
        return "nothing (None)"
    kind = with_article(type(value).__name__)
    return f"{value!r:.60}, {kind}" if isinstance(value, str | int | float | tuple) else kind


def _kind(value: object, method: str) -> str:
    """Return the same without the value, which may quote a text."""
    return f"{method} gave {with_article(type(value).__name__)}, which is not what it must"
