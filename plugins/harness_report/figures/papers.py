"""Figures of a content for papers: SVG with colors of its own, by name, each drawn when it is asked for."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING

from harness_report.figures import agreement, forest, forgetting, histograms, intervals, trade_off, training
from harness_report.figures.drawing import stacked, svg
from harness_report.figures.palette import PAPER
from harness_report.names import series_of, task_names

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.authoring import ReportContent
    from harness_report.figures.drawing import Drawing

Drawings = tuple["Drawing", ...]


class PaperFigures(Mapping[str, str]):
    """Name → SVG. `intervals`, `forest`, `forgetting`, … are of the first board, baseline and candidate.

    Others have names such as `forest-BASELINE-CANDIDATE`; `intervals` has all boards, one below the other.
    """

    def __init__(self, content: ReportContent) -> None:
        self._drawings: dict[str, Drawings] = {}
        boards = [drawing for board in content.boards if (drawing := intervals.draw(board))]
        if boards:
            self._drawings["intervals"] = tuple(boards)
        for name, drawing in _drawings(content):
            if drawing is not None:
                self._drawings.setdefault(drawing.figure.name, (drawing,))
                if name != drawing.figure.name:
                    self._drawings[self._unlike(name)] = (drawing,)

    def __getitem__(self, name: str) -> str:
        drawn = [svg(one, PAPER, f"{name}-{at}") for at, one in enumerate(self._drawings[name])]
        return drawn[0] if len(drawn) == 1 else stacked(drawn)

    def __iter__(self) -> Iterator[str]:
        return iter(self._drawings)

    def __len__(self) -> int:
        return len(self._drawings)

    def _unlike(self, name: str) -> str:
        """Return a name that is fit for a file, and that no other figure has."""
        plain = re.sub(r"[^A-Za-z0-9._-]+", "-", name).strip("-.")[:80]
        number, unlike = 2, plain
        while unlike in self._drawings:
            number, unlike = number + 1, f"{plain}-{number}"
        return unlike


def figures(content: ReportContent) -> PaperFigures:
    """Return every figure of a content, drawn when it is asked for."""
    return PaperFigures(content)


def _drawings(content: ReportContent) -> Iterator[tuple[str, Drawing | None]]:
    """Yield the figures of a content with their names, the most wanted of each kind first."""
    for board in content.boards:
        yield f"intervals-{board.id}", intervals.draw(board)
    winner = content.answer.selection.winner if content.answer.selection else None
    for one in content.compared:
        for comparison in sorted(one.comparisons, key=lambda each: each.candidate.name != winner):
            yield f"forest-{one.baseline}-{comparison.candidate.name}", forest.draw(comparison)
        yield f"forgetting-{one.baseline}", forgetting.draw(one.comparisons)
    series = series_of(content.models)
    yield "trade-off", trade_off.draw(content.trade_off, series)
    tasks = task_names(content.boards)
    for examples in content.examples:
        for answers in examples.models:
            task = tasks.get(examples.board, examples.board)
            drawing = agreement.draw(examples, answers, task, series.get(answers.model, 0))
            yield f"agreement-{examples.board}-{answers.model}", drawing
    for each in content.distributions:
        drawing = histograms.draw(each, tasks.get(each.board, each.board), series.get(each.model, 0))
        yield f"{each.kind}-{each.board}-{each.model}", drawing
    for report in content.trainings:
        for drawing in training.draw(report):
            yield f"training-{report.model}-{drawing.words['label']}", drawing
