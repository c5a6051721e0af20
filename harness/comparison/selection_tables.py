"""Tables of a selection: the candidates, best first, and what is known of the best."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.comparison.flip_tables import gain_text, level_text
from harness.comparison.selection_words import reasons_text
from harness.render import named, percent, plural
from harness.table import Cell, Table

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.comparison.result import Ranked, Selection


_RANKS = ("is best", "may be best")
"""Columns that a single candidate does without."""


def selection_tables(selection: Selection) -> list[Table]:
    """Return the table of the candidates, with the winner's gain after selection below it."""
    gated = any(candidate.gate is not None for candidate in selection.candidates)
    alone = len(selection.candidates) == 1
    header = ["candidate", "gain [95 %]"] if alone else ["candidate", "gain [95 %, alone]", *_RANKS]
    among = ", of those that pass the gate" if selection.by_gate else ""
    return [
        Table(
            "the only candidate" if alone else f"best of {len(selection.candidates)} candidates",
            selection.by if alone else f"by {selection.by}{among}",
            [*header, *(["gate"] if gated else [])],
            [_row(candidate, selection, gated=gated) for candidate in selection.candidates],
            list(_remarks(selection)),
            names=frozenset(candidate.model for candidate in selection.candidates),
        )
    ]


def _row(candidate: Ranked, selection: Selection, *, gated: bool) -> list[Cell]:
    wins = (candidate.model, candidate.fingerprint) == (selection.winner, selection.fingerprint)
    ranks = share_text(candidate.probability), "yes" if candidate.among_best else "no"
    return [
        Cell(candidate.model, best=wins),
        Cell(gain_text(candidate.gain, candidate.low, candidate.high), best=wins),
        *(Cell(text, best=wins) for text in ranks if len(selection.candidates) > 1),
        *([Cell(_gate(candidate), best=wins)] if gated else []),
    ]


def _gate(candidate: Ranked) -> str:
    return "passes; undecided, let pass" if candidate.let_pass else candidate.gate or "–"


def _remarks(selection: Selection) -> Iterator[str]:
    if len(selection.candidates) == 1:
        yield "nothing was chosen, so nothing is corrected for a choice"
        yield from (f"left out: {text}" for text in reasons_text(selection.left_out))
        return
    if selection.estimate is None:
        ends = f"[{selection.low:+.4f}, {selection.high:+.4f}]"
        yield f"{selection.winner} after selection: gain {ends}, valid whichever candidate a gate selects"
    else:
        shown = gain_text(selection.estimate, selection.low, selection.high)
        yield f"{selection.winner} after selection: gain {shown}; the largest of several is too high by luck"
    yield "is best: probability that its true gain is the largest, if nothing was known beforehand"
    yield "may be best: those among which the best is with 95 %"
    if not selection.confirmed_on:
        yield (
            f"the intervals of its lines are of {level_text(selection.level)}, and any gate is asked at that"
            f" level, for {plural(len(selection.candidates), 'candidate')} at once"
        )
    if selection.tied:
        yield f"the same gain has {named(selection.tied)}: the first by name is selected"
    yield from (f"left out: {text}" for text in reasons_text(selection.left_out))


def share_text(share: float) -> str:
    """Return a share as a percentage; one that is neither none nor all is not shown as such."""
    if 0 < share < 0.01:
        return "< 1 %"
    return "> 99 %" if 0.99 < share < 1 else percent(share)
