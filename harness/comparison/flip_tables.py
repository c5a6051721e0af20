"""Tables of `harness compare --why`: examples that moved most, and slices that differ."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.render import plural, shortened
from harness.table import Cell, Table

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.comparison.result import Comparison
    from harness.comparison.result_changes import Change, Changes, Slice

_SHORT = 60
"""Maximum characters of a text in a table; the JSON has the whole text."""


_MOVED = {
    "answers": ("answer", "", "{gained} became right, {lost:,} became wrong"),
    "pairs": ("pair", "", "{gained} came nearer to gold, {lost:,} went farther from it"),
    "queries": ("query", "queries", "{gained} gained, {lost:,} lost"),
}
"""What moves → one of it, several where that is not one + s, and the sentence."""


def gain_header(level: float = 0.95) -> str:
    """Return the header of a column of gains with their intervals at a confidence level."""
    return f"gain [{level_text(level)} interval]"


def level_text(level: float) -> str:
    """Return a confidence level with as many digits as tell it from 100 %: `95 %`, `99.87 %`."""
    for digits in range(8):
        text = f"{100 * level:.{digits}f}"
        if float(text) < 100 and abs(float(text) / 100 - level) < 0.1 * (1 - level):
            return f"{text} %"
    return "100 %"


def flip_tables(comparison: Comparison) -> list[Table]:
    """Return two tables for each line: examples that moved most, and slices that differ."""
    return [table for changes in comparison.changes for table in _change_tables(changes)]


def _change_tables(changes: Changes) -> Iterator[Table]:
    flagged = [part for part in changes.slices if part.flagged]
    moved = Table(
        f"why: {changes.task}",
        f"by {changes.metric} · {_counts_text(changes)}",
        ["example", "moved", "from → to", "gold", "texts"],
        [
            *(_change_row(change, changes.what, "gained") for change in changes.most_gained),
            *(_change_row(change, changes.what, "lost") for change in changes.most_lost),
        ],
        numeric=False,
    )
    if changes.slices and not flagged:
        moved.remarks.append(f"none of {_tested_text(changes)} differs significantly")
    yield moved
    if flagged:
        yield Table(
            f"where: {changes.task}",
            f"by {changes.metric} · slices whose gain differs from zero",
            ["slice", "examples", gain_header(), "p"],
            [_slice_row(part) for part in flagged],
            [f"{len(flagged)} of {_tested_text(changes)}"],
        )


def _counts_text(changes: Changes) -> str:
    one, several, sentence = _MOVED.get(changes.what, ("example", "", "{gained} gained, {lost:,} lost"))
    return sentence.format(gained=plural(changes.gained, one, several), lost=changes.lost)


def _tested_text(changes: Changes) -> str:
    return f"{plural(len(changes.slices), 'slice')} tested (p corrected over all of them, Holm)"


def _change_row(change: Change, what: str, direction: str) -> list[Cell]:
    texts = "\n".join(f"“{shortened(text, _SHORT)}”" for text in change.texts.values())
    arrow = f"{_value(change.baseline, what)} → {_value(change.candidate, what)}"
    gold = "–" if change.gold is None else shortened(change.gold, 24)
    cells = shortened(change.id, 24), direction, arrow, gold, texts
    return [Cell(text) for text in cells]


def _value(value: float, what: str) -> str:
    if what == "answers" and value in (0.0, 1.0):
        return "right" if value else "wrong"
    return f"{value:.3f}"


def _slice_row(part: Slice) -> list[Cell]:
    return [
        Cell(f"{part.by}: {shortened(part.value, 40)}"),
        Cell(count_text(part.examples, part.clusters)),
        Cell(gain_text(part.gain, part.low, part.high), best=part.gain > 0),
        Cell(p_value(part.p_adjusted)),
    ]


def count_text(examples: int, clusters: int) -> str:
    """Write a number of examples, and of their clusters where examples share them."""
    return f"{examples:,}" if clusters == examples else f"{examples:,} in {clusters:,}"


def gain_text(gain: float | None, low: float | None = None, high: float | None = None) -> str:
    """Write a gain with its sign, and its interval where there is one."""
    if gain is None:
        return "–"
    return f"{gain:+.4f}" if low is None or high is None else f"{gain:+.4f} [{low:+.4f}, {high:+.4f}]"


def p_value(p: float | None) -> str:
    """Write a p-value with four decimals, below 0.001 as `<0.001`."""
    if p is None:
        return "–"
    return "<0.001" if p < 0.001 else f"{p:.4f}"
