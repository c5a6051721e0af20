"""From what was measured to what is claimed: verdicts, corrected over all lines, and the domain's summary."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING

from harness.comparison.result import Forgetting, Mean, MetricComparison
from harness.stats.gain import LEVEL, quantile
from harness.stats.proportions import holm

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from harness.comparison.gate import Gate
    from harness.comparison.measure import Measured
    from harness.comparison.result import Verdict
    from harness.stats.gain import Gain


def corrected(families: Sequence[Sequence[Measured]]) -> list[list[float]]:
    """Correct the p-values of several comparisons over all their lines: a list for each comparison."""
    adjusted = iter(
        holm(
            [one.gain.p if one.gain is not None else math.nan for family in families for one in family]
        ).tolist()
    )
    return [[next(adjusted) for _ in family] for family in families]


def lines_of(
    measured: Sequence[Measured], adjusted: Sequence[float], gate: Gate | None, *, power: bool
) -> list[MetricComparison]:
    """Make a line of each measured metric and its corrected p-value."""
    return [_line(one, p, gate, power=power) for one, p in zip(measured, adjusted, strict=True)]


def _line(one: Measured, p_holm: float, gate: Gate | None, *, power: bool) -> MetricComparison:
    gain, asked = one.gain, one.evaluation.examination
    line = MetricComparison(
        task=asked.task,
        metric=one.score.metric,
        headline=one.headline,
        data=asked.data,
        tags=one.tags,
        baseline=one.score.score if gain is None else _defined(gain.baseline),
        candidate=one.candidate if gain is None else _defined(gain.candidate),
        gain=_difference(one) if gain is None else _defined(gain.value),
        low=_defined(gain.low) if gain else None,
        high=_defined(gain.high) if gain else None,
        p=_defined(gain.p) if gain else None,
        p_holm=_defined(p_holm),
        verdict="not tested",
        margin=None,
        within_margin=None,
        detectable=_defined(gain.detectable) if gain else None,
        needed=None,
        examples=gain.examples if gain else one.score.examples,
        clusters=gain.units if gain else one.score.clusters,
        test=gain.test if gain else "not tested",
        from_seeds=one.from_seeds,
        reason=one.reason,
    )
    return _judged(line, gain, gate.margin(line) if gate else None, power=power)


def _judged(
    line: MetricComparison, gain: Gain | None, margin: float | None, *, power: bool
) -> MetricComparison:
    within = None
    if margin is not None and line.low is not None:
        within = line.low > -margin or line.test == "identical"
    needed = None
    if power and margin and gain is not None and line.detectable:
        needed = examples_needed(gain, margin)
    return replace(line, verdict=verdict(line, margin), margin=margin, within_margin=within, needed=needed)


def verdict(line: MetricComparison, margin: float | None) -> Verdict:
    """Say what may be said of a line.

    Better or worse where the corrected p-value is below 5 %; else equivalent where the whole interval lies
    within ± margin (without a margin: where there is no difference at all); else inconclusive.
    """
    if line.gain is None or line.test in ("not tested", "none"):
        return "not tested" if line.test != "none" else "inconclusive"
    if line.p_holm is not None and line.p_holm < LEVEL and line.gain:
        return "better" if line.gain > 0 else "worse"
    if line.low is not None and line.high is not None:
        bound = margin or 0.0
        if (-bound < line.low and line.high < bound) or line.low == line.high == 0:
            return "equivalent"
    return "inconclusive"


def examples_needed(gain: Gain, margin: float) -> int | None:
    """Examples that would show a true gain as large as the margin with 80 % power, drawn as these were.

    The standard error falls with the root of the number of units. None where they are beyond any number.
    """
    times = gain.detectable / margin
    needed = gain.examples * times * times
    return math.ceil(needed) if math.isfinite(needed) else None


def domain_of(measured: Sequence[Measured], tags: Collection[str]) -> Forgetting | None:
    """Sum up what was gained on the tasks of some tags, and what was lost on all others; by headlines."""
    if not tags:
        return None
    tested = [
        one
        for one in measured
        if one.headline and one.gain is not None and math.isfinite(one.gain.standard_error)
    ]
    inside = _mean([one for one in tested if set(one.tags) & set(tags)])
    outside = _mean([one for one in tested if not set(one.tags) & set(tags)])
    domain = tuple(sorted(tags))
    told = [
        f"{where}: mean gain {mean.gain:+.4f} [{mean.low:+.4f}, {mean.high:+.4f}] over {_tasks(mean)}"
        if mean
        else f"{where}: no task was tested"
        for where, mean in ((f"inside {', '.join(domain)}", inside), ("outside", outside))
    ]
    return Forgetting(
        domain=domain,
        inside=inside,
        outside=outside,
        sentence="; ".join(told) + _balance(inside, outside),
    )


def _mean(measured: Sequence[Measured]) -> Mean | None:
    """The mean gain of these very tasks: only examples vary. Degrees of freedom: Satterthwaite (1946)."""
    gains = [one.gain for one in measured if one.gain is not None]
    if not gains:
        return None
    value = sum(gain.value for gain in gains) / len(gains)
    errors = [gain.standard_error for gain in gains]
    whole = math.hypot(*errors)
    # Shares, since squares of what a stranger's metric measures may be larger than any float.
    shares = [(error / whole) ** 2 if whole else 0.0 for error in errors]
    parts = sum(share**2 / max(gain.units - 1, 1) for share, gain in zip(shares, gains, strict=True))
    freedom = 1 + min(int(1 / parts), 10**6) if parts else 2
    half = quantile(1 - LEVEL / 2, freedom) * whole / len(gains)
    tasks = tuple(one.evaluation.examination.task for one in measured)
    return Mean(tasks=tasks, gain=value, low=value - half, high=value + half)


def _tasks(mean: Mean) -> str:
    return f"{len(mean.tasks)} task{'s' if len(mean.tasks) > 1 else ''}"


def _balance(inside: Mean | None, outside: Mean | None) -> str:
    if inside is None or outside is None:
        return ""
    forgot, learned = outside.high < 0, inside.low > 0
    if forgot:
        return "; it learned and forgot" if learned else "; it forgot and did not learn"
    kept = "nothing forgotten beyond noise" if outside.low <= 0 else "better outside too"
    return f"; {'it learned' if learned else 'no gain inside beyond noise'}, {kept}"


def _difference(one: Measured) -> float | None:
    """The bare difference of two scores whose predictions are not at hand."""
    if one.candidate is None or one.score.score is None:
        return None
    return one.candidate - one.score.score


def _defined(value: float) -> float | None:
    return value if math.isfinite(value) else None
