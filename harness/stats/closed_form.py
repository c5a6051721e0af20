"""Means and correlations as functions of sums over examples: a bootstrap of them is a few products.

A mean is a sum of values over a sum of ones; Pearson's correlation is a function of five sums.
Spearman's correlation is Pearson's of ranks, here with the ranks of the whole set; `gain` widens the spread
by what ranking each resample anew would add.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from harness.metrics import standard as metrics

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from harness.metrics.interface import Metric


@dataclass(frozen=True, slots=True, eq=False)
class ClosedForm:
    """A metric as a function of sums."""

    per_unit: np.ndarray
    """(units, k) float: the part of each unit in the k sums."""
    finish: Callable[[np.ndarray], np.ndarray]
    """Function from sums, (…, k), to scores, (…)."""

    def scores(self, counts: np.ndarray) -> np.ndarray:
        """Return the scores of resamples, (B,), from how often each unit was drawn, (B, units)."""
        sums = [metrics.weighted_sums(counts, column) for column in self.per_unit.T]
        return self.finish(np.stack(sums, axis=-1))


def closed_form_of(
    metric: Metric, columns: Sequence[np.ndarray], units: np.ndarray, count: int
) -> ClosedForm | None:
    """Return the closed form of a metric; None where none is known.

    columns: (n,) each; units: (n,) int, the unit of each row, in [0, count).
    """
    if metric.per_example:
        values = np.asarray(columns[0], dtype=float)
        return ClosedForm(_sum_by_unit([values, np.ones(len(values))], units, count), _mean_of_sums)
    if metric.compute is metrics.pearson:
        return _correlation_form(columns, units, count)
    if metric.compute is metrics.spearman:
        return _correlation_form([ranks(column) for column in columns], units, count)
    return None


def ranks(values: np.ndarray) -> np.ndarray:
    """Return ranks, (n,) float, from 1; equal values get their average rank."""
    order = np.argsort(values, kind="stable")
    ordered = np.asarray(values)[order]
    starts = np.flatnonzero(np.r_[True, ordered[1:] != ordered[:-1]])
    sizes = np.diff(np.r_[starts, len(ordered)])
    averages = np.empty(len(ordered))
    averages[order] = np.repeat(starts + (sizes + 1) / 2, sizes)
    return averages


def _correlation_form(columns: Sequence[np.ndarray], units: np.ndarray, count: int) -> ClosedForm:
    # Centered first: the sums of squares would cancel badly for data far from zero.
    left, right = (np.asarray(column, dtype=float) - np.mean(column) for column in columns)
    terms = [np.ones(len(left)), left, right, left * left, right * right, left * right]
    return ClosedForm(_sum_by_unit(terms, units, count), _pearson_of_sums)


def _sum_by_unit(terms: Sequence[np.ndarray], units: np.ndarray, count: int) -> np.ndarray:
    return np.column_stack([np.bincount(units, weights=term, minlength=count) for term in terms])


def _mean_of_sums(sums: np.ndarray) -> np.ndarray:
    total, rows = sums[..., 0], sums[..., 1]
    return np.where(rows > 0, total / np.maximum(rows, 1), np.nan)


def _pearson_of_sums(sums: np.ndarray) -> np.ndarray:
    rows, left, right, left_square, right_square, product = np.moveaxis(sums, -1, 0)
    covariance = rows * product - left * right
    variances = (rows * left_square - left**2, rows * right_square - right**2)
    # A constant side leaves a variance of rounding errors, not of zero.
    constant = (variances[0] <= 1e-14 * rows * left_square) | (variances[1] <= 1e-14 * rows * right_square)
    scale = np.sqrt(np.where(constant, 1.0, variances[0] * variances[1]))
    return np.where(constant, np.nan, np.clip(covariance / scale, -1, 1))
