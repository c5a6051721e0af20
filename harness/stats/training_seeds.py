"""Mean gain of one recipe trained with several seeds; its interval covers examples and seeds."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from harness.stats import means
from harness.stats.curve import LEVEL, SMALLEST_P, UNBOUNDED, Curve, Interval, quantile
from harness.stats.gain import Gain, gain_curve
from harness.stats.influence import influences, standard_error
from harness.stats.intervals import FEWEST_UNITS
from harness.stats.unseen_share import bounds_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harness.stats.answer_pair import AnswerPair

TEST = "seeds and examples"


@dataclass(frozen=True, slots=True, kw_only=True)
class SeedsGain:
    """The mean gain over training seeds, and where its variance comes from."""

    gain: Gain
    from_seeds: float | None
    """Share of the variance that comes from seeds, in [0, 1]; None where there is no interval."""


@dataclass(frozen=True, slots=True)
class SeedsCurve(Curve):
    """The mean gain over seeds: each half-width is the root of two squares, that of examples and of seeds.

    Examples: the mean half-width of the seeds' own curves, which hold at the edges of their metric, times the
    ratio of two standard errors, that of the mean gain and of one seed's. Seeds: Student's t with k − 1
    degrees of freedom. Source: Howe (1974), "Approximate confidence limits on the mean of X + Y".
    """

    value: float
    between: float
    """Variance of the mean gain by seeds."""
    gains: tuple[float, ...]
    curves: tuple[Curve, ...]
    """Gain and curve of each seed."""
    narrowing: float
    """Standard error of the mean gain by examples, over the mean of that of the seeds; 1 where all are 0."""
    bounds: Interval
    test: str = TEST

    def interval(self, level: float = LEVEL) -> Interval:
        """Return the interval, within the bounds of a gain."""
        below, above = self._halves(level)
        low, high = self.value - below, self.value + above
        return Interval(max(low, self.bounds.low), min(high, self.bounds.high))

    def p(self, value: float = 0.0) -> float:
        """Return the level at which an end of the interval is the value."""
        from scipy.optimize import brentq

        side = int(value > self.value)

        def beyond(log_level: float) -> float:
            return self._halves(math.exp(log_level))[side] - abs(value - self.value)

        least = math.log(SMALLEST_P)
        if beyond(0.0) >= 0:
            return 1.0
        if beyond(least) <= 0 or not self.bounds.low <= value <= self.bounds.high:
            return SMALLEST_P
        # An interval may take long, as where a curve is itself inverted: this takes about ten.
        return math.exp(brentq(beyond, least, 0.0, xtol=1e-9))

    def _halves(self, level: float) -> tuple[float, float]:
        below, above = self.examples_halves(level)
        seeds = quantile(1 - level / 2, len(self.gains) - 1) * math.sqrt(self.between)
        return math.hypot(below, seeds), math.hypot(above, seeds)

    def examples_halves(self, level: float) -> tuple[float, float]:
        """Return the part of the half-widths that comes from examples, below and above the mean gain."""
        intervals = [curve.interval(level) for curve in self.curves]
        below = np.mean([gain - found.low for gain, found in zip(self.gains, intervals, strict=True)])
        above = np.mean([found.high - gain for gain, found in zip(self.gains, intervals, strict=True)])
        return max(0.0, float(below)) * self.narrowing, max(0.0, float(above)) * self.narrowing


def seeds_gain(pairs: Sequence[AnswerPair]) -> SeedsGain:
    """Estimate and test the mean gain of candidates that differ in their training seed alone.

    pairs: the baseline with each candidate, on the same examples; two or more.
    Test examples, which all seeds share, and seeds are both random. Interval and p-value are NaN for fewer
    than FEWEST_UNITS units, and where a score or the interval of a seed is undefined.
    """
    gains = np.array([pair.gain for pair in pairs])
    if not np.isfinite(gains).all() or min(pair.count for pair in pairs) < FEWEST_UNITS:
        return _undefined(pairs)
    curves = [gain_curve(pair) for pair in pairs]
    known = tuple(curve for curve in curves if curve is not None)
    if len(known) < len(pairs):
        return _undefined(pairs)
    names, moved, shares = _moved(pairs)
    mean = moved.mean(axis=0)
    each = float(np.mean([standard_error(one) for one in moved]))
    curve = SeedsCurve(
        float(gains.mean()),
        float(gains.var(ddof=1)) / len(pairs),
        tuple(gains.tolist()),
        known,
        standard_error(mean) / each if each else 1.0,
        _bounds(pairs),
    )
    half = sum(curve.examples_halves(LEVEL)) / 2
    examples = max(standard_error(mean), half / quantile(1 - LEVEL / 2, len(names) - 1)) ** 2
    # Part of the variance between seeds comes from examples: they move each seed's gain a little differently.
    own = np.mean([standard_error(rest) ** 2 for rest in moved - mean]) / (len(pairs) - 1)
    variance = examples + curve.between
    share = max(0.0, curve.between - float(own)) / variance if variance else 0.0
    low, high = curve.interval()
    error = math.sqrt(variance)
    gain = _gain(
        pairs,
        low=low,
        high=high,
        p=curve.p(),
        standard_error=error,
        units=len(names),
        test=TEST,
        curve=curve,
        influence=mean,
        unit_names=names,
        unit_shares=shares,
    )
    return SeedsGain(gain=gain, from_seeds=share)


def _moved(pairs: Sequence[AnswerPair]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return names of all units, their influence on each seed's gain, and their shares of all examples.

    (units,), (seeds, units) and (units,).
    """
    names = np.unique(np.concatenate([pair.names for pair in pairs]))
    moved, shares = np.zeros((len(pairs), len(names))), np.zeros(len(names))
    for row, pair in zip(moved, pairs, strict=True):
        # Other rows may count in another seed: a unit without any has no influence.
        own = np.searchsorted(names, pair.names)
        row[own] = influences(pair)
        shares[own] += pair.unit_shares / len(pairs)
    return names, moved, shares


def _bounds(pairs: Sequence[AnswerPair]) -> Interval:
    metric = pairs[0].metric
    if not metric.per_example:
        low, high = bounds_of(metric)
    else:
        each = [means.bounds_of_values(pair) for pair in pairs]
        low, high = min(one.low for one in each), max(one.high for one in each)
    spread = high - low
    return Interval(-spread, spread) if math.isfinite(spread) else UNBOUNDED


def _undefined(pairs: Sequence[AnswerPair]) -> SeedsGain:
    nothing = math.nan
    gain = _gain(
        pairs,
        low=nothing,
        high=nothing,
        p=nothing,
        standard_error=nothing,
        units=pairs[0].count,
        test="none",
    )
    return SeedsGain(gain=gain, from_seeds=None)


def _gain(pairs: Sequence[AnswerPair], **found: object) -> Gain:
    baseline = pairs[0].scores[0]
    return Gain(
        baseline=baseline,
        candidate=float(np.mean([pair.scores[1] for pair in pairs])),
        value=float(np.mean([pair.gain for pair in pairs])),
        examples=max(pair.examples for pair in pairs),
        **found,  # type: ignore[arg-type]
    )
