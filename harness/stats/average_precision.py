"""Scores and gains by average precision."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from harness.stats.curve import Curve, StudentCurve
from harness.stats.influence import influences, score_influences, standard_error
from harness.stats.unseen import UnseenCurve, bounds_of

if TYPE_CHECKING:
    from harness.stats.paired import Answers, Paired


def gain_curve(pair: Paired) -> Curve | None:
    """Return the curve of a gain: Student's t on the influences of units."""
    error = standard_error(influences(pair))
    return StudentCurve(pair.gain, error, pair.count - 1) if math.isfinite(error) else None


def score_curve(answers: Answers) -> Curve | None:
    """Return the curve of a score: Student's t on the influences of units."""
    error, bounds = standard_error(score_influences(answers)), bounds_of(answers.metric)
    if error == 0 and math.isfinite(bounds.high):
        return UnseenCurve(answers.score, answers.count, bounds, "exact")
    if not error > 0:
        return None
    return StudentCurve(answers.score, error, answers.count - 1, bounds)
