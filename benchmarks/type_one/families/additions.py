"""Families that no method was chosen on: added after the methods, and reported as they came out."""

from __future__ import annotations

from functools import partial

import numpy as np

from benchmarks.type_one.cells import Drawn, Family
from harness.metrics.standard import AVERAGE_PRECISION, PEARSON, ROC_AUC, SPEARMAN, mean_metric

MRR = mean_metric("mrr@10", "value")


def reciprocal_ranks(generator: np.random.Generator, n: int, *, apart: float) -> Drawn:
    """Reciprocal ranks of a lexical and a dense model: one is first or nowhere, the other often third."""
    hard = generator.normal(size=n)
    sides = []
    for spread, shift in ((1.6, 0.0), (0.9, apart)):
        rank = np.exp(1.0 + 0.8 * hard + spread * generator.normal(size=n) - shift)
        rank = np.maximum(1, np.ceil(rank))
        sides.append(np.where(rank <= 10, 1 / rank, 0.0))
    return Drawn(([sides[0]], [sides[1]]), np.arange(n))


def skewed_scores(generator: np.random.Generator, n: int, *, apart: float) -> Drawn:
    """Gold of four levels; similarities with one-sided errors, and one heavy-tailed scale for each pair."""
    scale = np.sqrt(4 / generator.chisquare(4, size=n))
    meaning = generator.normal(size=n) * scale
    gold = np.searchsorted([-0.6, 0.5, 1.4], meaning + 0.4 * generator.normal(size=n)).astype(float)
    shared = generator.exponential(size=n)
    predicted = [
        meaning - noise * scale * (shared + own)
        for noise, own in ((0.5, generator.exponential(size=n)), (0.5 + apart, generator.exponential(size=n)))
    ]
    return Drawn(([gold, predicted[0]], [gold, predicted[1]]), np.arange(n))


def pairs_of_documents(generator: np.random.Generator, n: int, *, apart: float) -> Drawn:
    """Similarities of pairs from documents of 1 to 40 pairs, log-normal, a fifth of the pairs positive."""
    sizes = np.minimum(generator.geometric(0.18, size=n), 40)
    clusters = np.repeat(np.arange(n), sizes)[:n]
    level = generator.normal(size=clusters.max() + 1)[clusters] * 0.5
    gold = (generator.random(n) < 0.2).astype(int)
    shared = generator.normal(size=n) * 0.6
    predicted = [
        np.exp(0.5 * (gold * strength + level + shared + generator.normal(size=n) * (0.6 + 0.4 * gold)))
        for strength in (1.6, 1.6 + apart)
    ]
    return Drawn(([gold, predicted[0]], [gold, predicted[1]]), clusters)


def _families(apart: float, words: str) -> list[Family]:
    return [
        Family(
            name=f"{name}{words}",
            metric=metric,
            draw=partial(draw, apart=apart),
            sizes=sizes,
            true_gain=None if apart or draw is reciprocal_ranks else 0.0,
            tuned=False,
        )
        for name, metric, draw, sizes in (
            ("reciprocal ranks, lexical and dense", MRR, reciprocal_ranks, (50, 150, 500)),
            ("one-sided errors, Spearman", SPEARMAN, skewed_scores, (50, 150, 500)),
            ("one-sided errors, Pearson", PEARSON, skewed_scores, (50, 150, 500)),
            ("pairs of documents, ROC-AUC", ROC_AUC, pairs_of_documents, (150, 500, 1500)),
            (
                "pairs of documents, average precision",
                AVERAGE_PRECISION,
                pairs_of_documents,
                (150, 500, 1500),
            ),
        )
    ]


FAMILIES = [*_families(0.0, ""), *_families(0.15, ", a difference")]
