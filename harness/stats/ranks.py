"""Ranks, and sums and counts over values that are above others."""

from __future__ import annotations

import math

import numpy as np

_BLOCK_CELLS = 1_000_000
"""Maximum number of points looked through at once."""


def ranks(values: np.ndarray) -> np.ndarray:
    """Return ranks, (n,) float, from 1; equal values get their average rank."""
    order, starts, sizes = _groups(values)
    averages = np.empty(len(order))
    averages[order] = np.repeat(starts + (sizes + 1) / 2, sizes)
    return averages


def sum_above(values: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Return for each value the weights of all greater values, and half of those of equal ones: (n,)."""
    order, starts, sizes = _groups(values)
    tied = np.add.reduceat(weights[order], starts)
    greater = tied[::-1].cumsum()[::-1] - tied
    sums = np.empty(len(order))
    sums[order] = np.repeat(greater + tied / 2, sizes)
    return sums


def count_above(left: np.ndarray, right: np.ndarray, over: np.ndarray, beside: np.ndarray) -> np.ndarray:
    """Count the points above each of some corners, by both coordinates: (q,) float.

    left, right: (n,) coordinates of points; over, beside: (q,) those of corners, each also that of a point.
    A point that equals a corner in one coordinate counts half, in both a quarter.
    """
    left_values, left = np.unique(left, return_inverse=True)
    right_values, right = np.unique(right, return_inverse=True)
    over, beside = np.searchsorted(left_values, over), np.searchsorted(right_values, beside)
    # Points as single numbers: those of one left coordinate follow each other, by the right one.
    rows, corners = np.sort(left * len(right_values) + right), over * len(right_values) + beside
    passed = np.searchsorted(rows, corners, side="right")
    level = np.bincount(left).cumsum()[over] - passed
    equal = passed - np.searchsorted(rows, corners)
    columns, corners = np.sort(right * len(left_values) + left), beside * len(left_values) + over
    upright = np.bincount(right).cumsum()[beside] - np.searchsorted(columns, corners, side="right")
    return _count_over_both(left, right, over, beside) + (level + upright) / 2 + equal / 4


def _groups(values: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the sorting order, and start and size of each group of equal values in it."""
    order = np.argsort(values, kind="stable")
    ordered = np.asarray(values)[order]
    starts = np.flatnonzero(np.r_[True, ordered[1:] != ordered[:-1]])
    return order, starts, np.diff(np.r_[starts, len(ordered)])


def _count_over_both(left: np.ndarray, right: np.ndarray, over: np.ndarray, beside: np.ndarray) -> np.ndarray:
    """Count points with left > over and right > beside: (q,); all of them whole numbers from 0.

    Points in the order of `left` are cut into blocks. A table has, for each block and each value, how many
    points of this block and later ones are above the value; the rest of a corner's own block is searched.
    """
    order = np.argsort(left, kind="stable")
    ordered, values = right[order], int(right.max()) + 1
    block = max(1, math.isqrt(len(ordered)))
    blocks = -(-len(ordered) // block)
    padded = np.full(blocks * block, -1)
    padded[: len(ordered)] = ordered
    cells = np.repeat(np.arange(blocks), block) * (values + 1) + padded + 1
    table = np.bincount(cells, minlength=(blocks + 1) * (values + 1)).reshape(blocks + 1, values + 1)
    above = table[::-1, ::-1].cumsum(axis=0).cumsum(axis=1)[::-1, ::-1]
    starts = np.bincount(left).cumsum()[over]
    counts = np.empty(len(over))
    for chunk in range(0, len(over), max(1, _BLOCK_CELLS // block)):
        part = slice(chunk, chunk + max(1, _BLOCK_CELLS // block))
        start, least = starts[part], beside[part] + 1
        following = -(-start // block)
        places = start[:, None] + np.arange(block)
        own = (places < following[:, None] * block) & (
            padded[np.minimum(places, len(padded) - 1)] >= least[:, None]
        )
        later = above[following, np.minimum(least + 1, values)]
        counts[part] = own.sum(axis=1) + np.where(least < values, later, 0)
    return counts
