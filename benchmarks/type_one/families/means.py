"""Families of means: accuracy, recall, nDCG, alone and in clusters."""

from __future__ import annotations

from functools import partial

import numpy as np

from benchmarks.type_one.cells import Drawn, Family
from harness.metrics.standard import mean_metric

VALUE = mean_metric("value")


def accuracy(generator: np.random.Generator, n: int, effect: float) -> Drawn:
    """Right or wrong, on its own; 12 % of the answers differ between the models."""
    right = (generator.random(n) < 0.75).astype(float)
    differs = generator.random(n) < 0.12
    gained = generator.random(n) < 0.5 + effect
    base = np.where(differs, ~gained, right).astype(float)
    return Drawn(([base], [np.where(differs, gained, right).astype(float)]), np.arange(n))


def clustered_accuracy(generator: np.random.Generator, n: int, effect: float) -> Drawn:
    """17 questions of each document, on which one model may be better as a whole (standard deviation 0.6)."""
    documents = max(n // 17, 12)
    clusters = np.arange(n) % documents
    level = generator.normal(size=documents)[clusters] + 0.8
    lean = generator.normal(size=documents)[clusters] * 0.6 + effect
    logits = [level - lean / 2, level + lean / 2]
    sides = [(generator.random(n) < 1 / (1 + np.exp(-logit))).astype(float) for logit in logits]
    return Drawn(([sides[0]], [sides[1]]), clusters)


def recall(generator: np.random.Generator, n: int, effect: float) -> Drawn:
    """Recall of queries: most of them alike in both models, some gained and some lost by quarters."""
    base = generator.choice([0.0, 0.5, 1.0], p=[0.3, 0.3, 0.4], size=n)
    moved = generator.random(n) < 0.2
    up = np.where(generator.random(n) < 0.5 + effect, 1, -1)
    step = up * generator.choice([0.25, 0.5, 1.0], p=[0.3, 0.4, 0.3], size=n)
    return Drawn(([base], [base + np.where(moved, step, 0.0)]), np.arange(n))


def ndcg(generator: np.random.Generator, n: int, effect: float) -> Drawn:
    """Continuous values of queries, half of them alike, the others apart by a skewed amount."""
    base = generator.beta(2, 1, size=n)
    moved = (generator.gamma(1.0, 0.25, size=n) - 0.25 + effect) * (generator.random(n) < 0.5)
    return Drawn(([base], [base + moved]), np.arange(n))


FAMILIES = [
    Family(name="accuracy", metric=VALUE, draw=partial(accuracy, effect=0.0), sizes=(100, 300, 1000)),
    Family(
        name="accuracy, a gain",
        metric=VALUE,
        draw=partial(accuracy, effect=0.2),
        sizes=(100, 300, 1000),
        true_gain=None,
    ),
    Family(
        name="accuracy in clusters",
        metric=VALUE,
        draw=partial(clustered_accuracy, effect=0.0),
        sizes=(300, 1000),
    ),
    Family(name="recall@10", metric=VALUE, draw=partial(recall, effect=0.0), sizes=(100, 300, 1000)),
    Family(name="nDCG@10", metric=VALUE, draw=partial(ndcg, effect=0.0), sizes=(100, 300, 1000)),
]
