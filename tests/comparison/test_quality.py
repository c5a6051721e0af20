"""How good each answer is, and what compare --why makes of it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from benchmarks.report.answers import METRICS, answers_of, rows_of
from comparison.made import table
from harness.comparison.flips import find_changes
from harness.comparison.quality import movement, quality_of, what_moves
from harness.metrics.interface import Metric
from harness.metrics.standard import MACRO_F1
from harness.results.records import plain_values


def answered(form, model, skill, rows=40):
    """A model's columns, as they are read from a file."""
    predictions = answers_of(form, rows_of(form, rows, np.random.default_rng(0), ()), 0, model, skill)
    columns = {}
    for name, values in predictions.columns.items():
        plain = plain_values(values)
        lists = isinstance(plain[0], list)
        column = np.empty(len(plain), dtype=object)
        column[:] = [np.asarray(cell) for cell in plain] if lists else plain
        columns[name] = column if lists or isinstance(plain[0], str) else np.asarray(plain)
    return columns


NEAR = Metric("within_one", lambda gold, predicted: float(np.mean(abs(gold - predicted) <= 1)))
"""A metric of a plugin, of numbers against gold."""


@pytest.mark.parametrize(
    ("form", "metric", "what"),
    [
        pytest.param("sts", METRICS["sts"][0], "pairs", id="sts"),
        pytest.param("triplet", METRICS["triplet"][0], "answers", id="triplets"),
        pytest.param("clauses", METRICS["clauses"][0], "pairs", id="clauses"),
        pytest.param("clauses", METRICS["clauses"][2], "answers", id="clauses by threshold"),
        pytest.param("three-way", METRICS["three-way"][0], "answers", id="three classes"),
        pytest.param("three-way", METRICS["three-way"][1], "answers", id="three classes by macro-F1"),
        pytest.param("retrieval", METRICS["retrieval"][1], "queries", id="retrieval"),
        pytest.param("evidence", METRICS["evidence"][0], "queries", id="evidence"),
        pytest.param("sts", NEAR, "pairs", id="a plugin's metric"),
    ],
)
def test_the_difference_of_two_qualities_is_what_compare_finds_to_have_moved(form, metric, what):
    tables = answered(form, 0, 0.3), answered(form, 1, 0.8)
    before, after = (quality_of(metric, each) for each in tables)
    moved = movement(before, after)
    found = find_changes("t", metric, *tables)
    assert (found.what, what_moves(before, after)) == (what, what)
    assert (found.gained, found.lost) == (int((moved > 0).sum()), int((moved < 0).sum()))
    assert found.gained > 0 < found.lost
    order = sorted(range(40), key=lambda row: (-abs(moved[row]), tables[0]["id"][row]))
    for direction, sign in ((found.most_gained, 1), (found.most_lost, -1)):
        rows = [row for row in order if moved[row] * sign > 0][: len(direction)]
        assert [one.id for one in direction] == [tables[0]["id"][row] for row in rows]
        assert [one.candidate for one in direction] == [after.shown[row] for row in rows]


def test_numbers_that_are_classes_are_right_or_wrong_and_have_no_ranks():
    metric = replace(MACRO_F1, name="f1")
    quality = quality_of(metric, table(4, gold=[0, 1, 2, 2], predicted=[0, 2, 2, 1]))
    assert (quality.what, quality.values.tolist()) == ("answers", [1.0, 0.0, 1.0, 0.0])


def test_a_metric_of_lists_says_nothing_of_single_examples():
    quality = quality_of(Metric("p@r80", max, columns=("scores", "relevant")), answered("evidence", 0, 0.5))
    assert not quality.known


def test_an_example_that_does_not_count_has_no_quality_and_does_not_move():
    metric = Metric("mean", np.mean, columns=("value",), where="asked", per_example=True)
    left = quality_of(metric, table(2, value=[0.0, 0.0], asked=[True, False]))
    right = quality_of(metric, table(2, value=[1.0, 1.0], asked=[True, True]))
    assert np.isnan(left.values[1])
    assert movement(left, right).tolist() == [1.0, 0.0]
