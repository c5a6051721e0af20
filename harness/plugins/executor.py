"""Contract of executors: what starts workers, hands them units, and says what became of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from harness.system.work_unit import Outcome, UnitProgress, WorkerFacts, WorkerSetup, WorkUnit


@dataclass(frozen=True, slots=True, kw_only=True)
class ExecutorRequest:
    """What a run asks of an executor."""

    setup: WorkerSetup
    """What every worker gets. `UnitRunner(setup)` does its units: `run(unit, tell)` returns an outcome, and
    calls `tell` with a `UnitProgress` now and then, from one thread at a time."""
    workers: int | None = None
    """How many workers; None for the executor's own choice."""
    address: str = ""
    """Where its workers are, such as `auto` or `ray://HOST:PORT`; empty for this machine."""
    note: Callable[[str], None] = lambda _: None
    """Takes a sentence for the user, such as that workers wait for a place; any thread may call it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerReady:
    """A worker has started and can take a unit."""

    worker: str
    """Its name: another one for each process, also for one that replaces another."""
    facts: WorkerFacts


@dataclass(frozen=True, slots=True, kw_only=True)
class UnitDone:
    """A worker has done its unit, or the unit raised; the worker can take another."""

    worker: str
    outcome: Outcome


@dataclass(frozen=True, slots=True, kw_only=True)
class UnitAdvanced:
    """A unit gets on. Executors may leave it out: it is shown, and decides nothing."""

    worker: str
    progress: UnitProgress


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerEnded:
    """A worker is gone, with the unit that it had, if any; the executor starts another in its place."""

    worker: str
    reason: str
    """Such as `killed by SIGKILL`, or `its node was lost`."""
    hint: str | None = None
    trace: str = ""
    """The end of what it wrote to its standard error."""


WorkerEvent = WorkerReady | UnitAdvanced | UnitDone | WorkerEnded


class Workers(Protocol):
    """Running workers. Called from one thread, except for `close`."""

    count: int
    """How many there are to be."""

    def assign(self, worker: str, unit: WorkUnit) -> None:
        """Give a unit to a worker that is ready. One that has ended meanwhile is told by `wait`."""
        ...

    def wait(self, seconds: float) -> Sequence[WorkerEvent]:
        """Return what has happened since the last call, after at most so many seconds; may be nothing."""
        ...

    def close(self) -> None:
        """End all workers, whatever they do: what they have done is not lost, and nothing is begun.

        SIGTERM and some seconds before a kill let a training save a checkpoint; an executor need not.
        """
        ...


@dataclass(frozen=True, slots=True)
class Executor:
    """A way to run units of work, as `harness list executors` shows it; `--executor NAME` takes it.

    It moves units and outcomes, and sees neither tasks nor scores. Who gets which unit, how often a lost one
    is done again and what is refused is the same for all executors.
    """

    name: str
    help: str
    """One line."""
    open: Callable[[ExecutorRequest], Workers]
    """Start workers, without waiting for them; raises HarnessError where there can be none."""
    check: Callable[[], None] = lambda: None
    """Raise HarnessError where it cannot be used, such as for a missing library: asked before any work."""
    validate: Callable[[ExecutorRequest], None] = lambda _: None
    """Raise HarnessError for a request that it cannot serve: asked before any work; nothing is started."""
