"""Metrics of per-example columns. Each is computed for many resamples at once.

A resample of n examples is a row of counts: how often each example is in it, 0 where it is left out.
A metric is therefore a function of its columns and of counts (B, n), and its plain score is the case of one
row of ones. So many resamples of a rank correlation take one sort and a few cumulative sums, and are exact.

Every metric is NaN where a column that it uses holds a NaN, and so are all of its resamples.
"""

from __future__ import annotations

from functools import wraps
from typing import TYPE_CHECKING

import numpy as np

from harness.metrics.interface import Metric

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import ArrayLike

    Resampled = Callable[..., np.ndarray]


def pearson(gold: ArrayLike, predicted: ArrayLike) -> float:
    """Pearson's correlation, in [-1, 1].

    gold, predicted: (n,) float, any scale.
    NaN where undefined: fewer than two examples, one side constant, or an infinite value.
    Raises ValueError if the lengths differ.
    Source: Pearson (1895), "Notes on regression and inheritance in the case of two parents".
    """
    return _once(_pearson, gold, predicted)


def spearman(gold: ArrayLike, predicted: ArrayLike) -> float:
    """Spearman's rank correlation, in [-1, 1]; the headline metric of STS.

    gold, predicted: (n,) float, any scale; ties get their average rank.
    NaN where undefined: fewer than two examples, or one side constant.
    Raises ValueError if the lengths differ.
    Source: Spearman (1904), "The proof and measurement of association between two things".
    """
    return _once(_spearman, gold, predicted)


def roc_auc(gold: ArrayLike, predicted: ArrayLike) -> float:
    """Area under the ROC curve, in [0, 1]: the chance that a positive outranks a negative; ties count half.

    gold: (n,) 1 for positives, 0 for negatives; predicted: (n,) float, any scale.
    NaN where undefined: one class is missing.
    Raises ValueError if the lengths differ.
    Source: Hanley and McNeil (1982), "The meaning and use of the area under a ROC curve".
    """
    return _once(_roc_auc, gold, predicted)


def average_precision(gold: ArrayLike, predicted: ArrayLike) -> float:
    """Average precision, in [0, 1]: the mean precision at each positive, without interpolation.

    gold: (n,) 1 for positives, 0 for negatives; predicted: (n,) float; equal scores are one threshold.
    NaN where undefined: no positive.
    Raises ValueError if the lengths differ.
    Source: Manning, Raghavan and Schütze (2008), "Introduction to Information Retrieval", 8.4.
    """
    return _once(_average_precision, gold, predicted)


def macro_f1(gold: ArrayLike, predicted: ArrayLike) -> float:
    """F1 averaged over the classes that occur in `gold` or `predicted`, in [0, 1].

    gold, predicted: (n,) class labels of any one type. A class that is never right has an F1 of 0.
    NaN where undefined: no examples.
    Raises ValueError if the lengths differ.
    Source: Sokolova and Lapalme (2009), "A systematic analysis of performance measures", 2.2.
    """
    return _once(_macro_f1, gold, predicted)


def mean(values: ArrayLike) -> float:
    """Mean of per-example values; NaN if there are none."""
    return _once(_mean, values)


def mean_metric(
    name: str,
    column: str | None = None,
    *,
    where: str | None = None,
    bounds: tuple[float, float] | None = None,
) -> Metric:
    """Return the metric that is the mean of a per-example column: accuracy, recall@k, nDCG@k, …

    column: name of the column; that of the metric if None. bounds: the least and the greatest value that a
    cell may have; None where unknown, and for the statistics 0 and 1 where all cells lie between them.
    """
    columns = (column or name,)
    return Metric(name, mean, columns=columns, where=where, per_example=True, resample=_mean, bounds=bounds)


def weighted_sums(counts: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Sum of values under each row of counts: (B, n), (n,) → (B,).

    The bits of a row do not depend on the other rows. Those of a matrix product do: BLAS chooses its kernel,
    and so the order of additions, by shape and processor.
    """
    rows = np.ascontiguousarray(counts, dtype=float)
    sums: np.ndarray = np.einsum("bn,n->b", rows, np.ascontiguousarray(values, dtype=float))
    return sums


def _once(resampled: Resampled, *columns: ArrayLike) -> float:
    arrays = [np.asarray(column) for column in columns]
    if len({len(array) for array in arrays}) > 1:
        raise ValueError(f"columns of unequal length: {[len(array) for array in arrays]}")
    return float(resampled(*arrays, np.ones((1, len(arrays[0]))))[0])


def _nan_without_data(resampled: Resampled) -> Resampled:
    """Return a metric that is NaN in all resamples if there are no rows, or a column has a NaN.

    Counts are in row-major order, so that the bits of a sum along a row do not depend on the number of rows.
    """

    @wraps(resampled)
    def guarded(*columns_and_counts: np.ndarray) -> np.ndarray:
        *columns, counts = columns_and_counts
        # Only a NaN differs from itself; np.isnan does not take class labels.
        if not counts.shape[1] or any(np.any(column != column) for column in columns):
            return np.full(len(counts), np.nan)
        return resampled(*columns, np.ascontiguousarray(counts))

    return guarded


def _quotient(numerator: np.ndarray, denominator: np.ndarray) -> np.ndarray:
    """Return the quotient; NaN where the denominator is zero."""
    undefined = denominator == 0
    return np.where(undefined, np.nan, numerator / np.where(undefined, 1, denominator))


@_nan_without_data
def _mean(values: np.ndarray, counts: np.ndarray) -> np.ndarray:
    return _quotient(weighted_sums(counts, values), counts.sum(axis=1))


@_nan_without_data
def _pearson(gold: np.ndarray, predicted: np.ndarray, counts: np.ndarray) -> np.ndarray:
    left, right = (np.asarray(side, dtype=float) for side in (gold, predicted))
    if np.isinf(left).any() or np.isinf(right).any():
        return np.full(len(counts), np.nan)
    left, right = _squarable(left), _squarable(right)
    # Centered first: the sums of squares below would cancel badly for data far from zero.
    return _weighted_correlation(left - left.mean(), right - right.mean(), counts)


def _squarable(values: np.ndarray) -> np.ndarray:
    """Return values scaled down if their squares would overflow: a correlation does not depend on scale."""
    largest = np.abs(values).max(initial=0)
    return values / largest if largest > 1e150 else values


def _weighted_correlation(left: np.ndarray, right: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """Return correlations of left and right, (n,) or (B, n), under counts (B, n); NaN if one is constant."""
    total = counts.sum(axis=1)

    def moment(values: np.ndarray) -> np.ndarray:
        summed = weighted_sums(counts, values) if values.ndim == 1 else _row_products(counts, values)
        return _quotient(summed, total)

    mean_left, mean_right = moment(left), moment(right)
    covariance = moment(left * right) - mean_left * mean_right
    square_left, square_right = moment(left * left), moment(right * right)
    variance_left = square_left - mean_left**2
    variance_right = square_right - mean_right**2
    # A constant side leaves a variance of rounding errors, not of zero.
    constant = (variance_left <= 1e-14 * square_left) | (variance_right <= 1e-14 * square_right)
    scale = np.sqrt(np.where(constant, 0, np.maximum(variance_left, 0) * np.maximum(variance_right, 0)))
    correlation: np.ndarray = np.clip(_quotient(covariance, scale), -1, 1)
    return correlation


def _row_products(counts: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Sum of counts · values in each row: (B, n), (B, n) → (B,); bits as for `weighted_sums`."""
    sums: np.ndarray = np.einsum("bn,bn->b", counts, np.ascontiguousarray(values))
    return sums


@_nan_without_data
def _spearman(gold: np.ndarray, predicted: np.ndarray, counts: np.ndarray) -> np.ndarray:
    middle = counts.sum(axis=1, keepdims=True) / 2
    return _weighted_correlation(
        _resampled_ranks(gold, counts) - middle, _resampled_ranks(predicted, counts) - middle, counts
    )


def _resampled_ranks(values: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """Average rank of every example in every resample: (B, n); meaningless where its count is 0."""
    order, starts, group = _ascending_groups(values)
    drawn = np.add.reduceat(counts[:, order], starts, axis=1)
    ranks: np.ndarray = (np.cumsum(drawn, axis=1) - (drawn - 1) / 2)[:, group]
    return ranks


def _ascending_groups(values: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return groups of equal values: the sorting order, each group's start in it, each value's group."""
    order = np.argsort(values, kind="stable")
    ordered = values[order]
    starts = np.flatnonzero(np.r_[True, ordered[1:] != ordered[:-1]])
    group = np.empty(len(values), dtype=np.intp)
    group[order] = np.repeat(np.arange(len(starts)), np.diff(np.r_[starts, len(values)]))
    return order, starts, group


def _drawn_by_score(
    gold: np.ndarray, predicted: np.ndarray, counts: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Positives and negatives drawn at each distinct score, highest score first: two (B, groups)."""
    order, starts, _ = _ascending_groups(-np.asarray(predicted, dtype=float))
    positive = np.asarray(gold, dtype=float)[order]
    drawn = counts[:, order]
    return (
        np.add.reduceat(drawn * positive, starts, axis=1),
        np.add.reduceat(drawn * (1 - positive), starts, axis=1),
    )


@_nan_without_data
def _roc_auc(gold: np.ndarray, predicted: np.ndarray, counts: np.ndarray) -> np.ndarray:
    positives, negatives = _drawn_by_score(gold, predicted, counts)
    above = np.cumsum(positives, axis=1) - positives / 2
    # Halves of whole numbers, whose sums are exact in any order.
    return _quotient((above * negatives).sum(axis=1), positives.sum(axis=1) * negatives.sum(axis=1))


@_nan_without_data
def _average_precision(gold: np.ndarray, predicted: np.ndarray, counts: np.ndarray) -> np.ndarray:
    positives, negatives = _drawn_by_score(gold, predicted, counts)
    hits = np.cumsum(positives, axis=1)
    seen = np.maximum(hits + np.cumsum(negatives, axis=1), 1)
    return _quotient(_row_products(np.ascontiguousarray(positives), hits / seen), positives.sum(axis=1))


@_nan_without_data
def _macro_f1(gold: np.ndarray, predicted: np.ndarray, counts: np.ndarray) -> np.ndarray:
    total, present = np.zeros(len(counts)), np.zeros(len(counts))
    for label in np.union1d(gold, predicted):
        hits = weighted_sums(counts, (gold == label) & (predicted == label))
        claimed = weighted_sums(counts, gold == label) + weighted_sums(counts, predicted == label)
        total += np.where(claimed > 0, 2 * hits / np.maximum(claimed, 1), 0)
        present += claimed > 0
    return _quotient(total, present)


SPEARMAN = Metric("spearman", spearman, resample=_spearman, bounds=(-1.0, 1.0))
PEARSON = Metric("pearson", pearson, resample=_pearson, bounds=(-1.0, 1.0))
ROC_AUC = Metric("roc_auc", roc_auc, resample=_roc_auc, bounds=(0.0, 1.0))
AVERAGE_PRECISION = Metric(
    "average_precision", average_precision, resample=_average_precision, bounds=(0.0, 1.0)
)
MACRO_F1 = Metric("macro_f1", macro_f1, resample=_macro_f1, bounds=(0.0, 1.0))
