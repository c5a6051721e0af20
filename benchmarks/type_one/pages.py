"""The tables of docs/statistics.md, from the results of the study: each between two comments.

python -m benchmarks.type_one.pages          # writes the page; a test fails where page and results differ
"""

from __future__ import annotations

import json
import math
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.type_one.cells import Cell, failures
from benchmarks.type_one.families import FAMILIES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

ROOT = Path(__file__).parents[2]
RESULTS = ROOT / "benchmarks" / "results"
PAGE = ROOT / "docs" / "statistics.md"

_MARKED = re.compile(r"(<!-- figures: (\S+) -->\n).*?(<!-- end -->)", re.DOTALL)


def written(page: str) -> str:
    """Return the page with all figures as the results have them."""
    return _MARKED.sub(lambda found: f"{found[1]}{TABLES[found[2]]()}\n{found[3]}", page)


def _read(name: str) -> Any:  # noqa: ANN401 - JSON
    return json.loads((RESULTS / name).read_text(encoding="utf-8"))


def _cells() -> list[Cell]:
    return [
        Cell(**{key: math.nan if value is None else value for key, value in row.items()})
        for row in _read("type_one.json")["cells"]
    ]


def cells_table(*, tuned: bool) -> str:
    """Return the table of all cells whose families were known, or unknown, when methods were chosen."""
    rows = [
        [
            cell.family,
            f"{cell.examples:,}",
            cell.test,
            _percent(cell.type_one),
            _percent(cell.coverage),
            _percent(cell.gate),
            _percent(cell.single),
            f"{cell.power:.0%} / {cell.ideal:.0%}" if math.isfinite(cell.power) else "",
            _percent(cell.undecided) if cell.undecided else "",
        ]
        for cell in _cells()
        if cell.tuned == tuned
    ]
    header = ["data", "n", "test", "type I", "coverage", "gate", "score", "power / ideal", "no interval"]
    return _table(header, rows, numeric=range(3, 9))


def not_reached() -> str:
    """Return a list of all cells outside their bounds by more than two standard errors."""
    families = {family.name: family for family in FAMILIES}
    lines = []
    for cell in _cells():
        family = families[cell.family]
        bounds = family.bounds(cell.examples) if callable(family.bounds) else family.bounds
        if bounds and (wrong := failures(cell, bounds)):
            lines.append(f"- {cell.family}, n = {cell.examples:,}: {'; '.join(wrong)}")
    return "\n".join(lines) or "None."


def summary() -> str:
    """Return a sentence on all cells that have bounds."""
    families = {family.name: family for family in FAMILIES}
    bounded = [cell for cell in _cells() if _has_bounds(families[cell.family].bounds, cell.examples)]
    ranges = [
        f"{name} {_percent(min(shares))} to {_percent(max(shares))}"
        for name in ("type_one", "coverage", "gate", "single")
        if (shares := [share for cell in bounded if math.isfinite(share := getattr(cell, name))])
    ]
    words = ", ".join(ranges).replace("type_one", "type I").replace("single", "coverage of scores")
    widths = sum(cell.no_width for cell in _cells())
    repetitions = _read("type_one.json")["repetitions"]
    return (
        f"{len(bounded)} of the {len(_cells())} cells have bounds to meet, of {repetitions:,} repetitions"
        f" each: {words}."
        f" Intervals of no width in all cells: {widths}."
    )


def _has_bounds(bounds: object, size: int) -> bool:
    return bool(bounds(size) if callable(bounds) else bounds)


def rivals_table() -> str:
    """Return the table of other tests."""
    rows = [
        [row["family"], row["rival"], ", ".join(map(_percent, row["type_one"].values()))]
        for row in _read("type_one_rivals.json")["rows"]
    ]
    return _table(["data", "rival", "type I at n = 100, 300, 1,000"], rows, numeric=[2])


def real_table() -> str:
    """Return the table of swapped real models."""
    rows = [
        [
            f"{row['task']} by {row['metric']}",
            f"{row['examples']:,} in {row['clusters']:,}",
            row["test"],
            _percent(row["type_one"]),
            _percent(row["coverage"]),
        ]
        for row in _read("type_one_real.json")["tasks"]
    ]
    return _table(["task", "n", "test", "type I", "coverage"], rows, numeric=[3, 4])


def _percent(share: float) -> str:
    return "" if math.isnan(share) else f"{share:.1%}".replace("%", " %")


def _table(header: Sequence[str], rows: Iterable[Sequence[str]], numeric: Iterable[int]) -> str:
    right = {*numeric, 1} if "n" in header else {*numeric}
    rule = ["---:" if column in right else "---" for column in range(len(header))]
    return "\n".join("| " + " | ".join(row) + " |" for row in [header, rule, *rows]).replace("|  |", "| |")


TABLES: dict[str, Callable[[], str]] = {
    "cells": lambda: cells_table(tuned=True),
    "untuned": lambda: cells_table(tuned=False),
    "not-reached": not_reached,
    "summary": summary,
    "rivals": rivals_table,
    "real": real_table,
}


def main() -> None:
    """Write the page."""
    PAGE.write_text(written(PAGE.read_text(encoding="utf-8")), encoding="utf-8")


if __name__ == "__main__":
    main()
