"""Pairwise tests of all models of a board, from the influences of examples on each score."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from harness.errors import HarnessError
from harness.results.prediction_files import TaskResult, read_table
from harness.results.predictions import align_tables, check_score, metric_columns, metric_of, pair_tables
from harness.stats.curve import LEVEL
from harness.stats.holm import holm
from harness.stats.influence import score_influences, standard_error
from harness.stats.intervals import FEWEST_UNITS

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from harness.metrics.interface import Metric
    from harness.results.leaderboard import Board, Row
    from harness.results.predictions import Table
    from harness.tasks.interface import Task

ALONE = "one model only"
"""Why a board of one model has no tests."""

_SAME = 1e-12
"""Maximum difference of scores that are equal: additions may come in another order."""


@dataclass(frozen=True, eq=False)
class PairwiseStats:
    """Headline scores of the ranked models of a board, and influences for tests between them."""

    models: list[str]
    """Names of models, best first."""
    scores: np.ndarray
    """(models,): headline scores."""
    influences: np.ndarray
    """(models, units): influence of each unit on each score."""
    left_out: dict[str, str] = field(default_factory=dict)
    """Ranked model → why it cannot be tested against the others."""

    @cached_property
    def standard_errors(self) -> dict[str, float]:
        """Model → standard error of its score."""
        errors = [standard_error(influence) for influence in self.influences]
        return dict(zip(self.models, errors, strict=True))

    def p_values(self) -> np.ndarray:
        """Return the p-value of each pair: (models, models), two-sided, not corrected, 1 on the diagonal.

        Student's t with units − 1 degrees of freedom; the variance of a difference is that of both scores
        less twice their covariance, S_ii + S_jj − 2 S_ij, for all pairs in one matrix product. For means over
        examples without clusters it is the paired t-test. 0 where all units have the same difference.
        """
        from scipy.special import stdtr

        units = self.influences.shape[1]
        centered = self.influences - self.influences.mean(axis=1, keepdims=True)
        gram = units / (units - 1) * (centered @ centered.T)
        both = np.diag(gram)[:, None] + np.diag(gram)[None, :]
        # The variance between equal answers is of rounding errors.
        spread = np.where(both - 2 * gram <= _SAME * both, 0.0, both - 2 * gram)
        gaps = np.abs(self.scores[:, None] - self.scores[None, :])
        with np.errstate(divide="ignore", invalid="ignore"):
            statistic = np.where(gaps > _SAME, gaps / np.sqrt(spread), 0.0)
        return np.asarray(2 * stdtr(units - 1, -statistic))

    def differ(self) -> np.ndarray:
        """Return which pairs differ at 5 %, with Holm's correction over all pairs: (models, models) bool."""
        p = self.p_values()
        upper = np.triu_indices(len(p), 1)
        differ = np.zeros_like(p, dtype=bool)
        differ[upper] = holm(p[upper]) < LEVEL
        return np.asarray(differ | differ.T)


def pairwise_stats(
    board: Board, paths: Mapping[tuple[str, str], Path], tasks: Callable[[], Mapping[str, Task]]
) -> PairwiseStats | str:
    """Return the pairwise statistics of the ranked models of a board, or why there are none.

    paths: key and predictions' hash of a record → file of its predictions.
    tasks: called only for a headline that is not a mean over examples, to find its metric.
    A model whose predictions are missing, broken or of another run is left out, with the reason.
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
    reader = _InfluenceReader(metric)
    scores, left_out = {}, {}
    for row in ranked:
        try:
            scores[row.model] = reader.read(row, paths)
        except HarnessError as error:
            left_out[row.model] = error.message
    if len(scores) < 2:
        first, *others = left_out.values()
        return first + (f" (the same for {len(others)} more models)" if others else "")
    influences = reader.influences()
    if influences.shape[1] < FEWEST_UNITS:
        return f"fewer than {FEWEST_UNITS} independent units"
    return PairwiseStats(list(scores), np.array(list(scores.values())), influences, left_out)


class _InfluenceReader:
    """Reader of influences by unit, model after model: the predictions of one at a time are in memory."""

    def __init__(self, metric: Metric) -> None:
        self._metric = metric
        self._columns = {"id", "cluster", *metric.columns, *([metric.where] if metric.where else [])}
        self._first: tuple[str, Table, np.ndarray, int] | None = None
        self._rows: list[np.ndarray] = []
        self._counted = np.zeros(0, dtype=bool)

    def read(self, row: Row, paths: Mapping[tuple[str, str], Path]) -> float:
        """Read a model's predictions, keep their influences and return its score.

        Raises HarnessError for predictions that are missing, broken, or do not give the score.
        """
        evaluation = row.evaluation
        score = evaluation.scores[0]
        if score.score is None:
            raise HarnessError("its score is undefined")
        if score.metric != self._metric.name:
            raise HarnessError(f"its headline is {score.metric}, not {self._metric.name}")
        path = paths.get((evaluation.key, evaluation.predictions or ""))
        table = read_table(TaskResult(evaluation=evaluation, predictions=path), self._columns)
        if "id" not in table:
            raise HarnessError(f"the predictions of {row.model} name no examples: {path}")
        first = self._first or self._begin(row.model, table)
        (_, table), _ = align_tables([first[1], table], [first[0], row.model], common=False)
        try:
            check_score(self._metric, table, evaluation, score)
            own, influences = self._influences({**table, "cluster": first[2]})
        except (ArithmeticError, LookupError, TypeError, ValueError) as error:
            raise HarnessError(f"{score.metric} raised {type(error).__name__}: {error}") from error
        moved = np.zeros(first[3])
        moved[own] = influences
        if self._first is None:
            self._first, self._counted = first, np.zeros(first[3], dtype=bool)
        self._rows.append(moved)
        self._counted[own] = True
        return score.score

    def influences(self) -> np.ndarray:
        """Return the influences of all models read, (models, units), without units that count in none."""
        return np.array(self._rows)[:, self._counted]

    def _begin(self, model: str, table: Table) -> tuple[str, Table, np.ndarray, int]:
        """Return the name, examples, units and number of units of the first model, which all models share."""
        drawn = table["cluster"] if "cluster" in table else table["id"]
        numbers: dict[object, int] = {}
        units = np.array([numbers.setdefault(name, len(numbers)) for name in drawn.tolist()], dtype=int)
        return model, {"id": table["id"]}, units, len(numbers)

    def _influences(self, table: Table) -> tuple[np.ndarray, np.ndarray]:
        """Return the units that count, (k,) int, and the influence of each, (k,)."""
        _, kept = metric_columns(self._metric, table)
        own = np.unique(table["cluster"] if kept is None else table["cluster"][kept])
        influences = score_influences(pair_tables(self._metric, table, table).baseline)
        if not np.isfinite(influences).all():
            raise HarnessError("the influence of examples on its score is undefined")
        return own, influences
