"""Boards as grids of text, for the terminal and for Markdown."""

from __future__ import annotations

import csv
import io
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence


CONTROL = re.compile(
    r"[\x00-\x08\x0b-\x1f\x7f-\x9f\xad\u061c\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff"
    r"\ufff9-\ufffb\ud800-\udfff\U000e0000-\U000e007f]"
)
"""What writes to a terminal itself, turns or ends a line, is not to be seen, or is half a character.

The two joiners stay: Persian and Hindi are written with them, and other letters imitate a name as well.
"""

_LINKED = re.compile(r"(?<![a-z0-9])@(?=\w)|(?<=#)(?=\d)|(?<=:)(?=//)|(?<=www)(?=\.)", re.IGNORECASE)
"""Where GitHub sees a person, an issue or an address in plain text, whatever is escaped."""

MISSING = "–"
"""Cell of a table without a value."""


@dataclass(frozen=True, slots=True)
class Cell:
    """A text, and whether it is the best of its kind."""

    text: str
    best: bool = False


@dataclass(frozen=True, slots=True)
class Table:
    """A titled table, with remarks below it."""

    title: str
    subtitle: str
    header: list[str]
    rows: list[list[Cell]]
    remarks: list[str] = field(default_factory=list)
    numeric: bool = True
    """Whether the columns after the first are figures, to be aligned on the right."""


def to_markdown(grids: Sequence[Table]) -> str:
    """Write grids as GitHub-flavored Markdown; the best score of a row is bold."""
    parts = []
    for grid in grids:
        lines = [f"### {escaped(grid.title)}", ""]
        if grid.subtitle:
            lines += [f"{escaped(grid.subtitle)}", ""]
        lines.append("| " + " | ".join(map(escaped, grid.header)) + " |")
        lines.append("|---" + ("|---:" if grid.numeric else "|---") * (len(grid.header) - 1) + "|")
        for row in grid.rows:
            cells = (f"**{escaped(cell.text)}**" if cell.best else escaped(cell.text) for cell in row)
            lines.append("| " + " | ".join(cells) + " |")
        lines += ["", *(f"- {escaped(remark)}" for remark in grid.remarks)]
        parts.append("\n".join(lines).rstrip() + "\n")
    return "\n".join(parts)


def one_line(text: str) -> str:
    """A text without controls and line ends, its words one space apart."""
    return " ".join(CONTROL.sub(" ", text).split())


def shortened(text: str, length: int = 60) -> str:
    """Return a text on one line; of one that is longer than `length` characters, the beginning and `…`."""
    line = one_line(text)
    return line if len(line) <= length else f"{line[: length - 1].rstrip()}…"


def number(value: float | None, form: str = ".4f") -> str:
    """Return a number in the given format, by default with four decimals; `–` for None."""
    return MISSING if value is None else format(value, form)


def escaped(text: str) -> str:
    """Keep a text on one line, and from being read as Markdown or HTML, links and mentions included."""
    text = one_line(text).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    text = re.sub(r"([|*`_\\#]|\](?=[(\[:]))", r"\\\1", text)
    # What opens a list, a fence or an underline at the start of a line.
    text = re.sub(r"^([+~=]|-(?!\d)|\d+(?=[.)](\s|$)))", _at_the_start, text)
    return _LINKED.sub(r"\g<0><!-- -->", text)


def _at_the_start(found: re.Match[str]) -> str:
    return f"{found[0]}\\" if found[0].isdigit() else f"\\{found[0]}"


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
