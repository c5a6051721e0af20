"""Bins of histograms: round edges, equal counts, and ranks."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

_MOST_BINS = 40
"""Maximum number of bins of even width."""
_LENGTH_BINS = 8
_STEPS = (1.0, 2.0, 5.0, 10.0)
"""Round widths of a bin, times a power of ten."""
_RANKS = (1, 2, 3, 5, 10, 20, 50, 100)
"""Last ranks of bins; a greater depth has further bins, each to twice the last rank."""


def even_edges(values: np.ndarray) -> tuple[float, ...]:
    """Return at most 42 ascending edges of equal, round widths around values; 0 is one where it is between.

    values: (n,), at least one, finite.
    """
    low, high = float(values.min()), float(values.max())
    if not math.isfinite(high - low):
        return low, high
    least = (high - low) / (_MOST_BINS - 1) or max(abs(high), 1.0) / _MOST_BINS
    # Narrower bins could not be told apart by their edges.
    least = max(least, 1e-9 * abs(low), 1e-9 * abs(high), 1e-300)
    power = 10.0 ** math.floor(math.log10(least))
    step = next(round_step * power for round_step in _STEPS if round_step * power >= least * (1 - 1e-9))
    digits = max(0, 1 - math.floor(math.log10(step)))
    first = math.floor(low / step)
    edges = [round(first * step, digits)]
    # By multiplication: a sum of steps would drift from round numbers.
    while edges[-1] < high or len(edges) == 1:
        edges.append(round((first + len(edges)) * step, digits))
    if edges[0] > low:
        edges.insert(0, round((first - 1) * step, digits))
    return tuple(edges)


def quantile_edges(values: np.ndarray) -> tuple[float, ...]:
    """Return ascending edges of eight bins of about equal counts; of fewer bins where many values are equal.

    values: (n,), at least one, finite.
    """
    edges = np.unique(np.quantile(values, np.linspace(0, 1, _LENGTH_BINS + 1), method="higher"))
    return tuple(edges.tolist()) if len(edges) > 1 else (float(edges[0]), float(edges[0]) + 1)


def rank_bins(ranks: Sequence[int | None], depth: int) -> tuple[tuple[str, ...], tuple[int, ...]]:
    """Return names of bins of ranks, and how many ranks each has; the last is of those that are not listed.

    ranks: from 1, None for what is not among the first `depth`.
    """
    ends = [end for end in _RANKS if end < depth]
    while ends and ends[-1] * 2 < depth and ends[-1] >= _RANKS[-1]:
        ends.append(ends[-1] * 2)
    ends.append(depth)
    starts = [1, *(end + 1 for end in ends[:-1])]
    names = [str(end) if start == end else f"{start}–{end}" for start, end in zip(starts, ends, strict=True)]
    listed = np.array([rank for rank in ranks if rank is not None], dtype=float)
    counts = np.histogram(listed, [*starts, depth + 1])[0].tolist()
    return (*names, f"not in the first {depth}"), (*counts, len(ranks) - len(listed))
