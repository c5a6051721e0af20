"""Trade-off figure: mean quality against speed, with intervals on both and the Pareto front."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from harness.authoring import named
from harness_report.figures.drawing import Drawing, Figure, Spec, haloed, series_encoding
from harness_report.figures.labels import LIMIT, Spot, beside, place
from harness_report.figures.palette import SHAPES
from harness_report.names import shown

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

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
    series: int
    """Number of the model's color and shape."""
    name: str
    """What is written beside the mark: the label, or nothing, for want of room."""
    shift: float = 0
    """Pixels to the right, of marks that would lie over each other."""
    dx: float = 0
    dy: float = 0
    """Pixels from the place of the mark to its name."""
    align: str = "left"


SIDE, TOP, HEIGHT, NARROW = 24, 14, 260, 270
"""Pixels beside the outermost marks, above the highest, of the plot's height, and of its least width."""

LOG: Spec = {"type": "log", "nice": False, "padding": SIDE}


def spec(palette: Palette) -> Spec:
    """Return the figure; the front is a line of steps: between two of its models there is no other."""
    x: Spec = {"type": "quantitative", "title": "«x»", "scale": LOG}
    x["axis"] = {"format": ",.0f", "tickCount": 4, "labelOverlap": True, "grid": False}
    y: Spec = {"type": "quantitative", "title": "mean headline score"}
    y["scale"] = {"zero": False, "nice": False, "padding": TOP}
    speed, quality = {**x, "field": "speed"}, {**y, "field": "quality"}
    color, shape = series_encoding(palette), series_encoding(palette, SHAPES)
    rounds = {"x": {**x, "field": "slowest"}, "x2": {"field": "fastest"}, "y": quality, "color": color}
    scores = {"y": {**y, "field": "low"}, "y2": {"field": "high"}, "x": speed, "color": color}
    size = {"field": "size", "type": "quantitative", "scale": {"range": [40, 160]}, "legend": None}
    shifted = {"xOffset": {"expr": "datum.shift"}}
    front = {"type": "line", "interpolate": "step-after", "strokeDash": [4, 3], "strokeWidth": 1.5}
    names = {
        "mark": {
            "type": "text",
            "limit": LIMIT,
            **{at: {"expr": f"datum.{at}"} for at in ("dx", "dy", "align")},
        },
        "encoding": {"x": speed, "y": quality, "text": {"field": "name"}},
    }
    return {
        "height": HEIGHT,
        "layer": [
            {
                "transform": [{"filter": "datum.front"}],
                "mark": {**front, "color": palette.muted},
                # From the least quality: what is as fast, or as small, has the quality of the step.
                "encoding": {"x": speed, "y": quality, "order": {"field": "quality"}},
            },
            {"mark": {"type": "rule", "strokeWidth": 1.5}, "encoding": rounds},
            {"mark": {"type": "rule", "strokeWidth": 1.5, **shifted}, "encoding": scores},
            {
                "mark": {"type": "point", "filled": True, "opacity": 1, **shifted},
                "encoding": {"x": speed, "y": quality, "color": color, "shape": shape, "size": size},
            },
            *haloed(names, palette),
        ],
    }


FIGURE = Figure("trade-off", spec, TradeOffRow, ("x",))

NAMED = 8
"""Maximum number of models that are all named in the figure; of more, those on the front."""


def draw(models: Sequence[Any], series: Mapping[str, int]) -> Drawing | None:
    """Return the models that were timed; None without any. series: model → number of its color."""
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
            series=series.get(one.model, order),
            name=label if one.on_front or len(timed) <= NAMED else "",
        )
        for order, (label, one) in enumerate(zip(labels, timed, strict=True))
    ]
    said = "; ".join(f"{row.label}: {row.quality:.3f} at {row.speed:,.0f} texts/s" for row in rows)
    return Drawing(
        figure=FIGURE,
        rows=_apart(rows),
        words={"x": "texts per second (log scale)"},
        title="Quality against speed",
        description=f"On the Pareto front: {named([row.label for row in rows if row.front], 8)}. {said}.",
    )


def _apart(rows: Sequence[TradeOffRow]) -> list[TradeOffRow]:
    """Return rows with places of their names, none over another."""
    speeds = [value for row in rows for value in (row.slowest, row.speed, row.fastest)]
    scores = [value for row in rows for value in (row.quality, row.low, row.high) if value is not None]
    x = _pixels(math.log(min(speeds)), math.log(max(speeds)), NARROW, SIDE)
    y = _pixels(max(scores), min(scores), HEIGHT, TOP)
    spots = [
        Spot(
            x(math.log(row.speed)),
            y(row.quality),
            x(math.log(row.slowest)),
            x(math.log(row.fastest)),
            y(row.quality if row.high is None else row.high),
            y(row.quality if row.low is None else row.low),
            row.name,
        )
        for row in rows
    ]
    shifts = beside(spots)
    moved = [replace(spot, x=spot.x + shift) for spot, shift in zip(spots, shifts, strict=True)]
    places = zip(rows, shifts, place(moved, NARROW, HEIGHT), strict=True)
    return [
        replace(row, shift=shift, dx=shift + at.dx, dy=at.dy, align=at.align) for row, shift, at in places
    ]


def _pixels(first: float, last: float, length: float, padding: float) -> Callable[[float], float]:
    """Return what takes a value to pixels: the first to `padding`, the last to as much before the end."""
    span = last - first
    return lambda value: padding + (length - 2 * padding) * ((value - first) / span if span else 0.5)
