"""List files of folders; one that cannot be read is an error: `Path.glob` takes it for an empty one."""

from __future__ import annotations

import errno
import os
from typing import TYPE_CHECKING

from harness.errors import HarnessError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


def list_files(
    folder: Path, suffix: str, *, below: bool = False, problems: list[str] | None = None
) -> list[Path]:
    """Return the files and links in a folder with a suffix, sorted; none where there is no folder.

    below: those in its subfolders instead. problems: gets one sentence for each folder that cannot be read;
    when it is None, the first one raises HarnessError.
    """
    folders = [path for path in _listed(folder, problems) if os.path.isdir(path)] if below else [folder]  # noqa: PTH112 - False without permission
    return [path for each in folders for path in _listed(each, problems) if path.suffix == suffix]


def _listed(folder: Path, problems: list[str] | None) -> Iterator[Path]:
    try:
        paths = sorted(folder.iterdir())
        if paths and not os.access(folder, os.X_OK):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
    except (FileNotFoundError, NotADirectoryError):
        return
    except OSError as error:
        sentence = f"cannot read {folder}: {error.strerror}"
        if problems is None:
            raise HarnessError(
                sentence, hint="give yourself permission to read it, or check its disk"
            ) from error
        problems.append(sentence)
        return
    yield from paths
