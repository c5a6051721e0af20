"""Merge results folders: one result for each model and examination, and what of it does not hold."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from harness.errors import HarnessError
from harness.results.agreement import broken_where_disagreeing
from harness.results.folder import ResultsFolder, no_results
from harness.results.prediction_files import TaskResult
from harness.results.soundness import as_broken, predictions_fault
from harness.results.unreadable import Unreadable, evaluations_or_broken
from harness.system.paths import shown_path

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from harness.results.records import Evaluation, Examination, Throughput
    from harness.tasks.interface import Task

    Identity = tuple[str, str]


@dataclass
class Merged:
    """The results of several folders."""

    results: dict[tuple[Identity, Examination], Evaluation] = field(default_factory=dict)
    speeds: dict[Identity, Throughput] = field(default_factory=dict)
    paths: dict[tuple[str, str], Path] = field(default_factory=dict)
    """(Key, hash of predictions) → path of the predictions."""
    folders: dict[Identity, list[Path]] = field(default_factory=dict)
    """Model → folders with a result of it, in the order in which they were given."""
    problems: list[str] = field(default_factory=list)
    """One sentence for each file that is not a record, or does not hold."""

    @property
    def evaluations(self) -> list[Evaluation]:
        """All records, the broken ones without scores."""
        return list(self.results.values())

    @property
    def throughputs(self) -> list[Throughput]:
        """All speeds."""
        return list(self.speeds.values())

    def result(self, evaluation: Evaluation) -> TaskResult:
        """Return a record with the path of its predictions, if it has any."""
        path = self.paths.get((evaluation.key, evaluation.predictions or ""))
        return TaskResult(evaluation=evaluation, predictions=path)


def merge(folders: Sequence[Path], unreadable: Unreadable | None = None) -> Merged:
    """Read all folders; the same result in two of them counts once, and a success replaces a failure.

    unreadable: gets a sentence for each file that cannot be read, and a record among these is a broken
    result; None leaves them out, and `problems` has the sentences.
    Raises HarnessError for a folder without results, and where two folders have different results.
    """
    merged = Merged()
    for folder in folders:
        results = ResultsFolder(folder)
        problems: list[str] = []
        if unreadable is None:
            evaluations = results.evaluations(problems)
            nothing = not evaluations and not problems
            speeds = results.throughputs(problems)
        else:
            evaluations = evaluations_or_broken(results, unreadable)
            nothing = not evaluations and not unreadable.unplaced
            speeds = results.throughputs(unreadable.placed)
        if nothing:
            raise no_results(folder)
        merged.problems += problems
        for evaluation in evaluations:
            if evaluation.predictions is not None:
                path, answers = results.predictions_path(evaluation), (evaluation.key, evaluation.predictions)
                if answers not in merged.paths or os.path.isfile(path):  # noqa: PTH113 - False without permission
                    merged.paths[answers] = path
            _add(evaluation, merged.results, folder)
            own = merged.folders.setdefault(evaluation.model, [])
            if folder not in own:
                own.append(folder)
        merged.speeds |= {(speed.model, speed.fingerprint): speed for speed in speeds}
    return merged


def check_predictions(merged: Merged, tasks: Callable[[], Mapping[str, Task]]) -> None:
    """Mark as broken what contradicts its predictions, where these are in the folder."""
    for key, evaluation in merged.results.items():
        fault = predictions_fault(merged.result(evaluation), tasks)
        if fault:
            merged.results[key] = as_broken(evaluation, fault)
            merged.problems.append(f"{fault}; it is not ranked")


def check_agreement(merged: Merged) -> None:
    """Mark as broken what says something else of its metrics than the records of the other models."""
    checked = broken_where_disagreeing(merged.evaluations, merged.problems)
    merged.results = dict(zip(merged.results, checked, strict=True))


def _add(
    evaluation: Evaluation, merged: dict[tuple[Identity, Examination], Evaluation], folder: Path
) -> None:
    """Add a record; of several of one model and task, a broken one counts, then a success."""
    known = merged.get((evaluation.model, evaluation.examination))
    if known is None or evaluation.status == "broken" or known.status == "error":
        merged[evaluation.model, evaluation.examination] = evaluation
    elif known.status == evaluation.status == "ok" and _result(evaluation) != _result(known):
        model, task = evaluation.candidate.model, evaluation.examination.task
        raise HarnessError(
            f"{shown_path(folder)} has another result of {model} for {task}",
            exists=f"settings: {evaluation.candidate.settings}\nbefore: {known.candidate.settings}",
            hint="another device, machine or library? give it a name of its own: --model NAME=MODEL",
        )


def _result(evaluation: Evaluation) -> tuple[object, object]:
    return evaluation.predictions, evaluation.scores
