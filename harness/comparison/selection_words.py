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
    return f"{_who(selection)}: {_gain(selection)}{doubt}.{_passing(selection)}{out}"


def reasons_text(left_out: Sequence[LeftOut]) -> Iterator[str]:
    """Yield each reason for which candidates were left out, once, with some of their names."""
    models: dict[str, list[str]] = {}
    for each in left_out:
        models.setdefault(each.reason, []).append(each.model)
    yield from (f"{named(names, _MOST_NAMED)}: {reason}" for reason, names in models.items())


def _who(selection: Selection) -> str:
    count = len(selection.candidates)
    if count == 1:
        return f"{selection.winner} is the only candidate, by {selection.by}"
    if not selection.by_gate:
        return f"{selection.winner} is the best of {plural(count, 'candidate')} by {selection.by}"
    outcome = selection.candidates[0].gate
    alike = sum(each.gate == outcome for each in selection.candidates)
    if outcome == "passes":
        whose = f"of the {alike} of {count} candidates that {verb(alike, 'passes', 'pass')} the gate"
    else:
        whose = (
            f"of the {plural(alike, 'candidate')} for which the gate is {outcome}"
            if outcome == "undecided"
            else (f"of {plural(count, 'candidate')}")
        )
        whose += ", as none passes,"
    return f"{selection.winner} is the best {whose} by {selection.by}"


def _gain(selection: Selection) -> str:
    interval = f"[{selection.low:+.4f}, {selection.high:+.4f}]"
    if selection.estimate is not None:
        interval = f"{selection.estimate:+.4f} {interval}"
    real = (
        "a gain beyond chance" if selection.low > 0
        else "a loss beyond chance" if selection.high < 0
        else "which may be chance"
    )  # fmt: skip
    return f"gain {selection.gain:+.4f}, after selection {interval}, {real}"


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
