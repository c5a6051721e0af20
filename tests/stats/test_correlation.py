"""Correlations: the jackknife against leaving units out, intervals against scipy and in simulations."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from benchmarks.type_one.cells import Bounds, failures, measure_cell
from benchmarks.type_one.families.correlations import FAMILIES
from harness.metrics.standard import PEARSON, SPEARMAN
from harness.stats import intervals
from harness.stats.answer_pair import AnswerPair, Answers
from harness.stats.correlation import DiscCurve, FisherCurve, Tails, freedom_of, gain_curve, score_curve
from harness.stats.gain import gain_of
from harness.stats.leave_one_out import scores_without
from harness.stats.ranks import count_above

METRICS = pytest.mark.parametrize("metric", [SPEARMAN, PEARSON], ids=lambda metric: metric.name)
CLUSTERS = {
    "alone": lambda generator, n: np.arange(n),
    "small": lambda generator, n: generator.integers(n // 4, size=n),
    "one large": lambda generator, n: np.where(np.arange(n) < n // 2, 0, np.arange(n) // 3),
}


def data(seed=0, n=60, *, noise=(1.0, 1.2), ties=False):
    generator = np.random.default_rng(seed)
    gold = generator.normal(size=n)
    base, cand = (gold + size * generator.normal(size=n) for size in noise)
    return [np.round(side) if ties else side for side in (gold, base, cand)]


def paired(metric, gold, base, cand, clusters=None):
    units = np.arange(len(gold)) if clusters is None else clusters
    return AnswerPair.of(metric, ([gold, base], None), ([gold, cand], None), units)


@METRICS
@pytest.mark.parametrize("ties", [False, True])
@pytest.mark.parametrize("clusters", CLUSTERS)
def test_scores_without_each_unit_are_those_of_the_other_rows(metric, ties, clusters):
    gold, base, _ = data(ties=ties)
    units = CLUSTERS[clusters](np.random.default_rng(1), 60)
    answers = Answers.of(metric, [gold, base], units)
    expected = [
        metric.compute(gold[answers.units != unit], base[answers.units != unit])
        for unit in range(answers.count)
    ]
    np.testing.assert_allclose(scores_without(answers), expected, atol=1e-13)


@METRICS
def test_without_the_only_example_that_differs_nothing_is_related(metric):
    gold, base = np.r_[np.zeros(11), 1.0], np.arange(12.0)
    assert scores_without(Answers.of(metric, [gold, base], np.arange(12)))[-1] == 0.0


def test_pearsons_values_may_be_huge_and_far_from_zero():
    gold, base, _ = data()
    plain = scores_without(Answers.of(PEARSON, [gold, base], np.arange(60)))
    moved = scores_without(Answers.of(PEARSON, [gold * 1e200, base + 1e6], np.arange(60)))
    np.testing.assert_allclose(moved, plain, atol=1e-7)


@given(st.data())
@settings(max_examples=60, deadline=None)
def test_points_above_a_corner_are_counted_as_one_by_one(drawn):
    size = drawn.draw(st.integers(1, 40))
    side = st.lists(st.integers(0, 6), min_size=size, max_size=size)
    left, right = np.array(drawn.draw(side)), np.array(drawn.draw(side))
    places = st.lists(st.integers(0, size - 1), min_size=1, max_size=30)
    first = drawn.draw(places)
    second = drawn.draw(st.lists(st.integers(0, size - 1), min_size=len(first), max_size=len(first)))

    def above(values, corners):
        return (values > corners[:, None]) + 0.5 * (values == corners[:, None])

    expected = (above(left, left[first]) * above(right, right[second])).sum(axis=1)
    np.testing.assert_array_equal(count_above(left, right, left[first], right[second]), expected)


def test_the_z_scale_is_that_of_scipys_interval_of_pearson():
    """With the error that normal data have, 1 / √(n − 3), and the quantile of a normal distribution."""
    found = FisherCurve(math.atanh(0.7), 1 / math.sqrt(47), Tails(1e9, 10**9, 0.0)).interval()
    expected = stats.pearsonr(*_with_correlation(0.7, 50)).confidence_interval(method=None)
    assert tuple(found) == pytest.approx(tuple(expected), abs=1e-6)


def _with_correlation(correlation, n):
    left, noise, _ = data(n=n)
    left = stats.zscore(left)
    noise = stats.zscore(noise - left * (left * noise).mean())
    return left, correlation * left + math.sqrt(1 - correlation**2) * noise


@METRICS
def test_of_many_normal_pairs_the_interval_is_about_fishers(metric):
    gold, base, _ = data(n=2000, noise=(0.8, 1))
    answers = Answers.of(metric, [gold, base], np.arange(2000))
    theirs = (stats.pearsonr if metric is PEARSON else stats.spearmanr)(gold, base).statistic
    # Bonett and Wright (2000) for Spearman's.
    error = math.sqrt((1 if metric is PEARSON else 1 + theirs**2 / 2) / 1997)
    expected = np.tanh(math.atanh(theirs) + np.array([-1.96, 1.96]) * error)
    low, high = score_curve(answers).interval()
    assert (low, high) == pytest.approx(tuple(expected), abs=0.15 * (expected[1] - expected[0]))


@METRICS
def test_of_many_pairs_the_interval_of_a_gain_is_scipys_bootstrap(metric):
    gold, base, cand = data(n=500)
    reference = stats.bootstrap(
        (gold, base, cand),
        lambda gold, base, cand: metric.compute(gold, cand) - metric.compute(gold, base),
        paired=True, vectorized=False, n_resamples=999, method="percentile", rng=np.random.default_rng(0),
    ).confidence_interval  # fmt: skip
    gain = gain_of(paired(metric, gold, base, cand))
    width = reference.high - reference.low
    assert (gain.low, gain.high) == pytest.approx(tuple(reference), abs=0.08 * width)


def test_where_the_scale_is_straight_the_disc_is_students_t_on_the_difference():
    curve = DiscCurve((0.0, 0.001), (0.002, 0.003), 0.5, Tails(40, 41, 0.0))
    half = stats.t.ppf(0.975, 40) * math.sqrt(0.002**2 + 0.003**2 - 0.002 * 0.003)
    assert tuple(curve.interval()) == pytest.approx((0.001 - half, 0.001 + half), rel=1e-4)


@given(
    z=st.tuples(st.floats(-3, 3), st.floats(-3, 3)),
    errors=st.tuples(st.floats(0.001, 1), st.floats(0.001, 1)),
    correlation=st.floats(-1, 1),
    level=st.floats(1e-6, 0.9),
    freedom=st.floats(2, 30),
    skewness=st.floats(-5, 5),
)
@settings(max_examples=100, deadline=None)
def test_a_disc_has_zero_on_its_rim_exactly_where_p_says(z, errors, correlation, level, freedom, skewness):
    curve = DiscCurve(z, errors, correlation, Tails(freedom, 31, skewness))
    low, high = curve.interval(level)
    rim = 1e-7
    if curve.p() > level * (1 + 1e-4):
        assert low <= rim and high >= -rim
    if curve.p() < level * (1 - 1e-4):
        assert low > -rim or high < rim
    assert -2 <= low <= high <= 2


def test_normal_values_have_the_degrees_of_freedom_of_their_number():
    assert freedom_of(np.random.default_rng(0).normal(size=100_000)) == pytest.approx(99_999, rel=0.05)
    assert freedom_of(np.r_[np.zeros(99), 1.0]) < 3
    assert freedom_of(np.ones(10)) == 9


@METRICS
def test_swapping_the_models_negates_the_interval(metric):
    gold, base, cand = data(n=80)
    there, back = (gain_of(paired(metric, gold, *sides)) for sides in ((base, cand), (cand, base)))
    assert (back.low, back.high, back.p) == pytest.approx((-there.high, -there.low, there.p), abs=1e-8)


@METRICS
def test_neither_order_nor_names_of_units_count(metric):
    columns, clusters = data(n=80), np.repeat(np.arange(40), 2)
    order = np.random.default_rng(2).permutation(80)
    there = gain_of(paired(metric, *columns, clusters))
    back = gain_of(
        paired(
            metric,
            *(column[order] for column in columns),
            np.array([f"u{97 * c % 40}" for c in clusters])[order],
        )
    )
    assert (back.low, back.high, back.p) == pytest.approx((there.low, there.high, there.p), abs=1e-9)


@METRICS
def test_a_lower_level_has_a_wider_interval_within_all_that_is_possible(metric):
    gold, base, cand = data(n=20, noise=(0.1, 0.2))
    pair = paired(metric, gold, base, cand)
    for curve, bound in ((gain_curve(pair), 2), (score_curve(pair.baseline), 1)):
        found = [curve.interval(level) for level in (0.5, 0.05, 1e-3, 1e-6, 1e-12)]
        for inner, outer in itertools.pairwise(found):
            assert -bound <= outer.low <= inner.low < inner.high <= outer.high <= bound


@METRICS
@pytest.mark.parametrize("seed", range(8))
def test_p_is_below_5_percent_exactly_where_the_interval_excludes_zero(metric, seed):
    gain = gain_of(paired(metric, *data(seed, noise=(0.5, 1.0))))
    assert (gain.p < 0.05) == (not gain.low <= 0 <= gain.high)
    curve = gain.curve
    assert curve.p(gain.low) == pytest.approx(0.05, rel=1e-3)
    assert curve.p(gain.high) == pytest.approx(0.05, rel=1e-3)
    assert curve.p(gain.value) == 1


@METRICS
def test_twelve_pairs_in_order_leave_room_for_one_in_four_that_is_not(metric):
    """As for twelve right answers, of which up to 1 − 0.025^(1/12) may be wrong: about 0.47."""
    gold = np.arange(12.0)
    answers = Answers.of(metric, [gold, 3 * gold + 1], np.arange(12))
    low, high = score_curve(answers).interval()
    assert high == 1
    assert low == pytest.approx(1 - 2 * (1 - 0.025 ** (1 / 12)), abs=0.05)


@METRICS
def test_the_gain_between_two_perfect_models_has_width(metric):
    gold = np.arange(12.0)
    gain = gain_of(paired(metric, gold, gold, 3 * gold + 1))
    assert (gain.value, gain.p) == (0.0, 1.0)
    assert -0.6 < gain.low < -0.4 and 0.4 < gain.high < 0.6


@METRICS
def test_nearly_perfect_models_have_about_the_interval_of_perfect_ones(metric):
    gold = np.arange(12.0)
    near = [gold + 0.01 * side for side in data(n=12)[1:]]
    near = [np.where(gold == 3, 4.5, side) if metric is SPEARMAN else side for side in near]
    gain = gain_of(paired(metric, gold, *near))
    assert min(gain.baseline, gain.candidate) > 0.99
    assert gain.low < -0.3 and gain.high > 0.3
    low, _ = score_curve(paired(metric, gold, *near).baseline).interval()
    assert low < 0.6


@METRICS
def test_a_constant_side_is_undefined(metric):
    gold, base, _ = data()
    gain = gain_of(paired(metric, gold, base, np.ones(60)))
    assert math.isnan(gain.value) and gain.curve is None


def test_the_same_order_by_other_numbers_leaves_doubt():
    gold, base, _ = data()
    gain = gain_of(paired(SPEARMAN, gold, base, np.exp(base)))
    assert gain.value == 0 and gain.p == 1
    assert gain.low < -0.1 and gain.high > 0.1


def measured(name, examples, repetitions):
    (family,) = (family for family in FAMILIES if family.name == name)
    cell = measure_cell(family, examples, repetitions)
    assert cell.no_width == 0
    return cell


@pytest.mark.parametrize(
    "name",
    [
        "spearman, weak models, a loss",
        "spearman, models nearly alike, a loss",
        "spearman, clusters by Zipf",
        "pearson, heavy tails",
        "pearson, close to 1, a loss",
        "pearson, different models of equal worth",
    ],
)
def test_intervals_of_correlations_of_100_pairs_cover(name):
    assert failures(measured(name, 100, 150), Bounds(), errors=3.0) == []


@pytest.mark.slow
@pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family.name)
def test_intervals_of_all_families_cover(family):
    bounds = family.bounds(150) if callable(family.bounds) else family.bounds
    assert failures(measured(family.name, 150, 500), bounds, errors=3.0) == []


@pytest.mark.parametrize("rows", [12, 50, 400])
@pytest.mark.parametrize("scale", [1 / 3, 0.5, 0.37, 2.0])
def test_predictions_of_another_scale_differ_by_rounding_alone_and_have_the_doubt_of_equal_ones(rows, scale):
    generator = np.random.default_rng(rows)
    gold = generator.normal(size=rows)
    predicted = gold + generator.normal(size=rows)
    other = scale * predicted + 0.1
    pair = AnswerPair.of(PEARSON, ([gold, predicted], None), ([gold, other], None), np.arange(rows))
    gain = gain_of(pair)
    assert gain.p == pytest.approx(1.0)
    assert -gain.low == pytest.approx(2 * (1 - 0.025 ** (1 / rows)), rel=1e-6)
    assert gain.high == pytest.approx(-gain.low, rel=1e-6)


def test_a_score_that_no_cluster_moves_has_the_interval_of_what_was_not_seen():
    gold = np.array([1, 1] + [0] * 10)
    predicted = np.array([-1, 2, 1, 1] + [0] * 8)
    clusters = np.array([0, 0, *range(1, 11)])
    low, high = intervals.score_curve(Answers.of(SPEARMAN, [gold, predicted], clusters)).interval()
    assert low < 0 < high
    assert high - low > 0.3
