"""The outcome of a report in words: whom it judges, by what, and what is left open."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.comparison.notes import gate_level
from harness.comparison.result import BROKEN, FAILS, NOT_COMPARABLE
from harness.render import named, plural, verb

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from harness.comparison.report import ComparisonReport
    from harness.comparison.result import Comparison

OUTCOMES = {
    "passes": "passes",
    "fails": "fails",
    "broken": "something is missing or broken",
    "not-comparable": "not comparable",
    "undecided": "undecided",
    "no-candidate": "one model, nothing compared",
}
"""Outcome → how it is said where there is a gate."""

_VERDICTS = ("better", "worse", "equivalent", "inconclusive")


def standing(outcome: str, report: ComparisonReport | None, decides: Comparison | None) -> str:
    """Return the outcome in words: without a gate nothing passes or fails, and what is known is said.

    decides: the comparison whose outcome it is; None where it is that of all of the report.
    """
    if report is None or outcome not in ("passes", "fails"):
        return OUTCOMES[outcome]
    if report.matrix:
        return "all pairs compared, no model is judged"
    comparisons = [decides] if decides else [*report.comparisons]
    if any(comparison.gated for comparison in comparisons):
        return f"{OUTCOMES[outcome]}{_let_pass(comparisons)}"
    worse = [one for one in comparisons if one.exit_code == FAILS]
    if worse and len(comparisons) > 1:
        return f"no gate · {len(worse)} of {len(comparisons)} candidates significantly worse"
    if worse:
        return f"no gate · significantly worse {_where(worse[0])}"
    verdicts = {line.verdict for one in comparisons for line in one.lines}
    known = "nothing significantly worse" if verdicts & {*_VERDICTS} else "nothing could be tested"
    return f"no gate · {known}"


def _let_pass(comparisons: Sequence[Comparison]) -> str:
    """Return how many conditions are undecided and hold by the gate's policy; empty for none."""
    lines = [line for one in comparisons for line in one.gate]
    count = sum(line.let_pass for line in lines)
    return f", {count} of {plural(len(lines), 'condition')} undecided" if count else ""


def _where(worse: Comparison) -> str:
    lines = [line for line in worse.lines if line.verdict == "worse"]
    if not lines:
        return f"over {named([mean.which for mean in worse.overall if mean.verdict == 'worse'])}"
    return f"on {plural(len(lines), 'task' if all(line.headline for line in lines) else 'line')}"


def judged(report: ComparisonReport | None, decides: Comparison | None) -> tuple[str, ...]:
    """Return the names of the candidates whose outcome it is; none of all pairs, and of a single model."""
    if report is None or report.matrix:
        return ()
    return tuple(one.candidate.name for one in ([decides] if decides else report.comparisons))


def other_faults(report: ComparisonReport | None, decides: Comparison | None) -> Iterator[str]:
    """Yield which other candidates than the one that decides have results that are no results."""
    if report is None or decides is None:
        return
    own = decides.candidate.fingerprint, decides.candidate.name
    others = [one for one in report.comparisons if (one.candidate.fingerprint, one.candidate.name) != own]
    for code, is_ in ((BROKEN, ("has", "have")), (NOT_COMPARABLE, ("was", "were"))):
        names = [one.candidate.name for one in others if one.exit_code == code]
        if names and code == BROKEN:
            yield f"{named(names)} {verb(len(names), *is_)} results that are missing or broken"
        elif names:
            yield f"{named(names)} {verb(len(names), *is_)} asked something else on some tasks"


def level_of_the_gate(report: ComparisonReport | None, decides: Comparison | None) -> str:
    """Return which level the intervals have that the gate goes by, and why; empty without conditions."""
    shown = decides or (report.comparisons[0] if report and report.comparisons else None)
    return gate_level(shown.level, shown.candidates) if shown and shown.gate else ""


def worst_first(comparisons: Sequence[Comparison]) -> list[Comparison]:
    """Return comparisons with those first that have missing, broken or refused results: none is to hide."""
    return sorted(comparisons, key=lambda one: one.exit_code not in (BROKEN, NOT_COMPARABLE))
