"""Letters: shared exactly where models do not differ."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.standing.letters import letters


def matrix(size, pairs):
    differ = np.zeros((size, size), dtype=bool)
    for one, other in pairs:
        differ[one, other] = differ[other, one] = True
    return differ


def as_sets(found):
    return [set(one.split(",")) if "," in one else set(one) for one in found]


@pytest.mark.parametrize(
    ("size", "pairs", "expected"),
    [
        (1, [], ["a"]),
        (3, [], ["a", "a", "a"]),
        (3, [(0, 1), (0, 2), (1, 2)], ["a", "b", "c"]),
        pytest.param(3, [(0, 2)], ["a", "ab", "b"], id="the middle one differs from neither"),
        (4, [(0, 2), (0, 3), (1, 3)], ["a", "ab", "bc", "c"]),
    ],
)
def test_small_displays_are_the_known_ones(size, pairs, expected):
    assert letters(matrix(size, pairs)) == expected


@settings(max_examples=60)
@given(st.integers(1, 14), st.data())
def test_models_share_a_letter_exactly_where_they_do_not_differ(size, data):
    pairs = [(one, other) for one in range(size) for other in range(one) if data.draw(st.booleans())]
    differ = matrix(size, pairs)
    found = as_sets(letters(differ))
    assert all(found)
    for one in range(size):
        for other in range(size):
            assert bool(found[one] & found[other]) == (one == other or not differ[one, other])


def test_more_letters_than_anybody_reads_are_none():
    apart = ~np.eye(60, dtype=bool)
    assert letters(apart, 60) is not None
    assert letters(matrix(60, [(one, other) for one in range(60) for other in range(one - 1)]), 52) is None


def test_beyond_z_letters_are_separated_by_commas():
    size = 40
    found = letters(~np.eye(size, dtype=bool))
    assert found[:2] == ["a", "b"]
    assert found[25:28] == ["z", "aa", "ab"]
    chain = letters(matrix(size, [(one, other) for one in range(size) for other in range(one - 1)]))
    assert chain[30] == "ad,ae"
