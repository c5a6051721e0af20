"""Intervals of ranks, and the chance of being best."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import norm

from harness.stats.rank_doubt import chance_of_best, rank_intervals


def test_a_rank_lies_between_those_who_are_better_and_those_who_are_worse():
    p = np.array([[1, 0.5, 0.01], [0.5, 1, 0.2], [0.01, 0.2, 1]])
    assert rank_intervals(np.array([0.9, 0.8, 0.7]), p) == [(1, 2), (1, 3), (2, 3)]
    assert rank_intervals(np.array([0.7, 0.8, 0.9]), p) == [(2, 3), (1, 3), (1, 2)]
    assert rank_intervals(np.array([0.9, 0.8, 0.7]), p, unknown=2) == [(1, 4), (1, 5), (2, 5)]


def test_the_chance_of_the_better_of_two_is_that_of_a_normal_gain():
    generator = np.random.default_rng(0)
    values = generator.normal(size=(2, 200)) + generator.normal(size=200)
    centered = (values - values.mean(axis=1, keepdims=True)) / 200
    difference = values[0] - values[1]
    error = difference.std(ddof=1) / np.sqrt(200)
    chances = chance_of_best(np.array([0.1, 0.0]), centered)
    assert chances[0] == pytest.approx(norm.cdf(0.1 / error), abs=0.02)
    assert chances.sum() == pytest.approx(1)


def test_models_that_tie_share_the_lead():
    own = np.random.default_rng(1).normal(size=100)
    chances = chance_of_best(np.array([0.5, 0.5, 0.1]), np.array([own, own, own]) / 1000)
    assert chances.tolist() == pytest.approx([0.5, 0.5, 0.0])
    assert chance_of_best(np.ones(2), np.zeros((2, 20))).tolist() == [0.5, 0.5]


def test_the_chances_do_not_depend_on_names_and_hardly_on_the_order_of_models():
    generator = np.random.default_rng(2)
    values, scores = generator.normal(size=(4, 150)) / 150, np.array([0.1, 0.05, 0.08, 0.0])
    order = [2, 0, 3, 1]
    chances = chance_of_best(scores, values)
    assert chance_of_best(scores[order], values[order]) == pytest.approx(chances[order], abs=0.03)


def test_a_lead_is_drawn_as_widely_as_its_own_curve():
    scores, influences = np.array([0.1, 0.0]), np.zeros((2, 50))
    assert chance_of_best(scores, influences).tolist() == [1.0, 0.0]
    chances = chance_of_best(scores, influences, np.array([0.0, 0.05]))
    assert chances[0] == pytest.approx(norm.cdf(2), abs=0.01)


def test_models_that_tie_in_doubt_share_the_lead_evenly():
    errors = np.array([0.0, 0.1, 0.1])
    chances = chance_of_best(np.full(3, 0.5), np.zeros((3, 50)), errors, ["a", "b", "c"])
    assert chances.tolist() == pytest.approx([1 / 3] * 3, abs=0.02)
    twins = chance_of_best(np.full(2, 0.5), np.zeros((2, 50)), np.zeros(2), ["a", "a"])
    assert twins.tolist() == [0.5, 0.5]
