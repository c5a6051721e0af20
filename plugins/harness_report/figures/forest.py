"""Forest figure: the gain of each line, with its interval, its margin and its verdict."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from harness.authoring import plural
from harness_report.figures.drawing import SIGNED, Drawing, Figure, Spec, interval_words
from harness_report.names import SIGNS, brief, shown, signed

if TYPE_CHECKING:
    from harness_report.figures.palette import Palette


@dataclass(frozen=True, slots=True)
class ForestRow:
    """A line of a comparison."""

    order: int
    label: str
    """Task and metric, unique in the figure."""
    value: str
    """Gain and verdict in words, at the right: `+0.602 ▲ better`."""
    gain: float
    low: float | None
    high: float | None
    accepted: float | None
    """Minus the margin: the loss that would be accepted."""
    verdict: str


def spec(palette: Palette) -> Spec:
    """Return the figure: a row of text over a row with the interval, for each line."""
    y: Spec = {"field": "label", "type": "nominal", "axis": None, "sort": {"field": "order"}}
    x: Spec = {
        "type": "quantitative",
        "title": "gain (candidate − baseline)",
        "axis": {"labelExpr": SIGNED, "grid": False},
    }
    verdicts = ["better", "worse", "equivalent", "inconclusive", "not tested"]
    colors = [palette.better, palette.worse, palette.neutral, palette.neutral, palette.neutral]
    color = {"field": "verdict", "scale": {"domain": verdicts, "range": colors}, "legend": None}
    shapes = ["triangle-up", "triangle-down", "square", "circle", "cross"]
    shape = {"field": "verdict", "scale": {"domain": verdicts, "range": shapes}, "legend": None}
    interval = {"x": {**x, "field": "low"}, "x2": {"field": "high"}, "y": y, "color": color}
    text = {"y": y, "text": {"field": "label", "type": "nominal"}, "x": {"value": 0}}
    value = {"y": y, "text": {"field": "value", "type": "nominal"}, "x": {"value": "width"}}
    return {
        "height": {"step": 40},
        "layer": [
            {
                "mark": {"type": "tick", "thickness": 1, "height": 24, "yOffset": 7, "color": palette.muted},
                "encoding": {"x": {"datum": 0, "type": "quantitative"}, "y": y},
            },
            {"mark": {"type": "text", "align": "left", "dy": -11}, "encoding": text},
            {"mark": {"type": "text", "align": "right", "dy": -11}, "encoding": value},
            {"mark": {"type": "rule", "strokeWidth": 2, "yOffset": 7}, "encoding": interval},
            {
                "mark": {"type": "tick", "thickness": 2, "height": 14, "yOffset": 7, "color": palette.ink},
                "encoding": {"x": {**x, "field": "accepted"}, "y": y},
            },
            {
                "mark": {"type": "point", "filled": True, "size": 70, "opacity": 1, "yOffset": 7},
                "encoding": {"x": {**x, "field": "gain"}, "y": y, "color": color, "shape": shape},
            },
        ],
    }


FIGURE = Figure("forest", spec, ForestRow)


def draw(comparison: Any) -> Drawing | None:  # noqa: ANN401 - a comparison of the content
    """Return the forest of the headline lines of a comparison; None where no line has a gain."""
    lines = [line for line in comparison.lines if line.headline and line.gain is not None]
    if not lines:
        return None
    labels = shown([f"{line.task} · {line.metric}" for line in lines], 34)
    rows = [
        ForestRow(
            order=order,
            label=label,
            value=f"{signed(line.gain)} {SIGNS[line.verdict]} {line.verdict}",
            gain=line.gain,
            low=line.low,
            high=line.high,
            accepted=None if line.margin is None else -line.margin,
            verdict=line.verdict,
        )
        for order, (label, line) in enumerate(zip(labels, lines, strict=True))
    ]
    said = "; ".join(
        f"{label}: {line.verdict}, gain {line.gain:+.3f}{interval_words(line.low, line.high, '+.3f')}"
        for label, line in zip(labels, lines, strict=True)
    )
    return Drawing(
        figure=FIGURE,
        rows=rows,
        words={},
        title=f"Gains of {brief(comparison.candidate.name)} over {brief(comparison.baseline.name)}",
        description=f"{plural(len(lines), 'gain')}, with intervals. {said}.",
    )
