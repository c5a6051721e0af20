"""Select the best of several candidates, and decide its gate as one of so many."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from harness.comparison.compare import compare, conclude, find_all_changes, measure_pairs
from harness.comparison.entries import enter
from harness.comparison.flip_tables import level_text
from harness.comparison.gate_lines import asked_lines
from harness.comparison.result import PASSES, Ranked, Selection
from harness.comparison.selection_words import write_sentence
from harness.comparison.shared_units import confirm_faults
from harness.stats.curve import LEVEL
from harness.stats.selection import chosen, level_of_candidates, winner_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harness.comparison.compare import CompareOptions, Partial
    from harness.comparison.entries import Entries, Pairs
    from harness.comparison.gate import Gate
    from harness.comparison.measure import MetricGain
    from harness.comparison.result import Comparison
    from harness.comparison.words import Outcome
    from harness.stats.contest import Contest
    from harness.stats.gain import Gain
    from harness.stats.selection import Winner


@dataclass(frozen=True, slots=True, kw_only=True)
class Selected:
    """The best of several candidates, and every comparison that was made for it."""

    selection: Selection
    judged: list[Comparison]
    """The comparisons, of all candidates."""
    pairs: Pairs
    """The models of each."""
    shown: int
    """Position of the winner's, which decides."""
    warnings: tuple[str, ...] = ()
    """What makes the confirmation doubtful: units that it shares with the selection."""

    @property
    def comparison(self) -> Comparison:
        """The winner's comparison."""
        return self.judged[self.shown]


def select_best(
    pairs: Pairs, options: CompareOptions, by: str | None = None, *, by_gate: bool = False
) -> Selected:
    """Select the candidate with the largest mean headline gain.

    by: a task or a tag; None for all tasks that are compared. by_gate: only among those that pass the gate;
    if none does, among those that are undecided, if there are any. The comparison's intervals, and with them
    its gate, are at a level corrected for the number of candidates. Without a gate the exit code is 0.
    Raises HarnessError for an unknown task or tag, and where no candidate can be selected.
    """
    partials = measure_pairs(pairs, options)
    entries = enter(pairs, partials, by)
    contest = entries.contest()
    gate = options.gate
    level = _level([partials[entry.pair].measured for entry in entries.may], gate)
    judged = [_at_level(partial, level, len(entries.may)) for partial in partials]
    # Only the winner's examples are shown: to find those of all candidates would take long.
    comparisons = [
        replace(one, candidates=len(entries.may))
        for one in conclude(pairs, replace(options, why=False), judged)
    ]
    among = _with_the_best_outcome(entries, comparisons) if by_gate else None
    tied = contest.tied(among).tolist()
    won = winner_of(contest, tied[0]) if among is None else chosen(contest, tied[0])
    selection = _selection(entries, contest, won, tied, comparisons, level)
    winner = entries.may[won.position]
    comparison = comparisons[winner.pair]
    if options.why:
        comparison = replace(comparison, changes=find_all_changes(partials[winner.pair].measured))
    if gate is None:  # there is nothing to fail: the question was which, not whether
        comparison = replace(comparison, sentence=selection.sentence, exit_code=PASSES)
    else:
        comparison = replace(comparison, sentence=f"{selection.sentence} {comparison.sentence}")
    comparisons[winner.pair] = comparison
    return Selected(selection=selection, judged=comparisons, pairs=pairs, shown=winner.pair)


def select_and_confirm(
    pairs: Pairs, options: CompareOptions, confirm_on: frozenset[str], by: str | None = None
) -> Selected:
    """Select on the tasks of `options.only`, and compare the winner alone on others, which decide its gate.

    Raises HarnessError as `select_best` does, and for tasks that share most of their examples.
    """
    warnings = confirm_faults(pairs[0][0], options.only or frozenset(), confirm_on)
    found = select_best(pairs, replace(options, gate=None, why=False, power=False), by)
    winner = pairs[found.shown]
    (comparison,) = compare([winner], replace(options, only=confirm_on))
    selection = replace(found.selection, confirmed_on=tuple(sorted(confirm_on)))
    sentence = f"{selection.sentence} Alone on {', '.join(selection.confirmed_on)}: {comparison.sentence}"
    return Selected(
        selection=selection,
        judged=[*found.judged, replace(comparison, sentence=sentence)],
        pairs=[*pairs, winner],
        shown=len(pairs),
        warnings=warnings,
    )


def _selection(
    entries: Entries,
    contest: Contest,
    won: Winner,
    tied: Sequence[int],
    comparisons: Sequence[Comparison],
    level: float,
) -> Selection:
    """Return the selection. tied: positions of those with the winner's gain, which is the first of them."""
    winner = entries.may[won.position]
    probabilities, may_be_best = contest.probabilities(), contest.may_be_best()
    ranked = []
    for position, entry in enumerate(entries.may):
        low, high = contest.curves[position].interval()
        gate = _outcome(comparisons[entry.pair])
        ranked.append(
            Ranked(
                model=entry.name,
                fingerprint=entry.fingerprint,
                gain=float(contest.values[position]),
                low=low,
                high=high,
                probability=float(probabilities[position]),
                among_best=bool(may_be_best[position]),
                gate=gate,
                let_pass=gate == "passes" and any(line.let_pass for line in comparisons[entry.pair].gate),
            )
        )
    selection = Selection(
        by=entries.by,
        by_gate=won.estimate is None,
        tasks=entries.tasks,
        winner=winner.name,
        fingerprint=winner.fingerprint,
        gain=won.value,
        estimate=won.estimate,
        low=won.interval.low,
        high=won.interval.high,
        tied=tuple(entries.may[position].name for position in tied[1:]),
        candidates=tuple(
            sorted(ranked, key=lambda each: (each.model != winner.name, -each.gain, each.model))
        ),
        left_out=tuple(entries.may_not),
        level=1 - level,
        confirmed_on=(),
        sentence="",
    )
    return replace(selection, sentence=write_sentence(selection))


# --- how it is judged -------------------------------------------------------------------------------------


def _level(families: Sequence[Sequence[MetricGain]], gate: Gate | None) -> float:
    """Return the level at which each candidate is judged, by what the gate asks of gains.

    By all gains where it asks for none: their intervals are shown.
    """
    asked = [line for family in families for line in asked_lines(family, gate)]
    lines = asked or [line for family in families for line in asked_lines(family, None)]
    return level_of_candidates(lines, len(families))


def _at_level(partial: Partial, level: float, candidates: int) -> Partial:
    """Return what was measured with intervals at a level, and a note that says so."""
    if level >= LEVEL:
        return partial
    measured = [
        replace(each, gain=_with_interval(each.gain, level)) if each.gain is not None else each
        for each in partial.measured
    ]
    note = f"intervals are of {level_text(1 - level)}: this candidate was chosen among {candidates}"
    return replace(partial, measured=measured, notes=[*partial.notes, note], level=level)


def _with_interval(gain: Gain, level: float) -> Gain:
    if gain.curve is None:
        return gain
    low, high = gain.curve.interval(level)
    return replace(gain, low=low, high=high)


def _outcome(comparison: Comparison) -> Outcome | None:
    """Return the outcome of a comparison's gate as one word; None without a gate."""
    if not comparison.gated:
        return None
    outcomes = {line.outcome for line in comparison.gate if not line.holds}
    return next((word for word in _PRECEDENCE if word in outcomes), "passes")


def _with_the_best_outcome(entries: Entries, comparisons: Sequence[Comparison]) -> list[int]:
    """Return the positions of the candidates that pass the gate; else of those that come next to it."""
    outcomes = [_outcome(comparisons[entry.pair]) for entry in entries.may]
    best = next(word for word in ("passes", *reversed(_PRECEDENCE)) if word in outcomes)
    return [position for position, outcome in enumerate(outcomes) if outcome == best]


_PRECEDENCE: tuple[Outcome, ...] = ("broken", "fails", "undecided")
"""Outcomes of conditions that decide that of the gate, the first before the others."""
