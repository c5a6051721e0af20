"""Suites through the command line: run, freeze, list and compare."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from comparison.made import PEARSON, SPEARMAN, answer, pairs, right

from harness.results.folder import ResultsFolder

SUITE = '[suites.release]\ntasks = ["stsb"]\n'
OTHER = "e" * 64


@pytest.fixture
def frozen(harness):
    """The suite of the sample of stsb, frozen by appending what `harness freeze` prints."""
    path = Path("harness.toml")
    path.write_text(SUITE)
    answered = harness("freeze", "release")
    assert answered.code == 0
    path.write_text(f"{SUITE}\n{answered.out}")
    return path


def test_what_freeze_prints_is_appended_to_the_file_and_the_suite_runs(frozen, harness, run):
    table = frozen.read_text()
    assert "[suites.release.digests]\nstsb = " in table
    assert table.endswith("  # sample\n")
    assert run(tasks="release").code == 0
    assert [record.examination.task for record in ResultsFolder(Path("out")).evaluations()] == ["stsb"]
    again = harness("freeze", "release")
    assert (again.code, again.out) == (0, ""), "appended once more, the table would make the file unreadable"
    assert "All rows are as suite release (harness.toml) was frozen." in again.err
    assert "These are the digests of samples; the full data have others" in again.err


def test_rows_that_changed_are_named_before_anything_is_encoded(frozen, run, harness):
    digest = frozen.read_text().split('"')[-2]
    frozen.write_text(frozen.read_text().replace(digest, OTHER))
    found = run(tasks="release")
    assert found.code == 2
    assert f"stsb: expected eeeeeeee, found {digest[:8]} (sample)" in found.err
    assert "the full data: --data DIR" in found.err
    assert list(ResultsFolder(Path("out")).evaluations()) == []
    assert run(tasks="stsb").code == 0, "without the suite nothing is frozen"
    again = harness("freeze", "release")
    assert (again.code, again.out) == (1, "")
    assert f"stsb: frozen with eeeeeeee, now {digest[:8]}" in again.err
    assert "If the suite is meant to change, --write replaces the digests in harness.toml." in again.err


def test_digests_are_written_into_the_file_in_place_of_others(harness):
    path = Path("harness.toml")
    path.write_text(f"# ours\n{SUITE}# the end")
    assert harness("freeze", "release", "--write").code == 0
    once = path.read_text()
    assert once.startswith(f"# ours\n{SUITE}# the end\n\n[suites.release.digests]\nstsb = ")
    path.write_text(
        once.replace(once.split('"')[-2], OTHER) + "\n# a further suite\n[suites.b]\ntasks = ['sick']"
    )
    again = harness("freeze", "release", "--write")
    assert (again.code, again.out) == (0, "")
    assert "stsb: frozen with eeeeeeee, now" in again.err
    assert path.read_text() == once + "\n# a further suite\n[suites.b]\ntasks = ['sick']"


def test_digests_that_are_no_table_of_their_own_are_not_replaced(harness):
    path = Path("harness.toml")
    path.write_text(before := f"{SUITE}digests = {{ stsb = '{OTHER}' }}\n")
    found = harness("freeze", "release", "--write")
    assert (found.code, path.read_text()) == (2, before)
    assert "the digests of [suites.release] are not a table of their own" in found.err


def test_a_table_that_was_appended_twice_is_named(frozen, harness):
    frozen.write_text(frozen.read_text() + frozen.read_text().removeprefix(SUITE))
    found = harness("list", "suites")
    assert found.code == 2
    assert "the file has the table [suites.release.digests] twice: leave one of the two out" in found.err


def test_digests_are_shown_with_as_many_digits_as_tell_them_apart(frozen, run, harness):
    digest = frozen.read_text().split('"')[-2]
    other = digest[:11] + ("0" if digest[11] != "0" else "1") + digest[12:]
    frozen.write_text(frozen.read_text().replace(digest, other))
    assert f"stsb: expected {other[:12]}, found {digest[:12]} (sample)" in run(tasks="release").err
    assert f"stsb: frozen with {other[:12]}, now {digest[:12]}" in harness("freeze", "release").err


def test_a_limited_run_of_a_frozen_suite_is_refused_and_says_why(frozen, run):
    found = run("--limit", "20", tasks="release")
    assert found.code == 2
    assert "(sample, limit 20)" in found.err
    assert "--limit takes a sample of the rows, which has another digest" in found.err


def test_a_suite_of_a_limit_is_frozen_with_that_limit(harness, run):
    Path("harness.toml").write_text(SUITE)
    Path("harness.toml").write_text(f"{SUITE}\n{harness('freeze', 'release', '--limit', '20').out}")
    assert run("--limit", "20", tasks="release").code == 0
    assert run(tasks="release").code == 2


def test_suites_are_listed(frozen, harness):
    assert json.loads(harness("list", "suites", "--json").out)["suites"] == [
        {"name": "release", "from": "harness.toml", "tasks": ["stsb"], "metrics": [], "frozen": "1 of 1"}
    ]
    assert "release" in harness("list").out


@pytest.mark.parametrize(
    ("words", "message"),
    [
        pytest.param(["freeze", "relase"], "no suite named 'relase'\n  did you mean: release", id="unknown"),
        pytest.param(["freeze", "release", "--data", "nowhere"], "no data folder nowhere", id="no data"),
        pytest.param(["run", "--model", "lexical", "--tasks", "relase"], "did you mean: release", id="run"),
        pytest.param(["compare", "a", "--tasks", "x"], "no folder or file", id="results are read first"),
    ],
)
def test_a_mistake_exits_with_2(words, message, harness):
    Path("harness.toml").write_text(SUITE)
    found = harness(*words)
    assert found.code == 2
    assert message in found.err


# --- compare ----------------------------------------------------------------------------------------------


def compared(harness, *words, code=0):
    found = harness("compare", "base", "cand", "--format", "json", *words)
    assert found.code == code, found.err
    (one,) = json.loads(found.out)["comparisons"]
    return one


def rate(folder, noise, **changes):
    answer(folder, folder, "ratings", metrics=(SPEARMAN, PEARSON), **pairs(noise), **changes)


def write_suite(text):
    Path("harness.toml").write_text(f"[suites.release]\n{text}\n")


def test_a_comparison_takes_the_tasks_and_metrics_of_a_suite(harness):
    for folder, noise in (("base", 1.0), ("cand", 0.9)):
        rate(folder, noise)
        answer(folder, folder, "quiz", correct=right(0.7))
    write_suite('tasks = ["ratings"]\nmetrics = { ratings = ["pearson"] }')
    whole = compared(harness, "--tasks", "release", "--margin", "0.5")
    assert [(line["task"], line["metric"], line["headline"]) for line in whole["lines"]] == [
        ("ratings", "pearson", True)
    ]
    assert [line["metric"] for line in whole["gate"]] == ["pearson"]
    assert (
        "suite release (harness.toml): 1 task, the rows of none frozen; ratings by pearson" in whole["notes"]
    )
    further = compared(harness, "--tasks", "release", "--metrics", "all")
    assert [line["metric"] for line in further["lines"]] == ["pearson", "spearman"]


def test_a_task_or_metric_of_a_suite_that_is_missing_is_a_failure(harness):
    for folder in ("base", "cand"):
        rate(folder, 1.0)
    write_suite('tasks = ["ratings", "elsewhere"]\nmetrics = { ratings = ["kendall"] }')
    assert compared(harness, "--tasks", "release", code=2)["broken"] == [
        "ratings by kendall is missing from the results of base",
        "elsewhere is missing from the results of base",
    ]


def test_rows_that_are_not_the_frozen_ones_are_a_failure_whatever_is_allowed(harness):
    rate("base", 1.0)
    rate("cand", 0.9, digest=OTHER)
    write_suite(f'tasks = ["ratings"]\ndigests = {{ ratings = "{"d" * 64}" }}')
    for words in ([], ["--allow", "digest"]):
        (sentence,) = compared(harness, "--tasks", "release", *words, code=2)["broken"]
        assert sentence.startswith("ratings of cand has rows of digest eeeeeeee (files);")
        assert sentence.endswith("suite release (harness.toml) was frozen with dddddddd")


def test_digests_that_begin_alike_are_told_apart_in_a_comparison(harness):
    near = "d" * 20 + "e" * 44
    rate("base", 1.0)
    rate("cand", 0.9, digest=near)
    write_suite(f'tasks = ["ratings"]\ndigests = {{ ratings = "{"d" * 64}" }}')
    (sentence,) = compared(harness, "--tasks", "release", code=2)["broken"]
    assert f"digest {near[:21]} " in sentence
    assert sentence.endswith("d" * 21)
    (refused,) = compared(harness, code=3)["refused"]
    assert [refused["differences"][0][side] for side in ("baseline", "candidate")] == ["d" * 21, near[:21]]


def test_of_a_task_on_sample_and_full_data_the_frozen_rows_are_compared(harness):
    for folder, noise in (("base", 1.0), ("cand", 0.9)):
        rate(folder, noise)
        rate(folder, noise, data="sample", digest=OTHER)
    write_suite(f'tasks = ["ratings"]\ndigests = {{ ratings = "{"d" * 64}" }}')
    assert [line["data"] for line in compared(harness, "--tasks", "release")["lines"]] == ["files"]
    assert [line["data"] for line in compared(harness)["lines"]] == ["files", "sample"]


def test_a_suite_with_the_name_of_a_tag_of_the_results_is_an_error(harness):
    for folder in ("base", "cand"):
        answer(folder, folder, "quiz", tags=("release",), correct=right(0.7))
    write_suite('tasks = ["quiz"]')
    found = harness("compare", "base", "cand", "--tasks", "release")
    assert found.code == 2
    assert "has the name of a task or tag of these results\n  tasks of release there: quiz" in found.err
