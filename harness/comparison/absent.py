"""Lines that a comparison should have and lacks: what a condition of the gate cannot be held against."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from harness.comparison.frozen_suites import metrics_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from harness.results.prediction_files import TaskResult
    from harness.tasks.interface import Task
    from harness.tasks.suites import Suite


@dataclass(frozen=True, slots=True, kw_only=True)
class Absent:
    """A task, or some of its metrics, of which there is no line: missing, broken or not comparable."""

    task: str
    tags: tuple[str, ...]
    metrics: tuple[str, ...]
    """The metrics that are known, the headline first; empty where no record says."""
    headline: bool
    """Whether the task's headline is absent, too."""
    sample: bool
    reason: str
    """The sentence that says what is missing or broken."""


def absent_task(
    task: str,
    results: Sequence[TaskResult | None],
    tasks: Mapping[str, Task],
    suites: Sequence[Suite],
    reason: str,
) -> Absent:
    """Return what is absent of a task that could not be compared. results: of either model, if there are any.

    Tags and metrics are those of the first record that has some, else those of the task in a plugin.
    """
    records = [result.evaluation for result in results if result is not None]
    known = tasks.get(task)
    tags = next((record.tags for record in records if record.tags), None)
    own = next((record.scores for record in records if record.scores), ())
    named = tuple(score.metric for score in own) or _metrics(known)
    return Absent(
        task=task,
        tags=tags or (tuple(sorted(known.tags)) if known else ()),
        metrics=tuple(dict.fromkeys((*metrics_of(task, suites), *named))),
        headline=True,
        sample=any(record.examination.data == "sample" for record in records),
        reason=reason,
    )


def absent_metric(task: str, metric: str, base: TaskResult, reason: str, *, headline: bool) -> Absent:
    """Return one absent metric of a task that is compared by others."""
    record = base.evaluation
    return Absent(
        task=task,
        tags=record.tags,
        metrics=(metric,),
        headline=headline,
        sample=record.examination.data == "sample",
        reason=reason,
    )


def _metrics(task: Task | None) -> tuple[str, ...]:
    return tuple(metric.name for metric in task.metrics) if task else ()
