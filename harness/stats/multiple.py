"""Corrections of p-values for many lines, which know that lines on the same examples are correlated.

A line's own p-value comes from its confidence curve, and is accurate far into the tail, so a claim is
possible among any number of lines. What lines have in common is a normal copula: the statistic of a line is
the normal deviate of its p-value, and two deviates on the same sample are correlated as the influences of
units on both gains are. Lines of different samples are taken as independent, as are lines whose influences
are unknown: whatever their correlation, that is the worst case for two-sided normal statistics (Šidák, 1967,
"Rectangular confidence regions for the means of multivariate normal distributions"; for groups of lines
Royen, 2014, "A simple proof of the Gaussian correlation conjecture extended to multivariate gamma
distributions").
Sources: Westfall and Young (1993), "Resampling-based multiple testing"; Hothorn, Bretz and Westfall (2008),
"Simultaneous inference in general parametric models"; Conneely and Boehnke (2007), "So many correlated tests,
so little time! Rapid adjustment of P values for multiple correlated tests".
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from harness.stats.curve import LEVEL
from harness.stats.holm import holm
from harness.stats.joint import by_sample
from harness.stats.step_down import Draws, step_down

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from harness.stats.joint import Line

_SEED = 16

METHOD = "joint step-down"
"""Name of the correction, in words."""

_FEWEST_DRAWS, _MOST_DRAWS = 20_000, 50_000
"""Draws of the joint distribution: at 5 % their standard error is 0.15 and 0.1 %."""

_MOST_CELLS = 100_000_000
"""Lines × draws beyond which fewer than _MOST_DRAWS are made: 2,000 lines."""

_BLOCK_CELLS = 4_000_000
"""Maximum number of statistics held at once, 4 bytes each."""

_SMALLEST = 1e-9
"""Smallest share of the variance of a sample's statistics that a direction must have to be drawn."""


def adjust(lines: Sequence[Line], draws: int | None = None) -> np.ndarray:
    """Adjust p-values for the number of lines: (lines,), in [0, 1]; NaN stays NaN and does not count.

    The i-th smallest becomes the probability that any of this line and those with larger p-values has one as
    small where none has a gain; and at least the adjusted p-value before it. It lies between the p-value and
    Holm's: the probability does, and its simulation must not leave these bounds.
    draws: of the joint distribution; by default 50,000, and 20,000 for thousands of lines. They are the same
    for the same lines in any order.
    """
    p = np.array([line.p for line in lines], dtype=float)
    adjusted, tested = np.full(len(p), np.nan), np.flatnonzero(~np.isnan(p))
    if not len(tested):
        return adjusted
    ordered = tested[_ordered([lines[position] for position in tested.tolist()])]
    own = p[ordered]
    null = _normal_statistics([lines[position] for position in ordered.tolist()], draws)
    adjusted[ordered] = np.clip(step_down(_deviates(own), map(_draws, null)), own, holm(own))
    return adjusted


def level_of_a_line(lines: Sequence[Line], draws: int | None = None) -> float:
    """Return the level at which each line is tested alone so that all together have 5 %.

    It is the 5 % quantile of the smallest p-value where no line has a gain: from 5 % divided by the number of
    lines with a p-value, where they are independent, to 5 %, where all are the same.
    """
    from scipy.special import ndtr

    tested = [line for line in lines if not np.isnan(line.p)]
    if len(tested) < 2:
        return LEVEL
    ordered = [tested[position] for position in _ordered(tested).tolist()]
    largest = np.concatenate([block.max(axis=0) for block in _normal_statistics(ordered, draws)])
    level = 2 * float(ndtr(-np.quantile(largest, 1 - LEVEL)))
    return min(max(level, LEVEL / len(tested)), LEVEL)


def _draws(block: np.ndarray) -> Draws:
    return Draws(block.shape[1], block.__getitem__)


def _deviates(p: np.ndarray) -> np.ndarray:
    """Return the absolute normal deviates that have these two-sided p-values."""
    from scipy.special import ndtri

    return np.asarray(np.abs(ndtri(p / 2)))


def _ordered(lines: Sequence[Line]) -> np.ndarray:
    """Return an order of lines that does not depend on the one in which they come: by p, then spread."""
    spreads = [0.0 if line.influence is None else float(np.abs(line.influence).sum()) for line in lines]
    # Sums in another order differ in their last digits.
    rounded = np.array([float(f"{spread:.9g}") for spread in spreads])
    return np.lexsort((rounded, np.array([line.p for line in lines])))


def _normal_statistics(lines: Sequence[Line], draws: int | None) -> Iterator[np.ndarray]:
    """Yield blocks of absolute normal deviates, (lines, b) float32, correlated within samples."""
    if draws is None:
        draws = min(_MOST_DRAWS, max(_FEWEST_DRAWS, _MOST_CELLS // len(lines)))
    generator = np.random.default_rng(_SEED)
    roots = _roots(lines)
    alone = np.ones(len(lines), dtype=bool)
    for positions, _ in roots:
        alone[positions] = False
    block = max(1, min(draws, _BLOCK_CELLS // len(lines)))
    for start in range(0, draws, block):
        size = min(block, draws - start)
        drawn = np.empty((len(lines), size), dtype=np.float32)
        for positions, root in roots:
            drawn[positions] = root @ generator.standard_normal((root.shape[1], size), dtype=np.float32)
        drawn[alone] = generator.standard_normal((int(alone.sum()), size), dtype=np.float32)
        yield np.abs(drawn, out=drawn)


def _roots(lines: Sequence[Line]) -> list[tuple[np.ndarray, np.ndarray]]:
    """Return for each sample the positions of its lines and a root of their correlations, (lines, rank).

    A line that no unit moves is left out: nothing is known of its correlations.
    """
    roots = []
    for sample in by_sample(lines):
        centered = sample.influences - sample.influences.mean(axis=0)
        lengths = np.sqrt((centered**2).sum(axis=0))
        moved = lengths > 0
        if moved.sum() > 1:
            unit = centered[:, moved] / lengths[moved]
            # A line and its negative, models swapped, must have the same draws.
            unit *= np.where((unit**3).sum(axis=0) < 0, -1.0, 1.0)
            roots.append((np.asarray(sample.positions)[moved], _root(unit)))
    return roots


def _root(unit: np.ndarray) -> np.ndarray:
    """Return a root R of correlations, R Rᵀ = UᵀU, from columns of length 1: (units, lines) → (lines, rank).

    By the eigenvectors of the smaller one of UᵀU and U Uᵀ.
    """
    units, lines = unit.shape
    values, vectors = np.linalg.eigh(unit.T @ unit if lines <= units else unit @ unit.T)
    kept = values > _SMALLEST * lines
    values, vectors = values[kept][::-1], vectors[:, kept][:, ::-1]
    root = vectors * np.sqrt(values) if lines <= units else unit.T @ vectors
    # The sign of an eigenvector is arbitrary.
    largest = root[np.abs(root).argmax(axis=0), np.arange(root.shape[1])]
    root = root * np.sign(largest)
    return np.asarray(root / np.sqrt((root**2).sum(axis=1, keepdims=True)), dtype=np.float32)
