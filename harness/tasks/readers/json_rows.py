"""Read JSON documents and JSON lines; errors name the line and the column."""

from __future__ import annotations

import itertools
import json
import re
from collections import Counter
from typing import TYPE_CHECKING, Any

from harness.errors import HarnessError
from harness.system.limits import DEPTH, check_nesting
from harness.system.text_file import read_text, read_text_pieces

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    Records = list[dict[str, Any]]

_FIRST_LINE = re.compile(r"\s*([^\n]*)")
_FEW_BRACKETS = 20
"""Maximum brackets of a line that is parsed without a check of its nesting."""


def read_json(path: Path) -> Any:  # noqa: ANN401 - any JSON value
    """Read one JSON document; raises HarnessError with the line and column of a syntax error."""
    return _parse(read_text(path), path)


def read_json_rows(path: Path, kind: str) -> Records:
    """Read a list of objects (kind `json`), or one object per line (`jsonl`).

    A file of the other kind is read as what it is: its first character, and its first line, show that.
    Raises HarnessError with the line and column of a syntax error, and for anything but objects.
    """
    return [row for batch in json_row_batches(path, kind) for row in batch]


def json_row_batches(path: Path, kind: str) -> Iterator[Records]:
    """Yield the rows that `read_json_rows` returns in batches; a list of objects is one batch.

    Raises HarnessError as it does, where it comes to what is wrong.
    """
    pieces = read_text_pieces(path)
    head = _head(pieces)
    if not _is_lines(head, kind):
        yield _rows_of_list("".join([head, *pieces]), path)
        return
    before = 0
    for piece in itertools.chain([head], pieces):
        lines = piece.removesuffix("\n").split("\n")
        yield [
            _parse_object(line, path, number) for number, line in enumerate(lines, before + 1) if line.strip()
        ]
        before += len(lines)


def _head(pieces: Iterator[str]) -> str:
    """Return the first pieces of a text: as many as show whether it is JSON lines."""
    head = ""
    for piece in pieces:
        head += piece
        start = _FIRST_LINE.match(head)
        if start and start[1] and head[start.end() :].strip():
            break
    return head


def _rows_of_list(text: str, path: Path) -> Records:
    rows = _parse(text, path)
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise HarnessError(f"{path} is not a list of objects", hint="one object per example: [{…}, {…}]")
    return rows


def _is_lines(text: str, kind: str) -> bool:
    """Whether a text is JSON lines: its first line is a value by itself, and is not all that there is."""
    start = _FIRST_LINE.match(text)
    line, further = (start[1], bool(text[start.end() :].strip())) if start else ("", False)
    if line.startswith("["):
        return kind == "jsonl" and further and _is_value(line)
    return kind == "jsonl" or (line.startswith("{") and further and _is_value(line))


def _is_value(text: str) -> bool:
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return False
    return True


def _parse(text: str, path: Path, line: int | None = None) -> Any:  # noqa: ANN401 - any JSON value
    where = f"{path}: line {line}" if line else str(path)
    try:
        value = json.loads(text, object_pairs_hook=_distinct)
        if line is None or text.count("[") + text.count("{") > _FEW_BRACKETS:
            check_nesting(value, where)
        if "\\ud" in text.lower():
            json.dumps(value, ensure_ascii=False).encode()
    except _RepeatedNameError as error:
        raise HarnessError(f"{where}: two columns are named {error.args[0]!r} in one object") from error
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


class _RepeatedNameError(Exception):
    """A JSON object has one name twice."""


def _distinct(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    record = dict(pairs)
    if len(record) < len(pairs):
        counts = Counter(name for name, _ in pairs)
        raise _RepeatedNameError(counts.most_common(1)[0][0])
    return record


def _parse_object(text: str, path: Path, line: int) -> dict[str, Any]:
    record = _parse(text, path, line)
    if not isinstance(record, dict):
        raise HarnessError(f"{path}: line {line} is not an object: {text[:60]}")
    return record
