"""Families of ROC-AUC, average precision and macro-F1: near 1, few positives, clusters, rare losses."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import partial
from statistics import NormalDist
from typing import TYPE_CHECKING

import numpy as np

from benchmarks.type_one.cells import Bounds, Drawn, Family
from harness.metrics.standard import AVERAGE_PRECISION, MACRO_F1, ROC_AUC

if TYPE_CHECKING:
    from collections.abc import Callable

_SIZES = {0.05: (100, 200, 500, 1000), 0.3: (30, 50, 150, 500, 1000)}
"""Numbers of examples by share of positives."""

FEW = Bounds(type_one=0.10, coverage=0.90, single=0.90, gate=0.05)
"""Bounds with fewer than 50 examples, or than ten of the smaller class."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scores:
    """Normal scores of negatives and positives by two models, whose errors are shared in part."""

    base: float
    cand: float
    """ROC-AUC of both, before losses."""
    share: float
    """Of positives."""
    spread: float = 1.0
    """Standard deviation of positives; 1 for negatives."""
    cand_spread: float | None = None
    """That of the candidate, if it differs from the baseline's."""
    shared: float = 0.5
    """Correlation of both models' scores within a class; 1: the candidate's are the baseline's."""
    lost: float = 0.0
    """Share of the positives that the candidate ranks below everything."""
    jumped: float = 0.0
    """Share of the negatives that the candidate ranks above everything."""
    steps: float = 0.0
    """Scores are rounded to multiples of this, for ties; 0: not rounded."""
    clusters: str = ""
    """`` for none, `zipf`, or `big` for one of 40 %; they share part of their errors."""

    def draw(self, generator: np.random.Generator, n: int) -> Drawn:
        """Return gold and scores of n examples."""
        positives = max(2, round(self.share * n))
        gold = np.zeros(n, dtype=int)
        gold[generator.permutation(n)[:positives]] = 1
        clusters = CLUSTERS[self.clusters](n)
        errors = [_errors(generator, clusters, clustered=bool(self.clusters)) for _ in range(3)]
        sides = []
        for area, spread, own in zip((self.base, self.cand), self.spreads, errors[1:], strict=True):
            error = math.sqrt(self.shared) * errors[0] + math.sqrt(1 - self.shared) * own
            sides.append(np.where(gold > 0, _distance(area, spread) + spread * error, error))
        if self.steps:
            sides = [np.round(side / self.steps) * self.steps for side in sides]
        off = generator.random(n) < np.where(gold > 0, self.lost, self.jumped)
        sides[1] = np.where(off, np.where(gold > 0, -50.0, 50.0) + generator.random(n), sides[1])
        return Drawn(([gold, sides[0]], [gold, sides[1]]), clusters)

    @property
    def spreads(self) -> tuple[float, float]:
        """Standard deviations of the positives in both models."""
        return self.spread, self.cand_spread or self.spread

    @property
    def gain(self) -> float:
        """True gain by ROC-AUC; of rounded scores of models that are alike, zero."""
        return (1 - self.lost) * (1 - self.jumped) * self.cand - self.base

    @property
    def precisions(self) -> tuple[float, float]:
        """Average precision of both models in the population: the mean precision over positives."""
        return (
            self._precision(self.base, self.spreads[0], 0.0, 0.0),
            self._precision(self.cand, self.spreads[1], self.lost, self.jumped),
        )

    def _precision(self, area: float, spread: float, lost: float, jumped: float) -> float:
        from scipy.special import ndtr, ndtri

        above = (np.arange(200_000) + 0.5) / 200_000
        threshold = _distance(area, spread) + spread * ndtri(1 - above)
        hits = self.share * (1 - lost) * above
        misses = (1 - self.share) * (jumped + (1 - jumped) * ndtr(-threshold))
        return float((1 - lost) * (hits / (hits + misses)).mean() + lost * self.share)

    def bounds(self, n: int) -> Bounds | None:
        """Return the bounds at a size; None where too few negatives jump to be seen, of 3.7 at least."""
        if 0 < self.jumped * (1 - self.share) * n < 3.7:
            return None
        smaller = min(self.share, 1 - self.share) * n
        return Bounds() if n >= 50 and smaller >= 10 else FEW


def _distance(area: float, spread: float) -> float:
    """Return the distance of the means that gives such a ROC-AUC."""
    return NormalDist().inv_cdf(area) * math.hypot(1.0, spread)


def _errors(generator: np.random.Generator, clusters: np.ndarray, *, clustered: bool) -> np.ndarray:
    own = generator.normal(size=len(clusters))
    if not clustered:
        return own
    common = generator.normal(size=len(clusters))[clusters]
    return np.asarray(math.sqrt(0.3) * common + math.sqrt(0.7) * own)


def zipf(n: int) -> np.ndarray:
    """Return clusters of n examples whose sizes are as 1, 1/2, 1/3, …; about n / 5 of them."""
    count = max(12, n // 5)
    weights = 1 / np.arange(1, count + 1)
    ends = np.round(np.cumsum(weights) / weights.sum() * n).astype(int)
    return np.searchsorted(ends, np.arange(n), side="right")


def one_big(n: int) -> np.ndarray:
    """Return clusters of n examples: one of 40 %, the others of three."""
    big = round(0.4 * n)
    return np.r_[np.zeros(big, dtype=int), 1 + np.arange(n - big) // 3]


CLUSTERS: dict[str, Callable[[int], np.ndarray]] = {"": np.arange, "zipf": zipf, "big": one_big}


def area(name: str, scores: Scores, sizes: tuple[int, ...] = ()) -> Family:
    """Return a family of ROC-AUC, whose truth is known in closed form."""
    rounded = bool(scores.steps)
    return Family(
        name=f"ROC-AUC, {name}",
        metric=ROC_AUC,
        draw=scores.draw,
        sizes=sizes or _SIZES[scores.share],
        true_gain=scores.gain,
        true_score=None if rounded else scores.base,
        bounds=scores.bounds,
    )


def precision(name: str, scores: Scores, sizes: tuple[int, ...]) -> Family:
    """Return a family of average precision, whose truth is an integral."""
    baseline, candidate = scores.precisions
    return Family(
        name=f"average precision, {name}",
        metric=AVERAGE_PRECISION,
        draw=scores.draw,
        sizes=sizes,
        true_gain=candidate - baseline,
        true_score=baseline,
        bounds=scores.bounds,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Labels:
    """Classes and two models' predictions of them, wrong at random."""

    shares: tuple[float, ...] = (0.5, 0.35, 0.15)
    """Of the classes."""
    right: tuple[float, float] = (0.8, 0.8)
    """Share of right answers of both models, in every class but the last."""
    right_last: tuple[float, float] | None = None
    """In the last class; as in the others when None."""
    agree: float = 0.5
    """Share of the examples on which both models answer alike if they are equally good."""
    clusters: str = ""

    def draw(self, generator: np.random.Generator, n: int) -> Drawn:
        """Return gold and labels of n examples."""
        ends = np.round(np.cumsum(self.shares) * n).astype(int)
        gold = generator.permutation(np.searchsorted(ends, np.arange(n), side="right"))
        clusters = CLUSTERS[self.clusters](n)
        alike = generator.random(n) < self.agree
        luck = [_luck(generator, clusters, clustered=bool(self.clusters)) for _ in range(2)]
        luck[1] = np.where(alike, luck[0], luck[1])
        other = (gold + generator.integers(1, len(self.shares), size=n)) % len(self.shares)
        sides = []
        for side in (0, 1):
            needed = self._right(side)[gold]
            sides.append(np.where(luck[side] < needed, gold, other))
        return Drawn(([gold, sides[0]], [gold, sides[1]]), clusters)

    def _right(self, side: int) -> np.ndarray:
        """Share of right answers by class."""
        last = (self.right_last or self.right)[side]
        return np.r_[np.full(len(self.shares) - 1, self.right[side]), last]

    def score(self, side: int) -> float:
        """Return the macro-F1 of a model in the population."""
        shares, right = np.array(self.shares), self._right(side)
        wrong = shares * (1 - right) / (len(shares) - 1)
        predicted = shares * right + wrong.sum() - wrong
        return float((2 * shares * right / (shares + predicted)).mean())

    def bounds(self, n: int) -> Bounds:
        """Return the bounds at a size."""
        return Bounds() if n >= 50 and min(self.shares) * n >= 10 else FEW


def _luck(generator: np.random.Generator, clusters: np.ndarray, *, clustered: bool) -> np.ndarray:
    from scipy.special import ndtr

    return np.asarray(ndtr(_errors(generator, clusters, clustered=clustered)))


def f1(name: str, labels: Labels, sizes: tuple[int, ...]) -> Family:
    """Return a family of macro-F1, whose truth follows from the confusion matrix."""
    return Family(
        name=f"macro-F1, {name}",
        metric=MACRO_F1,
        draw=labels.draw,
        sizes=sizes,
        true_gain=labels.score(1) - labels.score(0),
        true_score=labels.score(0),
        bounds=labels.bounds,
    )


def _areas() -> list[Family]:
    families = []
    for share in (0.05, 0.3):
        of = partial(Scores, share=share)
        percent = f"{share:.0%} positives"
        families += [
            area(f"{true} of both, {percent}", of(base=true, cand=true)) for true in (0.86, 0.94, 0.98, 0.998)
        ]
        families += [
            area(f"{base} to {cand}, {percent}", of(base=base, cand=cand))
            for base, cand in ((0.998, 0.978), (0.99, 0.97), (0.94, 0.92), (0.86, 0.84))
        ]
        families += [
            area(
                f"0.99 to 0.97, positives spread {spread}, {percent}", of(base=0.99, cand=0.97, spread=spread)
            )
            for spread in (2.0, 0.5)
        ]
        families += [
            area(f"4 % of positives lost from {true}, {percent}", of(base=true, cand=true, lost=0.04))
            for true in (0.998, 0.94)
        ]
        families += [
            area(
                f"4 % of positives lost, else the same, {percent}",
                of(base=0.94, cand=0.94, lost=0.04, shared=1.0),
            ),
            area(f"0.86 of both, nearly the same, {percent}", of(base=0.86, cand=0.86, shared=0.99)),
            area(f"0.94 of both, spread 2, {percent}", of(base=0.94, cand=0.94, spread=2.0)),
            area(f"0.86 of both, spreads 1 and 3, {percent}", of(base=0.86, cand=0.86, cand_spread=3.0)),
            area(f"0.98 of both, spreads 1 and 3, {percent}", of(base=0.98, cand=0.98, cand_spread=3.0)),
            area(
                f"0.96 of both, one with losses of 4 %, {percent}",
                of(base=0.96 * 0.9999, cand=0.9999, lost=0.04),
            ),
            area(f"0.9 of both, with ties, {percent}", of(base=0.9, cand=0.9, steps=0.5)),
        ]
    for clusters in ("zipf", "big"):
        of = partial(Scores, share=0.3, clusters=clusters)
        families += [
            area(f"0.86 of both, clusters {clusters}", of(base=0.86, cand=0.86), (150, 300, 1000)),
            area(f"0.98 to 0.96, clusters {clusters}", of(base=0.98, cand=0.96), (150, 300, 1000)),
        ]
    return families


def _precisions() -> list[Family]:
    rare, common = partial(Scores, share=0.05), partial(Scores, share=0.3)
    return [
        precision("equal, 5 % positives", rare(base=0.9, cand=0.9), (100, 200, 1000)),
        precision("equal and near 1, 5 % positives", rare(base=0.998, cand=0.998), (100, 200, 1000)),
        precision("a loss near 1, 5 % positives", rare(base=0.9998, cand=0.99), (100, 200, 500, 1000)),
        precision("a loss, 5 % positives", rare(base=0.94, cand=0.92), (100, 200, 500, 1000)),
        precision("equal, 30 % positives", common(base=0.86, cand=0.86), (50, 150, 500)),
        precision("a loss near 1, 30 % positives", common(base=0.998, cand=0.985), (50, 150, 500)),
        precision("a loss, spread 2", common(base=0.94, cand=0.91, spread=2.0), (50, 150, 500)),
        precision("4 % of positives lost", common(base=0.998, cand=0.998, lost=0.04), (50, 150, 300, 1000)),
        precision(
            "4 % of positives lost, else the same",
            common(base=0.94, cand=0.94, lost=0.04, shared=1.0),
            (50, 150, 300),
        ),
        precision("1 % of negatives on top", common(base=0.94, cand=0.94, jumped=0.01), (150, 1000)),
        precision("equal, clusters zipf", common(base=0.9, cand=0.9, clusters="zipf"), (150, 500)),
    ]


def _f1s() -> list[Family]:
    two = partial(Labels, shares=(0.5, 0.5))
    return [
        f1("two classes, equal", two(), (30, 50, 300)),
        f1("two classes, near 1", two(right=(0.99, 0.96)), (50, 150, 300)),
        f1("three classes, equal", Labels(), (50, 100, 300)),
        f1("three classes, a loss in the smallest", Labels(right_last=(0.95, 0.85)), (50, 100, 300)),
        f1(
            "three classes, a loss in the smallest, near 1",
            Labels(right=(0.99, 0.99), right_last=(0.99, 0.93), agree=0.9),
            (50, 100, 300),
        ),
        f1("one class of 4 %", Labels(shares=(0.64, 0.32, 0.04), right=(0.9, 0.85)), (50, 300)),
        f1("three classes, equal, clusters zipf", Labels(clusters="zipf"), (100, 300)),
        f1("two classes, equal, one big cluster", two(clusters="big"), (100, 300)),
    ]


FAMILIES = [*_areas(), *_precisions(), *_f1s()]
