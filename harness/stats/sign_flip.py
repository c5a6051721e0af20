"""Exact sign flips: how many patterns of signs give a sum as far from zero as that of the differences?"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

import numpy as np

from harness.stats.tails import Tail

if TYPE_CHECKING:
    from harness.stats.tails import Residuals

MOST_SUBSETS = 15
"""Maximum number of units of which all sets are tried, differing or not."""

MOST_EXACT = 28
"""Maximum number of differing units for which all 2^n patterns of signs are counted, whatever the values."""

ROUNDING = 1e-9
"""Sums that are apart by such a share of the largest possible one differ by rounding alone."""

_FINEST = 60
"""The step of a grid is the smallest difference divided by such a number at most."""

_GRID_CELLS = 300_000
"""Maximum number of cosines for values on a grid: some 10 ms."""


def sign_flip_p(differences: np.ndarray) -> float | None:
    """Return the exact two-sided p-value of a sum of units' differences, in (0, 1].

    differences: (units,); those of 0 do not count. 1 where all are 0. None for more than MOST_EXACT others,
    unless these lie on a grid, as counts and quarters do.
    The share of all patterns of signs whose sum is as far from zero as without a pattern; sums that differ by
    rounding alone are equal. Exact where differences are symmetric about zero, whatever their sizes.
    Source: Fisher (1935), "The design of experiments", 21; clusters: Canay, Romano and Shaikh (2017),
    "Randomization tests under an approximate symmetry assumption".
    """
    moved = differences[differences != 0]
    if not len(moved) or abs(moved.sum()) <= ROUNDING * np.abs(moved).sum():
        return 1.0
    if len(moved) <= MOST_EXACT:
        return _by_halves(moved)
    steps = _grid(moved)
    return None if steps is None else _on_a_grid(steps)


def _by_halves(moved: np.ndarray) -> float:
    """Count patterns by the sums of two halves: those of the one that complete each of the other.

    Source: Horowitz and Sahni (1974), "Computing partitions with applications to the knapsack problem".
    """
    moved = np.sort(moved)
    observed = abs(moved.sum()) - ROUNDING * np.abs(moved).sum()
    half = len(moved) // 2
    some, others = _signed_sums(moved[:half]), np.sort(_signed_sums(moved[half:]))
    # Patterns come in pairs of opposite signs: those above are as many as those below.
    above = len(others) - np.searchsorted(others, observed - some, side="left")
    return float(2 * above.sum() / 2 ** len(moved))


def _signed_sums(values: np.ndarray) -> np.ndarray:
    """Return the sums of values under all patterns of signs: (2^n,)."""
    sums = np.zeros(1)
    for value in values:
        sums = np.concatenate([sums - value, sums + value])
    return sums


def _grid(moved: np.ndarray) -> np.ndarray | None:
    """Return differences as whole numbers of one step, (units,) int; None where there is no such step."""
    values = np.unique(np.abs(moved))
    for parts in range(1, _FINEST + 1):
        steps = values * (parts / values[0])
        if np.all(np.abs(steps - np.round(steps)) <= 1e-6):
            break
    else:
        return None
    whole = np.round(moved * (parts / values[0])).astype(int)
    cells = (2 * np.abs(whole).sum() + 1) * len(np.unique(np.abs(whole)))
    return whole if cells <= _GRID_CELLS else None


def _on_a_grid(steps: np.ndarray) -> float:
    """Return the share of patterns by the distribution of the sum: the Fourier transform of one of cosines.

    The rounding of the transform, about 1e-16, is the least that it can tell.
    """
    sizes, counts = np.unique(np.abs(steps), return_counts=True)
    largest, observed = int(np.abs(steps).sum()), abs(int(steps.sum()))
    cells = 2 ** int(2 * largest + 1).bit_length()
    angles = 2 * np.pi * np.arange(cells // 2 + 1) / cells
    transform = np.ones(len(angles))
    for size, count in zip(sizes, counts, strict=True):
        transform *= np.cos(size * angles) ** count
    chances = np.fft.irfft(transform, cells)
    return min(1.0, max(float(2 * chances[observed : largest + 1].sum()), 2.0 * 0.5 ** len(steps)))


@dataclass(frozen=True, slots=True, eq=False)
class SubsetTail(Tail):
    """Inverted sign flips of few units: the ratios of all sets of them.

    A center is as probable as a set of units whose own gain is no larger; the empty set is one of them.
    Source: Hartigan (1969), "Using subsample values as typical values".
    """

    ratios: np.ndarray
    """(2^units − 1,) the gains of the sets of units that are not empty, sorted."""

    @classmethod
    def of(cls, residuals: Residuals) -> Self:
        """Return the tail of MOST_SUBSETS units at most."""
        whole = residuals.counts.astype(int)
        totals, weights = (
            (_signed_sums(each) + each.sum()) / 2
            for each in (np.repeat(residuals.totals, whole), np.repeat(residuals.weights, whole))
        )
        # The first set is the empty one.
        return cls(np.sort(totals[1:] / weights[1:]))

    def mirrored(self) -> Self:
        """Return the tail of the models in each other's place."""
        return type(self)(-self.ratios[::-1])

    def probability(self, center: float) -> float:
        """Return the share of sets whose gain is at most `center`."""
        rounding = ROUNDING * float(np.ptp(self.ratios))
        below = np.searchsorted(self.ratios, center + rounding, side="right")
        return float(1 + below) / (len(self.ratios) + 1)

    def low_end(self, level: float, floor: float) -> float:
        """Return the smallest center that is not rejected."""
        rank = math.ceil(level * (len(self.ratios) + 1) * (1 - ROUNDING)) - 1
        return max(float(self.ratios[rank - 1]), floor) if rank > 0 else floor
