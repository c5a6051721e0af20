"""Scores and gains of positives and negatives: what ROC-AUC and average precision have in common."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from harness.stats.curve import Curve, Interval
from harness.stats.influence import example_gain_influences, example_influences
from harness.stats.rare import Needed, RareChangeCurve, fewest, passes_margin
from harness.stats.spread import Spread, effective_number, spread_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from harness.stats.answer_pair import AnswerPair, Answers

_FEWEST = 2
"""Minimum number of positives, and of negatives: the spread of one is unknown."""


@dataclass(frozen=True, slots=True)
class Classes:
    """The examples that count in either model, by class."""

    labels: np.ndarray
    """(n,) int: 1 for positives, 0 for negatives."""
    units: np.ndarray
    """(n,) int, in [0, count)."""
    count: int

    @classmethod
    def of(cls, pair: AnswerPair) -> Classes:
        """Return the classes of both models' examples."""
        labels = np.zeros(pair.examples, dtype=int)
        for answers in (pair.baseline, pair.candidate):
            labels[answers.kept] = _labels(answers)
        return cls(labels, pair.units, pair.count)

    @classmethod
    def of_one(cls, answers: Answers) -> Classes:
        """Return the classes of one model's examples."""
        return cls(_labels(answers), answers.units, answers.count)

    @property
    def positives(self) -> int:
        """Number of positives."""
        return int(self.labels.sum())

    @property
    def fewest(self) -> int:
        """Number of examples of the rarer class."""
        return int(np.bincount(self.labels, minlength=2).min())

    @property
    def rarer(self) -> int:
        """The rarer class; positives where both are as many."""
        return int(2 * self.positives <= len(self.labels))

    def spread(self, influence: np.ndarray) -> Spread:
        """Return the spread of a score or gain with such influences of examples: (n,)."""
        return spread_of(influence, self.units, self.count, self.labels)


def gain_curve(pair: AnswerPair, classes: Classes, size: float, test: str) -> Curve | None:
    """Return the curve of a gain; None with a single positive or negative.

    size: greatest loss by one example that was not seen.
    """
    if classes.fewest < _FEWEST:
        return None
    spread = classes.spread(example_gain_influences(pair))
    return _curve(pair.gain, spread, size, test, anchor=0.0, bounds=Interval(-1.0, 1.0))


def score_curve(answers: Answers, classes: Classes, size: float, test: str) -> Curve | None:
    """Return the curve of a score; None with a single positive or negative; `size` as above."""
    if classes.fewest < _FEWEST:
        return None
    spread = classes.spread(example_influences(answers))
    return _curve(answers.score, spread, size, test, anchor=answers.score, bounds=Interval(0.0, 1.0))


def _curve(
    value: float, spread: Spread, size: float, test: str, *, anchor: float, bounds: Interval
) -> RareChangeCurve:
    return RareChangeCurve(
        value,
        math.sqrt(spread.variance),
        spread.freedom,
        size * spread.design,
        test,
        anchor=anchor,
        range=1.0,
        bounds=bounds,
    )


def fewest_for_margin(
    pair: AnswerPair, margin: float, level: float, scarce: int, size: Callable[[float], float]
) -> Needed:
    """Return how many examples of a class there are, and how many a margin needs at a level.

    scarce: the class; size: greatest loss of a perfect score by one of so many examples of that class.
    Of clustered data it counts the clusters that hold examples of it.
    """
    classes = Classes.of(pair)
    what = ("negatives", "positives")[scarce]
    needed = fewest(lambda count: passes_margin(margin, size(count), count - 1, level))
    held = np.bincount(classes.units[classes.labels == scarce])
    have, informative = int(np.count_nonzero(held)), effective_number(held)
    if not pair.clustered:
        return Needed(have, what, needed)
    # Clusters of unequal size are worth fewer; as many times more of them are needed.
    return Needed(have, f"clusters with {what}", int(np.ceil(needed * have / max(informative, 1.0))))


def _labels(answers: Answers) -> np.ndarray:
    return (np.asarray(answers.columns[0], dtype=float) > 0).astype(int)
