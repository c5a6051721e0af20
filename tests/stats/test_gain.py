"""Gains: against independent references, and properties of any test."""

from __future__ import annotations

import math
from dataclasses import astuple

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from harness.metrics.standard import AVERAGE_PRECISION, MACRO_F1, PEARSON, ROC_AUC, SPEARMAN, mean_metric
from harness.stats.gain import RESAMPLES, gain_of
from harness.stats.paired import Paired
from harness.stats.sign_flip import sign_flip_p

pytestmark = pytest.mark.kernels

VALUE = mean_metric("value")


def pair(metric, baseline, candidate, clusters=None):
    rows = len(baseline[0])
    units = np.arange(rows) if clusters is None else np.asarray(clusters)
    return Paired.of(metric, (baseline, None), (candidate, None), units)


def ratings(rows=300, seed=0, *, steps=False):
    """Gold, and the similarities of two models."""
    generator = np.random.default_rng(seed)
    gold = generator.uniform(0, 5, rows)
    gold = np.round(gold) if steps else gold
    shared = generator.normal(size=rows)
    return gold, *(gold + shared + generator.standard_t(4, rows) * scale for scale in (1.0, 0.8))


# --- against references -----------------------------------------------------------------------------------


@pytest.mark.parametrize("rows", [8, 12])
def test_few_differences_have_the_exact_p_value_of_scipy(rows):
    differences = np.random.default_rng(rows).normal(0.4, 1, rows)
    reference = stats.permutation_test(
        (differences, np.zeros(rows)), lambda a, b: np.sum(a - b), permutation_type="samples",
        n_resamples=np.inf,
    )  # fmt: skip
    assert sign_flip_p(differences, 0, RESAMPLES) == pytest.approx(reference.pvalue, abs=1e-12)


def test_many_differences_have_about_the_p_value_of_scipy():
    differences = np.random.default_rng(1).normal(0.12, 1, 200)
    reference = stats.permutation_test(
        (differences, np.zeros(200)), lambda a, b, axis: np.sum(a - b, axis=axis), permutation_type="samples",
        n_resamples=50_000, vectorized=True, rng=np.random.default_rng(2),
    )  # fmt: skip
    assert sign_flip_p(differences, 0, RESAMPLES) == pytest.approx(reference.pvalue, abs=0.015)


def test_the_interval_of_a_mean_without_clusters_is_students_t():
    generator = np.random.default_rng(3)
    base, cand = generator.normal(size=80), generator.normal(0.2, 1, 80)
    gain = gain_of(pair(VALUE, [base], [cand]), 0)
    reference = stats.ttest_rel(cand, base).confidence_interval()
    assert (gain.low, gain.high) == pytest.approx((reference.low, reference.high), abs=1e-12)
    assert gain.standard_error == pytest.approx(stats.sem(cand - base))


@pytest.mark.parametrize(("metric", "function"), [(PEARSON, stats.pearsonr), (SPEARMAN, stats.spearmanr)])
def test_the_bootstrap_of_a_correlation_spreads_as_scipys(metric, function):
    gold, left, right = ratings(200, steps=True)
    gain = gain_of(pair(metric, [gold, left], [gold, right]), 0)
    assert gain.value == pytest.approx(function(gold, right)[0] - function(gold, left)[0], abs=1e-12)
    reference = stats.bootstrap(
        (gold, left, right), lambda g, a, b: function(g, b)[0] - function(g, a)[0], paired=True,
        vectorized=False, n_resamples=1500, method="percentile", rng=np.random.default_rng(0),
    )  # fmt: skip
    assert gain.standard_error == pytest.approx(reference.standard_error, rel=0.08)
    width = reference.confidence_interval.high - reference.confidence_interval.low
    assert gain.high - gain.low == pytest.approx(width, rel=0.1)


# --- what must hold ---------------------------------------------------------------------------------------

KINDS = {
    "accuracy": lambda g, a, b: (VALUE, [(a > 2.5) * 1.0], [(b > 2.5) * 1.0]),
    "mean": lambda g, a, b: (VALUE, [a], [b]),
    "pearson": lambda g, a, b: (PEARSON, [g, a], [g, b]),
    "spearman": lambda g, a, b: (SPEARMAN, [g, a], [g, b]),
    "auc": lambda g, a, b: (ROC_AUC, [(g > 2) * 1, a], [(g > 2) * 1, b]),
    "ap": lambda g, a, b: (AVERAGE_PRECISION, [(g > 2) * 1, a], [(g > 2) * 1, b]),
    "f1": lambda g, a, b: (MACRO_F1, [g > 2, a > 2], [g > 2, b > 2]),
}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("clustered", [False, True])
def test_swapping_the_models_negates_the_gain_and_keeps_the_p_value(kind, clustered):
    metric, base, cand = KINDS[kind](*ratings())
    clusters = np.arange(300) // 7 if clustered else None
    there = gain_of(pair(metric, base, cand, clusters), 5)
    back = gain_of(pair(metric, cand, base, clusters), 5)
    assert back.value == pytest.approx(-there.value)
    assert (back.low, back.high) == pytest.approx((-there.high, -there.low), abs=2e-4)
    assert back.p == pytest.approx(there.p, abs=2e-3)


@pytest.mark.parametrize("kind", KINDS)
def test_the_same_predictions_and_seed_give_the_same_gain(kind):
    metric, base, cand = KINDS[kind](*ratings())
    one, two = (gain_of(pair(metric, base, cand), 7) for _ in range(2))
    assert astuple(one) == astuple(two)


@pytest.mark.parametrize("kind", KINDS)
def test_identical_answers_have_a_gain_of_zero_and_p_of_one(kind):
    metric, base, _ = KINDS[kind](*ratings())
    gain = gain_of(pair(metric, base, base), 0, identical=True)
    assert (gain.value, gain.low, gain.high, gain.p, gain.test) == (0, 0, 0, 1, "identical")


@pytest.mark.parametrize("kind", KINDS)
def test_the_interval_and_the_p_value_agree(kind):
    metric, base, cand = KINDS[kind](*ratings(seed=4))
    gain = gain_of(pair(metric, base, cand), 0)
    assert gain.low <= gain.value <= gain.high
    if not 0.03 < gain.p < 0.08:  # a score interval and a mid-p test, or t and flips, part at the border
        assert (gain.p < 0.05) == (not gain.low <= 0 <= gain.high)


@given(st.lists(st.sampled_from([-1.0, -0.5, 0.0, 0.25, 1.0]), min_size=1, max_size=40), st.integers(0, 99))
def test_a_sign_flip_p_value_is_a_probability_and_ignores_the_sign(differences, seed):
    values = np.array(differences)
    p = sign_flip_p(values, seed, RESAMPLES)
    assert 0 < p <= 1
    assert sign_flip_p(-values, seed, RESAMPLES) == pytest.approx(p, abs=0.02)


# --- edges ------------------------------------------------------------------------------------------------


def test_nine_units_have_a_gain_and_no_interval():
    gain = gain_of(pair(VALUE, [np.zeros(9)], [np.ones(9)]), 0)
    assert (gain.value, gain.test) == (1.0, "none")
    assert math.isnan(gain.low) and math.isnan(gain.p)


def test_a_score_that_is_undefined_has_no_gain():
    constant = np.ones(50)
    gain = gain_of(pair(SPEARMAN, [np.arange(50.0), constant], [np.arange(50.0), np.arange(50.0)]), 0)
    assert (gain.test, math.isnan(gain.value)) == ("none", True)


def test_means_without_spread_have_an_interval_of_the_exact_bound():
    clusters = np.arange(60) // 3
    gain = gain_of(pair(VALUE, [np.ones(60)], [np.ones(60)], clusters), 0)
    assert (gain.value, gain.p) == (0.0, 1.0)
    assert gain.high == pytest.approx(1 - 0.025 ** (1 / 20))


def test_everything_gained_is_significant():
    gain = gain_of(pair(VALUE, [np.zeros(30)], [np.ones(30)]), 0)
    assert (gain.value, gain.test) == (1.0, "McNemar mid-p")
    assert gain.p < 1e-8
    assert gain.low > 0.7


def test_models_with_other_rows_that_count_are_compared_by_their_own_means():
    generator = np.random.default_rng(0)
    values, kept = generator.normal(size=100), generator.random(100) < 0.8
    both = Paired.of(VALUE, ([values], None), ([values], kept), np.arange(100))
    gain = gain_of(both, 0)
    assert gain.value == pytest.approx(values[kept].mean() - values.mean())
    assert gain.low < 0 < gain.high or gain.p < 0.05


# --- errors of the first kind, briefly --------------------------------------------------------------------


@pytest.mark.parametrize(
    "name", ["sts, Spearman", "accuracy", "accuracy in clusters", "recall@10", "ROC-AUC"]
)
def test_no_difference_is_claimed_in_about_5_of_100_cases(name, monkeypatch):
    from benchmarks import type_one

    monkeypatch.setattr(type_one, "_resample", lambda count: None)
    monkeypatch.setattr("harness.stats.gain.RESAMPLES", 499)
    row = type_one.measure(name, 100, 300, 499)
    # 300 draws at 5 %: 99.9 % of counts lie between 4 and 29.
    assert 0.01 < row.type_one < 0.10
    assert 0.90 < row.coverage < 0.99
    assert row.power > row.type_one
