"""The smallest true gain that a test finds."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from harness.stats.curve import LEVEL, UNBOUNDED, Interval, PointCurve, quantile
from harness.stats.flips_power import POWER, background_rate, detectable_flips
from harness.stats.means import bounds_of_values
from harness.stats.means_power import detectable_mean
from harness.stats.proportions import FlipsCurve
from harness.stats.rare import RareChangeCurve
from harness.stats.unseen_share import UnseenCurve, bounds_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from harness.stats.answer_pair import AnswerPair
    from harness.stats.gain import Gain

_HALVINGS = 30


def detectable_gain(
    gain: Gain, level: float = LEVEL, *, pair: AnswerPair | None = None, bounds: Interval = UNBOUNDED
) -> float:
    """Return the smallest true gain that the gain's own test, two-sided at `level`, finds with 80 % power.

    level: that of the line after the correction for all lines, `stats.multiple.level_of_a_line`. pair:
    what the gain was measured on; where few of its units differ, it is asked what they would show if more
    did. bounds: the least and the greatest score, `bounds_of_scores`; infinite where unknown.
    Right and wrong answers: exact. All else: the gain at which the curve of data with a little less luck than
    usual, as 80 % of them have more, still lies above 0; or, where that curve is not known, the distance from
    the gain to the lower end of its interval, and the 80 % quantile of its standard error.
    NaN where there is no test, where both models gave the very same answers, and where no gain can be found:
    also where the baseline's score leaves no room for it. What it leaves is itself uncertain: with 80 %
    confidence, by the baseline's standard error, the two together must not exceed the greatest score. Without
    that, gains would be printed just where a baseline happens to look worse than it is.
    Source: Bloom (1995), "Minimum detectable effects: a simple way to report the statistical power of
    experimental designs".
    """
    if math.isnan(gain.low) or isinstance(gain.curve, PointCurve):
        return math.nan
    if isinstance(gain.curve, FlipsCurve):
        greatest = 1.0  # it is that of right and wrong answers, and of other values between 0 and 1
    else:
        greatest = bounds.high if pair is None else min(bounds.high, bounds_of_scores(pair).high)
    found = _detectable(gain, level, pair, bounds)
    highest = gain.baseline + _uncertain(gain)
    return found if highest + found <= greatest else math.nan


def _uncertain(gain: Gain) -> float:
    """Return by how much the baseline's true score may be higher, with 80 % confidence; 0 if unknown."""
    if not math.isfinite(gain.baseline_error):
        return 0.0
    return quantile(POWER, gain.units - 1) * gain.baseline_error


def bounds_of_scores(pair: AnswerPair) -> Interval:
    """Return the least and the greatest score: of the metric, or of a mean of such values; else infinite."""
    return bounds_of_values(pair) if pair.metric.per_example else bounds_of(pair.metric)


def _detectable(gain: Gain, level: float, pair: AnswerPair | None, bounds: Interval) -> float:
    """Return a detectable gain, which the score may not be able to reach."""
    curve = gain.curve
    if isinstance(curve, FlipsCurve):
        return detectable_flips(curve.gained + curve.lost, round(curve.examples), level)
    if isinstance(curve, UnseenCurve):
        # No answer differs: each that will may differ by the metric's whole range.
        return detectable_flips(0, gain.units, level) * (curve.bounds.high - curve.value)
    if isinstance(curve, RareChangeCurve):
        return _with_rare_changes(gain, curve, level, bounds)
    if pair is not None and pair.metric.per_example and gain.moved and gain.standard_error:
        return _of_a_mean(gain, pair, level)
    found = _lower_half(gain, level) + quantile(POWER, gain.units - 1) * gain.standard_error
    if not math.isfinite(found) or not gain.standard_error:
        return found if math.isfinite(found) else math.nan
    if math.isfinite(bounds.high) and 2 * gain.moved > gain.units:
        return _below_the_greatest(gain, found, level, bounds)
    return _with_more_spread(gain, found, level)


def _with_rare_changes(gain: Gain, curve: RareChangeCurve, level: float, bounds: Interval) -> float:
    """Return the smallest gain of which all but the lowest 20 % of the estimates have a curve above 0.

    What such a curve adds for changes that were not seen depends on where it is: it is moved there. A gain
    falls on all units alike; what falls on those that did not differ are rare changes.
    """
    error_at = _error_at(gain, curve.error, bounds)
    times, unmoved = quantile(POWER, gain.units - 1), 1 - gain.moved / gain.units
    size = _size_of_changes(gain, curve.size)

    def enough(detectable: float) -> bool:
        error = math.hypot(error_at(detectable), math.sqrt(size * detectable * unmoved))
        lowest = detectable - times * error
        return lowest > 0 and replace(curve, value=lowest, error=error).p() < level

    high = min(bounds.high - gain.baseline, curve.bounds.high)
    if not math.isfinite(high):
        high = curve.error + curve.size
        while not enough(high):
            high *= 2
    if high <= 0 or not enough(high):
        return math.nan
    low = 0.0
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        low, high = (low, middle) if enough(middle) else (middle, high)
    return high


def _size_of_changes(gain: Gain, greatest: float) -> float:
    """Return how much a unit that begins to change adds: as those that were seen, and one of the greatest."""
    seen = np.zeros(0) if gain.influence is None else np.minimum(np.abs(gain.influence), greatest)
    total = float(seen.sum()) + greatest
    return float(seen @ seen + greatest**2) / total if total else 0.0


def _lower_half(gain: Gain, level: float) -> float:
    """Return the distance from a gain to the lower end of its interval at a level."""
    if gain.curve is not None:
        return gain.value - gain.curve.interval(level).low
    freedom = gain.units - 1
    times = quantile(1 - level / 2, freedom) / quantile(1 - LEVEL / 2, freedom)
    return (gain.value - gain.low) * times


def _below_the_greatest(gain: Gain, found: float, level: float, bounds: Interval) -> float:
    """Return a detectable gain of a score that cannot exceed a bound, near which it varies less."""
    own, freedom = gain.standard_error, gain.units - 1
    error_at = _error_at(gain, own, bounds)
    times = quantile(1 - level / 2, freedom) + quantile(POWER, freedom)

    def enough(detectable: float) -> bool:
        error = error_at(detectable)
        return detectable >= (found * error / own if error < own else found + times * (error - own))

    low, high = 0.0, bounds.high - gain.baseline
    if not enough(high):
        return math.nan
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        low, high = (low, middle) if enough(middle) else (middle, high)
    return high


def _error_at(gain: Gain, error: float, bounds: Interval) -> Callable[[float], float]:
    """Return what a gain's standard error, `error` now, is if the candidate is better by so much.

    The standard error of a correlation falls with 1 − ρ², that of an area about with √(a (1 − a)). Where that
    of the candidate alone falls by a factor f, the variance of the gain becomes f · variance + (1 − f)² ·
    variance of the baseline's score.
    """
    score, power = (gain.baseline + gain.candidate) / 2, 1.0 if bounds.low < 0 else 0.5
    known = bounds.low < score < bounds.high and math.isfinite(gain.baseline_error)
    if not known or not math.isfinite(bounds.high):
        return lambda _: error

    def error_at(detectable: float) -> float:
        at = score + detectable
        rest = (at - bounds.low) * (bounds.high - at) / ((score - bounds.low) * (bounds.high - score))
        falls = min(1.0, max(rest, 0.0) ** power)
        return math.hypot(math.sqrt(falls) * error, (1 - falls) * gain.baseline_error)

    return error_at


def _with_more_spread(gain: Gain, found: float, level: float) -> float:
    """Return a detectable gain that counts what the gain itself adds to the spread, where few units differ.

    Either more units differ, which adds gain · size to the variance of a unit, where `size` is by how much a
    unit differs; or those that do differ further: gain² · (1 / share − 1), where `share` of the units differ.
    Both may be: the geometric mean of more and less.
    """
    if gain.influence is None or not gain.moved:
        return found
    size, share = size_of_difference(gain), background_rate(gain.moved, gain.units)
    variance = gain.units * gain.standard_error**2
    # That few units differed is itself uncertain.
    seen, first = share * gain.units / gain.moved, found
    for _ in range(_HALVINGS):
        more, further = found * size, found * found * (1 / share - 1)
        # Two roots, since the product of the squares of a third-party metric's values may overflow.
        mean = math.sqrt(more) * math.sqrt(min(more, further))
        found = first * math.sqrt(seen + mean / variance)
    return max(found, _as_flips(gain, found, size, level))


def _of_a_mean(gain: Gain, pair: AnswerPair, level: float) -> float:
    """Return the detectable gain of a mean, by the very curve of a pair that has it."""
    size = size_of_difference(gain)
    for times in _larger(size):
        # Where gains of that size are not enough even if all units have one, larger ones may be.
        found = detectable_mean(pair, level, times)
        if math.isfinite(found):
            return max(found, _as_flips(gain, found, size * times, level))
    return math.nan


def _as_flips(gain: Gain, found: float, size: float, level: float) -> float:
    """Return the detectable gain of right and wrong answers of a size; 0 where too many differ to matter."""
    share = background_rate(gain.moved, gain.units)
    few = found > share * size and share < 1 / 2
    return size * detectable_flips(gain.moved, gain.units, level) if few else 0.0


def _larger(size: float) -> Iterator[float]:
    """Yield by how many times as much units may differ, up to a difference of 1."""
    times = 1.0
    while times * size <= 1 or times == 1:
        yield times
        times *= 2


def size_of_difference(gain: Gain) -> float:
    """Return by how much units differ that do, in the score's own units: Σ d² / Σ |d|; 0 where none does.

    d: differences of units; large ones weigh more, as they do in the variance.
    """
    if gain.influence is None:
        return 0.0
    moved = np.sort(np.abs(gain.influence))[len(gain.influence) - gain.moved :] * gain.units
    total = float(moved.sum())
    return float(moved @ moved) / total if total else 0.0
