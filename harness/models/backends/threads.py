"""Threads that run batches: how many workers, of how many threads each, suits this machine at this moment.

Two workers of one thread each are often faster than one of two: nobody waits for the slower half of each
small matrix product. How much, and whether, depends on the machine and on who else uses it, so it is
measured: each way runs the same few batches in turn, for less than a second, before the first text that matters.
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

B = TypeVar("B")
R = TypeVar("R")

_SECONDS = 0.8
"""Time that a calibration may take, if each layout could be tried once by then."""
_MOST_SECONDS = 2.5
"""Time at which a first round of tries is not begun."""
_ROUNDS = 7
_IN_FLIGHT = 4
"""Batches per worker that wait at most: enough to keep it busy, few enough to hold in memory."""


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
    """Runs batches on the threads that were asked for, or that a calibration found fastest.

    requested: `auto`; `N` for at most N threads; `WxT` for W workers of T threads each, without calibration.
    divisible: whether several threads may share one batch; else each worker has one.
    Raises HarnessError for anything else.
    """

    def __init__(self, requested: str = "auto", *, divisible: bool = True) -> None:
        self._layouts, self._divisible = thread_layouts(requested), divisible
        if not divisible:
            self._layouts = (ThreadLayout(self._layouts[0].workers * self._layouts[0].per_worker, 1),)
        self.layout = self._layouts[0]
        self.how = (
            "not calibrated"
            if len(self._layouts) > 1
            else "asked for"
            if "x" in requested
            else "the only way"
        )
        self.trials: dict[ThreadLayout, float] = {}
        """Median seconds of each layout in the calibration."""
        self._pools: dict[ThreadLayout, ThreadPoolExecutor] = {}

    @property
    def needs_calibration(self) -> bool:
        """Whether there are several layouts, and none was chosen yet."""
        return self.how == "not calibrated"

    def calibrate(self, run: Callable[[], object]) -> None:
        """Take the layout in which several calls of `run`, one batch's work, are done soonest.

        Where a batch takes so long that trying would cost more than it gains, most workers are taken.
        """
        calls = 2 * max(layout.workers for layout in self._layouts)
        began = time.perf_counter()
        run()
        if (time.perf_counter() - began) * calls * len(self._layouts) > _MOST_SECONDS * self._layouts[
            0
        ].workers:
            self.how = "too slow to try"
            return
        seconds: dict[ThreadLayout, list[float]] = {layout: [] for layout in self._layouts}
        for turn in range(_ROUNDS):
            for layout in self._layouts if turn % 2 else reversed(self._layouts):
                start = time.perf_counter()
                for _ in self._map(layout, lambda _: run(), range(calls)):
                    pass
                seconds[layout].append(time.perf_counter() - start)
            if time.perf_counter() - began > _SECONDS:
                break
        self.trials = {layout: statistics.median(times) for layout, times in seconds.items()}
        self.layout = min(self.trials, key=lambda layout: (self.trials[layout], layout))
        self.how = "calibrated"
        for layout in [layout for layout in self._pools if layout != self.layout]:
            self._pools.pop(layout).shutdown(wait=False)

    def map(
        self, run: Callable[[B], R], batches: Iterable[B], *, alone: bool = False
    ) -> Iterator[tuple[B, R]]:
        """Yield each batch with what `run` makes of it, in order; batches are drawn while others run.

        alone: one batch at a time, that all threads work on together where it is divisible.
        """
        all_threads = self.layout.workers * self.layout.per_worker if self._divisible else 1
        layout = ThreadLayout(1, all_threads) if alone else self.layout
        return self._map(layout, run, batches)

    def _map(
        self, layout: ThreadLayout, run: Callable[[B], R], batches: Iterable[B]
    ) -> Iterator[tuple[B, R]]:
        pool = self._pool(layout)
        waiting = iter(batches)
        first = itertools.islice(waiting, _IN_FLIGHT * layout.workers)
        flying = deque((batch, pool.submit(run, batch)) for batch in first)
        try:
            while flying:
                batch, future = flying.popleft()
                result = future.result()
                flying.extend((one, pool.submit(run, one)) for one in itertools.islice(waiting, 1))
                yield batch, result
        finally:
            for _, future in flying:
                future.cancel()

    def _pool(self, layout: ThreadLayout) -> ThreadPoolExecutor:
        if layout not in self._pools:
            self._pools[layout] = ThreadPoolExecutor(
                layout.workers, "encode", initializer=_use_threads, initargs=(layout.per_worker,)
            )
        return self._pools[layout]


def thread_layouts(requested: str, available: int | None = None) -> tuple[ThreadLayout, ...]:
    """Ways to use the threads asked for, the one of most workers first; all of them use at most that many.

    Raises HarnessError for what is neither `auto`, nor `N`, nor `WxT`.
    """
    exact = re.fullmatch(r"([1-9]\d{0,3})(?:x([1-9]\d{0,3}))?", requested)
    if requested != "auto" and not exact:
        raise HarnessError(f"--threads {requested!r} is none of auto, N, WxT", hint="for example 4, or 2x1")
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
