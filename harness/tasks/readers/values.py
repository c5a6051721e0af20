"""Check the values of a column and convert them; errors name the file and the row."""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING, Any

from harness.errors import HarnessError
from harness.render import plural, verb
from harness.tasks.readers.columns import Columns
from harness.tasks.readers.features import ClassName

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    Source = Path | Columns

_NUMBER = re.compile(r"\s*[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?\s*", re.ASCII)
_DECIMAL_COMMA = re.compile(r"\s*[+-]?[0-9]+,[0-9]+\s*", re.ASCII)
_LEAVE_OUT = 'missing = "drop" in a task file leaves such rows out'


def is_number(cell: str) -> bool:
    """Whether a cell of a text file is a number, as `as_floats` reads them."""
    return _NUMBER.fullmatch(cell) is not None


def as_texts(values: Sequence[Any], column: str, source: Source) -> list[str]:
    """Check that a column holds texts and return it; an empty text is a text.

    source: the file, or what `read_rows` returned, for errors.
    Raises HarnessError for missing values, and for records, which need a template.
    """
    for row, value in enumerate(values):
        if isinstance(value, dict | list):
            raise HarnessError(
                f"{_place(source, row)} of column {column!r} is a record, not a text: {str(value)[:60]}…",
                hint='define its text in a task file: templates = { ours = "{title} — {text}" }',
            )
        if not isinstance(value, str):
            bad = sum(not isinstance(value, str) for value in values)
            raise HarnessError(
                f"{_file(source, row)}: {plural(bad, 'row')} of column {column!r}"
                f" {verb(bad, 'is not a text', 'are not texts')},"
                f" the first is row {_number(source, row)}: {value!r}",
                hint=f"write an empty string for an empty text; {_LEAVE_OUT}",
            )
    return list(values)


def as_floats(values: Sequence[Any], column: str, source: Source) -> list[float]:
    """Convert a column to finite floats; texts of a text file, such as "4.5", are numbers.

    source: the file, or what `read_rows` returned, for errors.
    Raises HarnessError with the first row that is not a number: true and false are none, nor is "1,5".
    """
    converted = []
    for row, value in enumerate(values):
        number = math.nan
        if isinstance(value, ClassName):
            value = value.number  # noqa: PLW2901 - a class of a file is a number where one is asked for
        if not isinstance(value, bool | str) or (isinstance(value, str) and is_number(value)):
            try:
                number = float(value)
            except (TypeError, ValueError, OverflowError):
                number = math.nan
        if not math.isfinite(number):
            raise HarnessError(
                f"{_place(source, row)} of column {column!r} is not a number: {value!r}", hint=_hint(value)
            )
        converted.append(number)
    return converted


def as_ids(values: Sequence[Any], column: str, source: Source) -> list[str]:
    """Convert a column of ids or clusters, texts or whole numbers, to texts.

    source: the file, or what `read_rows` returned, for errors.
    Raises HarnessError that names the first row that is neither.
    """
    for row, value in enumerate(values):
        if not isinstance(value, str | int) or isinstance(value, bool) or value == "":
            raise HarnessError(
                f"{_place(source, row)} of column {column!r} is not a name: {value!r}",
                hint="names are texts or whole numbers",
            )
    return [str(value) for value in values]


def is_missing(value: Any, *, empty: bool) -> bool:  # noqa: ANN401 - any value of a file
    """Whether a value is missing: None or NaN, and where `empty` is true a blank text."""
    if isinstance(value, str):
        return empty and not value.strip()
    return value is None or (isinstance(value, float) and math.isnan(value))


def _hint(value: Any) -> str | None:  # noqa: ANN401 - any value of a file
    if is_missing(value, empty=True):
        return _LEAVE_OUT
    if isinstance(value, str) and _DECIMAL_COMMA.fullmatch(value):
        return f"write {value.strip().replace(',', '.')}: numbers have a decimal point"
    return None


def _place(source: Source, row: int) -> str:
    return f"{_file(source, row)}: row {_number(source, row)}"


def _file(source: Source, row: int) -> object:
    return source.places[row][0] if isinstance(source, Columns) else source


def _number(source: Source, row: int) -> int:
    return source.places[row][1] if isinstance(source, Columns) else row + 1
