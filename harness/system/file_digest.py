"""SHA-256 of files, each read once in a process for as long as nothing touches it."""

from __future__ import annotations

import hashlib
import os
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

_SETTLED = 2_000_000_000
"""Minimum nanoseconds since the last change of a file: two changes in one tick of its clock look like one."""

_known: dict[tuple[int, ...], str] = {}
"""What a file system says of a file → its hash."""


def file_digest(path: Path) -> str:
    """Return the hex SHA-256 of a file's content; raises OSError where it cannot be read.

    Not read again while the file system says that it is the same file, of the same size and times: a model's
    weights are looked at when it is located, and when it is loaded.
    """
    with path.open("rb") as file:
        seen = _identity(file.fileno())
        if seen in _known:
            return _known[seen]
        began = time.time_ns()
        digest = hashlib.file_digest(file, "sha256").hexdigest()
        if began - max(seen[-2:]) > _SETTLED and seen == _identity(file.fileno()):
            _known[seen] = digest
    return digest


def _identity(descriptor: int) -> tuple[int, ...]:
    """Return device, number, size and times of an open file; the last, of any change, cannot be set back."""
    found = os.fstat(descriptor)
    return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns
