"""Thresholds that a metric's range makes meaningless: no pair of scores could miss, or meet, them."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from harness.errors import Faults, HarnessError
from harness.stats.curve import UNBOUNDED, Interval
from harness.stats.means import bounds_of_values
from harness.stats.unseen_share import bounds_of

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from harness.comparison.gate import Condition, Gate
    from harness.comparison.measure import MetricGain

_EXAMPLES = {
    "margin": "a loss of one point of 100 is margin = 0.01",
    "gain": "a gain of one point of 100 is gain = 0.01",
    "min": "80 points of 100 are min = 0.8",
}
"""Rule → a threshold where scores end at 1."""


def refuse_out_of_range(gate: Gate | None, measured: Iterable[MetricGain]) -> None:
    """Raise HarnessError for thresholds that no pair of scores of a metric could miss, or could meet.

    A margin is that as soon as it is one for a line that it applies to. The range is that of the metric or,
    for means, 0 to 1 where all values lie there; of other metrics it is unknown, and nothing is refused.
    """
    if gate is None:
        return
    ranges = [MetricRange(*_named(line), headline=line.headline, bounds=range_of(line)) for line in measured]
    faults = Faults()
    for condition in gate.conditions:
        faults.found += meaningless(gate, condition, ranges).faults[:1]
    faults.refuse()


@dataclass(frozen=True, slots=True)
class MetricRange:
    """A metric of a task, and the least and the greatest score that it can have; infinite where unknown."""

    task: str
    metric: str
    tags: Collection[str]
    headline: bool
    bounds: Interval


class Meaningless(NamedTuple):
    """What is wrong with a condition on some metrics."""

    faults: list[HarnessError]
    """One for each metric of which no score could miss, or meet, its threshold."""
    others: int
    """Number of further metrics that it applies to, of which the range is known."""


def meaningless(gate: Gate, condition: Condition, ranges: Iterable[MetricRange]) -> Meaningless:
    """Return the metrics of which a condition's threshold says the same, whatever their scores are."""
    faults, others = [], 0
    for one in ranges:
        if not (math.isfinite(one.bounds.high) and math.isfinite(one.bounds.low)):
            continue
        if gate.decides(condition, one.task, one.metric, one.tags, headline=one.headline):
            what = _meaningless(condition, one.bounds)
            faults += [_fault(condition, one, what)] if what else []
            others += what is None
    return Meaningless(faults, others)


def range_of(line: MetricGain) -> Interval:
    """Return the least and the greatest score of a line's metric; infinite where unknown."""
    if line.metric is None or line.pair is None:
        return UNBOUNDED
    return bounds_of_values(line.pair) if line.metric.per_example else bounds_of(line.metric)


def _named(line: MetricGain) -> tuple[str, str, tuple[str, ...]]:
    return line.evaluation.examination.task, line.score.metric, line.tags


def _meaningless(condition: Condition, bounds: Interval) -> str | None:
    """Return what a threshold says of every pair of scores; None if it tells some from others."""
    (low, high), threshold = bounds, condition.threshold
    if condition.rule == "min":
        least, most = low, high
    elif condition.rule == "margin":
        least, most = low - high, math.inf
        threshold = -threshold
    else:
        # A gain of exactly the threshold is not above it.
        least, most = low - high, math.nextafter(high - low, low)
    return (
        "no score could miss it"
        if threshold <= least
        else "no score could meet it"
        if threshold > most
        else None
    )


def _fault(condition: Condition, one: MetricRange, what: str) -> HarnessError:
    where = f"{one.metric} of {one.task} lies between {one.bounds.low:g} and {one.bounds.high:g}"
    rule = f"{condition.rule} {condition.threshold:g} ({condition.subject})"
    hint = f"thresholds have the scale of the scores: {_EXAMPLES[condition.rule]} where they end at 1"
    return HarnessError(f"{rule}: {where}, so {what}", hint=hint)
