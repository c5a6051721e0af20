"""Folders that last as long as what refers to them."""

from __future__ import annotations

import os
import shutil
import tempfile
import weakref
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from harness.errors import HarnessError

if TYPE_CHECKING:
    from typing import Any


class TemporaryFolder:
    """A folder that is removed when nothing refers to this object any more, and at the end of Python.

    A copy is the same folder. A forked process does not remove what its parent uses.
    """

    def __init__(self, purpose: str) -> None:
        """purpose: part of its name."""
        self.path = Path(tempfile.mkdtemp(prefix=f"harness-{purpose}-"))
        self._remove = weakref.finalize(self, _remove, str(self.path), os.getpid())

    def __copy__(self) -> TemporaryFolder:
        return self

    def __deepcopy__(self, memo: dict[int, Any]) -> TemporaryFolder:
        return self

    def __reduce__(self) -> NoReturn:
        raise HarnessError(
            "what is in a temporary folder cannot be pickled",
            hint="results: save(FOLDER), and read_results(FOLDER) there; a task of rows: make it there",
        )


def _remove(folder: str, owner: int) -> None:
    if os.getpid() == owner:
        shutil.rmtree(folder, ignore_errors=True)
