"""Evaluate each model in a process of its own, so that a crash costs one result.

The process reads an `EvaluateJob` from its standard input and writes events to its standard output, one JSON
object per line. It writes the records itself; the parent writes one where the process could not: when it
crashed, was killed for its memory, or took longer than a task may take.
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
from harness.evaluation.run import evaluate_views
from harness.models.interface import ModelSpec  # noqa: TC001 - msgspec reads annotations
from harness.models.missing_model import MissingModel
from harness.results.records import Evaluation  # noqa: TC001 - msgspec reads annotations
from harness.system import processes

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from harness.evaluation.evaluate import LoadedTask
    from harness.evaluation.runner import Runner
    from harness.models.interface import LocatedModel

_MODULE = "harness.evaluation.isolated_worker"
_TO_FINISH = 8.0
"""Maximum seconds for an interrupted process to finish its writes; `docker stop` kills us after ten."""
_TO_DUMP = 2.0
"""Maximum seconds for a process that hangs to write its traceback."""
_TRACE = 20_000
"""Maximum characters of standard error that are kept as the traceback."""


class EvaluateJob(msgspec.Struct, frozen=True, kw_only=True):
    """One model on some tasks, as plain data from which another process makes the same plan."""

    spec: ModelSpec
    tasks: tuple[str, ...]
    plugin_files: tuple[str, ...] = ()
    task_files: tuple[str, ...] = ()
    data: str | None = None
    limit: int | None = None
    fresh: bool = False
    cache: str | None = None
    cache_size: int | None = None
    no_texts: bool = False
    throughput: bool = False
    time_remote: bool = False
    out: str


class TaskStarted(msgspec.Struct, tag=True, frozen=True):
    """The model starts on a task, or on being timed."""

    model: str
    task: str
    texts: int


class EncodedTexts(msgspec.Struct, tag=True, frozen=True):
    """`texts` more texts are encoded."""

    texts: int


class TaskDone(msgspec.Struct, tag=True, frozen=True):
    """A record is on disk."""

    evaluation: Evaluation
    reused: bool


class Message(msgspec.Struct, tag=True, frozen=True):
    """A sentence that a reader of the scores should know."""

    text: str


class Done(msgspec.Struct, tag=True, frozen=True):
    """The job is done, or a HarnessError ended it."""

    threads: dict[str, str] = {}
    error: tuple[str, str | None, str | None] | None = None
    """Message, what exists, hint."""


Event = TaskStarted | EncodedTexts | TaskDone | Message | Done


@dataclass(frozen=True)
class SubprocessEvaluator:
    """Evaluate a model for `run_plan` in a process of its own; after a crash, the rest in another one."""

    plugin_files: tuple[str, ...]
    task_files: tuple[str, ...]
    timeout: float | None = None
    """Maximum seconds to load a model, and for each task; None for no limit."""

    def __call__(self, run: Runner, located: LocatedModel, pending: Sequence[LoadedTask]) -> None:
        """Evaluate; a task during which the process ended gets an ERROR record, and the others go on."""
        if isinstance(located, MissingModel):
            evaluate_views(run, [(located, list(pending))])
            return
        left = {loaded.task.name: loaded for loaded in pending}
        while True:
            before = len(left)
            with _ChildProcess(self._job(run, located, list(left)), self.timeout) as child:
                current = self._follow(run, child, left)
            if child.error is None:
                return
            if not left:
                run.progress.note(f"{located.name} was not timed: {child.error.message}")
                return
            # A process that ended between two tasks, having finished one, is tried again on those left.
            if current in left or len(left) == before:
                for name in [current] if current in left else list(left):
                    run.fail(located, left.pop(name), child.error, child.stderr, of_rows=False)
            if not left:
                return

    def _follow(self, run: Runner, child: _ChildProcess, left: dict[str, LoadedTask]) -> str | None:
        """Pass on the events of a process until it ends; return the task that it worked on then."""
        current = None
        for event in child.events():
            if isinstance(event, TaskStarted):
                current = event.task
                run.progress.begin(event.model, event.task, event.texts)
            elif isinstance(event, EncodedTexts):
                run.progress.advance(event.texts)
            elif isinstance(event, TaskDone):
                left.pop(event.evaluation.examination.task, None)
                run.keep(event.evaluation, reused=event.reused)
            elif isinstance(event, Message):
                run.progress.note(event.text)
            else:
                run.outcome.threads |= event.threads
                if event.error:
                    message, exists, hint = event.error
                    raise HarnessError(message, exists=exists, hint=hint)
        return current

    def _job(self, run: Runner, located: LocatedModel, tasks: Sequence[str]) -> EvaluateJob:
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
            no_texts=plan.no_texts,
            throughput=plan.throughput,
            time_remote=plan.time_remote,
            out=str(run.results.root),
        )


class _ChildProcess:
    """The process as the parent sees it; on an interruption, it gets time to finish its writes."""

    def __init__(self, job: EvaluateJob, timeout: float | None) -> None:
        self.error: HarnessError | None = None
        """Why it ended before the job was done; None otherwise."""
        self.stderr = ""
        """The end of its standard error: its traceback where it crashed."""
        self._timeout, self._since = timeout, time.monotonic()
        self._stderr = tempfile.TemporaryFile()  # noqa: SIM115 - closed with the process
        self._process = processes.Process(processes.python_module(_MODULE), self._stderr)
        self._stdout = cast("IO[bytes]", self._process.stdout)
        with contextlib.suppress(BrokenPipeError), cast("IO[bytes]", self._process.stdin) as stdin:
            stdin.write(msgspec.json.encode(job))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> None:
        try:
            if isinstance(error, KeyboardInterrupt):
                self._process.send_signal(signal.SIGINT)
                self._await_end(_TO_FINISH)
        finally:
            self._process.end()
            self._stdout.close()
            self._stderr.close()

    def events(self) -> Iterator[Event]:
        """Yield its events until the job is done; where it ends before, `error` and `stderr` say why."""
        for line in self._lines():
            event = msgspec.json.decode(line, type=Event)
            if isinstance(event, TaskStarted):
                self._since = time.monotonic()
            yield event
            if isinstance(event, Done):
                return
        if self.error is None:
            how, hint = self._process.exit_reason()
            self.error = HarnessError(f"the process of the model ended ({how})", hint=hint)
        self._stderr.seek(0)
        self.stderr = self._stderr.read().decode(errors="replace")[-_TRACE:]

    def _lines(self) -> Iterator[bytes]:
        """Yield whole lines until the process ends, or has taken too long and is ended."""
        rest = b""
        while select.select([self._stdout], [], [], self._left())[0]:
            read = os.read(self._stdout.fileno(), 1 << 16)
            if not read:
                return
            *lines, rest = (rest + read).split(b"\n")
            yield from lines
        self._stop()

    def _await_end(self, seconds: float) -> None:
        """Read and drop its events until it ends, for so many seconds at most."""
        end = time.monotonic() + seconds
        while select.select([self._stdout], [], [], max(0.0, end - time.monotonic()))[0]:
            if not os.read(self._stdout.fileno(), 1 << 16):
                return

    def _left(self) -> float | None:
        """Return the seconds that it may still take; None for no limit."""
        if self._timeout is None:
            return None
        return max(0.0, self._since + self._timeout - time.monotonic())

    def _stop(self) -> None:
        """End a process that takes too long, after it has written its traceback."""
        self.error = HarnessError(f"no result after {self._timeout:g} s (--timeout)")
        self._process.send_signal(signal.SIGUSR1)
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(_TO_DUMP)
        self._process.end()
