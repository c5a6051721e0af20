"""Remarks on the figures of a comparison: levels, too few examples, what they cannot show."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from harness.comparison.evidence import amount
from harness.comparison.flip_tables import level_text
from harness.render import plural
from harness.stats.curve import LEVEL

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from harness.comparison.gate import Gate
    from harness.comparison.result import Comparison, MetricComparison, Shortage

    Named = Sequence[tuple[MetricComparison, str]]
    """Lines and what they are called."""

FAR_BELOW = 0.5
"""Share of the number of clusters below which their effective number is shown."""


def levels_in_words(tests: int, level: float, candidates: int = 1) -> str:
    """Return which level interval, p-value and verdict have.

    tests: lines that p is corrected over. level: confidence level of the intervals. candidates: how many
    that level is for.
    """
    if tests > 1 and level > 1 - LEVEL:
        return (
            f"intervals of {level_text(level)} each, {_looked_at(candidates)}; p and verdict corrected over"
            f" {tests:,} lines, those of all candidates"
        )
    if tests > 1:
        return f"intervals of {level_text(level)} each; p and verdict corrected over {tests:,} lines"
    return "interval of 95 %; p < 0.05 where it excludes 0"


def gate_level(level: float, candidates: int = 1) -> str:
    """Return which level the intervals have that a gate goes by, and why.

    level: their confidence level. candidates: how many it is for.
    """
    if level > 1 - LEVEL:
        return f"by intervals of {level_text(level)} each, {_looked_at(candidates)}"
    return "each by its own 95 % interval, not corrected"


def _looked_at(candidates: int) -> str:
    return f"since {candidates:,} candidates were looked at" if candidates > 1 else "for all candidates"


def doubts(comparison: Comparison, named: Named) -> Iterator[str]:
    """Yield what the lines of a comparison cannot show, and why."""
    yield from _corrected(comparison, named)
    yield from _grouped(named, lambda line: shortage_text(line.shortage, line.margin))
    yield from _grouped(named, _unseen_text)
    yield from _grouped(named, _heaviest_text)


def _corrected(comparison: Comparison, named: Named) -> Iterator[str]:
    names = [name for line, name in named if line.verdict == "inconclusive" and excludes_zero(line)]
    if names:
        gate = "; the gate goes by the interval" if comparison.gate else ""
        yield (
            f"{', '.join(names)}: the interval excludes 0, and the verdict is inconclusive,"
            f" since p is corrected over {comparison.tests:,} lines{gate}"
        )
    sure = [
        name
        for line, name in named
        if line.verdict in ("better", "worse") and line.low is not None and not excludes_zero(line)
    ]
    if (
        sure and comparison.level > 1 - LEVEL
    ):  # p is corrected step by step, an interval for all candidates at once
        yield (
            f"{', '.join(sure)}: the verdict goes by p, and the interval, which is for all candidates,"
            " reaches across 0"
        )


def excludes_zero(line: MetricComparison) -> bool:
    """Whether the line's own interval excludes 0."""
    return line.low is not None and line.high is not None and (line.low > 0 or line.high < 0)


def shortage_text(shortage: Shortage | None, margin: float | None) -> str | None:
    """Return what there is too little of to pass a margin; None where there is enough."""
    if shortage is None or margin is None:
        return None
    have = amount(shortage.have, shortage.what)
    if shortage.needed is not None:
        return (
            f"{have}; a margin of {margin:g} needs about {_three_digits(shortage.needed):,}"
            " even if no answer differs"
        )
    if margin == 0:
        return f"{have}; a margin of 0 needs a gain beyond doubt, or the very same answers"
    return f"{have}; a margin of {margin:g} is out of reach, even if no answer differs"


def _three_digits(number: int) -> int:
    return round(number, 2 - math.floor(math.log10(number))) if number > 0 else number


def _unseen_text(line: MetricComparison) -> str | None:
    if line.unseen is None:
        return None
    units = plural(line.clusters, "example" if line.clusters == line.examples else "cluster")
    share = f"{100 * line.unseen:.2g} %"
    return f"a loss on fewer than {share} of the {units} may not be in them"


def _heaviest_text(line: MetricComparison) -> str | None:
    if line.heaviest is None or line.heaviest_share is None:
        return None
    kind = "example" if line.clusters == line.examples else "cluster"
    return f"{kind} {line.heaviest} carries {100 * line.heaviest_share:.0f} % of the variance of the gain"


def _grouped(named: Named, text_of: Callable[[MetricComparison], str | None]) -> Iterator[str]:
    """Yield each text with the names of the lines that it holds for."""
    names: dict[str, list[str]] = {}
    for line, name in named:
        if text := text_of(line):
            names.setdefault(text, []).append(name)
    yield from (f"{', '.join(own)}: {text}" for text, own in names.items())


def clusters_text(line: MetricComparison) -> str:
    """Return the number of examples, of their clusters, and of equal clusters that would tell as much."""
    if line.clusters == line.examples:
        return f"{line.examples:,}"
    effective = f" ≈ {line.effective_clusters:.0f}" if far_below(line) else ""
    return f"{line.examples:,} in {line.clusters:,}{effective}"


def far_below(line: MetricComparison) -> bool:
    """Whether the effective number of clusters is far below their number."""
    return line.effective_clusters is not None and line.effective_clusters <= FAR_BELOW * line.clusters


def candidates_warning(comparisons: Sequence[Comparison], gate: Gate | None) -> str | None:
    """Return what several candidates do to the chance that one passes the gate by luck; None for one.

    Each condition lets a candidate at its very threshold pass in 2.5 % of cases: half of a 95 % interval's
    error. A floor under the score makes no such claim. By a ledger, candidates count that other commands
    judged on the same examples.
    """
    claims = gate is not None and any(condition.on_gain for condition in gate.conditions)
    count = len(comparisons)
    if count < 2 or not claims:
        return None
    earlier = max((look.others for each in comparisons for look in each.looks), default=0)
    chance = 1 - (1 - LEVEL / 2) ** (count + earlier)
    before = f", and {earlier:,} before on the same examples" if earlier else ""
    new = "; only examples that judged none of them correct for earlier ones" if earlier else ""
    return (
        f"{plural(count, 'candidate')} under one gate{before}: if all are exactly at a threshold, one passes"
        f" by luck with a chance of up to {100 * chance:.0f} %, not 2.5 %;"
        f" --select best chooses one, and corrects for the choice{new}"
    )
