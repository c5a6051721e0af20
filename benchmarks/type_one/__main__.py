"""How often do intervals and tests of `harness` err? Simulated on families of data, cell by cell.

    python -m benchmarks.type_one --out benchmarks/results/type_one.json
    python -m benchmarks.type_one --repetitions 200 --families 'ROC-AUC*'

Type I: share of claims where there is no gain (nominal 5 %). Coverage: share of intervals that contain the
true gain, or score (nominal 95 %). Gate: share of passes of a candidate whose true loss is exactly the margin
(nominal 2.5 %).
"""

from __future__ import annotations

import argparse
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import asdict
from fnmatch import fnmatchcase
from pathlib import Path

from benchmarks.type_one.cells import Cell, Family, failures, measure_cell
from benchmarks.type_one.families import FAMILIES
from harness.results.folder import encode
from harness.system.atomic import write_output


def main() -> None:
    """Measure all cells, and write those that are done after each."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--repetitions", type=int, default=2000)
    parser.add_argument("--families", default="*", help="pattern of names")
    parser.add_argument("--sizes", default="", help="only these numbers of examples")
    parser.add_argument("--processes", type=int, default=1)
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    only = [int(size) for size in options.sizes.split(",") if size]
    asked = [
        (number, size)
        for number, family in enumerate(FAMILIES)
        if fnmatchcase(family.name, options.families)
        for size in family.sizes
        if not only or size in only
    ]
    cells: dict[tuple[int, int], Cell] = {}
    with ProcessPoolExecutor(options.processes) as pool:
        futures = {pool.submit(_measure, *key, options.repetitions): key for key in asked}
        for future in as_completed(futures):
            key = futures[future]
            cells[key] = future.result()
            print(describe(FAMILIES[key[0]], cells[key]), flush=True)
            if options.out:
                rows = [asdict(cells[key]) for key in sorted(cells)]
                write_output(options.out, encode({"repetitions": options.repetitions, "cells": rows}))


def _measure(number: int, size: int, repetitions: int) -> Cell:
    return measure_cell(FAMILIES[number], size, repetitions)


def describe(family: Family, cell: Cell) -> str:
    """Return a line on one cell, and what it fails."""
    bounds = family.bounds(cell.examples) if callable(family.bounds) else family.bounds
    wrong = failures(cell, bounds) if bounds else []
    figures = (
        f"type I {cell.type_one:.1%}, coverage {cell.coverage:.1%}, gate {cell.gate:.1%},"
        f" score {cell.single:.1%}, undecided {cell.undecided:.1%}, width {cell.width:.4f}"
    )
    fails = f" FAILS {'; '.join(wrong)}" if wrong else ""
    return f"{cell.family}, n = {cell.examples} ({cell.test}): {figures}{fails}"


if __name__ == "__main__":
    main()
