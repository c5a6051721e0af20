"""All models of a board held against each other at once, from the influences of their examples."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from harness.errors import HarnessError
from harness.results.prediction_files import TaskResult, read_table
from harness.results.predictions import align_tables, check_score, metric_columns, metric_of, pair_tables
from harness.stats.gain import LEVEL
from harness.stats.influence import score_influences, standard_error
from harness.stats.intervals import FEWEST_UNITS
from harness.stats.proportions import holm

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from harness.metrics.interface import Metric
    from harness.results.leaderboard import Board, Row
    from harness.tasks.interface import Task

    Table = dict[str, np.ndarray]

ALONE = "one model only"

_SAME = 1e-12
"""Scores that lie closer are the same: another order of additions."""


@dataclass(frozen=True, eq=False)
class PairwiseStats:
    """The ranked models of a board by their headline, and how sure each score is."""

    models: list[str]
    """Best first, as the board ranks them."""
    scores: np.ndarray
    """(models,)"""
    influences: np.ndarray
    """(models, units): how much each unit moves each score."""
    left_out: dict[str, str] = field(default_factory=dict)
    """Model → why it cannot be held against the others, though it is ranked."""

    @cached_property
    def standard_errors(self) -> dict[str, float]:
        """Standard error of each model's score."""
        errors = [standard_error(influence) for influence in self.influences]
        return dict(zip(self.models, errors, strict=True))

    def p_values(self) -> np.ndarray:
        """Two-sided p-value of each pair's difference, not corrected: (models, models), 1 on the diagonal.

        Student's t with units − 1 degrees of freedom; the variance of a difference is that of both scores
        less twice their covariance, S_ii + S_jj − 2 S_ij, for all pairs in one matrix product. Of means over
        examples that stand alone it is the paired t-test. 0 where each unit differs by the very same.
        """
        from scipy.special import stdtr

        units = self.influences.shape[1]
        centered = self.influences - self.influences.mean(axis=1, keepdims=True)
        gram = units / (units - 1) * (centered @ centered.T)
        both = np.diag(gram)[:, None] + np.diag(gram)[None, :]
        # Answers that are alike leave a variance of rounding errors.
        spread = np.where(both - 2 * gram <= _SAME * both, 0.0, both - 2 * gram)
        gaps = np.abs(self.scores[:, None] - self.scores[None, :])
        with np.errstate(divide="ignore", invalid="ignore"):
            statistic = np.where(gaps > _SAME, gaps / np.sqrt(spread), 0.0)
        return np.asarray(2 * stdtr(units - 1, -statistic))

    def differ(self) -> np.ndarray:
        """Which pairs differ at 5 %, corrected over all pairs of the board (Holm): (models, models) bool."""
        p = self.p_values()
        upper = np.triu_indices(len(p), 1)
        found = np.zeros_like(p, dtype=bool)
        found[upper] = holm(p[upper]) < LEVEL
        return np.asarray(found | found.T)


def pairwise_stats(
    board: Board, paths: Mapping[tuple[str, str], Path], tasks: Callable[[], Mapping[str, Task]]
) -> PairwiseStats | str:
    """Hold the ranked models of a board against each other; or say why that cannot be done.

    paths: record's key and predictions' hash → file of the predictions.
    tasks: asked for where a headline is not a mean of the predictions, whose record says all.
    A model whose predictions are missing, broken or not its record's is left out, and the reason is said.
    """
    ranked = [row for row in board.rows if row.headline is not None]
    if len(ranked) < 2:
        return ALONE
    if all(row.evaluation.predictions is None for row in ranked):
        return "another tool scored it as a whole"
    score = ranked[0].evaluation.scores[0]
    try:
        metric = metric_of(score, board.task, {} if score.per_example and score.columns else tasks())
    except HarnessError as error:
        return error.message
    units = _InfluenceReader(metric)
    scores, left_out = {}, {}
    for row in ranked:
        try:
            scores[row.model] = units.take(row, paths)
        except HarnessError as error:
            left_out[row.model] = error.message
    if len(scores) < 2:
        first, *others = left_out.values()
        return first + (f" (so it is with {len(others)} more models)" if others else "")
    influences = units.influences()
    if influences.shape[1] < FEWEST_UNITS:
        return f"fewer than {FEWEST_UNITS} independent units"
    return PairwiseStats(list(scores), np.array(list(scores.values())), influences, left_out)


class _InfluenceReader:
    """Influences by unit, model after model: nobody's predictions are held longer than they are read."""

    def __init__(self, metric: Metric) -> None:
        self._metric = metric
        self._columns = {"id", "cluster", *metric.columns, *([metric.where] if metric.where else [])}
        self._first: tuple[str, Table, np.ndarray, int] | None = None
        self._rows: list[np.ndarray] = []
        self._counted = np.zeros(0, dtype=bool)

    def take(self, row: Row, paths: Mapping[tuple[str, str], Path]) -> float:
        """Take a model's influences from its predictions, and return its score; HarnessError says why not."""
        one = row.evaluation
        score = one.scores[0]
        if score.score is None:
            raise HarnessError("its score is undefined")
        if score.metric != self._metric.name:
            raise HarnessError(f"its headline is {score.metric}, not {self._metric.name}")
        path = paths.get((one.key, one.predictions or ""))
        table = read_table(TaskResult(evaluation=one, predictions=path), self._columns)
        if "id" not in table:
            raise HarnessError(f"the predictions of {row.model} name no examples: {path}")
        first = self._first or self._begin(row.model, table)
        (_, table), _ = align_tables([first[1], table], [first[0], row.model], common=False)
        try:
            check_score(self._metric, table, one, score)
            own, found = self._influences({**table, "cluster": first[2]})
        except (ArithmeticError, LookupError, TypeError, ValueError) as error:
            raise HarnessError(f"{score.metric} raised {type(error).__name__}: {error}") from error
        moved = np.zeros(first[3])
        moved[own] = found
        if self._first is None:
            self._first, self._counted = first, np.zeros(first[3], dtype=bool)
        self._rows.append(moved)
        self._counted[own] = True
        return score.score

    def influences(self) -> np.ndarray:
        """Of all models taken, (models, units); units that count in none are left out."""
        return np.array(self._rows)[:, self._counted]

    def _begin(self, model: str, table: Table) -> tuple[str, Table, np.ndarray, int]:
        """The first model's order of examples and their units are everybody's: all were asked the same."""
        drawn = table["cluster"] if "cluster" in table else table["id"]
        numbers: dict[object, int] = {}
        units = np.array([numbers.setdefault(one, len(numbers)) for one in drawn.tolist()], dtype=int)
        return model, {"id": table["id"]}, units, len(numbers)

    def _influences(self, table: Table) -> tuple[np.ndarray, np.ndarray]:
        """Units that count, (k,), and how much each moves the score, (k,)."""
        _, kept = metric_columns(self._metric, table)
        own = np.unique(table["cluster"] if kept is None else table["cluster"][kept])
        found = score_influences(pair_tables(self._metric, table, table))
        if not np.isfinite(found).all():
            raise HarnessError("its score does not say how much each example moves it")
        return own, found
