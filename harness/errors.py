"""The one error that a user can cause."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

MOST_LISTED = 60
"""Of more names than these, an error gives the number and the nearest only."""
LONGEST = 2_000
"""Characters of a line; of a longer one, which quotes what stood in a file, an error shows both ends."""


class HarnessError(Exception):
    """Something a user can put right: what happened, what exists, what to do.

    The command line catches it once, prints it and exits with 2. Any other exception is a bug of
    ours (or of a plugin) and keeps its traceback.
    """

    def __init__(self, message: str, *, exists: str | None = None, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = _shortened(message)
        self.exists = exists and _shortened(exists)
        self.hint = hint and _shortened(hint)

    def __str__(self) -> str:
        lines = [self.message]
        if self.exists:
            lines += [f"  {line}" for line in self.exists.splitlines()]
        if self.hint:
            lines.append(f"  hint: {self.hint}")
        return "\n".join(lines)

    @classmethod
    def unknown(cls, what: str, name: str, known: Iterable[str], *, hint: str | None = None) -> HarnessError:
        """Say that there is no `what` called `name`, with the nearest names, and all where they are few."""
        names = sorted(known)
        nearest = difflib.get_close_matches(name, names, n=3, cutoff=0.6)
        exists = [f"did you mean: {', '.join(nearest)}"] if nearest else []
        exists.append(f"known: {_listed(names)}")
        return cls(f"no {what} named {name!r}", exists="\n".join(exists), hint=hint)


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names) or "none" if len(names) <= MOST_LISTED else f"{len(names)} names"


def _shortened(text: str) -> str:
    if len(text) <= LONGEST:
        return text
    half = LONGEST // 2
    return "\n".join(
        line if len(line) <= LONGEST else f"{line[:half]} … {line[-half:]}" for line in text.split("\n")
    )


class MissingDataError(HarnessError):
    """The chosen data source does not hold what a task needs (the sample ships only some tasks)."""
