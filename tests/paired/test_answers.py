"""Two models' answers side by side."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from harness.metrics import AVERAGE_PRECISION, MACRO_F1, PEARSON, ROC_AUC, mean_metric
from harness.paired.answers import Paired
from harness.paired.gain import gain_of
from harness.paired.resampling import resamples

VALUE = mean_metric("value")


def labelled(rows=80, seed=0):
    generator = np.random.default_rng(seed)
    gold = (generator.random(rows) < 0.4).astype(int)
    return gold, *(gold + generator.normal(size=rows) for _ in range(2))


def test_units_are_clusters_numbered_without_gaps():
    both = Paired.of(VALUE, ([np.zeros(4)], None), ([np.ones(4)], None), np.array(["b", "a", "b", "z"]))
    assert both.units.tolist() == [1, 0, 1, 2]
    assert (both.examples, both.count, both.clustered, both.gain) == (4, 3, True, 1.0)


def test_units_without_a_row_that_counts_in_either_model_are_left_out():
    left, right = np.array([True, True, False, False]), np.array([True, False, True, False])
    both = Paired.of(VALUE, ([np.arange(4.0)], left), ([np.arange(4.0)], right), np.arange(4))
    assert (both.examples, both.count) == (3, 3)
    assert both.scores == (0.5, 1.0)


def test_no_rows_are_no_units():
    none = np.zeros(3, dtype=bool)
    both = Paired.of(VALUE, ([np.zeros(3)], none), ([np.zeros(3)], none), np.arange(3))
    assert (both.examples, both.count) == (0, 0)
    assert gain_of(both, 0).test == "none"


@pytest.mark.parametrize("metric", [ROC_AUC, AVERAGE_PRECISION, MACRO_F1], ids=lambda m: m.name)
def test_many_resamples_at_once_are_the_metric_of_repeated_rows(metric):
    gold, left, right = labelled()
    if metric is MACRO_F1:
        left, right = (left > 0.5).astype(int), (right > 0.5).astype(int)
    both = Paired.of(metric, ([gold, left], None), ([gold, right], None), np.arange(80) // 4)
    slow = replace(metric, resample=None)
    apart = Paired.of(slow, ([gold, left], None), ([gold, right], None), np.arange(80) // 4)
    counts = next(resamples(20, 0, 25))
    assert both.resampled(counts) == pytest.approx(apart.resampled(counts), abs=1e-12)


@pytest.mark.parametrize("metric", [VALUE, PEARSON, ROC_AUC], ids=lambda m: m.name)
def test_the_order_of_examples_does_not_matter_where_their_clusters_keep_theirs(metric):
    gold, left, right = labelled()
    sides = [[one] if metric.per_example else [gold, one] for one in (left, right)]
    clusters, order = np.arange(80) // 4, np.random.default_rng(1).permutation(80)
    there = gain_of(Paired.of(metric, (sides[0], None), (sides[1], None), clusters), 3)
    shuffled = [([column[order] for column in side], None) for side in sides]
    back = gain_of(Paired.of(metric, *shuffled, clusters[order]), 3)
    assert (back.value, back.low, back.high, back.p) == pytest.approx(
        (there.value, there.low, there.high, there.p), abs=1e-9
    )


@pytest.mark.parametrize("metric", [VALUE, PEARSON, ROC_AUC, AVERAGE_PRECISION], ids=lambda m: m.name)
def test_a_missing_answer_leaves_neither_interval_nor_test(metric):
    gold, left, right = labelled()
    right[5] = np.nan
    sides = [[one] if metric.per_example else [gold, one] for one in (left, right)]
    assert gain_of(Paired.of(metric, (sides[0], None), (sides[1], None), np.arange(80)), 0).test == "none"
