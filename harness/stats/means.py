"""Means over examples, and gains of means."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from harness.stats.curve import LEVEL, Curve, Interval, StudentCurve
from harness.stats.influence import influences, score_influences, standard_error
from harness.stats.proportions import mcnemar, tango
from harness.stats.unseen import UnseenCurve

if TYPE_CHECKING:
    from harness.stats.paired import Answers, Paired


def gain_curve(pair: Paired) -> Curve:
    """Return the curve of a gain of means: McNemar's and Tango's for right and wrong, else Student's t."""
    if flips := count_flips(pair):
        return FlipsCurve(*flips, pair.examples)
    return StudentCurve(pair.gain, standard_error(influences(pair)), pair.count - 1)


def score_curve(answers: Answers) -> Curve:
    """Return the curve of a mean."""
    error = standard_error(score_influences(answers))
    if error == 0:
        return UnseenCurve(answers.score, answers.count, _bounds(answers), "exact")
    return StudentCurve(answers.score, error, answers.count - 1, _bounds(answers))


def count_flips(pair: Paired) -> tuple[int, int] | None:
    """Count answers that became right, and wrong; None unless they are 0 or 1 and independent."""
    if pair.clustered or not pair.same_rows:
        return None
    left, right = pair.baseline.values, pair.candidate.values
    if not np.isin([left, right], (0.0, 1.0)).all():
        return None
    return int((right > left).sum()), int((right < left).sum())


def bounds_of_values(pair: Paired) -> Interval:
    """Return 0 and 1 for values between them; infinite for others, whose range is unknown."""
    sides = _bounds(pair.baseline), _bounds(pair.candidate)
    return sides[0].hull(sides[1])


def _bounds(answers: Answers) -> Interval:
    values = answers.values
    inside = bool(((values >= 0) & (values <= 1)).all())
    return Interval(0.0, 1.0) if inside else Interval(-math.inf, math.inf)


@dataclass(frozen=True, slots=True)
class FlipsCurve(Curve):
    """Right and wrong answers: McNemar's mid-p test, Tango's interval."""

    gained: int
    lost: int
    examples: int
    test: str = "McNemar mid-p"

    def interval(self, level: float = LEVEL) -> Interval:  # noqa: ARG002
        """Return Tango's interval."""
        return Interval(*tango(self.gained, self.lost, self.examples))

    def p(self, value: float = 0.0) -> float:
        """Return the mid-p value of no gain."""
        return mcnemar(self.gained, self.lost) if value == 0 else Curve.p(self, value)
