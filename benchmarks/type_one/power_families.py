"""Several candidates against one baseline of which the first has a true gain that is set."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, partial
from typing import TYPE_CHECKING

import numpy as np

from benchmarks.type_one.cells import Drawn
from harness.metrics.standard import AVERAGE_PRECISION, MACRO_F1, ROC_AUC, SPEARMAN, mean_metric

if TYPE_CHECKING:
    from harness.metrics.interface import Metric

VALUE = mean_metric("value")

Draw = Callable[[np.random.Generator, int, float, int], list[Drawn]]
"""Generator, examples, true gain of the first candidate, candidates → pairs of one baseline with each."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PowerFamily:
    """Several candidates against one baseline; the first has a true gain that is set."""

    name: str
    metric: Metric
    draw: Draw
    sizes: tuple[int, ...]
    margin: float
    """Margin to plan for."""


def accuracy(generator: np.random.Generator, n: int, gain: float, lines: int, *, rate: float) -> list[Drawn]:
    """Right or wrong; a share of the answers differs. Candidates share half of what differs."""
    right = generator.random(n) < 0.7
    shared = generator.random(n)
    pairs = []
    for line in range(lines):
        own = np.where(generator.random(n) < 0.5, shared, generator.random(n))
        gains = gain if line == 0 else 0.0
        # The middle: answers that differ at random, half of them gained; below: those that are gained on top.
        gained, lost = own < gains + rate / 2, own > 1 - rate / 2
        base = np.where(gained, 0.0, np.where(lost, 1.0, right))
        pairs.append((base, np.where(gained, 1.0, np.where(lost, 0.0, right))))
    return [Drawn(([base], [cand]), np.arange(n)) for base, cand in pairs]


def ndcg(generator: np.random.Generator, n: int, gain: float, lines: int) -> list[Drawn]:
    """Continuous values, half of them alike, the others apart by a skewed amount."""
    base = generator.beta(2, 1, size=n)
    moves, shared = generator.random(n) < 0.5, generator.gamma(0.5, 0.25, size=n)
    amounts = [shared + generator.gamma(0.5, 0.25, size=n) - 0.25 for _ in range(lines)]
    amounts[0] = amounts[0] + 2 * gain
    return [Drawn(([base], [base + moves * amount]), np.arange(n)) for amount in amounts]


def bounded_ndcg(
    generator: np.random.Generator, n: int, gain: float, lines: int, *, moving: float
) -> list[Drawn]:
    """Values from 0 to 1; a share of the queries moves towards 1 or 0 by a part of the way."""
    base, shared = generator.beta(2, 1, size=n), generator.random((2, n))
    pairs = []
    for line in range(lines):
        copied = generator.random(n) < 0.5
        where, sign = np.where(copied, shared, generator.random((2, n)))
        part = generator.beta(2, 3, size=n)
        # Two of three queries gain, of a mean way of 1/3; the rest lose, of 2/3. More queries gain on top.
        more = gain / (0.4 / 3) if line == 0 else 0.0
        up = (where < more) | (sign < 2 / 3)
        moved = np.where(up, part * (1 - base), -part * base) * (where < moving + more)
        pairs.append(base + moved)
    return [Drawn(([base], [cand]), np.arange(n)) for cand in pairs]


def rankings(generator: np.random.Generator, n: int, gain: float, lines: int) -> list[Drawn]:
    """nDCG@10 of twenty documents, one of them relevant: a better model lifts it by the same everywhere."""
    easy = generator.normal(1.0, 0.8, size=n)
    shared = generator.normal(size=(n, 20))
    # Most queries change whatever the gain is: as the noise of scores has it.
    lift = float(np.interp(gain, _RANKING_GAINS, np.linspace(0, 2, len(_RANKING_GAINS))))

    def values(lifted: float) -> np.ndarray:
        scores = math.sqrt(0.8) * shared + math.sqrt(0.2) * generator.normal(size=(n, 20))
        rank = 1 + (scores[:, 1:] > (scores[:, 0] + easy + lifted)[:, None]).sum(axis=1)
        return np.asarray(np.where(rank <= 10, 1 / np.log2(1 + rank), 0.0))

    base = values(0.0)
    candidates = [values(lift if line == 0 else 0.0) for line in range(lines)]
    return [Drawn(([base], [cand]), np.arange(n)) for cand in candidates]


_RANKING_GAINS = (0.0000, 0.0630, 0.1245, 0.1830, 0.2379, 0.2875, 0.3312, 0.3687, 0.4005)
"""Gains of `rankings` by lifts of 0, 0.25, …, 2: of 200,000 queries."""


def spearman(generator: np.random.Generator, n: int, gain: float, lines: int) -> list[Drawn]:
    """Normal variables with a rank correlation of 0.75; models share half of the errors' variance."""
    gold, shared = generator.normal(size=n), generator.normal(size=n)

    def similarity(correlation: float) -> np.ndarray:
        pearson = 2 * math.sin(math.pi * correlation / 6)
        error = (shared + generator.normal(size=n)) / math.sqrt(2)
        return np.asarray(pearson * gold + math.sqrt(1 - pearson**2) * error)

    base = similarity(0.75)
    candidates = [similarity(0.75 + (gain if line == 0 else 0.0)) for line in range(lines)]
    return [Drawn(([gold, base], [gold, cand]), np.arange(n)) for cand in candidates]


def roc_auc(
    generator: np.random.Generator, n: int, gain: float, lines: int, *, area: float, positives: float
) -> list[Drawn]:
    """Normal scores of two classes; candidates share half of the variance."""
    from scipy.special import ndtri

    gold = (np.arange(n) < round(positives * n)).astype(int)
    shared = generator.normal(size=n)

    def scores(wanted: float) -> np.ndarray:
        apart = math.sqrt(2) * float(ndtri(min(wanted, 1 - 1e-6)))
        return np.asarray(gold * apart + (shared + generator.normal(size=n)) / math.sqrt(2))

    base = scores(area)
    candidates = [scores(area + (gain if line == 0 else 0.0)) for line in range(lines)]
    return [Drawn(([gold, base], [gold, cand]), np.arange(n)) for cand in candidates]


def average_precision(
    generator: np.random.Generator, n: int, gain: float, lines: int, *, positives: float
) -> list[Drawn]:
    """Normal scores of two classes, of an average precision of 0.7; candidates share half of the variance."""
    gold = (np.arange(n) < round(positives * n)).astype(int)
    shared = generator.normal(size=n)
    known, distances = _precisions(positives)

    def scores(wanted: float) -> np.ndarray:
        apart = float(np.interp(wanted, known, distances))
        return np.asarray(gold * apart + (shared + generator.normal(size=n)) / math.sqrt(2))

    base = scores(0.7)
    candidates = [scores(0.7 + (gain if line == 0 else 0.0)) for line in range(lines)]
    return [Drawn(([gold, base], [gold, cand]), np.arange(n)) for cand in candidates]


@cache
def _precisions(positives: float) -> tuple[np.ndarray, np.ndarray]:
    """Return average precisions of normal scores of two classes, and how far apart the classes are."""
    from scipy.special import ndtr, ndtri

    distances = np.linspace(0, 8, 401)
    # A threshold above which each share of the positives lies, and the share of the negatives there.
    recall = (np.arange(4000) + 0.5) / 4000
    false = ndtr(ndtri(recall) - distances[:, None])
    return (positives * recall / (positives * recall + (1 - positives) * false)).mean(axis=1), distances


def macro_f1(generator: np.random.Generator, n: int, gain: float, lines: int) -> list[Drawn]:
    """Three classes, of 80, 15 and 5 %; a wrong answer is any other class. Half of the answers are shared."""
    gold = np.repeat([0, 1, 2], [n - round(0.15 * n) - round(0.05 * n), round(0.15 * n), round(0.05 * n)])
    hard, wrong = generator.random(n), generator.integers(1, 3, size=n)

    def answers(right: float) -> np.ndarray:
        same = generator.random(n) < 0.5
        own = np.where(same, hard, generator.random(n))
        other = np.where(same, wrong, generator.integers(1, 3, size=n))
        return np.asarray(np.where(own < right, gold, (gold + other) % 3))

    rights = np.linspace(0.5, 1, 501)
    known = np.array([_expected_f1(right) for right in rights])
    base = answers(0.9)
    better = float(np.interp(_expected_f1(0.9) + gain, known, rights))
    candidates = [answers(better if line == 0 else 0.9) for line in range(lines)]
    return [Drawn(([gold, base], [gold, cand]), np.arange(n)) for cand in candidates]


def _expected_f1(right: float) -> float:
    """Return the macro-F1 of all that could be drawn, if such a share of each class is right."""
    shares = np.array([0.8, 0.15, 0.05])
    claimed = right * shares + (1 - right) / 2 * (1 - shares)
    return float((2 * right * shares / (shares + claimed)).mean())


_ACCURACY = [
    PowerFamily(
        name=f"accuracy, {rate:.1%} differ",
        metric=VALUE,
        draw=partial(accuracy, rate=rate),
        sizes=(400, 1000, 2000),
        margin=0.02,
    )
    for rate in (0.005, 0.02, 0.1)
]

FAMILIES = [
    *_ACCURACY,
    PowerFamily(name="nDCG", metric=VALUE, draw=ndcg, sizes=(100, 300, 1000), margin=0.02),
    PowerFamily(
        name="nDCG in [0, 1], 30 % move",
        metric=VALUE,
        draw=partial(bounded_ndcg, moving=0.3),
        sizes=(100, 300, 1000),
        margin=0.02,
    ),
    PowerFamily(
        name="nDCG in [0, 1], 2 % move",
        metric=VALUE,
        draw=partial(bounded_ndcg, moving=0.02),
        sizes=(100, 300, 1000),
        margin=0.02,
    ),
    PowerFamily(name="nDCG@10 of rankings", metric=VALUE, draw=rankings, sizes=(100, 300, 1000), margin=0.02),
    PowerFamily(name="Spearman", metric=SPEARMAN, draw=spearman, sizes=(100, 300, 1000), margin=0.02),
    PowerFamily(
        name="ROC-AUC 0.86, 30 % positives",
        metric=ROC_AUC,
        draw=partial(roc_auc, area=0.86, positives=0.3),
        sizes=(100, 300, 1000),
        margin=0.02,
    ),
    PowerFamily(
        name="ROC-AUC 0.94, 5 % positives",
        metric=ROC_AUC,
        draw=partial(roc_auc, area=0.94, positives=0.05),
        sizes=(300, 1000),
        margin=0.05,
    ),
    *(
        PowerFamily(
            name=f"average precision 0.7, {positives:.0%} positives",
            metric=AVERAGE_PRECISION,
            draw=partial(average_precision, positives=positives),
            sizes=(300, 1000),
            margin=0.05,
        )
        for positives in (0.3, 0.05)
    ),
    PowerFamily(
        name="macro-F1 0.80, 5 % in the smallest class",
        metric=MACRO_F1,
        draw=macro_f1,
        sizes=(300, 1000),
        margin=0.05,
    ),
]
