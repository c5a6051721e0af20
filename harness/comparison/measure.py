"""One task of two models, measured: every metric's gain, before anything is claimed of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from harness.errors import HarnessError
from harness.results.prediction_files import find_predictions, read_table
from harness.results.predictions import align_tables, check_score, metric_of, pair_tables
from harness.stats.gain import gain_of
from harness.stats.intervals import FEWEST_UNITS, seed_from
from harness.stats.seeds import seeds_gain

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from harness.metrics.interface import Metric
    from harness.results.prediction_files import TaskResult
    from harness.results.predictions import Table
    from harness.results.records import Evaluation, Score
    from harness.stats.gain import Gain
    from harness.tasks.interface import Task


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Measured:
    """A metric of a task, for both models."""

    evaluation: Evaluation
    """The baseline's."""
    score: Score
    """The baseline's."""
    headline: bool
    tags: tuple[str, ...]
    candidate: float | None
    """The candidate's score; the mean over training seeds."""
    gain: Gain | None = None
    from_seeds: float | None = None
    reason: str | None = None
    """Why there is no gain, or no interval of it."""
    tables: tuple[Table, ...] = field(default=(), repr=False)
    """Both models' predictions, of the same examples: the baseline's first."""
    metric: Metric | None = None


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class TaskPair:
    """One task, as both models answered it."""

    baseline: TaskResult
    candidates: Sequence[TaskResult]
    """One, or one for each training seed."""
    names: Sequence[str]
    """Of the baseline and the candidates."""
    common: bool
    """Whether the examination differs and was allowed to: then the examples that both have count."""


def measure(
    asked: TaskPair, wanted: Sequence[Score], tasks: Mapping[str, Task], *, texts: bool
) -> tuple[list[Measured], list[str], int]:
    """Measure some metrics of a task; beside, what is broken, and how many examples are left out.

    texts: read all columns, so that a person can be shown which examples moved.
    """
    broken: list[str] = []
    try:
        for one in (asked.baseline, *asked.candidates):
            find_predictions(one)
        metrics = {score.metric: metric_of(score, _task(asked), tasks) for score in wanted}
        tables, left_out = _tables(asked, list(metrics.values()), texts=texts)
    except HarnessError as error:
        if not _absent(asked):
            broken.append(_sentence(error))
        return [_untested(asked, score, tasks, error.message) for score in wanted], broken, 0
    measured = []
    for score in wanted:
        try:
            measured.append(_measured(asked, score, metrics[score.metric], tables, tasks))
        except HarnessError as error:
            broken.append(_sentence(error))
            measured.append(_untested(asked, score, tasks, error.message))
    return measured, broken, left_out


def _absent(asked: TaskPair) -> bool:
    """Whether predictions were never kept, or were not copied with a CSV: no fault, but no test either."""
    return any(one.predictions is None for one in (asked.baseline, *asked.candidates))


def _tables(asked: TaskPair, metrics: Sequence[Metric], *, texts: bool) -> tuple[list[Table], int]:
    needed = {"id", "cluster", "gold", *(name for metric in metrics for name in metric.columns)}
    needed |= {metric.where for metric in metrics if metric.where}
    answered = (asked.baseline, *asked.candidates)
    # Which texts an example has is needed to know it again where the examinations differ.
    tables = [read_table(one, None if texts or asked.common else needed) for one in answered]
    for one, table in zip(answered, tables, strict=True):
        by_name = {score.metric: score for score in one.evaluation.scores}
        for metric in metrics:
            if metric.name in by_name:
                check_score(metric, table, one.evaluation, by_name[metric.name])
    answers = {name for one in answered for score in one.evaluation.scores for name in score.columns}
    return align_tables(tables, asked.names, common=asked.common, answers=answers - {"gold"})


def _measured(
    asked: TaskPair, score: Score, metric: Metric, tables: Sequence[Table], tasks: Mapping[str, Task]
) -> Measured:
    pairs = [pair_tables(metric, tables[0], table) for table in tables[1:]]
    asked_of = asked.baseline.evaluation.examination
    seed = seed_from(asked_of.digest, asked_of.task, score.metric, "gain")
    from_seeds = None
    if len(pairs) > 1:
        several = seeds_gain(pairs)
        gain, from_seeds = several.gain, several.from_seeds
    else:
        same = asked.baseline.evaluation.predictions == asked.candidates[0].evaluation.predictions
        gain = gain_of(pairs[0], seed, identical=same)
    return Measured(
        evaluation=asked.baseline.evaluation,
        score=score,
        headline=_is_headline(asked, score),
        tags=_tags(asked, tasks),
        candidate=gain.candidate,
        gain=gain,
        from_seeds=from_seeds,
        reason=_no_interval(gain),
        tables=(tables[0], tables[1]),
        metric=metric,
    )


def _no_interval(gain: Gain) -> str | None:
    if gain.test != "none":
        return None
    if gain.units < FEWEST_UNITS:
        return f"{gain.units} independent units are too few: an interval needs {FEWEST_UNITS}"
    return "undefined on most resamples"


def _untested(asked: TaskPair, score: Score, tasks: Mapping[str, Task], reason: str) -> Measured:
    scores = [
        found.score
        for one in asked.candidates
        for found in one.evaluation.scores
        if found.metric == score.metric and found.score is not None
    ]
    whole = len(scores) == len(asked.candidates)
    return Measured(
        evaluation=asked.baseline.evaluation,
        score=score,
        headline=_is_headline(asked, score),
        tags=_tags(asked, tasks),
        candidate=sum(scores) / len(scores) if whole else None,
        reason=reason,
    )


def _is_headline(asked: TaskPair, score: Score) -> bool:
    return asked.baseline.evaluation.scores[0].metric == score.metric


def _tags(asked: TaskPair, tasks: Mapping[str, Task]) -> tuple[str, ...]:
    """Tags of the record; a CSV has none, and then the task's own."""
    one = asked.baseline.evaluation
    own = tasks[_task(asked)].tags if _task(asked) in tasks else ()
    return one.tags or tuple(sorted(own))


def _task(asked: TaskPair) -> str:
    return asked.baseline.evaluation.examination.task


def _sentence(error: HarnessError) -> str:
    return ": ".join([error.message, *(error.exists or "").splitlines()])
