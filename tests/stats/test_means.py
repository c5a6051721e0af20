"""Means: which curve a gain or a score has, what it cannot exclude, and how often it errs."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from benchmarks.type_one.cells import failures, measure_cell
from benchmarks.type_one.families.means import FAMILIES
from harness.metrics.standard import mean_metric
from harness.stats import means
from harness.stats.answer_pair import AnswerPair, Answers
from harness.stats.gain import gain_of
from harness.stats.proportions import tango

pytestmark = pytest.mark.kernels

VALUE = mean_metric("value")


def pair(base, cand, clusters=None):
    units = np.arange(len(base)) if clusters is None else np.asarray(clusters)
    return AnswerPair.of(VALUE, ([np.asarray(base, float)], None), ([np.asarray(cand, float)], None), units)


def gain(base, cand, clusters=None):
    return gain_of(pair(base, cand, clusters))


def score(values, clusters=None):
    units = np.arange(len(values)) if clusters is None else np.asarray(clusters)
    return means.score_curve(Answers.of(VALUE, [np.asarray(values, float)], units))


# --- gains ------------------------------------------------------------------------------------------------


def test_many_symmetric_differences_have_about_students_interval():
    differences = np.random.default_rng(0).normal(0.02, 0.1, 2000)
    base = np.random.default_rng(1).normal(size=2000)
    found = gain(base, base + differences)
    expected = stats.ttest_1samp(differences, 0).confidence_interval()
    assert (found.low, found.high) == pytest.approx((expected.low, expected.high), abs=2e-4)


def test_answers_that_flip_one_way_alone_are_judged_the_same_by_interval_and_p_value():
    """4 gained, 0 lost of 50: Tango's interval excludes 0, and the mid-p value is 0.0625."""
    found = gain([0] * 4 + [1] * 46, [1] * 50)
    assert found.p == pytest.approx(0.0625)
    assert found.low == 0.0
    assert tango(4, 0, 50).low > 0


def test_one_unit_that_differs_leaves_doubt_on_both_sides():
    base = np.linspace(0.1, 0.9, 60)
    cand = base.copy()
    cand[7] -= 0.05
    found = gain(base, cand)
    assert found.low < -0.03
    assert found.high > 0.03
    assert found.p == 1.0


def test_gains_alone_do_not_exclude_a_loss_as_large_as_the_range_that_was_not_seen():
    """15 small gains of 50, no loss: total losses on 1 % of the queries are not seen in 60 of 100 cases."""
    base = np.full(50, 0.5)
    small = gain(base, base + np.r_[np.full(15, 0.03), np.zeros(35)])
    large = gain(base, base + np.r_[np.full(15, 0.45), np.zeros(35)])
    assert small.low < -0.01
    assert large.low > 0


def test_means_between_0_and_1_of_which_none_differs_have_the_interval_of_no_flips():
    base = np.linspace(0, 1, 60)
    assert gain(base, base).curve.interval() == pytest.approx(tango(0, 0, 60))
    clusters = np.arange(60) // 3
    assert gain(base, base, clusters).curve.interval() == pytest.approx(tango(0, 0, 20))


def test_values_of_an_unknown_range_that_are_all_equal_have_no_interval():
    assert means.gain_curve(pair(np.full(30, 7.0), np.full(30, 7.0))) is None


def test_the_same_gain_everywhere_has_an_interval_of_what_was_not_seen():
    found = gain(np.full(60, 0.2), np.full(60, 0.3))
    assert found.low < found.value < found.high


def test_differences_by_rounding_alone_are_none():
    base = np.linspace(0.1, 0.9, 50)
    cand = base * (1 + 1e-13)
    cand[:12] += np.r_[np.full(9, 0.1), np.full(3, -0.1)]
    exact = base.copy()
    exact[:12] += np.r_[np.full(9, 0.1), np.full(3, -0.1)]
    one, two = gain(base, cand), gain(base, exact)
    assert one.p == pytest.approx(two.p, rel=1e-9)
    assert (one.low, one.high) == pytest.approx((two.low, two.high), abs=1e-9)


def test_models_with_other_rows_that_count_are_compared_by_their_own_means():
    generator = np.random.default_rng(0)
    values, kept = generator.normal(size=100), generator.random(100) < 0.8
    found = gain_of(AnswerPair.of(VALUE, ([values], None), ([values], kept), np.arange(100)))
    assert found.value == pytest.approx(values[kept].mean() - values.mean())
    assert found.low < 0 < found.high


def test_a_cluster_of_copies_counts_as_one_unit():
    differences = np.random.default_rng(2).normal(0.2, 1, 40)
    plain = gain(np.zeros(40), differences)
    copied = gain(np.zeros(400), np.repeat(differences, 10), np.repeat(np.arange(40), 10))
    assert (copied.low, copied.high, copied.p) == pytest.approx((plain.low, plain.high, plain.p), abs=1e-8)


answers = st.lists(st.sampled_from([0.0, 0.25, 0.5, 1.0]), min_size=20, max_size=60)


@settings(max_examples=60, deadline=None)
@given(answers, st.integers(0, 2**32 - 1), st.sampled_from([1, 2, 5]))
def test_any_gain_agrees_with_its_interval_and_swaps_with_the_models(base, seed, size):
    generator = np.random.default_rng(seed)
    base = np.array(base)
    cand = np.where(generator.random(len(base)) < 0.4, generator.permutation(base), base)
    clusters = generator.integers(len(base) // size, size=len(base)) if size > 1 else None
    there, back = gain(base, cand, clusters), gain(cand, base, clusters)
    if there.test == "none":
        return
    assert there.low <= there.value + 1e-12 and there.value - 1e-12 <= there.high
    assert there.high > there.low
    assert (there.p < 0.05) == (not there.low <= 0 <= there.high)
    assert (back.low, back.high) == pytest.approx((-there.high, -there.low), abs=1e-7)
    assert back.p == pytest.approx(there.p, rel=1e-6)


# --- single scores ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("right", [0, 1, 30, 59, 60])
def test_an_accuracy_has_the_exact_binomial_interval(right):
    exact = stats.binomtest(right, 60).proportion_ci(method="exact")
    assert score([1] * right + [0] * (60 - right)).interval() == pytest.approx((exact.low, exact.high))


@settings(max_examples=60, deadline=None)
@given(answers, st.integers(0, 99), st.sampled_from([1, 3]))
def test_the_interval_of_a_score_has_width_and_contains_it(values, seed, size):
    clusters = (
        None if size == 1 else np.random.default_rng(seed).integers(len(values) // size, size=len(values))
    )
    low, high = score(values, clusters).interval()
    assert 0 <= low <= np.mean(values) + 1e-9
    assert np.mean(values) - 1e-9 <= high <= 1
    assert high - low > 0.01


def test_a_score_of_clusters_of_copies_has_the_interval_of_their_number():
    values = np.array([1.0] * 15 + [0.0] * 5)
    copied = score(np.repeat(values, 20), np.repeat(np.arange(20), 20)).interval()
    exact = stats.binomtest(15, 20).proportion_ci(method="exact")
    assert copied.low <= exact.low + 0.02
    assert copied.high >= exact.high - 0.02


# --- how often they err -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "size"),
    [
        ("accuracy, 2.0% differ, a loss", 500),
        ("accuracy, Zipf clusters, a loss", 100),
        ("accuracy, one cluster of 40 %", 150),
        ("nDCG, losses on 5 %", 150),
        ("nDCG, total losses on 1 %", 50),
    ],
)
def test_errors_are_as_rare_as_promised(name, size):
    (family,) = [each for each in FAMILIES if each.name == name]
    check(family, size, 200)


@pytest.mark.slow
@pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family.name)
def test_errors_are_as_rare_as_promised_at_all_sizes(family):
    for size in family.sizes:
        check(family, size, 1000)


def check(family, size, repetitions):
    cell = measure_cell(family, size, repetitions, seed=1)
    bounds = family.bounds(size) if callable(family.bounds) else family.bounds
    assert failures(cell, bounds, errors=3.0) == []
    assert cell.no_width == 0


def test_a_study_would_notice_students_t(monkeypatch):
    """The cells above can fail: with Student's t alone, rare total losses are missed in half of the cases."""
    from harness.stats import curve, influence

    def student(pair):
        return curve.StudentCurve(
            pair.gain, influence.standard_error(influence.influences(pair)), pair.count - 1
        )

    monkeypatch.setattr(means, "gain_curve", student)
    (family,) = [each for each in FAMILIES if each.name == "nDCG, total losses on 1 %"]
    assert failures(measure_cell(family, 50, 100, seed=1), family.bounds(50), errors=3.0)


def test_graded_values_of_which_none_differs_have_the_test_of_graded_values():
    graded, ones = np.linspace(0.0, 1.0, 40), np.ones(40)
    tests = []
    for values, metric in (
        (graded, mean_metric("ndcg", "value")),
        (ones, mean_metric("accuracy", "correct")),
    ):
        pair = AnswerPair.of(metric, ([values], None), ([values], None), np.arange(40))
        tests.append(gain_of(pair).test)
    assert tests == ["sign flip", "McNemar mid-p"]
