"""Ranks."""

from __future__ import annotations

import numpy as np


def ranks(values: np.ndarray) -> np.ndarray:
    """Return ranks, (n,) float, from 1; equal values get their average rank."""
    order = np.argsort(values, kind="stable")
    ordered = np.asarray(values)[order]
    starts = np.flatnonzero(np.r_[True, ordered[1:] != ordered[:-1]])
    sizes = np.diff(np.r_[starts, len(ordered)])
    averages = np.empty(len(ordered))
    averages[order] = np.repeat(starts + (sizes + 1) / 2, sizes)
    return averages
