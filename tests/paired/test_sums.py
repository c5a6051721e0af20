"""Metrics as functions of sums, held against the metrics themselves on rows that are really repeated."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from harness.metrics import PEARSON, ROC_AUC, SPEARMAN, mean_metric
from harness.paired.resampling import resamples
from harness.paired.sums import ranks, sums_of

VALUE = mean_metric("value")


def columns(metric, rows=60, offset=0.0):
    generator = np.random.default_rng(0)
    gold = generator.uniform(0, 5, rows)
    predicted = gold + generator.normal(size=rows) + offset
    return [predicted] if metric.per_example else [gold, predicted]


def drawn_rows(counts, units):
    """Rows of a resample, unit by unit, each as often as its unit came."""
    return np.repeat(np.arange(len(units)), counts[units].astype(int))


@pytest.mark.parametrize("offset", [0.0, 1e6])
@pytest.mark.parametrize("size", [1, 4])
@pytest.mark.parametrize("metric", [VALUE, PEARSON], ids=["mean", "pearson"])
def test_a_resample_of_sums_is_the_metric_of_repeated_rows(metric, size, offset):
    data, units = columns(metric, offset=offset), np.arange(60) // size
    found = sums_of(metric, data, units, 60 // size)
    for counts in next(resamples(60 // size, 1, 20)):
        rows = drawn_rows(counts, units)
        expected = metric.compute(*(column[rows] for column in data))
        assert found.of(counts[None])[0] == pytest.approx(expected, abs=1e-9)


def test_spearman_keeps_the_ranks_of_the_whole_set():
    data = columns(SPEARMAN)
    found = sums_of(SPEARMAN, data, np.arange(60), 60)
    counts = next(resamples(60, 2, 1))
    rows = drawn_rows(counts[0], np.arange(60))
    fixed = [stats.rankdata(column)[rows] for column in data]
    assert found.of(counts)[0] == pytest.approx(stats.pearsonr(*fixed)[0], abs=1e-12)
    assert found.of(np.ones((1, 60)))[0] == pytest.approx(stats.spearmanr(*data)[0], abs=1e-12)


def test_a_resample_without_spread_or_rows_is_undefined():
    gold = np.arange(12.0)
    correlation = sums_of(PEARSON, [gold, gold], np.arange(12), 12)
    mean = sums_of(VALUE, [gold], np.arange(12), 12)
    one_example = np.eye(12)[:1] * 12
    assert np.isnan(correlation.of(one_example)).all()
    assert np.isnan(mean.of(np.zeros((1, 12)))).all()


def test_other_metrics_are_no_sums():
    assert sums_of(ROC_AUC, [np.array([0, 1]), np.array([0.1, 0.9])], np.arange(2), 2) is None


@given(st.lists(st.integers(-5, 5), min_size=1, max_size=50))
def test_ranks_are_scipys(values):
    assert ranks(np.array(values)).tolist() == stats.rankdata(values).tolist()
