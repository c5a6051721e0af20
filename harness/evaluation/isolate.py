"""Evaluate each model in a process of its own: whatever ends that process costs one result.

The process reads an `EvaluateJob` from its standard input and writes events to what was its standard output,
one JSON object a line. It writes the records itself; the parent writes one where the process could not: when
it crashed, was killed for its memory, or gave no sign of life for the time that a task may take.
"""

from __future__ import annotations

import contextlib
import os
import select
import signal
import subprocess
import tempfile
import time
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING, Self, cast

import msgspec

from harness.errors import HarnessError
from harness.models.interface import ModelSpec  # noqa: TC001 - msgspec reads annotations
from harness.models.missing import MissingModel
from harness.results.records import Evaluation  # noqa: TC001 - msgspec reads annotations
from harness.system import processes

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from harness.evaluation.evaluate import LoadedTask
    from harness.evaluation.run import Runner
    from harness.models.interface import LocatedModel

_MODULE = "harness.evaluation.isolated_worker"
_TO_FINISH = 8.0
"""Seconds in which an interrupted process may finish what it is writing: a scheduler that asks us to end soon
ends us itself, `docker stop` after ten."""
_TO_TELL = 2.0
"""Seconds in which a process that hangs may write down where."""
_TRACE = 20_000
"""Characters of what a process said last that are kept as its traceback."""


class EvaluateJob(msgspec.Struct, frozen=True, kw_only=True):
    """One model on some tasks, in words from which another process makes the same plan."""

    spec: ModelSpec
    tasks: tuple[str, ...]
    plugin_files: tuple[str, ...] = ()
    task_files: tuple[str, ...] = ()
    data: str | None = None
    limit: int | None = None
    fresh: bool = False
    cache: str | None = None
    cache_size: int | None = None
    throughput: bool = False
    out: str


class TaskStarted(msgspec.Struct, tag=True, frozen=True):
    """The model starts on a task, or on being timed."""

    model: str
    task: str
    texts: int


class EncodedTexts(msgspec.Struct, tag=True, frozen=True):
    """So many more texts are encoded."""

    texts: int


class TaskDone(msgspec.Struct, tag=True, frozen=True):
    """A record is on disk."""

    evaluation: Evaluation
    reused: bool


class Message(msgspec.Struct, tag=True, frozen=True):
    """Something that a reader of the scores should know."""

    text: str


class Done(msgspec.Struct, tag=True, frozen=True):
    """All is done, or an error of the user's ended it."""

    threads: dict[str, str] = {}
    error: tuple[str, str | None, str | None] | None = None
    """Message, what exists, hint."""


Event = TaskStarted | EncodedTexts | TaskDone | Message | Done


@dataclass(frozen=True)
class SubprocessEvaluator:
    """Evaluates a model for `run_plan` in a process of its own, and in another where that ends too soon."""

    plugin_files: tuple[str, ...]
    task_files: tuple[str, ...]
    timeout: float | None = None
    """Seconds that a model may take to load, and for each task; None for any."""

    def __call__(self, run: Runner, located: LocatedModel, pending: Sequence[LoadedTask]) -> None:
        """Evaluate; a task during which the process ended gets an ERROR record, and the others go on."""
        if isinstance(located, MissingModel):
            run.evaluate_model(located, list(pending))
            return
        left = {one.task.name: one for one in pending}
        while True:
            before = len(left)
            with _ChildProcess(self._order(run, located, list(left)), self.timeout) as child:
                doing = self._follow(run, child, left)
            if child.error is None:
                return
            if not left:
                run.watcher.note(f"{located.name} was not timed: {child.error.message}")
                return
            # A process that ended between two tasks, having finished one, is tried again on those left.
            if doing in left or len(left) == before:
                for name in [doing] if doing in left else list(left):
                    run.fail(located, left.pop(name), child.error, child.said)
            if not left:
                return

    def _follow(self, run: Runner, child: _ChildProcess, left: dict[str, LoadedTask]) -> str | None:
        """Pass on what a process tells until it ends, and return what it was doing then."""
        doing = None
        for event in child.events():
            if isinstance(event, TaskStarted):
                doing = event.task
                run.watcher.begin(event.model, event.task, event.texts)
            elif isinstance(event, EncodedTexts):
                run.watcher.advance(event.texts)
            elif isinstance(event, TaskDone):
                left.pop(event.evaluation.examination.task, None)
                run.keep(event.evaluation, reused=event.reused)
            elif isinstance(event, Message):
                run.watcher.note(event.text)
            else:
                run.outcome.threads |= event.threads
                if event.error:
                    message, exists, hint = event.error
                    raise HarnessError(message, exists=exists, hint=hint)
        return doing

    def _order(self, run: Runner, located: LocatedModel, tasks: Sequence[str]) -> EvaluateJob:
        plan = run.plan
        return EvaluateJob(
            spec=located.spec,
            tasks=tuple(tasks),
            plugin_files=self.plugin_files,
            task_files=self.task_files,
            data=str(plan.data) if plan.data else None,
            limit=plan.limit,
            fresh=plan.fresh,
            cache=str(plan.cache) if plan.cache else None,
            cache_size=plan.cache_size,
            throughput=plan.throughput,
            out=str(run.results.root),
        )


class _ChildProcess:
    """The process, seen from the parent: interrupted itself, that asks it to finish what it is writing."""

    def __init__(self, order: EvaluateJob, timeout: float | None) -> None:
        self.error: HarnessError | None = None
        """How it ended before all was done; None while all is well."""
        self.said = ""
        """What it said last; its traceback where it crashed."""
        self._timeout, self._since = timeout, time.monotonic()
        self._stderr = tempfile.TemporaryFile()  # noqa: SIM115 - closed with the process
        self._process = processes.Process(processes.python_module(_MODULE), self._stderr)
        self._answers = cast("IO[bytes]", self._process.stdout)
        with contextlib.suppress(BrokenPipeError), cast("IO[bytes]", self._process.stdin) as orders:
            orders.write(msgspec.json.encode(order))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> None:
        try:
            if isinstance(error, KeyboardInterrupt):
                self._process.send_signal(signal.SIGINT)
                self._await_end(_TO_FINISH)
        finally:
            self._process.end()
            self._answers.close()
            self._stderr.close()

    def events(self) -> Iterator[Event]:
        """Yield what it tells until it has finished; where it ends before, `error` and `said` tell how."""
        for line in self._lines():
            event = msgspec.json.decode(line, type=Event)
            if isinstance(event, TaskStarted):
                self._since = time.monotonic()
            yield event
            if isinstance(event, Done):
                return
        if self.error is None:
            how, hint = self._process.how_ended()
            self.error = HarnessError(f"the process of the model ended ({how})", hint=hint)
        self._stderr.seek(0)
        self.said = self._stderr.read().decode(errors="replace")[-_TRACE:]

    def _lines(self) -> Iterator[bytes]:
        """Yield whole lines until the process ends, or has taken too long and is ended."""
        rest = b""
        while select.select([self._answers], [], [], self._left())[0]:
            read = os.read(self._answers.fileno(), 1 << 16)
            if not read:
                return
            *lines, rest = (rest + read).split(b"\n")
            yield from lines
        self._stop()

    def _await_end(self, seconds: float) -> None:
        """Read what it still tells, which nobody asks for any more, for so long at most."""
        end = time.monotonic() + seconds
        while select.select([self._answers], [], [], max(0.0, end - time.monotonic()))[0]:
            if not os.read(self._answers.fileno(), 1 << 16):
                return

    def _left(self) -> float | None:
        """Seconds that it may still take; None for any."""
        if self._timeout is None:
            return None
        return max(0.0, self._since + self._timeout - time.monotonic())

    def _stop(self) -> None:
        """End a process that takes too long, when it has written down where it is."""
        self.error = HarnessError(f"no result after {self._timeout:g} s (--timeout)")
        self._process.send_signal(signal.SIGUSR1)
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(_TO_TELL)
        self._process.end()
