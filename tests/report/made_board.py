"""Answers of a results folder to a task, as a report reads them."""

from __future__ import annotations

from harness.comparison.sources import read_results
from harness.report.board_answers import read_answers


def board(root, task, tasks=None):
    """Read the answers of all models of a folder to a task."""
    models = read_results(root)
    slot = next(slot for slot in models[0].answered if slot[0] == task)
    return read_answers(task, {model.name: model.answered[slot] for model in models}, tasks or {})
