"""The example of docs/select.md, made and run."""

from __future__ import annotations

import numpy as np
import pytest
from comparison.made import answer
from test_documentation import blocks, harness, shown

from harness.metrics.standard import mean_metric

NDCG = mean_metric("ndcg@10", "ndcg")
TASKS = {"answers": 300, "clauses": 400, "statutes": 500}
SEED = 8
STEPS = range(100, 700, 100)
FORGOTTEN = "clauses"
"""The task on which later checkpoints lose, while they gain on the others."""


@pytest.fixture(autouse=True)
def sentences_on_one_line(monkeypatch):
    """The page shows what is printed into a pipe."""
    monkeypatch.delenv("COLUMNS", raising=False)


@pytest.fixture
def checkpoints(tmp_path, monkeypatch):
    """Write a baseline, and six checkpoints of one training, which are much alike."""
    monkeypatch.chdir(tmp_path)
    generator = np.random.default_rng(SEED)
    for task, rows in TASKS.items():
        base = generator.beta(4, 3, rows)
        trained = generator.normal(0, 0.05, rows)
        told = {"metrics": (NDCG,), "digest": task[0] * 64}
        answer("results/base", "minilm", task, ndcg=base, **told)
        for step in STEPS:
            gain = (-0.008 if task == FORGOTTEN else 0.012) * (step / 600) ** 0.5
            moved = trained * (step / 600) ** 0.5 + generator.normal(gain, 0.03, rows)
            answer("results/nda", f"nda-{step}", task, ndcg=np.clip(base + moved, 0, 1), **told)


def test_the_selection_that_the_page_shows_is_what_the_command_prints(checkpoints):
    first, *_ = blocks("docs/select.md", "")
    found = harness(*first.splitlines()[0].removeprefix("harness ").split())
    assert found.exit_code == 4, found.output
    (block,) = [one for one in blocks("docs/select.md", "") if "is best" in one]
    missing = [line for line in shown(block) if line != "…" and line not in shown(found.output)]
    assert missing == []


def test_the_selection_by_the_gate_that_the_page_shows_is_what_the_command_prints(checkpoints):
    (block,) = [one for one in blocks("docs/select.md", "") if "--by gate" in one and "nda-" in one]
    command, *lines = block.splitlines()
    found = harness(*command.removeprefix("$ harness ").split())
    assert found.exit_code == 0, found.output
    assert [line for line in shown("\n".join(lines)) if line not in shown(found.output)] == []
