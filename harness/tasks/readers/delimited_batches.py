"""Read files of delimited cells in batches: no more than a few thousand rows are in memory."""

from __future__ import annotations

import csv
import io
import itertools
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from harness.errors import HarnessError
from harness.system.text_file import read_text_pieces
from harness.tasks.readers.delimited import (
    LINES_TO_TEST,
    LONGEST_CELL,
    Delimited,
    checked_cells,
    doubtful_marks,
    doubtful_text,
    find_delimiter,
    names_of,
    neither_way,
    parsed,
    read_delimited,
    swallows,
)
from harness.tasks.readers.quotes import is_program_quoting

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

    from harness.finding import Finding
    from harness.tasks.readers.delimited import Line, Style

    Parse = Callable[..., Iterator[Line]]
    """quoted: whether with quoting."""

_ROWS_AT_ONCE = 4_096
_LONGEST_TRIED = 2**26
"""Maximum characters of a quoted cell while it is tried whether cells are quoted: an open mark takes all."""


class _NamelessError(Exception):
    """Nothing names the columns of a file: they are as many as the widest row has."""


class _NotQuotedError(Exception):
    """A file cannot be read with quoting."""


def delimited_batches(path: Path, kind: str, style: Style) -> Iterator[Delimited]:
    """Yield the rows that `read_delimited` returns in batches; findings come with the first.

    A file whose columns have no names is one batch. Where marks may be quotation marks the file is read
    several times: to see whether they are, and to return the rows.
    Raises HarnessError as `read_delimited` does.
    """
    csv.field_size_limit(LONGEST_CELL)
    delimiter, findings = find_delimiter(_head(path), path, kind, style.delimiter)
    parse = partial(parsed, partial(_lines, path), path, delimiter)
    try:
        quoted, doubts = _is_quoted(parse, path, delimiter, style)
        for batch in _batches(parse(quoted=quoted), path, delimiter, style):
            yield replace(batch, findings=(*findings, *doubts))
            findings, doubts = [], []
    except _NamelessError:
        yield read_delimited(path, kind, style)


def _head(path: Path) -> str:
    """Return at least as many lines as are looked at to find what delimits cells, or all."""
    head, lines = [], 0
    for piece in read_text_pieces(path):
        head.append(piece)
        lines += piece.count("\n")
        if lines >= LINES_TO_TEST:
            break
    return "".join(head)


def _lines(path: Path) -> Iterator[str]:
    """Yield the lines of a file with their ends; a carriage return ends one too."""
    for piece in read_text_pieces(path):
        yield from io.StringIO(piece, newline="")


def _batches(lines: Iterator[Line], path: Path, delimiter: str, style: Style) -> Iterator[Delimited]:
    """Yield checked rows, at least one batch.

    A row of another width is refused when all lines have been parsed: what cannot be parsed comes first.
    """
    first = next(lines, None)
    if first is None:
        yield Delimited(list(style.header or ()), [], header=style.header is None)
        return
    if (named := names_of(first, path, style)) is None:
        raise _NamelessError
    names, start = named
    batch = Delimited(names, [], header=style.header is None)
    fault: HarnessError | None = None
    for line in itertools.islice(itertools.chain([first], lines), start, None):
        if fault is not None:
            continue
        try:
            batch.rows.append(checked_cells(line, names, path, delimiter))
        except HarnessError as error:
            fault = error
        if len(batch.rows) == _ROWS_AT_ONCE:
            yield batch
            batch = replace(batch, rows=[])
    if fault is not None:
        raise fault
    yield batch


def _is_quoted(parse: Parse, path: Path, delimiter: str, style: Style) -> tuple[bool, list[Finding]]:
    """Return whether a file is read with quoting, as `read_delimited` decides it, and findings of that."""
    if style.quoting != "auto" or delimiter == ",":
        return style.quoting == "csv" or (style.quoting == "auto" and delimiter == ","), []
    if not any('"' in piece for piece in read_text_pieces(path)):
        return False, []
    both = _Both(parse)
    try:
        by_program = is_program_quoting(both.cells())
    except _NotQuotedError:
        return False, []
    if both.alike:
        return by_program, []
    rows = partial(_batches, path=path, delimiter=delimiter, style=style)
    try:
        count = _count(rows(parse(quoted=False)))
    except HarnessError as plain:
        try:
            _count(rows(parse(quoted=True)))
        except HarnessError as quoted:
            raise neither_way(plain, quoted) from quoted
        found = next(filter(partial(swallows, delimiter), parse(quoted=True)), None)
        return True, [] if found is None else [doubtful_text(path, found)]
    try:
        others = _count(rows(parse(quoted=True)))
    except HarnessError:
        return False, []
    swallowed = next((line for line in parse(quoted=True) if line.last > line.first), None)
    return False, [doubtful_marks(path, count, others, swallowed or next(parse(quoted=True)))]


def _count(batches: Iterable[Delimited]) -> int:
    return sum(len(batch.rows) for batch in batches)


class _Both:
    """The rows of a file without and with quoting."""

    def __init__(self, parse: Parse) -> None:
        self._plain, self._quoted = parse(quoted=False), self._try(parse(quoted=True))
        self.alike = True
        """Whether all rows have as many cells without quoting as with it, as far as they were read."""

    def cells(self) -> Iterator[tuple[list[str], list[str]]]:
        """Yield the cells of each row, without and with quoting, as long as all rows are alike.

        Without the first row, which may be a header, unless it is the only one. Reads both to their ends.
        Raises HarnessError for what cannot be read without quoting, _NotQuotedError for the other.
        """
        first = None
        for row, (plain, quoted) in enumerate(itertools.zip_longest(self._plain, self._quoted)):
            self.alike = self.alike and bool(plain and quoted and len(plain.cells) == len(quoted.cells))
            if not self.alike:
                continue
            if row == 0:
                first = plain.cells, quoted.cells
            else:
                first = None
                yield plain.cells, quoted.cells
        if first is not None:
            yield first

    def _try(self, lines: Iterator[Line]) -> Iterator[Line]:
        while True:
            before = csv.field_size_limit(_LONGEST_TRIED)
            try:
                line = next(lines, None)
            except HarnessError as error:
                raise _NotQuotedError from error
            finally:
                csv.field_size_limit(before)
            if line is None:
                return
            yield line
