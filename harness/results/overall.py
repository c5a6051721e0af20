"""Overall ranking of models over tasks: average rank, Borda points, and means per tag."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from harness.results.pair_gains import MeanGains
from harness.results.significance import Claims, PairwiseStats
from harness.stats.curve import Interval
from harness.stats.pairwise import Parts, pairwise_p
from harness.stats.ranks import ranks
from harness.stats.several_tasks import mean_interval, shared_doubts

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from harness.results.leaderboard import Board
    from harness.results.records import Score
    from harness.stats.rank_doubt import RankInterval

MOST_TAGS = 8
"""Maximum number of tags in a table: those with the most tasks."""


@dataclass(frozen=True, slots=True)
class TasksMean:
    """Mean headline score over tasks, such as those of a tag. Tasks are fixed: only examples are random."""

    score: float
    low: float
    high: float
    """Ends of the 95 % interval, from those of the tasks' own; NaN where a task has none."""


@dataclass(frozen=True, slots=True)
class OverallRank:
    """One model over all tasks."""

    model: str
    average_rank: float | None
    """1 is best, ties share the average; None for a model that lacks a task."""
    borda: float | None
    """Models beaten, summed over tasks; a tie counts half."""
    missing: dict[str, str] = field(default_factory=dict)
    """Task → why the model has no comparable score on it."""
    means: dict[str, TasksMean] = field(default_factory=dict)
    """Tag → mean, for tags of which the model lacks no task."""
    mean: TasksMean | None = None
    """Mean headline score over all tasks; None for a model that lacks one."""
    ranks: RankInterval | None = None
    """Interval of its rank by that mean; None where a task cannot be tested, or a model is not ranked."""
    best: float | None = None
    """Share of redrawn test sets on which it has the highest mean."""


@dataclass(frozen=True, slots=True)
class OverallRanking:
    """Overall ranking over boards of the same kind: sample or real data, with the same limit."""

    sample: bool
    limit: int | None
    tasks: list[str]
    """Tasks that count: those with comparable scores of at least two models."""
    not_counted: list[str]
    """Tasks with comparable scores of fewer models."""
    tags: list[str]
    """Tags, the one with the most tasks first."""
    models: list[OverallRank]
    """Ranked models, best average rank first; then those that lack a task."""


def overall(boards: Sequence[Board], pairwise: Mapping[int, PairwiseStats | str]) -> list[OverallRanking]:
    """Rank models over tasks; samples and limited runs are apart from real and full data.

    pairwise: position of a board → its pairwise statistics, or why there are none.
    Tasks with comparable scores of at least two models count. Models with scores on all of these are ranked;
    the others are listed with what they lack, so that a missing result of one model removes no task for the
    others. Fewer than two tasks or two models have no overall ranking.
    Sources: average rank: Demšar (2006), "Statistical comparisons of classifiers over multiple data sets".
    Borda's count: Borda (1781), "Mémoire sur les élections au scrutin"; for benchmarks Colombo et al. (2022),
    "What are the best systems? New perspectives on NLP benchmarking". Over n models and T tasks it is
    T (n − average rank).
    """
    together: dict[tuple[bool, int], list[tuple[Board, PairwiseStats | str]]] = {}
    for position, board in enumerate(boards):
        examination = board.rows[0].evaluation.examination
        kind = examination.data == "sample", examination.limit or 0
        together.setdefault(kind, []).append((board, pairwise.get(position, "")))
    rankings = [_overall(*kind, together[kind]) for kind in sorted(together)]
    return [ranking for ranking in rankings if len(ranking.tasks) > 1 and len(ranking.models) > 1]


def common_means(
    boards: Sequence[Board], pairwise: Mapping[int, PairwiseStats | str]
) -> tuple[list[str], dict[str, TasksMean]]:
    """Return the tasks on which all models have a comparable score, and each model's mean over these.

    Samples and limited runs count like any task: the mean is that of `harness compare`'s quality and speed.
    """
    known = [(board, pairwise.get(position, "")) for position, board in enumerate(boards)]
    tasks = _task_scores(known)
    models = sorted({model for board in boards for model in _models(board)})
    shared = [task for task in tasks if all(model in task.scores for model in models)]
    return [task.name for task in shared], _means(shared, models) if shared else {}


@dataclass(frozen=True, slots=True, eq=False)
class _TaskScores:
    """Headline scores of a board."""

    name: str
    scores: dict[str, float]
    """Model → headline score."""
    intervals: dict[str, Interval]
    """Model → its interval; NaN where there is none."""
    missing: dict[str, str]
    """Model → why it has no score, for models that were run."""
    tags: frozenset[str]
    pairwise: PairwiseStats | str


def _overall(sample: bool, limit: int, boards: Sequence[tuple[Board, PairwiseStats | str]]) -> OverallRanking:
    every = _task_scores(boards)
    tasks = [task for task in every if len(task.scores) > 1]
    models = sorted({model for board, _ in boards for model in _models(board)})
    complete = [model for model in models if all(model in task.scores for task in tasks)]
    rank, borda = _rank_models(tasks, complete)
    claims = _claims(tasks, complete)
    every_tag = {tag for task in tasks for tag in task.tags}
    tagged = {tag: [task for task in tasks if tag in task.tags] for tag in every_tag}
    tags = sorted(tagged, key=lambda tag: (-len(tagged[tag]), tag))
    tag_means = {tag: _means(own, models) for tag, own in tagged.items()}
    means = _means(tasks, complete) if tasks else {}
    ranked = [
        OverallRank(
            model,
            rank.get(model),
            borda.get(model),
            {task.name: task.missing.get(model, "not run") for task in tasks if model not in task.scores},
            {tag: own[model] for tag, own in tag_means.items() if model in own},
            means.get(model),
            claims.ranks.get(model) if claims else None,
            claims.best.get(model) if claims else None,
        )
        for model in models
    ]
    ranked.sort(key=lambda row: (row.average_rank is None, row.average_rank or 0.0, row.model))
    not_counted = [task.name for task in every if task not in tasks]
    return OverallRanking(sample, limit or None, [task.name for task in tasks], not_counted, tags, ranked)


def _task_scores(boards: Sequence[tuple[Board, PairwiseStats | str]]) -> list[_TaskScores]:
    """Return the scores of each board; where two sources have a task of one name, the source is named too.

    A model that failed before its data was known is on a board of its own: its ERROR counts for the other
    boards of the task.
    """
    scores = [_headlines(board) for board, _ in boards]
    answered = [board.task for (board, _), own in zip(boards, scores, strict=True) if own]
    failed = [(board.task, row.model) for board, _ in boards for row in board.rows if row.headline is None]
    tasks = []
    for (board, pairwise), own in zip(boards, scores, strict=True):
        if not own and board.task in answered:
            continue
        source = board.rows[0].evaluation.examination.data
        missing = {model: "ERROR" for task, model in failed if task == board.task}
        missing |= {row.model: "undefined" for row in board.rows if row.headline is not None}
        missing |= dict.fromkeys((model for model, _ in board.refused), "asked something else")
        tasks.append(
            _TaskScores(
                f"{board.task} ({source})" if answered.count(board.task) > 1 else board.task,
                {model: value for model, (value, _) in own.items()},
                {model: interval for model, (_, interval) in own.items()},
                {model: why for model, why in missing.items() if model not in own},
                frozenset(tag for row in board.rows for tag in row.evaluation.tags),
                pairwise,
            )
        )
    return tasks


def _headlines(board: Board) -> dict[str, tuple[float, Interval]]:
    return {
        row.model: (row.headline.score, _ends(row.headline))
        for row in board.rows
        if row.headline is not None and row.headline.score is not None
    }


def _ends(score: Score) -> Interval:
    if score.low is None or score.high is None:
        return Interval(math.nan, math.nan)
    return Interval(score.low, score.high)


def _models(board: Board) -> list[str]:
    return [row.model for row in board.rows] + [model for model, _ in board.refused]


def _rank_models(
    tasks: Sequence[_TaskScores], models: Sequence[str]
) -> tuple[dict[str, float], dict[str, float]]:
    """Return average rank and Borda points of models with scores on all tasks: model → value."""
    if not tasks or len(models) < 2:
        return {}, {}
    by_task = np.array([ranks(-np.array([task.scores[model] for model in models])) for task in tasks])
    points = (len(models) - by_task).sum(axis=0)
    return (
        dict(zip(models, by_task.mean(axis=0).tolist(), strict=True)),
        dict(zip(models, points.tolist(), strict=True)),
    )


def _claims(tasks: Sequence[_TaskScores], models: Sequence[str]) -> Claims | None:
    """Test all pairs of models by the mean score over tasks, whose examples are independent of each other.

    None for fewer than two models, and where a task lacks the predictions of one.
    """
    tested = [task.pairwise for task in tasks if not isinstance(task.pairwise, str)]
    if len(models) < 2 or not tested or len(tested) < len(tasks):
        return None
    if any(model not in stats.models for stats in tested for model in models):
        return None
    rows = [[stats.models.index(model) for model in models] for stats in tested]
    columns = list(zip(tested, rows, strict=True))
    mean = PairwiseStats(
        list(models),
        np.mean([stats.scores[own] for stats, own in columns], axis=0),
        np.hstack([stats.influences[own] for stats, own in columns]) / len(tasks),
        np.hstack([stats.parts[own] for stats, own in columns]) / len(tasks),
        np.concatenate([stats.unit_names for stats in tested]),
        MeanGains([stats.gains.tasks[0] for stats in tested], rows),
    )
    return Claims.of(mean, pairwise_p([Parts(mean.scores, mean.parts)])[0], "all")


def _means(tasks: Sequence[_TaskScores], models: Sequence[str]) -> dict[str, TasksMean]:
    """Return the mean headline score over tasks of each model that lacks none of them."""
    complete = [model for model in models if all(model in task.scores for task in tasks)]
    doubts = _shared_doubts(tasks, complete)
    means = {}
    for model in complete:
        scores = [task.scores[model] for task in tasks]
        ends = mean_interval(scores, [task.intervals[model] for task in tasks], doubts.get(model, 1.0))
        means[model] = TasksMean(sum(scores) / len(tasks), *ends)
    return means


def _shared_doubts(tasks: Sequence[_TaskScores], models: Sequence[str]) -> dict[str, float]:
    """Return by how much tasks that share units widen the means of models, where their units are known."""
    known = [task.pairwise for task in tasks if not isinstance(task.pairwise, str)]
    tested = [model for model in models if all(model in stats.models for stats in known)]
    if len(known) < 2 or not tested:
        return dict.fromkeys(tested, 1.0)
    influences = [stats.influences[[stats.models.index(model) for model in tested]] for stats in known]
    names = [stats.unit_names for stats in known]
    return dict(zip(tested, shared_doubts([*zip(names, influences, strict=True)]).tolist(), strict=True))
