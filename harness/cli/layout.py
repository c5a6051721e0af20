"""Tables and sentences as lines that fit into a width.

The one place that decides what is done to a table that is too wide, in this order:

1. columns stand two spaces apart instead of three; headers and words wrap at spaces;
2. the table is turned, where it says how;
3. optional columns are left out, and a remark says which, and how to see them;
4. names are shortened in the middle, each to something of its own;
5. columns are spread over blocks, each of which repeats the first column.

A figure is never shortened, and neither a figure nor an interval is broken over lines.
"""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass, replace
from itertools import zip_longest
from typing import TYPE_CHECKING

from rich.cells import cell_len

from harness.cli.columns import columns_of, wrapped
from harness.short_names import short_names

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from harness.cli.columns import Column
    from harness.table import Table

    Line = list[tuple[str, str]]

PIPE_WIDTH = 100
"""Columns of what goes to a file, a pipe or the log of a CI job, unless COLUMNS says otherwise."""
_GAPS = 3, 2
"""Spaces between columns, and where there is little room."""
_SHORT_NAME = 16
"""Minimum characters to which names are shortened so that a table is not split."""
_SHORTEST_NAME = 8
"""Minimum characters to which names are shortened so that a single column fits."""
_NAME_SHARE = 3
"""Part of the width, one third, that a name takes at most where a table is split."""


def output_width(*, terminal: bool) -> int:
    """Return the columns of the output: COLUMNS, else the terminal's, else `PIPE_WIDTH`."""
    given = os.environ.get("COLUMNS", "")
    if given.isascii() and given.isdigit() and int(given):
        return int(given)
    return shutil.get_terminal_size((PIPE_WIDTH, 24)).columns if terminal else PIPE_WIDTH


@dataclass(frozen=True, slots=True)
class _Block:
    """Columns side by side, their widths, and the spaces between them."""

    columns: Sequence[Column]
    widths: Sequence[int]
    gap: int

    def lines(self) -> Iterator[Line]:
        """Yield the lines of headers, then those of rows."""
        pairs = list(zip(self.columns, self.widths, strict=True))
        headers = [column.header_lines(width) for column, width in pairs]
        deepest = max(map(len, headers))
        headers = [[""] * (deepest - len(lines)) + lines for lines in headers]
        if any(column.unit for column in self.columns):
            headers = [[*lines, column.unit] for lines, column in zip(headers, self.columns, strict=True)]
        yield from self._row(headers, ["dim"] * len(pairs))
        for row in zip(*(column.cells for column in self.columns), strict=True):
            texts = [column.cell_lines(cell, width) for cell, (column, width) in zip(row, pairs, strict=True)]
            yield from self._row(texts, ["bold" if cell.best else "" for cell in row])

    def _row(self, texts: Sequence[Sequence[str]], styles: Sequence[str]) -> Iterator[Line]:
        """Yield the lines of a row: as many as its tallest cell has; spaces at their ends are left out."""
        for parts in zip_longest(*texts, fillvalue=""):
            line: Line = []
            spaces = " "
            for text, style, column, width in zip(parts, styles, self.columns, self.widths, strict=True):
                spare = " " * (width - cell_len(text))
                if text.strip():
                    line += [(spaces + (spare if column.right else ""), ""), (text, style)]
                    spaces = "" if column.right else spare
                else:
                    spaces += " " * width
                spaces += " " * self.gap
            yield [*line[:-1], (line[-1][0].rstrip(), line[-1][1])] if line else []


def table_lines(table: Table, width: int) -> list[Line]:
    """Return the lines of a table: title, columns, remarks. Line: pieces of text, each with its style.

    None is wider than `width`, unless a word of its remarks is.
    """
    blocks, notes = _arranged(table, width)
    lines = list(_title(table, width))
    for number, block in enumerate(blocks):
        lines += [[]] if number else []
        lines += block.lines()
    for remark in (*notes, *table.remarks):
        lines += [[(line, "yellow")] for line in wrapped(f"  {remark}", width, indent=4)]
    return lines


def _title(table: Table, width: int) -> Iterator[Line]:
    """Yield the title, with the subtitle behind it, which goes on below it, indented."""
    first, *rest = wrapped(f"{table.title}  {table.subtitle}".rstrip(), width, indent=2)
    title, subtitle = first[: len(table.title)], first[len(table.title) :]
    yield [(title, "bold cyan"), (subtitle, "dim")]
    yield from ([(line, "dim")] for line in rest)


def _arranged(table: Table, width: int) -> tuple[list[_Block], list[str]]:
    """Return the blocks of a table, and remarks on what was left out, by the steps of this module."""
    columns = columns_of(table)
    if not columns:
        return [], []
    if block := _fitted(columns, width):
        return [block], []
    if table.turned is not None:
        # One table reads better than blocks of one, so the other way round is tried before anything else.
        if block := _fitted(columns_of(table.turned), width):
            return [block], []
        if table.turned.optional:
            return _arranged(table.turned, width)
    kept, notes = _without_optional(table, columns, width)
    if block := _fitted(kept, width):
        return [block], notes
    if _fitted(_renamed(kept, table, _SHORT_NAME), width):
        longest = max(map(len, table.names), default=0)
        for most in range(longest - 1, _SHORT_NAME - 1, -1):
            if block := _fitted(_renamed(kept, table, most), width):
                return [block], notes
    # Blocks of columns, and not the table turned: models stay rows, which are compared from top to bottom.
    for most in (max(width // _NAME_SHARE, _SHORT_NAME), _SHORT_NAME, _SHORTEST_NAME):
        if blocks := _spread(_renamed(kept, table, most), width):
            return blocks, notes
    return _squeezed(_renamed(kept, table, _SHORTEST_NAME), width), notes


def _renamed(columns: Sequence[Column], table: Table, most: int) -> list[Column]:
    """Return columns with names of at most so many characters."""
    shown = short_names(table.names, most)
    return [
        replace(
            column,
            header=shown.get(column.header, column.header),
            cells=tuple(replace(cell, text=shown.get(cell.text, cell.text)) for cell in column.cells),
        )
        for column in columns
    ]


def _fitted(columns: Sequence[Column], width: int, gaps: Sequence[int] = _GAPS) -> _Block | None:
    """Return columns side by side with the widths at which they fit; None where they do not."""
    natural, least = [column.natural for column in columns], [column.least for column in columns]
    rooms = {gap: width - 1 - gap * (len(columns) - 1) for gap in gaps}
    for gap, room in rooms.items():
        if sum(natural) <= room:
            return _Block(columns, natural, gap)
    if sum(least) > room:
        return None
    return _Block(columns, _narrowed(least, natural, room), gap)


def _narrowed(least: Sequence[int], natural: Sequence[int], room: int) -> list[int]:
    """Return widths that fill the room: the widest columns are narrowed first, none below its least."""

    def widths(most: int) -> list[int]:
        return [max(low, min(most, high)) for low, high in zip(least, natural, strict=True)]

    most = next(most for most in range(max(natural), -1, -1) if sum(widths(most)) <= room)
    return widths(most)


def _without_optional(table: Table, columns: Sequence[Column], width: int) -> tuple[list[Column], list[str]]:
    """Return columns without as many optional ones as it takes to fit, and the remark on those left out."""
    kept = [*columns]
    for header in table.optional:
        if _fitted(kept, width):
            break
        kept = [column for column in kept if column.header != header]
    left = [column.header for column in columns if column not in kept]
    if not left:
        return kept, []
    needed = 1 + _GAPS[-1] * (len(columns) - 1) + sum(column.least for column in columns)
    how = " or ".join([*([table.option] if table.option else []), f"COLUMNS={needed}"])
    return kept, [f"left out at {width} columns: {', '.join(left)} ({how} shows all)"]


def _spread(columns: Sequence[Column], width: int) -> list[_Block] | None:
    """Return blocks that repeat the first column, as few as can be, and about equally wide.

    None where a column alone is too wide.
    """
    blocks = _filled(columns, width)
    # The narrowest of that number: blocks of four columns and four, not of seven and one.
    while blocks and (smaller := _filled(columns, max(map(_width, blocks)) - 1)):
        if len(smaller) > len(blocks):
            break
        blocks = smaller
    return blocks


def _width(block: _Block) -> int:
    return 1 + sum(block.widths) + block.gap * (len(block.columns) - 1)


def _filled(columns: Sequence[Column], width: int) -> list[_Block] | None:
    """Return blocks, each of as many columns as fit; None where the first with another does not."""
    key, *rest = columns
    blocks: list[_Block] = []
    taken: list[Column] = []
    for column in rest:
        wider = _fitted([key, *taken, column], width, _GAPS[-1:])
        if wider is None and taken:
            taken, wider = [], _fitted([key, column], width, _GAPS[-1:])
        if wider is None:
            return None
        if taken:
            blocks.pop()
        blocks.append(wider)
        taken.append(column)
    return blocks or None


def _squeezed(columns: Sequence[Column], width: int) -> list[_Block]:
    """Return the first column with each other in a width too small for them: words are broken over lines."""
    key, *rest = columns
    gap = _GAPS[-1]
    if not rest:
        return [_Block(columns, [max(width - 1, 1)], gap)]
    first = min(key.natural, max((width - 1 - gap) // 2, 1))
    room = max(width - 1 - gap - first, 1)
    return [_Block([key, column], [first, min(column.natural, room)], gap) for column in rest]
