"""Models over several tasks: average rank, Borda points, and means per tag."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from harness.stats.closed_form import ranks
from harness.stats.proportions import Z_95

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from harness.results.leaderboard import Board
    from harness.results.significance import PairwiseStats

MOST_TAGS = 8
"""Of more tags than these, a table shows those with the most tasks."""


@dataclass(frozen=True, slots=True)
class TagMean:
    """Mean headline score over the tasks of a tag, which are as they are: only examples vary."""

    score: float
    half: float
    """Half the 95 % interval, 1.96 √(Σ SE²) / tasks, of tasks that share no examples; NaN where the
    predictions of a task say nothing of its error."""


@dataclass(frozen=True, slots=True)
class OverallRank:
    """One model over all tasks."""

    model: str
    average_rank: float | None
    """1 is best, ties share the average; None for a model that lacks a task."""
    borda: float | None
    """Models beaten, summed over tasks; a tie counts half."""
    lacks: dict[str, str] = field(default_factory=dict)
    """Task → why it has no score there that may be compared."""
    means: dict[str, TagMean] = field(default_factory=dict)
    """Tag → mean, for the tags on which it lacks nothing."""


@dataclass(frozen=True, slots=True)
class Overall:
    """Boards that may be taken together."""

    sample: bool
    limit: int | None
    tasks: list[str]
    """What is counted: the tasks that at least two models answered alike."""
    alone: list[str]
    """Tasks that fewer did: they compare nobody."""
    tags: list[str]
    """Those with the most tasks first."""
    placed: list[OverallRank]
    """Ranked models first, best average rank first; then those that lack a task."""


def overall(boards: Sequence[Board], standings: Mapping[int, PairwiseStats | str]) -> list[Overall]:
    """Rank models over tasks; samples, and limited looks, each apart from real and full sets.

    standings: place of a board → what is known of its scores' errors.
    Counted are all tasks that at least two models answered alike. Models that answered every one of them
    are ranked, among each other; the others are shown with what they lack, so that one hole in one model's
    results takes no task from all others. Fewer than two tasks or two models have no overall ranking.
    Sources: average rank: Demšar (2006), "Statistical comparisons of classifiers over multiple data sets".
    Borda's count: Borda (1781), "Mémoire sur les élections au scrutin"; for benchmarks Colombo et al. (2022),
    "What are the best systems? New perspectives on NLP benchmarking". Over n models and T tasks it is
    T (n − average rank).
    """
    together: dict[tuple[bool, int], list[int]] = {}
    for place, board in enumerate(boards):
        asked = board.rows[0].evaluation.examination
        together.setdefault((asked.data == "sample", asked.limit or 0), []).append(place)
    found = [
        _overall(sample, limit or None, [(boards[place], standings.get(place, "")) for place in places])
        for (sample, limit), places in sorted(together.items())
    ]
    return [one for one in found if len(one.tasks) > 1 and len(one.placed) > 1]


@dataclass(frozen=True, slots=True, eq=False)
class _TaskScores:
    """A board, as far as it counts."""

    name: str
    scores: dict[str, float]
    lacking: dict[str, str]
    """Model → why it has no score here, for those that were asked."""
    tags: frozenset[str]
    standings: PairwiseStats | str

    def error(self, model: str) -> float:
        """Standard error of a model's score; NaN where unknown."""
        if isinstance(self.standings, str):
            return math.nan
        return self.standings.standard_errors.get(model, math.nan)


def _overall(sample: bool, limit: int | None, boards: Sequence[tuple[Board, PairwiseStats | str]]) -> Overall:
    every = _task_scores(boards)
    tasks = [task for task in every if len(task.scores) > 1]
    models = sorted({model for board, _ in boards for model in _models(board)})
    complete = [model for model in models if all(model in task.scores for task in tasks)]
    rank, borda = _rank_models(tasks, complete)
    every_tag = {tag for task in tasks for tag in task.tags}
    tagged = {tag: [task for task in tasks if tag in task.tags] for tag in every_tag}
    tags = sorted(tagged, key=lambda tag: (-len(tagged[tag]), tag))
    placed = [
        OverallRank(
            model,
            rank.get(model),
            borda.get(model),
            {task.name: task.lacking.get(model, "not run") for task in tasks if model not in task.scores},
            _tag_means(model, tagged),
        )
        for model in models
    ]
    placed.sort(key=lambda one: (one.average_rank is None, one.average_rank or 0.0, one.model))
    alone = [task.name for task in every if task not in tasks]
    return Overall(sample, limit, [task.name for task in tasks], alone, tags, placed)


def _task_scores(boards: Sequence[tuple[Board, PairwiseStats | str]]) -> list[_TaskScores]:
    """Boards with their scores; where two sources hold a task of one name, the source is named too.

    Who failed before the data was known has a board of its own: it counts for the others of that task.
    """
    scores = [_headlines(board) for board, _ in boards]
    answered = [board.task for (board, _), own in zip(boards, scores, strict=True) if own]
    failed = [(board.task, row.model) for board, _ in boards for row in board.rows if row.headline is None]
    found = []
    for (board, known), own in zip(boards, scores, strict=True):
        if not own and board.task in answered:
            continue
        source = board.rows[0].evaluation.examination.data
        lacking = {model: "ERROR" for task, model in failed if task == board.task}
        lacking |= {row.model: "undefined" for row in board.rows if row.headline is not None}
        lacking |= dict.fromkeys((model for model, _ in board.refused), "asked something else")
        found.append(
            _TaskScores(
                f"{board.task} ({source})" if answered.count(board.task) > 1 else board.task,
                own,
                {model: why for model, why in lacking.items() if model not in own},
                frozenset(tag for row in board.rows for tag in row.evaluation.tags),
                known,
            )
        )
    return found


def _headlines(board: Board) -> dict[str, float]:
    return {
        row.model: row.headline.score
        for row in board.rows
        if row.headline is not None and row.headline.score is not None
    }


def _models(board: Board) -> list[str]:
    return [row.model for row in board.rows] + [model for model, _ in board.refused]


def _rank_models(
    tasks: Sequence[_TaskScores], models: Sequence[str]
) -> tuple[dict[str, float], dict[str, float]]:
    """Average rank, and Borda points, of models that answered all tasks."""
    if not tasks or len(models) < 2:
        return {}, {}
    by_task = np.array([ranks(-np.array([task.scores[model] for model in models])) for task in tasks])
    points = (len(models) - by_task).sum(axis=0)
    return (
        dict(zip(models, by_task.mean(axis=0).tolist(), strict=True)),
        dict(zip(models, points.tolist(), strict=True)),
    )


def _tag_means(model: str, tagged: Mapping[str, Sequence[_TaskScores]]) -> dict[str, TagMean]:
    """Mean headline of each tag of which the model lacks no task."""
    means = {}
    for tag, tasks in tagged.items():
        known = [task.scores[model] for task in tasks if model in task.scores]
        if len(known) == len(tasks):
            half = Z_95 * math.sqrt(sum(task.error(model) ** 2 for task in tasks)) / len(tasks)
            means[tag] = TagMean(sum(known) / len(known), half)
    return means
