"""How far a weighted sum lies in the tail of its distribution under random signs or random weights.

A gain is a ratio of sums over units. A value `center` of the true gain leaves each unit a residual,
`totals − center · weights`, and a test asks how improbable the sum of the residuals is. Both tests here have
that probability by a saddlepoint, which is accurate far into the tail and needs no draws.
Sources: Lugannani and Rice (1980), "Saddle point approximation for the distribution of the sum of independent
random variables", in the form r* of Barndorff-Nielsen (1986); Robinson (1982), "Saddlepoint approximations
for permutation tests and confidence intervals".
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import NamedTuple, Self

import numpy as np

_STEPS = 100
"""Maximum number of steps of a search; ten are usual."""

_PRECISION = 1e-9
"""Relative precision of a search, in standard errors of the gain."""

_NEAR = 1e-3
"""Standard errors below which a saddlepoint is too close to the middle, and the normal limit is used."""

FARTHEST = 37.0
"""Standard errors beyond which a normal tail underflows."""


@dataclass(frozen=True, slots=True, eq=False)
class Residuals:
    """Units' shares of a gain: the sum of `totals` is the gain, that of `weights` is 1.

    Equal units are kept once, and counted.
    """

    totals: np.ndarray
    """(k,)"""
    weights: np.ndarray
    """(k,) positive"""
    counts: np.ndarray
    """(k,) number of units that are alike; expected numbers need not be whole."""

    @classmethod
    def of(cls, totals: np.ndarray, weights: np.ndarray) -> Self:
        """Return the residuals of units, (units,) each."""
        pairs, counts = np.unique(totals + 1j * weights, return_counts=True)
        return cls(pairs.real.copy(), pairs.imag.copy(), counts.astype(float))

    def mirrored(self) -> Self:
        """Return the residuals of the models in each other's place."""
        return type(self)(-self.totals, self.weights, self.counts)

    def at(self, center: float) -> np.ndarray:
        """Return the residuals that a true gain of `center` leaves: (k,)."""
        return np.asarray(self.totals - center * self.weights)

    @property
    def gain(self) -> float:
        """The center that leaves residuals whose sum is 0."""
        return float(self.counts @ self.totals / (self.counts @ self.weights))

    @property
    def lost_and_gained(self) -> tuple[float, float]:
        """Number of units that lost, and that gained."""
        lost, gained = self.totals < 0, self.totals > 0
        return float(self.counts[lost].sum()), float(self.counts[gained].sum())

    @property
    def error(self) -> float:
        """Standard error of the gain, √Σ r² with the residuals r at the gain itself."""
        return float(np.sqrt(self.counts @ self.at(self.gain) ** 2))


class Deviate(NamedTuple):
    """How clearly the true gain lies above a center."""

    size: float
    """In standard errors: a normal variable exceeds it with the probability of the tail."""
    slope: float
    """About its derivative by the center; negative."""
    tilt: float
    """Where the saddlepoint is: a start for the next search."""


class Tail(ABC):
    """A test of whether a true gain is as small as a center, against a larger one."""

    @abstractmethod
    def probability(self, center: float) -> float:
        """Return the one-sided p-value of a true gain of `center` or less, in (0, 1]."""

    @abstractmethod
    def low_end(self, level: float, floor: float) -> float:
        """Return the largest center that is rejected at a one-sided level below ½; `floor` where none is."""


@dataclass(frozen=True, slots=True, eq=False)
class SaddlepointTail(Tail):
    """A tail by a saddlepoint, and ends of intervals by Newton's steps."""

    residuals: Residuals

    @abstractmethod
    def evidence(self, center: float, tilt: float = 0.0) -> Deviate:
        """Return how clearly the true gain lies above a center; smaller for a larger one."""

    @property
    @abstractmethod
    def least(self) -> float:
        """The smallest probability that the tail can have."""

    def probability(self, center: float) -> float:
        """Return the one-sided p-value of a true gain of `center` or less, in [least, 1]."""
        from scipy.special import ndtr

        return max(self.least, float(ndtr(-self.evidence(center).size)))

    def low_end(self, level: float, floor: float) -> float:
        """Return the largest center that is rejected at a one-sided level below ½; `floor` where none is."""
        from scipy.special import ndtri

        if level <= self.least:
            return floor
        wanted, gain, error = -float(ndtri(level)), self.residuals.gain, self.residuals.error
        low, high = floor, gain
        center, tilt = max(gain - wanted * error, (floor + gain) / 2), 0.0
        for _ in range(_STEPS):
            size, slope, tilt = self.evidence(center, tilt)
            low, high = (center, high) if size > wanted else (low, center)
            step = (wanted - size) / slope if slope < 0 else math.inf
            if not low < center + step < high:
                step = (low + high) / 2 - center if math.isfinite(low) else center - gain
            center += step
            if abs(step) <= _PRECISION * error or high - low <= _PRECISION * error:
                break
        return max(center, floor)


class SignTail(SaddlepointTail):
    """Each residual keeps its sign or has the other one, at random: how often is the sum as large as theirs?

    The centers that are not rejected are those between quantiles of the ratios of random sets of units: exact
    where residuals are symmetric about zero, whatever their sizes.
    Source: Hartigan (1969), "Using subsample values as typical values".
    """

    @property
    def least(self) -> float:
        """The share of one pattern of signs: all as they are."""
        return math.pow(0.5, float(self.residuals.counts.sum()))

    def evidence(self, center: float, tilt: float = 0.0) -> Deviate:
        """Return how clearly the true gain lies above a center."""
        own = self.residuals
        sizes = own.at(center)
        total, square = float(own.counts @ sizes), float(own.counts @ (sizes * sizes))
        whole = float(own.counts.sum())
        if square == 0:
            return Deviate(0.0, -math.inf, 0.0)
        weight = float(own.counts @ own.weights)
        if abs(total) <= _NEAR * math.sqrt(square):
            return Deviate(total / math.sqrt(square), -weight / math.sqrt(square), 0.0)
        tilt, slack = _sign_tilt(sizes, own.counts, total, square, tilt)
        powers = np.abs(tilt * sizes)
        cumulant = float(own.counts @ (powers + np.log1p(np.exp(-2 * powers)))) - whole * math.log(2)
        root = math.sqrt(max(2 * (abs(tilt * total) - cumulant), _NEAR**2 / 4))
        spread = abs(tilt) * math.sqrt(float(own.counts @ (sizes * sizes * (1 - slack * slack))))
        size = min(max(_adjusted(root, spread), _least_of(root)), _farthest(whole))
        slope = tilt * (float(own.counts @ (own.weights * slack)) - weight) / root
        return Deviate(math.copysign(size, total), -abs(slope), tilt)


def _sign_tilt(
    sizes: np.ndarray, counts: np.ndarray, total: float, square: float, start: float
) -> tuple[float, np.ndarray]:
    """Return the tilt of signs under which the sum is expected to be `total`, and the expected signs.

    The expectation bends down as the tilt grows: Newton's steps from below never pass the solution.
    """
    first = total / square
    tilt = start if start * first > first * first else first
    for _ in range(_STEPS):
        signs = np.tanh(tilt * sizes)
        rise = float(counts @ (sizes * sizes * (1 - signs * signs)))
        step = (total - float(counts @ (sizes * signs))) / rise if rise > 0 else 0.0
        tilt = tilt + step if (tilt + step) * first > 0 else first
        if abs(step) <= _PRECISION * abs(tilt) or abs(tilt) * math.sqrt(square) > 1e6:
            break
    return tilt, np.tanh(tilt * sizes)


@dataclass(frozen=True, slots=True, eq=False)
class RangeTail(SaddlepointTail):
    """Units are weighted by a Dirichlet distribution, with one more that is as low as the range allows.

    For values of 0 and 1 this is Clopper and Pearson's exact bound; of any values in the range no case is
    known where it errs more often than it says.
    Source: Gaffke (2005), "Three test statistics for a nonparametric one-sided hypothesis on the mean of a
    nonnegative variable"; Learned-Miller and Thomas (2020), "A new confidence interval for the mean of a
    bounded random variable".
    """

    lowest: float
    """The least that a unit can have gained."""
    unseen: float
    """Weight of the unit that was not seen."""

    @property
    def least(self) -> float:
        """0: no probability is too small for it."""
        return 0.0

    def evidence(self, center: float, tilt: float = 0.0) -> Deviate:
        """Return how clearly the true gain lies above a center."""
        own = self.residuals
        weights = np.append(own.weights, self.unseen)
        sizes = np.append(own.at(center), self.unseen * (self.lowest - center))
        counts = np.append(own.counts, 1.0)
        if sizes.max() <= 0 or sizes.min() >= 0:
            return Deviate(math.copysign(FARTHEST, sizes.sum()), 0.0, 0.0)
        total, square = float(counts @ sizes), float(counts @ (sizes * sizes))
        if abs(total) <= _NEAR * math.sqrt(square):
            return Deviate(total / math.sqrt(square), -float(counts @ weights) / math.sqrt(square), 0.0)
        tilt = _exponential_tilt(sizes, counts, tilt)
        shrunk = 1 - tilt * sizes
        root = math.sqrt(max(2 * float(counts @ np.log(shrunk)), _NEAR**2 / 4))
        spread = abs(tilt) * math.sqrt(float(counts @ (sizes / shrunk) ** 2))
        slope = tilt * float(counts @ (weights / shrunk)) / root
        return Deviate(math.copysign(min(_adjusted(root, spread), FARTHEST), total), -abs(slope), tilt)


def _exponential_tilt(sizes: np.ndarray, counts: np.ndarray, start: float) -> float:
    """Return the tilt under which a sum of sizes times exponential variables is expected to be 0."""
    low, high = 1 / float(sizes.min()), 1 / float(sizes.max())
    tilt = start if low < start < high else 0.0
    for _ in range(_STEPS):
        means = sizes / (1 - tilt * sizes)
        expected = float(counts @ means)
        low, high = (low, tilt) if expected > 0 else (tilt, high)
        step = -expected / float(counts @ (means * means))
        if not low < tilt + step < high:
            step = (low + high) / 2 - tilt
        tilt += step
        if abs(step) <= _PRECISION * abs(tilt):
            break
    return tilt


def _adjusted(root: float, spread: float) -> float:
    """Return r*, whose normal tail is the tail; both arguments are positive."""
    return root + math.log(spread / root) / root if spread > 0 else root


def _least_of(root: float) -> float:
    """Return the least evidence that Chernoff's bound, exp(−root² / 2), allows."""
    from scipy.special import ndtri_exp

    return max(0.0, -float(ndtri_exp(-root * root / 2)))


def _farthest(units: float) -> float:
    """Return the evidence of one pattern of signs among all."""
    from scipy.special import ndtri_exp

    return min(FARTHEST, -float(ndtri_exp(-units * math.log(2))))
