"""Pointers of Git LFS: what git leaves in place of a large file, in a clone without Git LFS."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.errors import HarnessError

if TYPE_CHECKING:
    from pathlib import Path

POINTER = b"version https://git-lfs"
"""The first bytes of a pointer."""


def is_pointer(path: Path) -> bool:
    """Whether a regular file is a pointer; raises OSError."""
    with path.open("rb") as file:
        return file.read(len(POINTER)) == POINTER


def pointer_error(path: Path, what: str) -> HarnessError:
    """Return the error for a pointer in place of `what`, such as the weights."""
    return HarnessError(
        f"{path} is a pointer of Git LFS and not {what}",
        hint="fetch the file: git lfs pull in the clone it comes from, or download it again",
    )
