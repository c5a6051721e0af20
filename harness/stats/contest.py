"""Gains of several candidates over one baseline on the same examples: which of them may be the best.

Candidates answered the same examples, so their gains are correlated. Their joint distribution is taken to be
normal, with the correlations of the influences of units, and standard errors as wide as confidence curves.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from harness.stats.curve import LEVEL, quantile
from harness.stats.flip_curves import FEW_COINS, FlipCurves, moments
from harness.stats.joint import Line, by_sample, line_of
from harness.stats.several_tasks import MeanCurve, mean_curve

if TYPE_CHECKING:
    from collections.abc import Hashable, Sequence

    from harness.stats.curve import Curve
    from harness.stats.gain import Gain

ALIKE = 1e-9
"""Largest share of a standard error, or of a mean, that is rounding."""

_UNLIKE = 1e-6
"""Relative difference of squares of moves that are not alike."""

DRAWS = 20_000
"""Number of joint draws: at 5 %, their standard error is 0.15 %."""

_SEED = 16


@dataclass(frozen=True, eq=False)
class Contest:
    """Mean gains of candidates over the same tasks, and their joint distribution."""

    curves: Sequence[Curve]
    """The confidence curve of each candidate's mean gain."""
    values: np.ndarray
    """(candidates,): the mean gains."""
    influences: np.ndarray
    """(units, candidates): influence of each unit of each task on the mean gains, centered by task."""
    weights: np.ndarray
    """(units,): what a unit that gains as much as the mean has besides its influence: its share of a task."""
    doubts: np.ndarray
    """(candidates,): standard errors over those of independent tasks: above 1 where tasks share units."""
    draws: int = DRAWS

    @classmethod
    def of(cls, gains: Sequence[Sequence[Gain]], samples: Sequence[Hashable], draws: int = DRAWS) -> Contest:
        """Return the contest of candidates with a gain, and its curve, on each of the same tasks.

        gains: a row for each candidate, a column for each task.
        samples: what the examples of each task belong to. Tasks are taken to be independent; where they share
        units by name, means have that much more doubt.
        Raises ValueError for a gain without a curve.
        """
        if any(gain.curve is None for row in gains for gain in row):
            raise ValueError("a gain without a confidence curve cannot be compared with others")
        curves = [mean_curve(row) for row in gains]
        doubts = np.array([curve.wider if isinstance(curve, MeanCurve) else 1.0 for curve in curves])
        tasks, parts = len(samples), []
        for task, sample in enumerate(samples):
            influences, shares = _influences([row[task] for row in gains], sample)
            units = len(influences)
            # The root makes the sum of squares the variance.
            root = math.sqrt(units / (units - 1)) / tasks if units else 0.0
            parts.append((influences * root, shares * root))
        values = np.array([math.fsum(gain.value for gain in row) / tasks for row in gains])
        influences, weights = (np.concatenate(part) for part in zip(*parts, strict=True))
        return cls(curves, values, influences, weights, doubts, draws)

    @property
    def count(self) -> int:
        """Number of candidates."""
        return len(self.values)

    @cached_property
    def errors(self) -> np.ndarray:
        """Standard errors, (candidates,), such that a normal interval is as wide as the curve's."""
        ends = [curve.interval() for curve in self.curves]
        return np.array([(high - low) / 2 for low, high in ends]) / quantile(1 - LEVEL / 2, math.inf)

    @cached_property
    def observed_errors(self) -> np.ndarray:
        """Standard errors by the influences of units alone, (candidates,); of `errors` where there are none.

        They are smaller where a curve allows for what was not seen.
        """
        own = np.sqrt(np.einsum("ij,ij->j", self.influences, self.influences)) * self.doubts
        return np.where(own > 0, np.minimum(own, self.errors), self.errors)

    @cached_property
    def correlations(self) -> np.ndarray:
        """Correlations of the gains, (candidates, candidates)."""
        own = self.influences.T @ self.influences
        root = np.sqrt(np.diag(own))
        moved = np.where(root > 0, root, 1.0)
        # Gains that no unit moves have an error all the same, of what was not seen: one that they share.
        correlations = own / np.outer(moved, moved) + np.outer(root == 0, root == 0)
        np.fill_diagonal(correlations, 1.0)
        return np.asarray(correlations)

    @cached_property
    def covariance(self) -> np.ndarray:
        """Covariance of the gains by `correlations` and `errors`."""
        return np.asarray(self.correlations * np.outer(self.errors, self.errors))

    @cached_property
    def noise(self) -> np.ndarray:
        """Joint draws of the errors of all gains: (candidates, draws)."""
        # They must not depend on the order in which candidates were given.
        order = np.lexsort((self.errors, -self.values))
        values, vectors = np.linalg.eigh(self.covariance[np.ix_(order, order)])
        # Candidates with the same answers must have the same errors, to the last digits.
        root = vectors * np.sqrt(np.where(values > 1e-12 * values.max(), values, 0)) @ vectors.T
        noise = np.empty((self.count, self.draws))
        noise[order] = root @ np.random.default_rng(_SEED).standard_normal(noise.shape)
        return noise

    def tied(self, among: Sequence[int] | None = None) -> np.ndarray:
        """Return the positions of the candidates with the largest gain, but for rounding.

        among: positions of the candidates that count; None for all.
        """
        positions = np.arange(self.count) if among is None else np.asarray(among)
        values = self.values[positions]
        return np.asarray(positions[values >= values.max() - ALIKE * max(1.0, abs(values.max()))])

    def probabilities(self) -> np.ndarray:
        """Return how probable it is that each candidate is the best: (candidates,), with a sum of 1.

        The share of joint draws around the gains in which its own is the largest: the posterior of a flat
        prior. Candidates with the same answers share.
        """
        drawn = self.values[:, None] + self.noise
        best = drawn >= drawn.max(axis=0) - 1e-7 * float(self.errors.max())
        return np.asarray((best / best.sum(axis=0)).mean(axis=1))

    def may_be_best(self, level: float = LEVEL) -> np.ndarray:
        """Return which candidates may be the best, (candidates,) bool; the best is one with 1 − level.

        A candidate may not if others are better beyond chance: by the largest of their leads over it, in
        standard errors, and the joint distribution of these for a candidate that is as good as all others.
        Source: Hsu (1981), "Simultaneous confidence intervals for all distances from the 'best'".
        """
        leads, errors = self._leads()
        return np.array([self._holds(leads[each], errors[each], each, level) for each in range(self.count)])

    def _holds(self, leads: np.ndarray, errors: np.ndarray, candidate: int, level: float) -> bool:
        """Whether a candidate may be the best; leads, errors: of the others over it."""
        from scipy.special import ndtri

        others = errors > ALIKE * max(float(self.errors.max()), 1e-300)
        if not others.any():
            return True
        largest = leads[others].max()
        # The bound lies between that for one other candidate and that for independent ones.
        if largest <= -ndtri(level):
            return True
        if largest > -ndtri(level / others.sum()):
            return False
        noise = (self.noise[others] - self.noise[candidate]) / errors[others, None]
        return bool(largest <= np.quantile(noise.max(axis=0), 1 - level))

    def moves(self, candidate: int, other: int) -> np.ndarray:
        """Return what each unit adds to the lead of a candidate over another: (units,)."""
        ahead = self.values[candidate] - self.values[other]
        return np.asarray(self.influences[:, candidate] - self.influences[:, other] + self.weights * ahead)

    def _leads(self) -> tuple[np.ndarray, np.ndarray]:
        """Return the leads of others over each candidate as normal deviates, and the leads' standard errors.

        (candidates, candidates) each: of candidates by others.
        """
        ahead = self.values - self.values[:, None]
        spread = np.diag(self.covariance)
        errors = np.sqrt(np.maximum(spread + spread[:, None] - 2 * self.covariance, 0))
        parts = self.influences + np.outer(self.weights, self.values)
        squares, fourth = moments(parts)
        deviates = flip_deviates(ahead, squares, fourth)
        _unequal(parts, squares, fourth, ahead, deviates)
        roots = np.sqrt(squares)
        # Never more than by the curves, which are wider than normal theory where that is too narrow.
        wider = np.divide(roots, errors, out=np.ones_like(roots), where=errors > roots)
        return deviates * np.minimum(wider, 1.0), errors


def flip_deviates(totals: np.ndarray, squares: np.ndarray, fourth: np.ndarray) -> np.ndarray:
    """Return sums as normal deviates of their distribution under random signs; 0 for those of 0 and below.

    totals: sums of values; squares, fourth: of their squares and fourth powers; arrays of one shape.
    The distribution of a signed sum is taken to be that of so many coins as have its fourth moment,
    (Σ x²)² / Σ x⁴: for right and wrong answers that gives the mid-p value of McNemar's test.
    """
    from scipy.special import betainc, ndtri

    moved = (squares > 0) & (totals > 0)
    coins = np.maximum(np.divide(squares**2, fourth, out=np.ones_like(squares), where=fourth > 0), 1.0)
    shift = np.divide(totals, np.sqrt(squares), out=np.zeros_like(squares), where=moved)
    heads = np.minimum((coins + shift * np.sqrt(coins)) / 2, coins)
    at_least = betainc(heads, coins - heads + 1, 0.5)
    above = np.where(heads < coins, betainc(heads + 1, np.maximum(coins - heads, 1e-12), 0.5), 0.0)
    return np.where(moved, -ndtri((at_least + above) / 2), 0.0)


def _unequal(
    parts: np.ndarray, squares: np.ndarray, fourth: np.ndarray, ahead: np.ndarray, deviates: np.ndarray
) -> None:
    """Replace the deviates of leads of few units that are not alike by those of their own random signs.

    Coins are alike: where one cluster has most of a lead, they are hardly more than one, which can never be
    far from even, though the other units are.
    parts: (units, candidates); the others (candidates, candidates).
    """
    few = (ahead > 0) & (squares > 0) & (squares**2 < FEW_COINS * fourth)
    for candidate in np.flatnonzero(few.any(axis=1)):
        others = np.flatnonzero(few[candidate])
        moves = np.abs(parts[:, others].T - parts[:, candidate])
        second = squares[candidate, others]
        unlike = second * moves.max(axis=1) ** 2 > fourth[candidate, others] * (1 + _UNLIKE)
        if unlike.any():
            shifts = (ahead[candidate, others] / np.sqrt(second))[unlike]
            deviates[candidate, others[unlike]] = FlipCurves.of(moves[unlike]).at(shifts)


def _influences(gains: Sequence[Gain], sample: Hashable) -> tuple[np.ndarray, np.ndarray]:
    """Return centered influences of units on gains, (units, gains), and shares of units, (units,).

    No units where none has an influence.
    """
    if all(gain.influence is None for gain in gains):
        return np.zeros((0, len(gains))), np.zeros(0)
    (own,) = by_sample([line_of(gain, sample) for gain in gains])
    influences = np.zeros((len(own.influences), len(gains)))
    influences[:, own.positions] = own.influences - own.influences.mean(axis=0)
    (shares,) = by_sample([Line(gain.p, sample, gain.unit_shares, gain.unit_names) for gain in gains])
    return influences, shares.influences.mean(axis=1)
