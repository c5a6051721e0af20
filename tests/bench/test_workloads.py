from __future__ import annotations

import statistics

import pytest

from harness.bench.workloads import NAMES, Writer, make_workload, read_workload, select_workloads
from harness.errors import HarnessError

DIGESTS = {
    "short": "aeb56b45bb9cd42ba8376f8bae1dcac1e5d9e07767db150034314eefdb1156bc",
    "medium": "1bcee9a46bc7a83da68e5d6209e130a8b62d5f2a8e76a35cee41b3ad8fec6962",
    "long": "5ed2a5a236df8aa26f745fa1bca1ba78e7941cd5293378de8225aba23880b239",
    "sts": "02d36b77c69ba4c38ac835458cb88940928fe4bf312b2fc394215184262d9c05",
    "documents": "628812b79e9a1c7b8c5e4e0df6e73a70e6654089696a41a2bb0104dc3a7f9f2a",
}
"""Digests of the built-in workloads: with other texts, figures would no longer be comparable."""


def test_the_texts_of_workloads_do_not_change():
    assert {name: make_workload(name).digest for name in NAMES} == DIGESTS


@pytest.mark.parametrize("name", NAMES)
def test_texts_of_a_workload_are_distinct_so_that_none_can_be_skipped(name):
    texts = make_workload(name).texts
    assert len(set(texts)) == len(texts) >= 16
    assert all(text == text.strip() and "\n" not in text for text in texts)


@pytest.mark.parametrize(
    ("name", "shortest", "longest", "mean"),
    [
        ("short", 3, 8, 5.4),
        ("medium", 15, 40, 28.2),
        ("long", 162, 246, 200.6),
        ("sts", 6, 24, 11.6),
        ("documents", 5, 310, 93.4),
    ],
)
def test_workloads_have_the_lengths_that_their_names_promise(name, shortest, longest, mean):
    words = [len(text.split()) for text in make_workload(name).texts]
    assert (min(words), max(words)) == (shortest, longest)
    assert statistics.mean(words) == pytest.approx(mean, abs=0.1)


def test_documents_are_skewed_as_collections_are():
    words = [len(text.split()) for text in make_workload("documents").texts]
    assert statistics.median(words) < 60 < statistics.mean(words)


@pytest.mark.parametrize("words", [1, 2, 3, 7, 50, 401])
def test_a_text_has_exactly_the_requested_number_of_words(words):
    assert all(len(Writer(seed).text(words).split()) == words for seed in range(20))


def test_a_larger_workload_begins_with_the_default_texts():
    more = make_workload("sts:300")
    assert (more.name, len(set(more.texts))) == ("sts:300", 300)
    assert more.texts[:256] == make_workload("sts").texts
    assert make_workload("short:3").texts == make_workload("short").texts[:3]


@pytest.mark.parametrize("name", ["sts:", "sts:0", "sts:-1", "sts:many", "sts:99999999"])
def test_an_invalid_number_of_texts_is_an_error(name):
    with pytest.raises(HarnessError, match="is not NAME:TEXTS"):
        select_workloads([name])


def test_a_file_is_a_workload_of_its_lines(tmp_path):
    (tmp_path / "mine.txt").write_text("first text\n\nsecond text\n", encoding="utf-8")
    found = read_workload(tmp_path / "mine.txt")
    assert (found.name, found.texts) == ("mine.txt", ("first text", "second text"))


def test_workloads_are_chosen_by_name_or_file_each_once(tmp_path):
    (tmp_path / "mine.txt").write_text("a text\n")
    chosen = select_workloads(["sts", "all", str(tmp_path / "mine.txt"), "sts"])
    assert [one.name for one in chosen] == ["sts", "short", "medium", "long", "documents", "mine.txt"]


def test_an_unknown_or_empty_workload_is_an_error(tmp_path):
    with pytest.raises(HarnessError, match="no workload named 'shrot'") as error:
        select_workloads(["shrot"])
    assert "did you mean: short" in str(error.value)
    (tmp_path / "empty.txt").write_text("\n\n")
    with pytest.raises(HarnessError, match="has no texts"):
        select_workloads([str(tmp_path / "empty.txt")])
    (tmp_path / "short").write_text("a text\n")
    with pytest.raises(HarnessError, match="two workloads are named 'short'"):
        select_workloads(["short", str(tmp_path / "short")])
