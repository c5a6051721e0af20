"""The leaderboard's table: models × boards, with the headline score of each and its interval as a bar."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from harness_report.names import shown, task_names

if TYPE_CHECKING:
    from harness.authoring import ReportBoard, ReportContent, ReportRanked, ReportRanking, ReportRow

WIDTH = 96
"""Width of a bar, in the units of its picture."""


@dataclass(frozen=True, slots=True)
class Bar:
    """An interval and its score, in [0, `WIDTH`]."""

    low: float
    middle: float
    high: float


@dataclass(frozen=True, slots=True)
class Cell:
    """A model on a board."""

    row: ReportRow | None
    score: float | None
    bar: Bar | None
    best: bool
    why: str
    """Why there is no score; empty where there is one."""


@dataclass(frozen=True, slots=True)
class Column:
    """A board of the table."""

    board: ReportBoard
    name: str
    """Task, and what tells boards of one task apart."""
    low: float
    high: float
    """Ends of the scale of the bars."""
    elsewhere: frozenset[str]
    """Models that were asked this task otherwise."""


@dataclass(frozen=True, slots=True)
class Line:
    """A model of the table."""

    model: str
    short: str
    ranked: ReportRanked | None
    """Mean and ranks over the tasks of the table's ranking."""
    cells: tuple[Cell, ...]


@dataclass(frozen=True, slots=True)
class HeadlineTable:
    """The table."""

    columns: tuple[Column, ...]
    lines: tuple[Line, ...]
    ranking: ReportRanking | None
    """The one that the table shows."""
    otherwise: tuple[tuple[str, tuple[str, ...], str], ...]
    """(model, its tasks, what they cannot be compared with) of each that the ranking lacks for that."""


def headline_table(content: ReportContent) -> HeadlineTable:
    """Return the table: models in the order of the first ranking, else of the first board."""
    tasks = task_names(content.boards)
    columns = tuple(_column(board, tasks[board.id], content) for board in content.boards)
    names = _order(content)
    short = dict(zip(names, shown(names, 40), strict=True))
    ranking = content.rankings[0] if content.rankings else None
    ranked = {one.model: one for one in ranking.models} if ranking else {}
    lines = (
        Line(name, short[name], ranked.get(name), tuple(_cell(name, column) for column in columns))
        for name in names
    )
    return HeadlineTable(columns, tuple(lines), ranking, _otherwise(content))


def _otherwise(content: ReportContent) -> tuple[tuple[str, tuple[str, ...], str], ...]:
    """Return models whose data are all other than those of the first ranking."""
    if not content.rankings:
        return ()
    first = content.rankings[0]
    counted = {one.model for one in first.models}
    against = "all examples" if first.limit is None else f"limit {first.limit:,}"
    found = []
    for model in content.models:
        own = [board for board in content.boards if any(row.model == model.name for row in board.rows)]
        if own and model.name not in counted and not any(_in_ranking(board, first) for board in own):
            found.append((model.name, tuple(f"{board.task} ({board.origin})" for board in own), against))
    return tuple(found)


def _in_ranking(board: ReportBoard, ranking: ReportRanking) -> bool:
    sample = board.data == "sample"
    return board.task in ranking.tasks and board.limit == ranking.limit and sample == ranking.sample


def _order(content: ReportContent) -> list[str]:
    first = [one.model for one in content.rankings[0].models] if content.rankings else []
    first += [row.model for board in content.boards[:1] for row in board.rows]
    known = [model.name for model in content.models]
    return list(dict.fromkeys(name for name in (*first, *known) if name in known))


def _column(board: ReportBoard, name: str, content: ReportContent) -> Column:
    alike = [one for one in content.boards if one.task == board.task]
    heads = [row.scores[0] for row in board.rows if row.scores]
    ends = [end for head in heads for end in (head.low, head.score, head.high) if end is not None]
    low, high = (min(ends), max(ends)) if ends else (0.0, 1.0)
    elsewhere = {row.model for one in alike if one is not board for row in one.rows}
    elsewhere |= {one.model for one in board.apart}
    return Column(board, name, low, high if high > low else low + 1e-9, frozenset(elsewhere))


def _cell(model: str, column: Column) -> Cell:
    row = next((one for one in column.board.rows if one.model == model), None)
    if row is None:
        why = "not comparable" if model in column.elsewhere else "not run"
        return Cell(None, None, None, best=False, why=why)
    head = row.scores[0] if row.scores else None
    if row.status != "ok" or head is None or head.score is None:
        return Cell(row, None, None, best=False, why={"ok": "undefined"}.get(row.status, row.status))
    scores = [one.scores[0].score for one in column.board.rows if one.scores]
    best = head.score == max(score for score in scores if score is not None)
    low = head.score if head.low is None else head.low
    high = head.score if head.high is None else head.high
    places = [
        round((end - column.low) / (column.high - column.low) * WIDTH, 1) for end in (low, head.score, high)
    ]
    return Cell(row, head.score, Bar(*places), best=best, why="")
