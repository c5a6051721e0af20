"""Ranks, and sums and counts over values that are above others."""

from __future__ import annotations

import numpy as np


def ranks(values: np.ndarray) -> np.ndarray:
    """Return ranks, (n,) float, from 1; equal values get their average rank."""
    return ranks_of_codes(codes_of(values))


def codes_of(values: np.ndarray) -> np.ndarray:
    """Return for each value how many distinct values are below it: (n,) int."""
    return np.unique(values, return_inverse=True)[1]


def ranks_of_codes(codes: np.ndarray) -> np.ndarray:
    """Return the ranks of values from their codes: without another sort."""
    tied = np.bincount(codes)
    return np.asarray((tied.cumsum() - (tied - 1) / 2)[codes])


def sum_above(codes: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Return for each value the weights of all greater values, and half of those of equal ones: (n,).

    codes: (n,) those of the values.
    """
    tied = np.bincount(codes, weights=weights)
    return np.asarray((tied[::-1].cumsum()[::-1] - tied / 2)[codes])


def count_above(left: np.ndarray, right: np.ndarray, over: np.ndarray, beside: np.ndarray) -> np.ndarray:
    """Count the points above each of some corners, by both coordinates: (q,) float.

    left, right: (n,) codes of points' coordinates; over, beside: (q,) those of corners, each also that of a
    point. A point that equals a corner in one coordinate counts half, in both a quarter.
    It takes a pass for each binary digit of the codes of one side.
    Source: Claude, Navarro and Ordóñez (2015), "The wavelet matrix: an efficient wavelet tree for large
    alphabets".
    """
    if left.max() < right.max():
        left, right, over, beside = right, left, beside, over
    values = right[np.argsort(left, kind="stable")]
    ends = np.bincount(left).cumsum()
    # Points from `over` on, and those above it: half of the sum of both counts the equal ones half.
    starts = np.concatenate([ends[over] - np.bincount(left)[over], ends[over]])
    sought, stops = np.concatenate([beside, beside]), np.full(2 * len(over), len(left))
    below = starts.astype(float)
    for digit in reversed(range(int(right.max()).bit_length())):
        ones = (values >> digit & 1).astype(bool)
        zeros = np.concatenate([[0], (~ones).cumsum()])
        first, last = zeros[starts], zeros[stops]
        high = (sought >> digit & 1).astype(bool)
        below += np.where(high, last - first, 0)
        starts = np.where(high, zeros[-1] + starts - first, first)
        stops = np.where(high, zeros[-1] + stops - last, last)
        values = np.concatenate([values[~ones], values[ones]])
    counts = len(left) - below - (stops - starts) / 2
    return np.asarray((counts[: len(over)] + counts[len(over) :]) / 2)
