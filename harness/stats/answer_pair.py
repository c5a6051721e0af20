"""Answers of one model, and of two to the same examples, as the columns that a metric takes."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from harness.metrics.interface import compute_score
from harness.stats.memo import Memo
from harness.stats.resamples import resampled_scores

if TYPE_CHECKING:
    from harness.metrics.interface import Metric


@dataclass(frozen=True, eq=False)
class Answers:
    """One model's columns of a metric, without the rows that do not count (`Metric.where`)."""

    metric: Metric
    columns: list[np.ndarray]
    """(k,) each."""
    units: np.ndarray
    """(k,) int: the unit of each row, in [0, count)."""
    count: int
    """Number of units; some may have no row that counts."""
    kept: np.ndarray
    """(n,) bool: which of the examples count; k of them do."""

    @classmethod
    def of(cls, metric: Metric, columns: list[np.ndarray], clusters: np.ndarray) -> Answers:
        """Return the answers of one model, of which all rows count; clusters: (n,) of any sortable type."""
        units = np.unique(clusters, return_inverse=True)[1]
        count = 1 + int(units.max()) if len(units) else 0
        return cls(metric, columns, units, count, np.ones(len(units), dtype=bool))

    @cached_property
    def score(self) -> float:
        """The score of the rows that count; NaN where the metric is undefined."""
        return compute_score(self.metric, self.columns)

    @cached_property
    def values(self) -> np.ndarray:
        """The first column as floats, (k,): for a mean, its values."""
        return np.asarray(self.columns[0], dtype=float)

    @cached_property
    def sizes(self) -> np.ndarray:
        """Number of rows of each unit: (count,)."""
        return np.bincount(self.units, minlength=self.count)

    @property
    def clustered(self) -> bool:
        """Whether a unit has more than one row."""
        return self.count < len(self.units)

    def by_unit(self, values: np.ndarray) -> np.ndarray:
        """Return sums over the rows of each unit: (k,) → (count,)."""
        return np.bincount(self.units, weights=values, minlength=self.count)

    def resampled(self, counts: np.ndarray) -> np.ndarray:
        """Return the scores of resamples, (B,); counts: (B, count), how often each unit was drawn."""
        return resampled_scores(self.metric, self.columns, counts[:, self.units])


@dataclass(frozen=True, eq=False)
class AnswerPair:
    """Both models' answers to the same examples.

    Units are independent of each other: clusters of examples, or examples where there are no clusters.
    """

    metric: Metric
    baseline: Answers
    candidate: Answers
    units: np.ndarray
    """(n,) int: the unit of each example, numbered from 0 without gaps."""
    names: np.ndarray
    """(count,): the name of each unit: its cluster, or its example."""

    @classmethod
    def of(
        cls,
        metric: Metric,
        baseline: tuple[list[np.ndarray], np.ndarray | None],
        candidate: tuple[list[np.ndarray], np.ndarray | None],
        clusters: np.ndarray,
    ) -> AnswerPair:
        """Pair two models' columns, (n,) each, with the rows that count, (n,) bool, or None for all.

        clusters: (n,) of any sortable type. Rows that count in neither model are left out.
        Where all rows count and the columns cannot be changed, the next pair of the same baseline gets the
        same `Answers`: its score, influences and jackknife are computed once for all candidates.
        """
        if baseline[1] is None and candidate[1] is None:
            names, units = _NUMBERED.of([clusters], None, lambda: np.unique(clusters, return_inverse=True))
            every = np.ones(len(clusters), dtype=bool)
            ours = Answers(metric, candidate[0], units, len(names), every)
            theirs = _BASELINES.of(
                [*baseline[0], clusters],
                metric,
                lambda: Answers(metric, baseline[0], units, len(names), every),
            )
            return cls(metric, theirs, ours, units, names)
        masks = [
            np.ones(len(clusters), dtype=bool) if kept is None else np.asarray(kept, dtype=bool)
            for _, kept in (baseline, candidate)
        ]
        either = masks[0] | masks[1]
        names, units = np.unique(clusters[either], return_inverse=True)
        sides = [
            Answers(
                metric, [column[kept] for column in columns], units[kept[either]], len(names), kept[either]
            )
            for (columns, _), kept in zip((baseline, candidate), masks, strict=True)
        ]
        return cls(metric, sides[0], sides[1], units, names)

    @property
    def examples(self) -> int:
        """Number of examples that count in either model."""
        return len(self.units)

    @property
    def count(self) -> int:
        """Number of units."""
        return len(self.names)

    @cached_property
    def unit_shares(self) -> np.ndarray:
        """Share of each unit in the examples: (count,)."""
        return np.asarray(np.bincount(self.units, minlength=self.count) / self.examples)

    @property
    def clustered(self) -> bool:
        """Whether a unit has more than one example."""
        return self.count < self.examples

    @property
    def same_rows(self) -> bool:
        """Whether the same examples count in both models."""
        return np.array_equal(self.baseline.kept, self.candidate.kept)

    @cached_property
    def moved(self) -> int:
        """Number of units to which both models' answers differ; all, where that is unknown."""
        if self.metric.per_example:
            sides = (self.candidate, self.baseline)
            values, sizes = ([each.by_unit(each.values) for each in sides], [each.sizes for each in sides])
            return int(np.sum((values[0] != values[1]) | (sizes[0] != sizes[1])))
        columns = zip(self.candidate.columns, self.baseline.columns, strict=True)
        if not self.same_rows or any(_has_lists(column) for column in self.candidate.columns):
            return self.count
        differs = np.any([np.asarray(ours != theirs, dtype=bool) for ours, theirs in columns], axis=0)
        return int(np.sum(self.candidate.by_unit(differs.astype(float)) > 0))

    @property
    def scores(self) -> tuple[float, float]:
        """Scores of baseline and candidate."""
        return self.baseline.score, self.candidate.score

    @property
    def gain(self) -> float:
        """Candidate − baseline."""
        return self.candidate.score - self.baseline.score

    def resampled(self, counts: np.ndarray) -> np.ndarray:
        """Return the gains of resamples, (B,); counts: (B, units), how often each unit was drawn."""
        return np.asarray(self.candidate.resampled(counts) - self.baseline.resampled(counts))


def _has_lists(column: np.ndarray) -> bool:
    """Whether the cells of a column are arrays."""
    return column.dtype == object and len(column) > 0 and isinstance(column[0], np.ndarray)


_NUMBERED: Memo[tuple[np.ndarray, np.ndarray]] = Memo()
_BASELINES: Memo[Answers] = Memo()
