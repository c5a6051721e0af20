"""Read named columns of files of rows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypedDict

from harness.errors import HarnessError, did_you_mean
from harness.finding import Finding, Severity
from harness.render import plural, verb
from harness.tasks.readers.arrow_rows import read_arrow_rows
from harness.tasks.readers.cards import with_card
from harness.tasks.readers.columns import Columns
from harness.tasks.readers.delimited import Style, read_delimited
from harness.tasks.readers.features import class_names, name_classes, named_finding
from harness.tasks.readers.formats import (
    BINARY,
    DELIMITED,
    JSON,
    are_shards,
    find_files,
    format_of,
    unknown_format,
)
from harness.tasks.readers.header import Wanted
from harness.tasks.readers.json_rows import read_json_rows
from harness.tasks.readers.parts import missing_parts
from harness.tasks.readers.values import is_missing
from harness.tasks.templates import render_row

if TYPE_CHECKING:
    import re
    from collections.abc import Container, Iterable, Sequence
    from typing import Unpack

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


def read_rows(
    path: Path | Sequence[Path],
    columns: Mapping[str, str | int] | Sequence[str],
    *,
    optional: Sequence[str | re.Pattern[str]] = (),
    templates: Mapping[str, str] | None = None,
    numbers: Sequence[str] = (),
    filled: Sequence[str] = (),
    named_classes: bool = True,
    **reading: Unpack[Reading],
) -> Columns:
    """Read named columns of files of rows, or of a split's files in a folder; see `files_of`.

    Formats are csv, tsv, txt (delimited by tabs), jsonl, json (a list of objects), parquet and arrow; a text
    file may be compressed: `rows.jsonl.gz`. Several files, and those of a pattern such as `2015/*.tsv`, are
    read in order, one after the other.
    columns: the required names, or our name → the file's name, or its position from 1.
    optional: further names, or patterns of names, read if the file has them.
    templates: our name of a text column → a template over the record's fields; see `render`.
    numbers: those of our names that hold numbers, by which a missing header is recognized.
    filled: those of our names in which an empty text is a missing value, as it is in numbers.
    named_classes: whether classes are read by their names, as `ClassName`, where the file's features give
    them (`ClassLabel` of `datasets`); columns of numbers are not.
    Returns our names → values, in file order; those of delimited files are strings.
    Raises HarnessError for a file that is missing, unreadable or empty, or lacks a column.
    """
    named = columns if isinstance(columns, Mapping) else {name: name for name in columns}
    templates = templates or {}
    wanted = Wanted(
        {name: theirs for name, theirs in named.items() if name not in templates},
        tuple(name for name in numbers if name in named and name not in templates),
        named_classes,
    )
    files = find_files(path, reading.get("split"))
    blank = {*wanted.numbers, *filled} if reading.get("missing") == "drop" else None
    try:
        tables = [_read_file(file, reading, wanted) for file in files]
        if not any(table.records for table in tables):
            raise HarnessError(f"empty dataset: {', '.join(map(str, files))} has no rows")
        read = [_columns(table, wanted, optional, templates, blank) for table in tables if table.records]
    except HarnessError as error:
        if format_of(files[0]) in DELIMITED:
            raise with_card(error, files[0]) from error
        raise
    findings = [finding for table in tables for finding in table.findings]
    findings += _findings(tables, sum(map(_length, read)), several=not are_shards(files))
    if len(files) > (1 if isinstance(path, Path) else len(path)):
        findings += missing_parts(files)  # of a folder or a pattern, not of files that were named
    return _joined(read, findings)


def read_records(path: Path | Sequence[Path], **reading: Unpack[Reading]) -> Records:
    """Read files of rows, or a split's files in a folder, as one dict per row; the ending is the format.

    The columns of a delimited file without a header are named by their positions: "1", "2", ….
    """
    files = find_files(path, reading.get("split"))
    return [record for file in files for record in _read_file(file, reading, None).records]


@dataclass(frozen=True, slots=True)
class _Table:
    """The records of a file."""

    path: Path
    records: Records
    names: Sequence[str]
    """All columns."""
    columns: Mapping[str, str] | None
    """Our names → those of the records; None if no columns were asked for."""
    findings: tuple[Finding, ...] = ()
    without_header: str | None = None
    """The first line, of a delimited file that was seen to have no header."""


def _read_file(path: Path, reading: Reading, wanted: Wanted | None) -> _Table:
    kind = format_of(path)
    if kind in DELIMITED:
        return _read_delimited(path, kind, reading, wanted)
    if kind in JSON:
        records = read_json_rows(path, kind)
    elif kind in BINARY:
        records = read_arrow_rows(path, kind)
    else:
        raise unknown_format(path)
    names = list(dict.fromkeys(name for record in records for name in record))
    columns = wanted.in_file(names, path, header=True) if wanted and records else None
    return _Table(path, records, names, columns, _name_classes(records, path, wanted, columns))


def _name_classes(
    records: Records, path: Path, wanted: Wanted | None, columns: Mapping[str, str] | None
) -> tuple[Finding, ...]:
    """Replace numbers of classes by the names that the file's features give; say so of wanted columns."""
    if wanted is None or columns is None or not wanted.named_classes:
        return ()
    numbers = {columns[name] for name in wanted.numbers}
    names = class_names(path, format_of(path) or "")
    names = {name: classes for name, classes in names.items() if name not in numbers}
    name_classes(records, names)
    said = {name: classes for name, classes in names.items() if name in columns.values()}
    return (named_finding(path, said),) if said else ()


def _read_delimited(path: Path, kind: str, reading: Reading, wanted: Wanted | None) -> _Table:
    header = reading.get("header")

    def has_header(first: Sequence[str]) -> bool:
        if isinstance(header, bool):
            return header
        return wanted is None or wanted.has_header(first, path)

    style = Style(
        has_header=has_header,
        header=None if isinstance(header, bool | None) else header,
        delimiter=reading.get("delimiter", "auto"),
        quoting=reading.get("quoting", "auto"),
        position=wanted.last if wanted else None,
    )
    table = read_delimited(path, kind, style)
    columns = None
    if wanted and table.rows:
        columns = wanted.in_file(table.names, path, header=table.header or style.header is not None)
    records = [dict(zip(table.names, row, strict=False)) for row in table.rows]
    found = header is None and not table.header and bool(table.rows)
    first = " | ".join(table.rows[0])[:60] if found else None
    findings = (*table.findings, *_name_classes(records, path, wanted, columns))
    return _Table(path, records, table.names, columns, findings, first)


def _columns(
    table: _Table,
    wanted: Wanted,
    optional: Sequence[str | re.Pattern[str]],
    templates: Mapping[str, str],
    blank: Container[str] | None,
) -> Columns:
    """Take the wanted columns out of a file's records.

    blank: columns in which an empty text is a missing value, if rows that lack a value are to be dropped.
    """
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
    numbered = list(enumerate(table.records, 1))
    if blank is not None:
        numbered = [
            (row, record)
            for row, record in numbered
            if not any(
                is_missing(record.get(theirs), empty=ours in blank) for ours, theirs in required.items()
            )
        ]
    further = [name for name in table.names if any(_is_named(name, one) for one in optional)]
    names = required | {name: name for name in further if name not in required}
    values = {ours: [record.get(theirs) for _, record in numbered] for ours, theirs in names.items()}
    for ours, template in templates.items():
        values[ours] = [render_row(template, record, path, row) for row, record in numbered]
    columns = Columns(values, [(path, row) for row, _ in numbered])
    if format_of(path) not in DELIMITED:
        _refuse_texts(columns, wanted.numbers)
    return columns


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


def _length(columns: Columns) -> int:
    return len(columns.places)


def _joined(tables: Sequence[Columns], findings: Sequence[Finding]) -> Columns:
    """Return the rows of all files, one after the other."""
    names = list(dict.fromkeys(name for table in tables for name in table))
    for name in names:
        without = next((table for table in tables if name not in table), None)
        if without is not None:
            there = next(table for table in tables if name in table)
            raise HarnessError(
                f"column {name!r} is in {there.places[0][0]} and not in {without.places[0][0]}",
                hint="give all files the same columns",
            )
    values = {name: [value for table in tables for value in table[name]] for name in names}
    return Columns(values, [place for table in tables for place in table.places], findings)


def _findings(tables: Sequence[_Table], kept: int, *, several: bool) -> Iterable[Finding]:
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
    rows = sum(len(table.records) for table in tables)
    if not kept:
        raise HarnessError(f"empty dataset: each row of {tables[0].path} lacks a value")
    if kept < rows:
        lacking = verb(rows - kept, "lacks a value and was", "lack a value and were")
        evidence = f"{rows - kept} of {plural(rows, 'row')} {lacking} dropped"
        yield Finding("rows-dropped", Severity.WARNING, evidence, 'missing = "drop" asked for it')
    if several and len(tables) > 1:
        listed = ", ".join(f"{table.path.name} ({len(table.records)})" for table in tables)
        yield Finding(
            "several-files", Severity.NOTE, f"rows are of {len(tables)} files, in this order: {listed}"
        )
