"""Workers that are actors of Ray: units go to them, outcomes come back, and a lost one is replaced."""

from __future__ import annotations

import contextlib
import itertools
import os
import pickle
import threading
import time
from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING, Any

from harness import HarnessError
from harness.authoring import UnitDone, WorkerEnded, WorkerFacts, WorkerReady, plural, verb
from harness_ray.actor import Missing, UnitActor
from harness_ray.address import parse_address
from harness_ray.endings import Ending, ending
from harness_ray.files import Content, Listing, SentFiles, absolute
from harness_ray.session import Session
from harness_ray.shares import Node, Shares, share

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from harness.authoring import ExecutorRequest, WorkUnit

_NOTE, _LIMIT = 30.0, 300.0
"""Seconds without a place for a worker after which it is said; without any worker, after which a run ends."""
_PAUSES = 0.0, 1.0, 4.0, 15.0, 60.0
"""Seconds before another worker is started, by how many in a row have ended before they were ready."""
_CARRIED = (
    "HF_HUB_OFFLINE",
    "TRANSFORMERS_OFFLINE",
    "ATEN_CPU_CAPABILITY",
    "ONEDNN_MAX_CPU_ISA",
    "MKL_ENABLE_INSTRUCTIONS",
    "OPENBLAS_CORETYPE",
)
"""Variables that workers get as they are here: what may be fetched, and which kernels compute."""


@dataclass
class _Worker:
    actor: Any
    since: float
    """When it was asked for."""
    ready: bool = False
    unit: bytes = b""
    """A pickle of the unit that it has."""
    listings: dict[str, Listing] = field(default_factory=dict)
    """Of the paths that the unit needs."""
    wanted: list[str] = field(default_factory=list)
    """Paths that are still to be placed before the unit."""


@dataclass(frozen=True)
class _Call:
    """A call of an actor that has not returned."""

    worker: str
    kind: str
    """Name of the method."""
    content: Content | None = None
    sent: bool = False
    """Of `place`: whether references were with it."""


class RayWorkers:
    """Actors, each around a `UnitRunner`; one that ends is replaced."""

    def __init__(self, session: Session, shares: Shares, request: ExecutorRequest) -> None:
        self.count = shares.count
        self._session, self._ray, self._request = session, session.ray, request
        self._files = SentFiles(request.setup.folder, session.ray.put)
        self._actor = session.ray.remote(UnitActor).options(
            num_cpus=shares.cpus,
            num_gpus=shares.gpus,
            max_restarts=0,
            max_task_retries=0,
            runtime_env={"env_vars": _environment(shares.cpus)},
        )
        self._cpus, self._setup = shares.cpus, pickle.dumps(request.setup)
        self._plugins = [
            (path, absolute(path, request.setup.folder).read_bytes()) for path in request.setup.plugin_files
        ]
        self._numbers, self._lock, self._closed = itertools.count(1), threading.Lock(), False
        self._workers: dict[str, _Worker] = {}
        self._calls: dict[Any, _Call] = {}
        self._due: list[float] = []
        """When workers that ended are to be replaced."""
        self._failed_starts = 0
        self._noted, self._last_ready = False, time.monotonic()
        for _ in range(self.count):
            self._start()

    def assign(self, worker: str, unit: WorkUnit) -> None:
        """Send a unit to an actor."""
        if worker in self._workers:
            known = self._workers[worker]
            known.unit = pickle.dumps(unit, protocol=pickle.HIGHEST_PROTOCOL)
            known.listings = self._files.listings(unit.paths)
            self._run(worker)

    def wait(self, seconds: float) -> Sequence[WorkerEvent]:
        """Return what actors answered, and which ended; raises HarnessError where there are none for long."""
        with self._lock:
            if self._closed:
                return []
            self._replace()
            if not self._calls:
                time.sleep(min(seconds, 0.1))
                return []
            calls = list(self._calls)
            ready, _ = self._ray.wait(calls, num_returns=1, timeout=seconds)
            if ready:
                ready, _ = self._ray.wait(calls, num_returns=len(calls), timeout=0)
            events = [event for reference in ready for event in self._answered(reference)]
            self._tell_of_waiting()
            return events

    def close(self) -> None:
        """End all actors, and the Ray that was started for them."""
        self._closed = True
        held = self._lock.acquire(timeout=3)
        try:
            if not self._session.is_ours:  # they end with ours
                for worker in self._workers.values():
                    self._kill(worker)
            self._calls.clear()
            self._session.close()
        finally:
            if held:
                self._lock.release()

    def _start(self) -> None:
        name, actor = str(next(self._numbers)), self._actor.remote(self._cpus)
        self._workers[name] = _Worker(actor, time.monotonic())
        self._calls[actor.begin.remote(self._setup, self._plugins)] = _Call(name, "begin")

    def _run(self, name: str) -> None:
        worker = self._workers[name]
        self._calls[worker.actor.run.remote(worker.unit, worker.listings)] = _Call(name, "run")

    def _answered(self, reference: Any) -> Iterator[WorkerEvent]:  # noqa: ANN401 - an ObjectRef
        call = self._calls.pop(reference)
        try:
            answer = self._ray.get(reference)
            if call.kind == "begin":
                yield self._welcome(call.worker, answer)
            elif call.kind == "place":
                self._placed(call, answer)
            elif isinstance(answer, Missing):
                self._workers[call.worker].wanted = list(answer.paths)
                self._place_next(call.worker)
            else:
                yield UnitDone(worker=call.worker, outcome=pickle.loads(answer))  # noqa: S301 - our worker wrote it
        except self._ray.exceptions.RayError as error:
            yield self._lost(call.worker, ending(error))

    def _welcome(self, name: str, facts: dict[str, Any]) -> WorkerReady:
        self._workers[name].ready, self._failed_starts = True, 0
        self._last_ready, self._noted = time.monotonic(), False
        known = {one.name for one in fields(WorkerFacts)}  # another version may say more
        return WorkerReady(
            worker=name, facts=WorkerFacts(**{key: value for key, value in facts.items() if key in known})
        )

    def _place_next(self, name: str) -> None:
        """Ask whether a path's content is there; where all is, run the unit."""
        worker = self._workers[name]
        if not worker.wanted:
            self._run(name)
            return
        self._place(name, self._files.content(worker.wanted[0]), sent=False)

    def _placed(self, call: _Call, there: bool) -> None:
        if there:
            self._workers[call.worker].wanted.pop(0)
            self._place_next(call.worker)
        elif call.content is not None:
            self._place(call.worker, call.content, sent=True)

    def _place(self, name: str, content: Content, *, sent: bool) -> None:
        worker = self._workers[name]
        references = self._files.references(content) if sent else None
        reference = worker.actor.place.remote(content, worker.listings[content.path], references)
        self._calls[reference] = _Call(name, "place", content, sent)

    def _lost(self, name: str, how: Ending) -> WorkerEnded:
        worker = self._workers.pop(name)
        self._kill(worker)
        if not worker.ready:
            self._failed_starts += 1
        pause = _PAUSES[min(self._failed_starts, len(_PAUSES) - 1)]
        self._due.append(time.monotonic() + pause)
        return WorkerEnded(worker=name, reason=how.reason, hint=how.hint, trace=how.trace)

    def _replace(self) -> None:
        now = time.monotonic()
        for due in [due for due in self._due if due <= now]:
            self._due.remove(due)
            self._start()

    def _kill(self, worker: _Worker) -> None:
        with contextlib.suppress(Exception):
            self._ray.kill(worker.actor, no_restart=True)

    def _tell_of_waiting(self) -> None:
        """Say that workers wait for a place; raise HarnessError where there has been none for long."""
        now = time.monotonic()
        ready = sum(worker.ready for worker in self._workers.values())
        if ready:
            self._last_ready = now
        waiting = [now - worker.since for worker in self._workers.values() if not worker.ready]
        if not waiting or max(waiting) < _NOTE:
            return
        if not ready and now - self._last_ready > _LIMIT:
            raise HarnessError(
                f"no worker has found a place on this Ray for {_LIMIT / 60:.0f} minutes",
                exists=f"each asks for {plural(self._cpus, 'processor')}",
                hint="`ray status` shows what is free; others may hold it, or fewer --workers may fit",
            )
        if not self._noted:
            self._noted = True
            self._request.note(
                f"{plural(len(waiting), 'worker')} of {self.count} {verb(len(waiting), 'waits', 'wait')}"
                " for a place on Ray (`ray status` shows what is free)"
            )


WorkerEvent = WorkerReady | UnitDone | WorkerEnded


def open_ray(request: ExecutorRequest) -> RayWorkers:
    """Start a Ray, or join the one at an address, and ask it for actors.

    Raises HarnessError where that cannot be, and for more workers than a Ray of this machine has processors.
    """
    session = Session(parse_address(request.address) if request.address else None)
    try:
        nodes = [
            Node(int(node["Resources"].get("CPU", 0)), int(node["Resources"].get("GPU", 0)))
            for node in session.ray.nodes()
            if node["Alive"]
        ]
        shares = share(nodes, request.workers, may_grow=not session.is_ours)
        return RayWorkers(session, shares, request)
    except BaseException:
        session.close()
        raise


def _environment(cpus: int) -> dict[str, str]:
    """Return the variables of a worker: no more threads than its processors, which do not spin."""
    carried = {name: os.environ[name] for name in _CARRIED if name in os.environ}
    return {"OMP_NUM_THREADS": str(cpus), "OMP_WAIT_POLICY": "PASSIVE", **carried}
