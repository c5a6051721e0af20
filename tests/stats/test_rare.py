"""Curves that allow for rare changes: what must hold of any score and gain that has one."""

from __future__ import annotations

import math
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from harness.metrics.interface import Metric
from harness.metrics.standard import AVERAGE_PRECISION, MACRO_F1, ROC_AUC
from harness.stats.answer_pair import AnswerPair
from harness.stats.curve import Interval, StudentCurve
from harness.stats.gain import gain_of
from harness.stats.intervals import score_curve
from harness.stats.pass_chance import least_above
from harness.stats.rare import RareChangeCurve, fewest

UNKNOWN = Metric("mine", lambda gold, predicted: float(np.mean(gold * np.tanh(predicted))))
METRICS = pytest.mark.parametrize(
    "metric", [ROC_AUC, AVERAGE_PRECISION, MACRO_F1, UNKNOWN], ids=lambda metric: metric.name
)
CLUSTERED = pytest.mark.parametrize("clustered", [False, True], ids=["examples", "clusters"])


def pair(metric, seed=0, rows=60, *, clustered=False, gain=0.0, order=None, named=False):
    """Two models' answers with ties, in clusters of unequal size or alone."""
    generator = np.random.default_rng(seed)
    gold = (np.arange(rows) % 4 == 0).astype(int)
    left, right = (np.round(gold * (1 + more) + generator.normal(size=rows), 1) for more in (0.5, 0.5 + gain))
    if metric is MACRO_F1:
        left, right = (left > 0.7).astype(int), (right > 0.7).astype(int)
    clusters = (np.sqrt(np.arange(rows) * 12)).astype(int) if clustered else np.arange(rows)
    order = np.arange(rows) if order is None else order
    names = np.array([f"{997 - cluster * 3:04d}" for cluster in clusters]) if named else clusters
    columns = [[gold[order], side[order]] for side in (left, right)]
    return AnswerPair.of(metric, (columns[0], None), (columns[1], None), names[order])


@METRICS
@CLUSTERED
@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("gain", [0.0, 1.2])
def test_p_is_below_5_percent_exactly_where_the_interval_excludes_zero(metric, clustered, seed, gain):
    found = gain_of(pair(metric, seed, clustered=clustered, gain=gain))
    assert (found.p < 0.05) == (not found.low <= 0 <= found.high)
    assert found.low < found.value < found.high


@METRICS
@CLUSTERED
def test_the_p_value_of_an_end_of_the_interval_is_its_level(metric, clustered):
    curve = gain_of(pair(metric, clustered=clustered)).curve
    for level in (0.5, 0.05, 1e-3):
        for end in curve.interval(level):
            if abs(end) < 1:
                assert curve.p(end) == pytest.approx(level, rel=1e-6)


@METRICS
@CLUSTERED
def test_swapping_the_models_negates_the_interval_and_keeps_the_p_value(metric, clustered):
    there = pair(metric, clustered=clustered, gain=0.4)
    back = AnswerPair(there.metric, there.candidate, there.baseline, there.units, there.names)
    one, other = gain_of(there), gain_of(back)
    assert (other.low, other.high) == pytest.approx((-one.high, -one.low), abs=1e-9)
    assert other.p == pytest.approx(one.p, rel=1e-9)


@METRICS
@CLUSTERED
def test_names_and_order_of_units_do_not_matter_below_the_number_of_groups(metric, clustered):
    if metric is UNKNOWN:
        pytest.skip("halves of the units are drawn by their order")
    order = np.random.default_rng(1).permutation(60)
    one = gain_of(pair(metric, clustered=clustered))
    other = gain_of(pair(metric, clustered=clustered, order=order, named=True))
    assert (other.low, other.high, other.p) == pytest.approx((one.low, one.high, one.p), rel=1e-9)


@METRICS
@CLUSTERED
def test_intervals_are_nested_by_level(metric, clustered):
    both = pair(metric, clustered=clustered)
    for curve in (gain_of(both).curve, score_curve(both.baseline)):
        ends = [curve.interval(level) for level in (1e-6, 1e-3, 0.05, 0.3, 0.9)]
        for outer, inner in pairwise(ends):
            assert outer.low <= inner.low <= inner.high <= outer.high


@METRICS
@CLUSTERED
def test_the_interval_of_a_score_contains_it_and_has_width(metric, clustered):
    answers = pair(metric, clustered=clustered).baseline
    low, high = score_curve(answers).interval()
    assert low < answers.score < high


@METRICS
def test_copies_in_a_cluster_tell_no_more_than_one_of_them(metric):
    alone = pair(metric, rows=200)
    sides = (alone.baseline, alone.candidate)
    columns = [([np.repeat(column, 7) for column in side.columns], None) for side in sides]
    copied = AnswerPair.of(metric, *columns, np.repeat(np.arange(200), 7))
    one, other = gain_of(alone), gain_of(copied)
    assert other.high - other.low == pytest.approx(one.high - one.low, rel=0.08)
    assert other.units == 200


@METRICS
def test_models_with_other_rows_that_count_are_compared_by_their_own_scores(metric):
    whole = pair(metric, rows=80)
    kept = np.random.default_rng(2).random(80) < 0.8
    both = AnswerPair.of(
        metric, (whole.baseline.columns, None), (whole.candidate.columns, kept), np.arange(80)
    )
    found = gain_of(both)
    own = [column[kept] for column in whole.candidate.columns]
    assert found.value == pytest.approx(metric.compute(*own) - whole.baseline.score)
    assert found.low < found.value < found.high


# --- the curve itself -------------------------------------------------------------------------------------


def test_without_rare_changes_it_is_students_t():
    plain = StudentCurve(0.02, 0.01, 30)
    curve = RareChangeCurve(0.02, 0.01, 30, 0.0, "t")
    assert curve.interval() == pytest.approx(plain.interval(), abs=1e-12)
    assert curve.p(0.0) == pytest.approx(plain.p(0.0))


def test_a_loss_that_rare_changes_could_explain_is_not_claimed():
    """Student's t finds a gain of 0.04 ± 0.01; 4 % of 50 positives that the candidate loses may be unseen."""
    assert RareChangeCurve(0.04, 0.01, 50, 0.0, "t").p() < 0.001
    assert RareChangeCurve(0.04, 0.01, 50, 1 / 50, "t").p() > 0.05
    assert RareChangeCurve(0.04, 0.01, 500, 1 / 500, "t").p() < 0.001


@given(st.floats(-0.9, 0.9), st.floats(0, 0.2), st.floats(1e-3, 0.5), st.floats(-1, 1), st.floats(-1, 1))
def test_p_values_only_fall_away_from_the_estimate(value, error, size, one, other):
    curve = RareChangeCurve(value, error, 30, size, "t", range=1.0, bounds=Interval(-1.0, 1.0))
    near, far = sorted((one, other), key=lambda true: abs(true - value))
    if (near - value) * (far - value) > 0:
        assert curve.p(far) <= curve.p(near) * (1 + 1e-9)


def test_where_nothing_was_seen_it_is_wilsons_bound_on_a_proportion():
    curve = RareChangeCurve(0.0, 0.0, 1e9, 1 / 80, "t", range=1.0, bounds=Interval(-1, 1))
    expected = stats.binomtest(0, 80).proportion_ci(method="wilson").high
    assert curve.interval() == pytest.approx((-expected, expected), rel=1e-6)


def test_a_strong_effect_has_a_p_value_far_down():
    assert RareChangeCurve(0.1, 0.02, 500, 0.0, "t").p() == pytest.approx(2 * stats.t.sf(5, 500), rel=1e-9)
    assert RareChangeCurve(0.2, 0.02, 500, 0.01, "t").p() < 1e-8


def _rounded(low, high):
    """Draw a number whose square is no rounding error beside 1."""
    return st.floats(low, high).map(lambda number: round(number, 6))


@given(_rounded(-0.9, 0.9), _rounded(0, 0.2), st.floats(1, 500), st.floats(1e-3, 0.5), _rounded(-0.99, 0.99))
def test_a_value_is_in_the_interval_exactly_where_its_p_value_is_above_the_level(
    value, error, freedom, size, true
):
    curve = RareChangeCurve(value, error, freedom, size, "t", range=1.0, bounds=Interval(-1.0, 1.0))
    p = curve.p(true)
    if not math.isclose(p, 0.05, rel_tol=1e-6):
        low, high = curve.interval()
        assert (p > 0.05) == (low <= true <= high)


def test_the_fewest_is_the_first_that_passes():
    assert [fewest(lambda number, least=least: number >= least) for least in (2, 3, 94, 1000)] == [
        2, 3, 94, 1000,
    ]  # fmt: skip


@pytest.mark.parametrize("error", [0.0, 0.004, 0.05])
@pytest.mark.parametrize("size", [0.0, 0.02])
def test_the_least_estimate_above_a_limit_has_an_interval_that_ends_there(error, size):
    if not error and not size:
        pytest.skip("nothing varies")
    curve = RareChangeCurve(0.3, error, 20.0, size, "", range=1.0, bounds=Interval(-1.0, 1.0))
    least = least_above(curve, -0.05, 0.05)
    assert replace(curve, value=least).interval(0.05).low == pytest.approx(-0.05, abs=1e-6)
    assert replace(curve, value=least - 1e-3).interval(0.05).low < -0.05


def test_no_estimate_clears_a_limit_whose_p_is_undefined():
    curve = RareChangeCurve(0.1, math.nan, 20.0, 0.02, "", range=1.0, bounds=Interval(-1.0, 1.0))
    assert least_above(curve, -0.05, 0.05) == math.inf
