"""Made answers of a model to a task of each kind: columns as our plugins write them."""

from __future__ import annotations

from operator import methodcaller
from typing import TYPE_CHECKING, Any

import numpy as np

from harness.metrics.ranking import Ranking
from harness.metrics.standard import AVERAGE_PRECISION, MACRO_F1, PEARSON, ROC_AUC, SPEARMAN, mean_metric
from harness.tasks.dataset import Dataset, Predictions

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from harness.metrics.interface import Metric

_SENTENCE = (
    "the parties shall keep any confidential information that is disclosed under this agreement secret and"
    " not use copy or share it with third persons without written consent of its owner for two years after"
    " termination unless law requires a court orders or the recipient knew it before"
)
WORDS = _SENTENCE.split()
CLASSES = np.array(["Entailment", "Contradiction", "NotMentioned"], dtype=object)
DEPTH, CORPUS = 30, 500
"""Documents of a ranking, and of the corpus."""
SPANS = 40
"""Spans of a contract."""
_RANKED = {
    "recall@10": methodcaller("recall", 10),
    "ndcg@10": methodcaller("ndcg", 10),
    "mrr@10": methodcaller("reciprocal_rank", 10),
}
_ACCURACY = mean_metric("accuracy", "correct", bounds=(0, 1))

METRICS: dict[str, tuple[Metric, ...]] = {
    "sts": (SPEARMAN, PEARSON),
    "triplet": (_ACCURACY, mean_metric("mean_margin", "margin")),
    "clauses": (ROC_AUC, AVERAGE_PRECISION, _ACCURACY),
    "three-way": (_ACCURACY, MACRO_F1),
    "retrieval": tuple(mean_metric(name, bounds=(0, 1)) for name in _RANKED),
    "evidence": tuple(mean_metric(name, bounds=(0, 1)) for name in ("map", "recall@5")),
}
"""Form of a task → its metrics, the headline first."""
KINDS = {"three-way": "clauses", "evidence": "clauses"}
"""Form of a task → the kind that its records name, where that is another word."""
TEXTS = {
    "sts": ("text1", "text2"),
    "triplet": ("anchor", "positive", "negative"),
    "clauses": ("clause", "hypothesis"),
    "three-way": ("clause", "hypothesis"),
    "retrieval": ("text",),
    "evidence": ("hypothesis",),
}


def rows_of(form: str, examples: int, generator: np.random.Generator, hostile: Sequence[str]) -> Dataset:
    """Return made rows; the first have the hostile texts, and their ids are hostile too."""
    columns: dict[str, Any] = {
        "id": [f"e{row}" for row in range(examples)],
        "cluster": [f"c{row // 3}" for row in range(examples)],
    }
    for name in TEXTS[form]:
        drawn = generator.integers(0, len(WORDS), (examples, 24))
        lengths = generator.integers(4, 25, examples)
        columns[name] = [
            " ".join(WORDS[word] for word in row[:length]) for row, length in zip(drawn, lengths, strict=True)
        ]
        columns[name][: len(hostile)] = hostile[:examples]
    columns["id"][: len(hostile)] = [f"{row} {text}" for row, text in enumerate(hostile[:examples])]
    return Dataset(columns)


def answers_of(form: str, rows: Dataset, task: int, model: int, skill: float) -> Predictions:
    """Return a model's answers to the rows; gold is the same for every model of a task.

    skill: in [0, 1], how well the answers follow gold.
    """
    gold, own = np.random.default_rng([1, task]), np.random.default_rng([2, task, model])
    columns, fitted = _FORMS[form](rows, gold, own, skill)
    lengths = [sum(map(len, row)) for row in zip(*(rows[name] for name in TEXTS[form]), strict=True)]
    truncated = [length > 280 for length in lengths]
    return Predictions(rows, fitted=fitted, text_length=lengths, truncated=truncated, **columns)


def _sts(
    rows: Dataset, gold: np.random.Generator, own: np.random.Generator, skill: float
) -> tuple[dict[str, Any], dict[str, float]]:
    score = np.round(gold.uniform(0, 5, len(rows)), 1)
    noise = own.normal(size=len(rows)) * (1 - skill)
    return {"gold": score, "predicted": np.clip(score / 5 + 0.4 * noise, -1, 1)}, {}


def _triplet(
    rows: Dataset, gold: np.random.Generator, own: np.random.Generator, skill: float
) -> tuple[dict[str, Any], dict[str, float]]:
    hard = gold.normal(size=len(rows))
    near = np.clip(0.5 + 0.2 * skill + 0.1 * own.normal(size=len(rows)), -1, 1)
    far = np.clip(0.45 + 0.1 * hard + 0.1 * own.normal(size=len(rows)), -1, 1)
    columns = {
        "correct": (near > far).astype(float),
        "margin": near - far,
        "positive_similarity": near,
        "negative_similarity": far,
    }
    return columns, {}


def _clauses(
    rows: Dataset, gold: np.random.Generator, own: np.random.Generator, skill: float
) -> tuple[dict[str, Any], dict[str, float]]:
    entailed = (gold.random(len(rows)) < 0.7).astype(int)
    predicted = 0.4 + 0.3 * skill * entailed + 0.15 * own.normal(size=len(rows))
    threshold = 0.4 + 0.1 * skill
    correct = (predicted >= threshold) == entailed
    return {"gold": entailed, "predicted": predicted, "correct": correct}, {"threshold": threshold}


def _three_way(
    rows: Dataset, gold: np.random.Generator, own: np.random.Generator, skill: float
) -> tuple[dict[str, Any], dict[str, float]]:
    right = CLASSES[gold.choice(3, len(rows), p=[0.5, 0.15, 0.35])]
    predicted = np.where(own.random(len(rows)) < 0.3 + 0.6 * skill, right, own.choice(CLASSES, len(rows)))
    return {"gold": right, "predicted": predicted, "correct": predicted == right}, {"C": 1.0}


def _retrieval(
    rows: Dataset, gold: np.random.Generator, own: np.random.Generator, skill: float
) -> tuple[dict[str, Any], dict[str, float]]:
    names = np.array([f"d{number}" for number in range(CORPUS)], dtype=object)
    relevant = gold.permuted(np.tile(np.arange(CORPUS), (len(rows), 1)), axis=1)[:, :3]
    closeness = own.normal(size=(len(rows), CORPUS))
    np.put_along_axis(closeness, relevant, 1 + 2 * skill + own.normal(size=relevant.shape), axis=1)
    order = np.argsort(-closeness, axis=1)[:, :DEPTH]
    ranked = names[order].tolist()
    scores = (0.3 + 0.1 * np.take_along_axis(closeness, order, axis=1)).tolist()
    judged = Ranking(ranked, scores).judged([dict.fromkeys(found, 1.0) for found in names[relevant].tolist()])
    columns = {
        "ranked_ids": ranked,
        "ranked_scores": scores,
        "gold_ids": names[relevant].tolist(),
        "gold_scores": [[1.0] * 3] * len(rows),
    }
    return columns | {name: measure(judged) for name, measure in _RANKED.items()}, {}


def _evidence(
    rows: Dataset, gold: np.random.Generator, own: np.random.Generator, skill: float
) -> tuple[dict[str, Any], dict[str, float]]:
    evidence = gold.integers(0, SPANS, len(rows))
    closeness = own.normal(size=(len(rows), SPANS))
    closeness[np.arange(len(rows)), evidence] += 3 * skill
    order = np.argsort(-closeness, axis=1)
    hit = order == evidence[:, None]
    columns = {
        "map": 1 / (hit.argmax(axis=1) + 1),
        "recall@5": hit[:, :5].any(axis=1).astype(float),
        "evidence": [[str(span)] for span in evidence],
        "ranked": [[str(span) for span in row] for row in order.tolist()],
        "scores": (0.3 + 0.1 * np.take_along_axis(closeness, order, axis=1)).tolist(),
        "relevant": hit.tolist(),
    }
    return columns, {}


_FORMS: dict[str, Callable[..., tuple[dict[str, Any], dict[str, float]]]] = {
    "sts": _sts,
    "triplet": _triplet,
    "clauses": _clauses,
    "three-way": _three_way,
    "retrieval": _retrieval,
    "evidence": _evidence,
}
