"""Why a gain is what it is, as grids: the examples that moved, and the parts of the data that differ."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.render import Cell, Table, shortened

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.comparison.result import Change, Changes, Comparison, Slice

_SHORT = 60
"""Characters of a text that a table shows; the JSON has the whole text."""

GAIN = "gain [95 % interval]"

_MOVED = {
    "answers": "{gained:,} answers became right, {lost:,} became wrong",
    "pairs": "{gained:,} pairs came nearer to gold, {lost:,} went farther from it",
    "queries": "{gained:,} queries gained, {lost:,} lost",
}


def why_grids(comparison: Comparison) -> list[Table]:
    """Lay out, for each line that was looked into, what moved most and where it differs."""
    return [grid for changes in comparison.changes for grid in _grids(changes)]


def _grids(changes: Changes) -> Iterator[Table]:
    flagged = [part for part in changes.slices if part.flagged]
    moved = Table(
        f"why: {changes.task}",
        f"by {changes.metric} · {_moved(changes)}",
        ["example", "moved", "from → to", "gold", "texts"],
        [
            *(_moved_row(one, changes.what, "gained") for one in changes.most_gained),
            *(_moved_row(one, changes.what, "lost") for one in changes.most_lost),
        ],
        numeric=False,
    )
    if changes.slices and not flagged:
        moved.remarks.append(f"no part of {_tried(changes)} differs beyond chance")
    yield moved
    if flagged:
        yield Table(
            f"where: {changes.task}",
            f"by {changes.metric} · parts whose own gain is not zero",
            ["part", "examples", GAIN, "p"],
            [_slice_row(part) for part in flagged],
            [f"{len(flagged)} of {_tried(changes)}"],
        )


def _moved(changes: Changes) -> str:
    return _MOVED.get(changes.what, "{gained:,} gained, {lost:,} lost").format(
        gained=changes.gained, lost=changes.lost
    )


def _tried(changes: Changes) -> str:
    return f"{len(changes.slices):,} that were tried (p corrected over all of them, Holm)"


def _moved_row(one: Change, what: str, moved: str) -> list[Cell]:
    texts = "\n".join(f"“{shortened(text, _SHORT)}”" for text in one.texts.values())
    arrow = f"{_value(one.baseline, what)} → {_value(one.candidate, what)}"
    cells = shortened(one.id, 24), moved, arrow, "–" if one.gold is None else shortened(one.gold, 24), texts
    return [Cell(text) for text in cells]


def _value(value: float, what: str) -> str:
    if what == "answers" and value in (0.0, 1.0):
        return "right" if value else "wrong"
    return f"{value:.3f}"


def _slice_row(part: Slice) -> list[Cell]:
    return [
        Cell(f"{part.by}: {shortened(part.value, 40)}"),
        Cell(counted(part.examples, part.clusters)),
        Cell(gain_text(part.gain, part.low, part.high), best=part.gain > 0),
        Cell(p_value(part.p_holm)),
    ]


def counted(examples: int, clusters: int) -> str:
    """Say how many examples there are, and in how many clusters where they do not stand alone."""
    return f"{examples:,}" if clusters == examples else f"{examples:,} in {clusters:,}"


def gain_text(gain: float | None, low: float | None = None, high: float | None = None) -> str:
    """Write a gain with its sign, and its interval where there is one."""
    if gain is None:
        return "–"
    return f"{gain:+.4f}" if low is None or high is None else f"{gain:+.4f} [{low:+.4f}, {high:+.4f}]"


def p_value(p: float | None) -> str:
    """Write a p-value; a very small one is not zero."""
    if p is None:
        return "–"
    return "<0.001" if p < 0.001 else f"{p:.4f}"
