"""Tables of a plan of costs, each figure rounded to two digits."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.bench.cost.words import two_digits
from harness.render import MISSING, plural
from harness.table import Cell, Table

if TYPE_CHECKING:
    from harness.bench.cost.records import CostPlan, CostRange, StageCost

_TIMES = ((2 * 86_400, 86_400, "d"), (2 * 3600, 3600, "h"), (120, 60, "min"), (0.1, 1, "s"), (0, 1e-3, "ms"))
"""Minimum seconds, and the length and name of a unit, longest first."""
_SIZES = ((1e12, "TB"), (1e9, "GB"), (1e6, "MB"), (1e3, "kB"), (1, "B"))


def plan_tables(plan: CostPlan) -> list[Table]:
    """Return the tables of a plan: seconds of each stage, and bytes of each place."""
    return [_times(plan), _bytes(plan)]


def _times(plan: CostPlan) -> Table:
    several = plan.workers > 1
    header = [
        "stage",
        "texts",
        "tokens each",
        "1 worker",
        *([f"{plan.workers:,} workers"] if several else []),
    ]
    rows = [
        _row(stage.stage, _texts(stage), stage.one_worker, stage.seconds, several) for stage in plan.stages
    ]
    rows.append(_row("all", ["", ""], plan.one_worker, plan.seconds, several))
    counts = [
        plural(plan.documents, "document"),
        plural(plan.queries, "query", "queries"),
        *([plural(plan.models, "candidate")] if plan.models > 1 else []),
    ]
    subtitle = f"{' · '.join(counts)} · by the bench of {plan.variant} on {plan.machine}"
    return Table("time", subtitle, header, rows)


def _row(
    stage: str, texts: list[str], one_worker: CostRange, seconds: CostRange, several: bool
) -> list[Cell]:
    times = [shown_seconds(one_worker), *([shown_seconds(seconds)] if several else [])]
    return [Cell(text) for text in [stage, *texts, *times]]


def _texts(stage: StageCost) -> list[str]:
    return [f"{stage.texts:,}", MISSING if stage.tokens is None else two_digits(stage.tokens)]


def _bytes(plan: CostPlan) -> Table:
    rows = [[Cell(one.where), Cell(one.what), Cell(shown_bytes(one.bytes))] for one in plan.memory]
    return Table("memory and disk", "", ["where", "what", "size"], rows, numeric=False)


def shown_seconds(seconds: CostRange) -> str:
    """Return a time and its range in one unit: `3.4 h (3.2 – 3.7)`; where all round alike, the time."""
    _, length, unit = next(each for each in _TIMES if seconds.value >= each[0])
    value, low, high = (two_digits(each / length) for each in (seconds.value, seconds.low, seconds.high))
    return f"{value} {unit}" if low == value == high else f"{value} {unit} ({low} – {high})"


def shown_bytes(count: int | None) -> str:
    """Return a number of bytes with two digits: `150 GB`; `–` for None."""
    if count is None:
        return MISSING
    length, unit = next((each for each in _SIZES if count >= each[0]), _SIZES[-1])
    return f"{two_digits(count / length)} {unit}"
