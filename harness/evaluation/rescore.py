"""A record's scores, computed again from the predictions that it vouches for."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from harness.errors import HarnessError
from harness.evaluation.evaluate import score_predictions
from harness.evaluation.keys import source_hash
from harness.metrics import standard as metrics
from harness.results.predictions import metric_of
from harness.system.environment import libraries

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from harness.metrics.interface import Metric
    from harness.results.records import Evaluation, Score
    from harness.tasks.dataset import Predictions
    from harness.tasks.interface import Task

SAME_SCORE = 1e-12
"""By which, relatively, a score that is computed again may differ: machines add in different orders."""
SAME_END = 1e-9
"""By which an end of an interval may: it is a percentile of such scores."""


def differences(
    evaluation: Evaluation, score: Score, predictions: Predictions, tasks: Mapping[str, Task]
) -> list[str]:
    """Compute a score again as its run did, by the same seed; name what differs, one phrase each.

    Raises HarnessError where no plugin brings the metric, or where the code behind it is another one now.
    """
    asked = evaluation.examination
    task = tasks.get(asked.task)
    metric = _metric(evaluation, score, tasks)
    try:
        again = score_predictions(metric, predictions, asked)
    except Exception as error:  # noqa: BLE001 - a stranger's metric, or a column that is not there
        told = [f"cannot be computed from the predictions: {type(error).__name__}: {error}"]
    else:
        told = list(_differing(score, again, evaluation))
    foreign = metric.compute.__module__ != metrics.__name__
    if told and foreign and (task is None or source_hash(task) != asked.source):
        raise HarnessError(f"{score.metric}: the code of task {asked.task} is not the record's any more")
    return told


def _metric(evaluation: Evaluation, score: Score, tasks: Mapping[str, Task]) -> Metric:
    """Find the metric by the record's task or, for a task that is not loaded, by another one of its kind."""
    name = evaluation.examination.task
    alike = [task for task in tasks.values() if task.kind == evaluation.kind]
    brings = [task for task in alike if score.metric in {metric.name for metric in task.metrics}]
    return metric_of(score, name, tasks if name in tasks or not brings else {name: brings[0]})


def _differing(told: Score, again: Score, evaluation: Evaluation) -> Iterator[str]:
    """Say each value of a score that is not what the predictions give."""
    if not _close(told.score, again.score, relative=SAME_SCORE):
        yield f"the record says {told.score!r}, the predictions give {again.score!r}"
        return
    ends = (told.low, again.low), (told.high, again.high)
    if not all(_close(before, now, absolute=SAME_END) for before, now in ends):
        numpy, here = evaluation.libraries.get("numpy"), libraries().get("numpy")
        drawn = "" if numpy == here else f" (drawn by numpy {numpy}, here {here})"
        yield (
            f"the record's interval is {told.low!r} to {told.high!r}, the predictions give"
            f" {again.low!r} to {again.high!r}{drawn}"
        )
    if (told.examples, told.clusters) != (again.examples, again.clusters):
        yield (
            f"the record counts {told.examples} examples in {told.clusters} clusters, the predictions"
            f" {again.examples} in {again.clusters}"
        )


def _close(told: float | None, again: float | None, *, relative: float = 0, absolute: float = 1e-12) -> bool:
    if told is None or again is None:
        return told is again
    return math.isclose(told, again, rel_tol=relative, abs_tol=absolute)
