"""Macro-F1, and metrics of which nothing is known."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from sklearn.metrics import f1_score

from benchmarks.type_one.cells import failures, measure_cell
from benchmarks.type_one.families.area import FAMILIES
from harness.metrics.interface import Metric
from harness.metrics.standard import MACRO_F1
from harness.stats.answer_pair import AnswerPair, Answers
from harness.stats.gain import gain_of
from harness.stats.influence import score_influences, standard_error
from harness.stats.intervals import score_curve
from harness.stats.macro_f1 import fewest_for_margin

MEDIAN = Metric("median", lambda values: float(np.median(values)), columns=("value",))
MEAN = Metric("mine", lambda values: float(np.mean(values)), columns=("value",))


def labels(pair_of, clusters=None):
    gold, left, right = (np.asarray(side) for side in pair_of)
    units = np.arange(len(gold)) if clusters is None else clusters
    return AnswerPair.of(MACRO_F1, ([gold, left], None), ([gold, right], None), units)


def perfect(*sizes):
    gold = np.repeat([f"class {number}" for number in range(len(sizes))], sizes)
    return labels((gold, gold, gold))


def test_macro_f1_is_that_of_scikit_learn_and_its_interval_contains_it():
    generator = np.random.default_rng(0)
    gold = generator.integers(0, 3, 40)
    side = np.where(generator.random(40) < 0.7, gold, generator.integers(0, 4, 40))
    answers = Answers.of(MACRO_F1, [gold, side], np.arange(40))
    assert answers.score == pytest.approx(f1_score(gold, side, average="macro"), abs=1e-12)
    low, high = score_curve(answers).interval()
    assert low < answers.score < high


@pytest.mark.parametrize("sizes", [(6, 6), (30, 15), (20, 20, 10)])
def test_perfect_labels_have_an_interval_with_width_that_no_small_margin_passes(sizes):
    both = perfect(*sizes)
    found = gain_of(both)
    assert found.low < -0.04
    assert found.p == 1
    low, high = score_curve(both.baseline).interval()
    assert (high, low < 0.96) == (1, True)


def test_what_a_margin_needs_is_what_two_perfect_models_pass_it_with():
    have, what, needed = fewest_for_margin(perfect(10, 20), 0.05)
    assert (have, what) == (10, "examples of the smallest class")
    assert gain_of(perfect(needed, 2 * needed)).low > -0.05
    assert gain_of(perfect(needed - 1, 2 * needed - 2)).low < -0.05


def test_a_metric_that_no_unit_moves_has_no_interval():
    same = AnswerPair.of(MEAN, ([np.ones(50)], None), ([np.ones(50)], None), np.arange(50))
    assert math.isnan(gain_of(same).low)
    assert gain_of(same).test == "none"
    assert score_curve(same.baseline) is None


def test_equal_answers_of_a_metric_that_units_move_have_an_interval_with_width():
    values = np.random.default_rng(0).random(50)
    same = AnswerPair.of(MEAN, ([values], None), ([values], None), np.arange(50))
    found = gain_of(same)
    assert found.low < 0 < found.high
    assert found.p == 1


def test_a_median_has_about_the_error_of_its_distribution():
    """Leaving one out gives it errors of zero to twice as much; halves do not."""
    values = np.random.default_rng(1).normal(size=400)
    curve = score_curve(Answers.of(MEDIAN, [values], np.arange(400)))
    assert curve.error == pytest.approx(math.sqrt(math.pi / 2 / 400), rel=0.5)


def test_a_score_that_only_one_unit_moves_and_is_undefined_without_it_has_no_interval():
    """Without the only positive there is no share of them that is found."""
    found = Metric(
        "found",
        lambda gold, predicted: float(predicted[gold > 0].mean()) if (gold > 0).any() else math.nan,
    )
    gold = np.r_[1, np.zeros(19)]
    answers = Answers.of(found, [gold, np.ones(20)], np.arange(20))
    assert np.array_equal(score_influences(answers), np.zeros(20))
    assert score_curve(answers) is None


def test_groups_of_many_units_give_about_the_error_of_a_mean():
    values = np.random.default_rng(2).exponential(size=3000)
    influence = score_influences(Answers.of(MEAN, [values], np.arange(3000)))
    assert standard_error(influence) == pytest.approx(values.std() / math.sqrt(3000), rel=0.15)


def test_near_its_border_an_unknown_metric_has_an_interval_that_covers():
    """Of a hundred answers 2 % are wrong: where two are, Student's t alone ends short of 4 % wrong."""
    values = np.r_[np.zeros(2), np.ones(98)]
    low, _ = score_curve(Answers.of(MEAN, [values], np.arange(100))).interval()
    assert low < 0.945


@pytest.mark.parametrize(
    ("name", "examples"),
    [
        ("macro-F1, two classes, equal", 50),
        ("macro-F1, three classes, equal, clusters zipf", 100),
    ],
)
def test_tests_and_intervals_hold_in_a_few_cells(name, examples):
    family = next(family for family in FAMILIES if family.name == name)
    cell = measure_cell(family, examples, 300)
    assert failures(cell, family.bounds(examples), errors=3) == []
    assert cell.no_width == 0


def geometric(values):
    """The geometric mean: no mean of a value per example, between 0 and 1 where they are."""
    return float(np.exp(np.log(values).mean())) if len(values) else math.nan


def test_intervals_and_gains_end_at_the_bounds_that_a_metric_says():
    generator = np.random.default_rng(5)
    left = np.where(generator.random(12) < 0.3, 1e-9, 1.0)
    unknown = Metric("geometric", geometric, columns=("value",))
    bounded = replace(unknown, bounds=(0, 1))
    curves = [score_curve(Answers.of(metric, [left], np.arange(12))) for metric in (unknown, bounded)]
    (below, _), (low, high) = (curve.interval() for curve in curves)
    assert below < 0 <= low <= geometric(left) <= high <= 1
    gain = gain_of(AnswerPair.of(bounded, ([left], None), ([1 - left + 1e-9], None), np.arange(12)))
    assert -1 <= gain.low <= gain.value <= gain.high <= 1
