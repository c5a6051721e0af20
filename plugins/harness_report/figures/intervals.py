"""Intervals figure: the headline score of each model on a task, with its interval."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from harness.authoring import plural
from harness_report.figures.drawing import Drawing, Figure, Spec, interval_words
from harness_report.names import shown

if TYPE_CHECKING:
    from harness_report.figures.palette import Palette


@dataclass(frozen=True, slots=True)
class IntervalRow:
    """A model on the board."""

    order: int
    label: str
    """The model's name, unique in the figure."""
    value: str
    """Score and letters in words, at the right: `0.780 a`."""
    score: float
    low: float | None
    high: float | None


def spec(palette: Palette) -> Spec:
    """Return the figure: a row of text over a row with the interval, for each model."""
    y: Spec = {"field": "label", "type": "nominal", "axis": None, "sort": {"field": "order"}}
    x: Spec = {"type": "quantitative", "title": "«metric»", "scale": {"zero": False}, "axis": {"grid": False}}
    value = {"y": y, "text": {"field": "value", "type": "nominal"}, "x": {"value": "width"}}
    text = {"y": y, "text": {"field": "label", "type": "nominal"}, "x": {"value": 0}}
    return {
        "height": {"step": 38},
        "layer": [
            {"mark": {"type": "text", "align": "left", "dy": -9}, "encoding": text},
            {"mark": {"type": "text", "align": "right", "dy": -9}, "encoding": value},
            {
                "mark": {"type": "rule", "strokeWidth": 2, "yOffset": 7, "color": palette.series[0]},
                "encoding": {"x": {**x, "field": "low"}, "x2": {"field": "high"}, "y": y},
            },
            {
                "mark": {
                    "type": "point",
                    "filled": True,
                    "size": 60,
                    "opacity": 1,
                    "yOffset": 7,
                    "color": palette.series[0],
                },
                "encoding": {"x": {**x, "field": "score"}, "y": y},
            },
        ],
    }


FIGURE = Figure("intervals", spec, IntervalRow, ("metric",))


def draw(board: Any) -> Drawing | None:  # noqa: ANN401 - a board of the content
    """Return the headline scores of a board; None where no model has one."""
    rows = [row for row in board.rows if row.scores and row.scores[0].score is not None]
    if not rows:
        return None
    labels = shown([row.model for row in rows], 32)
    heads = [row.scores[0] for row in rows]
    said = "; ".join(
        f"{label}: {head.score:.3f}{interval_words(head.low, head.high, '.3f')}"
        for label, head in zip(labels, heads, strict=True)
    )
    return Drawing(
        figure=FIGURE,
        rows=[
            IntervalRow(
                order=order,
                label=label,
                value=f"{head.score:.3f}{f' {row.letters}' if row.letters else ''}",
                score=head.score,
                low=head.low,
                high=head.high,
            )
            for order, (label, row, head) in enumerate(zip(labels, rows, heads, strict=True))
        ],
        words={"metric": f"{board.metrics[0]} on {board.task}"},
        title=f"{board.metrics[0]} on {board.task}",
        description=f"{plural(len(rows), 'model')}, best first, with 95 % intervals. {said}.",
    )
