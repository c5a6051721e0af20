"""Figures of the page: drawn once, a bounded number of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from markupsafe import Markup

from harness_report.figures import agreement, forest, forgetting, histograms, trade_off, training
from harness_report.figures.drawing import alike, svg
from harness_report.figures.palette import PAGE
from harness_report.names import series_of, task_names
from harness_report.page.pairs import first_pair

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from harness.authoring import ReportContent, TaskExamples
    from harness_report.figures.drawing import Drawing

MOST = {"comparison": 12, "distributions": 36, "training": 10}
"""Maximum number of figures of a section, each of which takes about 40 ms to draw and 7 kB."""


@dataclass(frozen=True, slots=True)
class Picture:
    """A figure as SVG, and its caption."""

    svg: Markup
    title: str


class Pictures:
    """The figures of a content, by section."""

    def __init__(self, content: ReportContent) -> None:
        self._content = content
        self._drawn = 0
        self.comparison: dict[str, Picture] = {}
        """Candidate → forest figure."""
        first = content.compared[0] if content.compared else None
        for one in (first.comparisons if first else ())[: MOST["comparison"]]:
            self._add(self.comparison, one.candidate.name, forest.draw(one))
        self.forgetting = self._picture(forgetting.draw(first.comparisons)) if first else None
        self.trade_off = self._picture(trade_off.draw(content.trade_off, series_of(content.models)))
        self.distributions: dict[str, list[Picture]] = {}
        """Board → figures of the baseline and of the first candidate, in turn."""
        self.distributions_left_out = 0
        self._draw_distributions()
        self.training: dict[str, list[Picture]] = {}
        for report in content.trainings[: MOST["training"] // 2]:
            self.training[report.model] = [self._made(drawing) for drawing in training.draw(report)]

    def _made(self, drawing: Drawing) -> Picture:
        self._drawn += 1
        picture = svg(drawing, PAGE, f"figure-{self._drawn}")
        return Picture(Markup(picture), drawing.caption or drawing.title)  # noqa: S704 - Vega escapes texts

    def _picture(self, drawing: Drawing | None) -> Picture | None:
        return None if drawing is None else self._made(drawing)

    def _add(self, pictures: dict[str, Picture], name: str, drawing: Drawing | None) -> None:
        if drawing is not None:
            pictures[name] = self._made(drawing)

    def _draw_distributions(self) -> None:
        drawn = 0
        for board, drawing in self._distributions():
            if drawn < MOST["distributions"]:
                self.distributions.setdefault(board, []).append(self._made(drawing))
                drawn += 1
            else:
                self.distributions_left_out += 1

    def _distributions(self) -> Iterator[tuple[str, Drawing]]:
        """Yield the figures of each board: of each kind, those of the two models, with the same scales."""
        content = self._content
        pair = first_pair(content) or tuple(model.name for model in content.models[:1])
        examples = {one.board: one for one in content.examples}
        tasks, series = task_names(content.boards), series_of(content.models)
        for board in content.boards:
            here = examples.get(board.id)
            drawings = [*_scatters(here, pair, tasks[board.id], series)] if here else []
            of_board = [one for one in content.distributions if one.board == board.id and one.model in pair]
            for one in sorted(of_board, key=lambda each: pair.index(each.model)):
                drawing = histograms.draw(one, tasks[board.id], series.get(one.model, 0))
                drawings += [drawing] if drawing else []
            for name in dict.fromkeys(drawing.figure.name for drawing in drawings):
                for drawing in alike([one for one in drawings if one.figure.name == name]):
                    yield board.id, drawing


def _scatters(
    examples: TaskExamples, pair: Sequence[str], task: str, series: Mapping[str, int]
) -> Iterator[Drawing]:
    by_model = {answers.model: answers for answers in examples.models}
    for model in pair:
        own = by_model.get(model)
        if own and (drawing := agreement.draw(examples, own, task, series.get(model, 0))):
            yield drawing
