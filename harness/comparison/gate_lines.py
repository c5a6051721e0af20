"""The gains of a candidate that a gate asks about: its lines, and means of several tasks."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from harness.comparison.entries import task_of
from harness.stats.joint import Line, line_of
from harness.stats.several_tasks import mean_curve

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from harness.comparison.gate import Condition, Gate
    from harness.comparison.measure import MetricGain
    from harness.stats.gain import Gain


def asked_lines(measured: Sequence[MetricGain], gate: Gate | None) -> list[Line]:
    """Return each gain that a condition of the gate is about, once; without a gate all of them.

    The smallest of several gains is as good as each of them; a mean is a gain of its own.
    """
    tested = [(each, each.gain) for each in measured if each.gain is not None]
    if gate is None:
        return [line_of(gain, each.evaluation.examination) for each, gain in tested]
    single: set[int] = set()
    means: list[Line] = []
    for condition in gate.conditions:
        if condition.on_gain:
            own = [place for place, (each, _) in enumerate(tested) if _covers(condition, each)]
            if condition.over == "mean":
                means += _means([tested[place] for place in own])
            else:
                single.update(own)
    return [*(line_of(tested[p][1], tested[p][0].evaluation.examination) for p in sorted(single)), *means]


def _covers(condition: Condition, measured: MetricGain) -> bool:
    metric = measured.score.metric
    return condition.covers(task_of(measured), metric, measured.tags, headline=measured.headline)


def _means(members: Sequence[tuple[MetricGain, Gain]]) -> Iterator[Line]:
    """Yield the mean over samples, and that over real data, as a line: as a gate forms them."""
    for sample in (False, True):
        own = [member for member in members if (member[0].evaluation.examination.data == "sample") == sample]
        if own and all(gain.curve is not None for _, gain in own):
            yield _mean(own)


def _mean(members: Sequence[tuple[MetricGain, Gain]]) -> Line:
    """Return the mean of gains as a line, on the examples of all tasks together."""
    if len(members) == 1:
        ((each, gain),) = members
        return line_of(gain, each.evaluation.examination)
    parts = [
        (gain.influence, np.char.add(f"{place} ", np.asarray(gain.unit_names).astype(str)))
        for place, (_, gain) in enumerate(members)
        if gain.influence is not None and gain.unit_names is not None
    ]
    influences, names = (np.concatenate(part) for part in zip(*parts, strict=True)) if parts else (None, None)
    sample = tuple((each.evaluation.examination, each.score.metric) for each, _ in members)
    return Line(mean_curve([gain for _, gain in members]).p(), sample, influences, names)
