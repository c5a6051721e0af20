"""Figures as Vega-Lite, compiled for the page and drawn as SVG by vl-convert, which needs no network."""

from __future__ import annotations

import json
import re
from dataclasses import asdict, dataclass, field, replace
from functools import cache
from typing import TYPE_CHECKING, Any
from xml.sax.saxutils import escape

from harness.authoring import CONTROL, number
from harness_report.figures.palette import PAGE

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from harness_report.figures.palette import Palette

FONT = "Liberation Sans, Arial, Helvetica, sans-serif"
"""vl-convert has the first, so that it measures text alike on every machine; the others are as wide."""

WIDTH = 340
"""Pixels of a figure with its labels: a phone's, and a column's of a paper."""

GAP = 16
"""Pixels between figures that are stacked."""

VEGA_LITE = "v6.1"
"""Version of Vega-Lite that the specifications are written in."""

_IDLE = re.compile(r' (?:opacity="1"|(?:role|aria-roledescription|aria-hidden|pointer-events|class)="[^"]*")')
"""Attributes that say nothing in a picture with a title of its own: an opacity of 1, roles of groups."""

SIGNED = "datum.value === 0 ? '0' : format(datum.value, '+.2~f')"
"""Labels of an axis of gains."""

Spec = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Figure:
    """A kind of figure: what draws it, of which rows."""

    name: str
    spec: Callable[[Palette], Spec]
    """Vega-Lite over a data source named `rows`, without its data."""
    row: type
    """Dataclass of a row: its fields are those of the data."""
    words: tuple[str, ...] = ()
    """Names of texts that the figure is given: titles of its axes. Signals of the compiled figure."""
    spans: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Scale → fields that it spans, for figures that are shown beside each other."""

    def __hash__(self) -> int:
        return hash(self.name)


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawing:
    """A figure with its data, before it is drawn."""

    figure: Figure
    rows: Sequence[Any]
    """Instances of `figure.row`."""
    words: Mapping[str, str]
    title: str
    """What the figure shows, in a few words."""
    description: str
    """What it says, in sentences, for readers who do not see it."""
    caption: str = ""
    """What is written below it; the title where it is empty."""
    domains: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    """Scale → ends, where it does not follow from the rows alone."""


def _spanning(scale: Spec, domains: Mapping[str, tuple[float, float]]) -> Spec:
    return {**scale, "domain": [*domains[scale["name"]]]} if scale["name"] in domains else scale


def alike(drawings: Sequence[Drawing]) -> list[Drawing]:
    """Return figures of one kind with the same scales, so that they can be compared by eye."""
    spans = drawings[0].figure.spans if drawings else {}
    domains = {}
    for scale, fields in spans.items():
        values = [
            value
            for drawing in drawings
            for row in drawing.rows
            for name in fields
            if (value := 0.0 if name == "0" else getattr(row, name)) is not None
        ]
        if values and max(values) > min(values):
            domains[scale] = (min(values), max(values))
    return [replace(drawing, domains=domains) for drawing in drawings]


def stacked(drawn: Sequence[str]) -> str:
    """Return figures, as `svg` returns them, one below the other in one picture."""
    parts, top = [], 0.0
    for text in drawn:
        height = float(re.search(r'viewBox="\S+ \S+ \S+ ([\d.]+)"', text)[1])  # type: ignore[index] # `_labelled` wrote it
        placed = text.replace("<svg ", f'<svg y="{top:g}" height="{height:g}" ', 1)
        parts.append(placed)
        top += height + GAP
    height = top - GAP
    head = f'<svg xmlns="http://www.w3.org/2000/svg" class="figure" role="group" width="{WIDTH}"'
    return f'{head} viewBox="0 0 {WIDTH} {height:g}">{"".join(parts)}</svg>'


@cache
def compiled(figure: Figure, palette: Palette = PAGE) -> Spec:
    """Return a figure as Vega: an empty data set named `rows`, and a signal for each of its words."""
    import vl_convert

    spec = {**_placed(figure.spec(palette), palette), "data": {"name": "rows", "values": []}}
    vega = vl_convert.vegalite_to_vega(spec, vl_version=VEGA_LITE)
    vega = _with_signals(vega, set(figure.words))
    signals = [*vega.get("signals", []), *({"name": word, "value": ""} for word in figure.words)]
    legends = _merged(vega.get("legends", []))
    spans = {"usermeta": {"spans": {scale: list(fields) for scale, fields in figure.spans.items()}}}
    return {**vega, "signals": signals, **({"legends": legends} if legends else {}), **spans}


def compiled_text(figure: Figure) -> str:
    """Return a figure of the page as compact JSON of Vega."""
    return json.dumps(compiled(figure), ensure_ascii=False, separators=(",", ":"), sort_keys=True)


def svg(drawing: Drawing, palette: Palette, ident: str) -> str:
    """Return a figure as SVG that says its title and description; ident: unique in the page."""
    import vl_convert

    vega = compiled(drawing.figure, palette)
    words = {word: CONTROL.sub(" ", drawing.words[word]) for word in drawing.figure.words}
    rows = {"name": "rows", "values": _printable([asdict(row) for row in drawing.rows])}
    filled = {
        **vega,
        "data": [rows if one["name"] == "rows" else one for one in vega["data"]],
        "scales": [_spanning(one, drawing.domains) for one in vega["scales"]],
        "signals": [
            {**one, "value": words[one["name"]]} if one["name"] in words else one for one in vega["signals"]
        ],
    }
    return _labelled(vl_convert.vega_to_svg(filled, allowed_base_urls=[]), drawing, ident)


def _merged(legends: list[Spec]) -> list[Spec]:
    """Return one legend for each title: Vega-Lite keeps those of color and of shape apart in layers."""
    merged: dict[str, Spec] = {}
    for legend in legends:
        rest = {name: value for name, value in legend.items() if name != "encode"}
        known = merged.setdefault(str(legend.get("title")), {})
        merged[str(legend.get("title"))] = {**known, **rest}
    return list(merged.values())


def _placed(spec: Spec, palette: Palette) -> Spec:
    """Return a specification with what all figures have in common."""
    return {
        "$schema": "https://vega.github.io/schema/vega-lite/v6.json",
        "width": WIDTH,
        "autosize": {"type": "fit-x", "contains": "padding"},
        "padding": 4,
        "background": palette.background,
        **spec,
        "config": config(palette),
    }


def config(palette: Palette) -> Spec:
    """Return the look of all figures."""
    return {
        "font": FONT,
        "aria": False,  # one title and one description for each figure: `_labelled`
        "view": {"stroke": None},
        "mark": {"invalid": "filter"},  # for all marks of a figure alike, so that their legends are one
        "axis": {
            "labelColor": palette.muted,
            "titleColor": palette.muted,
            "labelFontSize": 11,
            "titleFontSize": 11,
            "titleFontWeight": "normal",
            "gridColor": palette.line,
            "domainColor": palette.line,
            "tickColor": palette.line,
            "tickSize": 4,
            "labelPadding": 4,
            "titlePadding": 6,
            "tickCount": 5,
            "labelLimit": 160,
        },
        # Above the axis, where it is read without a turned head.
        "axisY": {
            "titleAngle": 0,
            "titleAlign": "left",
            "titleAnchor": "end",
            "titleX": 0,
            "titleY": -12,
            "titleLimit": 290,
        },
        "legend": {
            "labelColor": palette.ink,
            "titleColor": palette.muted,
            "titleFontWeight": "normal",
            "labelFontSize": 11,
            "titleFontSize": 11,
            "orient": "top",
            "offset": 30,  # above the title of the axis
            "direction": "horizontal",
            "labelLimit": 150,
            "columns": 2,
        },
        "text": {"fontSize": 11, "fill": palette.ink},
    }


def _with_signals(spec: Any, words: set[str]) -> Any:  # noqa: ANN401 - JSON
    """Return a figure whose placeholders `«word»` are signals."""
    if isinstance(spec, dict):
        return {key: _with_signals(value, words) for key, value in spec.items()}
    if isinstance(spec, list):
        return [_with_signals(value, words) for value in spec]
    if isinstance(spec, str) and spec[:1] == "«" and spec[1:-1] in words:
        return {"signal": spec[1:-1]}
    return spec


def _printable(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [
        {name: CONTROL.sub(" ", value) if isinstance(value, str) else value for name, value in row.items()}
        for row in rows
    ]


def _labelled(drawn: str, drawing: Drawing, ident: str) -> str:
    """Return SVG with a role, a title and a description; as wide as its place, no wider than drawn."""
    head, _, body = drawn.partition(">")
    box = re.search(r'viewBox="([^"]*)"', head)
    width = re.search(r'width="([\d.]+)"', head)
    size = f' width="{width[1]}"' if width else ""
    names = [(part, escape(CONTROL.sub(" ", text))) for part, text in _texts(drawing)]
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="figure" role="img"{size}'
        f' viewBox="{box[1] if box else "0 0 340 200"}" aria-labelledby="{ident}-title {ident}-desc">'
        + "".join(f'<{part} id="{ident}-{part}">{text}</{part}>' for part, text in names)
        + re.sub(r"<[^>]*>", lambda tag: _IDLE.sub("", tag[0]), body)
    )


def _texts(drawing: Drawing) -> tuple[tuple[str, str], ...]:
    return ("title", drawing.title), ("desc", drawing.description)


def interval_words(low: float | None, high: float | None, form: str) -> str:
    """Return an interval after a value, in words: `, interval 0.61 to 0.75`; empty without one."""
    return "" if low is None else f", interval {number(low, form)} to {number(high, form)}"


def series_encoding(palette: Palette, values: Sequence[str] = ()) -> Spec:
    """Return the encoding of a model's color, or of its shape by `values`, from the field `series`."""
    range_ = list(values or palette.series)
    scale = {"domain": list(range(len(range_))), "range": range_}
    return {"field": "series", "type": "nominal", "scale": scale, "legend": None}


def haloed(layer: Spec, palette: Palette) -> list[Spec]:
    """Return layers of texts that are read over lines: each is outlined by the ground first."""
    under = {**layer["mark"], "stroke": palette.ground, "strokeWidth": 4, "strokeJoin": "round"}
    return [{**layer, "mark": {**under, "color": palette.ground}}, layer]


def label_mark(x: str, y: str) -> Spec:
    """Return the mark of a name beside its point, on the side where there is room; x, y: fields."""
    left = f"scale('x', datum['{x}']) > width * 0.55"
    top = f"scale('y', datum['{y}']) < 16"
    return {
        "type": "text",
        "align": {"expr": f"{left} ? 'right' : 'left'"},
        "dx": {"expr": f"{left} ? -9 : 9"},
        "dy": {"expr": f"{top} ? 13 : -9"},
        "limit": 150,
    }
