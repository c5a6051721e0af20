"""Names shortened in the middle: short, and each its own."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.short_names import short_names


@pytest.mark.parametrize(
    ("names", "shown"),
    [
        pytest.param(["lexical", "minilm"], ["lexical", "minilm"], id="short ones stay"),
        pytest.param(["a-very-long-name-of-a-model"], ["a-very-…-model"], id="the middle is left out"),
        pytest.param(
            ["legal-model-lr1-with-dropout", "legal-model-lr2-with-dropout"],
            ["lega…1-with-d…", "lega…2-with-d…"],
            id="alike at both ends: what differs is kept",
        ),
        pytest.param(
            [f"legal-model-epoch-{epoch}" for epoch in (9, 10)],
            ["legal-m…poch-9", "legal-m…och-10"],
            id="alike at the beginning",
        ),
    ],
)
def test_a_name_keeps_what_tells_it_apart(names, shown):
    assert [short_names(names, 14)[name] for name in names] == shown


@settings(max_examples=40)
@given(st.sets(st.text("ab", min_size=1, max_size=30), min_size=1, max_size=12), st.integers(5, 30))
def test_no_two_names_look_the_same(names, most):
    shown = short_names(names, most)
    assert len({*shown.values()}) == len(names)
    assert all(shown[name] == name for name in names if len(name) <= most)


def test_names_that_differ_in_one_place_stay_within_the_limit():
    names = [f"sentence-transformers/candidate-{one:02}-of-the-large-sweep-of-november" for one in range(20)]
    shown = short_names(names, 16)
    assert max(map(len, shown.values())) == 16
    assert len({*shown.values()}) == 20
