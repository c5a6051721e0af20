"""From what a user wrote to a path, and from a name to a file that stays in its folder."""

from __future__ import annotations

import errno
import hashlib
import os
import re
import stat
from pathlib import Path

from harness.errors import HarnessError

_NOTHING_THERE = {errno.ENOENT, errno.ENOTDIR, errno.ELOOP}
_LONGEST = 120
"""Letters of a file name, of the 255 that a file system takes: more are added to it."""


def user_path(text: str, folder: Path | None = None) -> Path:
    """Read a path as a shell does: `~` is home, and `~nobody` a path that does not exist.

    folder: what it is relative to; None for the current one.
    Raises HarnessError as `accessible` does.
    """
    # Path.expanduser raises where there is no such user.
    return accessible(Path(folder or "", os.path.expanduser(text)))  # noqa: PTH111


def accessible(path: Path) -> Path:
    """Return a path at which something may be, or be made.

    Raises HarnessError for a longer name than any file can have, and for a folder that may not be entered or
    whose disk does not answer: of these nobody can say what is there.
    """
    try:
        # Through links: what is asked next, whether it is a file or a folder, is asked of what they lead to.
        if stat.S_ISDIR(path.stat().st_mode) and not os.access(path, os.X_OK):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
    except OSError as error:
        if error.errno == errno.ENAMETOOLONG:
            raise HarnessError(f"no file can have so long a name: {str(path)[:80]}…") from error
        if error.errno not in _NOTHING_THERE:
            raise HarnessError(f"cannot look at {path}: {error.strerror}") from error
    except ValueError:  # a NUL in it: no file of that name is ever there
        pass
    return path


def file_name(name: str) -> str:
    """Make a name that is safe as a file name on any system, and different for different names.

    Letters, digits, `.`, `_`, `-` stay; all else becomes %XX of its UTF-8 bytes, so that no file system sees
    two spellings of one letter. So do a `.` at either end and the first letter of a name that Windows keeps
    for a device. Where capitals stand is said after a `~`, in hexadecimal: `STSB` and `stsb` are one file to
    a Mac. A name that would be too long is cut and ends in `~` and its hash.
    """
    escaped = re.sub(r"[^A-Za-z0-9._-]|^\.|\.$", _in_hexadecimal, name)
    escaped = re.sub(r"^(?=(?i:con|prn|aux|nul|com\d|lpt\d)(\.|$)).", _in_hexadecimal, escaped)
    capitals = sum(1 << place for place, letter in enumerate(name[:_LONGEST]) if "A" <= letter <= "Z")
    marked = f"{escaped}~{capitals:x}" if capitals else escaped
    if len(name) <= _LONGEST and len(marked) <= _LONGEST:
        return marked or "%"
    return f"{escaped[:100]}~{hashlib.sha256(name.encode()).hexdigest()[:16]}"


def _in_hexadecimal(found: re.Match[str]) -> str:
    return "".join(f"%{byte:02X}" for byte in found[0].encode())


def symlink_below(folder: Path, root: Path) -> Path | None:
    """Find a link among a folder below a root and the folders between: what is in it lies elsewhere.

    The root may itself be a link: that place was chosen.
    """
    inner = folder.relative_to(root)
    links = (root / one for one in (inner, *inner.parents) if one.name)
    # Path.is_symlink raises where nobody may look, and nothing can be written either.
    return next((link for link in links if os.path.islink(link)), None)  # noqa: PTH114


def refuse_symlinks(path: Path, root: Path) -> None:
    """Raise HarnessError where a file below a root would be written or removed through a link."""
    if (link := symlink_below(path.parent, root)) is not None:
        raise HarnessError(
            f"{link} is a link: results are not written through links",
            hint="put the folder itself there, or give the place that it leads to: --out DIR",
        )
