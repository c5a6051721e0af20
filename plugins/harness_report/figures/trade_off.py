"""Trade-off figure: mean quality against speed, with intervals on both and the Pareto front."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from harness.authoring import named
from harness_report.figures.drawing import Drawing, Figure, Spec, label_mark
from harness_report.figures.palette import SHAPES
from harness_report.names import shown

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harness_report.figures.palette import Palette


@dataclass(frozen=True, slots=True)
class TradeOffRow:
    """A model that was timed."""

    order: int
    label: str
    quality: float
    low: float | None
    high: float | None
    speed: float
    """Median texts per second."""
    slowest: float
    fastest: float
    front: bool
    """Whether it is on the Pareto front."""
    size: float
    """Parameters or dimensions, for the area of the mark; 1 for marks that are alike."""
    name: str | None = None
    """What is written beside the mark, where that is not the label: nothing, for want of room."""


LOG: Spec = {"type": "log", "nice": False, "padding": 24}


def spec(palette: Palette) -> Spec:
    """Return the figure; the front is a dashed line through the models that are on it."""
    x: Spec = {"type": "quantitative", "title": "«x»", "scale": LOG}
    x["axis"] = {"format": ",.0f", "tickCount": 4, "labelOverlap": True, "grid": False}
    y: Spec = {"type": "quantitative", "title": "mean headline score", "scale": {"zero": False}}
    speed, quality = {**x, "field": "speed"}, {**y, "field": "quality"}
    labels: Spec = {"field": "label", "sort": {"field": "order"}}
    color = {**labels, "scale": {"range": list(palette.series)}, "legend": None}
    shape = {**labels, "scale": {"range": list(SHAPES)}, "legend": None}
    rounds = {"x": {**x, "field": "slowest"}, "x2": {"field": "fastest"}, "y": quality, "color": color}
    scores = {"y": {**y, "field": "low"}, "y2": {"field": "high"}, "x": speed, "color": color}
    size = {"field": "size", "type": "quantitative", "scale": {"range": [40, 160]}, "legend": None}
    return {
        "height": 260,
        "layer": [
            {
                "transform": [{"filter": "datum.front"}],
                "mark": {"type": "line", "strokeDash": [4, 3], "strokeWidth": 1.5, "color": palette.muted},
                "encoding": {"x": speed, "y": quality, "order": {"field": "speed"}},
            },
            {"mark": {"type": "rule", "strokeWidth": 1.5}, "encoding": rounds},
            {"mark": {"type": "rule", "strokeWidth": 1.5}, "encoding": scores},
            {
                "mark": {"type": "point", "filled": True, "opacity": 1},
                "encoding": {"x": speed, "y": quality, "color": color, "shape": shape, "size": size},
            },
            {
                "transform": [
                    {"calculate": "isValid(datum.name) ? datum.name : datum.label", "as": "written"}
                ],
                "mark": label_mark("speed", "quality"),
                "encoding": {"x": speed, "y": quality, "text": {"field": "written"}},
            },
        ],
    }


FIGURE = Figure("trade-off", spec, TradeOffRow, ("x",))

NAMED = 8
"""Maximum number of models that are all named in the figure; of more, those on the front."""


def draw(models: Sequence[Any]) -> Drawing | None:
    """Return the models that were timed; None without any."""
    timed = [one for one in models if one.texts_per_second is not None and min(one.texts_per_second) > 0]
    if not timed:
        return None
    labels = shown([one.model for one in timed], 22)
    rows = [
        TradeOffRow(
            order=order,
            label=label,
            quality=one.quality.score,
            low=one.quality.low,
            high=one.quality.high,
            speed=one.texts_per_second[1],
            slowest=one.texts_per_second[0],
            fastest=one.texts_per_second[2],
            front=one.on_front,
            size=1.0,
            name=label if one.on_front or len(timed) <= NAMED else "",
        )
        for order, (label, one) in enumerate(zip(labels, timed, strict=True))
    ]
    said = "; ".join(f"{row.label}: {row.quality:.3f} at {row.speed:,.0f} texts/s" for row in rows)
    return Drawing(
        figure=FIGURE,
        rows=rows,
        words={"x": "texts per second (log scale)"},
        title="Quality against speed",
        description=f"On the Pareto front: {named([row.label for row in rows if row.front], 8)}. {said}.",
    )
