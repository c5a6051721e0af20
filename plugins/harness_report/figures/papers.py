"""Figures of a content for papers: SVG with colors of its own, by name."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from harness_report.figures import agreement, forest, forgetting, histograms, intervals, trade_off, training
from harness_report.figures.drawing import svg
from harness_report.figures.palette import PAPER

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.authoring import ReportContent
    from harness_report.figures.drawing import Drawing


def figures(content: ReportContent) -> dict[str, str]:
    """Return every figure of a content as SVG, by a name that is fit for a file: `forest-minilm-mine`."""
    drawn: dict[str, str] = {}
    for name, drawing in _drawings(content):
        if drawing is None:
            continue
        plain = re.sub(r"[^A-Za-z0-9._-]+", "-", name).strip("-.")[:80]
        number, unlike = 2, plain
        while unlike in drawn:
            number, unlike = number + 1, f"{plain}-{number}"
        drawn[unlike] = svg(drawing, PAPER, unlike)
    return drawn


def _drawings(content: ReportContent) -> Iterator[tuple[str, Drawing | None]]:
    for board in content.boards:
        yield f"intervals-{board.id}", intervals.draw(board)
    for one in content.compared:
        for comparison in one.comparisons:
            yield f"forest-{one.baseline}-{comparison.candidate.name}", forest.draw(comparison)
        yield f"forgetting-{one.baseline}", forgetting.draw(one.comparisons)
    yield "trade-off", trade_off.draw(content.trade_off)
    tasks = {board.id: board.task for board in content.boards}
    qualities = {}
    for examples in content.examples:
        qualities[examples.board] = examples.quality
        for answers in examples.models:
            drawing = agreement.draw(examples, answers, tasks.get(examples.board, examples.board))
            yield f"agreement-{examples.board}-{answers.model}", drawing
    for one in content.distributions:
        task = tasks.get(one.board, one.board)
        quality = qualities.get(one.board, "quality")
        yield f"{one.kind}-{one.board}-{one.model}", histograms.draw(one, task, quality)
    for report in content.trainings:
        for drawing in training.draw(report):
            yield f"training-{report.model}-{drawing.words['label']}", drawing
