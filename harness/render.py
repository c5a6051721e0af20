"""Names, numbers and sentences as text for the terminal, Markdown and CSV."""

from __future__ import annotations

import csv
import io
import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence


CONTROL = re.compile(
    r"[\x00-\x08\x0b-\x1f\x7f-\x9f\xad\u061c\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff"
    r"\ufff9-\ufffb\ud800-\udfff\U000e0000-\U000e007f]"
)
"""Control, bidi, zero-width and surrogate characters.

The two joiners are not among them: Persian and Hindi need them, and other letters imitate a name as well.
"""

_LINKED = re.compile(r"(?<![a-z0-9])@(?=\w)|(?<=#)(?=\d)|(?<=:)(?=//)|(?<=www)(?=\.)", re.IGNORECASE)
"""Positions where GitHub links a person, an issue or an address, even in escaped text."""

MISSING = "–"
"""Cell of a table without a value."""


def one_line(text: str) -> str:
    """Return a text on one line, without control characters, its words one space apart."""
    return " ".join(CONTROL.sub(" ", text).split())


def shortened(text: str, length: int = 60) -> str:
    """Return a text on one line; of one that is longer than `length` characters, the beginning and `…`."""
    line = one_line(text)
    return line if len(line) <= length else f"{line[: length - 1].rstrip()}…"


def number(value: float | None, form: str = ".4f") -> str:
    """Return a number in the given format, by default with four decimals; `–` for None."""
    return MISSING if value is None else format(value, form)


def percent(share: float, digits: int = 0) -> str:
    """Return a share, 1 for all, as a percentage: `80 %`."""
    return f"{100 * share:.{digits}f} %"


def named(names: Sequence[str], most: int = 3) -> str:
    """Return names in a row, and of more than `most` the number of the others: `a, b, c and 4 more`.

    A single further one is named: its number would take as much room.
    """
    if len(names) <= most + 1:
        return ", ".join(names)
    return f"{', '.join(names[:most])} and {len(names) - most} more"


def plural(number: float, noun: str, many: str = "") -> str:
    """Return a number with its noun: `1 step`, `2,000 steps`; many: the plural, where it is not noun + s."""
    count = f"{number:,}" if isinstance(number, int) else f"{number:,g}"
    return f"{count} {noun if number == 1 else many or f'{noun}s'}"


def shown_value(value: object, limit: int = 80) -> str:
    """Return the start of the text of a value, without its address, which differs from run to run."""
    return re.sub(r" at 0x[0-9a-f]+", "", str(value))[:limit]


def with_article(noun: str) -> str:
    """Return a noun with its article: `a list`, `an int`."""
    return f"{'an' if noun[:1] in 'aeiouAEIOU' and noun[:1] else 'a'} {noun}"


def told_apart(left: str, right: str, digits: int = 8) -> tuple[str, str]:
    """Return the first digits of two hashes: as many as tell them apart, at least `digits`."""
    while left != right and left[:digits] == right[:digits]:
        digits += 1
    return left[:digits], right[:digits]


def verb(number: float, one: str, many: str) -> str:
    """Return the form of a verb, or another word, that goes with a number of things."""
    return one if number == 1 else many


def escaped(text: str) -> str:
    """Return a text on one line in which nothing is Markdown or HTML, links and mentions included."""
    text = one_line(text).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    text = re.sub(r"([|*`_\\#]|\](?=[(\[:]))", r"\\\1", text)
    # Characters that open a list, a fence or an underline at the start of a line.
    text = re.sub(r"^([+~=]|-(?!\d)|\d+(?=[.)](\s|$)))", _escape_start, text)
    return _LINKED.sub(r"\g<0><!-- -->", text)


def _escape_start(match: re.Match[str]) -> str:
    return f"{match[0]}\\" if match[0].isdigit() else f"\\{match[0]}"


_FORMULA = re.compile(r"'*([\s\x00-\x20\ufeff]*[=+\-@＝＋－＠]|[\t\r\n])")
"""Texts that a spreadsheet may take for a formula, also behind quotes."""


def csv_text(lines: Iterable[Sequence[Any]]) -> str:
    """Return CSV that is safe from formula injection and round-trips; lines end with a line feed."""
    text = io.StringIO()
    for line in lines:
        row = io.StringIO()
        # The writer quotes a lone carriage return, which would begin a row, only if it is in its line end.
        csv.writer(row, lineterminator="\r\n").writerow([cell_text(value) for value in line])
        text.write(f"{row.getvalue()[:-2]}\n")
    return text.getvalue()


def cell_text(value: Any) -> str:  # noqa: ANN401 - any field of a record
    """Return a value as text; a text that a spreadsheet would take for a formula gets a quote in front."""
    if value is None:
        return ""
    if isinstance(value, float):
        return repr(float(value))  # numpy's floats are floats too, and their repr has their type
    if isinstance(value, str) and _FORMULA.match(value):
        return f"'{value}"
    return str(value).lower() if isinstance(value, bool) else str(value)


def text_of(cell: str) -> str:
    """Return the text that `cell_text` wrote as this cell."""
    return cell[1:] if cell.startswith("'") and _FORMULA.match(cell[1:]) else cell
