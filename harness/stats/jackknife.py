"""Scores and gains by any other metric: units, or groups of them, are left out in turn.

Nothing is known of such a metric, so changes that were not seen are taken to be as large as the largest that
one unit makes in either model. If no unit moves its score, nothing is known of its error either.

The jackknife is far off for a metric that jumps, as a median or a best threshold does. Halves of the units
are therefore compared as well (balanced repeated replication: McCarthy, 1969, "Pseudo-replication: half
samples"), and the larger error counts.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from harness.stats.curve import Interval
from harness.stats.influence import groups_of, score_influences, standard_error
from harness.stats.rare import RareChangeCurve
from harness.stats.spread import effective_number
from harness.stats.unseen_share import bounds_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from harness.stats.answer_pair import AnswerPair, Answers
    from harness.stats.curve import Curve


_TEST = "jackknife, rare losses"

_SPLITS = 50
"""Number of times that the units are divided into halves."""


@dataclass(frozen=True, slots=True)
class _Measured:
    """What leaving out and halving say of a score or a gain."""

    value: float
    influence: np.ndarray
    largest: float
    """Largest influence of a unit on it, or on either score that it is the difference of."""
    answers: Answers
    resampled: Callable[[np.ndarray], np.ndarray]


def gain_curve(pair: AnswerPair) -> Curve | None:
    """Return the curve of a gain; None where no unit moves either score."""
    sides = [score_influences(answers) for answers in (pair.baseline, pair.candidate)]
    influence = sides[1] - sides[0]
    largest = float(np.abs([*sides, influence]).max())
    measured = _Measured(pair.gain, influence, largest, pair.candidate, pair.resampled)
    low, high = bounds_of(pair.metric)
    return _curve(measured, anchor=0.0, bounds=Interval(low - high, high - low))


def score_curve(answers: Answers) -> Curve | None:
    """Return the curve of a score; None where no unit moves it."""
    influence = score_influences(answers)
    largest = float(np.abs(influence).max())
    measured = _Measured(answers.score, influence, largest, answers, answers.resampled)
    return _curve(measured, anchor=answers.score, bounds=bounds_of(answers.metric))


def _curve(measured: _Measured, *, anchor: float, bounds: Interval) -> Curve | None:
    answers = measured.answers
    groups = groups_of(answers)
    error, halves = standard_error(measured.influence), _error_of_halves(measured.resampled, answers.count)
    # Rounding moves a score in its last bits: that is no influence.
    if max(measured.largest, halves) <= 1e-12 * max(1.0, abs(measured.value)):
        return None
    # A unit's share of its group's change was that of the root; all of it may be one unit's.
    size = measured.largest * math.sqrt(math.ceil(answers.count / groups))
    # Large units carry more of the variance than small ones: there are fewer degrees of freedom (Kish, 1965).
    freedom = min(effective_number(answers.sizes), groups, _SPLITS if halves > error else math.inf) - 1
    return RareChangeCurve(
        measured.value, max(error, halves), freedom, size, _TEST, anchor=anchor, bounds=bounds
    )


def _error_of_halves(resampled: Callable[[np.ndarray], np.ndarray], count: int) -> float:
    """Return the standard error from the differences of halves; 0 where most have no score."""
    generator = np.random.default_rng(count)
    first = np.zeros((_SPLITS, count))
    for row in first:
        row[generator.permutation(count)[: count // 2]] = 1
    differences = (resampled(first) - resampled(1 - first)) / 2
    known = differences[np.isfinite(differences)]
    return float(np.sqrt(np.mean(known**2))) if len(known) > _SPLITS / 2 else 0.0
