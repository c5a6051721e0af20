"""Examples behind a gain: answers that flipped, pairs that moved, queries that gained or lost."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from harness.comparison.quality import movement, quality_of, what_moves
from harness.comparison.result_changes import Change, Changes
from harness.comparison.slices import measure_slices, text_columns

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
    before, after = (quality_of(metric, table) for table in (baseline, candidate))
    moved = movement(before, after)
    order = sorted(
        np.flatnonzero(moved).tolist(), key=lambda row: (-abs(moved[row]), str(baseline["id"][row]))
    )
    texts = text_columns(baseline, candidate)
    gained, lost = ([row for row in order if moved[row] * sign > 0] for sign in (1, -1))
    return Changes(
        task=task,
        metric=metric.name,
        what=what_moves(before, after),
        gained=len(gained),
        lost=len(lost),
        most_gained=tuple(_change(row, baseline, texts, before.shown, after.shown) for row in gained[:MOST]),
        most_lost=tuple(_change(row, baseline, texts, before.shown, after.shown) for row in lost[:MOST]),
        slices=measure_slices(metric, baseline, candidate),
    )


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
