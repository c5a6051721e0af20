"""Tables as HTML, for notebooks."""

from __future__ import annotations

import html
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence


def to_html(header: Sequence[str], rows: Iterable[Sequence[str]], sentences: Iterable[str] = ()) -> str:
    """Return a table, and sentences below it; all texts are escaped."""
    body = "".join(_row(row, "td") for row in rows)
    said = "".join(f"<p>{html.escape(sentence)}</p>" for sentence in sentences)
    return f"<table><thead>{_row(header, 'th')}</thead><tbody>{body}</tbody></table>{said}"


def _row(cells: Sequence[str], tag: str) -> str:
    return "<tr>" + "".join(f"<{tag}>{html.escape(str(cell))}</{tag}>" for cell in cells) + "</tr>"
