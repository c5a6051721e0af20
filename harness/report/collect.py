"""Collect what a report says from results folders."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from harness.comparison.merge_sources import merged_results
from harness.errors import HarnessError
from harness.evaluation.progress import Progress
from harness.report.answer import answer_of, compared_sentence, ranked_sentence, title_of
from harness.report.baseline import choose_baseline
from harness.report.boards import report_boards, report_rankings
from harness.report.content import ComparedWith, ReportContent
from harness.report.details import details_of, trainings_of
from harness.report.doubts import all_doubts
from harness.report.families import MOST_BASELINES, Comparer
from harness.report.models import report_models, report_trade_off
from harness.report.place_names import with_names
from harness.report.runs import journals, report_runs
from harness.report.source import board_sources
from harness.report.without_texts import model_without_texts
from harness.results.headlines import models_of
from harness.results.overall import overall
from harness.results.significance import claims, pairwise_stats
from harness.results.significance_tables import board_letters
from harness.results.unreadable import Unreadable
from harness.system.environment import version
from harness.system.paths import user_path

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from harness.comparison.report import ComparisonReport
    from harness.comparison.sources import ModelResults
    from harness.evaluation.journal import JournalEntry
    from harness.report.request import ReportRequest
    from harness.report.source import BoardSource
    from harness.tasks.interface import Task
    from harness.tasks.suites import Suite


@dataclass(frozen=True, slots=True, kw_only=True)
class Material:
    """What a report is assembled of."""

    request: ReportRequest
    command: str
    """Writes the report again."""
    models: Sequence[ModelResults]
    """The baseline first."""
    sources: Sequence[BoardSource]
    tasks: Mapping[str, Task]
    compared: str
    """What was, in a sentence."""
    report: ComparisonReport | None
    """All candidates against the baseline; None for a single model."""
    selected: ComparisonReport | None = None
    """The best of several."""
    families: Sequence[ComparedWith] = ()
    not_compared: str = ""
    notes: Sequence[str] = ()
    """Further doubts, in a sentence each."""
    problems: Sequence[str] = ()
    runs: Sequence[Sequence[JournalEntry]] = ()
    """The journals of each folder."""
    letters: bool = True
    """Whether predictions are read for letters and ranks."""
    details: bool = True
    """Whether predictions are read for examples and distributions."""


def collect(
    request: ReportRequest,
    tasks: Mapping[str, Task],
    suites: Mapping[str, Suite] | None = None,
    *,
    before: str = "",
    progress: Progress | None = None,
) -> ReportContent:
    """Return the content of a report: it depends on the results alone, and on what the folders are called.

    tasks: those of plugins, for metrics that are no means. suites: by name, for a gate that names one.
    before: the command that makes the results, where they are not kept. progress: is told of each stage.
    Raises HarnessError for a folder without results, for two that have different results of one model and
    task, and for a baseline, gate or tag that does not exist.
    """
    progress = progress or Progress()
    progress.stage("reading results")
    folders = [user_path(folder) for folder in request.folders]
    unreadable, problems = Unreadable(), list[str]()
    models = merged_results(folders, request.names, unreadable)
    if not models:
        raise HarnessError(unreadable.unplaced[0])
    models = models if request.texts else [*map(model_without_texts, models)]
    notes = list[str]()
    runs = journals(folders, notes)
    baseline, why = choose_baseline(models, request.baseline, folders, runs)
    sources = board_sources(models, lambda: tasks, problems)
    models = baseline_first(models, baseline, sources)
    comparer = Comparer(request, tasks, suites or {}, unreadable)
    progress.stage(f"comparing with {baseline.name}")
    report = comparer.against(baseline, models) if len(models) > 1 else None
    selected, no_winner = comparer.best(baseline, models)
    baselines = models if len(models) <= MOST_BASELINES else models[:1]
    families = list[ComparedWith]()
    for place, model in enumerate(baselines if report else (), start=1):
        progress.stage(f"comparing with {model.name}, model {place} of {len(baselines)}")
        families.append(comparer.family(model, models, report if model is baseline else None))
    progress.stage("reading examples")
    return assemble(
        Material(
            request=request,
            command=" && ".join(filter(None, (before, request.report_command()))),
            models=models,
            sources=sources,
            tasks=tasks,
            compared=compared_sentence(baseline, models, why, request),
            report=report,
            selected=selected,
            families=families,
            not_compared=not_compared(len(models), baseline.name) if len(baselines) < len(models) else "",
            notes=[*notes, *([f"no winner was selected: {no_winner}"] if no_winner else [])],
            problems=[*dict.fromkeys([*unreadable.sentences, *problems])],
            runs=runs,
        )
    )


def collect_leaderboard(
    request: ReportRequest, tasks: Mapping[str, Task], *, letters: bool = True
) -> ReportContent:
    """Return the leaderboard of results folders, with nothing compared: models in the order of their ranks.

    letters: whether predictions are read for letters and ranks. Raises HarnessError as `collect` does.
    """
    folders = [user_path(folder) for folder in request.folders]
    unreadable, problems = Unreadable(), list[str]()
    models = merged_results(folders, request.names, unreadable)
    if not models:
        raise HarnessError(unreadable.unplaced[0])
    sources = board_sources(models, lambda: tasks, problems)
    best = models_of([source.board for source in sources])[0]
    models = baseline_first(models, next(model for model in models if model.name == best), sources)
    return assemble(
        Material(
            request=request,
            command=request.report_command(),
            models=models,
            sources=sources,
            tasks=tasks,
            compared=ranked_sentence(models),
            report=None,
            problems=[*dict.fromkeys([*unreadable.sentences, *problems])],
            letters=letters,
            details=False,
        )
    )


def not_compared(count: int, baseline: str) -> str:
    """Return why only one of many models is a baseline, in a sentence."""
    return (
        f"of {count} models, only {baseline} is a baseline here: every pair would be {count * (count - 1):,}"
        " comparisons; --baseline NAME takes another"
    )


def baseline_first(
    models: Sequence[ModelResults], baseline: ModelResults, sources: Sequence[BoardSource]
) -> list[ModelResults]:
    """Return the baseline, then the other models, best average rank first."""
    places = {name: place for place, name in enumerate(models_of([source.board for source in sources]))}
    return sorted(models, key=lambda model: (model is not baseline, places[model.name], model.name))


def assemble(material: Material) -> ReportContent:
    """Return the content of a report."""
    request, models, sources = material.request, material.models, material.sources
    ranked = [source.board for source in sources]
    paths = {
        (result.evaluation.key, result.evaluation.predictions or ""): result.predictions
        for source in sources
        for result in source.results.values()
        if result.predictions is not None
    }
    stats = {
        position: pairwise_stats(board, paths, lambda: material.tasks)
        for position, board in enumerate(ranked if material.letters else ())
    }
    comparisons = material.report.comparisons if material.report else ()
    trade_off, of_tasks = report_trade_off(models, ranked, stats)
    notes = [*material.notes]
    examples, distributions = (
        details_of(sources, material.tasks, request, material.runs) if material.details else ((), ())
    )
    trainings = trainings_of(models, material.runs, notes) if material.details else ()
    doubts = all_doubts(models, sources, comparisons, material.problems, notes)
    content = ReportContent(
        title=request.title if request.title is not None else title_of(models),
        folders=request.names,
        command=material.command,
        harness=version(),
        answer=answer_of(material.compared, material.report, material.selected, doubts),
        models=report_models(models),
        boards=report_boards(sources, board_letters(claims(stats, request.family))),
        rankings=report_rankings(overall(ranked, stats)),
        family=request.family,
        compared=tuple(material.families),
        not_compared=material.not_compared,
        trade_off=trade_off,
        trade_off_tasks=of_tasks,
        distributions=distributions,
        examples=examples,
        trainings=trainings,
        texts=request.texts,
        runs=report_runs(request.names, material.runs) if material.runs else (),
        problems=tuple(material.problems),
    )
    named_folders = {
        str(user_path(folder)): name for folder, name in zip(request.folders, request.names, strict=True)
    }
    return replace(
        content,
        answer=with_names(content.answer, named_folders),
        boards=with_names(content.boards, named_folders),
        compared=with_names(content.compared, named_folders),
        examples=tuple(
            replace(one, absent=with_names(one.absent, named_folders)) for one in content.examples
        ),
        problems=with_names(content.problems, named_folders),
    )
