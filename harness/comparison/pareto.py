"""Pareto front of quality and throughput."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.comparison.comparability import machine_differences
from harness.comparison.result import ParetoPoint

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harness.comparison.sources import ModelResults


def pareto_front(sides: Sequence[ModelResults]) -> list[ParetoPoint]:
    """Return each model's mean headline score, texts/s, and whether it is on the Pareto front; best first.

    The mean is over the tasks that all models have with equal examinations. Speeds of two machines are
    never ranked: a model that was not timed on the machine and texts of the first timed one has no speed
    here and is not on the front. Empty without a common task, or with fewer than two speeds.
    """
    shared = _shared_slots(sides)
    first = next((side.throughput for side in sides if side.throughput is not None), None)
    if not shared or first is None:
        return []
    speeds = {
        side.name: side.throughput.texts_per_second
        for side in sides
        if side.throughput is not None and not machine_differences(first, side.throughput)
    }
    if len(speeds) < 2:
        return []
    quality = {side.name: _mean_headline(side, shared) for side in sides}
    points = [
        ParetoPoint(
            model=side.name,
            quality=quality[side.name],
            texts_per_second=speeds.get(side.name),
            tasks=len(shared),
            on_front=side.name in speeds and not _is_dominated(side.name, quality, speeds),
        )
        for side in sides
    ]
    return sorted(points, key=lambda point: (-point.quality, point.model))


def _shared_slots(sides: Sequence[ModelResults]) -> list[tuple[str, str, int | None]]:
    """Return the slots in which all models have a score, not an undefined one, for equal examinations."""
    first = sides[0]
    return [
        slot
        for slot, result in sorted(first.answered.items(), key=repr)
        if all(
            slot in side.answered
            and side.answered[slot].evaluation.status == "ok"
            and side.answered[slot].evaluation.scores[0].score is not None
            and side.answered[slot].evaluation.examination == result.evaluation.examination
            for side in sides
        )
    ]


def _mean_headline(side: ModelResults, slots: Sequence[tuple[str, str, int | None]]) -> float:
    scores = [side.answered[slot].evaluation.scores[0].score or 0.0 for slot in slots]
    return sum(scores) / len(scores)


def _is_dominated(name: str, quality: dict[str, float], speeds: dict[str, float]) -> bool:
    """Whether another model is at least as good in both, and better in one."""
    return any(
        quality[other] >= quality[name]
        and speed >= speeds[name]
        and (quality[other] > quality[name] or speed > speeds[name])
        for other, speed in speeds.items()
        if other != name
    )
