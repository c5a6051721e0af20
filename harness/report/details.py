"""What a report shows in detail: examples of each board, distributions of answers, trainings."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.report.board_answers import read_answers
from harness.report.distributions import distributions_of
from harness.report.documents import read_documents
from harness.report.examples import examples_of
from harness.report.training import candidate_folders, training_of
from harness.system.paths import user_path
from harness.tasks.interface import HUB

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from harness.comparison.sources import ModelResults
    from harness.evaluation.journal import JournalEntry
    from harness.report.distributions import Distribution
    from harness.report.examples import TaskExamples
    from harness.report.request import ReportRequest
    from harness.report.source import BoardSource
    from harness.report.training import TrainingReport
    from harness.tasks.interface import DataChoice, Task


def details_of(
    sources: Sequence[BoardSource],
    tasks: Mapping[str, Task],
    request: ReportRequest,
    runs: Sequence[Sequence[JournalEntry]],
) -> tuple[tuple[TaskExamples, ...], tuple[Distribution, ...]]:
    """Return examples and distributions of each board; of one board at a time the predictions are held.

    runs: journals of each folder, which name data folders for the texts of documents.
    """
    folders = _data_folders(request, runs)
    examples: list[TaskExamples] = []
    distributions: list[Distribution] = []
    for source in sources:
        answers = read_answers(source.id, source.results, tasks)
        if answers is None:
            continue
        distributions += distributions_of(answers, texts=request.texts)
        if request.most_examples:
            examples.append(
                examples_of(
                    answers,
                    texts=request.texts,
                    most=request.most_examples,
                    documents=lambda evaluation: read_documents(evaluation, tasks, folders),
                )
            )
    return tuple(examples), tuple(distributions)


def trainings_of(
    models: Sequence[ModelResults], runs: Sequence[Sequence[JournalEntry]], notes: list[str]
) -> tuple[TrainingReport, ...]:
    """Return how models were trained whose folders the journals name, and which are still there.

    notes: gets a sentence for each that cannot be told.
    """
    folders = candidate_folders([entry for own in runs for entry in own], notes)
    names = {model.fingerprint: model.name for model in models}
    found = [training_of(model.name, model.fingerprint, folders, names, notes) for model in models]
    return tuple(training for training in found if training is not None)


def _data_folders(request: ReportRequest, runs: Sequence[Sequence[JournalEntry]]) -> list[DataChoice]:
    """Return the folders of data that the user names, then those of runs, the newest first."""
    named = [user_path(request.data)] if request.data is not None else []
    of_runs = [entry.plan.data for own in runs for entry in reversed(own) if entry.plan]
    return [*named, *(user_path(data) for data in dict.fromkeys(of_runs) if data and data != HUB)]
