"""Processes of ours that do one thing for us: start them apart, end them for certain, say how they ended."""

from __future__ import annotations

import contextlib
import fcntl
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import IO, TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

_LIFELINE = "HARNESS_LIFELINE"
"""Variable with the number of a pipe that nobody writes to: it ends when whoever started the process does."""


class Process(subprocess.Popen[bytes]):
    """A process with pipes for what it is told and what it answers.

    It is a session of its own: Ctrl-C reaches the parent alone, which can then end the whole group, the
    processes that a model itself started among them. Where it calls `end_with_parent`, it ends with the
    parent, however that ends.
    said: takes its standard error.
    """

    def __init__(self, command: Sequence[str], said: IO[bytes]) -> None:
        theirs, ours = os.pipe()
        self._lifeline = os.fdopen(ours, "wb")
        try:
            super().__init__(
                command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=said,
                start_new_session=True,
                pass_fds=(theirs,),
                env={**os.environ, _LIFELINE: str(theirs)},
            )
        finally:
            os.close(theirs)

    def end(self) -> None:
        """End the process and all that it started, now."""
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.pid, signal.SIGKILL)
        self.wait()
        self._lifeline.close()

    def exit_reason(self) -> tuple[str, str | None]:
        """Wait for its end and say how it came, `exit 1` or `killed by SIGKILL`, and why it may have."""
        code = self.wait()
        how = f"exit {code}" if code >= 0 else f"killed by {signal.Signals(-code).name}"
        return how, "out of memory?" if code == -signal.SIGKILL else None


def python_module(name: str) -> tuple[str, ...]:
    """Command that runs a module of ours.

    Python lets `-m` import from the current folder first, before its own library, and a stranger's may hold a
    `csv.py`: here it may only where this process does, as `python -m harness` in a source tree.
    """
    here = {"", str(Path.cwd())} & set(sys.path)
    return sys.executable, *([] if here else ["-P"]), "-m", name


def end_with_parent() -> None:
    """End this process and all that it started as soon as the process that started it has ended.

    Nothing happens where that is not ours. Linux's kernel ends it, even while native code holds Python's
    lock; elsewhere a thread does, which waits for that lock.
    """
    number = os.environ.pop(_LIFELINE, "")
    if not number:
        return
    lifeline = int(number)
    with contextlib.suppress(AttributeError, OSError):
        fcntl.fcntl(lifeline, fcntl.F_SETOWN, -os.getpgrp())
        fcntl.fcntl(lifeline, fcntl.F_SETSIG, signal.SIGKILL)
        fcntl.fcntl(lifeline, fcntl.F_SETFL, os.O_ASYNC)
    # It reads what was so before the kernel was asked, too.
    threading.Thread(target=_end_after, args=(lifeline,), daemon=True).start()


def _end_after(lifeline: int) -> None:
    os.read(lifeline, 1)
    os.killpg(os.getpgrp(), signal.SIGKILL)
