"""The process in which a model is evaluated apart: it obeys one order, and tells what comes of it.

Not a command: `harness.evaluation.isolate` starts it as `python -m harness.cli.isolated`.
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
from harness.system import processes
from harness.system.paths import user_path
from harness.system.signals import handle_signals

if TYPE_CHECKING:
    from harness.evaluation.run import RunPlan
    from harness.results.records import Evaluation


class EventWriter:
    """A watcher that tells another process what it sees."""

    def __init__(self, pipe: IO[bytes]) -> None:
        self._pipe = pipe

    def tell(self, event: Event) -> None:
        """Tell; where nobody listens any more, end, so that nothing is taken for a fault of a task."""
        line = msgspec.json.encode(event, enc_hook=lambda value: value.tolist()) + b"\n"
        try:
            self._pipe.write(line)
            self._pipe.flush()
        except BrokenPipeError:
            os._exit(1)

    def begin(self, model: str, task: str, texts: int) -> None:
        """Tell it."""
        self.tell(TaskStarted(model, task, texts))

    def advance(self, texts: int) -> None:
        """Tell it."""
        self.tell(EncodedTexts(texts))

    def end(self, evaluation: Evaluation, *, reused: bool) -> None:
        """Tell it."""
        self.tell(TaskDone(evaluation, reused))

    def note(self, text: str) -> None:
        """Tell it."""
        self.tell(Message(text))


def main() -> None:
    """Obey the order on standard input."""
    processes.end_with_parent()
    teller = EventWriter(os.fdopen(os.dup(1), "wb"))
    os.dup2(2, 1)  # what a model or a library prints is no event
    faulthandler.enable()
    faulthandler.register(signal.SIGUSR1)
    order = msgspec.json.decode(sys.stdin.buffer.read(), type=EvaluateJob)
    with handle_signals():
        try:
            teller.tell(_evaluate(order, teller))
        except HarnessError as error:
            teller.tell(Done(error=(error.message, error.exists, error.hint)))
        except KeyboardInterrupt:
            sys.exit(1)


def _evaluate(order: EvaluateJob, teller: EventWriter) -> Done:
    from harness.evaluation.run import run_plan
    from harness.results.folder import Results

    return Done(run_plan(_plan(order), Results(Path(order.out)), teller).threads)


def _plan(order: EvaluateJob) -> RunPlan:
    from harness.evaluation.run import RunPlan
    from harness.models.locate import locate_model
    from harness.plugins.loader import all_tasks, load_plugins
    from harness.tasks.selection import select_tasks

    plugins = load_plugins([user_path(file) for file in order.plugin_files])
    tasks = all_tasks(plugins, [user_path(file) for file in order.task_files])
    return RunPlan(
        models=[locate_model(order.spec, plugins.model_schemes())],
        tasks=select_tasks(order.tasks, tasks, plugins.task_schemes()) if order.tasks else [],
        data=Path(order.data) if order.data else None,
        limit=order.limit,
        fresh=order.fresh,
        cache=Path(order.cache) if order.cache else None,
        cache_size=order.cache_size,
        throughput=order.throughput,
    )


if __name__ == "__main__":
    main()
