"""Helper processes: start them in a session of their own, end them reliably, report how they ended."""

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
    from collections.abc import Mapping, Sequence

_LIFELINE = "HARNESS_LIFELINE"
"""Environment variable with the number of a pipe that is never written to: it closes when the parent ends."""


class Process(subprocess.Popen[bytes]):
    """A process with pipes for its standard input and output.

    It has a session of its own: Ctrl-C reaches the parent alone, which can then end the whole group,
    including processes that a model started. If it calls `end_with_parent`, it ends with the parent, however
    that ends.
    stderr: takes its standard error. environment: variables besides those of this process.
    """

    def __init__(
        self, command: Sequence[str], stderr: IO[bytes], environment: Mapping[str, str] | None = None
    ) -> None:
        theirs, ours = os.pipe()
        self._lifeline = os.fdopen(ours, "wb")
        try:
            super().__init__(
                command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=stderr,
                start_new_session=True,
                pass_fds=(theirs,),
                env={**os.environ, **(environment or {}), _LIFELINE: str(theirs)},
            )
        finally:
            os.close(theirs)

    def end(self) -> None:
        """Kill the process and all that it started."""
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.pid, signal.SIGKILL)
        self.wait()
        self._lifeline.close()

    def exit_reason(self) -> tuple[str, str | None]:
        """Wait for its end and return how it ended, `exit 1` or `killed by SIGKILL`, and a hint or None."""
        code = self.wait()
        number = -code
        named = signal.Signals(number).name if number in set(signal.Signals) else f"signal {number}"
        how = f"exit {code}" if code >= 0 else f"killed by {named}"
        return how, "out of memory?" if code == -signal.SIGKILL else None


def python_module(name: str) -> tuple[str, ...]:
    """Return the command that runs a module of harness.

    With `-m`, Python imports from the current folder first, before its own library, and a downloaded folder
    may hold a `csv.py`: `-P` forbids that, unless this process does so too, as `python -m harness` does.
    """
    here = {"", str(Path.cwd())} & set(sys.path)
    return sys.executable, *([] if here else ["-P"]), "-m", name


def end_with_parent() -> None:
    """End this process and all that it started as soon as its parent ends.

    Does nothing if the parent is not a `Process` of harness. On Linux the kernel ends it, even while native
    code holds Python's lock; elsewhere a thread does, which waits for that lock.
    """
    number = os.environ.pop(_LIFELINE, "")
    if not number:
        return
    lifeline = int(number)
    with contextlib.suppress(AttributeError, OSError):
        fcntl.fcntl(lifeline, fcntl.F_SETOWN, -os.getpgrp())
        fcntl.fcntl(lifeline, fcntl.F_SETSIG, signal.SIGKILL)
        fcntl.fcntl(lifeline, fcntl.F_SETFL, os.O_ASYNC)
    # The parent may have ended before the kernel was asked: the thread sees that too.
    threading.Thread(target=_end_after, args=(lifeline,), daemon=True).start()


def _end_after(lifeline: int) -> None:
    os.read(lifeline, 1)
    os.killpg(os.getpgrp(), signal.SIGKILL)
