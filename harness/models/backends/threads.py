"""Threads that run batches: choose how many workers, of how many threads each, are fastest here and now.

Two workers of one thread each are often faster than one of two: no thread waits for the slower half of each
small matrix product. Whether, and by how much, depends on the machine and on its other load, so it is
measured: each layout runs the same few batches in turn, for less than a second, before the first text that
matters. Torch releases Python's lock while it computes, so workers are threads and share the model's memory.
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
"""Maximum seconds of a calibration, once each layout was tried."""
_MAX_FIRST_ROUND = 2.5
"""Maximum seconds of a first round of tries; if it would take longer, no layout is tried."""
_ROUNDS = 7
_IN_FLIGHT = 4
"""Maximum batches per worker that wait: enough to keep it busy, few enough to hold in memory."""


@dataclass(frozen=True, slots=True, order=True)
class ThreadLayout:
    """A number of workers, and of threads of each."""

    workers: int
    per_worker: int
    how: str = field(default="", compare=False)
    """How it was chosen: `calibrated`, `asked for`, …"""

    def __str__(self) -> str:
        return f"{self.workers}×{self.per_worker}"


class Workers:
    """Run batches on the requested threads, or on those that a calibration found fastest.

    requested: `auto`; `N` for at most N threads; `WxT` for W workers of T threads each, without calibration.
    divisible: whether several threads may share one batch; else each worker has one thread.
    layout: the one that was fastest before, which saves a calibration.
    Raises HarnessError for any other request.
    """

    def __init__(
        self, requested: str = "auto", *, divisible: bool = True, layout: ThreadLayout | None = None
    ) -> None:
        self._layouts, self._divisible = thread_layouts(requested), divisible
        if not divisible:
            self._layouts = (ThreadLayout(self._layouts[0].workers * self._layouts[0].per_worker, 1),)
        self.layout = self._layouts[0]
        self.how = "asked for" if "x" in requested else "the only way"
        if layout in self._layouts and len(self._layouts) > 1:
            self.layout, self.how = layout, "calibrated before"
        elif len(self._layouts) > 1:
            self.how = "not calibrated"
        self.trials: dict[ThreadLayout, float] = {}
        """Median seconds of each layout in the calibration."""
        self._pools: dict[ThreadLayout, ThreadPoolExecutor] = {}

    @property
    def needs_calibration(self) -> bool:
        """Whether there are several layouts and none was chosen yet."""
        return self.how == "not calibrated"

    def calibrate(self, run: Callable[[], object]) -> None:
        """Choose the layout that first finishes several calls of `run`, which is the work of one batch.

        Where a batch takes so long that trying would cost more than it gains, most workers are chosen.
        """
        calls = 2 * max(layout.workers for layout in self._layouts)
        began = time.perf_counter()
        run()
        first_round = (time.perf_counter() - began) * calls * len(self._layouts) / self._layouts[0].workers
        if first_round > _MAX_FIRST_ROUND:
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
        """Yield each batch with the result of `run`, in order; batches are drawn while others run.

        alone: one batch at a time, which all threads share where it is divisible.
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
                flying.extend((later, pool.submit(run, later)) for later in itertools.islice(waiting, 1))
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
    """Return layouts of the requested threads, that of most workers first; none uses more threads.

    Raises HarnessError for anything but `auto`, `N` or `WxT`.
    """
    exact = re.fullmatch(r"([1-9]\d{0,3})(?:x([1-9]\d{0,3}))?", requested)
    if requested != "auto" and not exact:
        raise HarnessError(
            f"invalid value {requested!r} for --threads: not auto, N or WxT", hint="for example 4 or 2x1"
        )
    if exact and exact[2]:
        return (ThreadLayout(int(exact[1]), int(exact[2])),)
    available = available or cores()
    limit = min(int(exact[1]), available) if exact else available
    counts = {workers for workers in (limit, limit // 2, limit // 4, 1) if workers}
    return tuple(sorted((ThreadLayout(workers, limit // workers) for workers in counts), reverse=True))


def _use_threads(count: int) -> None:
    """Let this thread's matrix products use so many threads: torch keeps that setting per thread."""
    import torch

    torch.set_num_threads(count)
