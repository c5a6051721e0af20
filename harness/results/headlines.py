"""The table of many models: one row for each, and the headline score of every task."""

from __future__ import annotations

from statistics import fmean
from typing import TYPE_CHECKING

from harness.render import MISSING, named, plural
from harness.results.tables import (
    DETAILS,
    SIDE_BY_SIDE,
    findings_of,
    kept_from_ranking,
    score_cell,
    with_letter,
)
from harness.table import Cell, Table

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from harness.results.leaderboard import Board, Row


def models_of(boards: Sequence[Board]) -> list[str]:
    """Return the models on boards, best average rank first; on a board that lacks one, it is last."""
    places = [{row.model: place for place, row in enumerate(board.rows) if row.headline} for board in boards]
    models = {row.model for board in boards for row in board.rows}
    models |= {model for board in boards for model, _ in board.refused}
    last = len(models)
    average = {model: fmean(place.get(model, last) for place in places) for model in models}
    return sorted(models, key=lambda model: (average[model], model))


def shows_headlines_alone(boards: Sequence[Board], *, details: bool) -> bool:
    """Whether models are so many that their headline scores are shown, in one table."""
    return not details and len(models_of(boards)) > SIDE_BY_SIDE


def headline_table(
    boards: Sequence[Board],
    letters: Mapping[int, Mapping[str, str]] | None = None,
    remarks: Sequence[str] = (),
) -> Table:
    """Return the table of headline scores, with their intervals: models by tasks.

    letters: position of a board → model → significance letters. remarks: on the letters.
    """
    letters = letters or {}
    models = models_of(boards)
    tasks, metrics = _tasks(boards), [board.metrics[0] if board.metrics else "" for board in boards]
    cells = [
        [_cell(board, model, letters.get(position, {})) for model in models]
        for position, board in enumerate(boards)
    ]
    title, subtitle = "headline scores", _subtitle(boards, models)
    notes = [*_failures(boards), *_refused(boards), *_findings(boards), *remarks]
    further = sum(max(len(board.metrics) - 1, 0) for board in boards)
    if further:
        notes.append(f"{plural(further, 'further metric')} and the data of each task: {DETAILS}")
    by_task = Table(
        title,
        subtitle,
        ["task", "metric", *models],
        [[Cell(task), Cell(metric), *row] for task, metric, row in zip(tasks, metrics, cells, strict=True)],
        notes,
        names=frozenset(models),
    )
    return Table(
        title,
        subtitle,
        ["model", *tasks],
        [[Cell(model), *row] for model, row in zip(models, zip(*cells, strict=True), strict=True)],
        notes,
        units=["", *metrics],
        names=frozenset(models),
        turned=by_task,
    )


def _cell(board: Board, model: str, letters: Mapping[str, str]) -> Cell:
    row = next((row for row in board.rows if row.model == model), None)
    if row is None:
        refused = any(model == other for other, _ in board.refused)
        return Cell("not ranked" if refused else MISSING)
    if not board.metrics:
        return Cell("ERROR")
    return with_letter(score_cell(board, row, board.metrics[0], interval=True), letters.get(model))


def _tasks(boards: Sequence[Board]) -> list[str]:
    """Return the names of the tasks; where several boards have one, with its data and limit."""
    names = [board.task for board in boards]
    labels = []
    for board in boards:
        asked = board.rows[0].evaluation.examination
        limit = [] if asked.limit is None else [f"limit {asked.limit}"]
        source = f" ({', '.join([asked.data, *limit])})" if names.count(board.task) > 1 else ""
        labels.append(f"{board.task}{source}")
    return labels


def _subtitle(boards: Sequence[Board], models: Sequence[str]) -> str:
    asked = [board.rows[0].evaluation.examination for board in boards]
    parts = [f"{plural(len(models), 'model')}, best average rank first", "intervals of 95 %"]
    samples = sum(one.data == "sample" for one in asked)
    if samples:
        which = "" if samples == len(asked) else f" of {plural(samples, 'task')}"
        parts.append(f"samples{which}: illustrative, not the real datasets")
    limits = sorted({one.limit for one in asked if one.limit is not None})
    if limits:
        shown = ", ".join(map(str, limits))
        parts.append(f"LIMITED to samples of whole clusters (limit {shown})")
    return " · ".join(parts)


def _failures(boards: Sequence[Board]) -> Iterator[str]:
    """Yield what failed or is broken, and why; results that failed for the same reason share a remark."""
    by_reason: dict[tuple[str, str], list[str]] = {}
    for board, row in _rows(boards):
        if row.evaluation.error:
            kind = "BROKEN, not ranked" if row.evaluation.status == "broken" else "ERROR"
            reason = (row.evaluation.error.splitlines() or ["?"])[0]
            by_reason.setdefault((kind, reason), []).append(f"{row.model} on {board.task}")
    yield from (f"{kind}: {named(results)}: {reason}" for (kind, reason), results in by_reason.items())


def _refused(boards: Sequence[Board]) -> Iterator[str]:
    """Yield which models are not ranked, and why."""
    by_reason: dict[tuple[str, str], list[str]] = {}
    for board in boards:
        for model, differences in board.refused:
            by_reason.setdefault((model, "; ".join(differences)), []).append(board.task)
    for (model, why), tasks in by_reason.items():
        yield f"{kept_from_ranking(model, f' on {named(tasks)}')}: {why}"


def _findings(boards: Sequence[Board]) -> Iterator[str]:
    """Yield the findings; of one that several results have, where it was found, without evidence."""
    by_code: dict[str, list[tuple[str, str]]] = {}
    for board, row in _rows(boards):
        for finding in findings_of(row.evaluation):
            code = f"{finding.code} ({finding.severity})"
            by_code.setdefault(code, []).append((f"{row.model} on {board.task}", finding.evidence))
    for code, found in by_code.items():
        where = named(list(dict.fromkeys(result for result, _ in found)))
        evidence = found[0][1] if len(found) == 1 else f"{DETAILS} shows what was found"
        yield f"{code}: {where}: {evidence}"


def _rows(boards: Sequence[Board]) -> Iterator[tuple[Board, Row]]:
    yield from ((board, row) for board in boards for row in board.rows)
