"""Scores and gains by average precision.

Variance: the jackknife over examples, of positives and of negatives. Losses that were not seen count, too
(`harness.stats.rare`): each is taken to be as large as the largest that one example makes in either model,
and a lost positive at least. A negative above all positives takes several times as much from a score near 1:
if so few are expected that none may be seen, the interval is too short (docs/statistics.md).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from harness.stats import two_classes
from harness.stats.curve import LEVEL
from harness.stats.influence import example_gain_influences, example_influences
from harness.stats.two_classes import Classes

if TYPE_CHECKING:
    from harness.stats.answer_pair import AnswerPair, Answers
    from harness.stats.curve import Curve
    from harness.stats.rare import Needed

_POSITIVE = 1

_TEST = "jackknife, rare losses"


def gain_curve(pair: AnswerPair) -> Curve | None:
    """Return the curve of a gain: the jackknife's, and losses not seen; None with one of a class."""
    classes = Classes.of(pair)
    sides = (example_influences(pair.baseline), example_influences(pair.candidate))
    size = _greatest_loss(classes, *sides, example_gain_influences(pair))
    return two_classes.gain_curve(pair, classes, size, _TEST)


def score_curve(answers: Answers) -> Curve | None:
    """Return the curve of a score: the jackknife's, and losses not seen; None with one of a class."""
    classes = Classes.of_one(answers)
    size = _greatest_loss(classes, example_influences(answers))
    return two_classes.score_curve(answers, classes, size, _TEST)


def fewest_for_margin(pair: AnswerPair, margin: float, level: float = LEVEL) -> Needed:
    """Return how many positives there are, and how many a margin needs if both models are perfect."""
    return two_classes.fewest_for_margin(pair, margin, level, _POSITIVE, lambda count: 1 / count)


def _greatest_loss(classes: Classes, *influences: np.ndarray) -> float:
    """Return the greatest loss by one example: the largest influence, and that of a positive at least."""
    return max(1 / max(1, classes.positives), *(float(np.abs(each).max()) for each in influences))
