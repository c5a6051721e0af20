"""Gains: what must hold of every kind of metric; the edges of data."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest

from harness.metrics.standard import AVERAGE_PRECISION, MACRO_F1, PEARSON, ROC_AUC, SPEARMAN, mean_metric
from harness.stats.answer_pair import AnswerPair
from harness.stats.gain import gain_of

pytestmark = pytest.mark.kernels

VALUE = mean_metric("value")


def pair(metric, baseline, candidate, clusters=None):
    rows = len(baseline[0])
    units = np.arange(rows) if clusters is None else np.asarray(clusters)
    return AnswerPair.of(metric, (baseline, None), (candidate, None), units)


def ratings(rows=300, seed=0):
    """Gold, and the similarities of two models."""
    generator = np.random.default_rng(seed)
    gold = generator.uniform(0, 5, rows)
    shared = generator.normal(size=rows)
    return gold, *(gold + shared + generator.standard_t(4, rows) * scale for scale in (1.0, 0.8))


# --- what must hold of every kind -------------------------------------------------------------------------

KINDS = {
    "accuracy": lambda g, a, b: (VALUE, [(a > 2.5) * 1.0], [(b > 2.5) * 1.0]),
    "mean": lambda g, a, b: (VALUE, [a], [b]),
    "pearson": lambda g, a, b: (PEARSON, [g, a], [g, b]),
    "spearman": lambda g, a, b: (SPEARMAN, [g, a], [g, b]),
    "auc": lambda g, a, b: (ROC_AUC, [(g > 2) * 1, a], [(g > 2) * 1, b]),
    "ap": lambda g, a, b: (AVERAGE_PRECISION, [(g > 2) * 1, a], [(g > 2) * 1, b]),
    "f1": lambda g, a, b: (MACRO_F1, [g > 2, a > 2], [g > 2, b > 2]),
}

every_kind = pytest.mark.parametrize("kind", KINDS)


@every_kind
@pytest.mark.parametrize("clustered", [False, True])
def test_swapping_the_models_negates_the_gain_and_keeps_the_p_value(kind, clustered):
    metric, base, cand = KINDS[kind](*ratings())
    clusters = np.arange(300) // 7 if clustered else None
    there, back = gain_of(pair(metric, base, cand, clusters)), gain_of(pair(metric, cand, base, clusters))
    assert back.value == pytest.approx(-there.value)
    assert (back.low, back.high) == pytest.approx((-there.high, -there.low), abs=1e-6)
    assert back.p == pytest.approx(there.p, rel=1e-4)


@every_kind
@pytest.mark.parametrize("clustered", [False, True])
def test_the_order_and_the_names_of_units_do_not_matter(kind, clustered):
    metric, base, cand = KINDS[kind](*ratings())
    clusters = np.arange(300) // 7 if clustered else np.arange(300)
    plain = gain_of(pair(metric, base, cand, clusters))
    order = np.random.default_rng(1).permutation(300)
    names = np.array([f"unit {(each * 37) % 1009}" for each in clusters])[order]
    moved = [[column[order] for column in side] for side in (base, cand)]
    other = gain_of(pair(metric, *moved, names))
    assert (other.low, other.high) == pytest.approx((plain.low, plain.high), abs=1e-6)
    assert other.p == pytest.approx(plain.p, rel=1e-4)


@every_kind
@pytest.mark.parametrize("rows", [40, 300])
def test_the_interval_excludes_no_gain_exactly_where_the_p_value_is_below_the_level(kind, rows):
    for seed in range(15):
        metric, base, cand = KINDS[kind](*ratings(rows, seed))
        gain = gain_of(pair(metric, base, cand))
        assert gain.low <= gain.value <= gain.high
        assert (gain.p < 0.05) == (not gain.low <= 0 <= gain.high)
        for level in (0.3, 0.01):
            low, high = gain.curve.interval(level)
            assert (gain.p < level) == (not low <= 0 <= high)


@every_kind
@pytest.mark.parametrize("clustered", [False, True])
def test_an_interval_lies_within_that_of_a_lower_level(kind, clustered):
    metric, base, cand = KINDS[kind](*ratings(120, 3))
    gain = gain_of(pair(metric, base, cand, np.arange(120) // 4 if clustered else None))
    ends = [gain.curve.interval(level) for level in (0.5, 0.2, 0.05, 0.01, 1e-3, 1e-4)]
    for inner, outer in itertools.pairwise(ends):
        assert outer.low <= inner.low + 1e-9
        assert inner.high <= outer.high + 1e-9


@every_kind
def test_an_end_of_the_interval_has_the_level_as_its_p_value(kind):
    metric, base, cand = KINDS[kind](*ratings(seed=2))
    curve = gain_of(pair(metric, base, cand)).curve
    for level in (0.2, 0.05, 1e-3):
        low, high = curve.interval(level)
        assert [curve.p(low), curve.p(high)] == pytest.approx([level, level], rel=0.02)


@every_kind
def test_the_same_predictions_give_the_same_gain(kind):
    metric, base, cand = KINDS[kind](*ratings())
    one, two = (gain_of(pair(metric, base, cand)) for _ in range(2))
    assert (one.low, one.high, one.p) == (two.low, two.high, two.p)


@every_kind
def test_identical_answers_have_a_gain_of_zero_and_p_of_one(kind):
    metric, base, _ = KINDS[kind](*ratings())
    gain = gain_of(pair(metric, base, base), identical=True)
    assert (gain.value, gain.low, gain.high, gain.p, gain.test) == (0, 0, 0, 1, "identical")


# --- edges ------------------------------------------------------------------------------------------------


def test_nine_units_have_a_gain_and_no_interval():
    gain = gain_of(pair(VALUE, [np.zeros(9)], [np.ones(9)]))
    assert (gain.value, gain.test) == (1.0, "none")
    assert math.isnan(gain.low) and math.isnan(gain.p)


def test_a_score_that_is_undefined_has_no_gain():
    constant = np.ones(50)
    gain = gain_of(pair(SPEARMAN, [np.arange(50.0), constant], [np.arange(50.0), np.arange(50.0)]))
    assert (gain.test, math.isnan(gain.value)) == ("none", True)


def test_a_gain_names_its_units_beside_their_influences():
    metric, base, cand = KINDS["mean"](*ratings(60))
    gain = gain_of(pair(metric, base, cand, [f"c{row // 3:02}" for row in range(60)]))
    assert gain.unit_names.tolist() == [f"c{cluster:02}" for cluster in range(20)]
    assert gain.influence.shape == (20,)
    assert gain.influence.sum() == pytest.approx(0, abs=1e-12)
