"""The chance to pass a margin if two models are equal, by number of units."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from harness.stats.curve import LEVEL, Interval, PointCurve
from harness.stats.detectable import size_of_difference
from harness.stats.flips_power import POWER, background_rate, pass_power
from harness.stats.gain import gain_curve
from harness.stats.intervals import FEWEST_UNITS
from harness.stats.proportions import FlipsCurve
from harness.stats.rare import RareChangeCurve
from harness.stats.resize import resize
from harness.stats.unseen_share import UnseenCurve

if TYPE_CHECKING:
    from collections.abc import Callable

    from harness.stats.answer_pair import AnswerPair
    from harness.stats.gain import Gain

_MOST_ROWS = 20_000
"""Maximum number of examples of a pair that is made to measure an interval of that size."""

_FEW = 10
"""Maximum expected number of differing units for which their number decides, not a normal distribution."""

_HALVINGS = 30

_SPREADS = 7
"""Number of values that a standard error may have."""

_NO_DOUBT = 1e-9
"""Relative variance of a variance that is of rounding: all units that differ do so alike."""

_LEAST_FREEDOM = 2.0
"""Minimum degrees of freedom of a variance: with fewer it has no mean."""


@dataclass
class PassChance:
    """How the chance that a gain's interval lies above −margin grows with the number of units.

    The models are taken as equal, and as far from each other on each unit as they are now. Right and wrong
    answers: exact, for answers that differ at the background rate. All else: the estimate is normal about
    zero, and must exceed what a pair of such a size, made of the units at hand, needs to pass. Where few
    units carry the variance it is hardly known: the chance is the mean over what it may be.
    """

    gain: Gain
    pair: AnswerPair | None
    """None for several training seeds: their interval is scaled."""
    from_seeds: float = 0.0
    """Share of the variance that no further examples reduce."""
    level: float = LEVEL
    """Of the interval; that of `gain` has it."""
    _halves: dict[int, float] = field(default_factory=dict, init=False, repr=False)

    def chance(self, units: float, margin: float) -> float:
        """Return the probability of passing with so many units, in [0, 1]; margin: above 0."""
        gain, count = self.gain, round(units)
        if isinstance(gain.curve, PointCurve):
            return 1.0
        if count < FEWEST_UNITS:
            return 0.0
        if isinstance(gain.curve, FlipsCurve):
            return _flips_chance(background_rate(gain.moved, gain.units), count, margin, self.level)
        chance, share = self._normal_chance(count, margin), background_rate(gain.moved, gain.units)
        size = self._size()
        if share * count > _FEW or not size:
            return chance
        return min(chance, _flips_chance(share, count, margin / size, self.level))

    def _normal_chance(self, count: int, margin: float) -> float:
        from scipy.special import stdtr

        gain = self.gain
        more, shrunk = self._scales(count)
        chances = []
        for wider in self._spreads:
            error = gain.standard_error * shrunk * more * wider
            above = -self._least(count, margin, shrunk, more * wider)
            chances.append(float(stdtr(count - 1, above / error)) if error > 0 else float(above > 0))
        return sum(chances) / len(chances)

    def spread(self, units: float) -> tuple[float, float]:
        """Return the gain's standard error with so many units, and how far its interval reaches below it.

        Both are infinite for fewer units than an interval needs.
        """
        gain, count = self.gain, round(units)
        if isinstance(gain.curve, PointCurve):
            return 0.0, 0.0
        if count < FEWEST_UNITS:
            return math.inf, math.inf
        more, shrunk = self._scales(count)
        unseen = self._size() * math.sqrt(background_rate(gain.moved, gain.units) / count)
        error = gain.standard_error * shrunk * more if gain.standard_error > 0 else unseen
        return error, self._half(count, shrunk) * more

    def _scales(self, count: int) -> tuple[float, float]:
        """Return factors of a standard error: that more units may differ than did; that there are so many."""
        gain = self.gain
        seen = gain.moved / gain.units
        more = math.sqrt(background_rate(gain.moved, gain.units) / seen) if seen else 1.0
        return more, math.sqrt(self.from_seeds + (1 - self.from_seeds) * gain.units / count)

    @cached_property
    def _spreads(self) -> list[float]:
        """By how many times the standard error may be larger than it was estimated; equally likely each.

        The variance is a chi-squared variable with the degrees of freedom that the kurtosis of the units that
        differ leaves; how many differ is uncertain besides.
        """
        from scipy.special import gammaincinv

        influence, moved = self.gain.influence, self.gain.moved
        if influence is None or not moved:
            return [1.0]
        # Divided by the largest, since squares of a third-party metric's values may overflow.
        largest = float(np.abs(influence).max()) or 1.0
        squares = np.sort((influence / largest) ** 2)[-moved:]
        total = float(squares.sum())
        doubt = float(squares @ squares) / total**2 - 1 / moved if total else 0.0
        if doubt <= _NO_DOUBT:
            return [1.0]
        half = max(1 / doubt, _LEAST_FREEDOM / 2)
        below = gammaincinv(half, (np.arange(_SPREADS) + 0.5) / _SPREADS)
        return [float(each) for each in np.sqrt(half / below)]

    def _least(self, count: int, margin: float, shrunk: float, wider: float) -> float:
        """Return the smallest gain that passes with so many units, if its error is so many times as large."""
        curve = self.gain.curve
        if not isinstance(curve, RareChangeCurve):
            return self._half(count, shrunk) * wider - margin
        error, size = curve.error * shrunk * wider, curve.size * shrunk**2
        resized = replace(curve, error=error, size=size, freedom=curve.freedom / shrunk**2)
        return least_above(resized, -margin, self.level)

    def _size(self) -> float:
        if isinstance(self.gain.curve, UnseenCurve):
            return self.gain.curve.bounds.high - self.gain.curve.value
        return size_of_difference(self.gain)

    def _half(self, count: int, shrunk: float) -> float:
        """Return how far the interval reaches below the gain, with so many units.

        Measured at the present number of units times powers of two; between these it is interpolated.
        """
        if self.pair is None:
            return (self.gain.value - self.gain.low) * shrunk
        power = math.log2(count / self.gain.units)
        below = math.floor(power)
        weight = power - below
        scaled = (1 - weight) * self._scaled_half(below)
        if weight:
            scaled += weight * self._scaled_half(below + 1)
        return scaled / math.sqrt(count)

    def _scaled_half(self, power: int) -> float:
        """Return half-width · √units at units · 2^power; beyond _MOST_ROWS examples it stays as it is."""
        gain, pair = self.gain, self.pair
        while power > 0 and gain.examples * 2**power > _MOST_ROWS:
            power -= 1
        if power not in self._halves:
            low, value, units = gain.low, gain.value, gain.units
            if power and pair is not None and gain.influence is not None:
                units = max(FEWEST_UNITS, round(gain.units * 2.0**power))
                other = resize(pair, units, gain.influence)
                value, curve = other.gain, gain_curve(other)
                low = (curve.interval(self.level) if curve else Interval(math.nan, math.nan)).low
            half = value - low
            self._halves[power] = half * math.sqrt(units) if math.isfinite(half) else math.inf
        return self._halves[power]


def least_above(curve: RareChangeCurve, limit: float, level: float = LEVEL) -> float:
    """Return the smallest estimate of which the interval lies above a limit; all else is the curve's.

    Infinite where none does. Changes that would explain the limit itself count, so the interval of that
    estimate need not be as wide as that of another.
    """
    above = curve.error + curve.size + 1e-300

    def clears(distance: float) -> bool:
        return replace(curve, value=limit + distance).p(limit) < level

    while math.isfinite(above) and not clears(above):
        above *= 2
    if not math.isfinite(above):
        return math.inf
    below = 0.0
    for _ in range(_HALVINGS):
        middle = (below + above) / 2
        below, above = (below, middle) if clears(middle) else (middle, above)
    return limit + above


def _flips_chance(rate: float, examples: int, margin: float, level: float) -> float:
    return 1.0 if margin >= 1 else pass_power(rate, examples, margin, level)


def smallest_number(chance: Callable[[float], float], low: int, most: int) -> float | None:
    """Return the smallest number of two significant digits, from `low` to `most`, with a chance of 80 %."""
    first, last = _place(low), _place(most)
    if chance(_number(last)) < POWER:
        return None
    while first < last:
        middle = (first + last) // 2
        first, last = (first, middle) if chance(_number(middle)) >= POWER else (middle + 1, last)
    return float(_number(last))


def _place(number: int) -> int:
    """Return the place of a power of ten among 1, …, 99, 100, 110, …, 990, 1000, 1100, …"""
    digits = len(str(number)) - 1
    return 0 if digits == 0 else 9 + 90 * (digits - 1)


def _number(place: int) -> int:
    if place < 9:
        return place + 1
    digits, rest = divmod(place - 9, 90)
    return int((10 + rest) * 10**digits)
