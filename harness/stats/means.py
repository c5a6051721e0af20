"""Means over examples, and gains of means.

Right and wrong answers, each on its own, have McNemar's test and Tango's interval. Any other gain has the
widest of several curves, each of which fails where another holds: inverted sign flips hold for unequal
clusters and for any symmetric differences, the skewness-corrected t where losses are rarer and larger than
gains, and a bound that knows the range where so few units lost (or gained) that their tail is not seen.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from harness.stats.curve import Curve, Interval, WidestCurve
from harness.stats.influence import influences, score_influences, standard_error
from harness.stats.proportions import FlipsCurve, ShareCurve
from harness.stats.sign_flip import ROUNDING, sign_flip_p
from harness.stats.skewness import HallCurve
from harness.stats.spread import effective_number
from harness.stats.tail_curve import PinnedCurve, TailCurve, sign_curve
from harness.stats.tails import RangeTail, Residuals
from harness.stats.unseen_share import UnseenCurve

if TYPE_CHECKING:
    from harness.stats.answer_pair import AnswerPair, Answers

FEW = 10
"""Number of units that gained, or lost, below which the range of values bounds what the others might."""


def gain_curve(pair: AnswerPair) -> Curve | None:
    """Return the curve of a gain of means; None where no unit differs and the range is unknown."""
    if flips := count_flips(pair):
        return FlipsCurve(*flips, pair.examples)
    units = differences_of(pair)
    if not units.totals.any() and pair.same_rows:
        return _no_difference(pair, units)
    influence = influences(pair)
    if standard_error(influence) <= ROUNDING * units.spread / pair.count:
        return _constant(units, pair.gain)
    residuals = Residuals.of(units.totals, units.weights)
    signs, *others = curves_of(residuals, units, influence)
    lost, gained = residuals.lost_and_gained
    if bound := range_curve(residuals, units, few_lost=lost < FEW, few_gained=gained < FEW):
        others.append(bound)
    exact = sign_flip_p(units.totals) if pair.same_rows else None
    signs = PinnedCurve(signs, pair.gain, signs.p() if exact is None else exact, signs.test)
    return WidestCurve([signs, *others], "sign flip")


def curves_of(residuals: Residuals, units: Differences, influence: np.ndarray | None = None) -> list[Curve]:
    """Return the curves of a gain of which the widest counts, but for `range_curve`; sign flips come first.

    units: those of the pair, of which the range is known. influence: (units,) of each unit on the gain; by
    default what the residuals are at it, which is the same but for rounding.
    """
    if influence is None:
        off = residuals.at(residuals.gain)
        hall = HallCurve.of(residuals.gain, off, units.bounds, residuals.counts)
    else:
        hall = HallCurve.of(residuals.gain, influence, units.bounds)
    return [sign_curve(residuals, units.bounds), hall]


def score_curve(answers: Answers) -> Curve | None:
    """Return the curve of a mean; None where all values are alike and their range is unknown."""
    influence, units = score_influences(answers), effective_number(answers.sizes)
    if standard_error(influence) <= ROUNDING * _largest(answers) / answers.count:
        bounds = _bounds(answers)
        return UnseenCurve(answers.score, units, bounds, "exact") if np.isfinite(bounds).all() else None
    if _binary(answers) and not answers.clustered:
        return ShareCurve(answers.score, answers.count, np.inf, answers.count, binary=True)
    weights = answers.sizes / answers.sizes.sum()
    residuals = Residuals.of(influence + answers.score * weights, weights)
    bounds = _bounds(answers)
    signs, hall = sign_curve(residuals, bounds), HallCurve.of(answers.score, influence, bounds)
    if not _in_unit_range(answers):
        return WidestCurve([signs, hall], "sign flip")
    if answers.clustered:
        return WidestCurve([signs, _share(answers, influence, units)], "Korn and Graubard")
    tails = RangeTail(residuals, 0.0, 1 / units), RangeTail(residuals.mirrored(), -1.0, 1 / units)
    bound = TailCurve(answers.score, *tails, "range", bounds, sides=1.0)
    return WidestCurve([signs, hall, bound], "sign flip")


@dataclass(frozen=True, slots=True, eq=False)
class Differences:
    """What each unit adds to a gain."""

    totals: np.ndarray
    """(units,), with a sum of the gain; 0 where a unit differs by rounding alone."""
    weights: np.ndarray
    """(units,), with a sum of 1."""
    spread: float
    """The largest difference that an example can have; of values outside [0, 1], the range that was seen."""
    examples: int

    @property
    def bounds(self) -> Interval:
        """The least and the greatest gain."""
        return Interval(-self.spread, self.spread)


def differences_of(pair: AnswerPair) -> Differences:
    """Return the units' shares of a gain; those of models with other rows that count are linear parts."""
    sides = pair.baseline, pair.candidate
    weights = sum(side.sizes / side.sizes.sum() for side in sides) / 2
    if pair.same_rows:
        rows = pair.candidate.values - pair.baseline.values
        totals = pair.baseline.by_unit(rows) / len(rows)
    else:
        totals = influences(pair) + pair.gain * weights
    largest = max(_largest(side) for side in sides)
    totals[np.abs(totals) <= ROUNDING * largest * weights] = 0.0
    values = np.concatenate([side.values for side in sides])
    unit_range = all(_in_unit_range(side) for side in sides)
    spread = 1.0 if unit_range else float(np.ptp(values))
    return Differences(totals, weights, spread, pair.examples)


def _no_difference(pair: AnswerPair, units: Differences) -> Curve | None:
    """Return what units that were not seen could do where none of those seen differs."""
    seen = effective_number(units.weights)
    if units.spread == 1.0:
        flips = all(_binary(side) for side in (pair.baseline, pair.candidate)) and not pair.clustered
        return FlipsCurve(0, 0, seen, "McNemar mid-p" if flips else "sign flip")
    return _constant(units, pair.gain)


def _constant(units: Differences, gain: float) -> Curve | None:
    """Return the curve of a gain that is the same in each unit; None where all values are alike."""
    seen = effective_number(units.weights)
    if not units.spread:
        return None
    return UnseenCurve(gain, seen, Interval(min(-units.spread, gain), max(units.spread, gain)), "sign flip")


def range_curve(
    residuals: Residuals, units: Differences, *, few_lost: bool, few_gained: bool
) -> Curve | None:
    """Return the curve of the bound that knows the range, on the sides where few units are seen.

    At twice the level of the others: it holds for the worst of all distributions.
    """
    # Where hardly any unit differs, nothing tells how far a whole cluster might; else what may be lost unseen
    # is an example: clusters were seen to gain and lose, and not as a whole.
    unseen = 1 / (len(units.totals) if sum(residuals.lost_and_gained) < FEW else units.examples)
    below = RangeTail(residuals, -units.spread, unseen) if few_lost else None
    above = RangeTail(residuals.mirrored(), -units.spread, unseen) if few_gained else None
    if below is None and above is None:
        return None
    return TailCurve(residuals.gain, below, above, "range", units.bounds, sides=1.0)


def _share(answers: Answers, influence: np.ndarray, units: float) -> ShareCurve:
    mean, error = answers.score, standard_error(influence)
    effective = mean * (1 - mean) / error**2
    return ShareCurve(
        mean, effective, max(units - 1, 1.0), len(answers.units), binary=_binary(answers), test="exact"
    )


def count_flips(pair: AnswerPair) -> tuple[int, int] | None:
    """Count answers that became right, and wrong; None unless they are 0 or 1 and independent."""
    if pair.clustered or not pair.same_rows or not (_binary(pair.baseline) and _binary(pair.candidate)):
        return None
    left, right = pair.baseline.values, pair.candidate.values
    return int((right > left).sum()), int((right < left).sum())


def bounds_of_values(pair: AnswerPair) -> Interval:
    """Return 0 and 1 for values between them, for others the metric's own; infinite where unknown."""
    sides = _bounds(pair.baseline), _bounds(pair.candidate)
    return sides[0].hull(sides[1])


def _bounds(answers: Answers) -> Interval:
    return Interval(0.0, 1.0) if _in_unit_range(answers) else Interval(*(answers.metric.bounds or _UNKNOWN))


_UNKNOWN = (-np.inf, np.inf)


def _in_unit_range(answers: Answers) -> bool:
    return bool(((answers.values >= 0) & (answers.values <= 1)).all())


def _binary(answers: Answers) -> bool:
    return bool(np.isin(answers.values, (0.0, 1.0)).all())


def _largest(answers: Answers) -> float:
    return float(np.abs(answers.values).max(initial=0.0))
