"""Quotation marks in delimited files: whether they quote, and where one opens."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

from harness.tasks.readers.values import is_number

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    Row = Sequence[str]


def is_program_quoting(rows: Iterable[tuple[Row, Row]]) -> bool:
    """Whether the quotation marks of a file are those that a program writes around cells.

    rows: each row, read without and with quoting; both have the same number of cells.
    Programs quote every text (R, Python's QUOTE_ALL), or just the cells that hold a quotation mark (Python's
    and pandas' default; a cell with a tab or a line end does not come here), or also those that hold a comma
    (Excel). If none of these explains each cell, the marks belong to the texts.
    """
    marks, every, needed, commas = False, True, True, True
    for plain, quoted in rows:
        for raw, cell in zip(plain, quoted, strict=True):
            mark = raw.startswith('"')
            marks = marks or mark
            every = every and (mark or is_number(cell) or not cell)
            needed = needed and mark == ('"' in cell)
            commas = commas and mark == ('"' in cell or "," in cell)
    return marks and (every or needed or commas)


def opening_line(lines: Iterable[str], delimiter: str, first: int) -> int:
    """Return the line, from 1, of the last quotation mark that opens a cell in the row that begins in a line.

    lines: all lines of the file, with their ends.
    The row is one that cannot be read: the mark is never closed, or closed within its cell.
    """
    opened, inside = first, False
    for number, line in enumerate(itertools.islice(lines, first - 1, None), first):
        rest = line.rstrip("\r\n").replace('""', "") if inside else line.rstrip("\r\n")
        while rest:
            if inside:
                _, closing, rest = rest.partition('"')
                if not closing:
                    break
                inside = False
                if rest and not rest.startswith(delimiter):
                    return opened
                rest = rest[1:]
            elif rest.startswith('"'):
                inside, opened, rest = True, number, rest[1:].replace('""', "")
            else:
                rest = rest.partition(delimiter)[2]
        if not inside:
            return opened
    return opened
