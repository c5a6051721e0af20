"""The models of a report, and their quality against their speed."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from harness.comparison.comparability import machine_differences
from harness.comparison.pareto import pareto_front
from harness.models.interface import changed_settings
from harness.models.storage import embedding_bytes
from harness.report.boards import report_findings, report_mean
from harness.report.content import ReportModel, TradeOff
from harness.results.overall import common_means

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from harness.comparison.sources import ModelResults
    from harness.results.leaderboard import Board
    from harness.results.records import Throughput
    from harness.results.significance import PairwiseStats


def report_models(models: Sequence[ModelResults]) -> tuple[ReportModel, ...]:
    """Return the models of a report in their order; speeds of the first timed one's machine alone."""
    timed = _timed(models)
    return tuple(_model(model, timed.get(model.name)) for model in models)


def _timed(models: Sequence[ModelResults]) -> dict[str, Throughput]:
    """Return the speeds that can be held against each other: name of a model → speed."""
    first = next((model.throughput for model in models if model.throughput is not None), None)
    return {
        model.name: model.throughput
        for model in models
        if first is not None
        and model.throughput is not None
        and not machine_differences(first, model.throughput)
    }


def _model(model: ModelResults, speed: Throughput | None) -> ReportModel:
    record = model.candidate
    facts, settings = record.facts, record.settings
    return ReportModel(
        name=model.name,
        fingerprint=model.fingerprint,
        parameters=facts.parameters if facts else None,
        dimensions=facts.dimensions if facts else None,
        max_tokens=facts.max_tokens if facts else None,
        size_bytes=facts.size_bytes if facts else None,
        embedding_bytes=embedding_bytes(facts.dimensions, settings.precision) if facts else None,
        device=facts.device if facts else None,
        dtype=settings.dtype,
        backend=facts.backend if facts else None,
        similarity=facts.similarity if facts else None,
        settings={name: setting_text(value) for name, value in sorted(changed_settings(settings).items())},
        texts_per_second=None if speed is None else speed.rates,
        tokens_per_second=None if speed is None else speed.tokens_per_second,
        findings=report_findings(facts.all_findings if facts else ()),
    )


def setting_text(value: Any) -> str:  # noqa: ANN401 - any setting
    """Return the value of a setting as text; prompts as JSON."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _sound(model: ModelResults, boards: Sequence[Board]) -> ModelResults:
    """Return a model with the results that are ranked: one that contradicts its predictions is not."""
    ranked = {
        row.evaluation.examination
        for board in boards
        for row in board.rows
        if row.model == model.name and row.headline is not None
    }
    answered = {
        slot: result for slot, result in model.answered.items() if result.evaluation.examination in ranked
    }
    return replace(model, answered=answered)


def report_trade_off(
    models: Sequence[ModelResults], boards: Sequence[Board], pairwise: Mapping[int, PairwiseStats | str]
) -> tuple[tuple[TradeOff, ...], tuple[str, ...]]:
    """Return quality and speed of each model, best quality first, and the tasks of the quality.

    Quality and front are those of `harness compare`; empty without a task that all models have, or with fewer
    than two speeds on one machine.
    """
    points = pareto_front([_sound(model, boards) for model in models])
    tasks, means = common_means(boards, pairwise)
    if not points or any(point.model not in means for point in points):
        return (), ()
    timed = _timed(models)
    facts = {model.name: model.candidate.facts for model in models}
    found = []
    for point in points:
        own, speed = facts[point.model], timed.get(point.model)
        found.append(
            TradeOff(
                model=point.model,
                quality=report_mean(means[point.model]),
                texts_per_second=None if speed is None else speed.rates,
                on_front=point.on_front,
                parameters=own.parameters if own else None,
                dimensions=own.dimensions if own else None,
            )
        )
    return tuple(found), tuple(tasks)
