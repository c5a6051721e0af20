"""Append whole lines to a file that several processes share."""

from __future__ import annotations

import errno
import fcntl
import os
import stat
import time
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from harness.system.signals import defer_signals

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

WAIT = 60.0
"""Maximum seconds to wait for other processes that read or append."""

_POLL = 0.02
"""Seconds between two attempts to lock a file."""


class SharedFile:
    """An open file, locked while it is read or appended to."""

    def __init__(self, handle: int) -> None:
        self._handle = handle

    def content(self) -> bytes:
        """Return all bytes of the file."""
        with os.fdopen(os.dup(self._handle), "rb") as file:
            file.seek(0)
            return file.read()

    def append(self, lines: bytes) -> None:
        """Append whole lines durably, below a last line that an ended process left unfinished.

        Raises OSError if the disk is full; the file is then as it was.
        """
        size = os.fstat(self._handle).st_size
        if size and os.pread(self._handle, 1, size - 1) != b"\n":
            lines = b"\n" + lines
        try:
            left = memoryview(lines)
            while left:
                left = left[os.write(self._handle, left) :]
            os.fsync(self._handle)
        except OSError:
            with suppress(OSError):
                os.ftruncate(self._handle, size)
            raise


@contextmanager
def shared_file(path: Path, *, append: bool = False) -> Iterator[SharedFile]:
    """Open and lock a file while the body runs: to append, alone and made if it is not there; else to read.

    The lock is the file's own: nothing is left beside it, and the system frees it however the process ends.
    An interruption waits until the body is done.
    Raises FileNotFoundError, other OSErrors for what is not a file or may not be opened, and TimeoutError
    where other processes held it for WAIT seconds.
    """
    with defer_signals():
        mode = os.O_RDWR | os.O_APPEND | os.O_CREAT if append else os.O_RDONLY
        # A pipe would wait for its other end.
        handle = os.open(path, mode | os.O_NONBLOCK | os.O_CLOEXEC, 0o666)
        try:
            if not stat.S_ISREG(os.fstat(handle).st_mode):
                raise OSError(errno.EINVAL, "it is not a file")
            _lock(handle, fcntl.LOCK_EX if append else fcntl.LOCK_SH)
            yield SharedFile(handle)
        finally:
            os.close(handle)


def _lock(handle: int, kind: int) -> None:
    """Lock a file; does nothing on a file system that has no locks."""
    end = time.monotonic() + WAIT
    while True:
        try:
            fcntl.flock(handle, kind | fcntl.LOCK_NB)
        except BlockingIOError as error:
            if time.monotonic() > end:
                raise TimeoutError(errno.ETIMEDOUT, "another process holds it") from error
            time.sleep(_POLL)
        except OSError as error:
            if error.errno in (errno.ENOLCK, errno.ENOTSUP, errno.ENOSYS):
                return
            raise
        else:
            return
