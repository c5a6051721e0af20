"""Texts are dropped after their last use, and not before."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from harness import Role
from harness.encoding.last_use import LastUse

ANNOUNCED = st.lists(
    st.sets(st.tuples(st.sampled_from("abcd"), st.sampled_from(Role)), max_size=5), max_size=6
)


@given(ANNOUNCED, st.integers(0, 3), st.integers(0, 9), st.sampled_from("abcde"), st.sampled_from(Role))
def test_a_text_is_unused_if_all_remaining_tasks_announce_texts_without_it(
    announced, first, number, text, role
):
    remaining = announced[max(0, number + 1 - first) :]
    unused = LastUse(announced, first).is_unused_after(text, role, number)
    assert unused == all(texts and (text, role) not in texts for texts in remaining)
