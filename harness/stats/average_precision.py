"""Scores and gains by average precision.

Variance: the jackknife over examples, of positives and of negatives. Losses that were not seen count, too
(`harness.stats.rare`). For a gain the greatest is a negative above all positives, which takes several times
as much as a lost positive. For a score it is a lost positive: the other would make intervals twice as wide.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from harness.stats import two_classes
from harness.stats.two_classes import Classes

if TYPE_CHECKING:
    from harness.stats.curve import Curve
    from harness.stats.paired import Answers, Paired
    from harness.stats.rare import Evidence

_POSITIVE = 1


def gain_curve(pair: Paired) -> Curve | None:
    """Return the curve of a gain: the jackknife's, and losses not seen; None with one of a class."""
    classes = Classes.of(pair)
    losses = [_loss_by_a_negative(answers) for answers in (pair.baseline, pair.candidate)]
    size = max(1 / max(1, classes.positives), *losses)
    return two_classes.gain_curve(pair, classes, size, "jackknife")


def score_curve(answers: Answers) -> Curve | None:
    """Return the curve of a score: the jackknife's, and losses not seen; None with one of a class."""
    classes = Classes.of_one(answers)
    return two_classes.score_curve(answers, classes, 1 / max(1, classes.positives), "jackknife")


def fewest_for_margin(pair: Paired, margin: float) -> Evidence:
    """Return how many positives there are, and how many a margin needs if both models are perfect."""
    return two_classes.fewest_for_margin(pair, margin, _POSITIVE, loss_of_a_perfect_score)


def loss_of_a_perfect_score(positives: float) -> float:
    """Return how much one negative above so many positives takes from a score of 1, or a lost positive.

    The positive at rank i falls to a precision of i / (i + 1), so the mean loses (1/2 + … + 1/(m + 1)) / m.
    """
    from scipy.special import digamma

    harmonic = float(digamma(positives + 2) - digamma(2))
    return max(1.0, harmonic) / positives


def _loss_by_a_negative(answers: Answers) -> float:
    """Return how much one more negative takes from the score, above all else."""
    gold, predicted = answers.columns
    worse = answers.metric.compute(np.r_[gold, 0], np.r_[np.asarray(predicted, dtype=float), np.inf])
    return answers.score - float(worse)
