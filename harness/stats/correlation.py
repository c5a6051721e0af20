"""Scores and gains by correlations, without resampling: the jackknife over units, on two scales.

No scale is right everywhere, so each interval is the hull of two. One is Student's t around the score or the
gain itself. The other is on Fisher's z scale, where errors near 1 are symmetric too, and adds to the examples
one unit whose gold and predictions are unrelated. So an interval has width where all pairs were in
order, and covers where a few pairs are out of order and none of them was seen. `docs/statistics.md` has the
measured coverage.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

import numpy as np

from harness.stats.curve import LEVEL, SMALLEST_P, Curve, Interval, StudentCurve, WidestCurve, quantile
from harness.stats.leave_one_out import scores_without

if TYPE_CHECKING:
    from harness.stats.answer_pair import AnswerPair, Answers

TEST = "jackknife"

_BOUNDS = Interval(-1.0, 1.0)
_GAIN_BOUNDS = Interval(-2.0, 2.0)

_ANGLES = 64
"""Number of directions in which an extreme is looked for, three times: all round, then next to the best."""


def gain_curve(pair: AnswerPair) -> Curve | None:
    """Return the curve of a gain; None for fewer than two units."""
    if pair.count < 2:
        return None
    baseline, candidate = _Jackknife.of(pair.baseline), _Jackknife.of(pair.candidate)
    moved = candidate.without - baseline.without
    plain = StudentCurve(pair.gain, _error(moved), freedom_of(moved), _GAIN_BOUNDS)
    fisher = DiscCurve(
        (baseline.z, candidate.z),
        (baseline.z_error, candidate.z_error),
        _correlation(baseline.z_without, candidate.z_without),
        Tails.of(candidate.z_without - baseline.z_without),
    )
    return WidestCurve((plain, fisher), TEST)


def score_curve(answers: Answers) -> Curve | None:
    """Return the curve of a score; None for fewer than two units."""
    if answers.count < 2:
        return None
    found = _Jackknife.of(answers)
    plain = StudentCurve(answers.score, _error(found.without), freedom_of(found.without), _BOUNDS)
    return WidestCurve((plain, FisherCurve(found.z, found.z_error, Tails.of(found.z_without))), TEST)


def freedom_of(values: np.ndarray) -> float:
    """Return the degrees of freedom of the variance of units' values, (n,): n − 1 at most, about 2 at least.

    Those of the chi-squared distribution whose variance is that of a sample variance: where few units have
    much of the variance, it is known no better than from few units.
    Sources: Cramér (1946), "Mathematical methods of statistics", 27.4; Satterthwaite (1946), "An approximate
    distribution of estimates of variance components".
    """
    count = len(values)
    if _is_rounding(values):
        return count - 1
    squares = (values - values.mean()) ** 2
    variance = squares.mean()
    kurtosis = float((squares**2).mean() / variance**2)
    return min(count - 1.0, 2 * count / (kurtosis - 1 + 2 / (count - 1)))


def _is_rounding(values: np.ndarray) -> bool:
    """Whether values differ by no more than rounding does."""
    return bool(np.ptp(values) <= 1e-13 * np.abs(values).max())


@dataclass(frozen=True, slots=True)
class Tails:
    """How many standard errors an end of an interval is from the estimate: below and above it.

    As many as Student's t has with the degrees of freedom that the units' kurtosis leaves; or more, where
    units are skewed: few that lose much, of which by chance fewer still were seen. That is the second-order
    term of the expansion of Student's t, on the side to which it widens.
    Source: Hall (1992), "On the removal of skewness by transformation".
    """

    freedom: float
    units: int
    skewness: float
    """Of the units' influences."""

    @classmethod
    def of(cls, without: np.ndarray) -> Tails:
        """Return the tails of an estimate, from what it is without each unit: (units,)."""
        moved = without.mean() - without
        skewness = 0.0 if _is_rounding(without) else float((moved**3).mean() / (moved**2).mean() ** 1.5)
        return cls(freedom_of(without), len(without), skewness)

    def distances(self, level: float) -> tuple[float, float]:
        """Return the distance of both ends, in standard errors."""
        heavy = quantile(1 - level / 2, self.freedom)
        plain = quantile(1 - level / 2, self.units - 1)
        below, above = (plain + bend * (plain**2 + 0.5) for bend in self._bends())
        return max(heavy, below), max(heavy, above)

    def p(self, distance: float) -> float:
        """Return the p-value of a value so many standard errors above the estimate, or below if negative."""
        from scipy.special import stdtr

        bend, plain = self._bends()[int(distance > 0)], abs(distance)
        heavy = stdtr(max(self.freedom, 1.0), -plain)
        if bend:
            # Undo the bend, in a form that does not cancel where there is hardly any.
            rest = max(0.0, plain - bend / 2)
            plain = 2 * rest / (1 + math.sqrt(1 + 4 * bend * rest))
        skewed = stdtr(self.units - 1, -plain)
        return min(1.0, max(SMALLEST_P, 2 * float(max(heavy, skewed))))

    def _bends(self) -> tuple[float, float]:
        scale = 3 * math.sqrt(self.units)
        return max(0.0, -self.skewness) / scale, max(0.0, self.skewness) / scale


@dataclass(frozen=True, slots=True)
class _Jackknife:
    """A correlation without each unit, and on Fisher's z scale together with one unrelated unit."""

    without: np.ndarray
    """(units,): the correlation without each unit."""
    z: float
    z_without: np.ndarray
    """(units,): on the z scale, without each unit, but with the unrelated one."""
    z_error: float
    """Standard error of `z`; never 0, but for a correlation of 0."""

    @classmethod
    def of(cls, answers: Answers) -> _Jackknife:
        if answers not in _JACKKNIVES:
            _JACKKNIVES[answers] = cls._computed(answers)
        return _JACKKNIVES[answers]

    @classmethod
    def _computed(cls, answers: Answers) -> _Jackknife:
        without, count = scores_without(answers), answers.count
        # An unrelated unit adds nothing to the covariance, and as much as any other to both variances.
        diluted = answers.score * count / (count + 1)
        z_without = np.arctanh(without * count / (count + 1))
        unrelated = answers.score / (count + 1) / (1 - diluted**2)
        return cls(without, math.atanh(diluted), z_without, math.hypot(_error(z_without), unrelated))


_JACKKNIVES: WeakKeyDictionary[Answers, _Jackknife] = WeakKeyDictionary()
"""Of a baseline's answers, which many candidates share."""


def _error(without: np.ndarray) -> float:
    """Return the jackknife's standard error from estimates without each unit.

    Source: Efron and Stein (1981), "The jackknife estimate of variance".
    """
    count = len(without)
    return float(np.sqrt((count - 1) / count * ((without - without.mean()) ** 2).sum()))


def _correlation(left: np.ndarray, right: np.ndarray) -> float:
    """Return the correlation of two models' estimates; 0 where one of them does not vary."""
    left, right = left - left.mean(), right - right.mean()
    scale = math.sqrt(float((left**2).sum() * (right**2).sum()))
    return min(1.0, max(-1.0, float((left * right).sum()) / scale)) if scale else 0.0


@dataclass(frozen=True, slots=True)
class FisherCurve(Curve):
    """An interval around Fisher's z of a correlation.

    Source: Fisher (1921), "On the 'probable error' of a coefficient of correlation deduced from a small
    sample".
    """

    z: float
    error: float
    tails: Tails
    test: str = TEST

    def interval(self, level: float = LEVEL) -> Interval:
        """Return the interval, in [-1, 1]."""
        below, above = self.tails.distances(level)
        return Interval(math.tanh(self.z - below * self.error), math.tanh(self.z + above * self.error))

    def p(self, value: float = 0.0) -> float:
        """Return the p-value on the z scale."""
        if abs(value) >= 1:
            return SMALLEST_P
        return _p_of_difference(math.atanh(value) - self.z, self.error, self.tails)


@dataclass(frozen=True, slots=True)
class DiscCurve(Curve):
    """The gain of one correlation over another: all gains of a disc around the two, on Fisher's z scale.

    The disc has the shape of their joint error, and the radius of a quantile: where the scale
    is straight, its interval is that of Student's t on their difference. Near 1 the scale is bent, and a gain
    is the smaller the higher both are: what is not known about the level is then in the interval too, in
    proportion. Compare Zou (2007), "Toward using confidence intervals to compare correlations", whose hull of
    single intervals is needlessly wide for models that are nearly alike.
    """

    z: tuple[float, float]
    """Baseline and candidate."""
    errors: tuple[float, float]
    correlation: float
    """Of the two errors."""
    tails: Tails
    test: str = TEST

    def interval(self, level: float = LEVEL) -> Interval:
        """Return the least and the greatest gain of the disc, in [-2, 2]."""
        below, above = self.tails.distances(level)
        return Interval(-self._greatest(below, -1.0), self._greatest(above, 1.0))

    def p(self, value: float = 0.0) -> float:
        """Return the level at which the value is at the rim of the disc."""
        if value != 0:
            return Curve.p(self, value)
        (left, right), (baseline, candidate) = self.errors, self.z
        variance = left**2 + right**2 - 2 * self.correlation * left * right
        return _p_of_difference(baseline - candidate, math.sqrt(max(variance, 0.0)), self.tails)

    def _greatest(self, radius: float, sign: float) -> float:
        """Return the greatest gain, or the greatest loss for a sign of −1: both are on the disc's rim."""
        best, reach = 0.0, np.pi
        for _ in range(3):
            angles = best + np.linspace(-reach, reach, _ANGLES)
            gains = sign * self._gains(radius, angles)
            best, reach = float(angles[int(np.argmax(gains))]), 2 * reach / (_ANGLES - 1)
        return float(gains.max())

    def _gains(self, radius: float, angles: np.ndarray) -> np.ndarray:
        """Return the gains at some angles of the rim: (n,)."""
        own = math.sqrt(1 - self.correlation**2)
        baseline = self.z[0] + radius * self.errors[0] * np.cos(angles)
        shared = self.correlation * np.cos(angles) + own * np.sin(angles)
        return np.asarray(np.tanh(self.z[1] + radius * self.errors[1] * shared) - np.tanh(baseline))


def _p_of_difference(difference: float, error: float, tails: Tails) -> float:
    if not difference:
        return 1.0
    return tails.p(difference / error) if error else SMALLEST_P
