"""Values as cells of a CSV: none begins a formula or a row, and every text comes back."""

from __future__ import annotations

import csv
import io
import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

_FORMULA = re.compile(r"'*([\s\x00-\x20\ufeff]*[=+\-@＝＋－＠]|[\t\r\n])")


def csv_text(lines: Iterable[Sequence[Any]]) -> str:
    """Write lines of values as CSV that ends its lines with a line feed."""
    text = io.StringIO()
    for line in lines:
        one = io.StringIO()
        # A lone carriage return is only quoted where it is part of the line's end, and would begin a row.
        csv.writer(one, lineterminator="\r\n").writerow([cell_text(value) for value in line])
        text.write(f"{one.getvalue()[:-2]}\n")
    return text.getvalue()


def cell_text(value: Any) -> str:  # noqa: ANN401 - any field of a record
    """Write a value; a text that a spreadsheet would take for a formula gets a quote in front."""
    if value is None:
        return ""
    if isinstance(value, float):
        return repr(float(value))  # numpy's own are floats too, and write their type
    if isinstance(value, str) and _FORMULA.match(value):
        return f"'{value}"
    return str(value).lower() if isinstance(value, bool) else str(value)


def text_of(cell: str) -> str:
    """Give back the text that `cell_text` wrote."""
    return cell[1:] if cell.startswith("'") and _FORMULA.match(cell[1:]) else cell
