"""Families of correlations: ratings in steps, skewed, heavy tails, rare large errors, models alike, clusters.

Pairs of equal worth are exactly so: the two models' errors have one distribution, or mirrored ones. True
correlations of normal data are known; of other data they are the mean over two million examples.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmarks.type_one.cells import Bounds, Drawn, Family
from harness.metrics.standard import PEARSON, SPEARMAN

if TYPE_CHECKING:
    from collections.abc import Callable

    from harness.metrics.interface import Metric

SIZES = (50, 150, 500)


def steps(meaning: np.ndarray) -> np.ndarray:
    """Ratings from 0 to 5 in fifths."""
    return np.clip(np.round((2.6 + 1.6 * meaning) * 5) / 5, 0, 5)


def skewed(meaning: np.ndarray) -> np.ndarray:
    """Ratings from 0 to 5 in whole steps, 80 % of them 0."""
    return np.clip(np.floor((meaning - 0.8416) * 4) + 1, 0, 5)


def as_is(meaning: np.ndarray) -> np.ndarray:
    """The meaning itself."""
    return meaning


def normal(generator: np.random.Generator, n: int) -> np.ndarray:
    """Normal, of variance 1."""
    return generator.normal(size=n)


def heavy(generator: np.random.Generator, n: int) -> np.ndarray:
    """Student's t with 2.5 degrees of freedom, of variance 1."""
    return generator.standard_t(2.5, size=n) / math.sqrt(5)


def contaminated(generator: np.random.Generator, n: int) -> np.ndarray:
    """Normal, one in twenty ten times as large."""
    return generator.normal(size=n) * np.where(generator.random(n) < 0.05, 10, 1)


def alone(_: np.random.Generator, n: int) -> np.ndarray:
    """Each example on its own."""
    return np.arange(n)


def fours(_: np.random.Generator, n: int) -> np.ndarray:
    """Clusters of four."""
    return np.arange(n) // 4


def zipf(generator: np.random.Generator, n: int) -> np.ndarray:
    """Clusters of Zipf-like sizes, five examples each on average."""
    shares = 1 / np.arange(1, max(n // 5, 12) + 1)
    return generator.choice(len(shares), size=n, p=shares / shares.sum())


def one_large(_: np.random.Generator, n: int) -> np.ndarray:
    """A cluster of 40 %, and others of three."""
    return np.where(np.arange(n) < 0.4 * n, 0, 1 + np.arange(n) % max(n // 5, 12))


@dataclass(frozen=True, slots=True, kw_only=True)
class Ratings:
    """Two models' similarities of rated pairs: the meaning, plus errors that they share in part."""

    noise: tuple[float, float]
    """Size of the errors of baseline and candidate."""
    gold: Callable[[np.ndarray], np.ndarray] = as_is
    meaning: Callable[[np.random.Generator, int], np.ndarray] = normal
    errors: Callable[[np.random.Generator, int], np.ndarray] = normal
    shared: float = 0.5
    """Share of the errors' variance that both models have in common."""
    outliers: bool = False
    """Whether the candidate alone has further errors, ten times as large, on one pair in twenty."""
    mirrored: bool = False
    """Whether the baseline errs three times as much above the mean, and the candidate below it."""
    clusters: Callable[[np.random.Generator, int], np.ndarray] = alone
    """Two fifths of all variances are between clusters, where there are any."""

    def __call__(self, generator: np.random.Generator, n: int) -> Drawn:
        """Draw so many pairs."""
        clusters = np.unique(self.clusters(generator, n), return_inverse=True)[1]

        def drawn(make: Callable[[np.random.Generator, int], np.ndarray]) -> np.ndarray:
            if self.clusters is alone:
                return make(generator, n)
            between = make(generator, clusters.max() + 1)[clusters]
            return np.asarray(math.sqrt(0.4) * between + math.sqrt(0.6) * make(generator, n))

        meaning, common = drawn(self.meaning), drawn(self.errors)
        gold, columns = self.gold(meaning), []
        for model, noise in enumerate(self.noise):
            error = math.sqrt(self.shared) * common + math.sqrt(1 - self.shared) * drawn(self.errors)
            if self.mirrored:
                error = error * np.where((meaning > 0) == (model == 0), 1.5, 0.5)
            if self.outliers and model:
                error = error + generator.normal(size=n) * np.where(generator.random(n) < 0.05, 10, 0)
            columns.append([gold, meaning + noise * error])
        return Drawn((columns[0], columns[1]), clusters)

    def true_score(self, metric: Metric, model: int) -> float | None:
        """Return a model's correlation in the population, where a formula has it.

        Source for Spearman's: Pearson (1907), "On further methods of determining correlation".
        """
        if self.gold is not as_is or (self.outliers and model):
            return None
        # Of mirrored errors the mean square is (1.5² + 0.5²) / 2.
        correlation = 1 / math.sqrt(1 + self.noise[model] ** 2 * (1.25 if self.mirrored else 1))
        if metric is PEARSON:
            return None if self.errors is contaminated else correlation
        is_normal = self.errors is normal and self.meaning is normal and not self.mirrored
        return 6 / math.pi * math.asin(correlation / 2) if is_normal else None


def few_seen(examples: int, fewest: int = 150) -> Bounds | None:
    """Return bounds for losses by one pair in twenty: from so many examples on, as for a mean."""
    return Bounds() if examples >= fewest else None


def contaminated_spearman(examples: int) -> Bounds:
    """Return bounds for contaminated errors: a gate may pass 4.5 % at 50 examples."""
    return Bounds(gate=0.045 if examples <= 50 else 0.035)


def families(name: str, metric: Metric, ratings: Ratings, **options: object) -> list[Family]:
    """Return a family of models with these errors, whose truths are formulas where they can be."""
    base, candidate = (ratings.true_score(metric, model) for model in (0, 1))
    gain = None if base is None or candidate is None else candidate - base
    if ratings.noise[0] == ratings.noise[1] and not ratings.outliers:
        gain = 0.0
    settings: dict[str, Any] = {"sizes": SIZES, "true_gain": gain, "true_score": base} | options
    return [Family(name=f"{metric.name}, {name}", metric=metric, draw=ratings, **settings)]


def both_worths(name: str, metric: Metric, ratings: Ratings, loss: float, **options: object) -> list[Family]:
    """Return families of two equal models, and of a candidate whose errors are larger by so much."""
    worse = replace(ratings, noise=(ratings.noise[0], ratings.noise[1] * (1 + loss)))
    return [
        *families(name, metric, ratings, **options),
        *families(f"{name}, a loss", metric, worse, **options),
    ]


def _of(metric: Metric) -> list[Family]:
    rare = contaminated_spearman if metric is SPEARMAN else few_seen
    half = (0.5, 0.5)
    return [
        *both_worths("ratings in steps", metric, Ratings(noise=half, gold=steps), 0.2),
        *both_worths("skewed ratings", metric, Ratings(noise=half, gold=skewed), 0.2),
        *both_worths("weak models", metric, Ratings(noise=(3.2, 3.2)), 0.5),
        *both_worths("close to 1", metric, Ratings(noise=(0.14, 0.14)), 0.8),
        *both_worths("models nearly alike", metric, Ratings(noise=half, shared=0.98), 0.1),
        *both_worths("heavy tails", metric, Ratings(noise=half, errors=heavy, meaning=heavy), 0.4),
        *both_worths(
            "contaminated",
            metric,
            Ratings(noise=(0.3, 0.3), gold=steps, errors=contaminated),
            0.6,
            bounds=rare,
        ),
        *families("different models of equal worth", metric, Ratings(noise=half, mirrored=True, shared=0.3)),
        *families(
            "outliers of one model",
            metric,
            Ratings(noise=half, outliers=True),
            bounds=partial(few_seen, fewest=500),
        ),
        *both_worths("clusters of four", metric, Ratings(noise=half, clusters=fours), 0.2),
        *both_worths("clusters by Zipf", metric, Ratings(noise=half, clusters=zipf), 0.2),
        *both_worths("a cluster of 40 %", metric, Ratings(noise=half, clusters=one_large), 0.2),
    ]


FAMILIES = [*_of(SPEARMAN), *_of(PEARSON)]
