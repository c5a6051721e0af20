"""Files that are whole or absent, whatever ends the process, and locks that no dead process holds."""

from __future__ import annotations

import os
import re
import secrets
import time
from contextlib import contextmanager, suppress
from functools import cache
from hashlib import blake2b
from pathlib import Path
from typing import TYPE_CHECKING

from harness.errors import HarnessError
from harness.system.paths import refuse_symlinks
from harness.system.signals import defer_signals

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_LONGEST_NAME = 80
"""Characters of a file's name that stand in its temporary name: file systems allow 255 bytes."""
_TEMPORARY = re.compile(r"\..*\.(?P<where>[0-9a-f]{8})-(?P<pid>\d+)-[0-9a-f]{8}\.tmp", re.DOTALL)
_ABANDONED = 24 * 3600
"""Seconds after which nobody is still writing a temporary file, wherever the process runs."""


def write_atomic(path: Path, content: Iterable[bytes | memoryview], *, header_last: bool = False) -> None:
    """Write a file that appears whole or not at all, also when the power fails in between.

    The folder is made where it is missing. Permissions are those of any file of the user's, and a link of
    this name is replaced, not followed. An interruption waits until the file is there.
    header_last: the last piece is written over the beginning.
    Raises OSError where the disk is full or the folder cannot be written; nothing is left behind then.
    """
    with defer_signals():
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary = path.with_name(_temporary_name(path.name))
        try:
            with temporary.open("xb") as file:
                pieces = iter(content)
                piece = next(pieces, None)
                while piece is not None:
                    following = next(pieces, None)
                    if following is None and header_last:
                        file.seek(0)
                    file.write(piece)
                    piece = following
                file.flush()
                os.fsync(file.fileno())
            temporary.replace(path)
        except BaseException:
            with suppress(OSError):
                temporary.unlink(missing_ok=True)
            raise
        _sync_folder(path.parent)


def remove_stale(folder: Path) -> None:
    """Remove what processes that are gone left half-written in a folder; nothing where it cannot be read."""
    for path in stale_files(folder):
        with suppress(OSError):
            path.unlink()


def stale_files(folder: Path) -> list[Path]:
    """Files that processes that are gone left half-written in a folder; none where it cannot be read."""
    left = []
    with suppress(OSError):
        for path in folder.iterdir():
            found = _TEMPORARY.fullmatch(path.name)
            if found and _is_abandoned(path, found["where"], int(found["pid"])):
                left.append(path)
    return left


def this_process() -> str:
    """Name this process, for `is_gone`."""
    return f"{_machine()}-{os.getpid()}"


def is_gone(process: str) -> bool:
    """Whether a process is known to have ended; of one of another machine, boot or container nothing is."""
    where, _, pid = process.rpartition("-")
    return where == _machine() and pid.isdecimal() and not _is_running(int(pid))


@contextmanager
def locked(path: Path, *, seconds: float) -> Iterator[bool]:
    """Hold the lock of a file while the body runs; the system frees it however the process ends.

    Yields whether the lock is held: not where another process held it for all of `seconds`, and not on a file
    system without locks. Raises OSError where the file cannot be made.
    """
    from filelock import FileLock, Timeout

    # Whoever may write the folder may lock it, whatever the umask of the user who was first.
    lock = FileLock(path, timeout=seconds, mode=0o666)
    try:
        lock.acquire()
    except (Timeout, NotImplementedError):
        yield False
        return
    try:
        yield True
    finally:
        lock.release()


def _temporary_name(name: str) -> str:
    return f".{name[:_LONGEST_NAME]}.{_machine()}-{os.getpid()}-{secrets.token_hex(4)}.tmp"


@cache
def _machine() -> str:
    """Name where process numbers mean what they mean here: this boot of this machine, and this container."""
    told = [os.uname().nodename]
    with suppress(OSError):
        told.append(Path("/proc/sys/kernel/random/boot_id").read_text().strip())
        told.append(str(Path("/proc/self/ns/pid").stat().st_ino))
    return blake2b("\n".join(told).encode(), digest_size=4).hexdigest()


def _is_abandoned(path: Path, where: str, pid: int) -> bool:
    if where == _machine() and not _is_running(pid):
        return True
    return time.time() - path.lstat().st_mtime > _ABANDONED


def _is_running(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except (OSError, OverflowError):  # it is another user's, or nobody's
        return True
    return True


def _sync_folder(folder: Path) -> None:
    """Make the file's name as durable as its content; a file system that cannot does what it can."""
    with suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def write_output(path: Path, content: bytes) -> None:
    """Write a file whole or not at all, also when the power fails in between.

    Raises HarnessError where the disk is full or the folder cannot be written.
    """
    try:
        write_atomic(path, [content])
    except OSError as error:
        raise write_error(path, error) from error


def write_inside(root: Path, path: Path, content: bytes) -> None:
    """Write a file below a root as `write_output` does; no link within the root leads out of it."""
    refuse_symlinks(path, root)
    write_output(path, content)


def write_error(path: Path, error: OSError) -> HarnessError:
    """Return the error for a file that cannot be written."""
    return HarnessError(
        f"cannot write {path}: {error.strerror}",
        hint="earlier results are intact; free the disk or pick --out",
    )
