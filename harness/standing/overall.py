"""Models over several tasks: average rank, Borda points, and means per tag."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from harness.paired.sums import ranks

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from harness.leaderboard import Board
    from harness.standing.pairwise import Standings

_Z = 1.959963984540054


@dataclass(frozen=True, slots=True)
class TagMean:
    """Mean headline score over the tasks of a tag, which are as they are: only examples vary."""

    score: float
    half: float
    """Half the 95 % interval; NaN where a task has no predictions."""


@dataclass(frozen=True, slots=True)
class Placed:
    """One model over all tasks."""

    model: str
    average_rank: float | None
    """1 is best, ties share the average; None for a model that lacks a task."""
    borda: float | None
    """Models beaten, summed over tasks; a tie counts half."""
    lacks: list[str] = field(default_factory=list)
    """Tasks that it was not asked alike, or failed."""
    means: dict[str, TagMean] = field(default_factory=dict)
    """Tag → mean, for the tags on which it lacks nothing."""


@dataclass(frozen=True, slots=True)
class Overall:
    """The boards of one source of data, taken together."""

    data: str
    limit: int | None
    tasks: list[str]
    tags: list[str]
    placed: list[Placed]
    """Ranked models first, best average rank first; then those that lack a task."""


def overall(boards: Sequence[Board], standings: Mapping[int, Standings | str]) -> list[Overall]:
    """Rank models over the tasks of each source of data: a sample never counts beside a real set.

    standings: place of a board → what is known of its scores' errors.
    Only models that answered all tasks alike are ranked, among each other; the others are shown with what
    they lack. Average rank as in Demšar (2006), "Statistical comparisons of classifiers over multiple data
    sets"; Borda's count as in Colombo et al. (2022), "What are the best systems? New perspectives on
    NLP benchmarking". Sources with fewer than two tasks or two complete models are left out.
    """
    sources: dict[tuple[str, int | None], list[int]] = {}
    for place, board in enumerate(boards):
        asked = board.rows[0].evaluation.examination if board.rows else None
        if asked is not None:
            sources.setdefault((asked.data, asked.limit), []).append(place)
    found = [
        _overall(data, limit, [(boards[place], standings.get(place, "")) for place in places])
        for (data, limit), places in sorted(sources.items(), key=repr)
    ]
    return [
        one
        for one in found
        if len(one.tasks) > 1 and sum(model.average_rank is not None for model in one.placed) > 1
    ]


def _overall(data: str, limit: int | None, boards: Sequence[tuple[Board, Standings | str]]) -> Overall:
    scores = {board.task: _headlines(board) for board, _ in boards}
    models = sorted({row.model for board, _ in boards for row in board.rows} | _refused(boards))
    lacks = {model: [task for task, own in scores.items() if model not in own] for model in models}
    complete = [model for model in models if not lacks[model]]
    table = np.array([[own[model] for model in complete] for own in scores.values()])
    by_task = np.array([ranks(-row) for row in table]) if complete else np.zeros((0, 0))
    tags = sorted({tag for board, _ in boards for row in board.rows for tag in row.evaluation.tags})
    tagged = {tag: [one for one in boards if _has_tag(one[0], tag)] for tag in tags}
    placed = [
        Placed(
            model,
            float(by_task[:, complete.index(model)].mean()) if model in complete else None,
            float((len(complete) - by_task[:, complete.index(model)]).sum()) if model in complete else None,
            lacks[model],
            _means(model, tagged, scores),
        )
        for model in models
    ]
    placed.sort(key=lambda one: (one.average_rank is None, one.average_rank or 0.0, one.model))
    return Overall(data, limit, list(scores), tags, placed)


def _headlines(board: Board) -> dict[str, float]:
    return {
        row.model: row.headline.score
        for row in board.rows
        if row.headline is not None and row.headline.score is not None
    }


def _refused(boards: Sequence[tuple[Board, Standings | str]]) -> set[str]:
    return {model for board, _ in boards for model, _ in board.refused}


def _has_tag(board: Board, tag: str) -> bool:
    return any(tag in row.evaluation.tags for row in board.rows)


def _means(
    model: str,
    tagged: Mapping[str, Sequence[tuple[Board, Standings | str]]],
    scores: Mapping[str, Mapping[str, float]],
) -> dict[str, TagMean]:
    """Mean headline of each tag of which the model lacks no task."""
    means = {}
    for tag, own in tagged.items():
        known = [scores[board.task][model] for board, _ in own if model in scores[board.task]]
        if len(known) == len(own):
            errors = [_error(model, found) for _, found in own]
            half = _Z * math.sqrt(sum(error**2 for error in errors)) / len(own)
            means[tag] = TagMean(sum(known) / len(known), half)
    return means


def _error(model: str, found: Standings | str) -> float:
    return math.nan if isinstance(found, str) else found.standard_errors.get(model, math.nan)
