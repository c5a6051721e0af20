"""Read named columns of files of rows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from harness.errors import HarnessError
from harness.system.text_file import read_text
from harness.tasks.readers.arrow_rows import check_distinct, read_arrow_rows
from harness.tasks.readers.formats import BINARY, DELIMITED, JSON, files_of, format_of, unknown_format
from harness.tasks.readers.json_rows import read_json_rows
from harness.tasks.templates import render_row

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    Records = list[dict[str, Any]]


def read_rows(
    path: Path,
    columns: Mapping[str, str] | Sequence[str],
    *,
    optional: Sequence[str] = (),
    templates: Mapping[str, str] | None = None,
    header: Sequence[str] | None = None,
    split: str | None = None,
) -> dict[str, list[Any]]:
    """Read named columns of a file of rows, or of a split's files in a folder; see `files_of`.

    Formats are csv, tsv, txt (delimited by tabs), jsonl, json (a list of objects), parquet and arrow; a text
    file may be compressed: `rows.jsonl.gz`.

    columns: the required names, or our name → the file's name.
    optional: further names, read if the file has them.
    templates: our name of a text column → a template over the record's fields; see `render`.
    header: names of the columns of a csv or tsv file without a header line.
    split: split of a folder; `test` if None and it has splits.
    Returns our names → values, in file order; those of csv and tsv files are strings.
    Raises HarnessError for a file that is missing, unreadable or empty, or lacks a column.
    """
    wanted = {name: columns[name] if isinstance(columns, Mapping) else name for name in columns}
    templates = templates or {}
    records = read_records(path, header=header, split=split)
    if not records:
        raise HarnessError(f"empty dataset: {path} has no rows")
    present = list(dict.fromkeys(key for record in records for key in record))
    needed = {ours: theirs for ours, theirs in wanted.items() if ours not in templates}
    missing = [theirs for theirs in needed.values() if theirs not in present]
    if missing:
        raise HarnessError(
            f"{path} has no column {', '.join(repr(name) for name in missing)}",
            exists=f"found: {', '.join(present)}\nneeded: {', '.join(needed.values())}",
            hint="map your names to ours in a task file: columns = { ours = 'yours' }",
        )
    needed |= {name: name for name in optional if name not in needed and name in present}
    table = {ours: [record.get(theirs) for record in records] for ours, theirs in needed.items()}
    for ours, template in templates.items():
        table[ours] = [render_row(template, record, path, row) for row, record in enumerate(records, 1)]
    return table


def read_records(path: Path, *, header: Sequence[str] | None = None, split: str | None = None) -> Records:
    """Read a file of rows, or a split's files in a folder, as one dict per row; the ending is the format."""
    return [record for file in files_of(path, split) for record in _read_file(file, header)]


def _read_file(path: Path, header: Sequence[str] | None) -> Records:
    kind = format_of(path)
    if kind in DELIMITED:
        return _read_delimited(path, "," if kind == "csv" else "\t", header)
    if kind in JSON:
        return read_json_rows(path, kind)
    if kind in BINARY:
        return read_arrow_rows(path, kind)
    raise unknown_format(path)


def _read_delimited(path: Path, delimiter: str, header: Sequence[str] | None) -> Records:
    import csv
    import io

    # A quoted field may hold a whole document.
    csv.field_size_limit(2**31 - 1)
    reader = csv.reader(io.StringIO(read_text(path), newline=""), delimiter=delimiter, strict=True)
    try:
        rows = [(reader.line_num, row) for row in reader if row]
    except csv.Error as error:
        raise HarnessError(f"{path}: line {reader.line_num}: {error}") from error
    names = list(header) if header is not None else [name.strip() for name in rows[0][1]] if rows else []
    rows = rows if header is not None else rows[1:]
    check_distinct(names, path)
    for line, row in rows:
        if len(row) != len(names):
            raise HarnessError(
                f"{path}: the row that ends in line {line} has {len(row)} cells, not {len(names)}",
                exists=f"columns: {', '.join(names)}",
                hint=f"quote texts that hold a {delimiter!r} or a line break",
            )
    return [dict(zip(names, row, strict=True)) for _, row in rows]
