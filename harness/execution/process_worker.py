"""A process that does units: it reads them from its standard input, and answers on its standard output.

Not a command: `harness.plugins.process_workers` starts it as `python -m harness.execution.process_worker`.
"""

from __future__ import annotations

import faulthandler
import os
import pickle
import signal
import sys
import threading
from multiprocessing.connection import Connection

from harness.system import processes


def main() -> None:
    """Do units until the parent closes the pipe."""
    processes.end_with_parent()
    answers = Connection(os.dup(1), readable=False)
    orders = Connection(os.dup(0), writable=False)
    os.dup2(2, 1)  # what a model or a library prints is no answer
    empty = os.open(os.devnull, os.O_RDONLY)
    os.dup2(empty, 0)
    os.close(empty)
    faulthandler.enable()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent decides what an interruption ends
    signal.signal(signal.SIGTERM, signal.SIG_DFL)  # by which it ends this process, whatever it ignores itself

    writing = threading.Lock()  # a trainer may tell its progress from another thread

    def answer(content: object) -> None:
        with writing:
            answers.send_bytes(pickle.dumps(content, protocol=pickle.HIGHEST_PROTOCOL))

    try:
        setup, place = pickle.loads(orders.recv_bytes())  # noqa: S301 - the parent wrote it
        if hasattr(os, "sched_setaffinity"):
            os.sched_setaffinity(0, place.processors)
        from harness.execution.unit_runner import UnitRunner

        runner = UnitRunner(setup)
        answer(runner.facts())
        while True:
            unit = pickle.loads(orders.recv_bytes())  # noqa: S301 - as above
            answer(runner.run(unit, answer))
    except (EOFError, BrokenPipeError):
        sys.exit(0)


if __name__ == "__main__":
    main()
