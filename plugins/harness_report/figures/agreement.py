"""Agreement figure: what a model says against gold."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from harness.authoring import plural
from harness_report.figures.drawing import Drawing, Figure, Spec, series_encoding
from harness_report.names import brief

if TYPE_CHECKING:
    from harness_report.figures.palette import Palette


@dataclass(frozen=True, slots=True)
class AgreementRow:
    """An example."""

    id: str
    gold: float
    predicted: float
    series: int = 0
    """Number of the model's color."""


def spec(palette: Palette) -> Spec:
    """Return the figure: a light dot for each example."""
    x: Spec = {"field": "gold", "type": "quantitative", "title": "gold", "scale": {"zero": False}}
    y: Spec = {"field": "predicted", "type": "quantitative", "title": "«label»", "scale": {"zero": False}}
    mark = {"type": "point", "filled": True, "size": 22, "opacity": 0.55}
    return {"height": 200, "mark": mark, "encoding": {"x": x, "y": y, "color": series_encoding(palette)}}


FIGURE = Figure("agreement", spec, AgreementRow, ("label",), {"x": ("gold",), "y": ("predicted",)})

MOST = 400
"""Maximum number of dots of a static figure."""


def draw(examples: Any, answers: Any, task: str, series: int = 0) -> Drawing | None:  # noqa: ANN401 - of the content
    """Return the scatter of numbers against numbers, evenly thinned; None where answers are no numbers."""
    pairs = [
        AgreementRow(ident, float(gold), float(answer), series)
        for ident, gold, answer in zip(examples.ids, examples.gold, answers.answers, strict=False)
        if isinstance(gold, float | int) and isinstance(answer, float | int)
    ]
    if len({row.gold for row in pairs}) < 3:  # two classes: their similarities are a distribution
        return None
    rows = pairs[:: -(-len(pairs) // MOST)]
    return Drawing(
        figure=FIGURE,
        rows=rows,
        words={"label": "similarity"},
        title=f"{brief(answers.model)} on {task}: similarity against gold",
        description=f"{plural(len(rows), 'example')} of {len(examples.ids) + examples.left_out:,}: the higher"
        " gold is, the higher the similarity should be.",
    )
