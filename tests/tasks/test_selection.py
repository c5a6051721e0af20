"""Selection of tasks by the words of `--tasks` and `--exclude`."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness import HarnessError, Task
from harness.authoring import TaskScheme
from harness.tasks.selection import find_ambiguous_names, name_error, select_tasks, tags_of


class Named(Task):
    """A name and tags."""

    kind, metrics = "named", ()

    def __init__(self, name, *tags):
        self.name, self.tags = name, frozenset(tags)

    def load(self, source):
        raise AssertionError("selecting reads no data")

    def predict(self, model, dataset):
        raise AssertionError("selecting runs nothing")


TASKS = {
    task.name: task
    for task in (
        Named("stsb", "sts"),
        Named("stsb-dev", "sts"),
        Named("contract-nli", "legal"),
        Named("triplets", "legal", "triplet"),
        Named("legal-pairs", "sts", "legal"),
    )
}
SCHEMES = {"mteb": TaskScheme("mteb", "a task of mteb", lambda name: Named(f"mteb:{name}"))}
WORDS = ["stsb", "contract-nli", "triplets", "sts", "legal", "triplet", "mteb:SciFact"]


def select(*wanted, exclude=()):
    return [selected.task.name for selected in select_tasks(wanted, TASKS, SCHEMES, exclude)]


def test_names_and_tags_select_tasks_in_the_order_of_their_names():
    assert select("stsb") == ["stsb"]
    assert select("legal") == ["contract-nli", "legal-pairs", "triplets"]
    assert select("stsb", "legal") == ["contract-nli", "legal-pairs", "stsb", "triplets"]


@given(st.lists(st.sampled_from(WORDS), min_size=1, max_size=6), st.randoms())
def test_neither_order_nor_repetition_of_words_matters(words, random):
    shuffled = [*words, *words]
    random.shuffle(shuffled)
    once, again = (
        [(selected.task.name, selected.by_name) for selected in select_tasks(order, TASKS, SCHEMES)]
        for order in (words, shuffled)
    )
    assert once == again


@given(st.lists(st.sampled_from(WORDS), min_size=1), st.lists(st.sampled_from(WORDS)))
def test_exclude_removes_exactly_the_tasks_that_it_selects(words, exclude):
    whole = set(select(*words))
    excluded = set(select(*exclude)) if exclude else set()
    if whole <= excluded:
        with pytest.raises(HarnessError, match="no tasks left: --exclude excludes all"):
            select(*words, exclude=exclude)
    else:
        assert set(select(*words, exclude=exclude)) == whole - excluded


def test_a_task_is_selected_by_name_when_any_word_is_its_name():
    for words in itertools.permutations(["sts", "stsb"]):
        by_name = {selected.task.name: selected.by_name for selected in select_tasks(words, TASKS, SCHEMES)}
        assert by_name == {"legal-pairs": False, "stsb": True, "stsb-dev": False}


def test_a_name_wins_over_a_tag_of_that_name():
    tasks = {**TASKS, "sts": Named("sts")}
    assert [selected.task.name for selected in select_tasks(["sts"], tasks, SCHEMES)] == ["sts"]


def test_a_prefix_resolves_tasks_that_are_not_listed():
    (selected,) = select_tasks(["mteb:SciFact"], TASKS, SCHEMES)
    assert (selected.task.name, selected.by_name) == ("mteb:SciFact", True)


def test_all_unknown_words_are_named_at_once_with_the_nearest_and_all_that_exists():
    with pytest.raises(HarnessError) as caught:
        select("stss", "legal", "xyzzy", exclude=["contract-nil"])
    assert caught.value.message == "no task or tag named 'stss', 'xyzzy', 'contract-nil'"
    assert "did you mean: sts, stsb, contract-nli" in caught.value.exists
    assert "tasks: contract-nli, legal-pairs, stsb, stsb-dev, triplets" in caught.value.exists
    assert "tags: legal, sts, triplet" in caught.value.exists
    assert "harness list tasks" in caught.value.hint


def test_an_unknown_prefix_is_an_unknown_word():
    with pytest.raises(HarnessError, match="no task or tag named 'mtbe:SciFact'"):
        select("mtbe:SciFact")


def test_no_words_are_an_error_that_lists_the_tasks():
    with pytest.raises(HarnessError, match=r"no tasks\n  tasks: contract-nli(.|\n)*--tasks sts,legal"):
        select()


def test_every_tag_lists_its_tasks():
    assert tags_of(TASKS) == {
        "legal": ["contract-nli", "legal-pairs", "triplets"],
        "sts": ["legal-pairs", "stsb", "stsb-dev"],
        "triplet": ["triplets"],
    }


def test_a_name_that_is_a_tag_of_others_is_ambiguous_and_its_own_tag_is_not():
    assert find_ambiguous_names(TASKS) == {}
    assert find_ambiguous_names({**TASKS, "sts": Named("sts", "sts")}) == {
        "sts": ["legal-pairs", "stsb", "stsb-dev"]
    }
    assert find_ambiguous_names({**TASKS, "ours": Named("ours", "ours", "triplets")}) == {
        "triplets": ["ours"]
    }


@pytest.mark.parametrize(
    ("name", "problem"),
    [
        ("stsb", None),
        ("mteb:SciFact", None),
        ("two words", None),
        ("", "is empty"),
        (" ", "begins or ends with white space"),
        ("stsb\n", "begins or ends with white space"),
        ("a,b", "holds a comma"),
    ],
)
def test_a_name_is_valid_when_a_word_can_select_it(name, problem):
    assert name_error(name) == problem


def test_a_suite_selects_its_tasks_as_if_they_were_named():
    suites = {"release": ("triplets", "stsb", "mteb:SciFact")}
    found = select_tasks(["release"], TASKS, SCHEMES, suites=suites)
    assert [(selected.task.name, selected.by_name) for selected in found] == [
        ("mteb:SciFact", True),
        ("stsb", True),
        ("triplets", True),
    ]
    rest = select_tasks(["legal"], TASKS, SCHEMES, exclude=["release"], suites=suites)
    assert [selected.task.name for selected in rest] == ["contract-nli", "legal-pairs"]


def test_a_task_of_a_suite_that_does_not_exist_is_named_with_the_suite():
    with pytest.raises(
        HarnessError, match=r"named 'stsbb' \(of suite release\)\n.*did you mean: stsb"
    ) as error:
        select_tasks(["release"], TASKS, SCHEMES, suites={"release": ("stsbb",)})
    assert "suites: release" in str(error.value)
