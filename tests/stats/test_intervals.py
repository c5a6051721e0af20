"""Intervals of single scores: which rows and units count, and when there is none."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.stats import binomtest, ttest_1samp

from harness.metrics import standard as metrics
from harness.stats import intervals as stats
from harness.tasks.dataset import Dataset, Predictions

pytestmark = pytest.mark.kernels

MEAN = metrics.mean_metric("value")


def predictions(values, clusters=None, **columns):
    rows = {"id": [str(row) for row in range(len(values))]}
    if clusters is not None:
        rows["cluster"] = [str(cluster) for cluster in clusters]
    return Predictions(Dataset(rows), value=np.asarray(values, dtype=float), **columns)


def test_the_interval_of_a_mean_of_many_values_is_about_students():
    values = np.random.default_rng(0).normal(size=2000)
    expected = ttest_1samp(values, 0).confidence_interval()
    found = stats.estimate(MEAN, predictions(values)).interval
    assert found == pytest.approx((expected.low, expected.high), abs=0.003)


def test_about_95_of_100_intervals_of_a_mean_cover_the_truth():
    generator = np.random.default_rng(7)
    covered = 0
    for _ in range(400):
        low, high = stats.estimate(MEAN, predictions(generator.normal(size=100))).interval
        covered += low <= 0 <= high
    # Three standard errors around 0.95.
    assert 0.917 <= covered / 400 <= 0.983


def test_examples_that_share_a_cluster_are_one_unit():
    """Twenty copies of each of ten values carry the information of ten."""
    values = np.random.default_rng(3).normal(size=10)
    copied, clusters = np.repeat(values, 20), np.repeat(np.arange(10), 20)
    together = stats.estimate(MEAN, predictions(copied, clusters))
    apart = stats.estimate(MEAN, predictions(copied))
    ten = stats.estimate(MEAN, predictions(values))
    assert together.clusters == 10
    assert together.interval == pytest.approx(ten.interval)
    assert apart.interval.high - apart.interval.low < 0.4 * (ten.interval.high - ten.interval.low)


def test_rows_that_a_metric_filters_out_do_not_count():
    answers = predictions([1, 1, 0, 0], kept=[True, True, False, True])
    estimate = stats.estimate(metrics.mean_metric("m", "value", where="kept"), answers)
    assert estimate.score == pytest.approx(2 / 3)
    assert estimate.examples == 3


def test_the_order_of_rows_and_the_names_of_clusters_do_not_matter():
    generator = np.random.default_rng(1)
    values, clusters = generator.random(60), generator.integers(20, size=60)
    order = generator.permutation(60)
    plain = stats.estimate(MEAN, predictions(values, clusters)).interval
    moved = stats.estimate(MEAN, predictions(values[order], [f"c{(c * 7) % 23}" for c in clusters[order]]))
    assert moved.interval == pytest.approx(plain, abs=1e-7)


@pytest.mark.parametrize(
    ("share", "examples"), [pytest.param(0.95, 20, id="0.95 of 20"), pytest.param(0.98, 50, id="0.98 of 50")]
)
def test_intervals_of_a_high_accuracy_cover_it_though_many_samples_are_all_correct(share, examples):
    generator = np.random.default_rng(11)
    covered = 0
    for _ in range(400):
        low, high = stats.estimate(MEAN, predictions(generator.random(examples) < share)).interval
        covered += low <= share <= high
    assert covered / 400 >= 0.93


@pytest.mark.parametrize("value", [0, 1])
@pytest.mark.parametrize(
    ("clusters", "units"),
    [pytest.param(None, 60, id="examples"), pytest.param(np.arange(60) // 3, 20, id="clusters")],
)
def test_values_that_are_all_0_or_all_1_have_the_exact_binomial_interval(value, clusters, units):
    estimate = stats.estimate(MEAN, predictions(np.full(60, value), clusters))
    exact = binomtest(value * units, units).proportion_ci(method="exact")
    assert estimate.score == value
    assert estimate.interval == pytest.approx((exact.low, exact.high))


@pytest.mark.parametrize(
    "values",
    [
        pytest.param([1.0] * 19 + [1 - 1e-9], id="almost 1"),
        pytest.param([1.0] * 19 + [0.0], id="one 0"),
        pytest.param([0.5] * 20, id="a constant between"),
    ],
)
def test_few_values_that_hardly_differ_leave_room_for_others(values):
    low, high = stats.estimate(MEAN, predictions(values)).interval
    assert low < np.mean(values) - 0.05
    assert high >= np.mean(values)
    assert high - low > 0.1


def test_one_large_cluster_widens_the_interval():
    generator = np.random.default_rng(5)
    values = generator.random(200) < 0.7
    even = stats.estimate(MEAN, predictions(values, np.arange(200) // 4)).interval
    uneven = stats.estimate(MEAN, predictions(values, np.r_[np.zeros(80), 1 + np.arange(120) // 4])).interval
    assert uneven.high - uneven.low > 1.2 * (even.high - even.low)


def test_rows_that_do_not_count_do_not_widen_the_exact_interval():
    answers = predictions([1] * 15 + [0] * 15, kept=[True] * 15 + [False] * 15)
    estimate = stats.estimate(metrics.mean_metric("m", "value", where="kept"), answers)
    assert estimate.interval == pytest.approx((0.025 ** (1 / 15), 1))


@pytest.mark.parametrize(
    ("values", "clusters"),
    [
        pytest.param([0.5], None, id="one example"),
        pytest.param(range(9), None, id="nine examples"),
        pytest.param([1] * 9, None, id="nine examples, all correct"),
        pytest.param(range(90), np.arange(90) // 10, id="ninety examples of nine clusters"),
        pytest.param([math.nan] * 20, None, id="an undefined score"),
        pytest.param([7.0] * 20, None, id="equal values of an unknown range"),
    ],
)
def test_an_interval_is_undefined_without_the_data_for_it(values, clusters):
    estimate = stats.estimate(MEAN, predictions(values, clusters))
    assert all(math.isnan(end) for end in estimate.interval)


def test_ten_examples_are_enough_for_an_interval():
    assert stats.FEWEST_UNITS == 10
    low, high = stats.estimate(MEAN, predictions(range(10))).interval
    assert low < 4.5 < high
