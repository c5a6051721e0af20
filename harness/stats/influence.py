"""Influence of each example on a score: the derivative of the score by the example's weight.

The influences of all examples sum to zero, and the sum of their squares estimates the score's variance
(the infinitesimal jackknife: Efron and Stein, 1981, "The jackknife estimate of variance"; Hampel, 1974, "The
influence curve and its role in robust estimation"). It takes one sort, and a bootstrap thousands.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from harness.metrics import standard as metrics
from harness.stats.ranks import ranks

if TYPE_CHECKING:
    from collections.abc import Callable

    from harness.stats.paired import Answers, Paired

MOST_GROUPS = 1000
"""Maximum number of random groups of units that are left out in turn, for a metric without a derivative."""

_BLOCK_CELLS = 4_000_000
"""Maximum number of counts held at once, 8 bytes each."""


def influences(pair: Paired) -> np.ndarray:
    """Return the influence of each unit on the gain: (units,), with a sum of about zero."""
    return np.asarray(score_influences(pair.candidate) - score_influences(pair.baseline))


def score_influences(answers: Answers) -> np.ndarray:
    """Return the influence of each unit on a score: (units,), with a sum of about zero."""
    derivative = _mean if answers.metric.per_example else _DERIVATIVES.get(answers.metric.compute)
    if derivative is None:
        return _jackknife(answers)
    return answers.by_unit(derivative(*answers.columns))


def standard_error(influence: np.ndarray) -> float:
    """Return the standard error of a score from influences, (units,); 0 where all are equal.

    NaN for fewer than two units.
    """
    count = len(influence)
    if count < 2:
        return float("nan")
    return float(np.sqrt(count / (count - 1) * np.sum((influence - influence.mean()) ** 2)))


def _mean(values: np.ndarray) -> np.ndarray:
    values = np.asarray(values, dtype=float)
    return np.asarray((values - values.mean()) / len(values))


def _pearson(gold: np.ndarray, predicted: np.ndarray) -> np.ndarray:
    left, right = (np.asarray(side, dtype=float) - np.mean(side) for side in (gold, predicted))
    return _correlation_influence(left, right, left * right, left * left, right * right)


def _spearman(gold: np.ndarray, predicted: np.ndarray) -> np.ndarray:
    """An example moves the ranks of all examples above it, too (by half, at a tie)."""
    left, right = (ranks(side) - (len(side) + 1) / 2 for side in (gold, predicted))
    return _correlation_influence(
        left,
        right,
        left * right + _sum_above(gold, right) + _sum_above(predicted, left),
        left * left + 2 * _sum_above(gold, left),
        right * right + 2 * _sum_above(predicted, right),
    )


def _correlation_influence(left: np.ndarray, right: np.ndarray, *moved: np.ndarray) -> np.ndarray:
    """Return the derivative of a correlation from those of its covariance and of both variances."""
    covariance, left_square, right_square = (left * right).sum(), (left * left).sum(), (right * right).sum()
    product, left_moved, right_moved = moved
    correlation = covariance / np.sqrt(left_square * right_square)
    return np.asarray(
        product / np.sqrt(left_square * right_square)
        - correlation / 2 * (left_moved / left_square + right_moved / right_square)
    )


def _roc_auc(gold: np.ndarray, predicted: np.ndarray) -> np.ndarray:
    """A positive counts the share of negatives below it, a negative that of positives above it."""
    positive = np.asarray(gold, dtype=float)
    negatives, positives = (1 - positive).sum(), positive.sum()
    above = _sum_above(predicted, positive)
    below = negatives - _sum_above(predicted, 1 - positive)
    area = (above * (1 - positive)).sum() / (positives * negatives)
    of_positives, of_negatives = (
        (below / negatives - area) / positives,
        (above / positives - area) / negatives,
    )
    return np.asarray(np.where(positive > 0, of_positives, of_negatives))


def _sum_above(values: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Return for each value the weights of all greater values, and half of those of equal ones: (n,)."""
    order = np.argsort(values, kind="stable")
    ordered = np.asarray(values)[order]
    starts = np.flatnonzero(np.r_[True, ordered[1:] != ordered[:-1]])
    tied = np.add.reduceat(weights[order], starts)
    greater = tied[::-1].cumsum()[::-1] - tied
    sums = np.empty(len(ordered))
    sums[order] = np.repeat(greater + tied / 2, np.diff(np.r_[starts, len(ordered)]))
    return sums


_DERIVATIVES: dict[Callable[..., float], Callable[..., np.ndarray]] = {
    metrics.pearson: _pearson,
    metrics.spearman: _spearman,
    metrics.roc_auc: _roc_auc,
}


def _jackknife(answers: Answers) -> np.ndarray:
    """Return the influence of each unit by leaving it out; of many units, a group of them at a time."""
    count = answers.count
    groups = min(count, MOST_GROUPS)
    # Groups must not depend on the order of units: neighbors may be alike.
    group = np.random.default_rng(count).permutation(np.arange(count) % groups)
    without = np.empty(groups)
    block = max(1, _BLOCK_CELLS // max(len(answers.units), 1))
    for start in range(0, groups, block):
        left_out = np.arange(start, min(start + block, groups))
        without[left_out] = answers.resampled((group != left_out[:, None]).astype(float))
    whole = np.nanmean(without)
    # A score may be undefined without a group, as without the only positive: its influence is unknown.
    moved = np.where(np.isfinite(without), (whole - without) * (groups - 1) / groups, 0.0)
    # Equal parts of a group's influence have squares that sum to less than its own: divide by the root.
    return np.asarray((moved / np.sqrt(np.bincount(group, minlength=groups)))[group])
