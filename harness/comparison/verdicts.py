"""Verdicts from measured gains, corrected for multiple tests over all lines of a comparison."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING

from harness.comparison.result import Forgetting, Mean, MetricComparison
from harness.stats.curve import LEVEL, quantile
from harness.stats.joint import Line
from harness.stats.multiple import adjust

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from harness.comparison.gate import Gate
    from harness.comparison.measure import MetricGain
    from harness.comparison.result import Verdict
    from harness.stats.gain import Gain


def correct_p_values(families: Sequence[Sequence[MetricGain]]) -> list[list[float]]:
    """Correct p-values over all lines of all comparisons; returns a list for each comparison."""
    adjusted = iter(adjust([_line_of(each) for family in families for each in family]).tolist())
    return [[next(adjusted) for _ in family] for family in families]


def _line_of(measured: MetricGain) -> Line:
    examination, gain = measured.evaluation.examination, measured.gain
    if gain is None:
        return Line(p=math.nan, sample=examination, influence=None, unit_names=None)
    return Line(p=gain.p, sample=examination, influence=gain.influence, unit_names=gain.unit_names)


def make_lines(
    measured: Sequence[MetricGain], adjusted: Sequence[float], gate: Gate | None, *, power: bool
) -> list[MetricComparison]:
    """Make a line of each measured metric and its corrected p-value."""
    return [_make_line(metric, p, gate, power=power) for metric, p in zip(measured, adjusted, strict=True)]


def _make_line(metric: MetricGain, p_adjusted: float, gate: Gate | None, *, power: bool) -> MetricComparison:
    gain, examination = metric.gain, metric.evaluation.examination
    line = MetricComparison(
        task=examination.task,
        metric=metric.score.metric,
        headline=metric.headline,
        data=examination.data,
        tags=metric.tags,
        baseline=metric.score.score if gain is None else _finite(gain.baseline),
        candidate=metric.candidate if gain is None else _finite(gain.candidate),
        gain=_difference(metric) if gain is None else _finite(gain.value),
        low=_finite(gain.low) if gain else None,
        high=_finite(gain.high) if gain else None,
        p=_finite(gain.p) if gain else None,
        p_adjusted=_finite(p_adjusted),
        verdict="not tested",
        margin=None,
        within_margin=None,
        detectable=_finite(gain.detectable) if gain else None,
        needed=None,
        examples=gain.examples if gain else metric.score.examples,
        clusters=gain.units if gain else metric.score.clusters,
        test=gain.test if gain else "not tested",
        from_seeds=metric.from_seeds,
        reason=metric.reason,
        digest=examination.digest,
        limit=examination.limit,
    )
    return _with_verdict(line, gain, gate.margin(line) if gate else None, power=power)


def _with_verdict(
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
    """Return the verdict on a line.

    Better or worse if the corrected p-value is below 5 %; else equivalent if the whole interval is
    within ± margin (without a margin: if there is no difference at all); else inconclusive.
    """
    if line.gain is None or line.test in ("not tested", "none"):
        return "not tested" if line.test != "none" else "inconclusive"
    if line.p_adjusted is not None and line.p_adjusted < LEVEL and line.gain:
        return "better" if line.gain > 0 else "worse"
    if line.low is not None and line.high is not None:
        bound = margin or 0.0
        if (-bound < line.low and line.high < bound) or line.low == line.high == 0:
            return "equivalent"
    return "inconclusive"


def examples_needed(gain: Gain, margin: float) -> int | None:
    """Return how many such examples detect a true gain as large as the margin with 80 % power.

    The standard error falls with the square root of the number of units. None if the number overflows.
    """
    times = gain.detectable / margin
    needed = gain.examples * times * times
    return math.ceil(needed) if math.isfinite(needed) else None


def measure_forgetting(measured: Sequence[MetricGain], tags: Collection[str]) -> Forgetting | None:
    """Average the headline gains on tasks with one of the tags, and on all others; None without tags."""
    if not tags:
        return None
    tested = [
        metric
        for metric in measured
        if metric.headline and metric.gain is not None and math.isfinite(metric.gain.standard_error)
    ]
    inside = _mean_gain([metric for metric in tested if set(metric.tags) & set(tags)])
    outside = _mean_gain([metric for metric in tested if not set(metric.tags) & set(tags)])
    domain = tuple(sorted(tags))
    parts = [
        f"{where}: mean gain {mean.gain:+.4f} [{mean.low:+.4f}, {mean.high:+.4f}] over {_count_tasks(mean)}"
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


def _mean_gain(measured: Sequence[MetricGain]) -> Mean | None:
    """Return the mean gain for a fixed set of tasks; degrees of freedom by Satterthwaite (1946)."""
    gains = [metric.gain for metric in measured if metric.gain is not None]
    if not gains:
        return None
    value = sum(gain.value for gain in gains) / len(gains)
    errors = [gain.standard_error for gain in gains]
    total = math.hypot(*errors)
    # Shares, since squares of a third-party metric's values may overflow.
    shares = [(error / total) ** 2 if total else 0.0 for error in errors]
    parts = sum(share**2 / max(gain.units - 1, 1) for share, gain in zip(shares, gains, strict=True))
    freedom = 1 + min(int(1 / parts), 10**6) if parts else 2
    half = quantile(1 - LEVEL / 2, freedom - 1) * total / len(gains)
    tasks = tuple(metric.evaluation.examination.task for metric in measured)
    return Mean(tasks=tasks, gain=value, low=value - half, high=value + half)


def _count_tasks(mean: Mean) -> str:
    return f"{len(mean.tasks)} task{'s' if len(mean.tasks) > 1 else ''}"


def _forgetting_verdict(inside: Mean | None, outside: Mean | None) -> str:
    if inside is None or outside is None:
        return ""
    forgot, learned = outside.high < 0, inside.low > 0
    if forgot:
        return "; it learned and forgot" if learned else "; it forgot and did not learn"
    kept = "nothing forgotten beyond noise" if outside.low <= 0 else "better outside too"
    return f"; {'it learned' if learned else 'no gain inside beyond noise'}, {kept}"


def _difference(metric: MetricGain) -> float | None:
    """Return the difference of two scores without predictions."""
    if metric.candidate is None or metric.score.score is None:
        return None
    return metric.candidate - metric.score.score


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None
