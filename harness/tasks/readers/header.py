"""Recognize a missing header, and find columns by name or by position."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from harness.errors import HarnessError
from harness.tasks.readers.values import is_missing, is_number

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

_SAY = "say whether the first line is a header in a task file: header = true, or header = false"


@dataclass(frozen=True, slots=True)
class Wanted:
    """Columns that are wanted of a file."""

    columns: Mapping[str, str | int]
    """Our name → the file's, or a position from 1."""
    numbers: tuple[str, ...] = ()
    """Those of our names whose cells are numbers: a header's are not."""
    named_classes: bool = True
    """Whether numbers of classes are read as their names, where a file's features give them."""

    @property
    def positions(self) -> Mapping[str, int] | None:
        """Our names → positions in a file without a header; None if the file's names were given.

        Without positions, columns are in our order.
        """
        given = {name: at for name, at in self.columns.items() if isinstance(at, int)}
        if len(given) == len(self.columns):
            return given
        if any(name != theirs for name, theirs in self.columns.items()):
            return None
        return {name: place for place, name in enumerate(self.columns, 1)}

    @property
    def last(self) -> int | None:
        """The last position that was given; None if names were."""
        given = [at for at in self.columns.values() if isinstance(at, int)]
        return max(given) if given and len(given) == len(self.columns) else None

    def has_header(self, first: Sequence[str], path: Path) -> bool:
        """Whether a file's first row is a header: it has the names, or no number where there must be one.

        Raises HarnessError where that cannot be seen.
        """
        if not self.columns:
            return True
        names = [cell.strip() for cell in first]
        by_name = [name for name in self.columns.values() if isinstance(name, str)]
        if by_name and set(by_name) <= set(names):
            self._refuse_numbers_as_names(path)
            return True
        positions = self.positions
        cells = [
            names[positions[name] - 1]
            for name in self.numbers
            if positions and positions.get(name, len(names) + 1) <= len(names)
        ]
        if cells and all(is_number(cell) for cell in cells):
            return False
        if not by_name and (not cells or any(_is_blank(cell) for cell in cells)):
            raise HarnessError(f"{path}: columns are given by position", hint=_SAY)
        return True

    def _refuse_numbers_as_names(self, path: Path) -> None:
        for name in self.numbers:
            theirs = self.columns.get(name)
            if isinstance(theirs, str) and is_number(theirs):
                raise HarnessError(
                    f"{path}: the name of column {name!r}, which holds numbers, is {theirs!r}",
                    hint=f"the first line is a row: header = false, and {name} by its position",
                )

    def in_file(self, names: Sequence[str], path: Path, *, header: bool) -> dict[str, str]:
        """Return our names → the file's; names of a file without a header are positions from 1.

        Raises HarnessError for a position that the file does not have, and for a file without a header that
        has other columns than ours.
        """
        positions = self.positions
        if header:
            _check_positions(self.columns.values(), names, path)
            return {
                name: names[theirs - 1] if isinstance(theirs, int) else theirs
                for name, theirs in self.columns.items()
            }
        if positions is None:
            raise HarnessError(
                f"{path} has no header, so columns have no names",
                hint=f"give positions from 1: columns = {{ {next(iter(self.columns))} = 1, … }}",
            )
        if self.last is None and len(names) != len(positions):
            example = ", ".join(f"{name} = {place}" for name, place in positions.items())
            raise HarnessError(
                f"{path} has no header and {len(names)} columns, where {len(positions)} are needed:"
                f" {', '.join(positions)}",
                hint=f"say which they are: header = false, columns = {{ {example} }}",
            )
        _check_positions(positions.values(), names, path)
        return {name: names[place - 1] for name, place in positions.items()}


def _check_positions(columns: Iterable[str | int], names: Sequence[str], path: Path) -> None:
    for at in columns:
        if isinstance(at, int) and not 1 <= at <= len(names):
            raise HarnessError(f"{path} has {len(names)} columns, counted from 1: there is no column {at}")


def _is_blank(cell: str) -> bool:
    """Whether a cell says nothing about a header: blank, or a word for a missing number."""
    return is_missing(cell, empty=True) or cell.lower() in ("nan", "na", "n/a", "null", "none", "-")
