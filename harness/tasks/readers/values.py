"""Check the values of a column and convert them; errors name the row."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from harness.errors import HarnessError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path


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
