"""Average precision: intervals near 1 and with few positives."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import average_precision_score

from benchmarks.type_one.cells import failures, measure_cell
from benchmarks.type_one.families.area import FAMILIES
from harness.metrics.standard import AVERAGE_PRECISION
from harness.stats.answer_pair import AnswerPair, Answers
from harness.stats.average_precision import fewest_for_margin
from harness.stats.gain import gain_of
from harness.stats.intervals import score_curve

OURS = [family for family in FAMILIES if family.metric is AVERAGE_PRECISION]


def perfect(positives, negatives):
    gold = np.r_[np.ones(positives, dtype=int), np.zeros(negatives, dtype=int)]
    generator = np.random.default_rng(0)
    sides = [[gold, gold * 2 + generator.random(len(gold))] for _ in range(2)]
    return AnswerPair.of(AVERAGE_PRECISION, (sides[0], None), (sides[1], None), np.arange(len(gold)))


def test_a_gain_is_that_of_scikit_learn_with_ties():
    generator = np.random.default_rng(1)
    gold = (generator.random(80) < 0.2).astype(int)
    left, right = (np.round(gold + generator.normal(size=80), 0) for _ in range(2))
    found = gain_of(
        AnswerPair.of(AVERAGE_PRECISION, ([gold, left], None), ([gold, right], None), np.arange(80))
    )
    expected = average_precision_score(gold, right) - average_precision_score(gold, left)
    assert found.value == pytest.approx(expected, abs=1e-12)
    assert found.low < expected < found.high


def test_perfect_models_have_intervals_with_width():
    found = gain_of(perfect(5, 95))
    assert found.low < -0.3
    assert found.p == 1
    low, high = score_curve(perfect(5, 95).candidate).interval()
    assert (high, low < 0.7) == (1, True)


@pytest.mark.parametrize("margin", [0.02, 0.05])
def test_what_a_margin_needs_is_what_two_perfect_models_pass_it_with(margin):
    have, what, needed = fewest_for_margin(perfect(11, 500), margin)
    assert (have, what) == (11, "positives")
    assert gain_of(perfect(needed, 500)).low > -margin
    assert gain_of(perfect(needed - 1, 500)).low <= -margin


def test_a_negative_on_top_widens_the_interval_more_than_a_lost_positive():
    """Both were perfect but for one example; one more on top would cost five times as much."""
    gold = np.r_[np.ones(100, dtype=int), np.zeros(300, dtype=int)]
    lost = np.r_[np.arange(500, 401, -1.0), -1.0, np.arange(300, 0, -1.0)]
    topped = np.r_[np.arange(500, 400, -1.0), 600.0, np.arange(299, 0, -1.0)]
    widths = [
        np.diff(score_curve(Answers.of(AVERAGE_PRECISION, [gold, side], np.arange(400))).interval())[0]
        for side in (lost, topped)
    ]
    assert widths[1] > 1.5 * widths[0]


def test_one_positive_has_no_interval():
    gold = np.r_[1, np.zeros(30, dtype=int)]
    assert score_curve(Answers.of(AVERAGE_PRECISION, [gold, gold], np.arange(31))) is None


@pytest.mark.parametrize(
    ("name", "examples"),
    [
        ("average precision, equal, 5 % positives", 100),
        ("average precision, equal and near 1, 5 % positives", 200),
        ("average precision, equal, 30 % positives", 150),
    ],
)
def test_tests_and_intervals_hold_in_a_few_cells(name, examples):
    family = next(family for family in OURS if family.name == name)
    cell = measure_cell(family, examples, 300)
    assert failures(cell, family.bounds(examples), errors=3) == []
    assert cell.no_width == 0


@pytest.mark.slow
@pytest.mark.parametrize(
    "family", [f for f in FAMILIES if f.metric is AVERAGE_PRECISION], ids=lambda f: f.name
)
def test_tests_and_intervals_hold_in_all_cells(family):
    for examples in family.sizes:
        bounds = family.bounds(examples)
        assert bounds is None or failures(measure_cell(family, examples, 500), bounds, errors=3) == []
