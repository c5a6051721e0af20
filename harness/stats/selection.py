"""The gain of the candidate that was chosen for its gain, and the level at which each of several is judged.

The gain of the best of twenty is too high, by the luck that made it the best.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from harness.stats.contest import ALIKE
from harness.stats.curve import LEVEL, Curve, Interval, quantile
from harness.stats.multiple import level_of_a_line

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harness.stats.contest import Contest
    from harness.stats.joint import Line

_HYBRID = 0.1
"""Share of the level for the bound on the gain of whichever candidate wins, which ignores that it won."""

_HALVINGS = 50


class Winner(NamedTuple):
    """The gain of the candidate that was chosen, corrected for that."""

    position: int
    value: float
    """The observed gain, which is too high on average."""
    estimate: float | None
    """As often too high as too low: exactly for normal gains, about for gains on a lattice.

    None where it was not the largest gain that chose.
    """
    interval: Interval


def winner_of(contest: Contest, position: int, level: float = LEVEL) -> Winner:
    """Return the gain of the candidate with the largest one, at a position among `contest.tied()`.

    The hybrid interval: by the distribution of its gain given that it won, within an interval that holds for
    whichever candidate wins. With one candidate it is that candidate's own interval, and its own curve takes
    the place of the normal distribution with many.
    Source: Andrews, Kitagawa and McCloskey (2024), "Inference on winners".
    """
    value, curve = float(contest.values[position]), contest.curves[position]
    if not contest.errors[position] > 0:
        return Winner(position, value, value, curve.interval(level))
    bound = _bound_of_all(contest, _HYBRID * level)
    left = (1 - _HYBRID) * level / (1 - _HYBRID * level) / 2
    # Where curves allow for what was not seen, gains vary less than their curves are wide, and smaller errors
    # correct less for the win: the lower end is by the larger ones, all else by the smaller.
    below = _deviate(1 - left, *_room(contest, position, contest.errors), bound)
    room = _room(contest, position, contest.observed_errors)
    middle, above = (_deviate(share, *room, bound) for share in (0.5, left))
    error, observed = float(contest.errors[position]), float(contest.observed_errors[position])
    # An end beyond the observed gain: a curve that is wide at any level has none there.
    bottom = _value_at(curve, below) if below >= 0 else value - below * error
    top = _value_at(curve, above) if above <= 0 else value - above * observed
    return Winner(position, value, min(max(value - middle * observed, bottom), top), Interval(bottom, top))


def chosen(contest: Contest, position: int, level: float = LEVEL) -> Winner:
    """Return the gain of a candidate that was chosen by any rule at all, such as the best of those that pass.

    Its interval is one that holds for all candidates at once: as wide as the largest of all errors asks for.
    With one candidate it is that candidate's own interval.
    Source: Berk, Brown, Buja, Zhang and Zhao (2013), "Valid post-selection inference".
    """
    value, curve = float(contest.values[position]), contest.curves[position]
    if not contest.errors[position] > 0:
        return Winner(position, value, None, curve.interval(level))
    bound = _bound_of_all(contest, level)
    return Winner(position, value, None, Interval(_value_at(curve, bound), _value_at(curve, -bound)))


def level_of_candidates(lines: Sequence[Line], candidates: int) -> float:
    """Return the level of each line's interval at which a gate may be asked about so many candidates.

    lines: the gate's lines, of all candidates. The chance that any candidate passes that misses a condition
    by nothing is then 2.5 %. A candidate passes if all of its lines do, so of each one line matters, one that
    it misses: as many as there are candidates (Bonferroni). It need not be stricter than for all
    lines of all candidates together, by their joint distribution.
    """
    return LEVEL if candidates == 1 else max(level_of_a_line(lines), LEVEL / candidates)


def _room(contest: Contest, position: int, errors: np.ndarray) -> tuple[float, float]:
    """Return by how many standard errors the winner's gain could be lower, and higher, with the same winner.

    Given what is independent of its gain; low is negative or 0, either may be infinite.
    """
    error, ahead = errors[position], contest.values[position] - contest.values
    # By how much the lead over another candidate changes with one standard error of the winner's gain.
    rates = error - contest.correlations[position] * errors
    low, high = -math.inf, math.inf
    for other, rate in enumerate(rates):
        if other == position or abs(rate) <= ALIKE * error:
            continue
        room = -(max(float(ahead[other]), 0.0) + _half_step(contest, position, other)) / float(rate)
        low, high = (max(low, room), high) if rate > 0 else (low, min(high, room))
    return low, high


def _half_step(contest: Contest, position: int, other: int) -> float:
    """Return half of the step by which the lead over another candidate changes, about 0 if it is continuous.

    Gains on a lattice, such as accuracies, may be equal: a normal gain takes part in that by half a step, the
    smallest that a unit adds to the lead. Equal gains of different answers prove a lattice, and its step is
    the largest then: a unit may share in what others add, as with macro-F1.
    """
    moves = np.abs(contest.moves(position, other))
    largest = float(moves.max(initial=0.0))
    if largest == 0 or other in contest.tied():
        return largest / 2
    return float(moves[moves > ALIKE * largest].min()) / 2


def _bound_of_all(contest: Contest, level: float) -> float:
    """Return how many standard errors the largest of all errors exceeds with probability `level`."""
    moving = contest.errors > 0
    if moving.sum() == 1:
        return quantile(1 - level / 2, math.inf)
    largest = np.abs(contest.noise[moving] / contest.errors[moving, None]).max(axis=0)
    return float(np.quantile(largest, 1 - level))


def _deviate(share: float, low: float, high: float, bound: float) -> float:
    """Return how many standard errors a gain lies above the true one for which such a share is below it.

    Of a normal gain that is within [low, high] of what was observed, and within ± bound of the truth.
    """
    least, most = -bound, bound
    for _ in range(_HALVINGS):
        middle = (least + most) / 2
        bottom, top = max(middle + low, -bound), min(middle + high, bound)
        whole = _normal_mass(bottom, top)
        if whole <= 0:  # nothing is known but the bound
            return bound if share > 0.5 else -bound if share < 0.5 else 0.0
        below = _normal_mass(bottom, middle) / whole < share
        least, most = (middle, most) if below else (least, middle)
    return (least + most) / 2


def _normal_mass(low: float, high: float) -> float:
    from scipy.special import ndtr

    if low > 0:
        low, high = -high, -low
    return max(float(ndtr(high) - ndtr(low)), 0.0)


def _value_at(curve: Curve, deviate: float) -> float:
    """Return the true gain that lies so many standard errors below the observed one, by its curve."""
    from scipy.special import ndtr

    low, high = curve.interval(min(1.0, 2 * float(ndtr(-abs(deviate)))))
    return low if deviate >= 0 else high
