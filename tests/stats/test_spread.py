"""Spread over units."""

from __future__ import annotations

import pytest

from harness.stats.spread import effective_number


@pytest.mark.parametrize(
    ("sizes", "number"),
    [
        pytest.param([3] * 20, 20, id="clusters of one size are as many as they are"),
        pytest.param([80] + [4] * 30, 200**2 / (80**2 + 30 * 16), id="one of 40 % leaves few"),
        pytest.param([100, 0, 0], 1, id="one has everything"),
        pytest.param([1e200, 1e200], 2, id="squares overflow"),
        pytest.param([0, 0], 0, id="all are 0"),
    ],
)
def test_the_effective_number_is_smaller_where_one_has_much(sizes, number):
    assert effective_number(sizes) == pytest.approx(number)
