"""Influences: against leaving examples out."""

from __future__ import annotations

import numpy as np
import pytest

from harness.metrics.standard import AVERAGE_PRECISION, PEARSON, ROC_AUC, SPEARMAN, mean_metric
from harness.stats.influence import influences, standard_error
from harness.stats.paired import Paired

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
    influence = influences(Paired.of(metric, (base, None), (cand, None), np.arange(150)))
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
    influence = influences(Paired.of(metric, (base, None), (cand, None), np.arange(150) // 4))
    assert len(influence) == 38
    assert influence.sum() == pytest.approx(0, abs=1e-12)


def test_many_units_are_left_out_in_groups_and_the_error_stays_about_the_same():
    base, cand = answers(AVERAGE_PRECISION, rows=2500)
    grouped = influences(Paired.of(AVERAGE_PRECISION, (base, None), (cand, None), np.arange(2500)))
    generator = np.random.default_rng(0)
    picks = (generator.integers(2500, size=2500) for _ in range(300))
    drawn = [
        AVERAGE_PRECISION.compute(*(column[pick] for column in cand))
        - AVERAGE_PRECISION.compute(*(column[pick] for column in base))
        for pick in picks
    ]
    assert standard_error(grouped) == pytest.approx(np.std(drawn), rel=0.15)
