"""Read files of delimited cells (csv, tsv, txt), with or without quoting, with or without a header."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Literal

from harness.errors import HarnessError
from harness.finding import Finding, Severity
from harness.system.text_file import read_text
from harness.tasks.readers.arrow_rows import check_distinct
from harness.tasks.readers.quotes import is_program_quoting, opening_line

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from pathlib import Path

    Cells = list[str]
    Quoting = Literal["auto", "none", "csv"]

_NAMES = {"\t": "a tab", ",": "a comma", ";": "a semicolon", " ": "a space"}
LINES_TO_TEST = 10_000
"""Maximum lines in which a tab is looked for, to see whether tabs delimit."""
LONGEST_CELL = 2**31 - 1
"""Maximum characters of a cell: a quoted one may hold a whole document."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Style:
    """How a delimited file is read."""

    has_header: Callable[[Sequence[str]], bool]
    """Whether a first row is a header; may raise HarnessError."""
    header: Sequence[str] | None = None
    """Names of the columns, of a file without a header."""
    recognized: bool = False
    """Whether `has_header` goes by the first row, and not by what a task file says."""
    delimiter: str = "auto"
    quoting: Quoting = "auto"
    position: int | None = None
    """The last column that is asked for by position, from 1: cells after it may be many or few."""


@dataclass(frozen=True, slots=True)
class Delimited:
    """Cells of a delimited file."""

    names: list[str]
    """From the header; without one, positions from 1."""
    rows: list[Cells]
    """Without the header; shorter than names only after the last column that was asked for."""
    header: bool
    findings: tuple[Finding, ...] = ()


@dataclass(frozen=True, slots=True)
class Line:
    """A row as it was parsed."""

    first: int
    last: int
    cells: Cells


def read_delimited(path: Path, kind: str, style: Style) -> Delimited:
    """Read a csv, tsv or txt file; line ends, blank lines and empty cells at the end of rows do not count.

    With quoting `auto`, a csv file is read with quoting. A file that tabs delimit is read without, unless
    programs write quotes so (`is_program_quoting`), or only quoting gives every row the cells of the first;
    a finding says where the other way would read other rows.
    Raises HarnessError that names the line of a row with too few or too many cells, and that in which a
    quotation mark opens.
    """
    text = read_text(path)
    delimiter, findings = find_delimiter(text, path, kind, style.delimiter)
    csv.field_size_limit(LONGEST_CELL)
    quoting = style.quoting
    if quoting == "auto" and (delimiter == "," or '"' not in text):
        quoting = "csv" if delimiter == "," else "none"
    if quoting == "auto":
        table = _of_unknown_quoting(text, path, delimiter, style)
    else:
        table = _table(_parse(text, path, delimiter, quoted=quoting == "csv"), path, delimiter, style)
    return replace(table, findings=(*findings, *table.findings))


def find_delimiter(text: str, path: Path, kind: str, given: str) -> tuple[str, list[Finding]]:
    """Return what delimits cells, and a finding if that is not what the ending says."""
    if given != "auto":
        return given, []
    if kind == "tsv":
        return "\t", []
    lines = [line for line in text.split("\n", LINES_TO_TEST)[:LINES_TO_TEST] if line.strip()]
    if kind == "csv" and not (lines and all("\t" in line for line in lines)):
        return ",", []
    if kind == "txt" and lines and "\t" not in lines[0]:
        raise HarnessError(
            f"{path}: the first line has no tab, and a txt file is read as delimited by tabs",
            hint='say what delimits its cells in a task file: delimiter = ","',
        )
    evidence = f"{path.name} is delimited by tabs, not commas: each of its lines has one"
    finding = Finding("tabs-delimit", Severity.NOTE, evidence, 'delimiter = "," reads it otherwise')
    return "\t", [finding] if kind == "csv" else []


def _of_unknown_quoting(text: str, path: Path, delimiter: str, style: Style) -> Delimited:
    """Read without quoting, or with it where that is plain; see `read_delimited`."""
    plain = _parse(text, path, delimiter, quoted=False)
    try:
        quoted = _parse(text, path, delimiter, quoted=True)
    except HarnessError:
        return _table(plain, path, delimiter, style)
    if [len(line.cells) for line in plain] == [len(line.cells) for line in quoted]:
        pairs = list(zip(plain, quoted, strict=True))
        by_program = is_program_quoting((raw.cells, row.cells) for raw, row in pairs[1:] or pairs)
        return _table(quoted if by_program else plain, path, delimiter, style)
    try:
        table = _table(plain, path, delimiter, style)
    except HarnessError as error:
        return _quoted_table(quoted, path, delimiter, style, error)
    try:
        other = _table(quoted, path, delimiter, style)
    except HarnessError:
        return table
    swallowed = next((line for line in quoted if line.last > line.first), quoted[0])
    finding = doubtful_marks(path, len(table.rows), len(other.rows), swallowed)
    return replace(table, findings=(*table.findings, finding))


def doubtful_marks(path: Path, rows: int, others: int, swallowed: Line) -> Finding:
    """Return the finding on a file that was read without quoting, and could be read with it.

    rows, others: how many there are without and with quoting; swallowed: a row that there is with it.
    """
    return Finding(
        "doubtful-quotes",
        Severity.WARNING,
        f"{path.name} was read without quoting, as {rows} rows; with it there would be"
        f" {others}, and a row {_where(swallowed)}",
        'if texts are quoted, say quoting = "csv" in a task file; if not, quoting = "none"',
    )


def _quoted_table(
    lines: list[Line], path: Path, delimiter: str, style: Style, plain: HarnessError
) -> Delimited:
    """Read a table that only quoting makes one; the error is that of reading it without."""
    try:
        table = _table(lines, path, delimiter, style)
    except HarnessError as error:
        raise neither_way(plain, error) from error
    swallowed = next(filter(partial(swallows, delimiter), lines), None)
    return (
        table
        if swallowed is None
        else replace(table, findings=(*table.findings, doubtful_text(path, swallowed)))
    )


def neither_way(plain: HarnessError, quoted: HarnessError) -> HarnessError:
    """Return the error for a file that can be read neither without quoting nor with it."""
    exists = "\n".join(filter(None, (plain.exists, f"with quoting: {quoted.message}")))
    return HarnessError(plain.message, exists=exists, hint=plain.hint)


def swallows(delimiter: str, line: Line) -> bool:
    """Whether a quoted cell of a row holds a delimiter and a line end."""
    return any(delimiter in cell and "\n" in cell for cell in line.cells)


def doubtful_text(path: Path, swallowed: Line) -> Finding:
    """Return the finding on a file that was read with quoting, of which a row swallows others."""
    return Finding(
        "doubtful-quotes",
        Severity.WARNING,
        f"{path.name} was read with quoting: a text of the row {_where(swallowed)} has a tab and a line end",
        'if that is wrong, say quoting = "none" in a task file, and mend the rows that it names',
    )


def _parse(text: str, path: Path, delimiter: str, *, quoted: bool) -> list[Line]:
    """Cut a text into rows of cells; blank lines are left out."""
    return list(parsed(lambda: io.StringIO(text, newline=""), path, delimiter, quoted=quoted))


def parsed(lines: Callable[[], Iterable[str]], path: Path, delimiter: str, *, quoted: bool) -> Iterator[Line]:
    """Yield the rows of cells of a file; blank lines are left out.

    lines: reads the lines of the file, with their ends, from its start.
    Raises HarnessError that names the line in which a quotation mark opens, where it is not closed.
    """
    rule: Literal[0, 3] = csv.QUOTE_MINIMAL if quoted else csv.QUOTE_NONE
    reader = csv.reader(lines(), delimiter=delimiter, strict=True, quoting=rule)
    before, several = 0, None
    try:
        for cells in reader:
            if cells:
                several = len(cells) > 1 if several is None else several
                if not several or len(cells) > 1 or cells[0].strip():
                    yield Line(before + 1, reader.line_num, cells)
            before = reader.line_num
    except csv.Error as error:
        opened = opening_line(lines(), delimiter, before + 1)
        raise HarnessError(
            f"{path}: line {reader.line_num}: {error}; the quotation mark opens in line {opened}",
            hint='double a quotation mark within a quoted text, or say quoting = "none" in a task file',
        ) from error


def _table(lines: list[Line], path: Path, delimiter: str, style: Style) -> Delimited:
    """Take the header off, and check that every row has its cells."""
    if not lines:
        return Delimited(list(style.header or ()), [], header=style.header is None)
    if named := names_of(lines[0], path, style):
        names, start = named
        rows = [checked_cells(line, names, path, delimiter) for line in lines[start:]]
        return Delimited(names, rows, header=style.header is None)
    width = max(len(_without_empty_end(line.cells)) for line in lines)
    # Positions may be any number: a row that is too short for them is refused below.
    longest = max(len(line.cells) for line in lines)
    names = [str(position) for position in range(1, max(width, min(style.position or 0, longest)) + 1)]
    if style.position:
        return _of_positions(lines, names, path, style.position)
    rows = [checked_cells(line, names, path, delimiter) for line in lines]
    return Delimited(names, rows, header=False)


def names_of(first: Line, path: Path, style: Style) -> tuple[list[str], int] | None:
    """Return the names of the columns, and which line is the first row; None if nothing names them.

    Raises HarnessError for two columns of one name.
    """
    if style.header is not None:
        names = list(style.header)
        # Names may be given for files that have them as their first line, too.
        start = [cell.strip() for cell in first.cells] == names
    elif style.has_header(first.cells):
        names, start = [name.strip() for name in _without_empty_end(first.cells)], True
    else:
        return None
    check_distinct(names, path)
    return names, int(start)


def checked_cells(line: Line, names: Sequence[str], path: Path, delimiter: str) -> Cells:
    """Return a cell for each name; raises HarnessError for a row that has fewer or more."""
    if len(line.cells) < len(names) or any(line.cells[len(names) :]):
        raise _wrong_width(line, names, path, delimiter)
    return line.cells[: len(names)]


def _of_positions(lines: list[Line], names: list[str], path: Path, position: int) -> Delimited:
    """Keep rows that have the columns asked for, whatever follows them; a finding says where that differs."""
    short = next((line for line in lines if len(line.cells) < position), None)
    if short is not None:
        raise HarnessError(
            f"{path}: the row {_where(short)} has {len(short.cells)} cells: there is no column {position}"
        )
    widths = sorted({max(len(_without_empty_end(line.cells)), position) for line in lines})
    findings: tuple[Finding, ...] = ()
    if len(widths) > 1:
        evidence = f"rows of {path.name} have {widths[0]} to {widths[-1]} cells, of which {position} are read"
        remedy = "a tab within a text would move the cells after it: look at the longest rows"
        findings = (Finding("ragged-rows", Severity.NOTE, evidence, remedy),)
    return Delimited(names, [line.cells for line in lines], header=False, findings=findings)


def _without_empty_end(cells: Cells) -> Cells:
    end = len(cells)
    while end and not cells[end - 1].strip():
        end -= 1
    return cells[:end]


def _where(line: Line) -> str:
    return (
        f"in line {line.last}"
        if line.first == line.last
        else f"that begins in line {line.first} and ends in line {line.last}"
    )


def _wrong_width(line: Line, names: Sequence[str], path: Path, delimiter: str) -> HarnessError:
    what = _NAMES.get(delimiter, repr(delimiter))
    hint = f"quote texts that hold {what} or a line break"
    if delimiter == "\t":
        hint = "a text may hold a tab or a line break only where texts are quoted"
    return HarnessError(
        f"{path}: the row {_where(line)} has {len(line.cells)} cells, not {len(names)}",
        exists=f"columns: {', '.join(names)}",
        hint=hint,
    )
