"""Measurement of variants: starts their processes, interleaves their rounds, computes ratios."""

from __future__ import annotations

import os
import random
import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from harness.bench import energy
from harness.bench.intervals import speed_ratio
from harness.bench.machine import competitors, descendants, describe_machine, processor_seconds
from harness.bench.process import Worker
from harness.bench.records import Bench, Ratio, VariantResult
from harness.bench.rounds import measure_workload
from harness.bench.stopping import Target, comparison
from harness.bench.variant_process import VariantProcess, WorkerLike
from harness.system.environment import libraries

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from harness.bench.workloads import Workload
    from harness.models.interface import ModelSpec


@dataclass(frozen=True, slots=True)
class Variant:
    """A model with one set of settings, and its label in the output."""

    label: str
    spec: ModelSpec


@dataclass(frozen=True, slots=True, kw_only=True)
class BenchPlan:
    """Variants and workloads to measure, with limits."""

    variants: Sequence[Variant]
    workloads: Sequence[Workload]
    plugins: tuple[str, ...] = ()
    """Single-file plugins that each worker loads."""
    margin: float = 0.02
    """Maximum relative half-width of an interval that is precise enough."""
    budget: float = 120.0
    """Seconds for all variants and workloads, loading excluded."""
    against_itself: bool = False
    """Whether to measure the first variant twice, in two processes, for the noise floor."""


class BenchProgress:
    """Display of a bench's progress; this one shows nothing."""

    def step(self, what: str, done: float) -> None:
        """Show the current step and the share of the bench that is done, in [0, 1]."""


def measure(
    plan: BenchPlan,
    progress: BenchProgress,
    *,
    started: str,
    start: Callable[[str], WorkerLike] = Worker,
    clock: Callable[[], float] = time.monotonic,
) -> Bench:
    """Measure every variant on every workload; a variant that fails has an error, and the others go on.

    started: UTC, ISO 8601; it seeds the order within rounds. start: starts the worker of a label; all
    workers are ended in any case.
    """
    processes = _make_processes(plan)
    began, before = clock(), processor_seconds()
    ours: set[int] = set()
    try:
        for position, process in enumerate(processes):
            progress.step(f"loading {process.label}", 0.1 * position / len(processes))
            if position and process.label == second_label(processes[0].label) and processes[0].threads:
                # Both use the same threads: variation of the calibration is not noise of the measurement.
                process.spec = replace(process.spec, threads=processes[0].threads)
            process.load(start, plan.plugins, tuple(workload.texts for workload in plan.workloads))
        ours = descendants(os.getpid())
        rng = random.Random(started)  # noqa: S311 - an order, not a secret
        loaded = [process for process in processes if process.error is None]
        _measure_workloads(plan, loaded, progress, clock, rng)
        for process in processes:
            process.finish()
    finally:
        for process in processes:
            process.end()
    ratios = _ratios(processes, plan)
    seconds = clock() - began
    meter = next((process.meter for process in processes if process.meter), None)
    return Bench(
        started=started,
        machine=describe_machine({name for process in processes for name in process.devices}),
        libraries=libraries(),
        margin=plan.margin,
        budget=plan.budget,
        seconds=seconds,
        variants=tuple(process.result() for process in processes),
        ratios=tuple(ratio for ratio in ratios if not _is_noise_floor(ratio, plan)),
        noise_floor=tuple(ratio for ratio in ratios if _is_noise_floor(ratio, plan)),
        competitors=competitors(before, processor_seconds(), seconds, ours | {os.getpid()}),
        energy=meter.source if meter else None,
    )


def second_label(label: str) -> str:
    """Return the label of a variant's second process."""
    return f"{label} (2)"


def failed_variants(bench: Bench) -> list[VariantResult]:
    """Return the variants with an error."""
    return [variant for variant in bench.variants if variant.error is not None]


def _make_processes(plan: BenchPlan) -> list[VariantProcess]:
    first, *others = plan.variants
    second = [replace(first, label=second_label(first.label))] if plan.against_itself else []
    return [VariantProcess(variant.label, variant.spec) for variant in (first, *second, *others)]


def _measure_workloads(
    plan: BenchPlan,
    processes: list[VariantProcess],
    progress: BenchProgress,
    clock: Callable[[], float],
    rng: random.Random,
) -> None:
    end = clock() + plan.budget
    for process in processes:
        process.find_ceiling()
        process.meter = energy.find_meter(process.device)
    for position, workload in enumerate(plan.workloads):
        usable = [process for process in processes if process.error is None]
        if not usable:
            return
        now = clock()
        share = max(0.0, end - now) / (len(plan.workloads) - position)

        def tell(what: str, position: int = position, name: str = workload.name) -> None:
            progress.step(f"{name}: {what}", 0.1 + 0.9 * position / len(plan.workloads))

        target = Target(plan.margin, now + share)
        measure_workload(usable, workload, target, clock=clock, rng=rng, tell=tell)
    for process in processes:
        process.find_ceiling()
    _share_ceilings(processes)


def _share_ceilings(processes: Sequence[VariantProcess]) -> None:
    """Give variants of equal device, dtype and thread count the same ceiling, the machine's."""
    tries: dict[tuple[str, str, int], list[float]] = {}
    for process in processes:
        tries.setdefault(process.ceiling_key, []).extend(process.ceilings)
    for process in processes:
        process.ceilings = tries[process.ceiling_key] if process.ceilings else []


def _ratios(processes: Sequence[VariantProcess], plan: BenchPlan) -> list[Ratio]:
    """Return the ratio of every variant to the first one without an error, on each workload."""
    usable = [process for process in processes if process.error is None]
    ratios = []
    for workload in plan.workloads:
        for process in usable[1:]:
            mine, base = process.rounds(workload.name), usable[0].rounds(workload.name)
            ratio = speed_ratio([each.wall for each in mine], [each.wall for each in base])
            has_cpu_times = all(each.cpu > 0 for each in (*mine, *base))
            ratios.append(
                Ratio(
                    workload=workload.name,
                    label=process.label,
                    against=usable[0].label,
                    ratio=ratio,
                    cpu_ratio=speed_ratio([each.cpu for each in mine], [each.cpu for each in base])
                    if has_cpu_times
                    else None,
                    rounds=len(mine),
                    comparison=comparison(ratio),
                )
            )
    return ratios


def _is_noise_floor(ratio: Ratio, plan: BenchPlan) -> bool:
    first = plan.variants[0].label
    return plan.against_itself and (ratio.against, ratio.label) == (first, second_label(first))
