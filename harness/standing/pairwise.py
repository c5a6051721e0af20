"""All models of a board held against each other at once, from the influences of their examples."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from harness.compare.rows import aligned, metric_of, paired
from harness.compare.sides import Answered, read_table
from harness.errors import HarnessError
from harness.paired.gain import LEVEL
from harness.paired.influence import score_influences, standard_error
from harness.stats import FEWEST_UNITS

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from harness.interfaces import Task
    from harness.leaderboard import Board


ALONE = "one model only"


@dataclass(frozen=True, eq=False)
class Standings:
    """The ranked models of a board by their headline, and how sure each score is."""

    models: list[str]
    """Best first, as the board ranks them."""
    scores: np.ndarray
    """(models,)"""
    influences: np.ndarray
    """(models, units): how much each unit moves each score."""

    @cached_property
    def standard_errors(self) -> dict[str, float]:
        """Standard error of each model's score."""
        errors = [standard_error(influence) for influence in self.influences]
        return dict(zip(self.models, errors, strict=True))

    def differ(self) -> np.ndarray:
        """Which pairs differ at 5 %, corrected over all pairs of the board (Holm): (models, models) bool.

        Student's t on units: the variance of a difference is that of both scores less twice their
        covariance, for all pairs in one matrix product.
        """
        from scipy.special import stdtr

        gram, units = self._gram(), self.influences.shape[1]
        spread = np.diag(gram)[:, None] + np.diag(gram)[None, :] - 2 * gram
        # Models that answer alike leave a variance of rounding errors.
        spread = np.where(spread <= 1e-14 * np.maximum(np.diag(gram)[:, None], 1e-300), 0.0, spread)
        gaps = np.abs(self.scores[:, None] - self.scores[None, :])
        with np.errstate(divide="ignore", invalid="ignore"):
            statistic = np.where(gaps > 0, gaps / np.sqrt(spread), 0.0)
        p = 2 * stdtr(units - 1, -statistic)
        upper = np.triu_indices(len(gram), 1)
        found = np.zeros_like(p, dtype=bool)
        found[upper] = rejected(p[upper])
        return np.asarray(found | found.T)

    def _gram(self) -> np.ndarray:
        units = self.influences.shape[1]
        centred = self.influences - self.influences.mean(axis=1, keepdims=True)
        return np.asarray(units / (units - 1) * (centred @ centred.T))


def rejected(values: np.ndarray) -> np.ndarray:
    """Which of (n,) p-values Holm's procedure (1979) rejects at 5 %: the smallest, up to one that fails."""
    order = np.argsort(values, kind="stable")
    passing = values[order] * (len(values) - np.arange(len(values))) < LEVEL
    found = np.zeros(len(values), dtype=bool)
    found[order] = np.logical_and.accumulate(passing)
    return found


def standings(
    board: Board, paths: Mapping[tuple[str, str], Path], tasks: Mapping[str, Task]
) -> Standings | str:
    """Hold the ranked models of a board against each other; or say why that cannot be done.

    paths: record's key and predictions' hash → file of the predictions.
    """
    ranked = [row for row in board.rows if row.headline is not None]
    answered = [
        Answered(
            evaluation=row.evaluation,
            predictions=paths.get((row.evaluation.key, row.evaluation.predictions or "")),
        )
        for row in ranked
    ]
    if len(ranked) < 2:
        return ALONE
    score = answered[0].evaluation.scores[0]
    try:
        metric = metric_of(score, board.task, tasks)
        needed = {"id", "cluster", *metric.columns, *([metric.where] if metric.where else [])}
        tables = [read_table(one, needed) for one in answered]
        tables, _ = aligned(tables, [row.model for row in ranked], common=False)
        pairs = [paired(metric, table, table) for table in tables]
    except HarnessError as error:
        return error.message
    units = {pair.count for pair in pairs}
    if len(units) > 1 or min(units) < FEWEST_UNITS:
        return f"fewer than {FEWEST_UNITS} independent units" if len(units) == 1 else "other rows count"
    scores = np.array([pair.scores[0] for pair in pairs])
    influences = np.array([score_influences(pair) for pair in pairs])
    if not (np.isfinite(scores).all() and np.isfinite(influences).all()):
        return "a score is undefined"
    return Standings([row.model for row in ranked], scores, influences)
