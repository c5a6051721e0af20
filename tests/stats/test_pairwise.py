"""Sign flips of whole units, for all pairs of models."""

from __future__ import annotations

import math

import numpy as np
import pytest

from harness.metrics.standard import ROC_AUC, mean_metric
from harness.stats.answer_pair import Answers
from harness.stats.influence import score_influences
from harness.stats.pairwise import Parts, pairwise_p, unit_shares

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
    """Adjusted p-values of all pairs of three models from all patterns of signs: min-P's definition."""
    pairs = [(0, 1), (0, 2), (1, 2)]
    differences = np.array([values[one] - values[other] for one, other in pairs])
    units = values.shape[1]
    signs = 1 - 2 * ((np.arange(2**units)[:, None] >> np.arange(units)) & 1)
    # The first pattern is that of the observed signs; a pattern's p-value is the share of larger sums.
    sums = np.round(np.abs(signs @ differences.T), 9)
    own = np.array([1 - np.searchsorted(np.sort(each), each) / len(signs) for each in sums.T]).T
    left, largest, adjusted = [0, 1, 2], 0.0, {}
    for place in np.argsort(own[0]):
        p = float(np.mean(own[:, left].min(axis=1) <= own[0, place]))
        largest = max(largest, p)
        adjusted[pairs[place]] = largest
        left.remove(place)
    return adjusted


def test_adjusted_p_values_are_those_of_all_sign_flips():
    for largest in (1.0, 5.0):
        values = np.random.default_rng(1).normal(size=(3, 12)) + np.array([[1.2], [0.3], [0.0]])
        values[:2, 0] *= largest
        (p,) = pairwise_p([of_values(values)])
        for (one, other), expected in enumerated(values).items():
            slack = 4 * math.sqrt(expected / 9_999) + 0.03 * expected + 1e-4  # a saddlepoint is not exact
            assert p[one, other] == pytest.approx(expected, abs=slack)
            assert p[one, other] == p[other, one]
        assert np.diag(p).tolist() == [1, 1, 1]


def board(largest=1.0, by=(0.16, 0.15, 0.10, 0.05, 0.01, 0.0), spread=0.03):
    """Parts of six models in 34 clusters of Zipf-like sizes, the first so many times as large."""
    sizes = np.r_[largest, 1 / np.arange(2, 35)]
    values = spread * np.random.default_rng(3).normal(size=(len(by), 34)) + np.array(by)[:, None]
    parts = values * sizes / sizes.sum()
    return Parts(parts.sum(axis=1), parts)


def test_a_pair_that_one_cluster_dominates_is_told_apart_where_all_clusters_agree():
    own = board(largest=2.0)
    differences = own.parts[:, None] - own.parts
    (p,) = pairwise_p([own])
    agree = (differences > 0).all(axis=2)
    assert agree[0, 3]
    # One pattern of 2^34 gives such a sum: any other pair is less clear.
    assert p[agree].max() < 0.001


def test_clearer_pairs_by_their_own_sign_flips_have_the_smaller_adjusted_p_values():
    own = board()
    pairs = [*zip(*np.triu_indices(6, 1), strict=True)]
    alone = np.array([sign_flip_p_by_draws(own.parts[one] - own.parts[other]) for one, other in pairs])
    (p,) = pairwise_p([own])
    adjusted = np.array([p[pair] for pair in pairs])
    for clear, unclear in zip(*np.nonzero(alone[:, None] * 2 + 0.002 < alone), strict=True):
        assert adjusted[clear] <= adjusted[unclear]
    # Bonferroni's correction is the most that any joint distribution asks for, but for draws.
    assert (adjusted <= 15 * alone + 0.01).all()


def sign_flip_p_by_draws(differences):
    signs = np.random.default_rng(5).choice([-1.0, 1.0], size=(20_000, len(differences)))
    return float(np.mean(np.abs(signs @ differences) >= abs(differences.sum()) - 1e-12))


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
