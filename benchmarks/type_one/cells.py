"""Cells of the study: a family of data at one size, and how often intervals and tests err on it."""

from __future__ import annotations

import math
import os
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np

from harness.stats.answer_pair import AnswerPair, Answers
from harness.stats.gain import gain_of
from harness.stats.intervals import score_curve
from harness.stats.proportions import Z_95

if TYPE_CHECKING:
    from collections.abc import Callable

    from harness.metrics.interface import Metric

LEVEL = 0.05


@dataclass(frozen=True, slots=True)
class Drawn:
    """Two models' answers to the same examples: the columns of a metric, and the cluster of each example."""

    columns: tuple[list[np.ndarray], list[np.ndarray]]
    clusters: np.ndarray

    def pair(self, metric: Metric) -> AnswerPair:
        """Return the pair that the harness would make of them."""
        baseline, candidate = self.columns
        return AnswerPair.of(metric, (baseline, None), (candidate, None), self.clusters)


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """What a cell must meet: largest type I error and gate size, smallest coverage, as shares."""

    type_one: float = 0.065
    coverage: float = 0.93
    single: float = 0.93
    gate: float = 0.035


@dataclass(frozen=True, slots=True, kw_only=True)
class Family:
    """A kind of data for a metric: two models whose true gain is a number that is known or simulated."""

    name: str
    metric: Metric
    draw: Callable[[np.random.Generator, int], Drawn]
    sizes: tuple[int, ...]
    """Numbers of examples."""
    true_gain: float | None = 0.0
    """candidate − baseline in the population; None: the mean over two million examples, drawn once."""
    true_score: float | None = None
    """The baseline's score in the population; None as for the gain."""
    bounds: Bounds | Callable[[int], Bounds | None] = field(default_factory=Bounds)
    """Bounds at a size; None where the issue promises none and a figure is reported alone."""
    tuned: bool = True
    """Whether a method was chosen with this family in sight; false for those added afterwards."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """Shares of errors of one family at one size. NaN where a share does not apply."""

    family: str
    metric: str
    examples: int
    repetitions: int
    test: str
    true_gain: float
    type_one: float
    """Share of p < 5 %, where the true gain is 0."""
    coverage: float
    """Share of intervals of the gain that contain the true gain, among those that there are."""
    gate: float
    """Share of lower ends above the true gain: a gate whose margin is exactly the true loss passes."""
    single: float
    """Coverage of the baseline's score."""
    power: float
    """Share of p < 5 %, where the true gain is not 0."""
    ideal: float
    """Power of a z-test that knows the true spread of the gain."""
    undecided: float
    """Share of repetitions without an interval: no verdict, with a reason."""
    width: float
    """Median width of the gain's interval."""
    no_width: int
    """Number of intervals of no width."""
    tuned: bool


def measure_cell(family: Family, examples: int, repetitions: int, seed: int = 0) -> Cell:
    """Draw so many pairs, ask the harness about each, and count what is wrong."""
    generator = np.random.default_rng([examples, seed, *family.name.encode()])
    true_gain, true_score = truth(family)
    rejected, above, covered, single, widths, gains = [], [], [], [], [], []
    undecided, test = 0, "none"
    for _ in range(repetitions):
        pair = family.draw(generator, examples).pair(family.metric)
        gain = gain_of(pair)
        gains.append(gain.value)
        if math.isnan(gain.low):
            undecided += 1
        else:
            test = gain.test
            rejected.append(gain.p < LEVEL)
            above.append(gain.low > true_gain)
            covered.append(gain.low <= true_gain <= gain.high)
            widths.append(gain.high - gain.low)
        curve = _score_curve(pair.baseline)
        if curve is not None:
            low, high = curve
            single.append(low <= true_score <= high)
    return Cell(
        family=family.name,
        metric=family.metric.name,
        examples=examples,
        repetitions=repetitions,
        test=test,
        true_gain=true_gain,
        type_one=_share(rejected) if true_gain == 0 else math.nan,
        coverage=_share(covered),
        gate=_share(above),
        single=_share(single),
        power=math.nan if true_gain == 0 else sum(rejected) / repetitions,
        ideal=math.nan if true_gain == 0 else _ideal_power(true_gain, float(np.nanstd(gains))),
        undecided=undecided / repetitions,
        width=float(np.median(widths)) if widths else math.nan,
        no_width=sum(width == 0 for width in widths),
        tuned=family.tuned,
    )


def _score_curve(answers: Answers) -> tuple[float, float] | None:
    curve = score_curve(answers) if math.isfinite(answers.score) else None
    return None if curve is None else curve.interval()


def _ideal_power(true_gain: float, spread: float) -> float:
    from scipy.special import ndtr

    shift = abs(true_gain) / spread
    return float(ndtr(shift - Z_95) + ndtr(-shift - Z_95))


def _share(truths: list[bool]) -> float:
    return float(np.mean(truths)) if truths else math.nan


def truth(family: Family) -> tuple[float, float]:
    """Return the true gain and the baseline's true score."""
    if family.true_gain is not None and family.true_score is not None:
        return family.true_gain, family.true_score
    generator = np.random.default_rng(list(family.name.encode()))
    drawn = [family.draw(generator, 200_000) for _ in range(10)]
    scores = np.array([[family.metric.compute(*side) for side in each.columns] for each in drawn]).mean(
        axis=0
    )
    gain = float(scores[1] - scores[0]) if family.true_gain is None else family.true_gain
    return gain, float(scores[0]) if family.true_score is None else family.true_score


def failures(cell: Cell, bounds: Bounds, errors: float = 2.0) -> list[str]:
    """Return what is outside the bounds, one phrase each.

    Each share is first moved by so many standard errors towards its bound.
    """
    checks = [
        ("type I", cell.type_one, bounds.type_one, 1),
        ("coverage", cell.coverage, bounds.coverage, -1),
        ("gate", cell.gate, bounds.gate, 1),
        ("coverage of the score", cell.single, bounds.single, -1),
    ]
    wrong = []
    for name, share, bound, sign in checks:
        if math.isnan(share):
            continue
        error = math.sqrt(share * (1 - share) / cell.repetitions)
        if sign * (share - bound) > errors * error:
            wrong.append(f"{name} {share:.1%}, bound {bound:.1%}")
    return wrong
