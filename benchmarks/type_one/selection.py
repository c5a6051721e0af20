"""How often is `harness compare --select best` wrong? Simulated among 1, 5, 20 and 50 candidates.

    python -m benchmarks.type_one.selection --out benchmarks/results/selection.json
    python -m benchmarks.type_one.selection --repetitions 300 --races 'accuracy*' --candidates 20

Coverage: of the winner's true gain, at nominal 95 %; naive: of its ordinary interval. Passes: how often any
candidate passes a gate whose margin is exactly its true loss, at nominal 2.5 %. Best kept: how often the set
that cannot be told from the best contains the best, at nominal 95 %.
"""

from __future__ import annotations

import argparse
import math
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass
from fnmatch import fnmatchcase
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from benchmarks.type_one.cells import Drawn
from harness.metrics.standard import SPEARMAN, mean_metric
from harness.results.folder import encode
from harness.stats.contest import Contest
from harness.stats.gain import gain_of
from harness.stats.joint import Line
from harness.stats.selection import level_of_candidates, winner_of
from harness.system.atomic import write_output

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from harness.metrics.interface import Metric
    from harness.stats.gain import Gain

CANDIDATES = (1, 5, 20, 50)

VALUE = mean_metric("value")


@dataclass(frozen=True, slots=True)
class Field:
    """The answers of a baseline and of candidates to the same examples, by one metric, and the true gains."""

    baseline: list[np.ndarray]
    candidates: list[list[np.ndarray]]
    true_gains: np.ndarray

    def gains(self, metric: Metric) -> list[Gain]:
        """Return the gains that the harness would measure."""
        units = np.arange(len(self.baseline[0]))
        return [gain_of(Drawn((self.baseline, own), units).pair(metric)) for own in self.candidates]


@dataclass(frozen=True, slots=True, kw_only=True)
class Race:
    """A kind of candidates, by a metric."""

    name: str
    metric: Metric
    draw: Callable[[np.random.Generator, int, np.ndarray], Field]
    """Of a generator, a number of examples, and how much better each candidate is."""
    better: Callable[[int], np.ndarray] = np.zeros
    """Of the number of candidates: how much better each is."""
    sizes: tuple[int, ...] = (100, 300, 1000)
    step: float = 0.0
    """By how much a sum over examples changes when one of them does, at least."""
    tuned: bool = True
    """Whether a method was chosen with this race in sight."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """Shares of one race with so many examples and candidates."""

    race: str
    metric: str
    examples: int
    candidates: int
    repetitions: int
    coverage: float
    naive: float
    above: float
    """Share of estimates above the true gain: one half if they are median-unbiased."""
    bias: float
    """Mean of the observed gain − the true one."""
    width: float
    """Median width of the winner's interval over that of the ordinary one."""
    passes: float
    best_kept: float
    kept: float
    """Mean share of candidates that cannot be told from the best."""
    tuned: bool


# --- races ------------------------------------------------------------------------------------------------


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
    return Field([base.astype(float)], [[each.astype(float)] for each in own], better)


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
    return Field([base], [[base + each] for each in own], better)


def ratings(generator: np.random.Generator, n: int, better: np.ndarray, *, shared: float) -> Field:
    """Gold and similarities that correlate with 0.8, or better; errors are shared in part."""
    gold = generator.normal(size=n)
    errors = generator.normal(size=(len(better) + 1, n))
    correlations = 2 * np.sin(math.pi / 6 * (0.8 + np.r_[0.0, better]))
    hard = generator.normal(size=n)
    noise = math.sqrt(shared) * hard + math.sqrt(1 - shared) * errors
    predicted = correlations[:, None] * gold + np.sqrt(1 - correlations**2)[:, None] * noise
    return Field([gold, predicted[0]], [[gold, each] for each in predicted[1:]], better)


_ACCURACY = {"metric": VALUE, "step": 1.0}
_APART = partial(accuracies, apart=0.12, common=0.0)
_ALIKE = partial(accuracies, apart=0.02, common=0.10)

RACES = [
    Race(name="accuracy, equal", draw=_APART, **_ACCURACY),
    Race(name="accuracy, one better", draw=_APART, better=partial(one_better, by=0.03), **_ACCURACY),
    Race(name="accuracy, ladder", draw=_APART, better=partial(ladder, by=0.05), **_ACCURACY),
    Race(name="accuracy, alike", draw=_ALIKE, **_ACCURACY),
    Race(name="accuracy, alike, one better", draw=_ALIKE, better=partial(one_better, by=0.01), **_ACCURACY),
    Race(name="nDCG, equal", metric=VALUE, draw=partial(values, shared=0.3)),
    Race(name="nDCG, alike", metric=VALUE, draw=partial(values, shared=0.95)),
    Race(
        name="nDCG, one better",
        metric=VALUE,
        draw=partial(values, shared=0.3),
        better=partial(one_better, by=0.02),
    ),
    Race(name="Spearman, equal", metric=SPEARMAN, draw=partial(ratings, shared=0.3)),
    Race(name="Spearman, alike", metric=SPEARMAN, draw=partial(ratings, shared=0.95)),
    Race(
        name="Spearman, one better",
        metric=SPEARMAN,
        draw=partial(ratings, shared=0.3),
        better=partial(one_better, by=0.02),
    ),
]


# --- measuring --------------------------------------------------------------------------------------------


def measure_cell(race: Race, examples: int, candidates: int, repetitions: int, draws: int = 10_000) -> Cell:
    """Draw so many races, ask the harness who won, and count what is wrong."""
    generator = np.random.default_rng([examples, candidates, *race.name.encode()])
    better = np.asarray(race.better(candidates), dtype=float)
    rows = []
    for _ in range(repetitions):
        field = race.draw(generator, examples, better)
        rows.append(_one_race(race, field, field.gains(race.metric), draws))
    shares = np.array(rows)
    mean = shares.mean(axis=0)
    return Cell(
        race=race.name,
        metric=race.metric.name,
        examples=examples,
        candidates=candidates,
        repetitions=repetitions,
        coverage=float(mean[0]),
        naive=float(mean[1]),
        above=float(mean[2]),
        bias=float(mean[3]),
        width=float(np.median(shares[:, 4])),
        passes=float(mean[5]),
        best_kept=float(mean[6]),
        kept=float(mean[7]),
        tuned=race.tuned,
    )


def _one_race(race: Race, field: Field, gains: Sequence[Gain], draws: int) -> tuple[float, ...]:
    examples = len(field.baseline[0])
    contest = Contest.of([[gain] for gain in gains], ["task"], [race.step / examples], draws)
    # Which of several candidates with the same gain is chosen has nothing to do with their worth.
    winner = winner_of(contest, int(contest.tied()[0]))
    truth = float(field.true_gains[winner.position])
    ordinary = contest.curves[winner.position].interval()
    lines = [Line(gain.p, "task", gain.influence, gain.unit_names) for gain in gains]
    level = level_of_candidates(lines, len(gains))
    lows = np.array([curve.interval(level).low for curve in contest.curves])
    may_be_best = contest.may_be_best()
    best = np.flatnonzero(field.true_gains >= field.true_gains.max() - 1e-12)
    return (
        winner.interval.low <= truth <= winner.interval.high,
        ordinary.low <= truth <= ordinary.high,
        (winner.estimate > truth) + 0.5 * (winner.estimate == truth),
        winner.value - truth,
        (winner.interval.high - winner.interval.low) / max(ordinary.high - ordinary.low, 1e-300),
        bool((lows > field.true_gains).any()),
        # Any of several that are the best: the first, which is as good as any.
        bool(may_be_best[best[0]]),
        float(may_be_best.mean()),
    )


def describe(cell: Cell) -> str:
    """Return a line on one cell."""
    return (
        f"{cell.race}, n = {cell.examples}, {cell.candidates} candidates: coverage {cell.coverage:.1%}"
        f" (naive {cell.naive:.1%}, width {cell.width:.2f}), estimate above {cell.above:.1%},"
        f" passes {cell.passes:.1%}, best kept {cell.best_kept:.1%} among {cell.kept:.1%}"
    )


def main() -> None:
    """Measure all cells, and write those that are done after each."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--repetitions", type=int, default=2000)
    parser.add_argument("--races", default="*", help="pattern of names")
    parser.add_argument("--candidates", default="", help="only these numbers of candidates")
    parser.add_argument("--sizes", default="", help="only these numbers of examples")
    parser.add_argument("--processes", type=int, default=1)
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    counts, sizes = _numbers(options.candidates) or CANDIDATES, _numbers(options.sizes)
    asked = [
        (race, size, count)
        for race in RACES
        if fnmatchcase(race.name, options.races)
        for size in race.sizes
        if not sizes or size in sizes
        for count in counts
    ]
    cells = []
    with ProcessPoolExecutor(options.processes) as pool:
        for cell in pool.map(partial(_measure, repetitions=options.repetitions), asked):
            cells.append(cell)
            print(describe(cell), flush=True)
            if options.out:
                rows = [asdict(each) for each in cells]
                write_output(options.out, encode({"repetitions": options.repetitions, "cells": rows}))


def _numbers(text: str) -> tuple[int, ...]:
    return tuple(int(word) for word in text.split(",") if word)


def _measure(asked: tuple[Race, int, int], repetitions: int) -> Cell:
    return measure_cell(*asked, repetitions)


if __name__ == "__main__":
    main()
