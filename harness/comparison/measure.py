"""Gains of all metrics of one task, with intervals and p-values, before any verdict."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from harness.errors import HarnessError
from harness.render import plural, verb
from harness.results.prediction_files import find_predictions, read_table
from harness.results.predictions import align_tables, check_score, metric_of, pair_tables
from harness.results.soundness import declared_fault, described, reads
from harness.stats.gain import gain_of
from harness.stats.intervals import FEWEST_UNITS
from harness.stats.training_seeds import seeds_gain

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from harness.metrics.interface import Metric
    from harness.results.prediction_files import TaskResult
    from harness.results.predictions import Table
    from harness.results.records import Evaluation, Score
    from harness.stats.answer_pair import AnswerPair
    from harness.stats.gain import Gain
    from harness.tasks.interface import Task


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class MetricGain:
    """One metric of a task, measured on both models."""

    evaluation: Evaluation
    """The baseline's evaluation."""
    score: Score
    """The baseline's score."""
    headline: bool
    tags: tuple[str, ...]
    candidate: float | None
    """The candidate's score; the mean over training seeds."""
    gain: Gain | None = None
    from_seeds: float | None = None
    reason: str | None = None
    """Why there is no gain, or no interval of it."""
    tables: tuple[Table, ...] = field(default=(), repr=False)
    """Predictions of the baseline and of the (first) candidate, for the same examples."""
    metric: Metric | None = None
    pair: AnswerPair | None = field(default=None, repr=False)
    """Answers of the baseline and of the candidate; of the first one, for several training seeds."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class TaskPair:
    """Results of the baseline and the candidates on one task."""

    baseline: TaskResult
    candidates: Sequence[TaskResult]
    """One result, or one for each training seed."""
    names: Sequence[str]
    """Names of the baseline and of the candidates."""
    common: bool
    """Whether to use only the examples that all have: the examinations differ, as `--allow` permits."""
    headline: str | None = None
    """The metric that a suite makes the headline; None for the task's own."""


def measure(
    pair: TaskPair, scores: Sequence[Score], tasks: Mapping[str, Task], *, texts: bool
) -> tuple[list[MetricGain], list[str], int]:
    """Measure metrics of a task; returns gains, sentences on what is broken, and the examples left out.

    scores: the baseline's scores to compare. texts: read all columns, to show which examples moved.
    """
    broken: list[str] = []
    try:
        for result in (pair.baseline, *pair.candidates):
            find_predictions(result)
        for result in (pair.baseline, *pair.candidates):
            _refuse_undeclared(result.evaluation, pair, tasks)
        metrics = {score.metric: metric_of(score, _task_name(pair), tasks) for score in scores}
        tables, left_out = _tables(pair, list(metrics.values()), texts=texts)
    except HarnessError as error:
        if not _lacks_predictions(pair):
            broken.append(_sentence(error))
        return [_untested(pair, score, tasks, error.message) for score in scores], broken, 0
    measured = []
    for score in scores:
        try:
            measured.append(_measure_metric(pair, score, metrics[score.metric], tables, tasks))
        except HarnessError as error:
            broken.append(_sentence(error))
            measured.append(_untested(pair, score, tasks, error.message))
    return measured, broken, left_out


def _refuse_undeclared(evaluation: Evaluation, pair: TaskPair, tasks: Mapping[str, Task]) -> None:
    """Raise HarnessError for a record whose metrics read what neither its task nor the baseline says."""
    model, task = evaluation.candidate.model, evaluation.examination.task
    if fault := declared_fault(evaluation, tasks.get(task)):
        raise HarnessError(f"{model} on {task}: {fault}")
    base = pair.baseline.evaluation
    if base.examination.differences(evaluation.examination):
        return
    wanted = {score.metric: score for score in base.scores}
    for score in evaluation.scores:
        other = wanted.get(score.metric)
        if other is not None and reads(other) != reads(score):
            raise HarnessError(
                f"the records of {base.candidate.model} and {model} on {task} disagree: {score.metric} reads"
                f" {described(other)} in one, {described(score)} in the other",
                hint="`harness verify`, with the plugin of the task, says which was changed",
            )


def _lacks_predictions(pair: TaskPair) -> bool:
    """Whether predictions were not kept, or not copied with a CSV: not an error, but without them no test."""
    return any(result.predictions is None for result in (pair.baseline, *pair.candidates))


def _tables(pair: TaskPair, metrics: Sequence[Metric], *, texts: bool) -> tuple[list[Table], int]:
    needed = {"id", "cluster", "gold", *(name for metric in metrics for name in metric.columns)}
    needed |= {metric.where for metric in metrics if metric.where}
    results = (pair.baseline, *pair.candidates)
    # Where the examinations differ, examples are matched by their texts too.
    tables = [read_table(result, None if texts or pair.common else needed) for result in results]
    for result, table in zip(results, tables, strict=True):
        by_name = {score.metric: score for score in result.evaluation.scores}
        for metric in metrics:
            if metric.name in by_name:
                check_score(metric, table, result.evaluation, by_name[metric.name])
    answers = {name for result in results for score in result.evaluation.scores for name in score.columns}
    return align_tables(tables, pair.names, common=pair.common, answers=answers - {"gold"})


def _measure_metric(
    pair: TaskPair, score: Score, metric: Metric, tables: Sequence[Table], tasks: Mapping[str, Task]
) -> MetricGain:
    pairs = [pair_tables(metric, tables[0], table) for table in tables[1:]]
    from_seeds = None
    if len(pairs) > 1:
        several = seeds_gain(pairs)
        gain, from_seeds = several.gain, several.from_seeds
    else:
        same = pair.baseline.evaluation.predictions == pair.candidates[0].evaluation.predictions
        gain = gain_of(pairs[0], identical=same)
    return MetricGain(
        evaluation=pair.baseline.evaluation,
        score=score,
        headline=_is_headline(pair, score),
        tags=_tags(pair, tasks),
        candidate=gain.candidate,
        gain=gain,
        from_seeds=from_seeds,
        reason=_interval_reason(gain),
        tables=(tables[0], tables[1]),
        metric=metric,
        pair=pairs[0],
    )


def _interval_reason(gain: Gain) -> str | None:
    if gain.test != "none":
        return None
    if gain.units < FEWEST_UNITS:
        units, are = plural(gain.units, "independent unit"), verb(gain.units, "is", "are")
        return f"{units} {are} too few: an interval needs {FEWEST_UNITS}"
    if not math.isfinite(gain.value):
        return "the score is undefined on these examples"
    return "the error of the gain is unknown: too few examples move it"


def _untested(pair: TaskPair, score: Score, tasks: Mapping[str, Task], reason: str) -> MetricGain:
    scores = [
        own.score
        for result in pair.candidates
        for own in result.evaluation.scores
        if own.metric == score.metric and own.score is not None
    ]
    complete = len(scores) == len(pair.candidates)
    return MetricGain(
        evaluation=pair.baseline.evaluation,
        score=score,
        headline=_is_headline(pair, score),
        tags=_tags(pair, tasks),
        candidate=sum(scores) / len(scores) if complete else None,
        reason=reason,
    )


def _is_headline(pair: TaskPair, score: Score) -> bool:
    return score.metric == (pair.headline or pair.baseline.evaluation.scores[0].metric)


def _tags(pair: TaskPair, tasks: Mapping[str, Task]) -> tuple[str, ...]:
    """Return the tags of the record, or the task's for a CSV, which has none."""
    evaluation = pair.baseline.evaluation
    own = tasks[_task_name(pair)].tags if _task_name(pair) in tasks else ()
    return evaluation.tags or tuple(sorted(own))


def _task_name(pair: TaskPair) -> str:
    return pair.baseline.evaluation.examination.task


def _sentence(error: HarnessError) -> str:
    return ": ".join([error.message, *(error.exists or "").splitlines()])
