"""The study of error rates: its page, and a few of its cells."""

from __future__ import annotations

from dataclasses import replace

import pytest

from benchmarks.type_one import pages
from benchmarks.type_one.cells import Bounds, failures, measure_cell
from benchmarks.type_one.families import FAMILIES

BY_NAME = {family.name: family for family in FAMILIES}


def test_no_two_families_have_one_name():
    assert len(BY_NAME) == len(FAMILIES)


@pytest.mark.parametrize("page", pages.PAGES, ids=lambda page: page.name)
def test_the_page_shows_what_was_measured(page):
    text = page.read_text(encoding="utf-8")
    assert pages.written(text) == text, "run: python -m benchmarks.type_one.pages"


def test_every_measured_cell_is_of_a_family_that_there_is():
    assert {cell.family for cell in pages._cells()} <= BY_NAME.keys()


@pytest.mark.parametrize(
    ("name", "examples"),
    [
        ("accuracy, 10.0% differ, a loss", 100),
        ("accuracy, Zipf clusters", 100),
        ("nDCG, many zeros, a loss", 100),
        ("spearman, ratings in steps, a loss", 50),
        ("pearson, clusters of four", 150),
        ("ROC-AUC, 0.99 to 0.97, 5% positives", 500),
        ("average precision, a loss, 5 % positives", 200),
        ("macro-F1, three classes, equal", 100),
    ],
)
def test_a_cell_meets_its_bounds(name, examples):
    family = BY_NAME[name]
    bounds = family.bounds(examples) if callable(family.bounds) else family.bounds
    cell = measure_cell(family, examples, 200, seed=1)
    assert failures(cell, bounds, errors=3.0) == []
    assert cell.no_width == 0


def test_a_cell_outside_its_bounds_is_named():
    family = BY_NAME["accuracy, 10.0% differ"]
    cell = measure_cell(family, 100, 50, seed=1)
    wrong = replace(cell, coverage=0.7, type_one=0.3)
    assert [phrase.split()[0] for phrase in failures(wrong, Bounds())] == ["type", "coverage"]
