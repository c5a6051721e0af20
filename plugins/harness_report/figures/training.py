"""Training figure: loss, or scores on the dev split, by step."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from harness_report.figures.drawing import Drawing, Figure, Spec
from harness_report.figures.palette import SHAPES
from harness_report.names import brief

if TYPE_CHECKING:
    from harness.authoring import TrainingReport
    from harness_report.figures.palette import Palette


@dataclass(frozen=True, slots=True)
class TrainingRow:
    """A value of one curve."""

    series: str
    """`loss`, or the name of a metric."""
    step: int
    value: float
    best: int | None
    """The step that was kept; None for the last."""


def spec(palette: Palette) -> Spec:
    """Return the figure: a line and a shape for each curve, and the step that was kept."""
    x: Spec = {"field": "step", "type": "quantitative", "title": "step"}
    y: Spec = {"field": "value", "type": "quantitative", "title": "«label»", "scale": {"zero": False}}
    named: Spec = {"field": "series", "title": "curve"}
    color = {**named, "scale": {"range": list(palette.series)}}
    shape = {**named, "scale": {"range": list(SHAPES)}}
    best = {"x": {"field": "best", "type": "quantitative", "aggregate": "min"}}
    return {
        "height": 165,
        "layer": [
            {"mark": {"type": "line", "strokeWidth": 1.5}, "encoding": {"x": x, "y": y, "color": color}},
            {
                "mark": {"type": "point", "filled": True, "size": 26, "opacity": 1},
                "encoding": {"x": x, "y": y, "color": color, "shape": shape},
            },
            {
                "transform": [{"filter": "isValid(datum.best)"}],
                "mark": {"type": "rule", "strokeDash": [4, 3], "color": palette.ink},
                "encoding": best,
            },
        ],
    }


FIGURE = Figure("training", spec, TrainingRow, ("label",))


def draw(training: TrainingReport) -> list[Drawing]:
    """Return the loss, and the scores, of a training that has them."""
    loss = [
        TrainingRow("loss", point.step, point.loss, training.best_step)
        for point in training.curve
        if point.loss is not None
    ]
    scores = [
        TrainingRow(name, point.step, value, training.best_step)
        for point in training.curve
        for name, value in sorted(point.metrics.items())
    ]
    return [
        Drawing(
            figure=FIGURE,
            rows=rows,
            words={"label": label},
            title=f"{brief(training.model)}: {label} by step",
            description=_described(rows, training),
        )
        for label, rows in (("loss", loss), ("score", scores))
        if rows
    ]


def _described(rows: list[TrainingRow], training: TrainingReport) -> str:
    parts = []
    for series in dict.fromkeys(row.series for row in rows):
        values = [row.value for row in rows if row.series == series]
        parts.append(f"{series}: from {values[0]:.4g} to {values[-1]:.4g}")
    kept = f" Step {training.best_step:,} was kept." if training.best_step is not None else ""
    return f"{'; '.join(parts)}, over {training.steps:,} steps.{kept}"
