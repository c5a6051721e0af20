"""Two groups of similarities that are far apart, found without any label."""

from __future__ import annotations

import numpy as np
import pytest

from harness_train.similarity_groups import find_groups


def test_two_groups_far_apart_are_told_from_each_other():
    random = np.random.default_rng(1)
    values = np.concatenate([random.normal(0.1, 0.05, 70), random.normal(0.8, 0.05, 50)])
    assert np.array_equal(find_groups(values), np.arange(120) >= 70)


@pytest.mark.parametrize(
    "values",
    [
        np.linspace(0, 1, 200),
        np.random.default_rng(2).normal(0.5, 0.1, 200),
        np.concatenate([np.linspace(0, 0.5, 100), np.linspace(0.4, 1, 100)]),
        np.full(50, 0.3),
        np.array([0.1, 0.9]),
    ],
    ids=["even", "one peak", "overlap", "one value", "two values"],
)
def test_values_without_two_groups_have_none(values):
    assert find_groups(values) is None
