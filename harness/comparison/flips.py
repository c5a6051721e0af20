"""Examples behind a gain: answers that flipped, pairs that moved, queries that gained or lost."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from harness.comparison.result_changes import Change, Changes
from harness.comparison.slices import measure_slices, text_columns
from harness.stats.ranks import ranks

if TYPE_CHECKING:
    from harness.metrics.interface import Metric
    from harness.results.predictions import Table

MOST = 5
"""Maximum number of examples shown for each direction."""


def find_changes(task: str, metric: Metric, baseline: Table, candidate: Table) -> Changes:
    """Find what moved between two models' predictions for the same examples, in the same order.

    Right or wrong answers flip; other values of a mean are gained or lost; for a rank correlation, an
    example moves by how much closer its rank comes to the rank of its gold. For any other metric only
    slices are reported.
    """
    what, before, after, moved = _movements(metric, baseline, candidate)
    order = sorted(
        np.flatnonzero(moved).tolist(), key=lambda row: (-abs(moved[row]), str(baseline["id"][row]))
    )
    texts = text_columns(baseline, candidate)
    gained, lost = ([row for row in order if moved[row] * sign > 0] for sign in (1, -1))
    return Changes(
        task=task,
        metric=metric.name,
        what=what,
        gained=len(gained),
        lost=len(lost),
        most_gained=tuple(_change(row, baseline, texts, before, after) for row in gained[:MOST]),
        most_lost=tuple(_change(row, baseline, texts, before, after) for row in lost[:MOST]),
        slices=measure_slices(metric, baseline, candidate),
    )


def _movements(
    metric: Metric, baseline: Table, candidate: Table
) -> tuple[str, np.ndarray, np.ndarray, np.ndarray]:
    """Return what moved (`Changes.what`), both models' values, and each example's improvement: (n,) each."""
    included = _included(metric, baseline) & _included(metric, candidate)
    moved = np.zeros(len(included))
    left, right = (_as_floats(table, metric.columns[0]) for table in (baseline, candidate))
    if metric.per_example and left is not None and right is not None:
        moved[included] = np.nan_to_num(right - left)[included]
        flips = set(np.unique([left[included], right[included]])) <= {0.0, 1.0}
        return ("answers" if flips else "queries"), left, right, moved
    if metric.columns == ("gold", "predicted"):
        gold = _as_floats(baseline, "gold")
        left, right = (_as_floats(table, "predicted") for table in (baseline, candidate))
        if gold is not None and left is not None and right is not None:
            before, after = (_rank_distances(gold[included], side[included]) for side in (left, right))
            moved[included] = before - after
            return "pairs", left, right, moved
    if len(metric.columns) == 2 and not any(
        map(_is_list, (*_columns(metric, baseline), *_columns(metric, candidate)))
    ):
        # Two columns of classes: right where they agree.
        left, right = (np.equal(*_columns(metric, table)).astype(float) for table in (baseline, candidate))
        moved[included] = (right - left)[included]
        return "answers", left, right, moved
    return "answers", moved, moved, moved


def _columns(metric: Metric, table: Table) -> list[np.ndarray]:
    return [table[name] for name in metric.columns]


def _is_list(values: np.ndarray) -> bool:
    return len(values) > 0 and isinstance(values[0], np.ndarray)


def _included(metric: Metric, table: Table) -> np.ndarray:
    if metric.where is None:
        return np.ones(len(table["id"]), dtype=bool)
    return np.asarray(table[metric.where], dtype=bool)


def _as_floats(table: Table, column: str) -> np.ndarray | None:
    values = table[column]
    return np.asarray(values, dtype=float) if values.dtype.kind in "biuf" else None


def _rank_distances(gold: np.ndarray, predicted: np.ndarray) -> np.ndarray:
    """Return the distance of each example's rank from its gold's, as a share of all: (n,) in [0, 1]."""
    return np.asarray(np.abs(ranks(gold) - ranks(predicted)) / len(gold))


def _change(row: int, table: Table, texts: list[str], before: np.ndarray, after: np.ndarray) -> Change:
    return Change(
        id=str(table["id"][row]),
        baseline=float(before[row]),
        candidate=float(after[row]),
        gold=_gold_text(table["gold"][row]) if "gold" in table else None,
        texts={name: str(table[name][row]) for name in texts},
    )


def _gold_text(value: object) -> str:
    return f"{value:g}" if isinstance(value, float | np.floating) else str(value)
