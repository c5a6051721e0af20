"""Examples of a task with the answers of several models, for looking at what changed."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np

from harness.report.documents import Documents
from harness.report.numbers import has_lists, plain_cells, rounded_all, texts_of
from harness.report.rankings import full_ids, ranking_columns, relevant_ids

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from harness.comparison.quality import Quality
    from harness.report.board_answers import BoardAnswers
    from harness.report.quiet_names import QuietNames
    from harness.report.rankings import RankingColumns
    from harness.results.predictions import Table
    from harness.results.records import Evaluation

_SHOWN_DOCUMENTS = 10
"""Maximum number of documents of each model's ranking."""
_EXCERPT = 600
"""Maximum number of characters of a document."""
_WITHOUT_TEXTS = "texts are left out (--no-texts)"


@dataclass(frozen=True, slots=True, kw_only=True)
class RankedDocuments:
    """The first documents that a model found for each query."""

    ids: tuple[tuple[str, ...], ...]
    """(queries, at most 10), best first."""
    scores: tuple[tuple[float | None, ...], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelAnswers:
    """The answers of one model to the examples of a task, in their order."""

    model: str
    """Display name."""
    answers: tuple[str | float | None, ...] = ()
    """(examples,) what it said: a similarity, a class, a margin; empty where `documents` say it."""
    quality: tuple[float | None, ...]
    """(examples,) how good that is, higher is better: see `TaskExamples.quality`."""
    ranks: tuple[float | None, ...] = ()
    """(examples,) rank of each answer among all examples, 1 for the highest; empty unless quality is one of
    ranks."""
    documents: RankedDocuments | None = None
    """Of retrieval."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskExamples:
    """Examples of one board; columns of equal length."""

    board: str
    """`ReportBoard.id`."""
    ids: tuple[str, ...]
    left_out: int
    """Number of examples that are not here: the embedded ones are those that the models differ most on."""
    metric: str
    """The headline, which quality follows."""
    quality: str
    """What it is, in words: `1 where right, else 0`, `ndcg@10 of the query`; empty where nothing is known of
    single examples."""
    flips: bool
    """Whether quality is 0 or 1, so that an answer flips."""
    clusters: tuple[str, ...] = ()
    """(examples,); empty where each example is a unit of its own."""
    lengths: tuple[int, ...] = ()
    """(examples,) characters of the texts."""
    gold: tuple[str | float | None, ...] = ()
    """(examples,); empty for triplets."""
    gold_ranks: tuple[float | None, ...] = ()
    """(examples,) rank of gold among all examples, 1 for the highest; empty unless quality is of ranks."""
    answer_of: str = ""
    """What an answer is, in words, such as `similarity`; empty for rankings."""
    relevant: tuple[tuple[str, ...], ...] = ()
    """(queries,) ids of relevant documents, of retrieval."""
    texts: dict[str, tuple[str, ...]] = field(default_factory=dict)
    """Column → (examples,); empty with `--no-texts`."""
    documents: dict[str, str] = field(default_factory=dict)
    """Id → text, as far as its start, of the documents named here; empty where they are not at hand."""
    no_documents: str = ""
    """Why there are no texts of documents, in words; empty where there are, and for other tasks."""
    models: tuple[ModelAnswers, ...] = ()
    absent: dict[str, str] = field(default_factory=dict)
    """Display name of a model without answers here → why."""


def examples_of(
    answers: BoardAnswers,
    *,
    texts: bool,
    most: int,
    documents: Callable[[Evaluation], Documents] | None = None,
) -> TaskExamples:
    """Return the examples of a board that its models differ most on, with the answers of each.

    texts: whether to show texts; where any record of the board was made without them, there are none.
    most: maximum number of examples; more are counted in `left_out`. Those that are kept have the largest
    difference between two models' quality, or the least quality of a single model; ties by id. Their order is
    that of the predictions.
    documents: what reads the documents of a record, for rankings.
    """
    texts = texts and answers.has_texts
    kept = _most_different(answers, most)
    shown = _Shown(answers, kept, None if texts else answers.quiet_names())
    form, names = ranking_columns(answers.first), answers.text_columns() if texts else []
    lengths = answers.lengths()
    built = TaskExamples(
        board=answers.board,
        ids=shown.names("id"),
        left_out=len(answers.first["id"]) - len(kept),
        metric=answers.metric.name,
        quality=answers.quality_words(),
        flips=answers.flips,
        clusters=shown.clusters(),
        lengths=() if lengths is None else tuple(map(int, lengths[kept].tolist())),
        gold=shown.gold(),
        gold_ranks=shown.ranks(next(iter(answers.qualities.values())), 0),
        answer_of="" if form is not None else _answer_words(answers),
        texts={name: texts_of(answers.first[name][kept]) for name in names},
        models=tuple(shown.model(name, form) for name in answers.tables),
        absent=dict(answers.absent),
    )
    return built if form is None else shown.with_documents(built, form, documents, texts=texts)


def _most_different(answers: BoardAnswers, most: int) -> np.ndarray:
    """Return the rows to keep, ascending."""
    count = len(answers.first["id"])
    if count <= most:
        return np.arange(count)
    values = np.array([quality.values for quality in answers.qualities.values()])
    known = np.isfinite(values)
    highest = np.where(known, values, -np.inf).max(axis=0)
    lowest = np.where(known, values, np.inf).min(axis=0)
    spread = np.where(known.any(axis=0), highest - lowest if len(values) > 1 else -lowest, -np.inf)
    ids = answers.first["id"].astype(str)
    return np.sort(np.lexsort((ids, -spread))[:most])


class _Shown:
    """The rows of a board that are shown; names are covered where texts must not be."""

    def __init__(self, answers: BoardAnswers, kept: np.ndarray, quiet: QuietNames | None) -> None:
        self._answers, self._kept, self._quiet = answers, kept, quiet

    def names(self, column: str) -> tuple[str, ...]:
        values = texts_of(self._answers.first[column])
        values = values if self._quiet is None else tuple(self._quiet.of_rows(values))
        return tuple(values[row] for row in self._kept)

    def clusters(self) -> tuple[str, ...]:
        clusters = self._answers.first.get("cluster")
        if clusters is None or len(set(texts_of(clusters))) == len(clusters):
            return ()
        return self.names("cluster")

    def gold(self) -> tuple[str | float | None, ...]:
        gold = self._answers.first.get("gold")
        return () if gold is None or has_lists(gold) else self._words(plain_cells(gold[self._kept]))

    def model(self, name: str, form: RankingColumns | None) -> ModelAnswers:
        table, quality = self._answers.tables[name], self._answers.qualities[name]
        said = (
            () if form is not None else plain_cells(table[_answer_column(self._answers, table)][self._kept])
        )
        return ModelAnswers(
            model=name,
            answers=self._words(said),
            quality=rounded_all(quality.values[self._kept]),
            ranks=self.ranks(quality, 1),
            documents=None if form is None else self._ranked(table, form),
        )

    def ranks(self, quality: Quality, which: int) -> tuple[float | None, ...]:
        """Return the ranks of gold (0) or of the answers (1); empty where there are none."""
        return () if quality.ranks is None else rounded_all(quality.ranks[which][self._kept])

    def with_documents(
        self,
        built: TaskExamples,
        form: RankingColumns,
        documents: Callable[[Evaluation], Documents] | None,
        *,
        texts: bool,
    ) -> TaskExamples:
        """Return examples with their relevant documents, and with the texts of all documents in them."""
        table = self._answers.first
        all_relevant = relevant_ids(table, form)
        relevant = [full_ids(table, form, row, all_relevant[row]) for row in self._kept.tolist()]
        built = replace(built, relevant=tuple(self._documents(names) for names in relevant))
        if not texts:
            return replace(built, no_documents=_WITHOUT_TEXTS)
        evaluation = next(iter(self._answers.evaluations.values()))
        found = documents(evaluation) if documents else Documents(missing="the documents were not asked for")
        named = {name for names in built.relevant for name in names}
        for model in built.models:
            if model.documents is not None:
                named.update(name for names in model.documents.ids for name in names)
        excerpts = {name: _excerpt(found.texts[name]) for name in sorted(named & found.texts.keys())}
        return replace(built, documents=excerpts, no_documents=found.missing)

    def _ranked(self, table: Table, form: RankingColumns) -> RankedDocuments:
        rows = self._kept.tolist()
        first = [full_ids(table, form, row, table[form.ids][row][:_SHOWN_DOCUMENTS]) for row in rows]
        scores = [table[form.scores][row][:_SHOWN_DOCUMENTS] for row in rows]
        return RankedDocuments(
            ids=tuple(self._documents(names) for names in first),
            scores=tuple(map(rounded_all, scores)),
        )

    def _documents(self, names: Sequence[str]) -> tuple[str, ...]:
        return tuple(names) if self._quiet is None else tuple(map(self._quiet.name, names))

    def _words(self, cells: tuple[str | float | None, ...]) -> tuple[str | float | None, ...]:
        if self._quiet is None:
            return cells
        return tuple(self._quiet.word(cell) if isinstance(cell, str) else cell for cell in cells)


def _answer_column(answers: BoardAnswers, table: Table) -> str:
    """Return the name of the column that says what a model answered."""
    metric = answers.metric
    if len(metric.columns) == 2 and metric.columns[0] == "gold":
        return metric.columns[1]
    return next((name for name in ("predicted", "margin") if name in table), metric.columns[0])


def _answer_words(answers: BoardAnswers) -> str:
    """Return what an answer is; the name of its column where that is not known."""
    column = _answer_column(answers, answers.first)
    if answers.first[column].dtype.kind != "f":
        return "class" if column == "predicted" else column.replace("_", " ")
    known = {
        "predicted": "similarity",
        "margin": "margin: similarity of the positive − similarity of the negative",
    }
    return known.get(column, column.replace("_", " "))


def _excerpt(text: str) -> str:
    return text if len(text) <= _EXCERPT else text[:_EXCERPT].rstrip() + "…"
