"""The base model on the real data: the scores that others published or that a plain script measured.

The figures stand in the README beside each data set. STS and ContractNLI have theirs with their plugins.
"""

from __future__ import annotations

import pytest

from harness import DataSource
from harness.encoding.cached_model import CachedModel
from harness.evaluation.evaluate import evaluate
from harness.plugins.loader import load_plugins

REFERENCES = {
    "penal-triplets": {"accuracy": 0.6174},
    "aila-triplets": {"accuracy": 0.5668},
    "aila-triplets-hard": {"accuracy": 0.2673},
    "snli-triplets": {"accuracy": 0.9340},
    "aila-statutes": {
        "recall@10": 0.1427, "recall@1": 0.0190, "recall@5": 0.0900, "recall@100": 0.6870,
        "ndcg@10": 0.1067, "mrr@10": 0.1686,
    },
    "aila-casedocs": {
        "recall@10": 0.25601, "recall@1": 0.04421, "recall@5": 0.1498, "recall@100": 0.8332,
        "ndcg@10": 0.19717, "mrr@10": 0.25305,
    },
    "cranfield": {
        "recall@10": 0.4136, "recall@1": 0.0769, "recall@5": 0.2924, "recall@100": 0.7756,
        "ndcg@10": 0.3736, "mrr@10": 0.5346,
    },
    "scifact": {
        "recall@10": 0.78333, "recall@1": 0.48233, "recall@5": 0.7379, "recall@100": 0.925,
        "ndcg@10": 0.64508, "mrr@10": 0.6047,
    },
}  # fmt: skip


@pytest.fixture(scope="module")
def scored(minilm, shared_data):
    """Score a task once, however many of its metrics are asked for; shared texts are encoded once."""
    model, tasks, known = CachedModel(minilm), load_plugins().tasks(), {}

    def score(task: str, metric: str) -> float:
        if task not in known:
            found, _ = evaluate(model, tasks[task], DataSource("files", shared_data))
            known[task] = {score.metric: score.score for score in found.scores}
        return known[task][metric]

    return score


@pytest.mark.slow
@pytest.mark.timeout(3600)
@pytest.mark.parametrize(
    ("task", "metric", "expected"),
    [
        pytest.param(task, metric, expected, id=f"{task} {metric}")
        for task, metrics in REFERENCES.items()
        for metric, expected in metrics.items()
    ],
)
def test_the_base_model_scores_what_the_references_say(scored, task, metric, expected):
    assert scored(task, metric) == pytest.approx(expected, abs=1e-4)
