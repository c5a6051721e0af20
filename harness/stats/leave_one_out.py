"""Correlations without each unit in turn: the exact jackknife of Pearson's and Spearman's, in closed form.

Pearson's takes a few sums. Spearman's ranks the rest anew: an example that is left out moves the ranks of all
above it, and what matters is how many examples are above two values at once. That is counted by binary
digits, so that 2,000 examples take milliseconds, and no loop over units is needed but for large clusters.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from harness.metrics import standard as metrics
from harness.stats.ranks import codes_of, count_above, ranks_of_codes, sum_above

if TYPE_CHECKING:
    from harness.stats.answer_pair import Answers

_SMALL_CLUSTER = 8
"""Maximum size of a cluster whose pairs of examples are counted; a larger one takes a pass over all rows."""

_ROUNDING = 1e-13
"""Share of the sum of squares below which what is left of it is rounding, not variance."""


def scores_without(answers: Answers) -> np.ndarray:
    """Return the correlation without each unit: (count,), in [-1, 1].

    0 where it is undefined: without the only example that differs from the others, nothing is related.
    """
    sums = _spearman_sums if answers.metric.compute is metrics.spearman else _pearson_sums
    gold, predicted = (np.asarray(column, dtype=float) for column in answers.columns)
    product, left, right = sums(gold, predicted, answers)
    scale = np.sqrt(np.maximum(left, 0) * np.maximum(right, 0))
    scores = np.divide(product, scale, out=np.zeros_like(product), where=scale > 0)
    return np.asarray(np.clip(scores, -1, 1))


def _pearson_sums(gold: np.ndarray, predicted: np.ndarray, answers: Answers) -> tuple[np.ndarray, ...]:
    """Return centered sums of products and of both squares without each unit: three of (count,)."""
    left, right = (side / (np.abs(side).max() or 1.0) for side in (gold, predicted))
    left, right = left - left.mean(), right - right.mean()
    rest = np.maximum(len(left) - answers.sizes, 1)
    left_sum, right_sum = -answers.by_unit(left), -answers.by_unit(right)

    def centered(values: np.ndarray, product_of_sums: np.ndarray) -> np.ndarray:
        return np.asarray(values.sum() - answers.by_unit(values) - product_of_sums / rest)

    squares = [centered(side * side, total**2) for side, total in ((left, left_sum), (right, right_sum))]
    for square, side in zip(squares, (left, right), strict=True):
        square[square <= _ROUNDING * (side * side).sum()] = 0.0
    return centered(left * right, left_sum * right_sum), squares[0], squares[1]


def _spearman_sums(gold: np.ndarray, predicted: np.ndarray, answers: Answers) -> tuple[np.ndarray, ...]:
    """Return sums of products and of both squares of the centered ranks of the rest: three of (count,).

    A rank of the rest is the old one, centered, minus a shift: how many of the unit's examples are below it,
    and half of those that equal it, minus half of the unit's size.
    """
    count, sizes = len(gold), answers.sizes.astype(float)
    gold, predicted = codes_of(gold), codes_of(predicted)
    left, right = (ranks_of_codes(side) - (count + 1) / 2 for side in (gold, predicted))
    of_left, of_right = (answers.by_unit(count / 2 - side) for side in (left, right))
    both = _sum_of_products(gold, predicted, answers)
    # Over all examples, those of the unit too ...
    shifts = both - sizes / 2 * (of_left + of_right) + count * sizes**2 / 4
    moved = answers.by_unit(sum_above(predicted, left) + sum_above(gold, right))
    # ... and then without them: their shift is their rank within the unit.
    own_left, own_right = (
        side - (_ranks_within(values, answers) - 0.5 - answers.sizes[answers.units] / 2)
        for side, values in ((left, gold), (right, predicted))
    )
    product = (left * right).sum() - moved + shifts - answers.by_unit(own_left * own_right)
    return product, _squares(gold, answers), _squares(predicted, answers)


def _squares(codes: np.ndarray, answers: Answers) -> np.ndarray:
    """Return the sum of squares of the centered ranks of the rest: (n³ − n − Σ (t³ − t)) / 12 with ties t."""
    ties = np.bincount(codes).astype(float)
    keys, drawn = np.unique(answers.units * len(ties) + codes, return_counts=True)
    units, before = keys // len(ties), ties[keys % len(ties)]
    change = _cubic(before) - _cubic(before - drawn)
    lost = np.bincount(units, weights=change, minlength=answers.count)
    squares = np.asarray((_cubic(len(codes) - answers.sizes) - _cubic(ties).sum() + lost) / 12)
    squares[squares < 0.25] = 0.0
    return squares


def _cubic(size: np.ndarray) -> np.ndarray:
    size = np.asarray(size, dtype=float)
    return np.asarray(size**3 - size)


def _ranks_within(codes: np.ndarray, answers: Answers) -> np.ndarray:
    """Return the average rank of each example among those of its unit: (n,), from 1."""
    keys = answers.units * (int(codes.max()) + 1) + codes
    starts = np.cumsum(answers.sizes) - answers.sizes
    return np.asarray(ranks_of_codes(codes_of(keys)) - starts[answers.units])


def _sum_of_products(gold: np.ndarray, predicted: np.ndarray, answers: Answers) -> np.ndarray:
    """Return Σ A·B over all examples for each unit, (count,).

    A: how many of the unit's examples an example is above by gold, and half of those it equals; B: the same
    by predictions.
    """
    sums = np.zeros(answers.count)
    small = np.flatnonzero(answers.sizes[answers.units] <= _SMALL_CLUSTER)
    first, second = _pairs_within(answers.units[small])
    first, second = small[first], small[second]
    above = count_above(gold, predicted, gold[first], predicted[second])
    sums += np.bincount(answers.units[first], weights=above, minlength=answers.count)
    for unit in np.flatnonzero(answers.sizes > _SMALL_CLUSTER):
        inside = answers.units == unit
        below = [_count_below(side, inside) for side in (gold, predicted)]
        sums[unit] = (below[0] * below[1]).sum()
    return sums


def _count_below(codes: np.ndarray, inside: np.ndarray) -> np.ndarray:
    """Count for each example those inside that are below it, and half of those that equal it: (n,)."""
    equal = np.bincount(codes[inside], minlength=int(codes.max()) + 1)
    return np.asarray((equal.cumsum() - equal / 2)[codes])


def _pairs_within(units: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return positions of all ordered pairs of rows that share a unit, each row with itself too."""
    order = np.argsort(units, kind="stable")
    sizes = np.unique(units, return_counts=True)[1]
    partners = np.repeat(sizes, sizes)
    starts = np.repeat(np.cumsum(sizes) - sizes, sizes)
    first = np.repeat(np.arange(len(units)), partners)
    offset = np.arange(len(first)) - np.repeat(np.cumsum(partners) - partners, partners)
    return order[first], order[np.repeat(starts, partners) + offset]
