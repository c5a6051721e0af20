"""Do `detectable` and `--power` have the power that they claim? Simulated.

    python -m benchmarks.type_one.detectable --out benchmarks/results/detectable.json
    python -m benchmarks.type_one.detectable --repetitions 200 --families 'accuracy*' --lines 1

Detectable: a data set of equal models is drawn, and the harness prints a detectable gain for the first of so
many lines, whose candidates are correlated. Then another data set is drawn where the first candidate has
exactly that gain, and no other has any. Power: how often that line is called better, after the correction.
Needed: a data set of equal models is drawn, and the harness prints how many examples pass a margin. Power:
how often equal models pass it on another data set of that size.
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Callable
from dataclasses import asdict, dataclass
from fnmatch import fnmatchcase
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from benchmarks.type_one.cells import LEVEL, Drawn
from harness.metrics.standard import ROC_AUC, SPEARMAN, mean_metric
from harness.results.folder import encode
from harness.stats.detectable import detectable_gain
from harness.stats.gain import Gain, gain_of
from harness.stats.joint import Line
from harness.stats.multiple import adjust, level_of_a_line
from harness.stats.pass_chance import PassChance, smallest_number
from harness.stats.unseen_share import bounds_of
from harness.system.atomic import write_output

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


@dataclass(frozen=True, slots=True, kw_only=True)
class PowerCell:
    """Power at what was printed. NaN where nothing was."""

    family: str
    examples: int
    lines: int
    """0 for `needed`."""
    repetitions: int
    power: float
    """Share of data sets in which the gain was found, or the margin was passed."""
    printed: float
    """Median of the detectable gain, or of the examples needed."""
    unprinted: float
    """Share of data sets for which nothing was printed."""


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
]


def detectable_cell(
    family: PowerFamily, examples: int, lines: int, repetitions: int, seed: int = 0
) -> PowerCell:
    """Measure how often the printed detectable gain is found."""
    generator = np.random.default_rng([seed, examples, lines, *family.name.encode()])
    found, printed = [], []
    for _ in range(repetitions):
        drawn = family.draw(generator, examples, 0.0, lines)
        gains, pair = _gains(family, drawn), drawn[0].pair(family.metric)
        level = level_of_a_line([_line(gain) for gain in gains])
        detectable = detectable_gain(gains[0], level, pair=pair, bounds=bounds_of(family.metric))
        if not math.isfinite(detectable) or detectable > 1:
            continue
        printed.append(detectable)
        gains = _gains(family, family.draw(generator, examples, detectable, lines))
        adjusted = adjust([_line(gain) for gain in gains])
        found.append(bool(adjusted[0] < LEVEL and gains[0].value > 0))
    return _cell(family, examples, lines, repetitions, found, printed)


def needed_cell(family: PowerFamily, examples: int, repetitions: int, seed: int = 0) -> PowerCell:
    """Measure how often equal models pass the margin with as many examples as are said to be needed."""
    generator = np.random.default_rng([seed, examples, *family.name.encode()])
    found, printed = [], []
    for _ in range(repetitions):
        pair = family.draw(generator, examples, 0.0, 1)[0].pair(family.metric)
        passing = PassChance(gain_of(pair), pair)
        needed = smallest_number(partial(passing.chance, margin=family.margin), 1, 10**6)
        if needed is None:
            continue
        printed.append(float(needed))
        (other,) = _gains(family, family.draw(generator, int(needed), 0.0, 1))
        found.append(other.low > -family.margin)
    return _cell(family, examples, 0, repetitions, found, printed)


def _gains(family: PowerFamily, drawn: list[Drawn]) -> list[Gain]:
    return [gain_of(each.pair(family.metric)) for each in drawn]


def _line(gain: Gain) -> Line:
    return Line(p=gain.p, sample="task", influence=gain.influence, unit_names=gain.unit_names)


def _cell(
    family: PowerFamily,
    examples: int,
    lines: int,
    repetitions: int,
    found: list[bool],
    printed: list[float],
) -> PowerCell:
    return PowerCell(
        family=family.name,
        examples=examples,
        lines=lines,
        repetitions=repetitions,
        power=float(np.mean(found)) if found else math.nan,
        printed=float(np.median(printed)) if printed else math.nan,
        unprinted=1 - len(printed) / repetitions,
    )


def main() -> None:
    """Measure all cells, and write those that are done after each."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--repetitions", type=int, default=2000)
    parser.add_argument("--families", default="*", help="pattern of names")
    parser.add_argument("--lines", default="1,4,50", help="numbers of lines; 0 for the examples needed")
    parser.add_argument("--sizes", default="", help="only these numbers of examples")
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    only = [int(size) for size in options.sizes.split(",") if size]
    cells: list[PowerCell] = []
    for family in FAMILIES:
        if not fnmatchcase(family.name, options.families):
            continue
        for size in family.sizes:
            if only and size not in only:
                continue
            for lines in map(int, options.lines.split(",")):
                measure = needed_cell if not lines else partial(detectable_cell, lines=lines)
                cells.append(measure(family, size, repetitions=options.repetitions))
                print(describe(cells[-1]), flush=True)
                if options.out:
                    rows = [asdict(cell) for cell in cells]
                    write_output(options.out, encode({"repetitions": options.repetitions, "cells": rows}))


def describe(cell: PowerCell) -> str:
    """Return a line on one cell."""
    what = f"{cell.lines} lines" if cell.lines else "needed"
    error = math.sqrt(max(cell.power * (1 - cell.power), 0) / cell.repetitions)
    return (
        f"{cell.family}, n = {cell.examples}, {what}: power {cell.power:.1%} ({error:.1%}),"
        f" printed {cell.printed:.4g}, not printed {cell.unprinted:.1%}"
    )


if __name__ == "__main__":
    main()
