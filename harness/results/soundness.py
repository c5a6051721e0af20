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

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from harness.results.prediction_files import TaskResult
    from harness.results.records import Evaluation
    from harness.tasks.interface import Task


def record_fault(evaluation: Evaluation, seal_holds: bool | None) -> str | None:
    """Return why a record cannot be believed, to follow its path; None where it can.

    seal_holds: as `read_record` returns it; None for a record without a seal.
    """
    if seal_holds is None:
        return "has no seal: no run wrote it, or its seal was removed"
    if not seal_holds:
        return "was changed after it was written: its seal does not hold"
    fault = score_fault(evaluation.scores)
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
    tasks: called only for a score that is not a mean over examples, to find its metric.
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
            mean = score.per_example and bool(score.columns)
            try:
                metric = metric_of(score, evaluation.examination.task, {} if mean else tasks())
            except HarnessError:
                continue  # its plugin is not there
            # The code of a plugin's metric may have changed since: `harness verify` knows.
            if metric.compute.__module__ == standard.__name__:
                check_score(metric, table, evaluation, score)
    except HarnessError as error:
        return error.message
    return None
