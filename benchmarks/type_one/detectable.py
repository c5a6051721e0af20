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
from dataclasses import asdict, dataclass
from fnmatch import fnmatchcase
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from benchmarks.type_one.cells import LEVEL
from benchmarks.type_one.power_families import FAMILIES
from harness.results.folder import encode
from harness.stats.detectable import detectable_gain
from harness.stats.gain import Gain, gain_of
from harness.stats.joint import Line
from harness.stats.multiple import adjust, level_of_a_line
from harness.stats.pass_chance import PassChance, smallest_number
from harness.stats.unseen_share import bounds_of
from harness.system.atomic import write_output

if TYPE_CHECKING:
    from benchmarks.type_one.cells import Drawn
    from benchmarks.type_one.power_families import PowerFamily


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
