"""The files of a candidate as plain data, for a worker that does not see where it goes."""

from __future__ import annotations

import shutil
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from harness.errors import HarnessError
from harness.evaluation.work_folder import open_work_folder, remove_work_folder, work_folder
from harness.execution.units import FilePart

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

PART = 32 << 20
"""Maximum bytes of a part."""


def file_parts(folder: Path, size: int = PART) -> Iterator[FilePart]:
    """Yield the files of a folder in order, each in parts of at most so many bytes; an empty file has one."""
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        name = path.relative_to(folder).as_posix()
        with path.open("rb") as file:
            yield FilePart(file=name, content=file.read(size))
            while content := file.read(size):
                yield FilePart(file=name, content=content)


def place_files(out: Path, parts: Iterable[FilePart]) -> None:
    """Write a candidate's files beside its place, and move them there with one rename.

    Raises HarnessError where the folder cannot be written, or a name leads out of it.
    """
    work = work_folder(out)
    with open_work_folder(work):
        folder = work / "model"
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        for part in parts:
            name = PurePosixPath(part.file)
            if name.is_absolute() or ".." in name.parts:
                raise HarnessError(f"a worker returned a file outside of the candidate: {part.file!r}")
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            with path.open("ab") as file:
                file.write(part.content)
        folder.rename(out)
    remove_work_folder(work)
