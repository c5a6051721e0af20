"""A results folder of all forms of answers, with hostile names and texts."""

from __future__ import annotations

import pytest

from benchmarks.report.make_results import make_results
from harness.comparison.sources import read_results
from harness.report.board_answers import read_answers


@pytest.fixture(scope="session")
def made(tmp_path_factory):
    """The root of a made folder: two models, six tasks, 40 examples."""
    root = tmp_path_factory.mktemp("report") / "made"
    return make_results(root, models=2, tasks=6, examples=40, hostile=True).root


def board(root, task, tasks=None):
    """Read the answers of all models of a folder to a task."""
    models = read_results(root)
    slot = next(slot for slot in models[0].answered if slot[0] == task)
    return read_answers(task, {model.name: model.answered[slot] for model in models}, tasks or {})
