"""Leaderboards: one row per score, and boards of the models that are comparable."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any, Literal

import msgspec

from harness.errors import HarnessError
from harness.models.locate import display_names
from harness.models.storage import embedding_bytes
from harness.render import text_of
from harness.results.records import Evaluation, Score, check_ends

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class LeaderboardRow:
    """A row of `leaderboard.csv`: a model's score by one metric of one task. Empty cells are None."""

    model: str
    """`NAME`, or `NAME~fp8` where several models of this leaderboard share the name."""
    task: str
    metric: str
    headline: bool
    score: float | None
    low: float | None
    high: float | None
    """Ends of the 95 % interval."""
    examples: int
    clusters: int
    status: Literal["ok", "error", "broken"]
    data: str
    """`sample` (illustrative), `files` (--data DIR), `hub` or `own` (a task file, mteb)."""
    split: str
    limit: int | None
    digest: str
    task_version: int
    task_source: str
    fingerprint: str
    parameters: int | None
    dimensions: int | None
    max_tokens: int | None
    size_bytes: int | None
    similarity: str | None
    device: str | None
    dtype: str
    truncate_dim: int | None
    normalize: bool
    precision: str
    embedding_bytes: int | None
    """Bytes of a stored embedding: dimensions × bytes of its precision."""
    max_seq_length: int | None
    prompts: str | None
    """JSON of the prompts that the user set."""
    trust_remote_code: bool
    backend: str | None
    deviation: float | None
    """Largest 1 − cosine by which a lower dtype moves embeddings from float32, on the fixed workload."""
    quantization: float | None
    """The same of a lower precision in which they are stored."""
    truncated_texts: float | None
    lost_tokens: float | None
    """Shares, in [0, 1], of texts cut and of tokens not read."""
    predictions: str | None
    findings: str | None
    """Codes of findings, separated by spaces."""
    libraries: str
    error: str | None

    def __post_init__(self) -> None:
        check_ends(self.low, self.high)


@dataclass(frozen=True, slots=True)
class Row:
    """A model on a board."""

    model: str
    evaluation: Evaluation
    order: int
    """Position among the models as they were given: the order of columns."""

    @property
    def headline(self) -> Score | None:
        """The score that the model is ranked by; None for an ERROR, and for a broken record."""
        return self.evaluation.scores[0] if self.evaluation.status == "ok" else None


@dataclass(frozen=True, slots=True)
class Board:
    """The models that were asked the same on a task, best first."""

    task: str
    rows: list[Row]
    refused: list[tuple[str, list[str]]]
    """Models that were asked something else, which are not ranked, and what differs."""

    @property
    def metrics(self) -> list[str]:
        """Names of all metrics, the headline first."""
        return list(dict.fromkeys(score.metric for row in self.rows for score in row.evaluation.scores))

    def best(self, metric: str) -> float | None:
        """Return the highest score by a metric; None where all are undefined."""
        scores = [
            score for row in self.rows if (score := self.score(row, metric)) and score.score is not None
        ]
        return max((score.score for score in scores if score.score is not None), default=None)

    @staticmethod
    def score(row: Row, metric: str) -> Score | None:
        """Return a model's score by a metric; None where it has none."""
        return next((score for score in row.evaluation.scores if score.metric == metric), None)


def leaderboard_rows(evaluations: Sequence[Evaluation]) -> list[LeaderboardRow]:
    """Return a row for each score, sorted by task, metric (the headline first) and model."""
    names = display_names(sorted(evaluation.model for evaluation in evaluations))
    ordered = sorted(evaluations, key=lambda one: (one.examination.task, names[one.model], one.key))
    rows = [
        _leaderboard_row(evaluation, score, names[evaluation.model], position)
        for evaluation in ordered
        for position, score in enumerate(evaluation.scores or (Score(metric="none", score=None),))
    ]
    first = {(row.task, row.metric): position for position, row in reversed(list(enumerate(rows)))}
    return sorted(rows, key=lambda row: (row.task, first[row.task, row.metric], row.model))


def boards(evaluations: Sequence[Evaluation]) -> list[Board]:
    """Return one board per task, source of data (sample, files, own) and limit.

    Of models on a board that were asked different things, the largest group is ranked; of groups of the same
    size, the one whose digest sorts first, so that boards depend on the records alone.
    """
    names = display_names(sorted(evaluation.model for evaluation in evaluations))
    order = list(dict.fromkeys(evaluation.model for evaluation in evaluations))
    rows: dict[tuple[str, str, int], list[Row]] = {}
    for evaluation in evaluations:
        model, examination = evaluation.model, evaluation.examination
        key = examination.task, examination.data, examination.limit or 0
        rows.setdefault(key, []).append(Row(names[model], evaluation, order.index(model)))
    return [_board(key[0], rows[key]) for key in sorted(rows)]


def read_leaderboard(path: Path) -> list[LeaderboardRow]:
    """Read a `leaderboard.csv`.

    Raises HarnessError for a file that is missing, lacks a column, or has a row with a cell of the wrong type
    or with only one end of an interval.
    """
    from harness.tasks.readers import read_records

    rows = read_records(path)
    missing = [column.name for column in fields(LeaderboardRow) if rows and column.name not in rows[0]]
    if missing:
        raise HarnessError(f"{path} is not a leaderboard: it has no column {', '.join(missing)}")
    return [
        _parse_row(row, f"{path} is not a leaderboard: row {number}") for number, row in enumerate(rows, 1)
    ]


def _parse_row(row: dict[str, Any], where: str) -> LeaderboardRow:
    cells = {name: _parse_cell(name, cell) for name, cell in row.items()}
    try:
        return msgspec.convert(cells, LeaderboardRow, strict=False)
    except msgspec.ValidationError as error:
        raise HarnessError(f"{where}: {error}") from error


def _leaderboard_row(evaluation: Evaluation, score: Score, model: str, position: int) -> LeaderboardRow:
    examination, candidate = evaluation.examination, evaluation.candidate
    facts, settings, cut = candidate.facts, candidate.settings, evaluation.truncation
    return LeaderboardRow(
        model=model,
        task=examination.task,
        metric=score.metric,
        headline=position == 0,
        score=score.score,
        low=score.low,
        high=score.high,
        examples=score.examples,
        clusters=score.clusters,
        status=evaluation.status,
        data=examination.data,
        split=examination.split,
        limit=examination.limit,
        digest=examination.digest,
        task_version=examination.version,
        task_source=examination.source,
        fingerprint=candidate.fingerprint,
        parameters=facts.parameters if facts else None,
        dimensions=facts.dimensions if facts else None,
        max_tokens=facts.max_tokens if facts else None,
        size_bytes=facts.size_bytes if facts else None,
        similarity=facts.similarity if facts else None,
        device=facts.device if facts else None,
        dtype=settings.dtype,
        truncate_dim=settings.truncate_dim,
        normalize=settings.normalize,
        precision=settings.precision,
        embedding_bytes=embedding_bytes(facts.dimensions, settings.precision) if facts else None,
        max_seq_length=settings.max_seq_length,
        prompts=json.dumps(dict(settings.prompts), ensure_ascii=False) if settings.prompts else None,
        trust_remote_code=settings.trust_remote_code,
        backend=facts.backend if facts else None,
        deviation=facts.deviation.largest if facts and facts.deviation else None,
        quantization=facts.quantization.largest if facts and facts.quantization else None,
        truncated_texts=cut.truncated_share if cut else None,
        lost_tokens=cut.lost_share if cut else None,
        predictions=evaluation.predictions,
        findings=" ".join(finding.code for finding in evaluation.all_findings) or None,
        libraries=versions_text(evaluation.libraries),
        error=evaluation.error.splitlines()[0] if evaluation.error else None,
    )


def _board(task: str, rows: Sequence[Row]) -> Board:
    asked = Counter(row.evaluation.examination for row in rows if row.headline)
    most = min(asked, key=lambda key: (-asked[key], key.digest, repr(key)), default=None)
    ranked = [row for row in rows if row.headline is None or row.evaluation.examination == most]
    refused = [
        (row.model, most.differences(row.evaluation.examination))
        for row in rows
        if row not in ranked and most is not None
    ]
    return Board(task, sorted(ranked, key=_rank_key), refused)


def _rank_key(row: Row) -> tuple[float, str, str]:
    score = row.headline.score if row.headline else None
    return (-score if score is not None else float("inf"), row.model, row.evaluation.key)


def versions_text(versions: dict[str, str]) -> str:
    """Write versions in one cell: `numpy=2.3.1 torch=2.8.0`."""
    return " ".join(f"{name}={version}" for name, version in sorted(versions.items()))


_TEXTS = {column.name for column in fields(LeaderboardRow) if column.type == "str"}


def _parse_cell(name: str, cell: Any) -> Any:  # noqa: ANN401 - a CSV's cells are texts, another file's are not
    """Undo `cell_text`; an empty cell is None, or "" in a column of texts."""
    if not isinstance(cell, str):
        return cell
    return text_of(cell) or ("" if name in _TEXTS else None)
