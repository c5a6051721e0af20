"""Figures of distributions: similarity by class, margins of triplets, ranks, quality by length."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from harness.authoring import plural
from harness_report.figures.drawing import Drawing, Figure, Spec, haloed, series_encoding
from harness_report.names import brief, shown

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from harness.authoring import Distribution
    from harness_report.figures.palette import Palette


@dataclass(frozen=True, slots=True)
class BinRow:
    """A bin of similarities, of one class."""

    name: str
    """The class; empty where there is one."""
    start: float
    end: float
    share: float
    """Of the examples of the class, in [0, 1]."""
    count: int
    threshold: float | None


@dataclass(frozen=True, slots=True)
class MarginRow:
    """A bin of margins."""

    start: float
    end: float
    count: int
    side: str
    """`right` where the positive is more similar, else `wrong`."""


@dataclass(frozen=True, slots=True)
class RankRow:
    """A bin of ranks, by name."""

    order: int
    name: str
    """The range and its share, as a label: `2–5 · 28 %`."""
    count: int
    share: float
    series: int = 0
    """Number of the model's color."""


@dataclass(frozen=True, slots=True)
class LengthRow:
    """A bin of lengths."""

    start: float
    end: float
    middle: float
    quality: float
    low: float | None
    high: float | None
    """Ends of the 95 % interval of quality; None of a bin with fewer than two examples."""
    count: int
    series: int = 0
    """Number of the model's color."""


def similarity_spec(palette: Palette) -> Spec:
    """Return the figure: outlines of a histogram for each class, dashed by class, and the threshold."""
    x: Spec = {"field": "start", "type": "quantitative", "title": "«label»", "scale": {"zero": False}}
    y: Spec = {
        "field": "share",
        "type": "quantitative",
        "title": "share of the class",
        "axis": {"format": "%"},
    }
    dashes = [[1, 0], [5, 3], [2, 2], [8, 3, 2, 3]]
    named: Spec = {"field": "name", "title": "class"}
    # Other colors than those of the first two models: here they tell classes apart.
    color = {**named, "scale": {"range": [*palette.series[2:], *palette.series[:2]]}}
    dash = {**named, "scale": {"range": dashes}}
    area = {"type": "area", "interpolate": "step-after", "fillOpacity": 0.12}
    line = {"type": "line", "interpolate": "step-after", "strokeWidth": 2}
    at: Spec = {"x": {"field": "threshold", "type": "quantitative"}}
    given = [
        {"filter": "isValid(datum.threshold)"},
        {"aggregate": [{"op": "min", "field": "threshold", "as": "threshold"}]},
        {"calculate": "'threshold ' + format(datum.threshold, '.2f')", "as": "written"},
    ]
    right = "scale('x', datum.threshold) > width * 0.55"
    text = {
        "type": "text",
        "align": {"expr": f"{right} ? 'right' : 'left'"},
        "dx": {"expr": f"{right} ? -5 : 5"},
    }
    said = {
        "transform": given,
        "mark": text,
        "encoding": {**at, "y": {"value": 7}, "text": {"field": "written"}},
    }
    return {
        "height": 165,
        "layer": [
            {"mark": area, "encoding": {"x": x, "y": {**y, "stack": None}, "color": color}},
            {"mark": line, "encoding": {"x": x, "y": y, "color": color, "strokeDash": dash}},
            {
                "transform": given,
                "mark": {"type": "rule", "strokeWidth": 1.5, "color": palette.ink},
                "encoding": at,
            },
            *haloed(said, palette),
        ],
    }


def margin_spec(palette: Palette) -> Spec:
    """Return the figure: bars left of zero are wrong, bars right of it are right."""
    sides = {"domain": ["wrong", "right"], "range": [palette.worse, palette.better]}
    return {
        "height": 165,
        "layer": [
            {
                "mark": {"type": "rect", "stroke": palette.ground, "strokeWidth": 1},
                "encoding": {
                    "x": {"field": "start", "type": "quantitative", "title": "«label»"},
                    "x2": {"field": "end"},
                    "y": {"field": "count", "type": "quantitative", "title": "examples"},
                    "y2": {"datum": 0},
                    "color": {"field": "side", "scale": sides, "legend": {"title": None}},
                },
            },
            {"mark": {"type": "rule", "color": palette.ink}, "encoding": {"x": {"datum": 0}}},
        ],
    }


def rank_spec(palette: Palette) -> Spec:
    """Return the figure: a bar for each range of ranks, with its share beside it."""
    y: Spec = {"field": "name", "type": "nominal", "title": None, "sort": {"field": "order"}}
    y["axis"] = {"labelColor": palette.ink, "ticks": False, "domain": False}
    x: Spec = {"field": "count", "type": "quantitative", "title": "queries"}
    bar = {"type": "bar", "height": 14}
    return {
        "height": {"step": 24},
        "mark": bar,
        "encoding": {"x": x, "y": y, "color": series_encoding(palette)},
    }


def length_spec(palette: Palette) -> Spec:
    """Return the figure: a line at the mean quality of each bin of lengths, and its interval."""
    x: Spec = {"type": "quantitative", "title": "«label»", "scale": {"zero": False}}
    y: Spec = {"type": "quantitative", "title": "«quality»", "scale": {"zero": False}}
    color, middle, mean = series_encoding(palette), {**x, "field": "middle"}, {**y, "field": "quality"}
    ends = {"x": {**x, "field": "start"}, "x2": {"field": "end"}, "y": mean, "color": color}
    interval = {"x": middle, "y": {**y, "field": "low"}, "y2": {"field": "high"}, "color": color}
    point = {"type": "point", "filled": True, "opacity": 1, "size": 36}
    return {
        "height": 165,
        "layer": [
            {"mark": {"type": "rule", "strokeWidth": 2, "opacity": 0.6}, "encoding": ends},
            {"mark": {"type": "rule", "strokeWidth": 1.5}, "encoding": interval},
            {"mark": point, "encoding": {"x": middle, "y": mean, "color": color}},
        ],
    }


SIMILARITY = Figure(
    "similarity", similarity_spec, BinRow, ("label",), {"x": ("start", "end"), "y": ("share", "0")}
)
MARGIN = Figure("margin", margin_spec, MarginRow, ("label",), {"x": ("start", "end"), "y": ("count", "0")})
RANK = Figure("rank", rank_spec, RankRow, (), {"x": ("count", "0")})
LENGTH = Figure(
    "length",
    length_spec,
    LengthRow,
    ("label", "quality"),
    {"x": ("start", "end"), "y": ("quality", "low", "high")},
)

Z = 1.96
"""Standard errors on either side of a mean that make its 95 % interval."""

TITLES = {
    "similarity": "similarity by class",
    "margin": "margin of triplets",
    "rank": "rank of the first relevant document",
    "length": "quality by length of the texts",
}


LONGEST_TITLE = 46
"""Maximum number of characters of the title of an axis: more are cut."""


def draw(distribution: Distribution, task: str, series: int = 0) -> Drawing | None:
    """Return the figure of a distribution; None where it has no examples. series: number of its color."""
    total = sum(map(sum, distribution.counts.values()))
    if not total:
        return None
    figure, rows = _OF[distribution.kind]
    return Drawing(
        figure=figure,
        rows=rows(distribution, series),
        words={"label": distribution.label, "quality": axis_title(distribution.quality_of)},
        title=f"{brief(distribution.model)} on {task}: {TITLES[distribution.kind]}",
        description=f"{plural(total, 'example')}. {described(distribution)}",
    )


def axis_title(quality: str) -> str:
    """Return what quality is, as the title of an axis: its first words, where these are few."""
    short = quality.partition(":")[0]
    return short if 0 < len(short) <= LONGEST_TITLE else "quality"


def class_name(name: str) -> str:
    """Return the name of a class; a number alone says nothing: it is gold."""
    return f"gold {name}" if re.fullmatch(r"-?[\d.]+", name) else name


def described(distribution: Distribution) -> str:
    """Return in a sentence what a distribution says: where most of each class is."""
    parts = []
    for name, counts in distribution.counts.items():
        if not sum(counts):
            continue
        most = max(range(len(counts)), key=lambda index: counts[index])
        share = f"{100 * counts[most] / sum(counts):.0f} %"
        where = distribution.bins[most] if distribution.bins else f"{distribution.edges[most]:.3g} to"
        if not distribution.bins:
            where += f" {distribution.edges[most + 1]:.3g}"
        parts.append(f"{f'{name}: ' if name else ''}the fullest bin is {where}, with {share}")
    if distribution.threshold is not None:
        parts.append(f"the threshold of the dev split is {distribution.threshold:.3f}")
    return f"{'; '.join(parts)}.".capitalize()


def _similarity_rows(distribution: Distribution, _series: int) -> list[BinRow]:
    rows = []
    names = shown([class_name(name) for name in distribution.counts], 22)
    for name, counts in zip(names, distribution.counts.values(), strict=True):
        total = sum(counts) or 1
        bins = zip(distribution.edges, distribution.edges[1:], counts, strict=False)
        rows += [
            BinRow(name, start, end, count / total, count, distribution.threshold)
            for start, end, count in bins
        ]
        # The last step is as wide as the others.
        rows.append(
            BinRow(name, distribution.edges[-1], distribution.edges[-1], 0.0, 0, distribution.threshold)
        )
    return rows


def _margin_rows(distribution: Distribution, _series: int) -> list[MarginRow]:
    counts = [sum(column) for column in zip(*distribution.counts.values(), strict=True)]
    return [
        MarginRow(start, end, count, "right" if (start + end) / 2 > 0 else "wrong")
        for start, end, count in zip(distribution.edges, distribution.edges[1:], counts, strict=False)
    ]


def _rank_rows(distribution: Distribution, series: int) -> list[RankRow]:
    counts = [sum(column) for column in zip(*distribution.counts.values(), strict=True)]
    names = distribution.bins or tuple(
        f"{start:g}–{end:g}" for start, end in zip(distribution.edges, distribution.edges[1:], strict=False)
    )
    total = sum(counts) or 1
    return [
        RankRow(order, f"{name} · {100 * count / total:.0f} %", count, count / total, series)
        for order, (name, count) in enumerate(zip(names, counts, strict=False))
    ]


def _length_rows(distribution: Distribution, series: int) -> list[LengthRow]:
    counts = [sum(column) for column in zip(*distribution.counts.values(), strict=True)]
    edges, means = distribution.edges, distribution.quality
    errors = distribution.quality_error or (None,) * len(means)
    return [
        LengthRow(
            start,
            end,
            (start + end) / 2,
            mean,
            None if error is None else mean - Z * error,
            None if error is None else mean + Z * error,
            count,
            series,
        )
        for start, end, count, mean, error in zip(edges, edges[1:], counts, means, errors, strict=False)
        if mean is not None
    ]


_OF: dict[str, tuple[Figure, Callable[[Distribution, int], Sequence[Any]]]] = {
    "similarity": (SIMILARITY, _similarity_rows),
    "margin": (MARGIN, _margin_rows),
    "rank": (RANK, _rank_rows),
    "length": (LENGTH, _length_rows),
}
"""Kind of distribution → its figure, and what makes the rows of it."""
