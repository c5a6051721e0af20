"""Say what of a result does not hold: its seal, a score outside its interval, predictions of another hash.

What does not hold is shown as broken and is not ranked. docs/reliability.md says what a seal cannot detect.
"""

from __future__ import annotations

import os
from dataclasses import replace
from typing import TYPE_CHECKING

from harness.errors import HarnessError
from harness.metrics import standard
from harness.results.records import Score
from harness.system.paths import accessible
from harness.tasks.interface import AggregateTask

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping

    from harness.metrics.interface import Metric
    from harness.results.prediction_files import TaskResult
    from harness.results.records import Evaluation
    from harness.tasks.interface import Task

_STANDARD = frozenset(
    metric.name
    for metric in (
        standard.SPEARMAN,
        standard.PEARSON,
        standard.ROC_AUC,
        standard.AVERAGE_PRECISION,
        standard.MACRO_F1,
    )
)
"""Names that a mean may have only where its task says so."""


def record_fault(evaluation: Evaluation, seal_holds: bool | None) -> str | None:
    """Return why a record cannot be believed, to follow its path; None where it can.

    seal_holds: as `read_record` returns it; None for a record without a seal.
    """
    if seal_holds is None:
        return "has no seal: no run wrote it, or its seal was removed"
    if not seal_holds:
        return "was changed after it was written: its seal does not hold"
    fault = score_fault(evaluation.scores) or _source_fault(evaluation)
    return f"cannot be: {fault}" if fault else None


def score_fault(scores: Iterable[Score]) -> str | None:
    """Return which score does not lie in its interval; None where all do, or have none."""
    for score in scores:
        if score.low is None or score.high is None:
            continue
        if score.score is None:
            return f"{score.metric} has an interval and no score"
        if not score.low <= score.score <= score.high:
            interval = f"[{score.low:.4f}, {score.high:.4f}]"
            return f"{score.metric} {score.score:.4f} lies outside its interval {interval}"
    return None


def _source_fault(evaluation: Evaluation) -> str | None:
    """Return which score cannot come of predictions as the record says; None where all can."""
    for score in evaluation.scores:
        if len({*score.columns}) < len(score.columns):
            return f"{score.metric} reads one column twice: {', '.join(score.columns)}"
        if evaluation.status == "ok" and evaluation.predictions is None and score.columns:
            return f"{score.metric} was computed of predictions, and it names none"
    return None


def declared_fault(evaluation: Evaluation, task: Task | None) -> str | None:
    """Return which part of a record its task, as it is loaded, cannot have given; None where all can be.

    Nothing is said without the task, and of another version of it.
    """
    if task is None or evaluation.status != "ok" or task.version != evaluation.examination.version:
        return None
    if isinstance(task, AggregateTask):
        return None
    if evaluation.predictions is None:
        return f"it names no predictions, and {task.name} gives predictions"
    declared = {metric.name: metric for metric in task.metrics}
    for score in evaluation.scores:
        metric = declared.get(score.metric)
        if metric is not None and reads(score) != reads(metric):
            return f"its {score.metric} reads {described(score)}, that of the task {described(metric)}"
    return None


def same_source_fault(evaluation: Evaluation, task: Task) -> str | None:
    """Return `declared_fault`, or which metrics or kind are not those of the task whose code it has."""
    if fault := declared_fault(evaluation, task):
        return fault
    if evaluation.status != "ok":
        return None
    if evaluation.kind != task.kind:
        return f"its kind is {evaluation.kind}, that of {task.name} {task.kind}"
    own, names = [score.metric for score in evaluation.scores], [metric.name for metric in task.metrics]
    if own != names and not isinstance(task, AggregateTask):
        return f"its metrics are {', '.join(own)}, those of {task.name} {', '.join(names)}"
    return None


def reads(metric: Score | Metric) -> tuple[tuple[str, ...], str | None, bool]:
    """Return what a metric reads: its columns, the column of rows that count, whether it is a mean."""
    return tuple(metric.columns), metric.where, metric.per_example


def described(metric: Score | Metric) -> str:
    """Say what a metric reads: `gold and predicted`, `the mean of recall where answerable`."""
    columns, where, mean = reads(metric)
    what = " and ".join(columns) or "nothing"
    return f"{'the mean of ' if mean else ''}{what}{f' where {where}' if where else ''}"


def as_broken(evaluation: Evaluation, why: str) -> Evaluation:
    """Return a record of which nothing but the names is believed: no score, no facts, no predictions."""
    metrics = evaluation.scores[:1]
    return replace(
        evaluation,
        status="broken",
        candidate=replace(evaluation.candidate, facts=None),
        scores=tuple(Score(metric=score.metric, score=None) for score in metrics),
        predictions=None,
        fitted={},
        findings=(),
        truncation=None,
        error=why,
    )


def predictions_fault(result: TaskResult, tasks: Callable[[], Mapping[str, Task]]) -> str | None:
    """Return why predictions and their record contradict each other; None where they do not, or are not here.

    Their values are hashed, and every score computed again whose metric is ours.
    tasks: called only for a score that is not a mean over examples, or a mean that has the name of something
    else, to find its metric.
    """
    from harness.results.prediction_files import read_table
    from harness.results.predictions import check_score, metric_of

    evaluation, path = result.evaluation, result.predictions
    if evaluation.status != "ok" or evaluation.predictions is None or path is None:
        return None
    if not os.path.isfile(path) or not os.access(path, os.R_OK):  # noqa: PTH113 - False without permission
        return None
    try:
        accessible(path)
    except HarnessError:
        return None
    try:
        table = read_table(result)
        for score in evaluation.scores:
            known = {} if _is_plain_mean(score, table) else tasks()
            if fault := declared_fault(evaluation, known.get(evaluation.examination.task)):
                return f"{evaluation.candidate.model} on {evaluation.examination.task}: {fault}"
            try:
                metric = metric_of(score, evaluation.examination.task, known)
            except HarnessError:
                continue  # its plugin is not there
            # The code of a plugin's metric may have changed since: `harness verify` knows.
            if metric.compute.__module__ == standard.__name__:
                check_score(metric, table, evaluation, score)
    except HarnessError as error:
        return error.message
    return None


def _is_plain_mean(score: Score, columns: Collection[str]) -> bool:
    """Whether a score needs no plugin: a mean whose name promises nothing else than what it reads."""
    if not (score.per_example and score.columns) or score.metric in _STANDARD:
        return False
    return score.columns == (score.metric,) or score.metric not in columns
