"""Races: a baseline and candidates of known worth, on one task or several."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from benchmarks.type_one.cells import Drawn
from harness.metrics.standard import ROC_AUC, SPEARMAN, mean_metric
from harness.stats.gain import gain_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from harness.metrics.interface import Metric
    from harness.stats.gain import Gain

VALUE = mean_metric("value")


@dataclass(frozen=True, slots=True)
class Field:
    """The answers of a baseline and of candidates to the same examples: the columns of a metric."""

    baseline: list[np.ndarray]
    candidates: list[list[np.ndarray]]
    clusters: np.ndarray | None = None
    """(n,): None for examples on their own."""

    def gains(self, metric: Metric) -> list[Gain]:
        """Return the gains that the harness would measure."""
        units = np.arange(len(self.baseline[0])) if self.clusters is None else self.clusters
        return [gain_of(Drawn((self.baseline, own), units).pair(metric)) for own in self.candidates]


@dataclass(frozen=True, slots=True, kw_only=True)
class RaceTask:
    """A kind of examples and answers."""

    metric: Metric
    draw: Callable[[np.random.Generator, int, np.ndarray], Field]
    """Of a generator, a number of examples, and the true gain of each candidate."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Race:
    """A kind of candidates, and the tasks over which the mean gain decides."""

    name: str
    tasks: tuple[RaceTask, ...]
    better: Callable[[int], np.ndarray] = np.zeros
    """Of the number of candidates: the true gain of each, on each task."""
    sizes: tuple[int, ...] = (100, 300, 1000)
    tuned: bool = True
    """Whether a method was chosen with this race in sight."""


def one_better(count: int, by: float) -> np.ndarray:
    """Return candidates of which one is better, and all others are equal."""
    better = np.zeros(count)
    better[count // 2] = by
    return better


def ladder(count: int, by: float) -> np.ndarray:
    """Return candidates each of which is a little better than the one before, from −by to +by."""
    return np.linspace(-by, by, count) if count > 1 else np.zeros(1)


def accuracies(
    generator: np.random.Generator, n: int, better: np.ndarray, *, apart: float, common: float
) -> Field:
    """Right or wrong; candidates share some changes of the baseline's answers, and have some of their own.

    apart, common: shares of the answers that differ between a candidate and what all of them come from, and
    between that and the baseline.
    """
    base = generator.random(n) < 0.75
    trained = _changed(generator, base, np.full(1, common), 0.0)[0]
    own = _changed(
        generator, np.tile(trained, (len(better), 1)), np.full(len(better), apart), better[:, None]
    )
    return Field([base.astype(float)], [[each.astype(float)] for each in own])


def _changed(
    generator: np.random.Generator, right: np.ndarray, share: np.ndarray, better: np.ndarray | float
) -> np.ndarray:
    """Change a share of answers, of which three quarters are right, so that as many are right, or more."""
    rows = np.atleast_2d(right)
    coins = generator.random((len(share), rows.shape[1]))
    lost = share[:, None] / 2 / 0.75
    gained = (share[:, None] / 2 + better) / 0.25
    lost, gained = np.where(gained < 0, lost - gained / 3, lost), np.maximum(gained, 0)
    return np.asarray(np.where(rows, coins >= lost, coins < gained))


def values(generator: np.random.Generator, n: int, better: np.ndarray, *, shared: float) -> Field:
    """Values of queries, such as nDCG: most alike, the others apart by a skewed amount, shared in part."""
    base = generator.beta(2, 1, size=n)
    moves = (generator.gamma(1.0, 0.25, size=(len(better) + 1, n)) - 0.25) * (
        generator.random((len(better) + 1, n)) < 0.3
    )
    own = math.sqrt(shared) * moves[-1] + math.sqrt(1 - shared) * moves[:-1] + better[:, None]
    return Field([base], [[base + each] for each in own])


def ratings(generator: np.random.Generator, n: int, better: np.ndarray, *, shared: float) -> Field:
    """Gold and similarities that correlate with 0.8, or better; errors are shared in part."""
    gold = generator.normal(size=n)
    errors = generator.normal(size=(len(better) + 1, n))
    correlations = 2 * np.sin(math.pi / 6 * (0.8 + np.r_[0.0, better]))
    hard = generator.normal(size=n)
    noise = math.sqrt(shared) * hard + math.sqrt(1 - shared) * errors
    predicted = correlations[:, None] * gold + np.sqrt(1 - correlations**2)[:, None] * noise
    return Field([gold, predicted[0]], [[gold, each] for each in predicted[1:]])


def areas(
    generator: np.random.Generator, n: int, better: np.ndarray, *, positives: float, apart: float
) -> Field:
    """Scores of positives and negatives that lie so many standard deviations apart; candidates are equal."""
    gold = (np.arange(n) < round(positives * n)).astype(int)
    errors = generator.normal(size=(len(better) + 1, n))
    shared = generator.normal(size=n)
    predicted = apart * gold + math.sqrt(0.5) * shared + math.sqrt(0.5) * errors
    return Field([gold, predicted[0]], [[gold, each] for each in predicted[1:]])


def clustered(generator: np.random.Generator, n: int, better: np.ndarray) -> Field:
    """Values of questions, five of each document, on which a candidate may be better as a whole."""
    documents = max(n // 5, 12)
    clusters = generator.integers(documents, size=n)
    base = generator.beta(2, 1, size=n)
    leans = 0.1 * generator.normal(size=(len(better) + 1, documents))[:, clusters]
    own = base + leans[-1] + leans[:-1] + 0.2 * generator.normal(size=(len(better), n)) + better[:, None]
    return Field([base], [[each] for each in own], clusters)


_APART = RaceTask(metric=VALUE, draw=partial(accuracies, apart=0.12, common=0.0))
_ALIKE = RaceTask(metric=VALUE, draw=partial(accuracies, apart=0.02, common=0.10))
_NDCG = RaceTask(metric=VALUE, draw=partial(values, shared=0.3))
_NDCG_ALIKE = RaceTask(metric=VALUE, draw=partial(values, shared=0.95))
_RATED = RaceTask(metric=SPEARMAN, draw=partial(ratings, shared=0.3))
_RATED_ALIKE = RaceTask(metric=SPEARMAN, draw=partial(ratings, shared=0.95))

RACES = [
    Race(name="accuracy, equal", tasks=(_APART,)),
    Race(name="accuracy, one better", tasks=(_APART,), better=partial(one_better, by=0.03)),
    Race(name="accuracy, ladder", tasks=(_APART,), better=partial(ladder, by=0.05)),
    Race(name="accuracy, alike", tasks=(_ALIKE,)),
    Race(name="accuracy, alike, one better", tasks=(_ALIKE,), better=partial(one_better, by=0.01)),
    Race(name="nDCG, equal", tasks=(_NDCG,)),
    Race(name="nDCG, alike", tasks=(_NDCG_ALIKE,)),
    Race(name="nDCG, one better", tasks=(_NDCG,), better=partial(one_better, by=0.02)),
    Race(name="Spearman, equal", tasks=(_RATED,)),
    Race(name="Spearman, alike", tasks=(_RATED_ALIKE,)),
    Race(name="Spearman, one better", tasks=(_RATED,), better=partial(one_better, by=0.02)),
    Race(name="three tasks, equal", tasks=(_APART, _NDCG, _RATED), sizes=(100, 300)),
    Race(
        name="three tasks, one better",
        tasks=(_APART, _NDCG, _RATED),
        better=partial(one_better, by=0.02),
        sizes=(100, 300),
    ),
    Race(name="nDCG in clusters, equal", tasks=(RaceTask(metric=VALUE, draw=clustered),), sizes=(300, 1000)),
    Race(
        name="ROC-AUC, equal",
        tasks=(RaceTask(metric=ROC_AUC, draw=partial(areas, positives=0.2, apart=1.5)),),
        sizes=(100, 300),
    ),
    Race(
        name="ROC-AUC near 1, equal",
        tasks=(RaceTask(metric=ROC_AUC, draw=partial(areas, positives=0.1, apart=3.2)),),
        sizes=(100, 300),
    ),
]
