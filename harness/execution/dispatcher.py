"""Hand units out to workers: who gets which, what a lost one costs, which workers are refused."""

from __future__ import annotations

import math
import threading
import time
from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from harness.errors import HarnessError
from harness.plugins.executor import UnitAdvanced, UnitDone, WorkerEnded, WorkerReady
from harness.system.plugin_code import PluginError, error_sentence

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from harness.plugins.executor import WorkerEvent, Workers
    from harness.system.work_unit import Failure, UnitProgress, WorkerFacts, WorkUnit

TRIES = 3
"""How often a unit is begun at most: each time but the last, its worker ended or had no memory for it."""
_QUEUED = 2
"""Units waiting for each worker, above which no more are wanted: their texts are in memory."""
_PATIENCE = 0.02, 0.5
"""Seconds to wait for events: with workers that have nothing to do, and without."""


class ExecutorError(HarnessError):
    """There are no workers, or they cannot be used: this ends a run, and is not of a model or a task."""


class UnitError(PluginError):
    """A unit raised an exception that is not a HarnessError; the text says where and what."""

    def __init__(self, failure: Failure) -> None:
        super().__init__(failure.message)
        self.trace = failure.trace


@dataclass(eq=False)
class Ticket:
    """A unit that was handed in, and what has become of it."""

    unit: WorkUnit
    done: bool = False
    tries: int = 0
    """How often it was begun."""
    progress: UnitProgress | None = None
    """How far it is, where it is being done and says so."""
    _result: Any = None
    _error: Exception | None = None

    def take(self) -> Any:  # noqa: ANN401 - each kind of unit returns its own
        """Return what the unit returned, once: it is let go. Raises what it raised."""
        if self._error is not None:
            raise self._error
        result, self._result = self._result, None
        return result

    def end(self, result: Any = None, error: Exception | None = None) -> None:  # noqa: ANN401 - as above
        """Take note of how it ended."""
        self.done, self._result, self._error = True, result, error


@dataclass
class DispatchCounts:
    """What a dispatcher has done."""

    done: int = 0
    repeated: int = 0
    """Units that were begun again, because their worker ended or had no memory for them."""
    ended: int = 0
    """Workers that ended before their time."""


@dataclass
class _Worker:
    facts: WorkerFacts
    ticket: Ticket | None = None
    group: str = ""
    """Of its last unit that has one: what it has loaded."""


@dataclass
class _State:
    """What the thread of a dispatcher and those that hand in units share; guarded by `changed`."""

    queue: deque[Ticket] = field(default_factory=deque)
    workers: dict[str, _Worker] = field(default_factory=dict)
    counts: DispatchCounts = field(default_factory=DispatchCounts)
    failed_starts: int = 0
    """Workers that ended before they were ready, since one last was."""
    fatal: Exception | None = None
    closed: bool = False
    events: int = 0


class Dispatcher:
    """Hands units to workers, one at a time to each; units of one model go where it is loaded.

    A unit whose worker ends is begun again, at most `TRIES` times, and so is one that memory was short for.
    expected: versions that all workers must have. note: takes a sentence for each worker that ended.
    name: the executor's.
    """

    def __init__(
        self,
        workers: Workers,
        expected: Mapping[str, str],
        note: Callable[[str], None] = lambda _: None,
        name: str = "of a plugin",
    ) -> None:
        self._workers, self._expected, self._note, self._name = workers, expected, note, name
        self._state, self._changed = _State(), threading.Condition()
        self._thread = threading.Thread(target=self._work, name="dispatcher", daemon=True)
        self._thread.start()

    @property
    def counts(self) -> DispatchCounts:
        """What has been done so far."""
        return self._state.counts

    @property
    def size(self) -> int:
        """How many workers there are to be."""
        return self._workers.count

    @property
    def ready(self) -> list[WorkerFacts]:
        """The workers that have started."""
        with self._changed:
            return [worker.facts for worker in self._state.workers.values()]

    @property
    def wants_more(self) -> bool:
        """Whether workers would soon have nothing to do."""
        return len(self._state.queue) < _QUEUED * self.size

    @property
    def left(self) -> int:
        """Units that are not done."""
        with self._changed:
            busy = sum(worker.ticket is not None for worker in self._state.workers.values())
            return len(self._state.queue) + busy

    def submit(self, unit: WorkUnit) -> Ticket:
        """Hand in a unit; raises ExecutorError where there can be no workers."""
        ticket = Ticket(unit)
        with self._changed:
            self._raise_if_fatal()
            self._state.queue.append(ticket)
        return ticket

    def cancel(self, tickets: Iterable[Ticket]) -> None:
        """Drop units that were not begun; what comes of the others is not looked at."""
        dropped = set(map(id, tickets))
        with self._changed:
            self._state.queue = deque(ticket for ticket in self._state.queue if id(ticket) not in dropped)

    def wait(self, seen: int, seconds: float = math.inf) -> int:
        """Wait until there are more events than those seen, and return how many there are.

        seconds: after which it returns in any case. Raises ExecutorError where there can be no workers.
        """
        until = time.monotonic() + seconds
        with self._changed:
            while self._state.events <= seen and self._state.fatal is None and time.monotonic() < until:
                self._changed.wait(min(1.0, until - time.monotonic()))
            self._raise_if_fatal()
            return self._state.events

    @property
    def events(self) -> int:
        """How many units have ended, or workers have come or gone."""
        return self._state.events

    def close(self) -> None:
        """End all workers."""
        with self._changed:
            self._state.closed = True
        self._thread.join(timeout=2 * max(_PATIENCE))  # so that it starts no worker any more; it may hang
        self._workers.close()
        self._thread.join(timeout=10)

    def _raise_if_fatal(self) -> None:
        if self._state.fatal is not None:
            raise self._state.fatal

    def _work(self) -> None:
        """Hand out units until it is closed; an error of the executor's is raised where the run waits."""
        try:
            while not self._state.closed:
                self._assign()
                idle = any(worker.ticket is None for worker in self._state.workers.values())
                for event in self._workers.wait(_PATIENCE[0] if idle else _PATIENCE[1]):
                    self._take(event)
        except BaseException as error:  # noqa: BLE001 - it is raised in the thread that waits
            if not self._state.closed:
                self._give_up(_as_user_error(error, self._name))

    def _assign(self) -> None:
        """Give each worker that has nothing to do a unit."""
        given = []
        with self._changed:
            for name, worker in self._state.workers.items():
                if worker.ticket is None and (ticket := self._next_for(worker)) is not None:
                    worker.ticket, worker.group = ticket, ticket.unit.group or worker.group
                    ticket.tries += 1
                    given.append((name, ticket.unit))
        for name, unit in given:
            self._workers.assign(name, unit)

    def _next_for(self, worker: _Worker) -> Ticket | None:
        """Take a unit from the queue: of what the worker has loaded, else of what the fewest others have."""
        queue = self._state.queue
        if not queue:
            return None
        held: dict[str, int] = {}
        for other in self._state.workers.values():
            if other.ticket is not None:
                held[other.group] = held.get(other.group, 0) + 1

        def rank(ticket: Ticket) -> tuple[bool, int]:
            group = ticket.unit.group
            return group not in ("", worker.group), held.get(group, 0)

        chosen = min(queue, key=rank)  # of several, the one that was handed in first
        queue.remove(chosen)
        return chosen

    def _take(self, event: WorkerEvent) -> None:
        with self._changed:
            if isinstance(event, WorkerReady):
                self._welcome(event)
            elif isinstance(event, UnitDone):
                self._finish(event)
            elif isinstance(event, UnitAdvanced):
                self._advance(event)
            else:
                self._mourn(event)
            self._state.events += 1
            self._changed.notify_all()

    def _welcome(self, event: WorkerReady) -> None:
        """Take a worker, if it has the versions of this process."""
        found = event.facts.versions
        differing = [
            f"{name} {found.get(name, 'is missing')} there, {self._expected.get(name, 'missing')} here"
            for name in {**self._expected, **found}
            if found.get(name) != self._expected.get(name)
        ]
        if differing:
            self._give_up(
                ExecutorError(
                    f"worker {event.facts.place} has other versions than this process",
                    exists="\n".join(differing),
                    hint="install the same versions: scores would depend on who computes them",
                )
            )
            return
        self._state.failed_starts = 0
        self._state.workers.setdefault(event.worker, _Worker(event.facts))  # it may be told twice

    def _finish(self, event: UnitDone) -> None:
        worker = self._state.workers.get(event.worker)
        if worker is None or worker.ticket is None or worker.ticket.unit.number != event.outcome.number:
            return  # it was told before
        ticket, worker.ticket = worker.ticket, None
        failure = event.outcome.failure
        if failure is None:
            self._state.counts.done += 1
            ticket.end(event.outcome.result)
        elif failure.out_of_memory and ticket.tries < TRIES:
            self._again(ticket)
        else:
            ticket.end(error=_error(failure))

    def _advance(self, event: UnitAdvanced) -> None:
        worker = self._state.workers.get(event.worker)
        if worker is not None and worker.ticket is not None:
            worker.ticket.progress = event.progress

    def _mourn(self, event: WorkerEnded) -> None:
        worker = self._state.workers.pop(event.worker, None)
        self._state.counts.ended += 1
        if worker is None:
            self._state.failed_starts += 1
            self._note(f"a worker did not start ({event.reason})")
            # Where others work, one that cannot start costs little for a while.
            if self._state.failed_starts >= TRIES * (4 if self._state.workers else 1):
                self._give_up(
                    ExecutorError(
                        f"{self._state.failed_starts} workers in a row did not start: {event.reason}",
                        exists=event.trace.strip()[-1000:] or None,
                        hint=event.hint,
                    )
                )
            return
        ticket = worker.ticket
        doing = f" while {ticket.unit.what}" if ticket else ""
        self._note(f"worker {worker.facts.place} ended{doing} ({event.reason})")
        if ticket is None:
            return
        if ticket.tries < TRIES:
            self._again(ticket)
            return
        message = f"{ticket.unit.what}: its worker ended {TRIES} times ({event.reason})"
        ticket.end(error=HarnessError(message, hint=event.hint, without_texts=message))

    def _again(self, ticket: Ticket) -> None:
        self._state.counts.repeated += 1
        ticket.progress = None
        self._state.queue.appendleft(ticket)

    def _give_up(self, error: Exception) -> None:
        """Let all that wait raise an error."""
        with self._changed:
            self._state.fatal = self._state.fatal or error
            self._changed.notify_all()


def _as_user_error(error: BaseException, name: str) -> ExecutorError:
    """Return what an executor raised, which may be code of a plugin."""
    own = error if isinstance(error, HarnessError) else None
    made = ExecutorError(
        own.message if own else f"executor {name} failed: {error_sentence(error)}",
        exists=own.exists if own else None,
        hint=(own and own.hint) or "what is finished is on disk; the same command goes on from there",
    )
    made.__cause__ = error
    return made


def _error(failure: Failure) -> Exception:
    if failure.trace:
        return UnitError(failure)
    return HarnessError(
        failure.message, exists=failure.exists, hint=failure.hint, without_texts=failure.without_texts
    )
