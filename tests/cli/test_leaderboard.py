"""`harness leaderboard DIR…`: merge result folders, rank what is comparable, say what is not."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from conftest import evaluated

from harness.results import Results


@pytest.fixture
def write():
    """Write records into a results folder of the given name."""

    def writing(folder, *evaluations):
        for one in evaluations:
            if one.status == "ok":
                Results(Path(folder)).write(one, None)
            else:
                Results(Path(folder)).write_error(one, None)

    return writing


def test_folders_are_merged_and_ranked(harness, write):
    write("one", evaluated("base", score=0.5))
    write("two", evaluated("new", score=0.75))
    answer = harness("leaderboard", "one", "two", "--format", "md")
    assert answer.code == 0
    assert "|  | base | new |" in answer.out
    assert "| spearman | 0.5000 [0.250, 0.750] | **0.7500 [0.250, 0.750]** |" in answer.out
    table = harness("leaderboard", "one", "two").out
    assert "spearman 0.5000 [0.250, 0.750] 0.7500 [0.250, 0.750]" in " ".join(table.split())


def test_csv_and_json_say_the_same_as_the_file_that_a_run_writes(harness, write):
    from harness.leaderboard import publish

    write("one", evaluated("base"), evaluated("=new", "legal", error="boom"))
    publish(Results(Path("one")))
    text = harness("leaderboard", "one", "--format", "csv").out
    assert text == Path("one/leaderboard.csv").read_text(encoding="utf-8")
    records = json.loads(harness("leaderboard", "one", "--format", "json").out)
    assert [(one["model"], one["score"]) for one in records] == [("=new", None), ("base", 0.5)]


@pytest.mark.parametrize("form", ["csv", "json"])
def test_the_order_of_folders_does_not_matter(form, harness, write):
    write("one", evaluated("base"), evaluated("base", "legal", error="out of memory"))
    write("two", evaluated("base", "legal"), evaluated("quick", limit=5))
    forward = harness("leaderboard", "one", "two", "--format", form)
    assert forward.code == 0
    assert forward.out == harness("leaderboard", "two", "one", "--format", form).out


def test_what_was_asked_something_else_is_not_ranked_and_the_reason_is_said(harness, write):
    write("one", evaluated("a"), evaluated("b"))
    write("two", evaluated("other", digest="e" * 64))
    answer = harness("leaderboard", "one", "two")
    assert answer.code == 0
    assert "other is not ranked, it was asked something else: data: dddddddd / eeeeeeee" in answer.out


def test_a_copy_of_a_folder_changes_nothing(harness, write):
    for folder in ("one", "copy"):
        write(folder, evaluated("base"))
    once = harness("leaderboard", "one", "--format", "csv").out
    assert harness("leaderboard", "one", "copy", "--format", "csv").out == once


def test_a_success_elsewhere_stands_for_a_failure_here(harness, write):
    write("small-machine", evaluated("base", error="out of memory"))
    write("large-machine", evaluated("base"))
    for folders in (["small-machine", "large-machine"], ["large-machine", "small-machine"]):
        (record,) = json.loads(harness("leaderboard", *folders, "--format", "json").out)
        assert (record["status"], record["score"]) == ("ok", 0.5)


def test_other_predictions_of_the_same_model_are_an_error_that_names_the_folder(harness, write):
    one = evaluated("base")
    write("one", one)
    write("two", replace(one, predictions="f" * 64))
    answer = harness("leaderboard", "one", "two")
    assert answer.code == 2
    assert "Error: two holds another result of base for stsb\n  settings: " in answer.err
    assert "hint: another device, machine or library?" in answer.err


def test_models_of_one_name_from_two_folders_are_told_apart(harness, write):
    write("one", evaluated("nda", fingerprint="a" * 64))
    write("two", evaluated("nda", fingerprint="b" * 64))
    records = json.loads(harness("leaderboard", "one", "two", "--format", "json").out)
    assert [one["model"] for one in records] == ["nda~aaaaaaaa", "nda~bbbbbbbb"]


@pytest.mark.parametrize("folder", ["empty", "absent"])
def test_a_folder_without_results_is_named(folder, harness):
    Path("empty").mkdir()
    answer = harness("leaderboard", folder)
    assert answer.code == 2
    assert (
        f"Error: no results in {folder}\n  hint: give a folder that `harness run --out` wrote" in answer.err
    )


def test_a_file_that_is_no_record_is_named(harness, write):
    write("one", evaluated("base"))
    Path("one/records/base~aaaaaaaa/other.json").write_text('{"schema": 1}')
    answer = harness("leaderboard", "one")
    assert answer.code == 2
    assert "other.json is not a readable record" in answer.err


def test_no_folder_and_an_unknown_format_are_errors(harness):
    assert harness("leaderboard").code == 2
    answer = harness("leaderboard", "one", "--format", "xlsx")
    assert answer.code == 2
    assert "'xlsx' is not one of" in answer.err
