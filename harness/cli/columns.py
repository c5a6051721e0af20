"""Columns of a table: how wide they are, how narrow they can be, and where their texts may be broken."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

from rich.cells import cell_len, chop_cells

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harness.table import Cell, Table

_SENTENCE = 24
"""Minimum width of a column of sentences: narrower, it would be a pillar of words."""
_TOGETHER = re.compile(r"\S+ \[[^][]*, [^][]*\]|\[[^][]*, [^][]*\]|\d[\d.,]* %|\S+ \(\S+ – \S+\)")
"""Texts whose spaces are no place for a line break: an interval with its figure, `95 %`."""
_FIGURE = re.compile(r"[-+<>~−–?]? ?\d|[–?]$")
"""Starts of figures. Cells of a table of figures that start otherwise are words, which wrap."""
_LETTERS = re.compile(r"(?<=\]) [a-z]+$")
"""Significance letters behind an interval."""


def wrapped(text: str, width: int, indent: int = 0) -> list[str]:
    """Return the lines of a text, broken at spaces; all but the first are indented.

    A word that is longer than the width, such as a path, has a line of its own and is not broken.
    """
    lines: list[str] = []
    for paragraph in text.split("\n"):
        first, *words = _words(paragraph)
        line = first
        for word in words:
            if line.strip() and cell_len(line) + 1 + cell_len(word) > width:
                lines.append(line)
                line = " " * indent + word
            else:
                line = f"{line} {word}"
        lines.append(line)
    return lines


def _words(text: str) -> list[str]:
    """Split a text at the spaces at which it may be broken; leading spaces stay with the first word."""
    start = " " * (len(text) - len(text.lstrip(" ")))
    kept = _TOGETHER.sub(lambda match: match[0].replace(" ", "\0"), text.strip(" "))
    first, *others = [word.replace("\0", " ") for word in kept.split(" ")]
    return [start + first, *others]


@dataclass(frozen=True)
class Column:
    """A column of a table: its header, in up to two parts, and its cells."""

    header: str
    unit: str
    """Second part of the header, which is never broken; may be empty."""
    cells: tuple[Cell, ...]
    wraps: bool
    """Whether its words may be broken over lines."""
    right: bool
    """Whether it holds figures, which are aligned on the right and never broken over lines."""

    @cached_property
    def natural(self) -> int:
        """Width without any break."""
        return max(map(cell_len, (self.header, self.unit, *(cell.text for cell in self.cells))))

    @cached_property
    def least(self) -> int:
        """Width of the longest part that is not broken."""
        widest = max(map(cell_len, (self.unit, *_words(self.header))))
        for cell in self.cells:
            width = cell_len(cell.text)
            if self._breaks(cell):
                width = max(*map(cell_len, _words(cell.text)), min(_SENTENCE, width))
            widest = max(widest, width)
        return widest

    def header_lines(self, width: int) -> list[str]:
        """Return the lines of the first part of its header."""
        return _pieces(wrapped(self.header, width), width)

    def cell_lines(self, cell: Cell, width: int) -> list[str]:
        """Return the lines of a cell."""
        return _pieces(wrapped(cell.text, width) if self._breaks(cell) else [cell.text], width)

    def _breaks(self, cell: Cell) -> bool:
        return self.wraps and not (self.right and _FIGURE.match(cell.text))


def _pieces(lines: Sequence[str], width: int) -> list[str]:
    """Break lines that are too wide between characters, so that nothing of them is lost."""
    return [piece for line in lines for piece in (chop_cells(line, max(width, 1)) or [""])]


def columns_of(table: Table) -> list[Column]:
    """Return the columns of a table; the first one, of names, does not wrap."""
    columns = []
    for position, header in enumerate(table.header):
        figures = table.numeric and position > 0
        cells = [row[position] for row in table.rows]
        columns.append(
            Column(
                header=header,
                unit=table.units[position] if table.units else "",
                cells=tuple(_aligned(cells) if figures else cells),
                wraps=position > 0,
                right=figures,
            )
        )
    return columns


def _aligned(cells: Sequence[Cell]) -> list[Cell]:
    """Return figures with spaces behind their letters, so that the figures are one below the other."""
    behind = [len(match[0]) if (match := _LETTERS.search(cell.text)) else 0 for cell in cells]
    most = max(behind, default=0)
    return [
        replace(cell, text=cell.text + " " * (most - own)) if most and "[" in cell.text else cell
        for cell, own in zip(cells, behind, strict=True)
    ]
