"""Paths as users write them, safe file names for arbitrary names, and refusal of symbolic links."""

from __future__ import annotations

import errno
import hashlib
import os
import re
import stat
import threading
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from harness.errors import HarnessError

if TYPE_CHECKING:
    from collections.abc import Iterator

_NOTHING_THERE = {errno.ENOENT, errno.ENOTDIR, errno.ELOOP}
_LONGEST = 120
"""Maximum characters of a file name, of the 255 that a file system allows: suffixes are added to it."""


_start: Path | None = None
"""The folder that users' paths are relative to, inside of `relative_to`."""
_own_start = threading.local()
"""Its attribute `folder`: the same in a thread that is not the main one; the process's where it has none."""


@contextmanager
def relative_to(folder: Path | None) -> Iterator[None]:
    """Read users' paths as relative to a folder while the body runs, wherever a plugin takes the process.

    For the whole process in its main thread, for the thread alone in another: two of them may overlap.
    folder: absolute; None leaves it as it is.
    """
    global _start  # noqa: PLW0603 - the process has one current folder, too
    if threading.current_thread() is not threading.main_thread():
        own: Path | None = getattr(_own_start, "folder", None)
        _own_start.folder = folder or own
        try:
            yield
        finally:
            _own_start.folder = own
        return
    before = _start
    _start = folder or before
    try:
        yield
    finally:
        _start = before


def start_folder() -> Path:
    """Return the folder that users' paths are relative to: of `relative_to`, else the current one.

    Raises OSError for a current folder that is gone.
    """
    return getattr(_own_start, "folder", None) or _start or Path.cwd()


def known_start_folder() -> Path | None:
    """Return `start_folder`; None for one that is gone."""
    try:
        return start_folder()
    except OSError:
        return None


def user_path(text: str | os.PathLike[str], folder: Path | None = None) -> Path:
    """Return an absolute path as a shell would: `~` is home, and `~unknown` a path that does not exist.

    folder: what it is relative to; None for `start_folder`.
    Raises HarnessError as `accessible` does.
    """
    # Path.expanduser raises where there is no such user.
    path = Path(folder or "", os.path.expanduser(text))  # noqa: PTH111
    return accessible(path if path.is_absolute() else start_folder() / path)


def shown_path(path: Path) -> str:
    """Return a path as text: relative to `start_folder` if it is below it, as users write it."""
    with suppress(OSError, ValueError):
        return str(path.relative_to(start_folder()))
    return str(path)


def without_start_folder(text: str) -> str:
    """Return a text in which paths below `start_folder` are relative to it: none names this machine."""
    with suppress(OSError):
        folder = str(start_folder())
        return text if folder == os.sep else text.replace(f"{folder}{os.sep}", "")
    return text


def accessible(path: Path) -> Path:
    """Return a path unchanged, if one can say whether something exists there.

    Raises HarnessError for a name that is too long for a file, and for a folder that may not be entered or
    whose disk does not answer.
    """
    try:
        # Follows links: the next question, whether it is a file or a folder, is about their target.
        if stat.S_ISDIR(path.stat().st_mode) and not os.access(path, os.X_OK):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
    except OSError as error:
        if error.errno == errno.ENAMETOOLONG:
            raise HarnessError(f"file name too long: {str(path)[:80]}…") from error
        if error.errno not in _NOTHING_THERE:
            raise HarnessError(f"cannot access {path}: {error.strerror}") from error
    except ValueError:  # it contains a NUL: no file can have this name
        pass
    return path


def file_name(name: str) -> str:
    """Return a file name that is safe on any system, and different for different names.

    Letters, digits, `.`, `_`, `-` stay; all else becomes %XX of its UTF-8 bytes, so that no file system sees
    two spellings of one letter. So do a `.` at either end and the first letter of a name that Windows
    reserves for a device. After a `~` follow the positions of capitals, in hexadecimal: `STSB` and `stsb` are
    one file on a Mac. A name that would be too long is cut and ends in `~` and its hash.
    """
    escaped = re.sub(r"[^A-Za-z0-9._-]|^\.|\.$", _in_hexadecimal, name)
    escaped = re.sub(r"^(?=(?i:con|prn|aux|nul|com\d|lpt\d)(\.|$)).", _in_hexadecimal, escaped)
    capitals = sum(1 << position for position, letter in enumerate(name[:_LONGEST]) if "A" <= letter <= "Z")
    marked = f"{escaped}~{capitals:x}" if capitals else escaped
    if len(name) <= _LONGEST and len(marked) <= _LONGEST:
        return marked or "%"
    return f"{escaped[:100]}~{hashlib.sha256(name.encode()).hexdigest()[:16]}"


def _in_hexadecimal(match: re.Match[str]) -> str:
    return "".join(f"%{byte:02X}" for byte in match[0].encode())


def symlink_below(folder: Path, root: Path) -> Path | None:
    """Return a link among a folder below a root and the folders between; None if there is none.

    The root itself may be a link: the user chose it.
    """
    inner = folder.relative_to(root)
    links = (root / part for part in (inner, *inner.parents) if part.name)
    # Path.is_symlink raises for folders that may not be entered; nothing can be written there either.
    return next((link for link in links if os.path.islink(link)), None)  # noqa: PTH114


def refuse_symlinks(path: Path, root: Path) -> None:
    """Raise HarnessError if a file below a root would be written or removed through a link."""
    if (link := symlink_below(path.parent, root)) is not None:
        raise HarnessError(
            f"{link} is a link: results are not written through links",
            hint="replace it with the folder itself, or pass its target: --out DIR",
        )
