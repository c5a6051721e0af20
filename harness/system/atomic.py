"""Atomic, fsynced writes; file locks; temporary files of ended processes."""

from __future__ import annotations

import os
import re
import secrets
import shutil
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
"""Maximum characters of a file's name in its temporary name: file systems allow 255 bytes."""
_TEMPORARY = re.compile(r"\..*\.(?P<machine>[0-9a-f]{8})-(?P<pid>\d+)-[0-9a-f]{8}\.tmp", re.DOTALL)
_ABANDONED = 24 * 3600
"""Seconds after which a temporary file counts as abandoned, on any machine."""


def write_atomic(
    path: Path, content: Iterable[bytes | memoryview], *, header_last: bool = False, make_folder: bool = True
) -> None:
    """Write a file atomically: it appears complete or not at all, also after a power failure.

    The file has the user's default permissions; a link of this name is replaced, not
    followed. An interruption waits until the file is written.
    header_last: the last piece is written over the beginning. make_folder: whether to make a missing folder;
    FileNotFoundError otherwise.
    Raises OSError if the disk is full or the folder cannot be written; nothing is left behind then.
    """
    with defer_signals():
        if make_folder:
            path.parent.mkdir(parents=True, exist_ok=True)
        temporary = path.with_name(temporary_name(path.name))
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
    """Remove the temporary files and folders that ended processes left in a folder, if it can be read."""
    for path in stale_files(folder):
        with suppress(OSError):
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path)
            else:
                path.unlink()


def stale_files(folder: Path) -> list[Path]:
    """Return the temporary files and folders of ended processes in a folder; none if it cannot be read."""
    stale = []
    with suppress(OSError):
        for path in folder.iterdir():
            match = _TEMPORARY.fullmatch(path.name)
            if match and _is_abandoned(path, match["machine"], int(match["pid"])):
                stale.append(path)
    return stale


def this_process() -> str:
    """Return a name of this process for `is_gone`: a hash of machine, boot and container, and its number."""
    return f"{_machine()}-{os.getpid()}"


def is_gone(process: str) -> bool:
    """Whether a process is known to have ended; False for other machines, boots and containers."""
    machine, _, pid = process.rpartition("-")
    return machine == _machine() and pid.isdecimal() and not _is_running(int(pid))


@contextmanager
def locked(path: Path, *, seconds: float) -> Iterator[bool]:
    """Hold the lock of a file while the body runs; the system frees it however the process ends.

    Yields whether the lock is held: False if another process held it for all of `seconds`, or if the file
    system has no locks. Raises OSError if the file cannot be made.
    """
    from filelock import FileLock, Timeout

    # Every user who may write the folder may lock it, independent of the first user's umask.
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


def temporary_name(name: str) -> str:
    """Return a name for a file or folder until it is complete, or removed: `stale_files` knows it."""
    return f".{name[:_LONGEST_NAME]}.{_machine()}-{os.getpid()}-{secrets.token_hex(4)}.tmp"


@cache
def _machine() -> str:
    """Return a hash of what process numbers are valid for: this machine, its boot, and this container."""
    parts = [os.uname().nodename]
    with suppress(OSError):
        parts.append(Path("/proc/sys/kernel/random/boot_id").read_text().strip())
        parts.append(str(Path("/proc/self/ns/pid").stat().st_ino))
    return blake2b("\n".join(parts).encode(), digest_size=4).hexdigest()


def _is_abandoned(path: Path, machine: str, pid: int) -> bool:
    if machine == _machine() and not _is_running(pid):
        return True
    return time.time() - path.lstat().st_mtime > _ABANDONED


def _is_running(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except (OSError, OverflowError):  # another user's process, or a number that no process can have
        return True
    return True


def _sync_folder(folder: Path) -> None:
    """Fsync a folder, so that the names in it are durable; does nothing if the file system cannot."""
    with suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def write_output(path: Path, content: bytes, option: str = "--out") -> None:
    """Write a file that a user asked for, by an option, as `write_atomic` does.

    Raises HarnessError if the disk is full or the folder cannot be written.
    """
    try:
        write_atomic(path, [content])
    except OSError as error:
        raise write_error(path, error, option) from error


def write_report(path: Path, content: bytes, option: str) -> None:
    """Write a file as `write_output` does, and remove what killed processes left beside it."""
    remove_stale(path.parent)
    write_output(path, content, option)


def write_inside(root: Path, path: Path, content: bytes) -> None:
    """Write a file below a root as `write_output` does, but refuse links between them."""
    refuse_symlinks(path, root)
    write_output(path, content)


def write_error(path: Path, error: OSError, option: str = "--out") -> HarnessError:
    """Return the error for a file that cannot be written, whose place an option says."""
    intact = "earlier results are intact; " if option == "--out" else ""
    # Only what lies above a path can be the wrong kind of thing: a link or file at the path is replaced.
    blocking = next((parent for parent in path.parents if os.path.lexists(parent)), None)
    if blocking is not None and not blocking.is_dir():
        return HarnessError(
            f"cannot write {path}: {blocking} is not a folder", hint=f"{intact}choose another {option}"
        )
    return HarnessError(
        f"cannot write {path}: {error.strerror}",
        hint=f"{intact}free disk space or choose another {option}",
    )
