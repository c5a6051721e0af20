"""How often is `harness compare --select best` wrong? Simulated among 1, 5, 20 and 50 candidates.

    python -m benchmarks.type_one.selection --out benchmarks/results/selection.json
    python -m benchmarks.type_one.selection --repetitions 300 --races 'accuracy*' --candidates 20

Coverage: of the winner's true gain, at nominal 95 %; naive: of its ordinary interval. Passes: how often any
candidate passes a gate whose margin is exactly its true loss, at nominal 2.5 %. Best kept: how often the set
that cannot be told from the best contains the best, at nominal 95 %.
"""

from __future__ import annotations

import argparse
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass
from fnmatch import fnmatchcase
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from benchmarks.type_one.races import RACES, Race
from harness.results.folder import encode
from harness.stats.contest import Contest
from harness.stats.joint import Line
from harness.stats.selection import level_of_candidates, winner_of
from harness.system.atomic import write_output

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harness.stats.gain import Gain

CANDIDATES = (1, 5, 20, 50)


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """Shares of one race with so many examples and candidates."""

    race: str
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


def measure_cell(race: Race, examples: int, candidates: int, repetitions: int, draws: int = 10_000) -> Cell:
    """Draw so many races, ask the harness who won, and count what is wrong."""
    generator = np.random.default_rng([examples, candidates, *race.name.encode()])
    truth = np.asarray(race.better(candidates), dtype=float)
    rows = []
    for _ in range(repetitions):
        gains = [task.draw(generator, examples, truth).gains(task.metric) for task in race.tasks]
        rows.append(_one_race([*zip(*gains, strict=True)], truth, draws))
    shares = np.array(rows)
    mean = shares.mean(axis=0)
    return Cell(
        race=race.name,
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


def _one_race(gains: Sequence[Sequence[Gain]], truth: np.ndarray, draws: int) -> tuple[float, ...]:
    """Return what came out of one race. gains: a row for each candidate, a column for each task."""
    contest = Contest.of(gains, range(len(gains[0])), draws)
    # Which of several candidates with the same gain is chosen has nothing to do with their worth.
    winner = winner_of(contest, int(contest.tied()[0]))
    true_gain = float(truth[winner.position])
    ordinary = contest.curves[winner.position].interval()
    lines = [
        Line(gain.p, task, gain.influence, gain.unit_names) for row in gains for task, gain in enumerate(row)
    ]
    level = level_of_candidates(lines, len(gains))
    # Every candidate is at the margin of the first task, and well above that of the others.
    lows = np.array([row[0].curve.interval(level).low for row in gains if row[0].curve is not None])
    may_be_best = contest.may_be_best()
    best = np.flatnonzero(truth >= truth.max() - 1e-12)
    return (
        winner.interval.low <= true_gain <= winner.interval.high,
        ordinary.low <= true_gain <= ordinary.high,
        (winner.estimate > true_gain) + 0.5 * (winner.estimate == true_gain),
        winner.value - true_gain,
        (winner.interval.high - winner.interval.low) / max(ordinary.high - ordinary.low, 1e-300),
        bool((lows > truth).any()),
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
