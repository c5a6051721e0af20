"""What the log of a card tells of the run that the hyperparameters alone do not."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harness.training.cards.hyperparameters import Plan
    from harness.training.subject import LogEntry

_ROUNDED = 0.0002
"""Logs round epochs to four decimals; a line that was due less than that after the end may have been due."""


def stopped_after(log: Sequence[LogEntry], plan: Plan) -> float | None:
    """Return the epoch at which a run ended before its plan: a line was due in its log, and is not there.

    None where the log goes as far as its rhythm lets it, or has too few lines to have one.
    """
    run = _longest_run(log)
    if plan.epochs is None or plan.max_steps is not None or not run:
        return None
    due = []
    for lines in ([one for one in run if one.loss is not None], [one for one in run if one.metrics]):
        gaps = [after.epoch - before.epoch for before, after in pairwise(lines)]
        due += [lines[-1].epoch + max(gaps)] if gaps else []
    return max(one.epoch for one in run) if due and min(due) <= plan.epochs + _ROUNDED else None


def _longest_run(log: Sequence[LogEntry]) -> list[LogEntry]:
    """Return the run that went furthest: a log starts again where another training followed."""
    runs: list[list[LogEntry]] = [[]]
    for line in log:
        if line.step <= 0:
            continue
        if runs[-1] and line.step < runs[-1][-1].step:
            runs.append([])
        runs[-1].append(line)
    return max(runs, key=lambda run: run[-1].step if run else 0)


def devices(log: Sequence[LogEntry], plan: Plan) -> int:
    """Count the devices that the log's steps in an epoch speak for; 1 where nothing is known."""
    run = _longest_run(log)
    if not run or not plan.per_epoch or not run[-1].epoch > 0:
        return 1
    return max(1, round(plan.per_epoch / (run[-1].step / run[-1].epoch)))
