"""The tables of docs/statistics.md and docs/statistics-cells.md, from the results of the study.

    python -m benchmarks.type_one.pages          # writes both; a test holds them against the results

Each table stands between two comments, `<!-- figures: NAME -->` and `<!-- end -->`.
"""

from __future__ import annotations

import json
import math
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.type_one.cells import Bounds, Cell, failures
from benchmarks.type_one.families import FAMILIES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

ROOT = Path(__file__).parents[2]
RESULTS = ROOT / "benchmarks" / "results"
PAGES = (ROOT / "docs" / "statistics.md", ROOT / "docs" / "statistics-cells.md")

_MARKED = re.compile(r"(<!-- figures: (\S+) -->\n).*?(<!-- end -->)", re.DOTALL)
_NEARLY_ALWAYS = 0.95
"""Share of data sets above which a cell does not say for how many a gain is printed."""

_SHARES = {"type_one": "type I", "coverage": "coverage", "gate": "gate", "single": "score"}


def written(page: str) -> str:
    """Return a page with all figures as the results have them."""
    return _MARKED.sub(lambda found: f"{found[1]}{TABLES[found[2]]()}\n{found[3]}", page)


def _read(name: str) -> Any:  # noqa: ANN401 - JSON
    return json.loads((RESULTS / name).read_text(encoding="utf-8"))


def _cells() -> list[Cell]:
    return [
        Cell(**{key: math.nan if value is None else value for key, value in row.items()})
        for row in _read("type_one.json")["cells"]
    ]


def _bounds(cell: Cell) -> Bounds | None:
    family = next(family for family in FAMILIES if family.name == cell.family)
    return family.bounds(cell.examples) if callable(family.bounds) else family.bounds


def _group(cell: Cell) -> str:
    kind = cell.family.split(",")[0]
    return f"{kind}, in clusters" if "cluster" in cell.family else kind


def groups_table() -> str:
    """Return the table of worst shares by kind of data, over all cells that have bounds to meet."""
    grouped: dict[str, list[Cell]] = {}
    for cell in _cells():
        if cell.tuned and _bounds(cell):
            grouped.setdefault(_group(cell), []).append(cell)
    rows = [
        [
            name,
            str(len(cells)),
            f"{min(cell.examples for cell in cells):,} – {max(cell.examples for cell in cells):,}",
            *(_range([getattr(cell, share) for cell in cells]) for share in _SHARES),
        ]
        for name, cells in grouped.items()
    ]
    return _table(["data", "cells", "n", *_SHARES.values()], rows, numeric=range(1, 7))


def cells_table(*, tuned: bool) -> str:
    """Return the table of all cells whose families were known, or unknown, when methods were chosen."""
    rows = [
        [
            cell.family,
            f"{cell.examples:,}",
            cell.test,
            *(_percent(getattr(cell, share)) for share in _SHARES),
            f"{cell.power:.0%} / {cell.ideal:.0%}".replace("%", " %") if math.isfinite(cell.power) else "",
            _percent(cell.undecided) if cell.undecided else "",
        ]
        for cell in _cells()
        if cell.tuned == tuned
    ]
    header = ["data", "n", "test", *_SHARES.values(), "power / ideal", "no interval"]
    return _table(header, rows, numeric=[1, *range(3, 9)])


def not_reached() -> str:
    """Return a list of all cells outside their bounds by more than two standard errors."""
    lines = []
    for cell in _cells():
        bounds = _bounds(cell)
        if bounds and (wrong := failures(cell, bounds)):
            added = "" if cell.tuned else " (added afterwards)"
            lines.append(f"- {cell.family}{added}, n = {cell.examples:,}: {'; '.join(wrong)}")
    return "\n".join(lines).replace("%", " %").replace("  %", " %") or "None."


def summary() -> str:
    """Return a sentence on all cells."""
    cells = _cells()
    bounded = [cell for cell in cells if _bounds(cell)]
    missed = sum(bool(failures(cell, bounds)) for cell in cells if (bounds := _bounds(cell)))
    widths = sum(cell.no_width for cell in cells)
    return (
        f"{len(cells):,} cells of {_read('type_one.json')['repetitions']:,} repetitions each;"
        f" {len(bounded):,} have bounds to meet, and {len(bounded) - missed:,} do,"
        f" each share moved two standard errors towards its bound."
        f" Intervals of a gain without width: {widths}."
    )


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


def lines_table() -> str:
    """Return the table of familywise errors and of power with many lines."""
    rows = [
        [
            cell["kind"],
            cell["what"],
            str(cell["lines"]),
            f"{cell['correlation']:g}",
            f"{cell['examples']:,}",
            _percent(_number(cell["familywise"])),
            _percent(_number(cell["power"])),
            _percent(_number(cell["power_holm"])),
            f"{cell['repetitions']:,}",
        ]
        for cell in _read("familywise.json")["cells"]
    ]
    header = ["data", "what", "how many", "correlation", "n", "familywise", "power", "by Holm", "repetitions"]
    return _table(header, rows, numeric=range(2, 9))


def races_table() -> str:
    """Return the table of the worst shares of each race over its numbers of examples, by candidates."""
    races: dict[str, list[dict[str, Any]]] = {}
    for cell in _read("selection.json")["cells"]:
        races.setdefault(cell["race"], []).append(cell)
    rows = [
        [
            name,
            *(
                _percent(min(cell["coverage"] for cell in cells if cell["candidates"] == count))
                for count in sorted({cell["candidates"] for cell in cells})
            ),
            _percent(min(cell["naive"] for cell in cells)),
            _percent(max(cell["passes"] for cell in cells)),
            _percent(min(cell["best_kept"] for cell in cells)),
            ", ".join(f"{count:,}" for count in sorted({cell["examples"] for cell in cells})),
            f"{min(cell['repetitions'] for cell in cells):,}",
        ]
        for name, cells in races.items()
    ]
    counts = sorted({cell["candidates"] for cells in races.values() for cell in cells})
    header = ["candidates", *map(str, counts), "ordinary", "gate", "best kept", "n", "repetitions"]
    return _table(header, rows, numeric=range(1, len(header)))


def power_table() -> str:
    """Return the table of the power that was found at the printed detectable gain, by lines.

    In brackets: for which share of the data sets a gain is printed, where that is not nearly always.
    """
    cells = _read("detectable.json")["cells"]
    counts = sorted({cell["lines"] for cell in cells})
    found = {(cell["family"], cell["examples"], cell["lines"]): _found(cell) for cell in cells}
    rows = [
        [
            family,
            f"{examples:,}",
            *(found.get((family, examples, count), "–") for count in counts),
        ]
        for family, examples in dict.fromkeys((cell["family"], cell["examples"]) for cell in cells)
    ]
    names = [f"{count} line{'s' * (count > 1)}" if count else "--power" for count in counts]
    return _table(["data", "n", *names], rows, numeric=range(1, 2 + len(counts)))


def _found(cell: dict[str, Any]) -> str:
    """Return the power of a cell."""
    power, printed = _whole(_number(cell["power"])), 1 - cell["unprinted"]
    if printed >= _NEARLY_ALWAYS:
        return power
    return f"{power} ({_percent(printed)})" if printed > 0 else "none printed"


def _number(value: float | None) -> float:
    return math.nan if value is None else value


def _whole(share: float) -> str:
    return "–" if math.isnan(share) else f"{100 * share:.0f} %"


def _range(shares: Sequence[float]) -> str:
    known = [share for share in shares if math.isfinite(share)]
    return f"{100 * min(known):.1f} – {100 * max(known):.1f} %" if known else ""


def _percent(share: float) -> str:
    return "" if math.isnan(share) else f"{100 * share:.1f} %"


def _table(header: Sequence[str], rows: Iterable[Sequence[str]], numeric: Iterable[int]) -> str:
    right = {*numeric}
    rule = ["---:" if column in right else "---" for column in range(len(header))]
    lines = ["| " + " | ".join(row) + " |" for row in (header, *rows)]
    return "\n".join([lines[0], f"|{'|'.join(rule)}|", *lines[1:]])


TABLES: dict[str, Callable[[], str]] = {
    "groups": groups_table,
    "cells": lambda: cells_table(tuned=True),
    "untuned": lambda: cells_table(tuned=False),
    "not-reached": not_reached,
    "summary": summary,
    "rivals": rivals_table,
    "real": real_table,
    "lines": lines_table,
    "races": races_table,
    "power": power_table,
}


def main() -> None:
    """Write the pages."""
    for page in PAGES:
        page.write_text(written(page.read_text(encoding="utf-8")), encoding="utf-8")


if __name__ == "__main__":
    main()
