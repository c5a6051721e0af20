"""Measure variants side by side: start their processes, interleave their rounds, stop when it is enough."""

from __future__ import annotations

import os
import random
import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Protocol

from harness.bench import energy
from harness.bench.intervals import speed_ratio
from harness.bench.machine import competitors, descendants, describe_machine, processor_seconds
from harness.bench.process import Worker
from harness.bench.records import Bench, Ratio, VariantResult
from harness.bench.rounds import measure_workload
from harness.bench.stopping import Target, comparison
from harness.bench.variant import VariantProcess, WorkerLike
from harness.system.environment import libraries

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from harness.bench.workloads import Workload
    from harness.models.interface import ModelSpec


@dataclass(frozen=True, slots=True)
class Variant:
    """A model with one set of settings, and what it is called in the output."""

    label: str
    spec: ModelSpec


@dataclass(frozen=True, slots=True, kw_only=True)
class BenchPlan:
    """What is to be measured."""

    variants: Sequence[Variant]
    workloads: Sequence[Workload]
    plugins: tuple[str, ...] = ()
    """Single-file plugins that a worker must load."""
    margin: float = 0.02
    """Relative half-width of an interval that is precise enough."""
    budget: float = 120.0
    """Seconds for everything after loading, over all variants and workloads."""
    against_itself: bool = False
    """Measure the first variant twice, in two processes: the noise floor."""


class BenchProgress(Protocol):
    """Is told how far a bench has come."""

    def step(self, what: str, done: float) -> None:
        """Say what is being done, and the share of it all that lies behind, in [0, 1]."""
        ...


def measure(
    plan: BenchPlan,
    watcher: BenchProgress,
    *,
    started: str,
    start: Callable[[str], WorkerLike] = Worker,
    clock: Callable[[], float] = time.monotonic,
) -> Bench:
    """Measure every variant on every workload; one that fails is an error in the result, and the rest go on.

    started: the time of day, UTC, ISO 8601; the order within rounds is drawn from it. start: makes the
    process of a label. However this ends, no process is left behind.
    """
    subjects = _make_processes(plan)
    began, before = clock(), processor_seconds()
    ours: set[int] = set()
    try:
        for position, subject in enumerate(subjects):
            watcher.step(f"loading {subject.label}", 0.1 * position / len(subjects))
            if position and subject.label == second_label(subjects[0].label) and subjects[0].way:
                # What a calibration happens to choose is no noise of the measurement: both use threads alike.
                subject.spec = replace(subject.spec, threads=subjects[0].way)
            subject.load(start, plan.plugins, tuple(one.texts for one in plan.workloads))
        ours = descendants(os.getpid())
        drawing = random.Random(started)  # noqa: S311 - an order, not a secret
        _measure_workloads(plan, [one for one in subjects if one.error is None], watcher, clock, drawing)
        for subject in subjects:
            subject.finish()
    finally:
        for subject in subjects:
            subject.end()
    ratios = _ratios(subjects, plan)
    seconds = clock() - began
    meter = next((one.meter for one in subjects if one.meter), None)
    return Bench(
        started=started,
        machine=describe_machine({name for one in subjects for name in one.devices}),
        libraries=libraries(),
        margin=plan.margin,
        budget=plan.budget,
        seconds=seconds,
        variants=tuple(subject.result() for subject in subjects),
        ratios=tuple(one for one in ratios if not _is_noise_floor(one, plan)),
        noise_floor=tuple(one for one in ratios if _is_noise_floor(one, plan)),
        competitors=competitors(before, processor_seconds(), seconds, ours | {os.getpid()}),
        energy=meter.source if meter else None,
    )


def second_label(label: str) -> str:
    """What the second process of a variant is called."""
    return f"{label} (2)"


def failed_variants(bench: Bench) -> list[VariantResult]:
    """Variants that could not be measured, or not to the end."""
    return [one for one in bench.variants if one.error is not None]


def _make_processes(plan: BenchPlan) -> list[VariantProcess]:
    first, *others = plan.variants
    second = [replace(first, label=second_label(first.label))] if plan.against_itself else []
    return [VariantProcess(one.label, one.spec) for one in (first, *second, *others)]


def _measure_workloads(
    plan: BenchPlan,
    subjects: list[VariantProcess],
    watcher: BenchProgress,
    clock: Callable[[], float],
    drawing: random.Random,
) -> None:
    end = clock() + plan.budget
    for subject in subjects:
        subject.find_ceiling()
        subject.meter = energy.find_meter(subject.device)
    for position, workload in enumerate(plan.workloads):
        usable = [one for one in subjects if one.error is None]
        if not usable:
            return
        now = clock()
        share = max(0.0, end - now) / (len(plan.workloads) - position)

        def telling(what: str, position: int = position, name: str = workload.name) -> None:
            watcher.step(f"{name}: {what}", 0.1 + 0.9 * position / len(plan.workloads))

        target = Target(plan.margin, now + share)
        measure_workload(usable, workload, target, clock=clock, drawing=drawing, tell=telling)
    for subject in subjects:
        subject.find_ceiling()
    _share_ceilings(subjects)


def _share_ceilings(subjects: Sequence[VariantProcess]) -> None:
    """Give variants of one device, dtype and thread count one ceiling: it is the machine's."""
    tries: dict[tuple[str, str, int], list[float]] = {}
    for subject in subjects:
        tries.setdefault(subject.arithmetic, []).extend(subject.ceilings)
    for subject in subjects:
        subject.ceilings = tries[subject.arithmetic] if subject.ceilings else []


def _ratios(subjects: Sequence[VariantProcess], plan: BenchPlan) -> list[Ratio]:
    """Every variant against the first that was measured to the end, per workload."""
    usable = [one for one in subjects if one.error is None]
    ratios = []
    for workload in plan.workloads:
        for subject in usable[1:]:
            mine, base = subject.rounds(workload.name), usable[0].rounds(workload.name)
            ratio = speed_ratio([one.wall for one in mine], [one.wall for one in base])
            measured = all(one.cpu > 0 for one in (*mine, *base))
            ratios.append(
                Ratio(
                    workload=workload.name,
                    label=subject.label,
                    against=usable[0].label,
                    ratio=ratio,
                    cpu_ratio=speed_ratio([one.cpu for one in mine], [one.cpu for one in base])
                    if measured
                    else None,
                    rounds=len(mine),
                    comparison=comparison(ratio),
                )
            )
    return ratios


def _is_noise_floor(ratio: Ratio, plan: BenchPlan) -> bool:
    first = plan.variants[0].label
    return plan.against_itself and (ratio.against, ratio.label) == (first, second_label(first))
