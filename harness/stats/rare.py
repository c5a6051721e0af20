"""Confidence curves that allow for rare changes that the examples at hand do not show.

A variance that is estimated from what was seen knows nothing of losses that happened to none of eleven
positives. If a candidate truly loses δ, and each loss costs h, their number is about a Poisson variable: the
loss has a variance of δ · h, seen or not. A true gain is therefore held against the larger of both variances.
P-value and interval come from the same curve.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from harness.stats.curve import LEVEL, SMALLEST_P, UNBOUNDED, Curve, Interval, quantile

if TYPE_CHECKING:
    from collections.abc import Callable

_HALVINGS = 60

_EXPLAINED = 0.5
"""Share of the distance between a true value and the estimate that unseen changes explain."""

_MOST_NEEDED = 10**9
"""Maximum number of units that is asked for."""


class Needed(NamedTuple):
    """How much there is of what is scarce, and how much a margin needs."""

    have: int
    what: str
    """What is scarce, in the plural, such as `positives`."""
    needed: int | None
    """So many of them let two models pass the margin that are perfect and equal; None if no number does."""


@dataclass(frozen=True, slots=True)
class RareChangeCurve(Curve):
    """Student's t whose variance is at least that of rare changes which would explain a true value.

    A true value has the variance √(error⁴ + u²), where u = size · c · (1 − c / range): a smooth maximum of
    what was seen, and of rare changes of c in all. They explain the distance of the true value from the
    anchor, or half of its distance from the estimate, whichever is more. So a loss that equals the margin
    may be unseen, and of two equal models one may have rare losses and be ahead by them. Half is the most
    with which the distance in standard errors only grows away from the estimate, and the least that held in
    trials.

    Where nothing was seen of n answers, and one changes the score by 1/n, this is the score test of a
    proportion (Wilson, 1927, "Probable inference, the law of succession, and statistical inference").
    """

    value: float
    error: float
    """Standard error from what was seen; may be 0."""
    freedom: float
    """Degrees of freedom of the error."""
    size: float
    """Greatest change of the score by one unit; may be 0."""
    test: str
    anchor: float = 0.0
    """Where no rare change is needed as an explanation: 0 for a gain."""
    range: float = math.inf
    """Greatest distance from the anchor."""
    bounds: Interval = UNBOUNDED

    def interval(self, level: float = LEVEL) -> Interval:
        """Return the values whose distance is within the quantile of Student's t."""
        within = quantile(1 - level / 2, self.freedom)
        low, high = (self._end(sign, within) for sign in (-1.0, 1.0))
        return Interval(low, high)

    def p(self, value: float = 0.0) -> float:
        """Return the p-value of Student's t."""
        from scipy.special import stdtr

        return max(SMALLEST_P, 2 * float(stdtr(max(self.freedom, 1.0), -self._distance(value))))

    def _end(self, sign: float, within: float) -> float:
        """Return the end of the interval on one side; `within` standard errors away."""
        farthest = self.bounds.high if sign > 0 else self.bounds.low
        step = self.error + self.size + 1e-300
        outer = farthest
        if not math.isfinite(farthest):
            while self._distance(self.value + sign * step) <= within:
                step *= 2
            outer = self.value + sign * step
        elif self._distance(farthest) <= within:
            return farthest
        inner = self.value
        for _ in range(_HALVINGS):
            middle = (inner + outer) / 2
            inner, outer = (middle, outer) if self._distance(middle) <= within else (inner, middle)
        return inner

    def _distance(self, value: float) -> float:
        """Return the distance from the estimate in standard errors; it only grows away from the estimate."""
        away = abs(value - self.value)
        if away == 0:
            return 0.0
        change = min(max(abs(value - self.anchor), away * _EXPLAINED), self.range)
        variance = math.hypot(self.error**2, self.size * change * (1 - change / self.range))
        return away / math.sqrt(variance) if variance > 0 else math.inf


def fewest(passes: Callable[[int], bool], start: int = 2) -> int:
    """Return the smallest number of which `passes` holds, if it holds of all greater ones."""
    above = max(start, 2)
    while not passes(above):
        above *= 2
        if above > _MOST_NEEDED:
            return above
    below = start - 1
    while above - below > 1:
        middle = (below + above) // 2
        below, above = (below, middle) if passes(middle) else (middle, above)
    return above


def passes_margin(margin: float, size: float, freedom: float, level: float = LEVEL) -> bool:
    """Return whether two models that are perfect and equal pass a margin, where one loss costs `size`.

    level: of the interval that must lie above −margin.
    """
    curve = RareChangeCurve(0.0, 0.0, freedom, size, "", range=1.0, bounds=Interval(-1.0, 1.0))
    return curve.interval(level).low > -margin
