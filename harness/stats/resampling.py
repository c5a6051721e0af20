"""Random draws, in blocks of bounded memory: resamples of units, and signs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator

RESAMPLES = 9999
"""So many that p = (b + 1) / (B + 1) has whole ten-thousandths, and the ends of an interval hardly move."""

SLOW_RESAMPLES = 1999
"""For a metric that cannot be computed for many resamples at once."""

_COUNTS = 500_000
"""Counts held at once, 8 bytes each: few enough for a processor's cache."""
_COINS = 2_000_000
"""Coins flipped at once: which they are depends on it, so it stays."""


def resamples(units: int, seed: int, count: int = RESAMPLES) -> Iterator[np.ndarray]:
    """Draw units with replacement, `count` times: how often each came, in blocks of (b, units)."""
    generator = np.random.default_rng(seed)
    for size in _blocks(count, units, _COUNTS):
        drawn = generator.integers(units, size=(size, units), dtype=np.int32)
        # Each resample counts in bins of its own: the multinomial distribution, several times sooner.
        bins = drawn + units * np.arange(size)[:, None]
        yield np.bincount(bins.ravel(), minlength=size * units).reshape(size, units).astype(float)


def signs(units: int, seed: int, count: int = RESAMPLES) -> Iterator[np.ndarray]:
    """Flip a coin for every unit, `count` times: blocks of (b, units), each cell 1 or 0."""
    generator = np.random.default_rng(seed)
    for size in _blocks(count, units, _COINS):
        coins = np.frombuffer(generator.bytes(size * -(-units // 8)), dtype=np.uint8).reshape(size, -1)
        yield np.unpackbits(coins, axis=1, count=units).astype(float)


def _blocks(count: int, units: int, cells: int) -> Iterator[int]:
    block = max(1, cells // max(units, 1))
    for start in range(0, count, block):
        yield min(block, count - start)
