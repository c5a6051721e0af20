"""Workers that live in this process: what they do, and when they end, is up to the test."""

from __future__ import annotations

import threading
from collections import deque
from dataclasses import dataclass, field

from harness.execution.unit_runner import UnitRunner, versions
from harness.plugins.executor import UnitDone, WorkerEnded, WorkerReady
from harness.system.work_unit import Outcome, WorkerFacts, WorkerSetup, next_number


@dataclass(frozen=True)
class Sum:
    """A unit that returns a sum; `group` stands for a model."""

    numbers: tuple[int, ...]
    group: str = ""
    what: str = "adding"
    number: int = field(default_factory=next_number, compare=False)


class FakeWorkers:
    """Workers whose units are done when they are asked what has happened, in the order of the workers.

    do: takes a worker's name and a unit, returns its outcome, or None where the worker ends.
    """

    def __init__(self, count=2, do=None, *, facts=None, dead_at_start=0):
        self.count, self._do = (
            count,
            do or (lambda _name, unit: Outcome(number=unit.number, result=sum(unit.numbers))),
        )
        self._facts = facts or (lambda _number: {})
        self._number, self._dead = 0, dead_at_start
        self._events = deque()
        self._given: dict[str, object] = {}
        self._lock = threading.Lock()
        self.did: list[tuple[str, object]] = []
        self.closed = False
        for _ in range(count):
            self._start()

    def _start(self):
        self._number += 1
        name = f"w{self._number}"
        if self._dead:
            self._dead -= 1
            self._events.append(WorkerEnded(worker=name, reason="exit 1", trace="no module named harness"))
            self._start()
            return
        facts = {"host": "here", "process": self._number, "cores": 1, "versions": versions()}
        self._events.append(
            WorkerReady(worker=name, facts=WorkerFacts(**{**facts, **self._facts(self._number)}))
        )

    def assign(self, worker, unit):
        with self._lock:
            self._given[worker] = unit

    def wait(self, seconds):
        if self.closed:
            return []
        with self._lock:
            given, self._given = self._given, {}
        for name, unit in given.items():
            outcome = self._do(name, unit)
            self.did.append((name, unit))
            if outcome is None:
                self._events.append(
                    WorkerEnded(worker=name, reason="killed by SIGKILL", hint="out of memory?")
                )
                self._start()
            else:
                self._events.append(UnitDone(worker=name, outcome=outcome))
        events, self._events = list(self._events), deque()
        if not events:
            threading.Event().wait(min(seconds, 0.005))
        return events

    def close(self):
        self.closed = True


def real_workers(folder, count=2, end_after=()):
    """Workers that do units for real; the units with the numbers in `end_after` end their worker."""
    runners: dict[str, UnitRunner] = {}
    counted = iter(range(10**6))

    def do(name, unit):
        if next(counted) in end_after:
            return None
        return runners.setdefault(name, UnitRunner(WorkerSetup(folder=str(folder)))).run(unit)

    return FakeWorkers(count, do)
