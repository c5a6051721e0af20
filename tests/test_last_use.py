"""Texts go when nobody can need them any more, and no sooner."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from harness import Role
from harness.last_use import last_uses

ANNOUNCED = st.lists(
    st.lists(st.tuples(st.sampled_from("abcd"), st.sampled_from(Role)), max_size=5), max_size=6
)


@given(ANNOUNCED)
def test_each_announced_text_goes_once_and_no_task_after_that_can_need_it(announced):
    leaving = last_uses(announced)
    assert len(leaving) == len(announced)
    gone = [(text, role) for texts in leaving for role, some in texts.items() for text in some]
    assert sorted(gone) == sorted({one for texts in announced for one in texts})
    for at, texts in enumerate(leaving):
        later = announced[at + 1 :]
        assert not (texts and [] in later)
        needed = {one for texts in later for one in texts}
        assert not needed & {(text, role) for role, some in texts.items() for text in some}


@given(ANNOUNCED.filter(lambda announced: [] not in announced))
def test_a_text_goes_after_the_last_task_that_announces_it(announced):
    leaving = last_uses(announced)
    for at, texts in enumerate(leaving):
        for role, some in texts.items():
            assert all((text, role) in announced[at] for text in some)


def test_a_text_in_another_role_is_another():
    announced = [[("a", Role.QUERY), ("b", Role.QUERY)], [("a", Role.DOCUMENT), ("b", Role.QUERY)]]
    assert last_uses(announced) == [{Role.QUERY: ["a"]}, {Role.DOCUMENT: ["a"], Role.QUERY: ["b"]}]
