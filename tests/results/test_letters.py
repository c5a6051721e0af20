"""Letters: shared exactly where models do not differ."""

from __future__ import annotations

import itertools
import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.results import letters as module
from harness.results.letters import join_letters, letters


def matrix(size, pairs):
    differ = np.zeros((size, size), dtype=bool)
    for one, other in pairs:
        differ[one, other] = differ[other, one] = True
    return differ


def apart(size, steps):
    """Models in a row, of which those differ that are so many steps apart."""
    return np.abs(np.subtract.outer(np.arange(size), np.arange(size))) >= steps


def wrong_pairs(differ, names):
    """Pairs that share a letter and differ, or neither: by looking at each of them."""
    sets = [set(own) for own in names]
    return [
        (one, other)
        for one, other in itertools.product(range(len(differ)), repeat=2)
        if bool(sets[one] & sets[other]) != (one == other or not differ[one, other])
    ]


@st.composite
def matrices(draw):
    size = draw(st.integers(1, 14))
    return matrix(size, [pair for pair in itertools.combinations(range(size), 2) if draw(st.booleans())])


@pytest.mark.parametrize(
    ("size", "pairs", "expected"),
    [
        (0, [], []),
        (1, [], ["a"]),
        (3, [], ["a", "a", "a"]),
        (3, [(0, 1), (0, 2), (1, 2)], ["a", "b", "c"]),
        pytest.param(3, [(0, 2)], ["a", "ab", "b"], id="the middle one differs from neither"),
        (4, [(0, 2), (0, 3), (1, 3)], ["a", "ab", "bc", "c"]),
        pytest.param(4, [(0, 3), (1, 2)], ["ab", "ac", "bd", "cd"], id="no order explains it"),
    ],
)
def test_small_displays_are_the_known_ones(size, pairs, expected):
    assert join_letters(letters(matrix(size, pairs))) == expected


@settings(max_examples=150)
@given(matrices())
def test_models_share_a_letter_exactly_where_they_do_not_differ(differ):
    assert wrong_pairs(differ, letters(differ)) == []


@given(matrices())
def test_the_cover_is_also_exact(differ):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "_MOST_STEPS", 0)
        assert wrong_pairs(differ, letters(differ)) == []


@given(matrices())
def test_no_letter_can_be_left_out(differ):
    names = letters(differ)
    for model, own in enumerate(names):
        for name in own:
            less = [*names[:model], [other for other in own if other != name], *names[model + 1 :]]
            assert wrong_pairs(differ, less)


@given(matrices())
def test_letters_come_in_the_order_of_models(differ):
    first = {}
    for model, own in enumerate(letters(differ)):
        for name in own:
            first.setdefault(name, model)
    order = sorted(first, key=lambda name: (len(name), name))
    assert [first[name] for name in order] == sorted(first.values())


def test_letters_beyond_z_are_named_like_columns_and_separated_by_commas():
    texts = join_letters(letters(~np.eye(800, dtype=bool)))
    assert texts[:2] + texts[25:28] + texts[701:703] == ["a", "b", "z", "aa", "ab", "zz", "aaa"]
    assert join_letters(letters(apart(40, 2)))[30] == "ad,ae"
    assert join_letters(letters(apart(26, 2)))[24] == "xy"


def test_more_letters_than_the_maximum_are_none():
    assert letters(apart(60, 30), 26) is None
    assert letters(apart(60, 20), 26) is not None
    assert letters(~np.eye(60, dtype=bool), 1) is not None


def paired_off(size):
    """Everybody differs from one other: 2^(size / 2) maximal sets."""
    return matrix(size, [(one, one + 1) for one in range(0, size, 2)])


@pytest.mark.parametrize(
    "differ",
    [
        pytest.param(np.random.default_rng(0).random((1000, 1000)) < 0.5, id="at random"),
        pytest.param(paired_off(1000), id="paired off"),
        pytest.param(apart(1000, 100), id="in a row"),
        pytest.param(~np.eye(1000, dtype=bool), id="all differ"),
    ],
)
def test_a_thousand_models_get_letters_or_none_at_once(differ):
    differ = np.triu(differ, 1)
    start = time.process_time()
    letters(differ | differ.T, 26)
    assert time.process_time() - start < 10


def test_too_many_sets_to_enumerate_are_covered_exactly():
    assert wrong_pairs(paired_off(60), letters(paired_off(60))) == []
