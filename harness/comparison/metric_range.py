"""Thresholds that a metric's range makes meaningless: no pair of scores could miss, or meet, them."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from harness.errors import Faults, HarnessError
from harness.stats.curve import UNBOUNDED, Interval
from harness.stats.means import bounds_of_values
from harness.stats.unseen_share import bounds_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from harness.comparison.gate import Condition, Gate
    from harness.comparison.measure import MetricGain

_HINT = (
    "thresholds have the scale of the scores: a loss of one point of 100 is margin = 0.01 where they end at 1"
)


def refuse_out_of_range(gate: Gate | None, measured: Iterable[MetricGain]) -> None:
    """Raise HarnessError for thresholds that no pair of scores of a metric could miss, or could meet.

    A margin is that as soon as it is one for a line that it applies to. The range is that of the metric or,
    for means, 0 to 1 where all values lie there; of other metrics it is unknown, and nothing is refused.
    """
    if gate is None:
        return
    lines = [(line, bounds) for line in measured if math.isfinite((bounds := range_of(line)).high)]
    faults = Faults()
    for condition in gate.conditions:
        for line, bounds in lines:
            if gate.decides(condition, *_named(line), headline=line.headline) and (
                what := _meaningless(condition, bounds)
            ):
                faults.add(_fault(condition, line, bounds, what))
                break
    faults.refuse()


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


def _fault(condition: Condition, line: MetricGain, bounds: Interval, what: str) -> HarnessError:
    task, metric, _ = _named(line)
    where = f"{metric} of {task} lies between {bounds.low:g} and {bounds.high:g}"
    rule = f"{condition.rule} {condition.threshold:g} ({condition.subject})"
    return HarnessError(f"{rule}: {where}, so {what}", hint=_HINT)
