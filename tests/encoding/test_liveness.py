"""Texts go when nobody can need them any more, and no sooner."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from harness import Role
from harness.encoding.liveness import Liveness

ANNOUNCED = st.lists(
    st.sets(st.tuples(st.sampled_from("abcd"), st.sampled_from(Role)), max_size=5), max_size=6
)


@given(ANNOUNCED, st.integers(0, 3), st.integers(0, 9), st.sampled_from("abcde"), st.sampled_from(Role))
def test_a_text_is_over_when_all_tasks_left_announce_theirs_and_it_is_not_among_them(
    announced, first, number, text, role
):
    left = announced[max(0, number + 1 - first) :]
    over = Liveness(announced, first).is_unused_after(text, role, number)
    assert over == all(texts and (text, role) not in texts for texts in left)
