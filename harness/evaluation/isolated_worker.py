"""The process that evaluates one model: it reads an `EvaluateJob` and writes events.

Not a command: `harness.evaluation.isolate` starts it as `python -m harness.evaluation.isolated_worker`.
"""

from __future__ import annotations

import faulthandler
import os
import signal
import sys
from pathlib import Path
from typing import IO, TYPE_CHECKING

import msgspec

from harness.errors import HarnessError
from harness.evaluation.isolate import Done, EncodedTexts, EvaluateJob, Event, Message, TaskDone, TaskStarted
from harness.evaluation.progress import Progress
from harness.system import processes
from harness.system.garbage import rarely_collected
from harness.system.paths import relative_to, user_path
from harness.system.signals import handle_signals

if TYPE_CHECKING:
    from harness.evaluation.runner import RunPlan
    from harness.results.records import Evaluation


class EventWriter(Progress):
    """Write the progress of a run as events, one JSON object per line, for the parent process."""

    def __init__(self, pipe: IO[bytes]) -> None:
        self._pipe = pipe

    def write(self, event: Event) -> None:
        """Write an event; exit where the parent is gone, so that no task is blamed for it."""
        line = msgspec.json.encode(event, enc_hook=lambda value: value.tolist()) + b"\n"
        try:
            self._pipe.write(line)
            self._pipe.flush()
        except BrokenPipeError:
            os._exit(1)

    def begin(self, model: str, task: str, texts: int) -> None:
        """Write `TaskStarted`."""
        self.write(TaskStarted(model, task, texts))

    def advance(self, texts: int) -> None:
        """Write `EncodedTexts`."""
        self.write(EncodedTexts(texts))

    def end(self, evaluation: Evaluation, *, reused: bool) -> None:
        """Write `TaskDone`."""
        self.write(TaskDone(evaluation, reused))

    def note(self, text: str) -> None:
        """Write `Message`."""
        self.write(Message(text))


def main() -> None:
    """Evaluate the job on standard input."""
    processes.end_with_parent()
    events = EventWriter(os.fdopen(os.dup(1), "wb"))
    os.dup2(2, 1)  # what a model or a library prints is not an event
    faulthandler.enable()
    faulthandler.register(signal.SIGUSR1)
    job = msgspec.json.decode(sys.stdin.buffer.read(), type=EvaluateJob)
    with rarely_collected(), handle_signals(), relative_to(Path.cwd()):
        try:
            events.write(_evaluate(job, events))
        except HarnessError as error:
            events.write(Done(error=(error.message, error.exists, error.hint)))
        except KeyboardInterrupt:
            sys.exit(1)


def _evaluate(job: EvaluateJob, events: EventWriter) -> Done:
    from harness.evaluation.run import run_plan
    from harness.results.folder import ResultsFolder

    return Done(run_plan(_plan(job), ResultsFolder(Path(job.out)), events).threads)


def _plan(job: EvaluateJob) -> RunPlan:
    from harness.evaluation.runner import RunPlan
    from harness.models.locate import locate_model
    from harness.plugins.loader import load_plugins
    from harness.plugins.selection import all_tasks
    from harness.tasks.interface import read_choice
    from harness.tasks.selection import select_tasks

    plugins = load_plugins([user_path(file) for file in job.plugin_files])
    tasks = all_tasks(plugins, [user_path(file) for file in job.task_files])
    return RunPlan(
        models=[locate_model(job.spec, plugins.model_schemes())],
        tasks=select_tasks(job.tasks, tasks, plugins.task_schemes()) if job.tasks else [],
        data=read_choice(job.data),
        limit=job.limit,
        fresh=job.fresh,
        cache=Path(job.cache) if job.cache else None,
        cache_size=job.cache_size,
        no_texts=job.no_texts,
        throughput=job.throughput,
        time_remote=job.time_remote,
        keep_going=True,  # the parent decided that already
    )


if __name__ == "__main__":
    main()
