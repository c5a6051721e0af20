"""What many looks at the same examples do to a verdict, in words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.comparison.result import PASSES
from harness.render import percent
from harness.stats.curve import LEVEL

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from harness.comparison.result import Comparison, Looks

_REMEDY = (
    "confirm your choice on examples that no candidate was judged on, or reveal a score only where it clearly"
    " improves on the best so far (the Ladder: Blum and Hardt, 2015)"
)


def chance_of_one(looks: int) -> float:
    """Return the chance that at least one of so many independent tests at 2.5 % errs, in [0, 1).

    Tests of candidates on the same examples depend on each other positively: their chance is at most this.
    Source: Šidák (1967), "Rectangular confidence regions for the means of multivariate normal distributions".
    """
    return 1.0 - (1.0 - LEVEL / 2) ** looks


def looks_remarks(comparison: Comparison) -> Iterator[str]:
    """Yield how many candidates were judged on the same examples, and what that does to verdicts.

    Tasks of which the same is true share a remark.
    """
    grouped: dict[tuple[int, float, float | None], list[str]] = {}
    for each in comparison.looks:
        lucky = each.lucky_pass if _may_be_lucky(each, comparison) else None
        grouped.setdefault((each.candidates, each.false_better, lucky), []).append(each.task)
    for (candidates, better, lucky), tasks in grouped.items():
        named = ", ".join(dict.fromkeys(tasks))
        if candidates == 1:
            yield f"looks: no other candidate has been judged on the examples of {named}"
            continue
        chances = f"a false better anywhere among them: up to {percent(better, 1)}"
        if lucky is not None:
            chances += f"; a pass of a gate by luck: up to {percent(lucky, 1)}"
        yield f"looks: {candidates} candidates have been judged on the examples of {named}; {chances}"
    if any(each.others for each in comparison.looks):
        yield f"looks: {_REMEDY}"


def common_looks(comparisons: Sequence[Comparison]) -> list[str]:
    """Return the remarks on looks that each of several comparisons would repeat; none for a single one."""
    first, *others = [list(looks_remarks(comparison)) for comparison in comparisons] or [[]]
    return [text for text in first if others and all(text in other for other in others)]


def looks_sentence(comparison: Comparison) -> str:
    """Return what weakens a *better* or a passed gate, for the summary; empty where nothing does."""
    better = {(line.task, line.digest) for line in comparison.lines if line.verdict == "better"}
    passes = comparison.gated and comparison.exit_code == PASSES
    claimed = [each for each in comparison.looks if (each.task, each.digest) in better]
    most_seen = max(claimed, key=lambda each: each.false_better, default=None)
    if most_seen is not None and most_seen.others:
        return _sentence(most_seen, "a false better", most_seen.false_better)
    lucky = [each for each in comparison.looks if each.others and _may_be_lucky(each, comparison)]
    most_seen = max(lucky, key=lambda each: each.lucky_pass, default=None)
    if passes and most_seen is not None:
        return _sentence(most_seen, "a pass by luck", most_seen.lucky_pass)
    return ""


def _sentence(looks: Looks, error: str, chance: float) -> str:
    return (
        f"{looks.candidates} candidates have been judged on the examples of {looks.task}:"
        f" the chance of {error} among them is up to {percent(chance)}."
    )


def _may_be_lucky(looks: Looks, comparison: Comparison) -> bool:
    """Whether looks say how probable a lucky pass of the gate is.

    Not for a gate that claims nothing about gains. Nor for several candidates of this command under a gate
    that is not corrected for them: its own warning (`candidates_warning`) counts earlier ones, too.
    """
    claims = any(line.rule in ("margin", "gain") for line in comparison.gate)
    return claims and (is_corrected(comparison) or looks.candidates - looks.others < 2)


def is_corrected(comparison: Comparison) -> bool:
    """Whether the gate is corrected for the number of candidates of this command (`--select`)."""
    return comparison.level > 1 - LEVEL
