"""Processors of a worker: as many as it asked for, of its own where workers share a machine."""

from __future__ import annotations

import fcntl
import os
import tempfile
from contextlib import suppress
from pathlib import Path

from harness.authoring import cores

_VARIABLE = "HARNESS_PROCESSORS"
_FLAGS = os.O_CREAT | os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC


def hold_processors(count: int) -> list[int]:
    """Bind this process to processors that no other worker holds; return locks that it holds while it lives.

    A control group's quota is no set of processors: there, and where too few are free, only their number is
    bounded, which `cores` reads from the environment.
    """
    os.environ.pop(_VARIABLE, None)
    available = cores()
    os.environ[_VARIABLE] = str(count)
    if not hasattr(os, "sched_setaffinity"):
        return []
    allowed = sorted(os.sched_getaffinity(0))
    if available != len(allowed) or count >= len(allowed):
        return []
    held: dict[int, int] = {}
    with suppress(OSError):
        folder = _folder()
        for processor in allowed:
            if len(held) == count:
                break
            lock = os.open(folder / str(processor), _FLAGS, 0o600)
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                held[processor] = lock
            except OSError:
                os.close(lock)
    if len(held) < count:
        for lock in held.values():
            os.close(lock)
        return []
    os.sched_setaffinity(0, held)
    return list(held.values())


def _folder() -> Path:
    """Return a folder of this user's for locks; raises OSError where another user has made it."""
    folder = Path(tempfile.gettempdir(), f"harness-processors-{os.getuid()}")
    folder.mkdir(mode=0o700, exist_ok=True)
    if folder.is_symlink() or folder.stat().st_uid != os.getuid():
        raise PermissionError(folder)
    return folder
