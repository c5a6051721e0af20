"""The mean and the smallest of several gains: tasks as given, examples at random."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from harness.stats.curve import LEVEL, Curve, Interval, StudentCurve

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harness.stats.gain import Gain


@dataclass(frozen=True, slots=True)
class MeanCurve(Curve):
    """The mean of gains, for a fixed set of tasks.

    The distance of each end from the mean is the root of the squared distances of the gains' own ends, over
    their number: it keeps skewed intervals skewed, and has width where they have. With few units it is wider
    than Satterthwaite's.
    Source: Zou and Donner (2008), "Construction of confidence limits about effect measures: a general
    approach".
    """

    values: Sequence[float]
    curves: Sequence[Curve]
    wider: float = 1.0
    """Standard error over that of independent gains."""
    test: str = "mean of gains"

    def interval(self, level: float = LEVEL) -> Interval:
        """Return the interval of the mean."""
        return mean_interval(self.values, [curve.interval(level) for curve in self.curves], self.wider)


def mean_interval(values: Sequence[float], ends: Sequence[Interval], wider: float = 1.0) -> Interval:
    """Return the interval of the mean of values with intervals of their own, as `MeanCurve` has it."""
    count = len(values)
    value = math.fsum(value / count for value in values)
    # math.hypot, since squares of a third-party metric's values may overflow.
    below = math.hypot(*(value - end.low for value, end in zip(values, ends, strict=True)))
    above = math.hypot(*(end.high - value for value, end in zip(values, ends, strict=True)))
    return Interval(value - below / count * wider, value + above / count * wider)


def mean_curve(gains: Sequence[Gain]) -> Curve:
    """Return the confidence curve of the mean of one gain or more.

    Where tasks share units, such as the documents that their examples are drawn from, it is as much wider as
    the influences of these units, added up, are (`shared_doubt`).
    """
    curves = [_curve(gain) for gain in gains]
    return (
        curves[0]
        if len(gains) == 1
        else MeanCurve([gain.value for gain in gains], curves, shared_doubt(gains))
    )


def shared_doubt(gains: Sequence[Gain]) -> float:
    """Return the ratio of the standard error of a mean gain to that of independent gains: 1 or more.

    Units of one name are one unit. Where two tasks have equal names by chance, as numbers may be, their
    influences are independent, and add to the standard error by no more than noise. Never below 1: that
    tasks go against each other is not relied on.
    """
    known = [
        (np.asarray(gain.unit_names), gain.influence[None])
        for gain in gains
        if gain.influence is not None and gain.unit_names is not None
    ]
    return float(shared_doubts(known)[0]) if known else 1.0


def shared_doubts(tasks: Sequence[tuple[np.ndarray, np.ndarray]]) -> np.ndarray:
    """Return `shared_doubt` of several means over the same tasks: (means,).

    tasks: names of units, (units,), and their influences on what is averaged, (means, units), of one or more.
    """
    influences = np.concatenate([own for _, own in tasks], axis=1)
    names = np.concatenate([np.asarray(own).astype(str) for own, _ in tasks])
    units = np.unique(names, return_inverse=True)[1]
    doubts = np.ones(len(influences))
    if len(tasks) < 2 or units.max(initial=-1) + 1 == len(names):
        return doubts
    for row, own in enumerate(influences):
        largest = float(np.abs(own).max(initial=0.0))
        if 0 < largest < math.inf:
            scaled = own / largest
            together = float((np.bincount(units, weights=scaled) ** 2).sum())
            doubts[row] = max(1.0, math.sqrt(together / float((scaled**2).sum())))
    return doubts


def smallest_interval(gains: Sequence[Gain], level: float = LEVEL) -> Interval:
    """Return the interval of the smallest of the true gains.

    Its lower end is the smallest of the lower ends, which needs no correction: for it to be too high, the
    lower end of the one gain that is smallest would have to be (an intersection-union test). Its upper end
    is corrected for their number (Bonferroni), since any of the upper ends may be too low.
    Source: Berger (1982), "Multiparameter hypothesis testing and acceptance sampling".
    """
    own = [_curve(gain).interval(level).low for gain in gains]
    return Interval(min(own), min(_curve(gain).interval(level / len(gains)).high for gain in gains))


def _curve(gain: Gain) -> Curve:
    if gain.curve is not None:
        return gain.curve
    return StudentCurve(gain.value, gain.standard_error, max(gain.units - 1, 1))
