"""Influence of each example on a score: the derivative by its weight, or what leaving it out does.

The influences of all examples sum to zero, and the sum of their squares estimates the score's variance
(the infinitesimal jackknife: Efron and Stein, 1981, "The jackknife estimate of variance"; Hampel, 1974, "The
influence curve and its role in robust estimation"). It takes one sort, and a bootstrap thousands.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

import numpy as np

from harness.metrics import standard as metrics
from harness.stats.ranks import codes_of, ranks_of_codes, sum_above

if TYPE_CHECKING:
    from collections.abc import Callable

    from harness.stats.answer_pair import AnswerPair, Answers

_MOST_GROUPS = 1000
"""Maximum number of random groups of units that are left out in turn, for a metric without a derivative."""

_FEW_GROUPS = 200
"""The same, for a metric that cannot be computed for many resamples at once.

It has 199 degrees of freedom, as good as normal; a rank correlation of 2,000 examples takes 0.1 to 1 ms.
"""

_BLOCK_CELLS = 4_000_000
"""Maximum number of counts held at once, 8 bytes each."""


def influences(pair: AnswerPair) -> np.ndarray:
    """Return the influence of each unit on the gain: (units,), with a sum of about zero."""
    return np.asarray(score_influences(pair.candidate) - score_influences(pair.baseline))


def score_influences(answers: Answers) -> np.ndarray:
    """Return the influence of each unit on a score: (units,), with a sum of about zero."""
    if _of_examples(answers) is None:
        return _remembered(_OF_UNITS, answers, _jackknife)
    return answers.by_unit(example_influences(answers))


def example_influences(answers: Answers) -> np.ndarray:
    """Return the influence of each example that counts on a score: (k,), with a sum of about zero.

    Raises LookupError for a metric of which only influences of units are known.
    """
    function = _of_examples(answers)
    if function is None:
        raise LookupError(f"{answers.metric.name} has no influences of examples")
    return _remembered(_OF_EXAMPLES, answers, lambda each: function(*each.columns))


def example_gain_influences(pair: AnswerPair) -> np.ndarray:
    """Return the influence of each example that counts in either model on the gain: (n,); raises as above."""
    influence = np.zeros(pair.examples)
    influence[pair.candidate.kept] += example_influences(pair.candidate)
    influence[pair.baseline.kept] -= example_influences(pair.baseline)
    return influence


def _of_examples(answers: Answers) -> Callable[..., np.ndarray] | None:
    return _mean if answers.metric.per_example else _FUNCTIONS.get(answers.metric.compute)


def _remembered(
    known: WeakKeyDictionary[Answers, np.ndarray],
    answers: Answers,
    function: Callable[[Answers], np.ndarray],
) -> np.ndarray:
    """Return what was computed before: one line asks for the same influences several times."""
    if answers not in known:
        known[answers] = function(answers)
    return known[answers]


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
    gold, predicted = codes_of(gold), codes_of(predicted)
    left, right = (ranks_of_codes(side) - (len(side) + 1) / 2 for side in (gold, predicted))
    return _correlation_influence(
        left,
        right,
        left * right + sum_above(gold, right) + sum_above(predicted, left),
        left * left + 2 * sum_above(gold, left),
        right * right + 2 * sum_above(predicted, right),
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
    predicted = codes_of(predicted)
    above = sum_above(predicted, positive)
    below = negatives - sum_above(predicted, 1 - positive)
    area = (above * (1 - positive)).sum() / (positives * negatives)
    of_positives, of_negatives = (
        (below / negatives - area) / positives,
        (above / positives - area) / negatives,
    )
    return np.asarray(np.where(positive > 0, of_positives, of_negatives))


def _average_precision(gold: np.ndarray, predicted: np.ndarray) -> np.ndarray:
    """Leave each example out; exactly, since a few positives move it far from linearly.

    Without a positive, it and all positives below it have one hit less and one example less above; without a
    negative, all positives below it have one example less.
    """
    order = np.argsort(-np.asarray(predicted, dtype=float), kind="stable")
    ordered, positive = np.asarray(predicted)[order], np.asarray(gold, dtype=float)[order]
    starts = np.flatnonzero(np.r_[True, ordered[1:] != ordered[:-1]])
    lengths = np.diff(np.r_[starts, len(ordered)])
    own, seen = np.add.reduceat(positive, starts), np.cumsum(lengths)
    hits, fewer, total = np.cumsum(own), np.maximum(seen - 1, 1), positive.sum()
    above = np.cumsum(own * hits / seen) - own * hits / seen
    hit_less, miss_less = own * (hits - 1) / fewer, own * hits / fewer
    tied = (own - 1) * (hits - 1) / fewer
    without_positive = (above + tied + _from_here(hit_less) - hit_less) / max(total - 1, 1)
    without_negative = (above + _from_here(miss_less)) / total
    without = np.empty(len(ordered))
    without[order] = np.where(
        positive > 0, np.repeat(without_positive, lengths), np.repeat(without_negative, lengths)
    )
    # Without the only positive there is no score.
    return _moved(without if total > 1 else np.where(np.asarray(gold) > 0, np.nan, without))


def _from_here(values: np.ndarray) -> np.ndarray:
    return np.asarray(values[::-1].cumsum()[::-1])


def _macro_f1(gold: np.ndarray, predicted: np.ndarray) -> np.ndarray:
    """Leave each example out: it counts in its class, and in the one that was predicted."""
    labels, codes = np.unique(np.concatenate([gold, predicted]), return_inverse=True)
    gold, predicted = codes[: len(gold)], codes[len(gold) :]
    right = gold == predicted
    hits = np.bincount(gold[right], minlength=len(labels))
    claimed = np.bincount(codes, minlength=len(labels))
    scores = 2 * hits / claimed
    less = {
        (hit, claims): _ratio(2 * (hits - hit), claimed - claims) - scores for hit, claims in ((1, 2), (0, 1))
    }
    change = np.where(right, less[1, 2][gold], less[0, 1][gold] + less[0, 1][predicted])
    # A class may vanish with its only example, or its only prediction.
    gone = np.where(right, claimed[gold] == 2, (claimed[gold] == 1) * 1 + (claimed[predicted] == 1))
    return _moved(_ratio(scores.sum() + change, len(labels) - gone, undefined=np.nan))


def _ratio(numerator: np.ndarray, denominator: np.ndarray, undefined: float = 0.0) -> np.ndarray:
    empty = denominator <= 0
    return np.where(empty, undefined, numerator / np.where(empty, 1, denominator))


def _moved(without: np.ndarray) -> np.ndarray:
    """Return influences from the scores without each of n parts: (n,); 0 where that is undefined."""
    if not np.isfinite(without).any():
        return np.zeros(len(without))
    moved = (np.nanmean(without) - without) * (len(without) - 1) / len(without)
    return np.where(np.isfinite(without), moved, 0.0)


_FUNCTIONS: dict[Callable[..., float], Callable[..., np.ndarray]] = {
    metrics.pearson: _pearson,
    metrics.spearman: _spearman,
    metrics.roc_auc: _roc_auc,
    metrics.average_precision: _average_precision,
    metrics.macro_f1: _macro_f1,
}

_OF_EXAMPLES: WeakKeyDictionary[Answers, np.ndarray] = WeakKeyDictionary()
_OF_UNITS: WeakKeyDictionary[Answers, np.ndarray] = WeakKeyDictionary()


def groups_of(answers: Answers) -> int:
    """Return the number of groups of units that are left out in turn; that of units, if they are few."""
    most = _FEW_GROUPS if answers.metric.resample is None else _MOST_GROUPS
    return min(answers.count, most)


def _jackknife(answers: Answers) -> np.ndarray:
    """Return the influence of each unit by leaving it out; of many units, a group of them at a time."""
    count = answers.count
    groups = groups_of(answers)
    # Groups must not depend on the order of units: neighbors may be alike.
    group = np.random.default_rng(count).permutation(np.arange(count) % groups)
    without = np.empty(groups)
    block = max(1, _BLOCK_CELLS // max(len(answers.units), 1))
    for start in range(0, groups, block):
        left_out = np.arange(start, min(start + block, groups))
        without[left_out] = answers.resampled((group != left_out[:, None]).astype(float))
    # Equal parts of a group's influence have squares that sum to less than its own: divide by the root.
    return np.asarray((_moved(without) / np.sqrt(np.bincount(group, minlength=groups)))[group])
