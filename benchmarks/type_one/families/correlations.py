"""Families of correlations."""

from __future__ import annotations

from functools import partial

import numpy as np

from benchmarks.type_one.cells import Drawn, Family
from harness.metrics.standard import PEARSON, SPEARMAN


def sts(generator: np.random.Generator, n: int, effect: float) -> Drawn:
    """Ratings from 0 to 5 in steps; bounded similarities, whose heavy-tailed errors models share in part."""
    meaning = generator.normal(size=n)
    gold = np.clip(np.round((2.6 + 1.6 * meaning) * 5) / 5, 0, 5)
    shared = generator.standard_t(4, size=n) * 0.35
    hard = 0.4 + 0.5 * (np.abs(meaning) < 1)
    predicted = [
        np.tanh(0.45 * meaning + (shared + generator.standard_t(4, size=n) * 0.5 * hard) * 0.6 * (1 + more))
        for more in (0.0, effect)
    ]
    return Drawn(([gold, predicted[0]], [gold, predicted[1]]), np.arange(n))


def sts_clustered(generator: np.random.Generator, n: int, effect: float) -> Drawn:
    """The same where pairs share sentences, four each on average, on which a model errs alike."""
    clusters = np.sort(generator.integers(max(n // 4, 12), size=n))
    meaning = generator.normal(size=n)
    gold = np.clip(2.6 + 1.6 * meaning, 0, 5)
    predicted = [
        np.tanh(0.45 * meaning + (generator.normal(size=clusters.max() + 1)[clusters] * 0.2) * (1 + more)
                + generator.normal(size=n) * 0.2 * (1 + more))
        for more in (0.0, effect)
    ]  # fmt: skip
    return Drawn(([gold, predicted[0]], [gold, predicted[1]]), clusters)


FAMILIES = [
    Family(name="sts, Spearman", metric=SPEARMAN, draw=partial(sts, effect=0.0), sizes=(100, 300, 1000)),
    Family(name="sts, Pearson", metric=PEARSON, draw=partial(sts, effect=0.0), sizes=(100, 300, 1000)),
    Family(
        name="sts in clusters, Spearman",
        metric=SPEARMAN,
        draw=partial(sts_clustered, effect=0.0),
        sizes=(100, 300),
    ),
]
