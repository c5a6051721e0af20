"""Scores and gains by macro-F1.

Variance: the jackknife. Losses that were not seen count, too (`harness.stats.rare`); the greatest is
an example of the smallest class that is taken for one of the next.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from harness.stats.curve import LEVEL, Curve, Interval
from harness.stats.influence import example_gain_influences, example_influences
from harness.stats.rare import Needed, RareChangeCurve, fewest, passes_margin
from harness.stats.spread import freedom_by_class, spread_of

if TYPE_CHECKING:
    from harness.stats.answer_pair import AnswerPair, Answers

_TEST = "jackknife, rare losses"


def gain_curve(pair: AnswerPair) -> Curve:
    """Return the curve of a gain: the jackknife's, and losses not seen."""
    influence = example_gain_influences(pair)
    error, freedom, size = _spread(influence, _gold(pair), pair.units, pair.count)
    bounds = Interval(-1.0, 1.0)
    return RareChangeCurve(pair.gain, error, freedom, size, _TEST, range=1.0, bounds=bounds)


def score_curve(answers: Answers) -> Curve:
    """Return the curve of a score: the jackknife's, and losses not seen."""
    influence, gold = example_influences(answers), np.asarray(answers.columns[0])
    error, freedom, size = _spread(influence, gold, answers.units, answers.count)
    bounds = Interval(0.0, 1.0)
    return RareChangeCurve(
        answers.score, error, freedom, size, _TEST, anchor=answers.score, range=1.0, bounds=bounds
    )


def _spread(
    influence: np.ndarray, gold: np.ndarray, units: np.ndarray, count: int
) -> tuple[float, float, float]:
    """Return the standard error, its degrees of freedom, and the greatest loss by one unit."""
    classes = np.unique(gold, return_inverse=True)[1]
    spread = spread_of(influence, units, count, np.zeros(len(gold), dtype=int))
    # A small class carries as much of the variance as a large one, and is known from few examples.
    freedom = min(spread.freedom, freedom_by_class(influence, classes))
    return math.sqrt(spread.variance), freedom, _greatest_loss(_class_sizes(gold)) * spread.design


def fewest_for_margin(pair: AnswerPair, margin: float, level: float = LEVEL) -> Needed:
    """Return the size of the smallest class, and what a margin needs if both models are perfect.

    Other classes grow with it.
    """
    sizes = _class_sizes(_gold(pair))
    freedom = pair.count - 1

    def passes(smallest: int) -> bool:
        factor = smallest / sizes[0]
        return passes_margin(margin, _greatest_loss(sizes * factor), max(1.0, freedom * factor), level)

    return Needed(int(sizes[0]), "examples of the smallest class", fewest(passes))


def _gold(pair: AnswerPair) -> np.ndarray:
    """Return the class of each example that counts in either model: (n,)."""
    if pair.same_rows:
        return np.asarray(pair.baseline.columns[0])
    gold = np.empty(pair.examples, dtype=object)
    for answers in (pair.baseline, pair.candidate):
        gold[answers.kept] = answers.columns[0]
    return gold


def _class_sizes(gold: np.ndarray) -> np.ndarray:
    """Return the number of examples of each class, ascending."""
    return np.sort(np.unique(gold, return_counts=True)[1])


def _greatest_loss(sizes: np.ndarray) -> float:
    """Return the greatest loss of a perfect score by one example: F1 of its class and of another fall."""
    smallest, other = sizes[0], sizes[1] if len(sizes) > 1 else 0
    return float((1 / (2 * smallest - 1) + 1 / (2 * other + 1)) / max(2, len(sizes)))
