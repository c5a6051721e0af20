"""Two models' predictions for the same examples, as the paired columns that a metric takes."""

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
    """One model's columns of a metric, without the rows that do not count (`Metric.where`)."""

    columns: list[np.ndarray]
    kept: np.ndarray
    """(n,) bool: which rows count."""

    def score(self, metric: Metric) -> float:
        """Return the score of the rows that count; NaN where the metric is undefined."""
        return float(metric.compute(*self.columns))

    def resampled(self, metric: Metric, counts: np.ndarray) -> np.ndarray:
        """Return the scores of resamples, (B,); counts: (B, n), how often each example was drawn."""
        drawn = counts if self.kept.all() else counts[:, self.kept]
        return resampled_scores(metric, self.columns, drawn)


@dataclass(frozen=True, eq=False)
class Paired:
    """Both models' answers, and the unit of each example.

    Units are independent of each other: clusters of examples, or examples where there are no clusters.
    """

    metric: Metric
    baseline: Answers
    candidate: Answers
    units: np.ndarray
    """(n,) int: the unit of each example, numbered from 0 without gaps."""

    @classmethod
    def of(
        cls,
        metric: Metric,
        baseline: tuple[list[np.ndarray], np.ndarray | None],
        candidate: tuple[list[np.ndarray], np.ndarray | None],
        clusters: np.ndarray,
    ) -> Paired:
        """Pair two models' columns, (n,) each, with the rows that count, (n,) bool, or None for all.

        clusters: (n,) of any sortable type. Rows that count in neither model are left out.
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
        """Number of examples that count in either model."""
        return len(self.units)

    @cached_property
    def count(self) -> int:
        """Number of units."""
        return 1 + int(self.units.max()) if len(self.units) else 0

    @property
    def clustered(self) -> bool:
        """Whether a unit has more than one example."""
        return self.count < self.examples

    @cached_property
    def scores(self) -> tuple[float, float]:
        """Scores of baseline and candidate."""
        return self.baseline.score(self.metric), self.candidate.score(self.metric)

    @property
    def gain(self) -> float:
        """Candidate − baseline."""
        return self.scores[1] - self.scores[0]

    @cached_property
    def closed_forms(self) -> tuple[ClosedForm, ClosedForm] | None:
        """Closed forms of baseline and candidate; None for a metric without one."""
        baseline, candidate = (
            closed_form_of(self.metric, side.columns, self.units[side.kept], self.count)
            for side in (self.baseline, self.candidate)
        )
        return (baseline, candidate) if baseline is not None and candidate is not None else None

    def resampled(self, counts: np.ndarray) -> np.ndarray:
        """Return the gains of resamples, (B,); counts: (B, units), how often each unit was drawn."""
        if self.closed_forms is not None:
            baseline, candidate = self.closed_forms
            return np.asarray(candidate.scores(counts) - baseline.scores(counts))
        drawn = counts[:, self.units]
        scores = self.candidate.resampled(self.metric, drawn)
        return np.asarray(scores - self.baseline.resampled(self.metric, drawn))
