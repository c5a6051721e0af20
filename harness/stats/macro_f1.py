"""Scores and gains by macro-F1.

Variance: the jackknife. Losses that were not seen count, too (`harness.stats.rare`); the greatest is
an example of the smallest class that is taken for one of the next.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from harness.stats.curve import Curve, Interval
from harness.stats.influence import example_gain_influences, example_influences
from harness.stats.rare import Evidence, RareChangeCurve, fewest, passes_margin
from harness.stats.spread import spread_of

if TYPE_CHECKING:
    from harness.stats.paired import Answers, Paired


def gain_curve(pair: Paired) -> Curve:
    """Return the curve of a gain: the jackknife's, and losses not seen."""
    one_class = np.zeros(pair.examples, dtype=int)
    spread = spread_of(example_gain_influences(pair), pair.units, pair.count, one_class)
    return RareChangeCurve(
        pair.gain,
        math.sqrt(spread.variance),
        spread.freedom,
        _size(_class_sizes(pair.baseline)) * spread.design,
        "jackknife",
        range=1.0,
        bounds=Interval(-1.0, 1.0),
    )


def score_curve(answers: Answers) -> Curve:
    """Return the curve of a score: Wilson's, of as many answers as the jackknife's variance says."""
    rows = len(answers.units)
    spread = spread_of(example_influences(answers), answers.units, answers.count, np.zeros(rows, dtype=int))
    return RareChangeCurve(
        answers.score,
        math.sqrt(spread.variance),
        spread.freedom,
        _size(_class_sizes(answers)) * spread.design,
        "jackknife",
        anchor=answers.score,
        range=1.0,
        bounds=Interval(0.0, 1.0),
    )


def fewest_for_margin(pair: Paired, margin: float) -> Evidence:
    """Return the size of the smallest class, and what a margin needs if both models are perfect.

    Other classes grow with it.
    """
    sizes = _class_sizes(pair.baseline)
    freedom = pair.count - 1

    def passes(smallest: int) -> bool:
        factor = smallest / sizes[0]
        return passes_margin(margin, _size(sizes * factor), max(1.0, freedom * factor))

    return Evidence(int(sizes[0]), "examples of the smallest class", fewest(passes))


def _class_sizes(answers: Answers) -> np.ndarray:
    """Return the number of examples of each class, ascending."""
    return np.sort(np.unique(np.asarray(answers.columns[0]), return_counts=True)[1])


def _size(sizes: np.ndarray) -> float:
    """Return the greatest loss of a perfect score by one example: F1 of its class and of another fall."""
    smallest, other = sizes[0], sizes[1] if len(sizes) > 1 else 0
    return float((1 / (2 * smallest - 1) + 1 / (2 * other + 1)) / max(2, len(sizes)))
