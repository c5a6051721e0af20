"""Run the command line in this process and kill it, for certain, at its N-th step of writing.

    python tests/faults/killed.py N FOLDER WORDS…

HARNESS_TEST_SIGNAL is the number of another signal to send, such as 2 for Ctrl-C.

Steps are what can be interrupted on the way of a file below FOLDER to the disk: before it is opened, between
two halves of each write, before and after it is flushed, before it is renamed, removed, before a folder is
made or removed, a lock taken. FOLDER may be the start of a file's path. With N = 0 nothing is killed, and the
number of steps is the last line of standard error.
"""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

WRITES = {"open", "os.rename", "os.remove", "os.mkdir", "os.rmdir", "shutil.rmtree"}


class Steps:
    """Counts steps, and ends the process at the one that it was told."""

    def __init__(self, last: int, folder: str) -> None:
        self.last, self.folder, self.count = last, folder, 0

    def take(self) -> None:
        self.count += 1
        if self.count == self.last:
            os.kill(os.getpid(), int(os.environ.get("HARNESS_TEST_SIGNAL", signal.SIGKILL)))

    def heard(self, event, arguments) -> None:
        if event not in WRITES or not str(arguments[0]).startswith(self.folder):
            return
        if event == "open" and not arguments[2] & (os.O_WRONLY | os.O_RDWR):
            return
        self.take()


def halving(file, steps):
    """Let each write of a file be two, with a step between."""
    write = file.write

    def half(content):
        content = bytes(content)
        middle = len(content) // 2
        write(content[:middle])
        file.flush()
        steps.take()
        return middle + write(content[middle:])

    class Halving:
        def __enter__(self):
            return self

        def __exit__(self, *words):
            file.close()

        def __getattr__(self, name):
            return half if name == "write" else getattr(file, name)

    return Halving()


def main() -> None:
    steps = Steps(int(sys.argv[1]), sys.argv[2])
    opened, sync = Path.open, os.fsync

    def opening(path, mode="r", *words, **more):
        file = opened(path, mode, *words, **more)
        return halving(file, steps) if mode == "xb" and str(path).startswith(steps.folder) else file

    def syncing(handle):
        steps.take()
        sync(handle)
        steps.take()

    Path.open, os.fsync = opening, syncing
    from harness.models import computation as identity

    identity._kernels = lambda _device: {}  # it would load torch
    sys.argv = ["harness", *sys.argv[3:]]
    from harness.cli import main as harness

    sys.addaudithook(steps.heard)
    try:
        harness()
    finally:
        print(steps.count, file=sys.stderr)


if __name__ == "__main__":
    main()
