"""From what a user wrote to a path."""

from __future__ import annotations

import errno
import os
from pathlib import Path

from harness.errors import HarnessError

_NOTHING_THERE = {errno.ENOENT, errno.ENOTDIR, errno.ELOOP}


def user_path(text: str) -> Path:
    """Read a path as a shell does: `~` is home, and `~nobody` a path that does not exist.

    Raises HarnessError as `possible` does.
    """
    # Path.expanduser raises where there is no such user.
    return possible(Path(os.path.expanduser(text)))  # noqa: PTH111


def possible(path: Path) -> Path:
    """Return a path at which something may be, or be made.

    Raises HarnessError for a longer name than any file can have, and for a folder that may not be entered or
    whose disk does not answer: of these nobody can say what is there.
    """
    try:
        path.lstat()
    except OSError as error:
        if error.errno == errno.ENAMETOOLONG:
            raise HarnessError(f"no file can have so long a name: {str(path)[:80]}…") from error
        if error.errno not in _NOTHING_THERE:
            raise HarnessError(f"cannot look at {path}: {error.strerror}") from error
    except ValueError:  # a NUL in it: no file of that name is ever there
        pass
    return path
