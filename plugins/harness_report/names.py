"""Names, signs and words of the page and its figures."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.authoring import number, one_line, short_names

if TYPE_CHECKING:
    from collections.abc import Sequence

SIGNS = {"better": "▲", "worse": "▼", "equivalent": "=", "inconclusive": "?", "not tested": "·"}
"""A sign for each verdict, beside its word and its color."""

OUTCOMES = {
    "passes": ("✓", "passes"),
    "fails": ("✗", "fails"),
    "broken": ("!", "broken"),
    "not-comparable": ("≠", "not comparable"),
    "undecided": ("?", "undecided"),
    "no-candidate": ("·", "no candidate"),
}
"""Sign and word of each outcome."""


def shown(names: Sequence[str], most: int) -> list[str]:
    """Return names on one line, those that are longer than `most` without their middle, all distinct."""
    lines = [one_line(name) for name in names]
    distinct = [
        line if lines.count(line) == 1 else f"{line} ({number + 1})" for number, line in enumerate(lines)
    ]
    short = short_names(distinct, most)
    return [short[line] for line in distinct]


def signed(value: float | None, form: str = "+.3f") -> str:
    """Return a number with its sign, a minus as wide as a plus; `–` for None."""
    return number(value, form).replace("-", "−")
