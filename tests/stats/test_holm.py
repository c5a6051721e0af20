"""Holm's correction."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.stats.proportions import holm

pytestmark = pytest.mark.kernels


def test_it_gives_what_statsmodels_gives():
    # statsmodels 0.15.0, stats.multitest.multipletests by the method "holm", gave these.
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])


def test_what_was_not_tested_counts_for_nothing():
    found = holm([0.01, math.nan, 0.04])
    assert (found[0], found[2]) == pytest.approx((0.02, 0.04))
    assert math.isnan(found[1])


@given(st.lists(st.floats(0, 1), max_size=20))
def test_corrected_values_are_larger_keep_their_order_and_stay_probabilities(values):
    found = holm(values)
    assert all(value <= corrected <= 1 for value, corrected in zip(values, found, strict=True))
    assert [found[place] for place in sorted(range(len(values)), key=values.__getitem__)] == sorted(found)
    assert all(
        corrected <= min(1, len(values) * value) + 1e-12
        for value, corrected in zip(values, found, strict=True)
    )
