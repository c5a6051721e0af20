"""Tables of many models: a matrix of gains for all pairs, and quality next to speed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.comparison.flip_tables import gain_text
from harness.comparison.tables import illustrative_note, line_name, plural, shown_names, warnings
from harness.models.locate import display_names
from harness.render import Cell, Table

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from harness.comparison.result import Comparison, MetricComparison, ParetoPoint, Verdict

_MIRRORED: dict[Verdict, Verdict] = {"better": "worse", "worse": "better"}


def matrix_tables(comparisons: Sequence[Comparison]) -> list[Table]:
    """Lay out every pair's gain: a table for each task and metric, candidates by baselines.

    A pair that was compared one way is shown both ways.
    """
    parties = dict.fromkeys(
        (party.name, party.fingerprint)
        for comparison in comparisons
        for party in (comparison.baseline, comparison.candidate)
    )
    names = display_names(list(parties))
    cells: dict[tuple[str, str, str], dict[tuple[str, str], Cell]] = {}
    titles: dict[tuple[str, str, str], str] = {}
    for comparison in comparisons:
        pair = shown_names(comparison, names)
        for line in comparison.lines:
            place = line.task, line.metric, line.data
            titles[place] = line_name(line, comparison.lines)
            cells.setdefault(place, {}).update(_cells_both_ways(line, *pair))
    laid_out = [
        Table(
            titles[place],
            f"by {place[1]} · gain of the row over the column",
            ["", *names.values()],
            _matrix(list(names.values()), cells[place]),
            illustrative_note(place[0]) if place[2] == "sample" else [],
        )
        for place in cells
    ]
    return [*laid_out, *_warnings_table(comparisons, names)]


def pareto_table(standings: Sequence[ParetoPoint]) -> Table:
    """Lay out quality beside speed; models that no other one beats at both are bold."""
    tasks = max((one.tasks for one in standings), default=0)
    return Table(
        "quality and speed",
        f"mean headline score over {plural(tasks, 'task')} that all were asked alike",
        ["model", "quality", "texts/s", "beaten at both"],
        [
            [
                Cell(one.model, best=one.on_front),
                Cell(f"{one.quality:.4f}", best=one.on_front),
                Cell("–" if one.texts_per_second is None else f"{one.texts_per_second:,.0f}"),
                Cell("?" if one.texts_per_second is None else "no" if one.on_front else "yes"),
            ]
            for one in standings
        ],
    )


def _cells_both_ways(line: MetricComparison, baseline: str, candidate: str) -> dict[tuple[str, str], Cell]:
    """Cells by (row, column): the candidate over the baseline, and the other way round."""
    mirrored = _MIRRORED.get(line.verdict, line.verdict)
    lost = None if line.gain is None else -line.gain or 0.0
    return {
        (candidate, baseline): Cell(f"{gain_text(line.gain)} {line.verdict}", best=line.verdict == "better"),
        (baseline, candidate): Cell(f"{gain_text(lost)} {mirrored}", best=mirrored == "better"),
    }


def _matrix(names: Sequence[str], cells: dict[tuple[str, str], Cell]) -> list[list[Cell]]:
    nothing = Cell("–")
    return [[Cell(row), *(cells.get((row, column), nothing) for column in names)] for row in names]


def _warnings_table(comparisons: Sequence[Comparison], names: dict[tuple[str, str], str]) -> Iterator[Table]:
    """What no matrix has a cell for: pairs with something refused, broken or allowed."""
    rows = []
    for comparison in comparisons:
        baseline, candidate = shown_names(comparison, names)
        pair = f"{candidate} against {baseline}"
        rows += [[Cell(pair), Cell(text)] for text in warnings(comparison)]
    if rows:
        yield Table("what to know of these pairs", "", ["pair", "what"], rows, numeric=False)
