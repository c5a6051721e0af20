"""The smallest true gain of a mean that its own test finds: the test of data as they would then be.

A data set of two equal models that differ on as many units as the pair at hand, and as far, is given a gain,
and less luck than four of five such data sets have. The gain at which the test still finds it is detectable.
Units are kinds with a probability, not drawn: nothing is random, and nothing is rounded to whole units.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple, Self

import numpy as np

from harness.stats.curve import WidestCurve, quantile
from harness.stats.flips_power import POWER, background_rate
from harness.stats.means import FEW, Differences, curves_of, differences_of, range_curve
from harness.stats.tails import Residuals

if TYPE_CHECKING:
    from collections.abc import Callable

    from harness.stats.answer_pair import AnswerPair

_STEPS = 60
"""Maximum number of steps of a search; five to ten are usual."""

_CLOSE = 1e-3
"""Relative precision of a gain."""

_MOST_KINDS = 300
"""Maximum number of kinds of units that differ; more are merged with those next to them."""

_EXACT = 1e-9
"""Precision of a mean, as a share of the largest value."""

_STEEPEST = 500.0
"""Greatest exponent by which a kind of units is made more probable."""

_IMPROBABLE = 0.01
"""Chance below which something is left out."""

_MIRRORED = 1.0
"""Number of units that differ the other way and are added to those that were seen: not seeing a gain, or a
loss, among the units that differ does not prove that there is none."""


def detectable_mean(pair: AnswerPair, level: float, size: float = 1.0) -> float:
    """Return the smallest true gain that the test of a mean at `level`, two-sided, finds with 80 % power.

    Of a pair of which a unit differs. size: by how many times as much units differ that did not yet.
    NaN where no gain can be found.
    How a gain would come about is not in the data. Where few units differ, a better model moves others too;
    where most do, it moves no more of them (in simulated rankings with one relevant document, as many queries
    change whatever the gain is), and those that moved gain alike. Between these there is a smooth step.
    """
    equal = _EqualPair.of(pair)
    below, wanted = quantile(POWER, equal.count - 1), _deviate(level)

    def clearer(gain: float) -> float:
        """Return by how many standard errors the gain is found more clearly than the level demands."""
        better = equal.with_gain(gain, size)
        if better is None:
            return math.nan
        unlucky = better.unlucky(below, equal.count)
        return _evidence(unlucky, equal.units) - wanted

    found = _first_zero(clearer, (wanted + below) * equal.error, equal.units.spread)
    better = equal.with_gain(found, size) if math.isfinite(found) else None
    if better is None:
        return math.nan
    # Sizes of differences are estimated, too: of data sets that show them too small, fewer than 80 % find it.
    error = better.error(equal.count)
    return found + below * (math.hypot(error, found * equal.doubt) - error)


class _Kinds(NamedTuple):
    """Kinds of units: how much each adds to a gain, its weight, and how probable it is; (k,) each."""

    totals: np.ndarray
    weights: np.ndarray
    chances: np.ndarray

    def times(self, chance: float) -> _Kinds:
        """Return the kinds with probabilities that sum to `chance`."""
        whole = self.chances.sum()
        return self._replace(chances=self.chances * (chance / whole if whole else 0.0))

    def and_also(self, *others: _Kinds) -> _Kinds:
        """Return these kinds and others; none that is improbable."""
        columns = [np.concatenate(each) for each in zip(self, *others, strict=True)]
        return _Kinds(*(each[columns[2] > 0] for each in columns))

    def merged(self) -> _Kinds:
        """Return _MOST_KINDS at most, by totals; those at both ends stay as they are."""
        number = len(self.totals)
        if number <= _MOST_KINDS:
            return self
        ends = number * (1 - np.cos(np.pi * np.arange(_MOST_KINDS) / _MOST_KINDS)) / 2
        starts, order = np.unique(ends.astype(int)), np.argsort(self.totals, kind="stable")
        totals, weights, chances = (each[order] for each in self)
        whole = np.add.reduceat(chances, starts)
        totals, weights = (np.add.reduceat(chances * each, starts) / whole for each in (totals, weights))
        return _Kinds(totals, weights, whole)

    def mean(self, count: int) -> float:
        """Return the gain that so many units add."""
        return float(self.chances @ self.totals) * count

    def influence(self) -> np.ndarray:
        """Return how far each kind moves the gain from its mean: (k,)."""
        gain = float(self.chances @ self.totals) / float(self.chances @ self.weights)
        return np.asarray(self.totals - gain * self.weights)

    def error(self, count: int) -> float:
        """Return the standard error of the gain of so many units."""
        return math.sqrt(count * float(self.chances @ self.influence() ** 2))

    def unlucky(self, below: float, count: int) -> Residuals:
        """Return what so many units show whose gain is less than the truth by so many standard errors.

        Units that gained less are then more, and so the spread differs too if they are skewed.
        """
        influence = self.influence()
        chances = _tilted(influence, self.chances, -below * self.error(count) / count)
        whole = float(chances @ self.weights) * count
        return Residuals(self.totals / whole, self.weights / whole, chances * count)


@dataclass(frozen=True, slots=True, eq=False)
class _EqualPair:
    """Two equal models that differ on as many units as others, and as far."""

    units: Differences
    count: int
    """Number of units."""
    moved: _Kinds
    """Units that differ, with a gain of 0."""
    sizes: _Kinds
    """The same as if all gained."""
    unmoved: _Kinds
    share: float
    """Of the units that differ."""
    open: float
    """Share of the units that do not differ and could gain."""
    doubt: float
    """Relative standard error of the size of differences, as it is known from the units that differ."""

    @classmethod
    def of(cls, pair: AnswerPair) -> Self:
        units, count = differences_of(pair), pair.count
        differs = units.totals != 0
        kinds, counts = np.unique(units.totals + 1j * units.weights, return_counts=True)
        totals, weights, counts = kinds.real.copy(), kinds.imag.copy(), counts.astype(float)
        own = totals != 0
        seen = _Kinds(totals[own], weights[own], counts[own]).merged()
        number = float(seen.chances.sum())
        mirrored = seen._replace(totals=-seen.totals).times(_MIRRORED)
        moved = seen.and_also(mirrored).times(1.0)
        # Gains or losses are made more probable, as little as possible, until they balance.
        moved = moved._replace(chances=_tilted(moved.totals, moved.chances, 0.0))
        squares = moved.totals**2 / (moved.chances @ moved.totals**2)
        share = background_rate(round(number), count)
        return cls(
            units=units,
            count=count,
            moved=moved,
            sizes=seen._replace(totals=np.abs(seen.totals)).times(1.0),
            unmoved=_Kinds(totals[~own], weights[~own], counts[~own]).times(1.0),
            share=share if number < count else 1.0,
            open=float((~differs & _could_gain(pair)).mean()),
            doubt=math.sqrt(max(float(moved.chances @ squares**2) - 1, 0.0) / (4 * number)),
        )

    @property
    def error(self) -> float:
        """Standard error of a gain."""
        return self.unmoved.times(1 - self.share).and_also(self.moved.times(self.share)).error(self.count)

    def with_gain(self, gain: float, size: float) -> _Kinds | None:
        """Return the units if the candidate is better; None where no such units could gain so much.

        size: by how many times as much those differ that now differ besides.
        """
        sizes = self.sizes._replace(totals=self.sizes.totals * size)
        others, own = (1 - self.share) ** 3, 2 * self.share**3
        more = min(others / (others + own) * gain / sizes.mean(self.count), self.open)
        rest = (gain - more * sizes.mean(self.count)) / (self.share * self.count)
        shift = rest / float(self.moved.chances @ self.moved.weights)
        if self.share < 1 / 2 and shift * self.moved.weights.mean() > sizes.totals.max():
            return None
        return (
            self.moved.times(self.share)
            ._replace(totals=self.moved.totals + shift * self.moved.weights)
            .and_also(sizes.times(more), self.unmoved.times(max(1 - self.share - more, 0.0)))
        )


def _could_gain(pair: AnswerPair) -> np.ndarray:
    """Return whether each unit's baseline is below 1, (count,) bool; true of values on other scales."""
    base = pair.baseline
    if not pair.same_rows or base.values.max(initial=0.0) > 1 or base.values.min(initial=0.0) < 0:
        return np.ones(pair.count, dtype=bool)
    return np.asarray(base.by_unit(base.values) < base.sizes * (1 - 1e-9))


def _evidence(residuals: Residuals, units: Differences) -> float:
    """Return the standard normal deviate of the p-value of no gain; negative for a loss.

    Whether the range of values counts depends on how many units happen to lose: it counts as far as that is
    probable.
    """
    from scipy.special import bdtr

    if residuals.gain <= 0:
        return -1.0
    size = _deviate(WidestCurve(curves_of(residuals, units), "").p())
    whole = float(residuals.counts.sum())
    chance = float(bdtr(FEW - 1, round(whole), min(residuals.lost_and_gained[0] / whole, 1.0)))
    if chance > _IMPROBABLE and (bound := range_curve(residuals, units, few_lost=True, few_gained=False)):
        size -= chance * max(size - _deviate(bound.p()), 0.0)
    return size


def _deviate(p: float) -> float:
    from scipy.special import ndtri

    return -float(ndtri(p / 2))


def _tilted(values: np.ndarray, chances: np.ndarray, mean: float) -> np.ndarray:
    """Return the probabilities that are closest to others, and under which values have such a mean: (k,).

    chances: (k,), with any sum; the same sum is returned. As close to the mean as values allow.
    Source: Efron (1981), "Nonparametric standard errors and confidence intervals", exponential tilting.
    """
    scale = float(np.abs(values).max())
    own, wanted = values / scale, mean / scale
    low, high, tilt = -_STEEPEST, _STEEPEST, 0.0
    for _ in range(_STEPS):
        powers = tilt * own
        weights = chances * np.exp(powers - powers.max())
        weights /= weights.sum()
        now = float(weights @ own)
        spread = float(weights @ own**2) - now * now
        if abs(now - wanted) <= _EXACT:
            break
        low, high = (tilt, high) if now < wanted else (low, tilt)
        step = (wanted - now) / spread if spread > 0 else math.inf
        tilt = tilt + step if low < tilt + step < high else (low + high) / 2
    return np.asarray(weights * chances.sum())


def _first_zero(function: Callable[[float], float], start: float, most: float) -> float:
    """Return where a rising function becomes 0, from a start above 0; NaN where it does not up to `most`.

    It is NaN from some value on, or nowhere.
    """
    from scipy.optimize import brentq

    low, high, times = 0.0, min(start, most), 1.2
    at_high = function(high)
    while at_high < 0:
        if high >= most:
            return math.nan
        low, high, times = high, min(times * high, most), 2 * times
        at_high = function(high)
    while math.isnan(at_high):
        if high - low <= _CLOSE * high:
            return math.nan
        middle = (low + high) / 2
        at_middle = function(middle)
        if at_middle < 0:
            low = middle
        else:
            high, at_high = middle, at_middle
    return float(brentq(function, low, high, xtol=_CLOSE * high / 4, rtol=_CLOSE / 4))
