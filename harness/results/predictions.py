"""Put two models' predictions side by side, example by example, and find the metric of a score."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from harness.results.folder import footer_hash
from harness.system import limits
from harness.system.paths import accessible
from harness.tasks.dataset import Dataset, Predictions

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

import math
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from harness.errors import HarnessError
from harness.metrics import standard as metrics
from harness.stats.paired import Paired

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from harness.metrics.interface import Metric
    from harness.results.records import Evaluation, Score
    from harness.tasks.interface import Task

    Table = dict[str, np.ndarray]

_KNOWN = (metrics.SPEARMAN, metrics.PEARSON, metrics.ROC_AUC, metrics.AVERAGE_PRECISION, metrics.MACRO_F1)
_TOLERANCE = 1e-9
"""By which a score that is computed again may differ: another order of additions."""


def metric_of(score: Score, task: str, tasks: Mapping[str, Task]) -> Metric:
    """Find the metric behind a score: a mean says all in its record, any other is its task's, or ours.

    Raises HarnessError where no plugin that is loaded brings it.
    """
    if score.per_example and score.columns:
        return metrics.mean_metric(score.metric, score.columns[0], where=score.where)
    offered = tasks[task].metrics if task in tasks else ()
    for metric in (*offered, *_KNOWN):
        if metric.name == score.metric:
            return replace(metric, columns=score.columns or metric.columns, where=score.where)
    raise HarnessError(
        f"no plugin brings the metric {score.metric} of {task}",
        hint="load the plugin that brings the task: --plugin FILE.py, or install it",
    )


def check_score(metric: Metric, table: Table, evaluation: Evaluation, score: Score) -> None:
    """Raise HarnessError where predictions do not give the score of their record: one of them is broken."""
    columns, kept = metric_columns(metric, table)
    found = _computed(metric, [column if kept is None else column[kept] for column in columns])
    told = math.nan if score.score is None else score.score
    same = math.isclose(found, told, rel_tol=_TOLERANCE, abs_tol=_TOLERANCE)
    if not (same or (math.isnan(found) and math.isnan(told))):
        raise HarnessError(
            f"the predictions of {evaluation.candidate.model} on {evaluation.examination.task} give"
            f" {score.metric} {found:.6f}, their record says {told:.6f}",
            hint="one of them was changed, or the metric was: run the model again with --fresh",
        )


def _computed(metric: Metric, columns: list[np.ndarray]) -> float:
    """Compute a score; what a stranger's metric raises is a HarnessError that names it.

    So is what ours raise for columns that are no numbers: the file is as strange.
    """
    try:
        return float(metric.compute(*columns))
    except Exception as error:
        if metric.compute.__module__ == metrics.__name__ and not isinstance(error, TypeError | ValueError):
            raise
        raise HarnessError(f"the metric {metric.name} raised {type(error).__name__}: {error}") from error


def align_tables(
    tables: Sequence[Table], names: Sequence[str], *, common: bool, answers: Collection[str] = ()
) -> tuple[list[Table], int]:
    """Bring tables to the same examples in the first one's order; returns them and how many rows were left.

    common: keep the examples that all have, with the same texts and gold; otherwise a row that one of
    them lacks is an error. Raises HarnessError for that, and where no example is left.
    """
    first = tables[0]
    if all(np.array_equal(first["id"], table["id"]) for table in tables[1:]) and not common:
        return list(tables), 0
    places = [{name: row for row, name in enumerate(table["id"].tolist())} for table in tables]
    shared = [name for name in first["id"].tolist() if all(name in place for place in places)]
    most = max(len(place) for place in places)
    if not common and len(shared) < most:
        fewest = min(range(len(places)), key=lambda index: len(places[index]))
        raise HarnessError(
            f"{most - len(shared)} of {most} examples are not in the predictions of both models",
            exists="\n".join(f"{name}: {len(place)}" for name, place in zip(names, places, strict=True)),
            hint=f"run {names[fewest]} again: a missing row is never a pass",
        )
    if common:
        shared = [name for name in shared if _same_example(tables, places, name, answers)]
    if not shared:
        raise HarnessError("the models have no example in common")
    rows = [np.array([place[name] for name in shared]) for place in places]
    picked = [
        {column: values[row] for column, values in table.items()}
        for table, row in zip(tables, rows, strict=True)
    ]
    return picked, most - len(shared)


def pair_tables(metric: Metric, baseline: Table, candidate: Table) -> Paired:
    """Put the columns of a metric side by side; units are clusters where the baseline has them."""
    clusters = baseline["cluster"] if "cluster" in baseline else baseline["id"]
    return Paired.of(metric, metric_columns(metric, baseline), metric_columns(metric, candidate), clusters)


def metric_columns(metric: Metric, table: Table) -> tuple[list[np.ndarray], np.ndarray | None]:
    """Columns of a metric, and which rows count.

    Raises HarnessError for a column that is not there, and for one that cannot say which rows count.
    """
    needed = [*metric.columns, *([metric.where] if metric.where else [])]
    if lacking := [name for name in needed if name not in table]:
        raise HarnessError(
            f"predictions lack the column {', '.join(lacking)} of {metric.name}",
            exists=f"columns: {', '.join(table)}",
        )
    try:
        kept = None if metric.where is None else np.asarray(table[metric.where], dtype=bool)
    except ValueError as error:  # its cells are lists
        raise HarnessError(
            f"the column {metric.where} does not say which rows {metric.name} takes"
        ) from error
    return [table[name] for name in metric.columns], kept


def _same_example(
    tables: Sequence[Table], places: Sequence[Mapping[str, int]], name: str, answers: Collection[str]
) -> bool:
    """Whether an example has the same texts and gold in all tables; answers in words are no texts."""
    first, place = tables[0], places[0][name]
    for table, other in zip(tables[1:], places[1:], strict=True):
        for column in (first.keys() & table.keys()) - {"id", *answers}:
            if column == "gold" or _is_text(first[column]):
                left, right = first[column][place], table[column][other[name]]
                if not np.array_equal(left, right):
                    return False
    return True


def _is_text(values: np.ndarray) -> bool:
    return values.dtype == object and len(values) > 0 and isinstance(values[0], str)


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskResult:
    """One model's result on one task, and the file of its predictions where there is one."""

    evaluation: Evaluation
    predictions: Path | None = None


def read_table(answered: TaskResult, columns: Iterable[str] | None = None) -> dict[str, np.ndarray]:
    """Read the predictions that a record vouches for: column → (n,); list cells are arrays.

    columns: the ones needed, those of them that are there; all when None.
    Raises HarnessError for a file that is missing, cannot be read, or is not the record's.
    """
    import pyarrow as pa
    from pyarrow import parquet

    path, what, one = find_predictions(answered), _describe(answered), answered.evaluation
    if not accessible(path).is_file():
        raise HarnessError(f"the {what} are missing: no file {path}")
    try:
        with parquet.ParquetFile(path) as file:
            schema = file.schema_arrow
            wanted = [name for name in schema.names if columns is None or name in set(columns)]
            table = limits.read_parquet(file, path, wanted)
            read = {name: _to_array(table[name]) for name in wanted}
    # A column that stands there twice, or holds what Python has no value for, is no column of ours either.
    except (pa.ArrowException, OSError, ValueError, OverflowError, LookupError) as error:
        raise HarnessError(f"the {what} cannot be read: {path}: {error}") from error
    if footer_hash(schema) != one.predictions:
        raise HarnessError(f"the {what} are of another run than its record: {path}")
    for name in {"id", "cluster"} & read.keys():
        if read[name].dtype == object and not all(isinstance(cell, str) for cell in read[name]):
            raise HarnessError(f"the {what} have a column {name!r} that holds no names: {path}")
    if "id" not in read and (columns is None or "id" in columns):
        raise HarnessError(f"the {what} name no examples: {path}")
    return read


def find_predictions(answered: TaskResult) -> Path:
    """Where the predictions of a result should be; raises HarnessError where none are kept beside it."""
    if answered.evaluation.predictions is None:
        raise HarnessError(f"no {_describe(answered)}: another tool scored it as a whole")
    if answered.predictions is None:
        raise HarnessError(
            f"the {_describe(answered)} are not at hand", hint="give the results folder, not a copied CSV"
        )
    return answered.predictions


def read_predictions(path: Path) -> tuple[Predictions, str]:
    """Read a file of predictions whole: its columns as they were written, and the hash in its footer.

    Raises HarnessError for a file that cannot be read, or that holds no predictions.
    """
    import pyarrow as pa
    from pyarrow import parquet

    try:
        with parquet.ParquetFile(path) as file:
            table, schema = limits.read_parquet(file, path), file.schema_arrow
        columns = {name: table[name].to_pylist() for name in table.column_names}
    # A column that stands there twice, or holds what Python has no value for, is no column of ours either.
    except (pa.ArrowException, OSError, ValueError, OverflowError, LookupError) as error:
        told = next(iter(str(error).splitlines()), type(error).__name__)
        raise HarnessError(f"it cannot be read: {told}") from error
    if not columns.get("id"):
        raise HarnessError("it holds no predictions: it has no rows with an id")
    predictions = Predictions(Dataset({"row": range(len(columns["id"]))}))
    predictions.columns = dict(columns)
    return predictions, footer_hash(schema)


def _describe(answered: TaskResult) -> str:
    one = answered.evaluation
    return f"predictions of {one.candidate.model} on {one.examination.task}"


def _to_array(column: Any) -> np.ndarray:  # noqa: ANN401 - pyarrow has no types
    import pyarrow as pa

    # Plain values: pyarrow's own way to numpy imports pandas.
    cells = column.to_pylist()
    kind = column.type
    if pa.types.is_floating(kind) or pa.types.is_integer(kind):
        return np.asarray([math.nan if cell is None else cell for cell in cells])
    if pa.types.is_boolean(kind) and None not in cells:
        return np.asarray(cells, dtype=bool)
    found = np.empty(len(cells), dtype=object)
    found[:] = [np.asarray(cell) if isinstance(cell, list) else cell for cell in cells]
    return found
