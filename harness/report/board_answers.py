"""The predictions of all models of a board, aligned by example."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from harness.comparison.quality import Quality, quality_of, what_moves
from harness.comparison.slices import text_columns
from harness.errors import HarnessError
from harness.metrics.interface import Metric
from harness.report.quiet_names import QuietNames
from harness.report.rankings import ranking_columns
from harness.results.prediction_files import column_names, read_table
from harness.results.predictions import align_tables, metric_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from harness.results.prediction_files import TaskResult
    from harness.results.predictions import Table
    from harness.results.records import Evaluation, Score
    from harness.tasks.interface import Task

_NOT_SHOWN = frozenset({"relevant", "tied_beyond", "gold_beyond", "truncated"})
"""Columns that no example and no distribution shows; those of whole rankings take long to read."""


@dataclass(frozen=True, eq=False, kw_only=True)
class BoardAnswers:
    """Answers of several models to the same examples, in the same order."""

    board: str
    """`ReportBoard.id`."""
    metric: Metric
    """The headline."""
    evaluations: dict[str, Evaluation]
    """Display name → record, of the models whose answers are here."""
    tables: dict[str, Table]
    """Display name → columns, (n,) each."""
    qualities: dict[str, Quality]
    """Display name → how good each answer is."""
    absent: dict[str, str] = field(default_factory=dict)
    """Display name → why the model's answers are not here."""

    @property
    def first(self) -> Table:
        """Columns of the first model: ids, texts and gold are the same for all."""
        return next(iter(self.tables.values()))

    @property
    def has_texts(self) -> bool:
        """Whether texts were kept out of no record."""
        return not any(evaluation.no_texts for evaluation in self.evaluations.values())

    def text_columns(self) -> list[str]:
        """Return the names of columns with texts, which are the same for all models that have them."""
        scores = [score for evaluation in self.evaluations.values() for score in evaluation.scores]
        of_metrics = {name for score in scores for name in score.columns}
        names = [set(text_columns(self.first, table)) for table in self.tables.values()]
        return [name for name in self.first if name not in of_metrics and all(name in own for own in names)]

    def quiet_names(self) -> QuietNames:
        """Return what covers names and classes that are texts of these examples."""
        return QuietNames([self.first[name].tolist() for name in self.text_columns()])

    @property
    def flips(self) -> bool:
        """Whether each answer of each model is right or wrong."""
        return self._known and what_moves(*self.qualities.values()) == "answers"

    def quality_words(self) -> str:
        """Say what quality is; empty where nothing is known of single examples."""
        if not self._known:
            return ""
        what = what_moves(*self.qualities.values())
        if what == "answers":
            return "1 where right, else 0"
        if what == "pairs":
            return "nearness to gold's rank among all examples: 0 at the same rank, −1 at the other end"
        return f"{self.metric.name} of the {'query' if ranking_columns(self.first) else 'example'}"

    @property
    def _known(self) -> bool:
        return any(quality.known for quality in self.qualities.values())

    def lengths(self) -> np.ndarray | None:
        """Return the characters of the texts of each example: (n,); None where unknown."""
        measured = self.first.get("text_length")
        if measured is not None and measured.dtype.kind in "iuf":
            return measured.astype(float)
        texts = self.text_columns()
        counts = np.array([[len(text) for text in self.first[name]] for name in texts], dtype=float)
        return np.asarray(counts.sum(axis=0)) if texts else None


def read_answers(
    board: str, results: Mapping[str, TaskResult], tasks: Mapping[str, Task]
) -> BoardAnswers | None:
    """Read the predictions of the models of a board; None where no model has any.

    results: display name → result; ids, texts and gold are those of the first that can be read. A model whose
    predictions are missing, cannot be read or are of other examples is absent, with the reason.
    """
    tables: dict[str, Table] = {}
    absent: dict[str, str] = {}
    for name, result in results.items():
        try:
            tables[name] = _align(tables, name, _read(result))
        except HarnessError as error:
            absent[name] = error.message
    if not tables:
        return None
    evaluations = {name: results[name].evaluation for name in tables}
    evaluation = next(iter(evaluations.values()))
    metric = _metric(evaluation.scores[0], evaluation.examination.task, tasks)
    qualities = {name: _quality(metric, table) for name, table in tables.items()}
    return BoardAnswers(
        board=board,
        metric=metric,
        evaluations=evaluations,
        tables=tables,
        qualities=qualities,
        absent=absent,
    )


def _read(result: TaskResult) -> Table:
    if result.evaluation.status != "ok":
        raise HarnessError(f"no answers: {result.evaluation.error}")
    needed = {name for score in result.evaluation.scores[:1] for name in (*score.columns, score.where)}
    return read_table(
        result, [name for name in column_names(result) if name in needed or name not in _NOT_SHOWN]
    )


def _align(tables: Mapping[str, Table], name: str, table: Table) -> Table:
    """Return a table in the order of the first; raises HarnessError where it has other examples."""
    if not tables:
        return table
    first = next(iter(tables))
    return align_tables([tables[first], table], [first, name], common=False)[0][1]


def _metric(score: Score, task: str, tasks: Mapping[str, Task]) -> Metric:
    """Return the metric of a score; one that cannot compute, but has its columns, where no plugin has it."""
    try:
        return metric_of(score, task, tasks)
    except HarnessError:
        return Metric(score.metric, _unknown, score.columns, score.where, score.per_example)


def _unknown(*columns: Sequence[float]) -> float:  # noqa: ARG001 - the columns of any metric
    return float("nan")


def _quality(metric: Metric, table: Table) -> Quality:
    if {*metric.columns, *([metric.where] if metric.where else [])} <= table.keys():
        return quality_of(metric, table)
    nothing = np.full(len(table["id"]), np.nan)
    return Quality("answers", nothing, nothing)
