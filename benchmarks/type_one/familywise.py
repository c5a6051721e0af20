"""How often does any of many lines err, and how many true gains are found? Simulated, cell by cell.

    python -m benchmarks.type_one.familywise --repetitions 4000 --out benchmarks/results/familywise.json

Candidates are compared with one baseline on the same examples, and their gains are symmetric. Familywise
error: share of repetitions in which any of 20 or 100 candidates that are as good as the baseline is claimed
to be better or worse, at nominal 5 %. Letters: the same for all pairs of models, by `harness leaderboard`.
Power: share of found lines among a tenth of 100 that have a true gain, and the same by Holm's correction.
"""

from __future__ import annotations

import argparse
import math
import os
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import asdict, dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np

from harness.metrics.standard import AVERAGE_PRECISION, ROC_AUC, SPEARMAN, mean_metric
from harness.results.folder import encode
from harness.stats.answer_pair import AnswerPair, Answers
from harness.stats.gain import gain_of
from harness.stats.holm import holm
from harness.stats.influence import score_influences
from harness.stats.joint import Line
from harness.stats.multiple import adjust
from harness.stats.pairwise import Parts, pairwise_p, unit_shares
from harness.system.atomic import write_output

if TYPE_CHECKING:
    from collections.abc import Callable

    from harness.metrics.interface import Metric

LEVEL = 0.05
VALUE = mean_metric("value")
EFFECT = 0.26
"""True gain in standard deviations of the gains of examples, on 200 of them: 3.7 standard errors."""

DRAWS = 20_000
"""Draws of the joint distribution for each repetition; `harness compare` makes 50,000."""


@dataclass(frozen=True, slots=True)
class Drawn:
    """Answers of a baseline and of candidates, the columns of a metric for each; clusters of examples."""

    baseline: list[np.ndarray]
    candidates: list[list[np.ndarray]]
    clusters: np.ndarray


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """A kind of lines, and how to draw them."""

    name: str
    metric: Metric
    draw: Callable[[np.random.Generator, int, int, float, float], Drawn]
    """(generator, examples, candidates, correlation of gains, effect on the first tenth) → answers."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FamilyCell:
    """Shares of errors, and of true gains found, in one family of lines."""

    kind: str
    what: str
    """`lines`: candidates against one baseline; `letters`: all pairs of models."""
    lines: int
    correlation: float
    examples: int
    repetitions: int
    familywise: float
    """Share of repetitions with a false claim."""
    single: float
    """Share of equal lines with p < 5 %, not corrected; NaN for letters."""
    power: float
    """Share of true gains found; NaN where there are none."""
    power_holm: float
    """The same by Holm's correction of the same p-values."""


def ndcg(generator: np.random.Generator, n: int, lines: int, correlation: float, effect: float) -> Drawn:
    """Queries' values: half of the queries are moved, by symmetric amounts with long tails."""
    base = generator.beta(2, 1, size=n)
    moved = (generator.random(n) < 0.5) * generator.gamma(2.0, 0.05, size=n)
    common = generator.normal(size=n)
    own = generator.normal(size=(lines, n))
    gains = moved * (math.sqrt(correlation) * common + math.sqrt(1 - correlation) * own)
    gains[: lines // 10] += effect * math.sqrt(0.5 * 0.015)
    return Drawn([base], [[base + gain] for gain in gains], np.arange(n))


def accuracy(generator: np.random.Generator, n: int, lines: int, correlation: float, effect: float) -> Drawn:
    """Right or wrong: a tenth of the answers are flipped, most of them the same in all candidates."""
    right = generator.random(n) < 0.5
    follows = generator.random((lines, n)) < math.sqrt(correlation)
    flipped = np.where(follows, generator.random(n) < 0.1, generator.random((lines, n)) < 0.1)
    answers = right ^ flipped
    better = generator.random((lines // 10, n)) < effect * math.sqrt(0.1) * 2
    answers[: lines // 10] |= better
    return Drawn([right.astype(float)], [[row.astype(float)] for row in answers], np.arange(n))


def spearman(generator: np.random.Generator, n: int, lines: int, correlation: float, effect: float) -> Drawn:
    """Ratings in steps; all models err alike in part, and candidates have further errors in common."""
    meaning = generator.normal(size=n)
    gold = np.round(np.clip(2.5 + 1.5 * meaning, 0, 5))
    # Gains have the baseline's errors in common, a correlation of a half; the rest is the candidates' own.
    shared = max(0.0, 2 * correlation - 1)
    known = meaning + 0.5 * generator.standard_t(5, size=n)
    common = math.sqrt(shared) * generator.standard_t(5, size=n)
    own = math.sqrt(1 - shared) * generator.standard_t(5, size=(lines, n))
    spread = np.full((lines, 1), 0.4)
    spread[: lines // 10] *= 1 - effect
    predicted = known + spread * (common + own)
    baseline = known + 0.4 * generator.standard_t(5, size=n)
    return Drawn([gold, baseline], [[gold, row] for row in predicted], np.arange(n))


def zipf(generator: np.random.Generator, n: int, lines: int, _: float, __: float) -> Drawn:
    """Values in clusters of Zipf-like sizes, on each of which a model is good or bad as a whole."""
    count = max(12, n // 4)
    weights = 1 / np.arange(1, count + 1)
    clusters = generator.choice(count, size=n, p=weights / weights.sum())
    level = generator.normal(size=n)
    sides = [
        [(level + generator.normal(size=count)[clusters] + generator.normal(size=n) > 0).astype(float)]
        for _ in range(lines + 1)
    ]
    return Drawn(sides[0], sides[1:], clusters)


def classes(
    generator: np.random.Generator, n: int, lines: int, _: float, __: float, *, share: float, apart: float
) -> Drawn:
    """Few positives, far from the negatives, and errors that the models share in part."""
    gold = np.zeros(n, dtype=int)
    gold[: round(share * n)] = 1
    shared = 0.7 * generator.normal(size=n)
    sides = [[gold, apart * gold + shared + 0.7 * generator.normal(size=n)] for _ in range(lines + 1)]
    return Drawn(sides[0], sides[1:], np.arange(n))


def near_one(generator: np.random.Generator, n: int, lines: int, *rest: float) -> Drawn:
    """Areas of about 0.99, with 5 % positives."""
    return classes(generator, n, lines, *rest, share=0.05, apart=3.0)


def few_positives(generator: np.random.Generator, n: int, lines: int, *rest: float) -> Drawn:
    """Areas of about 0.86, with 5 % positives."""
    return classes(generator, n, lines, *rest, share=0.05, apart=1.5)


KINDS = {
    kind.name: kind
    for kind in (
        Kind(name="nDCG", metric=VALUE, draw=ndcg),
        Kind(name="accuracy", metric=VALUE, draw=accuracy),
        Kind(name="Spearman", metric=SPEARMAN, draw=spearman),
        Kind(name="accuracy in Zipf clusters", metric=VALUE, draw=zipf),
        Kind(name="ROC-AUC near 1", metric=ROC_AUC, draw=near_one),
        Kind(name="ROC-AUC, few positives", metric=ROC_AUC, draw=few_positives),
        Kind(name="average precision", metric=AVERAGE_PRECISION, draw=few_positives),
    )
}

Asked = tuple[str, str, int, float, int, float]
"""Kind, what, lines, correlation, examples, effect."""

CELLS: list[Asked] = [
    *(
        (kind, "lines", lines, correlation, 200, 0.0)
        for kind in ("nDCG", "accuracy", "Spearman")
        for lines in (20, 100)
        for correlation in (0.5, 0.9)
    ),
    *(("nDCG", "lines", 100, correlation, 200, EFFECT) for correlation in (0.5, 0.9)),
    *(("accuracy", "lines", 100, correlation, 200, EFFECT) for correlation in (0.5, 0.9)),
    *(("Spearman", "lines", 100, correlation, 200, EFFECT) for correlation in (0.5, 0.9)),
    *(("accuracy in Zipf clusters", "letters", models, 0.5, 100, 0.0) for models in (5, 20)),
    *((kind, "letters", 5, 0.5, 200, 0.0) for kind in [*KINDS][4:]),
    *((kind, "letters", models, 0.5, 100, 0.0) for kind in ("accuracy", "Spearman") for models in (5, 50)),
]


def measure(asked: Asked, repetitions: int) -> FamilyCell:
    """Draw families of lines so many times, and count false claims and true gains found."""
    kind, what, lines, correlation, examples, effect = asked
    generator = np.random.default_rng([examples, lines, round(10 * correlation), *(kind + what).encode()])
    false, single, found, by_holm = [], [], [], []
    true = lines // 10 if effect else 0
    for _ in range(repetitions):
        drawn = KINDS[kind].draw(generator, examples, lines - (what == "letters"), correlation, effect)
        if what == "letters":
            false.append(_smallest_of_pairs(KINDS[kind].metric, drawn) < LEVEL)
            continue
        tests = _lines(KINDS[kind].metric, drawn)
        p = np.array([test.p for test in tests])
        adjusted = adjust(tests, DRAWS)
        false.append(bool((adjusted[true:] < LEVEL).any()))
        single.append(float(np.mean(p[true:] < LEVEL)))
        if true:
            found.append(float(np.mean(adjusted[:true] < LEVEL)))
            by_holm.append(float(np.mean(holm(p)[:true] < LEVEL)))
    return FamilyCell(
        kind=kind,
        what=what,
        lines=lines,
        correlation=correlation,
        examples=examples,
        repetitions=repetitions,
        familywise=float(np.mean(false)),
        single=_mean(single),
        power=_mean(found),
        power_holm=_mean(by_holm),
    )


def _lines(metric: Metric, drawn: Drawn) -> list[Line]:
    lines = []
    for candidate in drawn.candidates:
        gain = gain_of(AnswerPair.of(metric, (drawn.baseline, None), (candidate, None), drawn.clusters))
        lines.append(Line(p=gain.p, sample=0, influence=gain.influence, unit_names=gain.unit_names))
    return lines


def _smallest_of_pairs(metric: Metric, drawn: Drawn) -> float:
    """Return the smallest adjusted p-value of all pairs of models, as `harness leaderboard` tests them."""
    answers = [Answers.of(metric, side, drawn.clusters) for side in (drawn.baseline, *drawn.candidates)]
    scores = np.array([own.score for own in answers])
    parts = np.array([score_influences(own) + own.score * unit_shares(own) for own in answers])
    return float(pairwise_p([Parts(scores, parts)])[0].min())


def _mean(shares: list[float]) -> float:
    return float(np.mean(shares)) if shares else math.nan


def describe(cell: FamilyCell) -> str:
    """Return a line on one cell."""
    error = math.sqrt(cell.familywise * (1 - cell.familywise) / cell.repetitions)
    power = "" if math.isnan(cell.power) else f", power {cell.power:.1%}, Holm's {cell.power_holm:.1%}"
    return (
        f"{cell.kind}, {cell.what}, {cell.lines}, rho {cell.correlation}, n = {cell.examples}:"
        f" familywise {cell.familywise:.1%} ({error:.1%}), single {cell.single:.1%}{power}"
    )


def main() -> None:
    """Measure all cells, and write those that are done after each."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--repetitions", type=int, default=4000)
    parser.add_argument("--cells", default="*", help="pattern of KIND, WHAT, LINES, CORRELATION")
    parser.add_argument("--processes", type=int, default=1)
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    asked = [each for each in CELLS if fnmatchcase(", ".join(map(str, each[:4])), options.cells)]
    done: dict[int, FamilyCell] = {}
    with ProcessPoolExecutor(options.processes) as pool:
        futures = {pool.submit(measure, each, options.repetitions): place for place, each in enumerate(asked)}
        for future in as_completed(futures):
            done[futures[future]] = future.result()
            print(describe(future.result()), flush=True)
            if options.out:
                rows = [asdict(done[place]) for place in sorted(done)]
                write_output(options.out, encode({"repetitions": options.repetitions, "cells": rows}))


if __name__ == "__main__":
    main()
