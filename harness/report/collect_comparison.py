"""Collect what a report says of one `harness compare`: its comparisons alone."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from harness.report.answer import compared_sentence
from harness.report.collect import Material, assemble, baseline_first
from harness.report.families import compared_with
from harness.report.runs import journals
from harness.report.source import board_sources, unique_models

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from harness.comparison.report import ComparisonReport
    from harness.comparison.result import Comparison, ModelRef
    from harness.comparison.sources import ModelResults
    from harness.report.content import ComparedWith, ReportContent
    from harness.report.request import ReportRequest
    from harness.tasks.interface import Task


def collect_comparison(
    found: ComparisonReport, request: ReportRequest, command: str, tasks: Mapping[str, Task]
) -> ReportContent:
    """Return the content of a report on comparisons that were made.

    found: the comparisons; of all pairs, those of each model with the ones after it. request: what of a
    report was asked: its folders are the paths of the comparison. command: printed the comparisons.
    """
    problems = list[str]()
    models = unique_models(found.models)
    names = {
        (old.name, old.fingerprint, old.source): new.name
        for old, new in zip(found.models, models, strict=True)
    }
    found = replace(found, comparisons=tuple(_renamed(one, names) for one in found.comparisons))
    baseline = models[0]
    folders = list(dict.fromkeys(model.folder for model in models if model.folder is not None))
    sources = board_sources(models, lambda: tasks, problems)
    ordered = baseline_first(models, baseline, sources)
    members = found.comparisons[0].candidate.members if found.comparisons else ()
    notes = list[str]()
    runs = journals(folders, notes)
    texts = not any(result.evaluation.no_texts for model in models for result in model.answered.values())
    selected = found if found.selection is not None else None
    return assemble(
        Material(
            request=replace(
                request, folders=tuple(map(str, folders)), shown=_shown(models, folders), texts=texts
            ),
            command=command,
            models=ordered,
            sources=sources,
            tasks=tasks,
            compared=compared_sentence(
                baseline, ordered, "", request, matrix=found.matrix, seeds=len(members)
            ),
            report=found,
            selected=selected,
            families=_families(found, command),
            not_compared=(
                "this is the report of one comparison: `harness report` takes every model for a baseline"
                if not found.matrix
                else "of each pair, the first model is the baseline"
            ),
            problems=[*dict.fromkeys([*found.problems, *problems])],
            runs=runs,
            notes=notes,
        )
    )


def _shown(models: Sequence[ModelResults], folders: Sequence[object]) -> tuple[str, ...]:
    """Return what reports call each folder: the path of the first model in it, as it was named."""
    named = {model.folder: model.source for model in reversed(models)}
    return tuple(named[folder] for folder in folders)  # type: ignore[index] # a folder of the models


def _families(found: ComparisonReport, command: str) -> list[ComparedWith]:
    """Return the comparisons by their baseline, in their order."""
    by_baseline: dict[str, list[Comparison]] = {}
    for comparison in found.comparisons:
        by_baseline.setdefault(comparison.baseline.name, []).append(comparison)
    return [
        compared_with(name, command, replace(found, comparisons=tuple(own)))
        for name, own in by_baseline.items()
    ]


def _renamed(comparison: Comparison, names: Mapping[tuple[str, str, str], str]) -> Comparison:
    """Return a comparison whose models have the names of the report; several seeds keep theirs."""

    def renamed(model: ModelRef) -> ModelRef:
        return replace(model, name=names.get((model.name, model.fingerprint, model.source), model.name))

    return replace(comparison, baseline=renamed(comparison.baseline), candidate=renamed(comparison.candidate))
