"""How far in the tail of its own random signs a sum lies, for many sums at once.

Sums of equal values over the root of their squares have nearly the same distribution under random signs, a
normal one; where one value is most of the sum they do not, and sums are comparable by their tails alone.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Self

import numpy as np

FEW_COINS = 50
"""(Σ x²)² / Σ x⁴, the number of coins that vary as the signed sum does, below which it has a curve."""

_MOST_VALUES = 64
"""Number of the largest values that count each; any other is so small that the rest of the sum is normal."""

_TILTS = np.geomspace(0.4, 400, 32)
"""Tilts at which a curve is known, over √Σ x²."""

_SAME = 1e-18
"""Share of a sum of squares that is rounding."""

_ROUNDING = 1e-9
"""Relative difference of a shift from the largest that is rounding."""

_BLOCK_CELLS = 2_000_000
"""Maximum number of values held at once, 8 bytes each."""


@dataclass(frozen=True, slots=True, eq=False)
class FlipCurves:
    """Normal deviates of sums of given values under random signs: a line between knots for each."""

    shifts: np.ndarray
    """(sums, knots): sums over √Σ x², from 0 to the largest, that of values of one sign."""
    deviates: np.ndarray
    """(sums, knots): a normal variable exceeds them as often as the signed sum does the shift."""

    @classmethod
    def of(cls, values: np.ndarray) -> Self:
        """Return the curves of sums of values: (sums, units), not all 0.

        By the saddlepoint of `harness.stats.tails.SignTail`. A sum of values of one sign counts half of the
        one pattern of signs that gives it: the mid-p value.
        """
        step = max(1, _BLOCK_CELLS // max(1, values.shape[1]))
        parts = [_knots(values[start : start + step]) for start in range(0, len(values), step)]
        if not parts:
            return cls(np.zeros((0, 2)), np.zeros((0, 2)))
        shifts, deviates = zip(*parts, strict=True)
        return cls(np.concatenate(shifts), np.concatenate(deviates))

    def at(self, shifts: np.ndarray) -> np.ndarray:
        """Return the deviate of each sum at its shift of 0 or more: (sums,)."""
        curves = zip(shifts, self.shifts, self.deviates, strict=True)
        return np.array([np.interp(shift, known, deviates) for shift, known, deviates in curves])

    def evenly(self, cells: int) -> np.ndarray:
        """Return deviates at even steps from 0 to the largest shift: (sums, cells + 1) float32."""
        steps = np.linspace(0, 1, cells + 1)
        table = np.empty((len(self.shifts), cells + 1), dtype=np.float32)
        for row, known, deviates in zip(table, self.shifts, self.deviates, strict=True):
            row[:] = np.interp(steps * known[-1], known, deviates)
        return table


def moments(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the sums of squares and of fourth powers of all differences of columns, (columns, columns)."""
    squared = values**2
    products, odd, even = values.T @ values, (squared * values).T @ values, squared.T @ squared
    second, fourth = np.diag(products), np.diag(even)
    squares = np.maximum(second + second[:, None] - 2 * products, 0)
    squares[squares < _SAME * (second + second[:, None])] = 0
    sums = fourth + fourth[:, None] - 4 * (odd + odd.T) + 6 * even
    return squares, np.maximum(sums, squares**2 / max(len(values), 1))


def _knots(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return shifts and deviates of the curves, (sums, knots) each."""
    from scipy.special import ndtri_exp

    sizes = np.abs(values)
    root = np.sqrt((sizes**2).sum(axis=1, keepdims=True))
    sizes = sizes / root
    most = sizes.sum(axis=1)
    farthest = -ndtri_exp(-math.log(2) * ((sizes > 0).sum(axis=1) + 1))
    if sizes.shape[1] > _MOST_VALUES:
        sizes = np.partition(sizes, -_MOST_VALUES, axis=1)[:, -_MOST_VALUES:]
    rest = np.maximum(1 - (sizes**2).sum(axis=1), 0)
    shifts = np.empty((len(sizes), len(_TILTS) + 2))
    deviates = np.empty_like(shifts)
    shifts[:, 0], deviates[:, 0], shifts[:, -1], deviates[:, -1] = 0, 0, most, farthest
    for place, tilt in enumerate(_TILTS, start=1):
        shift, deviate = _tilted(sizes, rest, float(tilt))
        shifts[:, place] = np.minimum(shift, most)
        deviates[:, place] = np.where(shift < most * (1 - _ROUNDING), np.minimum(deviate, farthest), farthest)
    return shifts, np.maximum.accumulate(deviates, axis=1)


def _tilted(sizes: np.ndarray, rest: np.ndarray, tilt: float) -> tuple[np.ndarray, np.ndarray]:
    """Return the shift at which a tilt is the saddlepoint, and its deviate, (sums,) each.

    sizes: (sums, values) with a sum of squares of 1 with that of the values left out, `rest`.
    """
    from scipy.special import ndtri_exp

    powers = tilt * sizes
    decay = np.exp(-2 * powers)
    signs = (1 - decay) / (1 + decay)
    shift = (sizes * signs).sum(axis=1) + tilt * rest
    cumulant = (powers + np.log1p(decay)).sum(axis=1) - sizes.shape[1] * math.log(2) + tilt**2 / 2 * rest
    spread = tilt * np.sqrt((sizes**2 * (1 - signs**2)).sum(axis=1) + rest)
    root = np.sqrt(np.maximum(2 * (tilt * shift - cumulant), 1e-12))
    adjusted = root + np.log(np.maximum(spread, 1e-300) / root) / root
    # Never less than Chernoff's bound, exp(−root² / 2), allows.
    return shift, np.maximum(adjusted, np.maximum(-ndtri_exp(-root * root / 2), 0))
