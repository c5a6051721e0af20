"""Gains between the models of a board as `harness compare` has them: each pair's own curve."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from harness.stats.answer_pair import AnswerPair
from harness.stats.curve import Interval
from harness.stats.detectable import bounds_of_scores
from harness.stats.flip_curves import FEW_COINS
from harness.stats.gain import gain_of
from harness.stats.means import FEW
from harness.stats.several_tasks import mean_interval, shared_doubt
from harness.stats.unseen_share import unseen_share

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from harness.metrics.interface import Metric
    from harness.stats.gain import Gain

_CLEAR = 4.0
"""Standard errors, beyond what was not seen, from which no curve doubts that a gain is one."""


@dataclass(frozen=True, eq=False)
class PairGains:
    """The answers of a board's models, and the gains between them."""

    metric: Metric
    columns: list[tuple[list[np.ndarray], np.ndarray | None]]
    """Of each model: columns of the metric, (n,) each, and which rows count; None where all do."""
    units: np.ndarray
    """(n,): name of each example's unit."""
    hashes: list[str | None]
    """Of each model: hash of its predictions; the very same have no doubt."""
    parts: np.ndarray
    """(models, units): see `harness.stats.pairwise.Parts`."""
    _known: dict[tuple[int, int], Gain] = field(default_factory=dict)

    def gain(self, candidate: int, baseline: int) -> Gain:
        """Return the gain of a model over another, by their positions."""
        if (candidate, baseline) not in self._known:
            pair = self._pair(candidate, baseline)
            same = self.hashes[candidate] is not None and self.hashes[candidate] == self.hashes[baseline]
            self._known[candidate, baseline] = gain_of(pair, identical=same)
        return self._known[candidate, baseline]

    def doubtful(self, candidate: int, others: np.ndarray) -> np.ndarray:
        """Return over which of the others few units decide a gain, or few are against it: (k,) bool.

        Where many do both, a pair's own curve is what the signs of its units say.
        """
        moves = self.parts[candidate] - self.parts[others]
        moves *= np.where(moves.sum(axis=1) < 0, -1.0, 1.0)[:, None]
        squared = moves**2
        few = squared.sum(axis=1) ** 2 <= FEW_COINS * (squared**2).sum(axis=1)
        return np.asarray(few | ((moves < 0).sum(axis=1) < FEW))

    @cached_property
    def unseen(self) -> float:
        """What units that were not seen could add to a gain; infinite where the range is unknown."""
        low, high = bounds_of_scores(self._pair(0, -1))
        return unseen_share(self.parts.shape[1]) * (high - low)

    def _pair(self, candidate: int, baseline: int) -> AnswerPair:
        return AnswerPair.of(self.metric, self.columns[baseline], self.columns[candidate], self.units)


@dataclass(frozen=True, eq=False)
class MeanGains:
    """Mean gains between models over tasks; of one task, its gains."""

    tasks: Sequence[PairGains]
    rows: Sequence[Sequence[int]]
    """Of each task: positions of the models there."""

    @property
    def labels(self) -> list[tuple[str, ...]]:
        """Of each model: equal where two gave the very same answers on all tasks."""
        return [
            tuple(
                task.hashes[position] or f"{position}"
                for task, position in zip(self.tasks, positions, strict=True)
            )
            for positions in zip(*self.rows, strict=True)
        ]

    def interval(self, candidate: int, baseline: int) -> Interval:
        """Return the 95 % interval of the mean gain of a model over another; NaN where there is none."""
        gains = [
            task.gain(own[candidate], own[baseline]) for task, own in zip(self.tasks, self.rows, strict=True)
        ]
        if len(gains) == 1:
            return Interval(gains[0].low, gains[0].high)
        ends = [Interval(gain.low, gain.high) for gain in gains]
        return mean_interval([gain.value for gain in gains], ends, shared_doubt(gains))

    def unsure(self, scores: np.ndarray, differ: np.ndarray) -> Iterator[tuple[int, int]]:
        """Yield the pairs that are said to differ, and whose own interval contains 0.

        scores: (models,); differ: (models, models) bool. Only pairs of which few units decide are asked, and
        whose gain is not far beyond what those could hide.
        """
        for model in range(len(scores)):
            others = np.flatnonzero(differ[model, model + 1 :]) + model + 1
            for other in others[self._close(scores, model, others)].tolist():
                low, high = self.interval(model, other)
                if low <= 0 <= high:
                    yield model, other

    def lead_errors(self, scores: np.ndarray, leader: int) -> np.ndarray:
        """Return standard errors of the leads of a model as wide as their curves: (models,); 0 if unknown.

        By the side of the interval on which the lead would be lost.
        """
        from harness.stats.proportions import Z_95

        errors = np.zeros(len(scores))
        others = np.delete(np.arange(len(scores)), leader)
        for other in others[self._close(scores, leader, others, leads=True)].tolist():
            low, high = self.interval(leader, other)
            lead = scores[leader] - scores[other]
            errors[other] = (max(lead - low, high - lead) if lead == 0 else lead - low) / Z_95
        return np.nan_to_num(errors)

    def _close(
        self, scores: np.ndarray, model: int, others: np.ndarray, *, leads: bool = False
    ) -> np.ndarray:
        """Return which of the others are close enough for a pair's own curve to matter: (k,) bool.

        leads: also those of which many units decide.
        """
        asked, squares, unseen = np.full(len(others), leads), np.zeros(len(others)), 0.0
        for task, own in zip(self.tasks, self.rows, strict=True):
            there = np.asarray(own)[others]
            if not leads:
                asked |= task.doubtful(own[model], there)
            squares += ((task.parts[own[model]] - task.parts[there]) ** 2).sum(axis=1)
            unseen += task.unseen
        count = len(self.tasks)
        gains = np.abs(scores[model] - scores[others])
        return np.asarray(asked & ~(gains > (_CLEAR * np.sqrt(squares) + unseen) / count))
