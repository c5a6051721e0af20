"""A selection in words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.render import named, plural, verb

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from harness.comparison.result import LeftOut, Selection

_MOST_NAMED = 3
"""Maximum number of candidates that a sentence names."""


def write_sentence(selection: Selection) -> str:
    """Write in words who is the best, by how much, and how sure that is."""
    left = len(selection.left_out)
    out = f" {plural(left, 'candidate')} {verb(left, 'was', 'were')} left out." if left else ""
    doubt = "" if len(selection.candidates) == 1 or selection.by_gate else f"; {_doubt(selection)}"
    who, what = _who(selection)
    return f"{who}: {what} {_gain(selection)}{doubt}.{_passing(selection)}{out}"


def reasons_text(left_out: Sequence[LeftOut]) -> Iterator[str]:
    """Yield each reason for which candidates were left out, once, with some of their names."""
    models: dict[str, list[str]] = {}
    for each in left_out:
        models.setdefault(each.reason, []).append(each.model)
    yield from (f"{named(names, _MOST_NAMED)}: {reason}" for reason, names in models.items())


def _who(selection: Selection) -> tuple[str, str]:
    """Return who was selected among whom, and the word for its gain: what it is of, if that chose nothing."""
    count = len(selection.candidates)
    if count == 1:
        left = " that could be selected" if selection.left_out else ""
        return f"{selection.winner} is the only candidate{left}", selection.by
    if not selection.by_gate:
        return f"{selection.winner} is the best of {plural(count, 'candidate')} by {selection.by}", "gain"
    outcome = selection.candidates[0].gate
    alike = sum(each.gate == outcome for each in selection.candidates)
    if outcome not in ("passes", "undecided"):
        return (
            f"{selection.winner} is the best of {count} candidates, as none passes, by {selection.by}",
            "gain",
        )
    that = f"that {verb(alike, 'passes', 'pass')} the gate"
    if outcome == "undecided":
        that = "for which the gate is undecided, as none passes"
    if alike == 1:
        return f"{selection.winner} is the only one of {count} candidates {that}", selection.by
    comma = "," if outcome == "undecided" else ""
    whose = f"of the {alike} of {count} candidates {that}{comma}"
    return f"{selection.winner} is the best {whose} by {selection.by}", "gain"


def _gain(selection: Selection) -> str:
    interval = f"[{selection.low:+.4f}, {selection.high:+.4f}]"
    alone = len(selection.candidates) == 1
    if not alone and selection.estimate is not None:
        interval = f"{selection.estimate:+.4f} {interval}"
    real = (
        "a gain beyond chance" if selection.low > 0
        else "a loss beyond chance" if selection.high < 0
        else "which may be chance"
    )  # fmt: skip
    after = "" if alone else ", after selection"
    return f"{selection.gain:+.4f}{after} {interval}, {real}"


def _doubt(selection: Selection) -> str:
    others = [each.model for each in selection.candidates[1:] if each.among_best]
    shown = ", ".join(others) if len(others) <= _MOST_NAMED else f"{len(others)} others"
    return f"{shown} cannot be told from it" if others else "all others are worse beyond chance"


def _passing(selection: Selection) -> str:
    """Return who else passes the gate, where the winner does not, or was selected for passing."""
    passing = [each.model for each in selection.candidates[1:] if each.gate == "passes"]
    if not passing or (selection.candidates[0].gate == "passes" and not selection.by_gate):
        return ""
    also = "also passed" if selection.candidates[0].gate == "passes" else "passed"
    return f" The gate is {also} by {named(passing, _MOST_NAMED)}."
