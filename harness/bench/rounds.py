"""Measurement of one workload: warm-up, latencies, batch curve, then interleaved rounds."""

from __future__ import annotations

import math
import statistics
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from harness.bench.intervals import speed
from harness.bench.machine import NO_TIME, CoreTime, core_time
from harness.bench.protocol import Calls, Pass, Prepare, Prepared, Times
from harness.bench.records import BatchPoint, Latency, Round, Surroundings, WorkloadResult
from harness.bench.stopping import MOST_WARM_UP, Target, has_settled, is_enough, verdict
from harness.system.environment import load

if TYPE_CHECKING:
    import random
    from collections.abc import Callable, Sequence

    from harness.bench.variant_process import VariantProcess
    from harness.bench.workloads import Workload

SIZES = (1, 2, 4, 8, 16, 32, 64, 128)
"""Texts per call of the batch curve."""
SHORTEST = 0.2
"""Minimum seconds of a round: a shorter pass is repeated."""
MOST_PASSES = 50
"""Maximum number of passes in a round."""
MOST_CALLS = 200
"""Maximum number of single texts that are timed."""
_FEWEST_FOR_P99 = 100


@dataclass
class WorkloadRun:
    """Timings of one variant on one workload, while they are collected."""

    process: VariantProcess
    prepared: Prepared
    warm_up: list[Round] = field(default_factory=list)
    rounds: list[Round] = field(default_factory=list)
    passes: int = 1
    latency: Latency | None = None
    curve: list[BatchPoint] = field(default_factory=list)
    joules: float = 0.0
    machine: CoreTime = NO_TIME
    """Core time of the whole machine during the rounds of this variant."""
    own: float = 0.0
    """Our own share of that time, in core-seconds."""

    def time_round(self) -> Round | None:
        """Time one round; None if the variant failed."""
        times = self.process.try_ask(Pass(self.passes), Times)
        return Round(times.wall[0], times.cpu[0]) if times else None

    def record_round(self) -> None:
        """Time a round and record it, with the load of the machine and the energy."""
        meter = self.process.meter
        if meter is not None:
            meter.read()
        before, used = core_time(), time.process_time()
        times = self.process.try_ask(Pass(self.passes), Times)
        after = core_time()
        if times is None:
            return
        self.rounds.append(Round(times.wall[0], times.cpu[0]))
        if before is not None and after is not None:
            self.machine += after - before
            self.own += times.spent + time.process_time() - used
        if meter is not None:
            self.joules += meter.read()


def measure_workload(
    processes: Sequence[VariantProcess],
    workload: Workload,
    target: Target,
    *,
    clock: Callable[[], float],
    rng: random.Random,
    tell: Callable[[str], None],
) -> None:
    """Measure variants on a workload until the target is reached; each process keeps its result.

    A variant that fails drops out, with the reason in its `error`. rng: draws the order within rounds, so
    that neither drift of the machine nor the position in a round favors a variant (see
    `intervals.speed_ratio`). tell: shows progress.
    """
    share, load_before = target.deadline - clock(), load()
    runs = []
    for process in processes:
        prepared = process.try_ask(Prepare(workload.texts), Prepared)
        if prepared is not None:
            runs.append(WorkloadRun(process, prepared))
    for run in runs:
        tell(f"warming up {run.process.label}")
        _warm_up(run, clock() + share / 6 / len(runs), clock)
    tell("single texts and batch sizes")
    _latencies(runs, share, rng)
    _curves(runs, workload, share, rng)
    _rounds(runs, target, clock, rng, tell)
    load_after = load()
    for run in runs:
        if run.process.error is None:
            run.process.keep(_result(run, workload, load_before, load_after), run.prepared.operations)


def _warm_up(run: WorkloadRun, deadline: float, clock: Callable[[], float]) -> None:
    """Time rounds until they settle or the deadline passes; then choose the number of passes in a round."""
    while len(run.warm_up) < MOST_WARM_UP and not has_settled([each.wall for each in run.warm_up]):
        if len(run.warm_up) >= 2 and clock() >= deadline:
            break
        warm_up = run.time_round()
        if warm_up is None:
            return
        run.warm_up.append(warm_up)
    typical = statistics.median(each.wall for each in run.warm_up[-3:])
    run.passes = max(1, min(MOST_PASSES, math.ceil(SHORTEST / typical))) if typical > 0 else MOST_PASSES


def _latencies(runs: Sequence[WorkloadRun], share: float, rng: random.Random) -> None:
    """Time single texts: at most MOST_CALLS, in at most a twelfth of the time."""
    for run in rng.sample(runs, len(runs)):
        request = Calls(1, MOST_CALLS, min(3.0, share / 12 / len(runs)))
        times = run.process.try_ask(request, Times)
        if times is not None:
            run.latency = latency(times.wall)


def latency(seconds: Sequence[float]) -> Latency:
    """Return percentiles of single-text calls in milliseconds; needs at least one call.

    Interpolates linearly between order statistics, as numpy does by default.
    """
    ordered = sorted(seconds)

    def percentile(share: float) -> float:
        position = share * (len(ordered) - 1)
        below = math.floor(position)
        above = min(below + 1, len(ordered) - 1)
        return 1000 * (ordered[below] + (position - below) * (ordered[above] - ordered[below]))

    p99 = percentile(0.99) if len(ordered) >= _FEWEST_FOR_P99 else None
    return Latency(texts=len(ordered), p50=percentile(0.5), p95=percentile(0.95), p99=p99)


def _curves(runs: Sequence[WorkloadRun], workload: Workload, share: float, rng: random.Random) -> None:
    """Time calls of each size, variants interleaved, in about a tenth of the time."""
    sizes = [size for size in SIZES if size <= len(workload.texts)]
    seconds = min(0.5, share / 10 / len(sizes) / max(1, len(runs)))
    for size in sizes:
        for run in rng.sample(runs, len(runs)):
            times = run.process.try_ask(Calls(size, len(workload.texts), seconds), Times)
            if times is not None:
                run.curve.append(BatchPoint(size, size * len(times.wall) / sum(times.wall)))


def _rounds(
    runs: Sequence[WorkloadRun],
    target: Target,
    clock: Callable[[], float],
    rng: random.Random,
    tell: Callable[[str], None],
) -> None:
    """Time rounds in pairs: a random order, then its reverse (A B B A, or B A A B)."""
    running = [run for run in runs if run.process.error is None]
    order: list[WorkloadRun] = []
    while running:
        timed = {run.process.label: [each.wall for each in run.rounds] for run in running}
        done = len(running[0].rounds)
        if is_enough(timed, target, clock()):
            return
        tell(f"round {done + 1}")
        order = order[::-1] if done % 2 else rng.sample(running, len(running))
        for run in order:
            run.record_round()
        running = [run for run in running if run.process.error is None]


def _result(
    run: WorkloadRun, workload: Workload, load_before: float | None, load_after: float | None
) -> WorkloadResult:
    prepared, walls = run.prepared, [each.wall for each in run.rounds]
    texts_per_second = speed(walls, len(workload.texts))
    # From the median of texts per second: with an even number of rounds, the median of seconds would differ.
    seconds = len(workload.texts) / texts_per_second.value
    encoded = len(workload.texts) * run.passes * len(walls)
    return WorkloadResult(
        workload=workload.name,
        digest=workload.digest,
        texts=len(workload.texts),
        tokens=prepared.tokens,
        padded_tokens=prepared.padded_tokens,
        passes=run.passes,
        warm_up=tuple(run.warm_up),
        settled=has_settled([each.wall for each in run.warm_up]),
        rounds=tuple(run.rounds),
        texts_per_second=texts_per_second,
        tokens_per_second=_per_second(prepared.tokens, seconds),
        padded_tokens_per_second=_per_second(prepared.padded_tokens, seconds),
        latency=run.latency,
        batch_curve=tuple(run.curve),
        share_of_ceiling=None,
        joules_per_text=run.joules / encoded if run.process.meter else None,
        surroundings=_surroundings(run, load_before, load_after),
        verdict=verdict(texts_per_second),
    )


def _surroundings(run: WorkloadRun, load_before: float | None, load_after: float | None) -> Surroundings:
    machine = run.machine
    known = machine.total > 0
    return Surroundings(
        load_before=load_before,
        load_after=load_after,
        others=max(0.0, machine.busy - run.own) / machine.total if known else None,
        steal=machine.stolen / machine.total if known else None,
    )


def _per_second(count: int | None, seconds: float) -> float | None:
    return None if count is None else count / seconds
