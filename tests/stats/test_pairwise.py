"""Sign flips of whole units, for all pairs of models."""

from __future__ import annotations

import math

import numpy as np
import pytest

from harness.metrics.standard import ROC_AUC, mean_metric
from harness.stats.influence import score_influences
from harness.stats.paired import Answers
from harness.stats.pairwise import Parts, pairwise_p, unit_shares

pytestmark = pytest.mark.kernels

VALUE = mean_metric("value")


def parts_of(metric, models, clusters):
    answers = [Answers.of(metric, columns, clusters) for columns in models]
    scores = np.array([own.score for own in answers])
    return Parts(scores, np.array([score_influences(own) + own.score * unit_shares(own) for own in answers]))


def of_values(values, clusters=None):
    return parts_of(
        VALUE, [[row] for row in values], np.arange(len(values[0])) if clusters is None else clusters
    )


def enumerated(values):
    """Adjusted p-values of all pairs of three models from all patterns of signs, by the definition."""
    pairs = [(0, 1), (0, 2), (1, 2)]
    differences = np.array([values[one] - values[other] for one, other in pairs])
    lengths = np.sqrt((differences**2).sum(axis=1))
    units = values.shape[1]
    signs = 1 - 2 * ((np.arange(2**units)[:, None] >> np.arange(units)) & 1)
    null = np.abs(signs @ differences.T) / lengths
    observed = np.abs(differences.sum(axis=1)) / lengths
    left, largest, adjusted = [0, 1, 2], 0.0, {}
    for place in np.argsort(-observed):
        p = float(np.mean(null[:, left].max(axis=1) >= observed[place] - 1e-9))
        largest = max(largest, p)
        adjusted[pairs[place]] = largest
        left.remove(place)
    return adjusted


def test_adjusted_p_values_are_those_of_all_sign_flips():
    values = np.random.default_rng(1).normal(size=(3, 12)) + np.array([[1.2], [0.3], [0.0]])
    (p,) = pairwise_p([of_values(values)])
    for (one, other), expected in enumerated(values).items():
        assert p[one, other] == pytest.approx(expected, abs=4 * math.sqrt(expected / 9_999) + 1e-4)
        assert p[one, other] == p[other, one]
    assert np.diag(p).tolist() == [1, 1, 1]


def test_the_parts_of_a_mean_are_what_each_cluster_adds():
    generator = np.random.default_rng(2)
    clusters, values = generator.integers(6, size=30), generator.normal(size=30)
    own = of_values([values], clusters)
    assert own.parts[0] == pytest.approx(np.bincount(clusters, weights=values) / 30)


def test_models_that_answer_alike_do_not_differ():
    values = np.random.default_rng(3).normal(size=30)
    (p,) = pairwise_p([of_values([values, values, values + 1])])
    assert p[0, 1] == 1
    assert p[0, 2] < 0.01


def test_renamed_models_and_models_in_another_order_have_the_same_p_values():
    values = np.random.default_rng(4).normal(size=(5, 40)) + 0.2 * np.arange(5)[:, None]
    (p,) = pairwise_p([of_values(values)])
    order = [3, 1, 4, 0, 2]
    (again,) = pairwise_p([of_values(values[order])])
    np.testing.assert_allclose(again, p[np.ix_(order, order)], atol=2e-4)


@pytest.mark.parametrize(("kind", "models"), [("zipf", 5), ("one of 40 %", 5), ("area", 4), ("heavy", 6)])
def test_any_pair_of_equal_models_differs_in_five_percent(kind, models):
    """A t-test on influences has 15 % on Zipf clusters, and 25 % where one has 40 % of the examples."""
    generator, repetitions, false = np.random.default_rng(7), 200, 0
    for _ in range(repetitions):
        if kind == "area":
            gold = (np.arange(120) < 12).astype(int)
            shared = generator.normal(size=120)
            sides = [[gold, 1.5 * gold + shared + generator.normal(size=120)] for _ in range(models)]
            own = parts_of(ROC_AUC, sides, np.arange(120))
        elif kind == "heavy":
            own = of_values(generator.standard_t(2, size=(models, 60)))
        else:
            weights = 1 / np.arange(1, 26) if kind == "zipf" else np.r_[16, np.ones(24)]
            clusters = generator.choice(25, size=100, p=weights / weights.sum())
            level = generator.normal(size=(models, 25))[:, clusters]
            own = of_values(level + generator.normal(size=(models, 100)), clusters)
        false += pairwise_p([own])[0].min() < 0.05
    assert false / repetitions < 0.055 + 3 * math.sqrt(0.05 * 0.95 / repetitions)
