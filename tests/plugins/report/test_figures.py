"""Figures: Vega-Lite that compiles, drawn without a network, told apart without color."""

from __future__ import annotations

import dataclasses
import itertools
import re
import xml.etree.ElementTree as ET
from dataclasses import replace

import pytest

from tests.plugins.report.boards import HOSTILE
from tests.plugins.report.contents import content

pytest.importorskip("vl_convert")

from harness_report.figures import FIGURES, forest, histograms, labels, trade_off
from harness_report.figures.drawing import compiled, svg
from harness_report.figures.palette import PAGE, PAPER, SHAPES
from harness_report.figures.papers import figures
from harness_report.names import series_of
from harness_report.page.templates import static


@pytest.fixture(scope="module")
def papers() -> dict[str, str]:
    return figures(content(hostile=HOSTILE))


@pytest.mark.parametrize("figure", FIGURES, ids=lambda figure: figure.name)
def test_a_figure_compiles_and_reads_only_fields_of_its_rows(figure):
    made = compiled(figure)
    assert made["$schema"].startswith("https://vega.github.io/schema/vega/")
    made_fields = {name for one in made["data"] for step in one.get("transform", ()) for name in _as(step)}
    known = {field.name for field in dataclasses.fields(figure.row)} | made_fields
    used = set(re.findall(r"datum\[['\"](\w+)['\"]\]", str(made)))
    assert used <= known
    assert {signal["name"] for signal in made["signals"]} >= set(figure.words)
    assert "«" not in str(made)


def _as(step):
    found = step.get("as", ())
    return [found] if isinstance(found, str) else found


def test_every_kind_of_figure_is_drawn_for_papers(papers):
    kinds = {"intervals", "forest", "forgetting", "trade-off", "agreement", "similarity", "margin", "rank"}
    for kind in kinds | {"length", "training"}:
        assert any(name.startswith(kind) for name in papers), kind
    assert all(re.fullmatch(r"[A-Za-z0-9._-]{1,90}", name) for name in papers)


def test_a_figure_for_papers_is_xml_with_concrete_colors(papers):
    for name, text in papers.items():
        root = ET.fromstring(text)
        assert root.get("role") == ("group" if name == "intervals" else "img"), name
        assert "var(" not in text
        assert "style=" not in text
        assert "NaN" not in text
        tags = {element.tag.rpartition("}")[2] for element in root.iter()}
        assert tags <= {"svg", "title", "desc", "g", "path", "line", "rect", "text", "defs", "clipPath"}, name


def test_a_figure_of_the_page_names_the_colors_of_the_theme():
    drawing = forest.draw(content().compared[0].comparisons[0])
    assert 'fill="var(--ink)"' in svg(drawing, PAGE, "a")
    style = static("report.css")
    for color in (*vars_of(PAGE.series), PAGE.ink, PAGE.better, PAGE.worse, PAGE.line):
        assert f"{color.removeprefix('var(').removesuffix(')')}: light-dark(" in style


def vars_of(series):
    return [one for one in series if one.startswith("var(")]


def test_a_figure_says_in_words_what_it_shows():
    drawing = forest.draw(content().compared[0].comparisons[0])
    assert "penal-triplets · accuracy: better, gain +0.105" in drawing.description
    assert "<desc" in svg(drawing, PAPER, "a")


def test_the_same_figure_has_the_same_bytes():
    drawing = histograms.draw(content().distributions[0], "contract-nli")
    assert svg(drawing, PAGE, "a") == svg(drawing, PAGE, "a")


def test_names_of_marks_at_one_place_are_put_apart():
    spots = [labels.Spot(60, 100, 50, 70, 60, 140, name) for name in ("base", "tuned", "third")]
    moved = [replace(spot, x=spot.x + by) for spot, by in zip(spots, labels.beside(spots), strict=True)]
    assert len({spot.x for spot in moved}) == 3
    boxes = [labels.box(*pair) for pair in zip(moved, labels.place(moved, 270, 260), strict=True)]
    assert not any(labels.meet(one, other) for one, other in itertools.combinations(boxes, 2))
    assert all(box[0] >= 0 for box in boxes)


def test_the_pareto_front_is_a_line_of_steps():
    assert "step-after" in str(compiled(trade_off.FIGURE))


def test_a_model_has_one_color_in_all_figures():
    drawn = trade_off.draw(content().trade_off, series_of(content().models))
    names = [model.name for model in content().models]
    assert [row.series for row in drawn.rows] == [names.index(row.label) for row in drawn.rows]
    rank = histograms.draw(_of_kind("rank"), "aila", 3)
    assert PAPER.series[3] in svg(rank, PAPER, "a")
    assert PAPER.series[0] not in svg(rank, PAPER, "a")


def test_the_threshold_has_a_label():
    drawing = histograms.draw(replace(_of_kind("similarity"), threshold=0.534), "contract-nli")
    assert "threshold 0.53" in svg(drawing, PAPER, "a")


def test_a_class_that_is_a_number_is_said_to_be_gold():
    numbers = replace(_of_kind("similarity"), counts={"0": (1, 2), "1": (2, 1)}, edges=(0.0, 0.5, 1.0))
    assert "gold 1" in svg(histograms.draw(numbers, "contract-nli"), PAPER, "a")


def test_quality_by_length_has_intervals_of_its_standard_errors():
    one = replace(
        _of_kind("length"),
        edges=(0.0, 10.0, 20.0),
        counts={"": (4, 1)},
        quality=(0.5, 0.25),
        quality_error=(0.1, None),
    )
    first, second = histograms.draw(one, "stsb").rows
    assert (first.low, first.high) == pytest.approx((0.5 - 0.196, 0.5 + 0.196))
    assert (second.low, second.high) == (None, None)


def test_the_title_of_an_axis_is_not_cut():
    long = "nearness to gold's rank among all examples: 0 at the same rank, −1 at the other end"
    drawing = histograms.draw(replace(_of_kind("length"), quality_of=long), "stsb")
    assert "…" not in svg(drawing, PAPER, "a")
    assert histograms.axis_title("x" * 60) == "quality"


def _of_kind(kind):
    return next(one for one in content().distributions if one.kind == kind)


def test_series_differ_by_shape_too():
    assert len(SHAPES) == len(set(SHAPES)) == len(PAGE.series)


def _channel(value: int) -> float:
    share = value / 255
    return share / 12.92 if share <= 0.04045 else ((share + 0.055) / 1.055) ** 2.4


def _luminance(color: str) -> float:
    red, green, blue = (_channel(int(color[at : at + 2], 16)) for at in (1, 3, 5))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    """Contrast of two colors by WCAG 2.2, in [1, 21]."""
    darker, lighter = sorted((_luminance(one), _luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


@pytest.mark.parametrize("theme", [0, 1], ids=["light", "dark"])
def test_texts_and_marks_have_enough_contrast_in_both_themes(theme):
    found = re.findall(r"--([\w-]+): light-dark\((#\w{6}), (#\w{6})\)", static("report.css"))
    colors = {name: pair[theme] for name, *pair in found}
    texts = ("ink", "muted", "accent", "better", "worse", "neutral", "doubt")
    for ground in ("ground", "raised"):
        assert [name for name in texts if contrast(colors[name], colors[ground]) < 4.5] == []
        assert [n for n in range(1, 9) if contrast(colors[f"series-{n}"], colors[ground]) < 3] == []
    for name in ("better", "worse", "doubt", "neutral"):
        assert contrast(colors[name], colors[f"{name}-ground"]) >= 4.5


def test_colors_for_papers_have_enough_contrast_on_white():
    assert all(contrast(color, "#ffffff") >= 3 for color in PAPER.series)
