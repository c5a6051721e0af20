"""Pairwise tests of all models of a board, from the influences of examples on each score."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Literal

import numpy as np

from harness.errors import HarnessError
from harness.render import plural
from harness.results.pair_gains import MeanGains, PairGains
from harness.results.prediction_files import TaskResult, read_table
from harness.results.predictions import align_tables, check_score, metric_columns, metric_of, pair_tables
from harness.stats.curve import LEVEL
from harness.stats.influence import score_influences
from harness.stats.intervals import FEWEST_UNITS
from harness.stats.pairwise import Parts, pairwise_p, unit_shares
from harness.stats.rank_doubt import RankInterval, chance_of_best, rank_intervals

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from harness.metrics.interface import Metric
    from harness.results.leaderboard import Board, Row
    from harness.results.predictions import Table
    from harness.tasks.interface import Task

Family = Literal["task", "all"]
"""Which pairs are tested together: those of one task, or of all."""

ALONE = "one model only"
"""Why a board of one model has no tests."""


@dataclass(frozen=True, eq=False)
class PairwiseStats:
    """Headline scores of the ranked models of a board, and influences for tests between them."""

    models: list[str]
    """Names of models, best first."""
    scores: np.ndarray
    """(models,): headline scores."""
    influences: np.ndarray
    """(models, units): influence of each unit on each score."""
    parts: np.ndarray
    """(models, units): part of each unit in each score; see `harness.stats.pairwise.Parts`."""
    unit_names: np.ndarray
    """(units,): units of one name in two tasks are one."""
    gains: MeanGains
    """Gains between the models, each with its own curve."""
    left_out: dict[str, str] = field(default_factory=dict)
    """Ranked model → why it cannot be tested against the others."""
    unplaced: int = 0
    """Number of models left out that have a score, and so a rank."""


@dataclass(frozen=True, eq=False)
class Claims:
    """What can be said of the models of a board, all pairs of its family at once."""

    stats: PairwiseStats
    p: np.ndarray
    """(models, models): adjusted over all pairs of the family.

    5 % at least where the interval of a pair's own gain, as `harness compare` has it, contains 0.
    """
    family: Family

    @classmethod
    def of(cls, stats: PairwiseStats, p: np.ndarray, family: Family) -> Claims:
        """Return what can be said; p: (models, models) of the signs of units, adjusted over all pairs."""
        p = p.copy()
        for pair in stats.gains.unsure(stats.scores, p < LEVEL):
            p[pair] = p[pair[::-1]] = LEVEL
        return cls(stats, p, family)

    @property
    def differ(self) -> np.ndarray:
        """Which pairs differ at 5 %: (models, models) bool."""
        return np.asarray(self.p < LEVEL)

    @cached_property
    def ranks(self) -> dict[str, RankInterval]:
        """Model → interval of its rank on the board; models that could not be tested may be anywhere."""
        found = rank_intervals(self.stats.scores, self.p, self.stats.unplaced)
        return dict(zip(self.stats.models, found, strict=True))

    @cached_property
    def best(self) -> dict[str, float]:
        """Model → share of redrawn test sets on which it leads the models that were tested."""
        scores, gains = self.stats.scores, self.stats.gains
        errors = gains.lead_errors(scores, int(scores.argmax()))
        shares = chance_of_best(scores, self.stats.influences, errors, gains.labels).tolist()
        return dict(zip(self.stats.models, shares, strict=True))


def claims(pairwise: Mapping[int, PairwiseStats | str], family: Family = "task") -> dict[int, Claims | str]:
    """Test all pairs of models of each board, or say why that is impossible; keys: positions of boards.

    family: `task`: the pairs of a board are one family; `all`: those of all boards are.
    """
    tested = {position: stats for position, stats in pairwise.items() if not isinstance(stats, str)}
    if family == "all":
        together = pairwise_p([Parts(own.scores, own.parts) for own in tested.values()]) if tested else []
        p_values = dict(zip(tested, together, strict=True))
    else:
        p_values = {
            position: pairwise_p([Parts(own.scores, own.parts)])[0] for position, own in tested.items()
        }
    return {
        position: stats if isinstance(stats, str) else Claims.of(stats, p_values[position], family)
        for position, stats in pairwise.items()
    }


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
        more = plural(len(others), "more model")
        return first + (f" (the same for {more})" if others else "")
    influences, parts, names = reader.measured()
    if influences.shape[1] < FEWEST_UNITS:
        return f"fewer than {FEWEST_UNITS} independent units"
    unplaced = sum(row.model in left_out and row.evaluation.scores[0].score is not None for row in ranked)
    values = np.array(list(scores.values()))
    every = range(len(scores))
    gains = MeanGains([reader.gains(parts)], [every])
    return PairwiseStats(list(scores), values, influences, parts, names, gains, left_out, unplaced)


class _InfluenceReader:
    """Reader of influences by unit, model after model: only columns of the metric stay in memory."""

    def __init__(self, metric: Metric) -> None:
        self._metric = metric
        self._columns = {"id", "cluster", *metric.columns, *([metric.where] if metric.where else [])}
        self._first: tuple[str, Table, np.ndarray, np.ndarray] | None = None
        self._influences: list[np.ndarray] = []
        self._parts: list[np.ndarray] = []
        self._answers: list[tuple[list[np.ndarray], np.ndarray | None]] = []
        self._hashes: list[str | None] = []
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
            own, influences, parts = self._measure({**table, "cluster": first[2]})
        except (ArithmeticError, LookupError, TypeError, ValueError) as error:
            raise HarnessError(f"{score.metric} raised {type(error).__name__}: {error}") from error
        for kept, values in ((self._influences, influences), (self._parts, parts)):
            of_all = np.zeros(len(first[3]))
            of_all[own] = values
            kept.append(of_all)
        self._answers.append(metric_columns(self._metric, table))
        self._hashes.append(evaluation.predictions)
        if self._first is None:
            self._first, self._counted = first, np.zeros(len(first[3]), dtype=bool)
        self._counted[own] = True
        return score.score

    def measured(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return influences and parts of all models read, (models, units) each, and names of these units.

        Only units that count.
        """
        names = np.zeros(0) if self._first is None else self._first[3]
        counted = self._counted
        return np.array(self._influences)[:, counted], np.array(self._parts)[:, counted], names[counted]

    def gains(self, parts: np.ndarray) -> PairGains:
        """Return the gains between the models read, of which one or more are; parts: as measured."""
        units = np.zeros(0) if self._first is None else self._first[3][self._first[2]]
        return PairGains(self._metric, self._answers, units, self._hashes, parts)

    def _begin(self, model: str, table: Table) -> tuple[str, Table, np.ndarray, np.ndarray]:
        """Return the name, examples, units and units' names of the first model, which all models share."""
        drawn = table["cluster"] if "cluster" in table else table["id"]
        names, units = np.unique(drawn, return_inverse=True)
        return model, {"id": table["id"]}, units, names

    def _measure(self, table: Table) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return the units that count, (k,) int, the influence of each on the score, and its part in it."""
        _, kept = metric_columns(self._metric, table)
        own = np.unique(table["cluster"] if kept is None else table["cluster"][kept])
        answers = pair_tables(self._metric, table, table).baseline
        influences = score_influences(answers)
        if not np.isfinite(influences).all():
            raise HarnessError("the influence of examples on its score is undefined")
        return own, influences, influences + answers.score * unit_shares(answers)
