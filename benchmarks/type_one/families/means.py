"""Families of means: accuracy, recall, nDCG, alone and in clusters."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from benchmarks.type_one.cells import Bounds, Drawn, Family
from harness.metrics.standard import mean_metric

if TYPE_CHECKING:
    from collections.abc import Callable

VALUE = mean_metric("value")

_NINETY = Bounds(type_one=0.10, coverage=0.90, gate=0.10)
"""What is promised of skewed means where losses are too few to be seen."""


def accuracy(generator: np.random.Generator, n: int, differing: float, gained: float = 0.5) -> Drawn:
    """Right or wrong, on its own; a share of answers differs, and a share of these are gains."""
    right = (generator.random(n) < 0.75).astype(float)
    differs = generator.random(n) < differing
    better = generator.random(n) < gained
    base = np.where(differs, ~better, right).astype(float)
    return Drawn(([base], [np.where(differs, better, right).astype(float)]), np.arange(n))


def even_clusters(generator: np.random.Generator, n: int) -> np.ndarray:
    """17 examples each, on average."""
    return generator.permutation(n) % max(n // 17, 12)


def zipf_clusters(generator: np.random.Generator, n: int) -> np.ndarray:
    """A fifth as many clusters as examples; the k-th largest has about 1/k of the largest."""
    shares = 1 / np.arange(1, max(n // 5, 15) + 1)
    return generator.choice(len(shares), n, p=shares / shares.sum())


def one_large_cluster(generator: np.random.Generator, n: int) -> np.ndarray:
    """One of 40 %, the others of four examples on average."""
    large = int(0.4 * n)
    return np.r_[np.zeros(large, dtype=int), 1 + generator.integers((n - large) // 4, size=n - large)]


def clustered_accuracy(
    generator: np.random.Generator,
    n: int,
    clusters_of: Callable[[np.random.Generator, int], np.ndarray],
    effect: float,
    level: float = 0.8,
) -> Drawn:
    """Right or wrong; on each cluster one model may be better as a whole (standard deviation 0.6)."""
    clusters = np.unique(clusters_of(generator, n), return_inverse=True)[1]
    ease = generator.normal(size=clusters.max() + 1)[clusters] + level
    lean = generator.normal(size=clusters.max() + 1)[clusters] * 0.6 + effect
    logits = [ease - lean / 2, ease + lean / 2]
    sides = [(generator.random(n) < 1 / (1 + np.exp(-logit))).astype(float) for logit in logits]
    return Drawn(([sides[0]], [sides[1]]), clusters)


def recall(generator: np.random.Generator, n: int, gained: float) -> Drawn:
    """Recall of queries: most of them alike in both models, some gained and some lost by quarters."""
    base = generator.choice([0.0, 0.5, 1.0], p=[0.3, 0.3, 0.4], size=n)
    moved = generator.random(n) < 0.2
    up = np.where(generator.random(n) < gained, 1, -1)
    step = up * generator.choice([0.25, 0.5, 1.0], p=[0.3, 0.4, 0.3], size=n)
    return Drawn(([base], [base + np.where(moved, step, 0.0)]), np.arange(n))


def ndcg(generator: np.random.Generator, n: int, effect: float) -> Drawn:
    """Continuous values of queries, half of them alike, the others apart by a skewed amount."""
    base = generator.beta(2, 1, size=n)
    moved = (generator.gamma(1.0, 0.25, size=n) - 0.25 + effect) * (generator.random(n) < 0.5)
    return Drawn(([base], [base + moved]), np.arange(n))


def ndcg_of_zeros(generator: np.random.Generator, n: int, gained: float) -> Drawn:
    """NDCG between 0 and 1: seven of ten queries find nothing, and 15 % differ, by a few ranks or by all."""
    found = generator.random(n) < 0.3
    base = np.where(found, generator.beta(2, 2, size=n), 0.0)
    differs = generator.random(n) < 0.15
    size, up = generator.beta(1, 3, size=n), generator.random(n) < gained
    low, high = base, np.where(differs, base + (1 - base) * size, base)
    return Drawn(([np.where(up, low, high)], [np.where(up, high, low)]), np.arange(n))


def ndcg_near_an_end(generator: np.random.Generator, n: int, top: bool) -> Drawn:
    """NDCG of which nine of ten values are at one end; a quarter of the queries is answered anew."""
    again = generator.random(n) < 0.25
    first, second = (np.where(generator.random(n) < 0.1, generator.beta(2, 2, size=n), 0.0) for _ in range(2))
    sides = [first, np.where(again, second, first)]
    base, cand = (1 - side if top else side for side in sides)
    return Drawn(([base], [cand]), np.arange(n))


def clustered_ndcg(
    generator: np.random.Generator,
    n: int,
    clusters_of: Callable[[np.random.Generator, int], np.ndarray],
) -> Drawn:
    """NDCG of which most is 0 in hard clusters; on each cluster one model may be better as a whole."""
    drawn = clustered_accuracy(generator, n, clusters_of, effect=0.0, level=-1.0)
    sizes = [generator.beta(2, 2, size=n) for _ in range(2)]
    base, cand = (side[0] * size for side, size in zip(drawn.columns, sizes, strict=True))
    return Drawn(([base], [cand]), drawn.clusters)


def ndcg_of_rare_losses(
    generator: np.random.Generator, n: int, share: float, least: float, gain: float
) -> Drawn:
    """NDCG between 0 and 1: small gains on 30 % of the queries, and large losses on a share of the others.

    least: the smallest loss, the largest being 1. gain: the mean of a small gain.
    """
    kind = generator.random(n)
    up, down = kind < 0.3, kind > 1 - share
    base = np.where(down, 1.0, generator.beta(4, 2, size=n) * 0.5)
    small = np.minimum(generator.exponential(gain, size=n), 0.5)
    large = generator.uniform(least, 1.0, size=n)
    moved = np.where(up, small, np.where(down, -large, 0.0))
    return Drawn(([base], [base + moved]), np.arange(n))


def heavy_tails(generator: np.random.Generator, n: int, effect: float) -> Drawn:
    """Values without a range, such as margins: differences of Student's t(2.5)."""
    base = generator.normal(size=n)
    return Drawn(([base], [base + generator.standard_t(2.5, size=n) * 0.3 + effect]), np.arange(n))


def chance_of_right(level: float) -> float:
    """Return the share of right answers where clusters' log odds have this mean, and a variance of 1.09."""
    nodes, weights = np.polynomial.hermite_e.hermegauss(80)
    chances = 1 / (1 + np.exp(-(level + np.sqrt(1.09) * nodes)))
    return float(weights @ chances / weights.sum())


def mean_small_gain(gain: float) -> float:
    """Return the mean of an exponential variable that is cut at 0.5."""
    return float(gain * -np.expm1(-0.5 / gain))


def small_gain_of(mean: float) -> float:
    """Return the exponential variable's own mean of which the cut one has such a mean."""
    low, high = mean, 4 * mean
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if mean_small_gain(middle) < mean else (low, middle)
    return low


def promised_from(least: int) -> Callable[[int], Bounds]:
    """Return bounds that are full from so many examples on, and 90 % coverage below."""
    return lambda n: Bounds() if n >= least else _NINETY


def _accuracies() -> list[Family]:
    sizes = {0.005: (200, 2000), 0.02: (100, 500, 2000), 0.1: (100, 300, 1000)}
    return [
        Family(
            name=f"accuracy, {differing:.1%} differ{name}",
            metric=VALUE,
            draw=partial(accuracy, differing=differing, gained=gained),
            sizes=sizes[differing],
            true_gain=differing * (2 * gained - 1),
            true_score=0.75 * (1 - differing) + differing * (1 - gained),
        )
        for differing in sizes
        for name, gained in (("", 0.5), (", a gain", 0.75), (", a loss", 0.25))
    ]


def _clustered() -> list[Family]:
    clusters = {
        "even clusters": (even_clusters, (300, 1000)),
        "Zipf clusters": (zipf_clusters, (100, 300, 1000)),
        "one cluster of 40 %": (one_large_cluster, (150, 300)),
    }
    return [
        Family(
            name=f"accuracy, {name}{what}",
            metric=VALUE,
            draw=partial(clustered_accuracy, clusters_of=clusters_of, effect=effect, level=level),
            sizes=sizes,
            true_gain=chance_of_right(level + effect / 2) - chance_of_right(level - effect / 2),
            true_score=chance_of_right(level - effect / 2),
        )
        for name, (clusters_of, sizes) in clusters.items()
        for what, effect, level in (("", 0.0, 0.8), (", a loss", -0.4, 0.8), (", near 1", 0.0, 3.0))
    ]


def _rare_losses() -> list[Family]:
    losses = {"losses on 5 %": (0.05, 0.2, 150), "total losses on 1 %": (0.01, 1.0, 500)}
    return [
        Family(
            name=f"nDCG, {name}{what}",
            metric=VALUE,
            draw=partial(
                ndcg_of_rare_losses,
                share=share,
                least=least,
                gain=small_gain_of((share * (least + 1) / 2 + gain) / 0.3),
            ),
            sizes=(50, 150, 500, 1000),
            true_gain=gain,
            true_score=share + (1 - share) / 3,
            bounds=promised_from(seen_from),
        )
        for name, (share, least, seen_from) in losses.items()
        for what, gain in (("", 0.0), (", a gain", 0.01), (", a loss", -0.005))
    ]


FAMILIES = [
    *_accuracies(),
    *_clustered(),
    Family(
        name="recall@10",
        metric=VALUE,
        draw=partial(recall, gained=0.5),
        sizes=(100, 300, 1000),
        true_score=0.55,
    ),
    Family(
        name="recall@10, a loss",
        metric=VALUE,
        draw=partial(recall, gained=0.3),
        sizes=(100, 300, 1000),
        true_gain=-0.2 * 0.4 * 0.575,
        true_score=0.55,
    ),
    Family(
        name="nDCG@10",
        metric=VALUE,
        draw=partial(ndcg, effect=0.0),
        sizes=(50, 100, 300, 1000),
        true_score=2 / 3,
    ),
    Family(
        name="nDCG, many zeros",
        metric=VALUE,
        draw=partial(ndcg_of_zeros, gained=0.5),
        sizes=(100, 300, 1000),
        true_score=0.15 + 0.5 * 0.15 * 0.2125,
    ),
    Family(
        name="nDCG, many zeros, a loss",
        metric=VALUE,
        draw=partial(ndcg_of_zeros, gained=0.2),
        sizes=(100, 300, 1000),
        true_gain=-0.15 * 0.6 * 0.2125,
        true_score=0.15 + 0.8 * 0.15 * 0.2125,
    ),
    *(
        Family(
            name=f"nDCG, near {end}",
            metric=VALUE,
            draw=partial(ndcg_near_an_end, top=end == 1),
            sizes=(300, 1000),
            true_score=abs(end - 0.05),
        )
        for end in (0, 1)
    ),
    Family(
        name="nDCG, Zipf clusters",
        metric=VALUE,
        draw=partial(clustered_ndcg, clusters_of=zipf_clusters),
        sizes=(150, 300, 1000),
        true_score=chance_of_right(-1.0) / 2,
    ),
    *_rare_losses(),
    Family(
        name="heavy tails",
        metric=VALUE,
        draw=partial(heavy_tails, effect=0.0),
        sizes=(50, 100, 300, 1000),
        true_score=0.0,
    ),
]
