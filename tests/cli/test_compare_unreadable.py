"""`harness compare` where files of results cannot be read: the rest is compared, and nothing passes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from comparison.made import answer, right

ALL = ("base", "c01", "c02")


@pytest.fixture(autouse=True)
def results(somewhere_else):
    """One folder with a baseline and two candidates, each on two tasks."""
    for number, model in enumerate(ALL):
        for task in ("t1", "t2"):
            answer("out", model, task, correct=right(0.6 + 0.1 * number))


def tear(model, task="t1", folder="out"):
    (path,) = Path(folder).glob(f"records/{model}~*/{task}.json")
    path.write_text("{")
    return path


def compared(harness, *words, code=0):
    found = harness("compare", "out", "--baseline", "base", "--format", "json", *words)
    assert found.code == code, found.err
    return json.loads(found.out), found.err


def test_a_record_that_is_not_asked_for_is_a_problem_and_stops_nothing(harness):
    tear("c01")
    found, err = compared(harness, "--candidate", "c02", "--margin", "0.05")
    assert [line["task"] for line in found["comparisons"][0]["lines"]] == ["t1", "t2"]
    assert err.startswith("PROBLEM out/records/c01~")
    assert len(err.splitlines()) == 1


@pytest.mark.parametrize("torn", ["base", "c02"])
def test_a_record_that_is_asked_for_is_broken_and_the_rest_is_compared(harness, torn):
    tear(torn)
    found, _ = compared(harness, "--candidate", "c02", "--margin", "0.05", code=2)
    (one,) = found["comparisons"]
    assert [line["task"] for line in one["lines"]] == ["t2"]
    (sentence,) = one["broken"]
    assert sentence.startswith(f"t1 is BROKEN in the results of {torn}: its record is not a readable record")
    assert "out/" not in sentence
    other, err = compared(harness, "--candidate", "c02", "--margin", "0.05", "--tasks", "t2")
    assert other["comparisons"][0]["broken"] == []
    assert err.startswith("PROBLEM ")


def test_a_selection_leaves_out_the_candidate_with_the_reason(harness):
    tear("c01")
    found, _ = compared(harness, "--select", "best")
    assert [each["model"] for each in found["selection"]["candidates"]] == ["c02"]
    (out,) = found["selection"]["left_out"]
    assert out["model"] == "c01"
    assert out["reason"].startswith("t1 is BROKEN")


def test_a_model_without_any_readable_record_is_known_by_its_folder(harness):
    for task in ("t1", "t2"):
        tear("c01", task)
    compared(harness, "--candidate", "c02", "--margin", "0.05")
    found, _ = compared(harness, "--candidate", "c01", "--margin", "0.05", code=2)
    (one,) = found["comparisons"]
    assert [one["candidate"]["name"], one["lines"], one["settings"]] == ["c01", [], []]
    assert len(one["broken"]) == 2
    found, _ = compared(harness, "--select", "best")
    assert [each["model"] for each in found["selection"]["left_out"]] == ["c01"]
    matrix = harness("compare", "out", "--all-pairs")
    assert matrix.code == 2
    assert "Traceback" not in matrix.err


def test_a_task_of_which_no_record_can_be_read_is_broken_for_all(harness):
    for model in ("base", "c02"):
        tear(model)
    Path("out").glob("records/c01~*/t1.json").__next__().unlink()
    found, _ = compared(harness, "--candidate", "c02", "--margin", "0.05", code=2)
    assert len(found["comparisons"][0]["broken"]) == 2


def test_a_file_whose_model_is_unknown_lets_nothing_pass(harness):
    path = tear("base")
    Path("out/records/copy of base").mkdir()
    path.rename("out/records/copy of base/t1.json")
    found, err = compared(harness, "--candidate", "c02", "--margin", "0.05", code=2)
    assert found["comparisons"][0]["exit_code"] == 0
    assert err.startswith("PROBLEM out/records/copy of base/t1.json is not a readable record")


def test_a_speed_that_cannot_be_read_is_a_problem_of_the_gate_that_asks_for_it(harness):
    Path("out/throughput").mkdir()
    Path("out/throughput/c02~0.json").write_text("{")
    _, err = compared(harness, "--candidate", "c02", "--margin", "0.05")
    assert err.startswith("PROBLEM out/throughput/c02~0.json")
    Path("gate.toml").write_text("margin = 0.05\nthroughput = 0.5\n")
    compared(harness, "--candidate", "c02", "--gate", "gate.toml", code=2)
    board = harness("leaderboard", "out")
    assert (board.code, "c02" in board.out) == (2, True)
    assert board.err.startswith("PROBLEM out/throughput/c02~0.json")


# --- one model in several folders -------------------------------------------------------------------------


def names_of(found):
    return [each["model"] for each in found["selection"]["candidates"]]


def test_the_same_results_from_two_paths_are_one_candidate(harness):
    answer("other", "c03", "t1", correct=right(0.7))
    answer("other", "c03", "t2", correct=right(0.7))
    found, _ = compared(harness, "out", "out/", "other", "--select", "best")
    assert sorted(names_of(found)) == ["c01", "c02", "c03"]
    plain, _ = compared(harness, "other", "other/")
    assert len(plain["comparisons"]) == 1
    seeds = harness("compare", "out", "other", "other/", "--baseline", "base", "--seeds")
    assert "--seeds needs two candidates" in seeds.err


def test_a_model_of_another_folder_is_a_candidate_of_its_own_where_its_results_differ(harness):
    for folder, share in (("same", 0.8), ("changed", 0.75)):
        for task in ("t1", "t2"):
            answer(folder, "c02", task, correct=right(share))
    assert len(names_of(compared(harness, "out", "same", "--select", "best")[0])) == 2
    assert len(names_of(compared(harness, "out", "changed", "--select", "best")[0])) == 3
