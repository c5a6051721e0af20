"""`Columns`: what was read of files of rows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from harness.finding import Finding


class Columns(dict[str, list[Any]]):
    """Our names of columns → their values, one per row, with what was seen on the way."""

    def __init__(
        self,
        columns: dict[str, list[Any]],
        places: Sequence[tuple[Path, int]] = (),
        findings: Sequence[Finding] = (),
    ) -> None:
        super().__init__(columns)
        self.places = places
        """File and number of each row, from 1."""
        self.findings = tuple(findings)
        """Findings of reading; a task passes them on to its `Dataset`."""

    def take(self, rows: Sequence[int], *findings: Finding) -> Columns:
        """Return the given rows, in the given order, with further findings."""
        taken = {name: [values[row] for row in rows] for name, values in self.items()}
        return Columns(taken, [self.places[row] for row in rows], (*self.findings, *findings))
