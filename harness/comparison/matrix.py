"""Tables of many models: matrices of gains for all pairs, and quality next to speed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.comparison.flip_tables import gain_text
from harness.comparison.tables import illustrative_note, line_name, shown_names, warnings
from harness.models.locate import display_names
from harness.render import plural
from harness.table import Cell, Table

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from harness.comparison.result import Comparison, MetricComparison, ParetoPoint
    from harness.comparison.words import Verdict

_MIRRORED: dict[Verdict, Verdict] = {"better": "worse", "worse": "better"}


def matrix_tables(comparisons: Sequence[Comparison]) -> list[Table]:
    """Return a matrix of gains for each task and metric, candidates by baselines, then the warnings.

    A pair that was compared one way is shown both ways.
    """
    models = dict.fromkeys(
        (model.name, model.fingerprint)
        for comparison in comparisons
        for model in (comparison.baseline, comparison.candidate)
    )
    names = display_names(list(models))
    cells: dict[tuple[str, str, str], dict[tuple[str, str], Cell]] = {}
    titles: dict[tuple[str, str, str], str] = {}
    for comparison in comparisons:
        pair = shown_names(comparison, names)
        for line in comparison.lines:
            key = line.task, line.metric, line.data
            titles[key] = line_name(line, comparison.lines)
            cells.setdefault(key, {}).update(_cells_both_ways(line, *pair))
    matrices = [
        Table(
            titles[task, metric, data],
            f"by {metric} · gain of the row over the column",
            ["", *names.values()],
            _matrix(list(names.values()), pair_cells),
            illustrative_note(task) if data == "sample" else [],
            names=frozenset(names.values()),
        )
        for (task, metric, data), pair_cells in cells.items()
    ]
    return [*matrices, *_warnings_table(comparisons, names)]


def pareto_table(points: Sequence[ParetoPoint]) -> Table:
    """Return the table of quality and speed; models on the Pareto front are bold."""
    tasks = max((point.tasks for point in points), default=0)
    return Table(
        "quality and speed",
        f"mean headline score over {plural(tasks, 'task')} that all models have in common",
        ["model", "quality", "texts/s", "dominated"],
        [
            [
                Cell(point.model, best=point.on_front),
                Cell(f"{point.quality:.4f}", best=point.on_front),
                Cell("–" if point.texts_per_second is None else f"{point.texts_per_second:,.0f}"),
                Cell("?" if point.texts_per_second is None else "no" if point.on_front else "yes"),
            ]
            for point in points
        ],
        names=frozenset(point.model for point in points),
    )


def _cells_both_ways(line: MetricComparison, baseline: str, candidate: str) -> dict[tuple[str, str], Cell]:
    """Return cells by (row, column): the candidate over the baseline, and the reverse."""
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
    """Yield the table of pairs with refused, broken or allowed results, if there are any."""
    rows = []
    for comparison in comparisons:
        baseline, candidate = shown_names(comparison, names)
        pair = f"{candidate} against {baseline}"
        rows += [[Cell(pair), Cell(text)] for text in warnings(comparison)]
    if rows:
        yield Table("warnings", "", ["pair", "warning"], rows, numeric=False)
