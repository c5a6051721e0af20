"""Scores and gains by ROC-AUC.

Variance: DeLong, DeLong and Clarke-Pearson (1988), "Comparing the areas under two or more correlated receiver
operating characteristic curves: a nonparametric approach"; by clusters: Obuchowski (1997), "Nonparametric
analysis of clustered ROC curve data". It is zero for perfect answers, and far too small near 1 and with few
positives; there losses that were not seen count (`harness.stats.rare`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.stats import two_classes
from harness.stats.curve import LEVEL
from harness.stats.two_classes import Classes

if TYPE_CHECKING:
    from harness.stats.answer_pair import AnswerPair, Answers
    from harness.stats.curve import Curve
    from harness.stats.rare import Needed

_TEST = "DeLong, rare losses"
"""Not the p-value of DeLong's test: losses that were not seen count, too."""


def gain_curve(pair: AnswerPair) -> Curve | None:
    """Return the curve of a gain: DeLong's variance, and losses not seen; None with one of a class.

    The greatest loss by one example is that of one of the rarer class which changes from right to wrong.
    """
    classes = Classes.of(pair)
    return two_classes.gain_curve(pair, classes, 1 / max(1, classes.fewest), _TEST)


def score_curve(answers: Answers) -> Curve | None:
    """Return the curve of a score, as for a gain."""
    classes = Classes.of_one(answers)
    return two_classes.score_curve(answers, classes, 1 / max(1, classes.fewest), _TEST)


def fewest_for_margin(pair: AnswerPair, margin: float, level: float = LEVEL) -> Needed:
    """Return how many of the rarer class there are, and how many two perfect models need for a margin."""
    return two_classes.fewest_for_margin(pair, margin, level, Classes.of(pair).rarer, lambda count: 1 / count)
