"""Influences: against leaving examples out."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import numpy as np
import pytest

from harness.metrics.interface import Metric
from harness.metrics.standard import (
    AVERAGE_PRECISION,
    MACRO_F1,
    PEARSON,
    ROC_AUC,
    SPEARMAN,
    average_precision,
    mean_metric,
)
from harness.stats.answer_pair import AnswerPair, Answers
from harness.stats.influence import example_influences, influences, standard_error

pytestmark = pytest.mark.kernels


def answers(metric, seed=0, rows=150, *, ties=False):
    generator = np.random.default_rng(seed)
    gold = generator.uniform(0, 5, rows)
    left, right = gold + generator.normal(size=rows), gold + generator.normal(size=rows) * 2
    if ties:
        gold, left, right = np.round(gold), np.round(left), np.round(right)
    if metric in (ROC_AUC, AVERAGE_PRECISION):
        gold = (gold > 2.5).astype(int)
    return ([left], [right]) if metric.per_example else ([gold, left], [gold, right])


@pytest.mark.parametrize(
    "metric", [mean_metric("value"), PEARSON, SPEARMAN, ROC_AUC, AVERAGE_PRECISION], ids=lambda m: m.name
)
@pytest.mark.parametrize("ties", [False, True])
def test_an_influence_is_that_of_leaving_the_example_out(metric, ties):
    base, cand = answers(metric, ties=ties)
    influence = influences(AnswerPair.of(metric, (base, None), (cand, None), np.arange(150)))
    rows = np.arange(150)
    without = np.array(
        [
            metric.compute(*(column[rows != row] for column in cand))
            - metric.compute(*(column[rows != row] for column in base))
            for row in rows
        ]
    )
    jackknife = (without.mean() - without) * 149 / 150
    assert np.corrcoef(influence, jackknife)[0, 1] > 0.995
    assert standard_error(influence) == pytest.approx(
        np.sqrt(149 / 150 * ((without - without.mean()) ** 2).sum()), rel=0.05
    )


@pytest.mark.parametrize("metric", [PEARSON, SPEARMAN, ROC_AUC], ids=lambda m: m.name)
def test_influences_sum_to_zero_over_clusters_too(metric):
    base, cand = answers(metric)
    influence = influences(AnswerPair.of(metric, (base, None), (cand, None), np.arange(150) // 4))
    assert len(influence) == 38
    assert influence.sum() == pytest.approx(0, abs=1e-12)


def leave_one_out(metric, columns):
    rows = np.arange(len(columns[0]))
    return np.array([metric.compute(*(column[rows != row] for column in columns)) for row in rows])


@pytest.mark.parametrize("ties", [False, True])
@pytest.mark.parametrize("positives", [2, 5, 40])
def test_average_precision_without_each_example_is_exact(ties, positives):
    generator = np.random.default_rng(positives)
    gold = (np.arange(80) < positives).astype(int)
    predicted = gold * 0.8 + generator.normal(size=80)
    columns = [gold, np.round(predicted) if ties else predicted]
    without = leave_one_out(AVERAGE_PRECISION, columns)
    found = example_influences(Answers.of(AVERAGE_PRECISION, columns, np.arange(80)))
    assert found == pytest.approx((without.mean() - without) * 79 / 80, abs=1e-12)


@pytest.mark.parametrize("labels", [2, 5, 30], ids=lambda labels: f"{labels} classes")
def test_macro_f1_without_each_example_is_exact_also_where_a_class_vanishes(labels):
    generator = np.random.default_rng(labels)
    gold = generator.integers(0, labels, 60)
    predicted = np.where(generator.random(60) < 0.6, gold, generator.integers(0, labels + 3, 60))
    columns = [gold.astype(str), predicted.astype(str)]
    without = leave_one_out(MACRO_F1, columns)
    found = example_influences(Answers.of(MACRO_F1, columns, np.arange(60)))
    assert found == pytest.approx((without.mean() - without) * 59 / 60, abs=1e-12)


def test_influences_of_examples_are_unknown_for_a_metric_without_a_formula():
    values = np.arange(20.0)
    unknown = Metric("mine", lambda values: float(np.median(values)), columns=("value",))
    with pytest.raises(LookupError, match="mine"):
        example_influences(Answers.of(unknown, [values], np.arange(20)))


def test_many_units_are_left_out_in_groups_and_the_error_stays_about_the_same():
    base, cand = answers(AVERAGE_PRECISION, rows=2500)
    unknown = replace(AVERAGE_PRECISION, compute=partial(average_precision))
    exact, grouped = (
        influences(AnswerPair.of(metric, (base, None), (cand, None), np.arange(2500)))
        for metric in (AVERAGE_PRECISION, unknown)
    )
    assert standard_error(grouped) == pytest.approx(standard_error(exact), rel=0.15)
