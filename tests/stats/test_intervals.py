"""Intervals: their coverage, resampling and seeds."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import binomtest, bootstrap, norm

from harness.metrics import standard as metrics
from harness.metrics.interface import Metric
from harness.stats import intervals as stats
from harness.tasks.dataset import Dataset, Predictions

pytestmark = pytest.mark.kernels

MEAN = metrics.mean_metric("value")


def predictions(values, clusters=None, **columns):
    rows = {"id": [str(row) for row in range(len(values))]}
    if clusters is not None:
        rows["cluster"] = [str(cluster) for cluster in clusters]
    return Predictions(Dataset(rows), value=np.asarray(values, dtype=float), **columns)


def test_the_interval_of_a_mean_is_scipys_percentile_bootstrap():
    values = np.random.default_rng(0).exponential(size=400)
    estimate = stats.estimate(MEAN, predictions(values), seed=1, resamples=20_000).interval
    expected = bootstrap(
        (values,), np.mean, n_resamples=20_000, method="percentile", rng=2
    ).confidence_interval
    assert estimate == pytest.approx((expected.low, expected.high), abs=0.005)


def test_about_95_of_100_intervals_of_a_mean_cover_the_truth():
    generator = np.random.default_rng(7)
    covered = 0
    for repetition in range(400):
        low, high = stats.estimate(
            MEAN, predictions(generator.normal(size=100)), repetition, resamples=400
        ).interval
        covered += low <= 0 <= high
    # 4 standard deviations of a binomial around 0.95, and the known slight shortness of percentiles.
    assert 0.90 <= covered / 400 <= 0.98


def test_examples_that_share_a_cluster_are_drawn_together():
    """Twenty copies of each of ten values carry the information of ten."""
    values = np.random.default_rng(3).normal(size=10)
    copied, clusters = np.repeat(values, 20), np.repeat(np.arange(10), 20)
    together = stats.estimate(MEAN, predictions(copied, clusters), seed=1)
    apart = stats.estimate(MEAN, predictions(copied), seed=1)
    expected = 2 * norm.ppf(0.975) * values.std() / math.sqrt(10)
    assert together.clusters == 10
    assert together.interval.high - together.interval.low == pytest.approx(expected, rel=0.15)
    assert apart.interval.high - apart.interval.low < 0.4 * expected


def test_the_fast_resampling_and_the_plain_one_agree_draw_by_draw():
    generator = np.random.default_rng(5)
    gold = generator.normal(size=80)
    answers = predictions(gold, gold=gold, predicted=gold + generator.normal(size=80))
    fast = stats.estimate(metrics.SPEARMAN, answers, seed=9, resamples=300)
    plain = stats.estimate(replace(metrics.SPEARMAN, resample=None), answers, seed=9, resamples=300)
    assert fast.interval == pytest.approx(plain.interval, abs=1e-12)


def test_rows_that_a_metric_filters_out_do_not_count():
    answers = predictions([1, 1, 0, 0], kept=[True, True, False, True])
    estimate = stats.estimate(metrics.mean_metric("m", "value", where="kept"), answers, seed=1)
    assert estimate.score == pytest.approx(2 / 3)
    assert estimate.examples == 3


def test_the_same_content_gives_the_same_interval_and_other_content_another():
    values = np.random.default_rng(1).normal(size=50)
    seeds = [
        stats.seed_from("digest", "task"),
        stats.seed_from("digest", "task"),
        stats.seed_from("other", "task"),
    ]
    first, again, other = (stats.estimate(MEAN, predictions(values), seed).interval for seed in seeds)
    assert first == again != other


def test_blocks_of_resamples_give_what_one_block_gives(monkeypatch):
    values = np.random.default_rng(1).normal(size=50)
    whole = stats.estimate(MEAN, predictions(values), seed=4)
    monkeypatch.setattr("harness.stats.bootstrap._BLOCK_CELLS", 170)
    assert stats.estimate(MEAN, predictions(values), seed=4) == whole


@pytest.mark.parametrize(
    ("share", "examples"), [pytest.param(0.95, 20, id="0.95 of 20"), pytest.param(0.98, 50, id="0.98 of 50")]
)
def test_intervals_of_a_high_accuracy_cover_it_though_many_samples_are_all_correct(share, examples):
    generator = np.random.default_rng(11)
    covered = 0
    for repetition in range(400):
        correct = generator.random(examples) < share
        low, high = stats.estimate(MEAN, predictions(correct), repetition, resamples=400).interval
        covered += low <= share <= high
    assert covered / 400 >= 0.90


@pytest.mark.parametrize("value", [0, 1])
@pytest.mark.parametrize(
    ("clusters", "units"),
    [pytest.param(None, 60, id="examples"), pytest.param(np.arange(60) // 3, 20, id="clusters")],
)
def test_values_that_are_all_0_or_all_1_have_the_exact_binomial_interval(value, clusters, units):
    estimate = stats.estimate(MEAN, predictions(np.full(60, value), clusters), seed=1)
    exact = binomtest(value * units, units).proportion_ci(method="exact")
    assert estimate.score == value
    assert estimate.interval == pytest.approx((exact.low, exact.high))


@pytest.mark.parametrize(
    "values",
    [
        pytest.param([1.0] * 19 + [1 - 1e-9], id="almost 1"),
        pytest.param([1.0] * 19 + [0.0], id="one 0"),
        pytest.param([0.5] * 20, id="another constant"),
        pytest.param([0.0, 2.0] * 10, id="a mean of 1"),
    ],
)
def test_other_values_are_resampled(values):
    sampled = replace(MEAN, per_example=False)
    answers = predictions(values)
    assert stats.estimate(MEAN, answers, seed=1) == stats.estimate(sampled, answers, seed=1)


def test_rows_that_do_not_count_do_not_widen_the_exact_interval():
    answers = predictions([1] * 15 + [0] * 15, kept=[True] * 15 + [False] * 15)
    estimate = stats.estimate(metrics.mean_metric("m", "value", where="kept"), answers, seed=1)
    assert estimate.interval == pytest.approx((0.025 ** (1 / 15), 1))


@pytest.mark.parametrize(
    ("values", "clusters"),
    [
        pytest.param([0.5], None, id="one example"),
        pytest.param(range(9), None, id="nine examples"),
        pytest.param([1] * 9, None, id="nine examples, all correct"),
        pytest.param(range(90), np.arange(90) // 10, id="ninety examples of nine clusters"),
        pytest.param([math.nan] * 20, None, id="an undefined score"),
    ],
)
def test_an_interval_is_undefined_without_the_data_for_it(values, clusters):
    estimate = stats.estimate(MEAN, predictions(values, clusters), seed=1)
    assert all(math.isnan(end) for end in estimate.interval)


def test_ten_examples_are_enough_for_an_interval():
    assert stats.FEWEST_UNITS == 10
    low, high = stats.estimate(MEAN, predictions(range(10)), seed=1).interval
    assert low < 4.5 < high


def test_an_interval_whose_resamples_are_all_on_one_side_is_widened_to_its_score():
    """The largest value of a resample is never above that of all examples, and mostly below it."""

    def largest(values):
        return float(np.max(values))

    metric = Metric("largest", largest, ("value",))
    rows = Predictions(Dataset({"row": range(12)}), value=[0.0] * 11 + [1.0])
    lowest = Metric("lowest", lambda values: float(np.quantile(values, 0.04)), ("value",))
    for one in (metric, lowest):
        found = stats.estimate(one, rows, seed=1)
        assert found.interval.low <= found.score <= found.interval.high
    moved = Metric("moved", lambda values: len(set(values.tolist())) / len(values), ("value",))
    rows = Predictions(Dataset({"row": range(12)}), value=[float(row) for row in range(12)])
    # Every example is distinct, and no resample of twelve is: the percentiles end below 1.
    found = stats.estimate(moved, rows, seed=1)
    assert (found.score, found.interval.high) == (1.0, 1.0)
    assert found.interval.low < 0.6
