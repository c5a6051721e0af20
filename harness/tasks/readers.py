"""Readers of csv, tsv, jsonl, json and parquet files; errors name the file, the row and the column."""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from harness.errors import HarnessError
from harness.system.limits import DEPTH, check_nesting, read_parquet
from harness.system.text_file import read_text
from harness.tasks.templates import render_row

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    Records = list[dict[str, Any]]

FORMATS = ("csv", "tsv", "jsonl", "json", "parquet")
_FEW_BRACKETS = 20
"""Maximum brackets of a line that is parsed without a check of its nesting."""


def read_rows(
    path: Path,
    columns: Mapping[str, str] | Sequence[str],
    *,
    optional: Sequence[str] = (),
    templates: Mapping[str, str] | None = None,
    header: Sequence[str] | None = None,
) -> dict[str, list[Any]]:
    """Read named columns of a csv, tsv, jsonl, json (a list of objects) or parquet file.

    columns: the required names, or our name → the file's name.
    optional: further names, read if the file has them.
    templates: our name of a text column → a template over the record's fields; see `render`.
    header: names of the columns of a csv or tsv file without a header line.
    Returns our names → values, in file order; those of csv and tsv files are strings.
    Raises HarnessError for a file that is missing, unreadable or empty, or lacks a column.
    """
    wanted = {name: columns[name] if isinstance(columns, Mapping) else name for name in columns}
    templates = templates or {}
    records = read_records(path, header=header)
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


def read_records(path: Path, *, header: Sequence[str] | None = None) -> Records:
    """Read a csv, tsv, jsonl, json or parquet file as one dict per row; the ending is the format."""
    if not path.is_file():
        raise HarnessError(
            f"no file {path}", hint="check the path; folders are read by tasks that expect one"
        )
    kind = path.suffix.lower().lstrip(".")
    if kind in ("csv", "tsv"):
        return _read_delimited(path, "," if kind == "csv" else "\t", header)
    if kind == "jsonl":
        lines = enumerate(read_text(path).split("\n"), 1)
        return [_parse_object(line, path, number) for number, line in lines if line.strip()]
    if kind == "json":
        rows = read_json(path)
        if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
            raise HarnessError(f"{path} is not a list of objects", hint="one object per example: [{…}, {…}]")
        return rows
    if kind == "parquet":
        return _read_parquet(path)
    raise HarnessError(f"{path}: unknown format {path.suffix!r}", exists=f"known: {', '.join(FORMATS)}")


def read_json(path: Path) -> Any:  # noqa: ANN401 - any JSON value
    """Read one JSON document; raises HarnessError with the line and column of a syntax error."""
    return _parse_json(read_text(path), path)


def as_texts(values: Sequence[Any], column: str, path: Path) -> list[str]:
    """Check that a column holds texts and return it; an empty text is a text.

    Raises HarnessError for missing values, and for records, which need a template.
    """
    for row, value in enumerate(values, 1):
        if isinstance(value, dict | list):
            raise HarnessError(
                f"{path}: row {row} of column {column!r} is a record, not a text: {str(value)[:60]}…",
                hint='define its text in a task file: templates = { ours = "{title} — {text}" }',
            )
        if not isinstance(value, str):
            bad = sum(not isinstance(value, str) for value in values)
            raise HarnessError(
                f"{path}: {bad} rows of column {column!r} are not texts, the first is row {row}: {value!r}",
                hint="drop these rows, or write an empty string for an empty text",
            )
    return list(values)


def as_floats(values: Sequence[Any], column: str, path: Path) -> list[float]:
    """Convert a column to finite floats; raises HarnessError with the first row that is not one."""
    converted = []
    for row, value in enumerate(values, 1):
        try:
            number = float(value)
        except (TypeError, ValueError, OverflowError):
            number = math.nan
        if not math.isfinite(number):
            raise HarnessError(f"{path}: row {row} of column {column!r} is not a number: {value!r}")
        converted.append(number)
    return converted


def as_ids(values: Sequence[Any], column: str, path: Path) -> list[str]:
    """Convert a column of ids or clusters, texts or whole numbers, to texts.

    Raises HarnessError that names the first row that is neither.
    """
    for row, value in enumerate(values, 1):
        if not isinstance(value, str | int) or isinstance(value, bool) or value == "":
            raise HarnessError(
                f"{path}: row {row} of column {column!r} is not a name: {value!r}",
                hint="names are texts or whole numbers",
            )
    return [str(value) for value in values]


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
    _check_distinct(names, path)
    for line, row in rows:
        if len(row) != len(names):
            raise HarnessError(
                f"{path}: the row that ends in line {line} has {len(row)} cells, not {len(names)}",
                exists=f"columns: {', '.join(names)}",
                hint=f"quote texts that hold a {delimiter!r} or a line break",
            )
    return [dict(zip(names, row, strict=True)) for _, row in rows]


def _check_distinct(names: Sequence[str], path: Path) -> None:
    repeated = next((name for name, count in Counter(names).items() if count > 1), None)
    if repeated is not None:
        raise HarnessError(f"{path}: two columns are named {repeated!r}")


def _parse_json(text: str, path: Path, line: int | None = None) -> Any:  # noqa: ANN401 - any JSON value
    where = f"{path}: line {line}" if line else str(path)
    try:
        value = json.loads(text)
        if line is None or text.count("[") + text.count("{") > _FEW_BRACKETS:
            check_nesting(value, where)
        if "\\ud" in text.lower():
            json.dumps(value, ensure_ascii=False).encode()
    except json.JSONDecodeError as error:
        position = f"line {line or error.lineno}, column {error.colno}"
        raise HarnessError(f"{path}: not JSON in {position}: {error.msg}") from error
    except RecursionError as error:
        raise DEPTH.exceeded(where) from error
    except UnicodeEncodeError as error:
        raise HarnessError(
            f"{where}: half a surrogate pair, {error.object[error.start]!r}, is not a text",
            hint="a text was cut within a character: write it again",
        ) from error
    except ValueError as error:
        raise HarnessError(f"{where}: a number has too many digits") from error
    return value


def _parse_object(text: str, path: Path, line: int) -> dict[str, Any]:
    record = _parse_json(text, path, line)
    if not isinstance(record, dict):
        raise HarnessError(f"{path}: line {line} is not an object: {text[:60]}")
    return record


def _read_parquet(path: Path) -> Records:
    import pyarrow as pa
    from pyarrow import parquet

    try:
        with parquet.ParquetFile(path) as file:
            table = read_parquet(file, path)
            _check_distinct(table.column_names, path)
            rows: Records = table.to_pylist()
    # The last three: cells that Python cannot represent, such as a date after 9999 or an unknown time zone.
    except (pa.ArrowException, OSError, ValueError, OverflowError, LookupError) as error:
        raise HarnessError(f"{path} is not a readable parquet file: {error}") from error
    return rows
