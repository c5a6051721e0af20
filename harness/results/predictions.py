"""Predictions of several models, aligned by example, and the columns that a metric reads."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from harness.errors import HarnessError
from harness.metrics import standard as metrics
from harness.metrics.interface import compute_score
from harness.render import plural, verb
from harness.stats.answer_pair import AnswerPair
from harness.stats.memo import Memo
from harness.system.plugin_code import PluginError, raised_by

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from harness.metrics.interface import Metric
    from harness.results.records import Evaluation, Score
    from harness.tasks.interface import Task

    Table = dict[str, np.ndarray]
    """Columns of predictions: name → (n,)."""

_KNOWN = (metrics.SPEARMAN, metrics.PEARSON, metrics.ROC_AUC, metrics.AVERAGE_PRECISION, metrics.MACRO_F1)
_COMPUTED: Memo[float] = Memo()
"""Scores that were checked before: many comparisons read the same baseline."""

_TOLERANCE = 1e-9
"""Maximum difference of a score that is computed again: additions may come in another order."""


def metric_of(score: Score, task: str, tasks: Mapping[str, Task]) -> Metric:
    """Return the metric of a score: from its record for a mean, else from its task, else one of ours.

    Raises HarnessError where no loaded plugin has it.
    """
    if score.per_example and score.columns:
        return metrics.mean_metric(score.metric, score.columns[0], where=score.where)
    of_task = tasks[task].metrics if task in tasks else ()
    for metric in (*of_task, *_KNOWN):
        if metric.name == score.metric:
            return replace(metric, columns=score.columns or metric.columns, where=score.where)
    raise HarnessError(
        f"no plugin brings the metric {score.metric} of {task}",
        hint="load the plugin that brings the task: --plugin FILE.py, or install it",
    )


def check_score(metric: Metric, table: Table, evaluation: Evaluation, score: Score) -> None:
    """Raise HarnessError where predictions do not give the score of their record: one of them was changed."""
    columns, kept = metric_columns(metric, table)
    computed = _COMPUTED.of(
        [*columns, *([] if kept is None else [table[metric.where or ""]])],
        metric,
        lambda: _compute(metric, [column if kept is None else column[kept] for column in columns]),
    )
    recorded = math.nan if score.score is None else score.score
    same = math.isclose(computed, recorded, rel_tol=_TOLERANCE, abs_tol=_TOLERANCE)
    if not (same or (math.isnan(computed) and math.isnan(recorded))):
        raise HarnessError(
            f"the predictions of {evaluation.candidate.model} on {evaluation.examination.task} give"
            f" {score.metric} {computed:.6f}, their record says {recorded:.6f}",
            hint="one of them was changed, or the metric was: run the model again with --fresh",
        )


def _compute(metric: Metric, columns: list[np.ndarray]) -> float:
    """Compute a score; an exception in a third-party metric becomes a HarnessError that names the metric.

    So does what ours raise for columns that are not numbers: the fault is in the file.
    """
    try:
        return compute_score(metric, columns)
    except PluginError as error:
        raised = raised_by(error)
        if metric.compute.__module__ == metrics.__name__ and not isinstance(raised, TypeError | ValueError):
            raise raised from None
        raise HarnessError(f"the {error}") from error


def align_tables(
    tables: Sequence[Table], names: Sequence[str], *, common: bool, answers: Collection[str] = ()
) -> tuple[list[Table], int]:
    """Bring tables to the same examples in the first one's order; return them and how many rows were left.

    names: of the tables' models; answers: columns that hold a model's answers in words.
    common: keep the examples that all have, with the same texts and gold; otherwise a row that one of
    them lacks is an error. Raises HarnessError for that, and where no example is left.
    """
    first = tables[0]
    if all(np.array_equal(first["id"], table["id"]) for table in tables[1:]) and not common:
        return list(tables), 0
    row_of = [{example: row for row, example in enumerate(table["id"].tolist())} for table in tables]
    shared = [example for example in first["id"].tolist() if all(example in rows for rows in row_of)]
    most = max(map(len, row_of))
    if not common and len(shared) < most:
        lacking = most - len(shared)
        fewest = min(range(len(row_of)), key=lambda index: len(row_of[index]))
        raise HarnessError(
            f"{lacking:,} of {plural(most, 'example')} {verb(lacking, 'is', 'are')} not in the predictions of"
            " both models",
            exists="\n".join(f"{name}: {len(rows)}" for name, rows in zip(names, row_of, strict=True)),
            hint=f"run {names[fewest]} again: a missing row is never a pass",
        )
    if common:
        shared = [example for example in shared if _same_content(tables, row_of, example, answers)]
    if not shared:
        raise HarnessError("the models have no example in common")
    picks = [np.array([rows[example] for example in shared]) for rows in row_of]
    aligned = [
        {column: values[pick] for column, values in table.items()}
        for table, pick in zip(tables, picks, strict=True)
    ]
    return aligned, most - len(shared)


def pair_tables(metric: Metric, baseline: Table, candidate: Table) -> AnswerPair:
    """Pair two models' columns of a metric; units are clusters where the baseline has them."""
    clusters = baseline["cluster"] if "cluster" in baseline else baseline["id"]
    return AnswerPair.of(
        metric, metric_columns(metric, baseline), metric_columns(metric, candidate), clusters
    )


def metric_columns(metric: Metric, table: Table) -> tuple[list[np.ndarray], np.ndarray | None]:
    """Return the columns of a metric, (n,) each, and which rows count, (n,) bool; None where all do.

    Raises HarnessError for a missing column, and for one that cannot say which rows count.
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


def _same_content(
    tables: Sequence[Table], row_of: Sequence[Mapping[str, int]], example: str, answers: Collection[str]
) -> bool:
    """Whether an example has the same texts and gold in all tables; answers in words do not count."""
    first, row = tables[0], row_of[0][example]
    for table, rows in zip(tables[1:], row_of[1:], strict=True):
        for column in (first.keys() & table.keys()) - {"id", *answers}:
            if column == "gold" or _is_text(first[column]):
                left, right = first[column][row], table[column][rows[example]]
                if not np.array_equal(left, right):
                    return False
    return True


def _is_text(values: np.ndarray) -> bool:
    return values.dtype == object and len(values) > 0 and isinstance(values[0], str)
