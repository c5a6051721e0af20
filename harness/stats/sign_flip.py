"""Exact sign flips: how many patterns of signs give a sum as far from zero as that of the differences?"""

from __future__ import annotations

import numpy as np

MOST_EXACT = 30
"""Maximum number of differing units for which all 2^n patterns of signs are counted."""

ROUNDING = 1e-9
"""Sums that are apart by such a share of the largest possible one differ by rounding alone."""


def sign_flip_p(differences: np.ndarray) -> float | None:
    """Return the exact two-sided p-value of a sum of units' differences, in (0, 1]; None for too many.

    differences: (units,); those of 0 do not count, and MOST_EXACT others at most may. 1 where all are 0.
    The share of all patterns of signs whose sum is as far from zero as without a pattern; sums that differ by
    rounding alone are equal. Exact where differences are symmetric about zero, whatever their sizes.
    Source: Fisher (1935), "The design of experiments", 21; clusters: Canay, Romano and Shaikh (2017),
    "Randomization tests under an approximate symmetry assumption"; in two halves: Horowitz and Sahni (1974).
    """
    moved = np.sort(differences[differences != 0])
    if len(moved) > MOST_EXACT:
        return None
    if not len(moved):
        return 1.0
    observed = abs(moved.sum()) - ROUNDING * np.abs(moved).sum()
    if observed <= 0:
        return 1.0
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
