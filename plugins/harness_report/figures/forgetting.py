"""Forgetting figure: the mean gain inside the domain against the mean gain outside it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from harness_report.figures.drawing import SIGNED, Drawing, Figure, Spec, label_mark
from harness_report.figures.palette import SHAPES
from harness_report.names import shown

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harness_report.figures.palette import Palette


@dataclass(frozen=True, slots=True)
class ForgettingRow:
    """A candidate."""

    order: int
    label: str
    inside: float
    inside_low: float
    inside_high: float
    outside: float
    outside_low: float
    outside_high: float


def spec(palette: Palette) -> Spec:
    """Return the figure: a cross of two intervals for each candidate, over lines where nothing changed."""
    gains: Spec = {"type": "quantitative", "axis": {"labelExpr": SIGNED, "grid": False}}
    x = {**gains, "title": "mean gain in the domain"}
    y = {**gains, "title": "mean gain outside it"}
    labels: Spec = {"field": "label", "sort": {"field": "order"}}
    color = {**labels, "scale": {"range": list(palette.series)}, "legend": None}
    shape = {**labels, "scale": {"range": list(SHAPES)}, "legend": None}
    inside, outside = {**x, "field": "inside"}, {**y, "field": "outside"}
    return {
        "height": 250,
        "layer": [
            {"mark": {"type": "rule", "color": palette.muted}, "encoding": {"x": {"datum": 0}}},
            {"mark": {"type": "rule", "color": palette.muted}, "encoding": {"y": {"datum": 0}}},
            {
                "mark": {"type": "rule", "strokeWidth": 1.5},
                "encoding": {
                    "x": {**x, "field": "inside_low"},
                    "x2": {"field": "inside_high"},
                    "y": outside,
                    "color": color,
                },
            },
            {
                "mark": {"type": "rule", "strokeWidth": 1.5},
                "encoding": {
                    "y": {**y, "field": "outside_low"},
                    "y2": {"field": "outside_high"},
                    "x": inside,
                    "color": color,
                },
            },
            {
                "mark": {"type": "point", "filled": True, "size": 70, "opacity": 1},
                "encoding": {"x": inside, "y": outside, "color": color, "shape": shape},
            },
            {
                "mark": label_mark("inside", "outside"),
                "encoding": {"x": inside, "y": outside, "text": {"field": "label"}},
            },
        ],
    }


FIGURE = Figure("forgetting", spec, ForgettingRow)


def draw(comparisons: Sequence[Any]) -> Drawing | None:
    """Return the candidates that have gains inside and outside a domain; None without any."""
    with_both = [
        (one.candidate.name, one.forgetting.inside, one.forgetting.outside)
        for one in comparisons
        if one.forgetting is not None and one.forgetting.inside and one.forgetting.outside
    ]
    if not with_both:
        return None
    labels = shown([name for name, _, _ in with_both], 22)
    rows = [
        ForgettingRow(
            order=order,
            label=label,
            inside=inside.gain,
            inside_low=inside.low,
            inside_high=inside.high,
            outside=outside.gain,
            outside_low=outside.low,
            outside_high=outside.high,
        )
        for order, (label, (_, inside, outside)) in enumerate(zip(labels, with_both, strict=True))
    ]
    said = "; ".join(f"{row.label}: {row.inside:+.3f} inside, {row.outside:+.3f} outside" for row in rows)
    return Drawing(
        figure=FIGURE,
        rows=rows,
        words={},
        title="Mean gain in the domain and outside it",
        description=f"A point below the horizontal line forgot something outside the domain. {said}.",
    )
