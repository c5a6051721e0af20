"""Tables for people: what is shown in the terminal and as Markdown.

Apart from `render`, which scoring code uses: a change of a table makes no result stale.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from harness.render import escaped

if TYPE_CHECKING:
    from collections.abc import Sequence


@dataclass(frozen=True, slots=True)
class Cell:
    """A text of a table, and whether it is the best of its row or column."""

    text: str
    best: bool = False


@dataclass(frozen=True, slots=True)
class Table:
    """A titled table, with remarks below it, and what may be done to it where it is too wide."""

    title: str
    subtitle: str
    header: list[str]
    rows: list[list[Cell]]
    remarks: list[str] = field(default_factory=list)
    numeric: bool = True
    """Whether the columns after the first are numbers, aligned on the right."""
    units: list[str] = field(default_factory=list)
    """Second line of the header, such as the metric of each task; empty where there is none."""
    names: frozenset[str] = frozenset()
    """Cells and headers that may be shortened in the middle: names of models."""
    optional: tuple[str, ...] = ()
    """Headers of columns that may be left out, the first one first."""
    option: str = ""
    """Option of the command that shows what was left out, such as `--details`; empty where there is none."""
    turned: Table | None = None
    """The same with rows and columns exchanged, to be shown where that fits and this does not."""


def to_markdown(tables: Sequence[Table]) -> str:
    """Return tables as GitHub-flavored Markdown; the best cells are bold."""
    parts = []
    for table in tables:
        lines = [f"### {escaped(table.title)}", ""]
        if table.subtitle:
            lines += [f"{escaped(table.subtitle)}", ""]
        lines.append("| " + " | ".join(map(escaped, table.header)) + " |")
        lines.append("|---" + ("|---:" if table.numeric else "|---") * (len(table.header) - 1) + "|")
        for row in table.rows:
            cells = (f"**{escaped(cell.text)}**" if cell.best else escaped(cell.text) for cell in row)
            lines.append("| " + " | ".join(cells) + " |")
        lines += ["", *(f"- {escaped(remark)}" for remark in table.remarks)]
        parts.append("\n".join(lines).rstrip() + "\n")
    return "\n".join(parts)
