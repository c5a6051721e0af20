"""`--executor processes`: a process for each accelerator, or group of processors, of this machine."""

from __future__ import annotations

import contextlib
import itertools
import os
import pickle
import subprocess
import tempfile
import time
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from pathlib import Path
from typing import IO, TYPE_CHECKING, cast

from harness.errors import HarnessError
from harness.plugins.executor import UnitAdvanced, UnitDone, WorkerEnded, WorkerReady
from harness.system import processes
from harness.system.environment import cores
from harness.system.work_unit import UnitProgress, WorkerFacts

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from harness.plugins.executor import ExecutorRequest, WorkerEvent
    from harness.system.work_unit import WorkerSetup, WorkUnit

_MODULE = "harness.execution.process_worker"
_TRACE = 20_000
"""Maximum characters of standard error that are kept."""
_TO_FINISH = 8.0
"""Maximum seconds for a process that trains to save a checkpoint; `docker stop` kills us after ten."""
_CORES = 8
"""Processors of a worker where their number is not given: two threads of one kind gain little beyond it."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a worker runs: its processors, and its accelerator, if any."""

    processors: tuple[int, ...]
    accelerator: str = ""


class ProcessWorkers:
    """Processes, each with processors or an accelerator of its own; one that ends is replaced."""

    def __init__(self, setup: WorkerSetup, places: Sequence[Place]) -> None:
        self.count = len(places)
        self._setup, self._closed = setup, False
        self._numbers = itertools.count(1)
        self._running: dict[str, _Worker] = {}
        for place in places:
            self._start(place)

    def assign(self, worker: str, unit: WorkUnit) -> None:
        """Write a unit to a process, which reads it at once."""
        if worker in self._running:
            self._running[worker].send(unit)

    def wait(self, seconds: float) -> Sequence[WorkerEvent]:
        """Return what processes wrote, and which ended."""
        by_pipe = {running.answers: name for name, running in self._running.items()}
        events = [
            event
            for pipe in wait(list(by_pipe), seconds)
            for event in self._read(by_pipe[cast("Connection", pipe)])
        ]
        # A process that a model forked holds the pipe of one that has ended: its end would not be read.
        for name, running in list(self._running.items()):
            if running.process.poll() is not None and not self._closed and not running.answers.poll():
                events += self._replace(name)
        return events

    def close(self) -> None:
        """End all processes; one that trains has some seconds to save a checkpoint."""
        self._closed = True
        running = list(self._running.values())
        try:
            for each in running:
                each.process.terminate()
            until = time.monotonic() + _TO_FINISH
            for each in running:
                with contextlib.suppress(subprocess.TimeoutExpired):
                    each.process.wait(max(0.0, until - time.monotonic()))
        finally:
            for each in running:
                each.end()

    def _read(self, name: str) -> Iterator[WorkerEvent]:
        running = self._running[name]
        try:
            said = pickle.loads(running.answers.recv_bytes())  # noqa: S301 - a process of ours wrote it
        except (EOFError, OSError, pickle.UnpicklingError):
            if not self._closed:
                yield from self._replace(name)
            return
        if isinstance(said, WorkerFacts):
            yield WorkerReady(worker=name, facts=said)
        elif isinstance(said, UnitProgress):
            yield UnitAdvanced(worker=name, progress=said)
        else:
            yield UnitDone(worker=name, outcome=said)

    def _replace(self, name: str) -> Iterator[WorkerEvent]:
        """Start another process in place of one that has ended, and say so."""
        running = self._running.pop(name)
        how, hint = running.process.exit_reason() if running.has_ended() else ("it hung up", None)
        trace = running.end()
        self._start(running.place)
        yield WorkerEnded(worker=name, reason=how, hint=hint, trace=trace)

    def _start(self, place: Place) -> None:
        if not self._closed:
            self._running[str(next(self._numbers))] = _Worker(self._setup, place)


class _Worker:
    """A process, as the parent sees it."""

    def __init__(self, setup: WorkerSetup, place: Place) -> None:
        self.place = place
        self._stderr = tempfile.TemporaryFile()  # noqa: SIM115 - closed with the process
        self.process = processes.Process(
            processes.python_module(_MODULE),
            self._stderr,
            {"CUDA_VISIBLE_DEVICES": place.accelerator} if place.accelerator else {},
        )
        self.answers = Connection(os.dup(cast("IO[bytes]", self.process.stdout).fileno()), writable=False)
        self._orders = Connection(os.dup(cast("IO[bytes]", self.process.stdin).fileno()), readable=False)
        for pipe in (self.process.stdout, self.process.stdin):
            cast("IO[bytes]", pipe).close()
        self.send((setup, place))

    def send(self, message: object) -> None:
        """Write to the process; nothing where it has ended, which `answers` tells."""
        with contextlib.suppress(BrokenPipeError, ConnectionError):
            self._orders.send_bytes(pickle.dumps(message, protocol=pickle.HIGHEST_PROTOCOL))

    def has_ended(self) -> bool:
        """Whether it ends by itself within a second: it may close its pipes before."""
        with contextlib.suppress(Exception):
            self.process.wait(1.0)
        return self.process.poll() is not None

    def end(self) -> str:
        """Kill it, and all that it started; return the end of what it wrote to its standard error."""
        self.process.end()
        for pipe in (self.answers, self._orders):
            with contextlib.suppress(OSError):
                pipe.close()
        if self._stderr.closed:  # by the other thread
            return ""
        with self._stderr:
            self._stderr.seek(0)
            return self._stderr.read().decode(errors="replace")[-_TRACE:]


def places(workers: int | None) -> list[Place]:
    """Return where workers go: one per accelerator, or groups of processors that do not overlap.

    workers: how many; None for one per accelerator, or per eight processors, but two where there are two.
    Raises HarnessError for more workers than there are of either.
    """
    processors = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else list(range(cores()))
    devices = accelerators()
    available = cores()
    count = workers or (len(devices) or max(-(-available // _CORES), min(2, available)))
    if count > max(len(devices), available):
        raise HarnessError(
            f"{count} workers are more than this machine has processors ({available})"
            + (f" and accelerators ({len(devices)})" if devices else ""),
            hint=f"--workers {max(len(devices), available)} at most; each takes one of its own",
        )
    # Where the machine is shared by a quota, the groups are as many as its processors allow, not what it has.
    shared = [(processors[number % len(processors)],) for number in range(count)]
    groups = [tuple(processors[number::count]) or shared[number] for number in range(count)]
    return [
        Place(group, devices[number % len(devices)] if devices else "") for number, group in enumerate(groups)
    ]


def accelerators() -> list[str]:
    """Return the NVIDIA devices that this process may use, as in CUDA_VISIBLE_DEVICES; loads no torch."""
    named = os.environ.get("CUDA_VISIBLE_DEVICES")
    if named is not None:
        return [name.strip() for name in named.split(",") if name.strip() not in ("", "-1")]
    try:
        found = len(list(Path("/proc/driver/nvidia/gpus").iterdir()))
    except OSError:
        return []
    return [str(number) for number in range(found)]


def open_processes(request: ExecutorRequest) -> ProcessWorkers:
    """Start processes; raises HarnessError as `requested_places`."""
    return ProcessWorkers(request.setup, requested_places(request))


def requested_places(request: ExecutorRequest) -> list[Place]:
    """Return where workers go; raises HarnessError for too many, and for an address: they are here."""
    if request.address:
        raise HarnessError(
            "--executor processes has no address: its workers are on this machine",
            hint="--executor ray takes one",
        )
    return places(request.workers)
