"""One verdict over several tasks: mean gain, worst task, counts; and gains in a domain and outside it."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

from harness.comparison.flip_tables import level_text
from harness.comparison.result_overall import Forgetting, Mean, Overall
from harness.render import plural
from harness.stats.curve import LEVEL
from harness.stats.several_tasks import mean_curve

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    from harness.comparison.gate import Gate
    from harness.comparison.result import MetricComparison
    from harness.comparison.thresholds import Member
    from harness.comparison.words import Verdict
    from harness.stats.gain import Gain

_VERDICTS = ("better", "worse", "equivalent", "inconclusive", "not tested")


def overall_gains(
    members: Sequence[Member],
    domain: Collection[str],
    gate: Gate | None,
    level: float = LEVEL,
    comparisons: int = 1,
) -> tuple[Overall, ...]:
    """Return the gains over all tasks, and over those of each tag of the domain, of two tasks or more.

    members: all lines of a comparison, and their gains. Samples and real data are never taken together.
    gate: whose margins say what is equivalent.
    level: of the intervals of these gains, and of those returned. comparisons: of the command; the claims
    *better* and *worse* hold over the means of all of them (Bonferroni).
    """
    claims = comparisons * (1 + len({*domain}))
    headlines = [(line, gain) for line, gain in members if line.headline]
    found: list[Overall] = []
    for tag in (None, *sorted(domain)):
        of_tag = [member for member in headlines if tag is None or tag in member[0].tags]
        found += _of_each_kind(tag, of_tag, _Scope(gate, [line for line, _ in members], level, claims))
    return tuple(found)


class _Scope(NamedTuple):
    """What a mean is judged by, besides its gains."""

    gate: Gate | None
    lines: Sequence[MetricComparison]
    """All lines of the comparison."""
    level: float
    claims: int
    """Number of means of the command, over all of which *better* and *worse* hold."""


def _of_each_kind(tag: str | None, members: Sequence[Member], scope: _Scope) -> Iterator[Overall]:
    for sample in (False, True):
        own = [member for member in members if (member[0].data == "sample") == sample]
        tested = [(line, gain) for line, gain in own if gain is not None and _has_interval(gain)]
        if len({line.task for line, _ in tested}) > 1:
            yield _overall(tag, [line for line, _ in own], tested, scope)


def _overall(
    tag: str | None,
    lines: Sequence[MetricComparison],
    tested: Sequence[tuple[MetricComparison, Gain]],
    scope: _Scope,
) -> Overall:
    level = scope.level
    mean = mean_of_tasks(tested, level)
    margin, whose = _margin(lines, scope)
    verdict = _verdict(
        mean, mean_of_tasks(tested, level / scope.claims), [line for line, _ in tested], margin
    )
    by = f" (margin {margin:g} of {whose})" if whose and verdict in ("equivalent", "inconclusive") else ""
    if verdict == "inconclusive" and (mean.low > 0 or mean.high < 0):
        means = f"{scope.claims} means of the command at once"
        by += f" (the interval excludes 0; better and worse hold for {means})"
    worst, gain = min(tested, key=lambda member: member[1].value)
    low = min(gain.low for _, gain in tested)
    counts = {name: sum(line.verdict == name for line in lines) for name in _VERDICTS}
    shown = ", ".join(f"{name} on {count}" for name, count in counts.items() if count)
    sample = "samples of " if lines[0].data == "sample" else ""
    which = f"{sample}{len(tested)} tasks{f' tagged {tag}' if tag else ''}"
    left_out = len(lines) - len(tested)
    return Overall(
        tag=tag,
        which=which,
        samples=bool(sample),
        mean=mean,
        verdict=verdict,
        margin=margin,
        worst=worst.task,
        worst_gain=gain.value,
        worst_low=low,
        better=counts["better"],
        worse=counts["worse"],
        equivalent=counts["equivalent"],
        inconclusive=counts["inconclusive"],
        not_tested=counts["not tested"],
        sentence=(
            f"over {which}: mean gain {_figures(mean, level)}: {verdict}{by};"
            f" worst {worst.task} {gain.value:+.4f}, all true gains above {low:+.4f}"
            f" ({level_text(1 - level / 2)}); {shown}"
            + (f" ({left_out} without an interval left out of the mean)" if left_out else "")
        ),
    )


def mean_of_tasks(tested: Sequence[tuple[MetricComparison, Gain]], level: float) -> Mean:
    """Return the mean gain over the tasks as given, one or more, with its interval."""
    gains = [gain for _, gain in tested]
    low, high = mean_curve(gains).interval(level)
    return Mean(
        tasks=tuple(line.task for line, _ in tested),
        gain=sum(gain.value / len(gains) for gain in gains),
        low=low,
        high=high,
    )


def _margin(lines: Sequence[MetricComparison], scope: _Scope) -> tuple[float | None, str]:
    """Return the margin of a mean over these lines, and whose it is, in words; None and no words without one.

    That of a condition over the mean of these very lines, the smallest of several; else the one that all
    lines share.
    """
    kind = [line for line in scope.lines if (line.data == "sample") == (lines[0].data == "sample")]
    of_mean = [
        condition.threshold
        for condition in (scope.gate.conditions if scope.gate else ())
        if (condition.rule, condition.over) == ("margin", "mean")
        and [line for line in kind if condition.applies_to(line)] == [*lines]
    ]
    if of_mean:
        return min(of_mean), "the mean"
    margins = {line.margin for line in lines}
    margin = margins.pop() if len(margins) == 1 else None
    return margin, "" if margin is None else "every task"


def _verdict(mean: Mean, claim: Mean, lines: Sequence[MetricComparison], margin: float | None) -> Verdict:
    """Return the verdict on a mean. claim: the same, with the interval that *better* and *worse* need."""
    if all(line.test == "identical" for line in lines):
        return "equivalent"
    if mean.low == mean.high:
        return "inconclusive"
    if claim.low > 0 or claim.high < 0:
        return "better" if claim.low > 0 else "worse"
    if margin is not None and -margin < mean.low and mean.high < margin:
        return "equivalent"
    return "inconclusive"


def measure_forgetting(
    members: Sequence[Member], tags: Collection[str], level: float = LEVEL
) -> Forgetting | None:
    """Average the headline gains on tasks with one of the tags, and on all others; None without tags."""
    if not tags:
        return None
    tested = [
        (line, gain) for line, gain in members if line.headline and gain is not None and _has_interval(gain)
    ]
    inside = _mean_or_none([member for member in tested if set(member[0].tags) & set(tags)], level)
    outside = _mean_or_none([member for member in tested if not set(member[0].tags) & set(tags)], level)
    domain = tuple(sorted(tags))
    parts = [
        f"{where}: mean gain {_figures(mean, level)} over {plural(len(mean.tasks), 'task')}"
        if mean
        else f"{where}: no task was tested"
        for where, mean in ((f"inside {', '.join(domain)}", inside), ("outside", outside))
    ]
    return Forgetting(
        domain=domain,
        inside=inside,
        outside=outside,
        sentence="; ".join(parts) + _forgetting_verdict(inside, outside),
    )


def _mean_or_none(tested: Sequence[tuple[MetricComparison, Gain]], level: float) -> Mean | None:
    return mean_of_tasks(tested, level) if tested else None


def _forgetting_verdict(inside: Mean | None, outside: Mean | None) -> str:
    if inside is None or outside is None:
        return ""
    forgot, learned, lost = outside.high < 0, inside.low > 0, inside.high < 0
    if forgot:
        if lost:
            return "; it got worse inside and outside"
        return "; it learned and forgot" if learned else "; it forgot and did not learn"
    too = "" if lost or not learned else " too"
    kept = "nothing forgotten beyond noise" if outside.low <= 0 else f"better outside{too}"
    what = "it learned" if learned else "it got worse inside" if lost else "no gain inside beyond noise"
    return f"; {what}, {kept}"


def _has_interval(gain: Gain) -> bool:
    return math.isfinite(gain.low) and math.isfinite(gain.high)


def _figures(mean: Mean, level: float) -> str:
    shown = f"{mean.gain:+.4f} [{mean.low:+.4f}, {mean.high:+.4f}]"
    return shown if level == LEVEL else f"{shown} ({level_text(1 - level)})"
