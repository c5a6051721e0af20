"""Holm's correction."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.stats.holm import holm


def test_corrected_values_are_those_of_statsmodels():
    # statsmodels 0.15.0, stats.multitest.multipletests by the method "holm", gave these.
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])


def test_a_p_value_that_is_nan_stays_nan_and_does_not_count():
    adjusted = holm([0.01, math.nan, 0.04])
    assert (adjusted[0], adjusted[2]) == pytest.approx((0.02, 0.04))
    assert math.isnan(adjusted[1])


@given(st.lists(st.one_of(st.floats(0, 1), st.just(math.nan)), max_size=40))
def test_p_values_are_adjusted_one_after_the_other_from_the_smallest(values):
    """The definition, step by step: each gets the number of tests that are left as its factor."""
    tested = sorted((value, position) for position, value in enumerate(values) if not math.isnan(value))
    expected, largest = [math.nan] * len(values), 0.0
    for rank, (value, position) in enumerate(tested):
        largest = max(largest, min(1.0, (len(tested) - rank) * value))
        expected[position] = largest
    np.testing.assert_array_equal(holm(values), expected)


@given(st.lists(st.floats(0, 1), max_size=20))
def test_corrected_values_are_larger_keep_their_order_and_stay_probabilities(values):
    adjusted = holm(values)
    assert all(value <= corrected <= 1 for value, corrected in zip(values, adjusted, strict=True))
    assert [adjusted[position] for position in np.argsort(values, kind="stable")] == sorted(adjusted)
    assert all(
        corrected <= min(1, len(values) * value) + 1e-12
        for value, corrected in zip(values, adjusted, strict=True)
    )
