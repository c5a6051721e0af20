"""Processes of ours that do one thing for us: start them apart, end them for certain, say how they ended."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
from typing import IO, TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence


def start(command: Sequence[str], said: IO[bytes]) -> subprocess.Popen[bytes]:
    """Start a process with pipes for what it is told and what it answers.

    It is a session of its own: Ctrl-C reaches the parent alone, which can then end the whole group, the
    processes that a model itself started among them.
    said: takes its standard error.
    """
    return subprocess.Popen(  # noqa: S603 - our own modules
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=said, start_new_session=True
    )


def end(process: subprocess.Popen[bytes]) -> None:
    """End a process and all that it started, now."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def how_ended(process: subprocess.Popen[bytes]) -> tuple[str, str | None]:
    """Wait for a process's end and say how it came, `exit 1` or `killed by SIGKILL`, and why it may have."""
    code = process.wait()
    how = f"exit {code}" if code >= 0 else f"killed by {signal.Signals(-code).name}"
    return how, "out of memory?" if code == -signal.SIGKILL else None
