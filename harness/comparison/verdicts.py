"""Verdicts from measured gains, corrected for multiple tests over all lines of a comparison."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from harness.comparison.evidence import amount, heaviest_unit, scarce, unseen_losses
from harness.comparison.result import MetricComparison
from harness.comparison.thresholds import judge_gain
from harness.stats.curve import LEVEL, PointCurve
from harness.stats.detectable import bounds_of_scores, detectable_gain
from harness.stats.joint import line_of
from harness.stats.multiple import adjust, level_of_a_line
from harness.stats.spread import effective_number
from harness.stats.unseen_share import bounds_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harness.comparison.evidence import Evidence
    from harness.comparison.gate import Gate
    from harness.comparison.measure import MetricGain
    from harness.comparison.result import Shortage
    from harness.comparison.words import Verdict
    from harness.stats.joint import Line


def correct_p_values(families: Sequence[Sequence[MetricGain]]) -> list[list[float]]:
    """Correct p-values over all lines of all comparisons; returns a list for each comparison."""
    adjusted = iter(adjust(_lines_of(families)).tolist())
    return [[next(adjusted) for _ in family] for family in families]


def claim_level(families: Sequence[Sequence[MetricGain]]) -> float:
    """Return the level of each line's test after the correction over all lines of all comparisons."""
    return level_of_a_line(_lines_of(families))


def _lines_of(families: Sequence[Sequence[MetricGain]]) -> list[Line]:
    return [line_of(each.gain, each.evaluation.examination) for family in families for each in family]


def make_lines(
    measured: Sequence[MetricGain],
    adjusted: Sequence[float],
    gate: Gate | None,
    evidence: Evidence,
    *,
    level: float,
) -> list[MetricComparison]:
    """Make a line of each measured metric and its corrected p-value; level: `claim_level` of all lines."""
    lines = []
    for metric, p in zip(measured, adjusted, strict=True):
        line = _make_line(metric, p, level)
        margin = gate.margin(line) if gate else None
        lines.append(_with_verdict(line, metric, margin, evidence))
    return lines


def _make_line(metric: MetricGain, p_adjusted: float, level: float) -> MetricComparison:
    gain, examination = metric.gain, metric.evaluation.examination
    heaviest = heaviest_unit(gain, metric.pair) if gain and metric.pair else None
    detectable = _detectable(metric, level)
    return MetricComparison(
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
        detectable=detectable,
        too_few=_too_few(metric) if detectable is None else None,
        needed=None,
        examples=gain.examples if gain else metric.score.examples,
        clusters=gain.units if gain else metric.score.clusters,
        effective_clusters=_effective_clusters(metric),
        test=gain.test if gain else "not tested",
        from_seeds=metric.from_seeds,
        reason=metric.reason,
        heaviest=heaviest[0] if heaviest else None,
        heaviest_share=heaviest[1] if heaviest else None,
        digest=examination.digest,
        limit=examination.limit,
    )


def _with_verdict(
    line: MetricComparison,
    metric: MetricGain,
    margin: float | None,
    evidence: Evidence,
) -> MetricComparison:
    line = replace(line, margin=margin, verdict=verdict(line, margin))
    if margin is None:
        return line
    outcome = judge_gain("margin", margin, line)[0]
    unseen = None
    if outcome == "passes" and line.test != "identical" and metric.pair is not None:
        unseen = unseen_losses(metric.pair, margin, evidence.level)
    return replace(
        line,
        within_margin=None if line.low is None else outcome == "passes",
        shortage=_shortage(line, metric, margin, evidence) if outcome == "undecided" else None,
        unseen=unseen,
    )


def _shortage(
    line: MetricComparison, metric: MetricGain, margin: float, evidence: Evidence
) -> Shortage | None:
    """Return what there is too little of even for models that answer alike; None if they could have passed.

    Models that differ by little may need fewer examples than those that differ in none, whose rare
    differences are all unseen: where this line's interval would pass sooner at a gain of 0, nothing is said.
    """
    if line.from_seeds is not None or line.gain is None:
        return None
    shortage = evidence.shortage(metric, margin)
    if shortage is None or line.low is None or not margin:
        return shortage
    times = (line.gain - line.low) / margin
    needed = math.inf if shortage.needed is None else shortage.needed / shortage.have
    return shortage if times >= 1 and times * times >= needed else None


def _detectable(metric: MetricGain, level: float) -> float | None:
    if metric.gain is None or metric.metric is None:
        return None
    # Seeds are pairs of their own, with one range.
    bounds = bounds_of(metric.metric) if metric.pair is None else bounds_of_scores(metric.pair)
    pair = metric.pair if metric.from_seeds is None else None
    return _finite(detectable_gain(metric.gain, level, pair=pair, bounds=bounds))


def _too_few(metric: MetricGain) -> str | None:
    """Return what there is too little of to find a gain; None without a test, and where no gain can be."""
    gain, pair = metric.gain, metric.pair
    if gain is None or pair is None or math.isnan(gain.low) or isinstance(gain.curve, PointCurve):
        return None
    if gain.baseline >= bounds_of_scores(pair).high:
        return None
    return amount(*scarce(pair))


def verdict(line: MetricComparison, margin: float | None) -> Verdict:
    """Return the verdict on a line.

    Better or worse if the corrected p-value is below 5 %; else equivalent if the predictions are the very
    same, or the whole interval, which has width, is within ± margin; else inconclusive.
    """
    if line.gain is None or line.test in ("not tested", "none"):
        return "not tested" if line.test != "none" else "inconclusive"
    if line.test == "identical":
        return "equivalent"
    if line.p_adjusted is not None and line.p_adjusted < LEVEL and line.gain:
        return "better" if line.gain > 0 else "worse"
    if line.low is not None and line.high is not None and line.low < line.high:
        bound = margin or 0.0
        if -bound < line.low and line.high < bound:
            return "equivalent"
    return "inconclusive"


def count_tests(families: Sequence[Sequence[MetricGain]]) -> int:
    """Return the number of lines, of all comparisons, that have a test: those that are corrected for."""
    gains = [measured.gain for family in families for measured in family]
    return sum(gain is not None and not math.isnan(gain.p) for gain in gains)


def _difference(metric: MetricGain) -> float | None:
    """Return the difference of two scores without predictions."""
    if metric.candidate is None or metric.score.score is None:
        return None
    return metric.candidate - metric.score.score


def _effective_clusters(metric: MetricGain) -> float | None:
    pair = metric.pair
    return effective_number(np.bincount(pair.units)) if pair is not None and pair.count else None


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None
