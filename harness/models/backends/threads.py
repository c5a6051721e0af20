"""Threads that run jobs: how many workers, of how many threads each, suits this machine at this moment.

Two workers of one thread each are often faster than one of two: nobody waits for the slower half of each
small matrix product. How much, and whether, depends on the machine and on who else uses it, so it is
measured: each way runs the same few jobs in turn, for less than a second, before the first text that matters.
Torch lets go of Python's lock while it computes, so workers are threads and share the model's memory.
"""

from __future__ import annotations

import itertools
import re
import statistics
import time
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeVar

from harness.errors import HarnessError
from harness.system.environment import cores

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

J = TypeVar("J")
R = TypeVar("R")

_SECONDS = 0.8
"""Time that a calibration may take, if each way could be tried once by then."""
_MOST_SECONDS = 2.5
"""Time at which a first round of tries is not begun."""
_ROUNDS = 7
_IN_FLIGHT = 4
"""Jobs per worker that wait at most: enough to keep it busy, few enough to hold in memory."""


@dataclass(frozen=True, slots=True, order=True)
class ThreadLayout:
    """A way to use threads: so many workers, of so many threads each."""

    workers: int
    per_worker: int
    how: str = field(default="", compare=False)
    """How it was chosen: `calibrated`, `asked for`, …"""

    def __str__(self) -> str:
        return f"{self.workers}×{self.per_worker}"


class Workers:
    """Runs jobs on the threads that were asked for, or that a calibration found fastest.

    asked: `auto`; `N` for at most N threads; `WxT` for W workers of T threads each, without calibration.
    divisible: whether several threads may share one job; else each worker has one.
    Raises HarnessError for anything else.
    """

    def __init__(self, asked: str = "auto", *, divisible: bool = True) -> None:
        self._ways, self._divisible = ways(asked), divisible
        if not divisible:
            self._ways = (ThreadLayout(self._ways[0].workers * self._ways[0].per_worker, 1),)
        self.way = self._ways[0]
        self.how = (
            "not calibrated" if len(self._ways) > 1 else "asked for" if "x" in asked else "the only way"
        )
        self.trials: dict[ThreadLayout, float] = {}
        """Median seconds of each way in the calibration."""
        self._pools: dict[ThreadLayout, ThreadPoolExecutor] = {}

    @property
    def settled(self) -> bool:
        """Whether there is nothing to calibrate any more."""
        return self.how != "not calibrated"

    def calibrate(self, run: Callable[[], object]) -> None:
        """Take the way in which several calls of `run`, one job's work, are done soonest.

        Where a job takes so long that trying would cost more than it gains, most workers are taken.
        """
        calls = 2 * max(way.workers for way in self._ways)
        began = time.perf_counter()
        run()
        if (time.perf_counter() - began) * calls * len(self._ways) > _MOST_SECONDS * self._ways[0].workers:
            self.how = "too slow to try"
            return
        seconds: dict[ThreadLayout, list[float]] = {way: [] for way in self._ways}
        for turn in range(_ROUNDS):
            for way in self._ways if turn % 2 else reversed(self._ways):
                start = time.perf_counter()
                for _ in self._map(way, lambda _: run(), range(calls)):
                    pass
                seconds[way].append(time.perf_counter() - start)
            if time.perf_counter() - began > _SECONDS:
                break
        self.trials = {way: statistics.median(times) for way, times in seconds.items()}
        self.way = min(self.trials, key=lambda way: (self.trials[way], way))
        self.how = "calibrated"
        for way in [way for way in self._pools if way != self.way]:
            self._pools.pop(way).shutdown(wait=False)

    def map(self, run: Callable[[J], R], jobs: Iterable[J], *, alone: bool = False) -> Iterator[tuple[J, R]]:
        """Yield each job with what `run` makes of it, in order; jobs are drawn while others run.

        alone: one job at a time, that all threads work on together where it is divisible.
        """
        all_threads = self.way.workers * self.way.per_worker if self._divisible else 1
        way = ThreadLayout(1, all_threads) if alone else self.way
        return self._map(way, run, jobs)

    def _map(self, way: ThreadLayout, run: Callable[[J], R], jobs: Iterable[J]) -> Iterator[tuple[J, R]]:
        pool = self._pool(way)
        waiting = iter(jobs)
        first = itertools.islice(waiting, _IN_FLIGHT * way.workers)
        flying = deque((job, pool.submit(run, job)) for job in first)
        try:
            while flying:
                job, future = flying.popleft()
                result = future.result()
                flying.extend((one, pool.submit(run, one)) for one in itertools.islice(waiting, 1))
                yield job, result
        finally:
            for _, future in flying:
                future.cancel()

    def _pool(self, way: ThreadLayout) -> ThreadPoolExecutor:
        if way not in self._pools:
            self._pools[way] = ThreadPoolExecutor(
                way.workers, "encode", initializer=_use_threads, initargs=(way.per_worker,)
            )
        return self._pools[way]


def ways(asked: str, available: int | None = None) -> tuple[ThreadLayout, ...]:
    """Ways to use the threads asked for, the one of most workers first; all of them use at most that many.

    Raises HarnessError for what is neither `auto`, nor `N`, nor `WxT`.
    """
    exact = re.fullmatch(r"([1-9]\d{0,3})(?:x([1-9]\d{0,3}))?", asked)
    if asked != "auto" and not exact:
        raise HarnessError(f"--threads {asked!r} is none of auto, N, WxT", hint="for example 4, or 2x1")
    if exact and exact[2]:
        return (ThreadLayout(int(exact[1]), int(exact[2])),)
    there = available or cores()
    most = min(int(exact[1]), there) if exact else there
    found = {ThreadLayout(workers, most // workers) for workers in (most, most // 2, most // 4, 1) if workers}
    return tuple(sorted(found, reverse=True))


def _use_threads(count: int) -> None:
    """Let this thread's matrix products use so many threads: the setting is each thread's own."""
    import torch

    torch.set_num_threads(count)
