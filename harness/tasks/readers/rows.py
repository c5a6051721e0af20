"""Read named columns of files of rows, all rows at once or in batches."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.errors import HarnessError
from harness.tasks.readers.cards import with_card
from harness.tasks.readers.columns import Columns
from harness.tasks.readers.formats import DELIMITED, are_shards, find_files, format_of
from harness.tasks.readers.parts import missing_parts
from harness.tasks.readers.tables import (
    Request,
    check_alike,
    check_columns,
    named_columns,
    read_table,
    table_batches,
    table_findings,
    take_columns,
)

if TYPE_CHECKING:
    import re
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from typing import Unpack

    from harness.finding import Finding
    from harness.tasks.readers.tables import Reading, Table

    Records = list[dict[str, Any]]


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
    request = Request.of(
        columns,
        reading,
        optional=optional,
        templates=templates,
        numbers=numbers,
        filled=filled,
        named_classes=named_classes,
    )
    files = find_files(path, reading.get("split"))
    try:
        tables = [read_table(file, reading, request.wanted) for file in files]
        _check_rows(tables)
        read = [_checked(table, request) for table in tables if table.records]
    except HarnessError as error:
        raise _with_hint(error, files) from error
    findings = _findings(tables, sum(len(columns.places) for columns in read), path)
    check_alike([(table.path, columns) for table, columns in zip(_with_rows(tables), read, strict=True)])
    values = {name: [value for columns in read for value in columns[name]] for name in read[0]}
    return Columns(values, [place for columns in read for place in columns.places], findings)


def read_row_batches(
    path: Path | Sequence[Path],
    columns: Mapping[str, str | int] | Sequence[str],
    *,
    optional: Sequence[str | re.Pattern[str]] = (),
    templates: Mapping[str, str] | None = None,
    **reading: Unpack[Reading],
) -> Iterator[Columns]:
    """Yield the rows that `read_rows` returns in batches, of files that do not fit into memory.

    A batch has the required columns, and the optional ones that its file has had so far. The last batch has
    no rows, but the findings. A list of objects (JSON) is read whole, and so is a delimited file of which
    nothing names the columns.
    Raises HarnessError as `read_rows` does: for what cannot be parsed where it comes to it, for all else
    when the files have been read to their ends.
    """
    request = Request.of(columns, reading, optional=optional, templates=templates)
    files = find_files(path, reading.get("split"))
    batches = _Batches(request, reading)
    try:
        for file in files:
            yield from batches.of(file)
        _check_rows(batches.tables)
        batches.check()
    except HarnessError as error:
        raise _with_hint(error, files) from error
    findings = _findings(batches.tables, batches.kept, path)
    check_alike([(table.path, named_columns(table, request)) for table in _with_rows(batches.tables)])
    yield Columns({}, (), findings)


def read_records(path: Path | Sequence[Path], **reading: Unpack[Reading]) -> Records:
    """Read files of rows, or a split's files in a folder, as one dict per row; the ending is the format.

    The columns of a delimited file without a header are named by their positions: "1", "2", ….
    """
    files = find_files(path, reading.get("split"))
    return [record for file in files for record in read_table(file, reading, None).records]


def _checked(table: Table, request: Request) -> Columns:
    check_columns(table)
    return take_columns(table, request)


def _with_rows(tables: Iterable[Table]) -> Iterator[Table]:
    return (table for table in tables if table.count)


def _check_rows(tables: Sequence[Table]) -> None:
    if not any(_with_rows(tables)):
        raise HarnessError(f"empty dataset: {', '.join(str(table.path) for table in tables)} has no rows")


def _with_hint(error: HarnessError, files: Sequence[Path]) -> HarnessError:
    """Return an error with what the card says of how to read delimited files."""
    return with_card(error, files[0]) if format_of(files[0]) in DELIMITED else error


def _findings(tables: Sequence[Table], kept: int, path: Path | Sequence[Path]) -> list[Finding]:
    """Return the findings on files. kept: number of rows; path: what was asked for."""
    files = [table.path for table in tables]
    findings = [finding for table in tables for finding in table.findings]
    findings += table_findings(tables, kept, several=not are_shards(files))
    if len(files) > (1 if isinstance(path, Path) else len(path)):
        findings += missing_parts(files)  # of a folder or a pattern, not of files that were named
    return findings


class _Batches:
    """Reads files one after the other, and keeps what is known of each at its end."""

    def __init__(self, request: Request, reading: Reading) -> None:
        self._request, self._reading = request, reading
        self._faults: dict[Path, HarnessError] = {}
        self.kept = 0
        """Number of rows so far."""
        self.tables: list[Table] = []
        """The last batch of each file, without its rows, and with all findings."""

    def of(self, path: Path) -> Iterator[Columns]:
        """Yield the rows of a file, up to the first one with a fault, and read the others too."""
        findings: tuple[Finding, ...] = ()
        for table in table_batches(path, self._reading, self._request.wanted):
            findings = (*findings, *table.findings)
            last = replace(table, records=[], findings=findings)
            if self._faults:
                continue
            try:
                columns = take_columns(table, self._request)
            except HarnessError as error:
                self._faults[path] = error
                continue
            self.kept += len(columns.places)
            if columns.places:
                yield columns
        self.tables.append(last)

    def check(self) -> None:
        """Raise HarnessError for the first file that lacks a column, or has a row with a fault."""
        for table in _with_rows(self.tables):
            check_columns(table)
            if table.path in self._faults:
                raise self._faults[table.path]
