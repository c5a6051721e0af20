"""Sign-flip test: is a sum of differences larger than with random signs?"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from harness.metrics.standard import weighted_sums
from harness.stats.bootstrap import block_sizes

if TYPE_CHECKING:
    from collections.abc import Iterator

_EXACT = 13
"""Maximum number of differing units for which all 2^n patterns of signs are tried, not random ones."""

_BLOCK_CELLS = 2_000_000
"""Maximum number of signs drawn at once. It decides which signs are drawn, so it must not change."""


def sign_flip_p(differences: np.ndarray, seed: int, count: int) -> float:
    """Two-sided p-value of a sum of units' differences, in (0, 1]: their signs are flipped at random.

    differences: (units,); count: random patterns of signs.
    Exact for differences that are symmetric about zero, whatever their size; all patterns of signs where
    these are few, else p = (b + 1) / (count + 1). 1 where all differences are zero.
    Source: Fisher (1935), "The design of experiments", 21; clusters: Canay, Romano and Shaikh (2017),
    "Randomization tests under an approximate symmetry assumption".
    """
    moved = differences[differences != 0]
    if not len(moved):
        return 1.0
    observed = abs(moved.sum()) - 1e-9 * np.abs(moved).sum()
    if len(moved) <= _EXACT:
        patterns = (np.arange(2 ** len(moved))[:, None] >> np.arange(len(moved))) & 1
        return float(np.mean(np.abs(_signed_sums(patterns, moved)) >= observed))
    beyond = sum(
        int((np.abs(_signed_sums(coins, moved)) >= observed).sum())
        for coins in _flip_coins(len(moved), seed, count)
    )
    return (beyond + 1) / (count + 1)


def _signed_sums(coins: np.ndarray, differences: np.ndarray) -> np.ndarray:
    """Sums of differences whose sign is kept where a coin is 1, and turned where it is 0: (B,)."""
    return np.asarray(2 * weighted_sums(coins, differences) - differences.sum())


def _flip_coins(units: int, seed: int, count: int) -> Iterator[np.ndarray]:
    """Flip a coin for every unit, `count` times: blocks of (b, units), each cell 1 or 0."""
    generator = np.random.default_rng(seed)
    for size in block_sizes(count, units, _BLOCK_CELLS):
        coins = np.frombuffer(generator.bytes(size * -(-units // 8)), dtype=np.uint8).reshape(size, -1)
        yield np.unpackbits(coins, axis=1, count=units).astype(float)
