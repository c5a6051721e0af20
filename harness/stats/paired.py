"""Answers of two models to the same examples, side by side, as one metric sees them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from harness.stats.bootstrap import resampled_scores
from harness.stats.closed_form import ClosedForm, closed_form_of

if TYPE_CHECKING:
    from harness.metrics.interface import Metric


@dataclass(frozen=True, slots=True, eq=False)
class Answers:
    """One model's columns of a metric: rows that do not count (`where`) are left out."""

    columns: list[np.ndarray]
    kept: np.ndarray
    """(n,) bool: the rows that count."""

    def score(self, metric: Metric) -> float:
        """The metric of the rows that count."""
        return float(metric.compute(*self.columns))

    def resampled(self, metric: Metric, counts: np.ndarray) -> np.ndarray:
        """The metric of many resamples: (B,); counts (B, n) says how often each example was drawn."""
        drawn = counts if self.kept.all() else counts[:, self.kept]
        return resampled_scores(metric, self.columns, drawn)


@dataclass(frozen=True, eq=False)
class Paired:
    """Both models' answers by one metric, and the unit that each example belongs to.

    A unit is what was drawn independently: the cluster where examples have one, else the example.
    """

    metric: Metric
    baseline: Answers
    candidate: Answers
    units: np.ndarray
    """(n,) int: the unit of each example, from 0 on without gaps."""

    @classmethod
    def of(
        cls,
        metric: Metric,
        baseline: tuple[list[np.ndarray], np.ndarray | None],
        candidate: tuple[list[np.ndarray], np.ndarray | None],
        clusters: np.ndarray,
    ) -> Paired:
        """Put two models' columns (n,) side by side, with the rows that count (all when None).

        Units without a row that counts in either model are left out.
        """
        every = np.ones(len(clusters), dtype=bool)
        masks = [every if kept is None else np.asarray(kept, dtype=bool) for _, kept in (baseline, candidate)]
        either = masks[0] | masks[1]
        units = np.unique(clusters[either], return_inverse=True)[1]
        sides = [
            Answers([column[kept] for column in columns], kept[either])
            for (columns, _), kept in zip((baseline, candidate), masks, strict=True)
        ]
        return cls(metric, sides[0], sides[1], units)

    @property
    def examples(self) -> int:
        """Examples that count in either model."""
        return len(self.units)

    @cached_property
    def count(self) -> int:
        """Units."""
        return 1 + int(self.units.max()) if len(self.units) else 0

    @property
    def clustered(self) -> bool:
        """Whether some unit holds more than one example."""
        return self.count < self.examples

    @cached_property
    def scores(self) -> tuple[float, float]:
        """The baseline's and the candidate's score."""
        return self.baseline.score(self.metric), self.candidate.score(self.metric)

    @property
    def gain(self) -> float:
        """Candidate − baseline."""
        return self.scores[1] - self.scores[0]

    @cached_property
    def sums(self) -> tuple[ClosedForm, ClosedForm] | None:
        """Both metrics as functions of sums over units; None for a metric that is none."""
        found = [
            closed_form_of(self.metric, side.columns, self.units[side.kept], self.count)
            for side in (self.baseline, self.candidate)
        ]
        return (found[0], found[1]) if found[0] is not None and found[1] is not None else None

    def resampled(self, counts: np.ndarray) -> np.ndarray:
        """The gain in many resamples of units: counts (B, units) → (B,)."""
        if self.sums is not None:
            left, right = self.sums
            return np.asarray(right.of(counts) - left.of(counts))
        drawn = counts[:, self.units]
        candidate = self.candidate.resampled(self.metric, drawn)
        return np.asarray(candidate - self.baseline.resampled(self.metric, drawn))
