"""One workload, all variants: warm-up, latencies, batch curve, then interleaved rounds."""

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

    from harness.bench.variant import VariantProcess
    from harness.bench.workloads import Workload

SIZES = (1, 2, 4, 8, 16, 32, 64, 128)
"""Texts per call of the batch curve."""
SHORTEST = 0.2
"""Seconds that a round takes at least: a shorter pass is repeated."""
MOST_PASSES = 50
MOST_CALLS = 200
"""Single texts that are timed at most."""
_FEWEST_FOR_P99 = 100


@dataclass
class WorkloadRun:
    """How far a variant has come with a workload."""

    subject: VariantProcess
    prepared: Prepared
    warm_up: list[Round] = field(default_factory=list)
    rounds: list[Round] = field(default_factory=list)
    passes: int = 1
    latency: Latency | None = None
    curve: list[BatchPoint] = field(default_factory=list)
    joules: float = 0.0
    machine: CoreTime = NO_TIME
    """What all cores did while this variant's rounds ran."""
    own: float = 0.0
    """The part of it that was ours, in core-seconds."""

    def one_round(self) -> Round | None:
        """Time one round; None when the variant failed."""
        times = self.subject.try_asking(Pass(self.passes), Times)
        return Round(times.wall[0], times.cpu[0]) if times else None

    def counted_round(self) -> None:
        """Time a round that counts, and watch the machine meanwhile."""
        meter = self.subject.meter
        if meter is not None:
            meter.used()
        before, used = core_time(), time.process_time()
        times = self.subject.try_asking(Pass(self.passes), Times)
        after = core_time()
        if times is None:
            return
        self.rounds.append(Round(times.wall[0], times.cpu[0]))
        if before is not None and after is not None:
            self.machine += after - before
            self.own += times.spent + time.process_time() - used
        if meter is not None:
            self.joules += meter.used()


def measure_workload(
    subjects: Sequence[VariantProcess],
    workload: Workload,
    target: Target,
    *,
    clock: Callable[[], float],
    drawing: random.Random,
    tell: Callable[[str], None],
) -> None:
    """Measure subjects on a workload until the target is reached, and hand each its result.

    A subject that fails drops out, with the reason in its `error`. drawing: draws the order within rounds,
    so that neither drift of the machine nor the place in a round can favor a variant (see
    `intervals.speed_ratio`).
    """
    share, load_before = target.deadline - clock(), load()
    courses = []
    for subject in subjects:
        prepared = subject.try_asking(Prepare(workload.texts), Prepared)
        if prepared is not None:
            courses.append(WorkloadRun(subject, prepared))
    for course in courses:
        tell(f"warming up {course.subject.label}")
        _warm_up(course, clock() + share / 6 / len(courses), clock)
    tell("single texts and batch sizes")
    _latencies(courses, share, drawing)
    _curves(courses, workload, share, drawing)
    _rounds(courses, target, clock, drawing, tell)
    load_after = load()
    for course in courses:
        if course.subject.error is None:
            course.subject.keep(
                _result(course, workload, load_before, load_after), course.prepared.operations
            )


def _warm_up(course: WorkloadRun, deadline: float, clock: Callable[[], float]) -> None:
    """Encode until times settle, for a limited time; then choose how many passes make a round."""
    while len(course.warm_up) < MOST_WARM_UP and not has_settled([one.wall for one in course.warm_up]):
        if len(course.warm_up) >= 2 and clock() >= deadline:
            break
        one = course.one_round()
        if one is None:
            return
        course.warm_up.append(one)
    typical = statistics.median(one.wall for one in course.warm_up[-3:])
    course.passes = max(1, min(MOST_PASSES, math.ceil(SHORTEST / typical))) if typical > 0 else MOST_PASSES


def _latencies(courses: Sequence[WorkloadRun], share: float, drawing: random.Random) -> None:
    """Time single texts: up to MOST_CALLS of them, or for a twelfth of the time in all."""
    for course in drawing.sample(courses, len(courses)):
        order = Calls(1, MOST_CALLS, min(3.0, share / 12 / len(courses)))
        times = course.subject.try_asking(order, Times)
        if times is not None:
            course.latency = latency(times.wall)


def latency(seconds: Sequence[float]) -> Latency:
    """Percentiles of single-text calls, in milliseconds; at least one call.

    Linear between order statistics, as numpy's default.
    """
    ordered = sorted(seconds)

    def percentile(share: float) -> float:
        place = share * (len(ordered) - 1)
        below = math.floor(place)
        above = min(below + 1, len(ordered) - 1)
        return 1000 * (ordered[below] + (place - below) * (ordered[above] - ordered[below]))

    p99 = percentile(0.99) if len(ordered) >= _FEWEST_FOR_P99 else None
    return Latency(texts=len(ordered), p50=percentile(0.5), p95=percentile(0.95), p99=p99)


def _curves(courses: Sequence[WorkloadRun], workload: Workload, share: float, drawing: random.Random) -> None:
    """Time calls of each size, the variants side by side; for about a tenth of the time in all."""
    sizes = [size for size in SIZES if size <= len(workload.texts)]
    seconds = min(0.5, share / 10 / len(sizes) / max(1, len(courses)))
    for size in sizes:
        for course in drawing.sample(courses, len(courses)):
            times = course.subject.try_asking(Calls(size, len(workload.texts), seconds), Times)
            if times is not None:
                course.curve.append(BatchPoint(size, size * len(times.wall) / sum(times.wall)))


def _rounds(
    courses: Sequence[WorkloadRun],
    target: Target,
    clock: Callable[[], float],
    drawing: random.Random,
    tell: Callable[[str], None],
) -> None:
    """Time rounds in pairs: an order drawn at random, then the same reversed (A B B A, or B A A B)."""
    running = [one for one in courses if one.subject.error is None]
    order: list[WorkloadRun] = []
    while running:
        timed = {one.subject.label: [each.wall for each in one.rounds] for one in running}
        done = len(running[0].rounds)
        if is_enough(timed, target, clock()):
            return
        tell(f"round {done + 1}")
        order = order[::-1] if done % 2 else drawing.sample(running, len(running))
        for course in order:
            course.counted_round()
        running = [one for one in running if one.subject.error is None]


def _result(
    course: WorkloadRun, workload: Workload, load_before: float | None, load_after: float | None
) -> WorkloadResult:
    prepared, walls = course.prepared, [one.wall for one in course.rounds]
    texts_per_second = speed(walls, len(workload.texts))
    # Of the same middle as texts per second: of an even number of rounds, the medians' own would differ.
    seconds = len(workload.texts) / texts_per_second.value
    encoded = len(workload.texts) * course.passes * len(walls)
    return WorkloadResult(
        workload=workload.name,
        digest=workload.digest,
        texts=len(workload.texts),
        tokens=prepared.tokens,
        padded_tokens=prepared.padded_tokens,
        passes=course.passes,
        warm_up=tuple(course.warm_up),
        settled=has_settled([one.wall for one in course.warm_up]),
        rounds=tuple(course.rounds),
        texts_per_second=texts_per_second,
        tokens_per_second=_per_second(prepared.tokens, seconds),
        padded_tokens_per_second=_per_second(prepared.padded_tokens, seconds),
        latency=course.latency,
        batch_curve=tuple(course.curve),
        share_of_ceiling=None,
        joules_per_text=course.joules / encoded if course.subject.meter else None,
        surroundings=_surroundings(course, load_before, load_after),
        verdict=verdict(texts_per_second),
    )


def _surroundings(course: WorkloadRun, load_before: float | None, load_after: float | None) -> Surroundings:
    seen = course.machine
    known = seen.everything > 0
    return Surroundings(
        load_before=load_before,
        load_after=load_after,
        others=max(0.0, seen.busy - course.own) / seen.everything if known else None,
        steal=seen.stolen / seen.everything if known else None,
    )


def _per_second(count: int | None, seconds: float) -> float | None:
    return None if count is None else count / seconds
