"""Tables of files of rows: the rows of a file, all or a batch of them, and columns taken out of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any, Literal, TypedDict

from harness.errors import HarnessError, did_you_mean
from harness.finding import Finding, Severity
from harness.render import plural, verb
from harness.tasks.readers.arrow_rows import arrow_row_batches
from harness.tasks.readers.columns import Columns
from harness.tasks.readers.delimited import Style, read_delimited
from harness.tasks.readers.delimited_batches import delimited_batches
from harness.tasks.readers.features import class_names, name_classes, named_finding
from harness.tasks.readers.formats import BINARY, DELIMITED, JSON, format_of, unknown_format
from harness.tasks.readers.header import Wanted
from harness.tasks.readers.json_rows import json_row_batches
from harness.tasks.readers.values import is_missing
from harness.tasks.templates import render_row

if TYPE_CHECKING:
    import re
    from collections.abc import Callable, Container, Iterable, Iterator
    from pathlib import Path

    from harness.tasks.readers.delimited import Delimited
    from harness.tasks.readers.features import Names

    Records = list[dict[str, Any]]


class Reading(TypedDict, total=False):
    """How files of rows are read; the keys of a task file by the same names."""

    header: bool | Sequence[str] | None
    """Whether delimited files have one, or the names of their columns where not; None recognizes it."""
    quoting: Literal["auto", "none", "csv"]
    """Whether cells of delimited files may be quoted; see `read_delimited`."""
    delimiter: str
    """A character; `auto` goes by the ending."""
    missing: Literal["error", "drop"]
    """Whether rows are dropped that lack a value; else the conversion of the column refuses it."""
    split: str | None
    """A split of a folder; see `files_of`."""


@dataclass(frozen=True, slots=True)
class Request:
    """What is asked of files of rows; the parameters of `read_rows`."""

    wanted: Wanted
    optional: Sequence[str | re.Pattern[str]]
    templates: Mapping[str, str]
    blank: Container[str] | None
    """Columns in which an empty text is a missing value, if rows that lack a value are to be dropped."""

    @classmethod
    def of(
        cls,
        columns: Mapping[str, str | int] | Sequence[str],
        reading: Reading,
        *,
        optional: Sequence[str | re.Pattern[str]] = (),
        templates: Mapping[str, str] | None = None,
        numbers: Sequence[str] = (),
        filled: Sequence[str] = (),
        named_classes: bool = True,
    ) -> Request:
        """Return the request that `read_rows` documents."""
        named = columns if isinstance(columns, Mapping) else {name: name for name in columns}
        templates = templates or {}
        wanted = Wanted(
            {name: theirs for name, theirs in named.items() if name not in templates},
            tuple(name for name in numbers if name in named and name not in templates),
            named_classes,
        )
        blank = {*wanted.numbers, *filled} if reading.get("missing") == "drop" else None
        return cls(wanted, optional, templates, blank)


@dataclass(frozen=True, slots=True)
class Table:
    """Rows of a file: all of them, or a batch with what the file has had so far."""

    path: Path
    records: Records
    count: int
    """Number of rows of the file up to the last one here."""
    names: Sequence[str]
    """All columns of the file up to here."""
    columns: Mapping[str, str] | None
    """Our names → those of the records; None if no columns were asked for."""
    findings: tuple[Finding, ...] = ()
    without_header: str | None = None
    """The first line, of a delimited file that was seen to have no header."""


def read_table(path: Path, reading: Reading, wanted: Wanted | None) -> Table:
    """Read all rows of a file; raises HarnessError for one that cannot be read."""
    kind = format_of(path)
    if kind in DELIMITED:
        style = _style(path, reading, wanted)
        return _of_cells(read_delimited(path, kind, style), 0, style, _Naming(path, kind, wanted))
    records = [record for batch in _record_batches(path) for record in batch]
    return _of_records(records, 0, {}, _Naming(path, kind, wanted))


def table_batches(path: Path, reading: Reading, wanted: Wanted | None) -> Iterator[Table]:
    """Yield the rows that `read_table` returns in batches; of a file without rows, one without rows.

    Raises HarnessError as it does, where it comes to what is wrong.
    """
    kind, count = format_of(path), 0
    naming = _Naming(path, kind, wanted)
    first: Table | None = None
    if kind in DELIMITED:
        style = _style(path, reading, wanted)
        make: Callable[[Any, int], Table] = partial(_of_cells, style=style, naming=naming)
        batches: Iterable[Any] = delimited_batches(path, kind, style)
    else:
        make = partial(_of_records, seen={}, naming=naming)
        batches = _record_batches(path)
    for batch in batches:
        table = make(batch, count)
        # Only the first row shows whether there is a header.
        first = first or table
        count = table.count
        yield replace(table, without_header=first.without_header)
    if first is None:
        yield make([], 0)


def _record_batches(path: Path) -> Iterator[Records]:
    kind = format_of(path)
    if kind in JSON:
        return json_row_batches(path, kind)
    if kind in BINARY:
        return arrow_row_batches(path, kind)
    raise unknown_format(path)


class _Naming:
    """Names of classes that a file's features give for numbers: see `features`."""

    def __init__(self, path: Path, kind: str | None, wanted: Wanted | None) -> None:
        self.path, self.kind, self.wanted = path, kind, wanted
        self._names: Names | None = None

    def name(self, records: Records, columns: Mapping[str, str] | None) -> tuple[Finding, ...]:
        """Replace numbers of classes by names; the first time, say so of wanted columns."""
        if self.wanted is None or columns is None or not self.wanted.named_classes:
            return ()
        first = self._names is None
        if self._names is None:
            numbers = {columns[name] for name in self.wanted.numbers}
            names = class_names(self.path, self.kind or "")
            self._names = {name: classes for name, classes in names.items() if name not in numbers}
        name_classes(records, self._names)
        said = {name: classes for name, classes in self._names.items() if name in columns.values()}
        return (named_finding(self.path, said),) if said and first else ()


def _of_records(records: Records, before: int, seen: dict[str, None], naming: _Naming) -> Table:
    """Return the table of a batch. before: rows before it; seen: names of columns, its own are added."""
    seen.update(dict.fromkeys(name for record in records for name in record))
    count, names, wanted = before + len(records), list(seen), naming.wanted
    columns = wanted.in_file(names, naming.path, header=True) if wanted and count else None
    return Table(naming.path, records, count, names, columns, naming.name(records, columns))


def _style(path: Path, reading: Reading, wanted: Wanted | None) -> Style:
    header = reading.get("header")

    def has_header(first: Sequence[str]) -> bool:
        if isinstance(header, bool):
            return header
        return wanted is None or wanted.has_header(first, path)

    return Style(
        has_header=has_header,
        header=None if isinstance(header, bool | None) else header,
        recognized=header is None,
        delimiter=reading.get("delimiter", "auto"),
        quoting=reading.get("quoting", "auto"),
        position=wanted.last if wanted else None,
    )


def _of_cells(table: Delimited, before: int, style: Style, naming: _Naming) -> Table:
    path, wanted, count = naming.path, naming.wanted, before + len(table.rows)
    columns = None
    if wanted and count:
        columns = wanted.in_file(table.names, path, header=table.header or style.header is not None)
    records = [dict(zip(table.names, row, strict=False)) for row in table.rows]
    found = style.recognized and not table.header and bool(table.rows)
    first = " | ".join(table.rows[0])[:60] if found else None
    findings = (*table.findings, *naming.name(records, columns))
    return Table(path, records, count, table.names, columns, findings, first)


def check_columns(table: Table) -> None:
    """Raise HarnessError for a required column that a file does not have."""
    path, required = table.path, dict(table.columns or {})
    lacking = [theirs for theirs in required.values() if theirs not in table.names]
    if lacking:
        meant = dict.fromkeys(line for name in lacking for line in did_you_mean(name, table.names))
        raise HarnessError(
            f"{path} has no column {', '.join(repr(name) for name in lacking)}",
            exists="\n".join(
                [*meant, f"found: {', '.join(table.names)}", f"needed: {', '.join(required.values())}"]
            ),
            hint="map your names to ours in a task file: columns = { ours = 'yours' };"
            " if the first line is no header: header = false",
        )


def take_columns(table: Table, request: Request) -> Columns:
    """Take the wanted columns out of rows; a value that a row lacks is None.

    Raises HarnessError for a template that a row cannot fill, and for a number that is a text.
    """
    path, required = table.path, dict(table.columns or {})
    numbered = list(enumerate(table.records, table.count - len(table.records) + 1))
    if request.blank is not None:
        blank = request.blank
        numbered = [
            (row, record)
            for row, record in numbered
            if not any(
                is_missing(record.get(theirs), empty=ours in blank) for ours, theirs in required.items()
            )
        ]
    names = named_columns(table, request)
    values = {ours: [record.get(theirs) for _, record in numbered] for ours, theirs in names.items()}
    for ours, template in request.templates.items():
        values[ours] = [render_row(template, record, path, row) for row, record in numbered]
    columns = Columns(values, [(path, row) for row, _ in numbered])
    if format_of(path) not in DELIMITED:
        _refuse_texts(columns, request.wanted.numbers)
    return columns


def named_columns(table: Table, request: Request) -> dict[str, str]:
    """Return our names of the columns that are read of a file → the file's."""
    required = dict(table.columns or {})
    further = [name for name in table.names if any(_is_named(name, one) for one in request.optional)]
    return required | {name: name for name in further if name not in required}


def _is_named(name: str, wanted: str | re.Pattern[str]) -> bool:
    return name == wanted if isinstance(wanted, str) else wanted.fullmatch(name) is not None


def _refuse_texts(columns: Columns, numbers: Iterable[str]) -> None:
    """Raise HarnessError for a number that a file with types holds as a text."""
    for name in numbers:
        for (path, row), value in zip(columns.places, columns[name], strict=True):
            if isinstance(value, str):
                raise HarnessError(
                    f"{path}: row {row} of column {name!r} is a text, not a number: {value!r}",
                    hint="write numbers without quotation marks",
                )


def check_alike(names: Sequence[tuple[Path, Iterable[str]]]) -> None:
    """Raise HarnessError for a column that one file has and another has not; names: columns of each."""
    for name in dict.fromkeys(name for _, columns in names for name in columns):
        without = next((path for path, columns in names if name not in columns), None)
        if without is not None:
            there = next(path for path, columns in names if name in columns)
            raise HarnessError(
                f"column {name!r} is in {there} and not in {without}",
                hint="give all files the same columns",
            )


def table_findings(tables: Sequence[Table], kept: int, *, several: bool) -> Iterable[Finding]:
    """Say which files have no header, how many rows lack a value, and of which files rows are.

    several: whether it is to be said which files there are. Raises HarnessError if no row is left.
    """
    headless = [table for table in tables if table.without_header is not None]
    if headless:
        files = (
            f"{len(headless)} of {len(tables)} files have"
            if len(tables) > 1
            else f"{headless[0].path.name} has"
        )
        order = ", ".join(headless[0].columns or headless[0].names)
        evidence = (
            f"{files} no header: the first line, {headless[0].without_header!r}, is read as a row of {order}"
        )
        yield Finding("no-header", Severity.NOTE, evidence, "header = true in a task file, if it is a header")
    rows = sum(table.count for table in tables)
    if not kept:
        raise HarnessError(f"empty dataset: each row of {tables[0].path} lacks a value")
    if kept < rows:
        lacking = verb(rows - kept, "lacks a value and was", "lack a value and were")
        evidence = f"{rows - kept} of {plural(rows, 'row')} {lacking} dropped"
        yield Finding("rows-dropped", Severity.WARNING, evidence, 'missing = "drop" asked for it')
    if several and len(tables) > 1:
        listed = ", ".join(f"{table.path.name} ({table.count})" for table in tables)
        yield Finding(
            "several-files", Severity.NOTE, f"rows are of {len(tables)} files, in this order: {listed}"
        )
