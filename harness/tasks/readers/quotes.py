"""Quotation marks in delimited files: whether they quote, and where one opens."""

from __future__ import annotations

import io
import itertools
from typing import TYPE_CHECKING

from harness.tasks.readers.values import is_number

if TYPE_CHECKING:
    from collections.abc import Sequence

    Rows = Sequence[Sequence[str]]


def is_program_quoting(plain: Rows, quoted: Rows) -> bool:
    """Whether the quotation marks of a file are those that a program writes around cells.

    plain, quoted: the same rows, read without and with quoting.
    Programs quote every text (R, Python's QUOTE_ALL), or just the cells that hold a quotation mark (Python's
    and pandas' default; a cell with a tab or a line end does not come here), or also those that hold a comma
    (Excel). If none of these explains each cell, the marks belong to the texts.
    """
    cells = [pair for rows in zip(plain, quoted, strict=True) for pair in zip(*rows, strict=True)]
    marked = [(raw.startswith('"'), cell) for raw, cell in cells]
    if not any(mark for mark, _ in marked):
        return False
    every = all(mark or is_number(cell) or not cell for mark, cell in marked)
    needed = all(mark == ('"' in cell) for mark, cell in marked)
    commas = all(mark == ('"' in cell or "," in cell) for mark, cell in marked)
    return every or needed or commas


def opening_line(text: str, delimiter: str, first: int) -> int:
    """Return the line, from 1, of the last quotation mark that opens a cell in the row that begins in a line.

    The row is one that cannot be read: the mark is never closed, or closed within its cell.
    """
    opened, inside = first, False
    lines = itertools.islice(io.StringIO(text, newline=""), first - 1, None)
    for number, line in enumerate(lines, first):
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
