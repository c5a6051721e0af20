"""Compare a record's scores with those recomputed from its predictions, and say what differs."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from harness.errors import HarnessError
from harness.evaluation.evaluate import score_predictions
from harness.evaluation.keys import source_hash
from harness.metrics import standard as metrics
from harness.results.predictions import metric_of
from harness.system.environment import libraries
from harness.system.plugin_code import error_sentence, plugin_code

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from harness.metrics.interface import Metric
    from harness.results.records import Evaluation, Score
    from harness.tasks.dataset import Predictions
    from harness.tasks.interface import Task

SAME_SCORE = 1e-12
"""Maximum relative difference of a recomputed score: machines add in different orders."""
SAME_END = 1e-9
"""Maximum difference of an end of an interval: most are found by a search, from such scores."""


def differences(
    evaluation: Evaluation, score: Score, predictions: Predictions, tasks: Mapping[str, Task]
) -> list[str]:
    """Recompute a score as its run did, with the same seed; return one phrase per difference.

    Raises HarnessError where no plugin has the metric, and where its code has changed since.
    """
    examination = evaluation.examination
    task = tasks.get(examination.task)
    metric = _metric(evaluation, score, tasks)
    try:
        with plugin_code():
            recomputed = score_predictions(metric, predictions)
    except Exception as error:  # noqa: BLE001 - a third-party metric, or a missing column
        changes = [f"cannot be computed from the predictions: {error_sentence(error)}"]
    else:
        changes = list(_compare(score, recomputed, evaluation))
    kept_out = predictions.kept_out
    if changes and kept_out and {*score.columns, score.where} & {*kept_out.columns, *kept_out.covered}:
        raise HarnessError(f"{score.metric} reads texts, which were kept out (--no-texts)")
    foreign = metric.compute.__module__ != metrics.__name__
    if changes and foreign and (task is None or source_hash(task) != examination.source):
        raise HarnessError(f"{score.metric}: the code of task {examination.task} is no longer the record's")
    return changes


def _metric(evaluation: Evaluation, score: Score, tasks: Mapping[str, Task]) -> Metric:
    """Find the metric by the record's task or, where that is not loaded, by another task of its kind."""
    name = evaluation.examination.task
    same_kind = [task for task in tasks.values() if task.kind == evaluation.kind]
    with_metric = [task for task in same_kind if score.metric in {metric.name for metric in task.metrics}]
    return metric_of(score, name, tasks if name in tasks or not with_metric else {name: with_metric[0]})


def _compare(recorded: Score, recomputed: Score, evaluation: Evaluation) -> Iterator[str]:
    """Yield one phrase for each value of a score that the predictions do not give."""
    if not _close(recorded.score, recomputed.score, relative=SAME_SCORE):
        yield f"the record says {recorded.score!r}, the predictions give {recomputed.score!r}"
        return
    ends = (recorded.low, recomputed.low), (recorded.high, recomputed.high)
    if not all(_close(before, now, absolute=SAME_END) for before, now in ends):
        numpy, here = evaluation.libraries.get("numpy"), libraries().get("numpy")
        drawn = "" if numpy == here else f" (drawn by numpy {numpy}, here {here})"
        yield (
            f"the record's interval is {recorded.low!r} to {recorded.high!r}, the predictions give"
            f" {recomputed.low!r} to {recomputed.high!r}{drawn}"
        )
    if (recorded.examples, recorded.clusters) != (recomputed.examples, recomputed.clusters):
        yield (
            f"the record counts {recorded.examples} examples in {recorded.clusters} clusters, the predictions"
            f" {recomputed.examples} in {recomputed.clusters}"
        )


def _close(
    recorded: float | None, recomputed: float | None, *, relative: float = 0, absolute: float = 1e-12
) -> bool:
    if recorded is None or recomputed is None:
        return recorded is recomputed
    return math.isclose(recorded, recomputed, rel_tol=relative, abs_tol=absolute)
