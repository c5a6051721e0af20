"""`harness compare`: every documented exit code, and what a user can get wrong, through the command line."""

from __future__ import annotations

import json
import shutil
import statistics
import subprocess
import sys
import time
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from comparison.made import SPEARMAN, answer, pairs, right
from conftest import evaluated

from harness.results.folder import ResultsFolder


@pytest.fixture(autouse=True)
def results(somewhere_else):
    """A baseline, a better candidate, a worse one, and one of which nothing can be said."""
    for name, share, seed in (("base", 0.7, 0), ("better", 0.85, 0), ("worse", 0.5, 0), ("alike", 0.7, 4)):
        answer(name, name, correct=right(share, seed=seed))
    answer("again", "base", correct=right(0.7))


# --- exit codes -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("words", "code"),
    [
        pytest.param(["base", "better"], 0, id="better passes"),
        pytest.param(["base", "alike"], 0, id="without a margin, doubt passes"),
        pytest.param(["base", "again", "--margin", "0"], 0, id="a model from another run passes any margin"),
        pytest.param(["base", "base", "--margin", "0"], 2, id="the very same records are a mistake"),
        pytest.param(["base", "worse"], 1, id="significantly worse fails without a margin"),
        pytest.param(["base", "worse", "--margin", "0.05"], 1, id="worse by more than the margin fails"),
        pytest.param(["base", "worse", "--margin", "0.5"], 0, id="worse within the margin passes"),
        pytest.param(["base", "nowhere"], 2, id="a folder that is not there"),
        pytest.param(["base", "better", "--tasks", "nothing"], 2, id="a task that is not there"),
        pytest.param(["base", "alike", "--margin", "0.01"], 4, id="too few examples for the margin"),
    ],
)
def test_the_exit_code_is_the_documented_one(harness, words, code):
    assert harness("compare", *words).code == code


def test_another_examination_exits_with_3_and_names_the_difference(harness):
    answer("other", "other", correct=right(0.85), digest="e" * 64)
    found = harness("compare", "base", "other")
    assert found.code == 3
    assert "digest dddddddd / eeeeeeee" in found.out
    allowed = harness("compare", "base", "other", "--allow", "digest")
    assert allowed.code == 0
    assert "ALLOWED" in allowed.out


def test_a_missing_task_exits_with_2_even_if_the_rest_is_better(harness):
    answer("base", "base", "further", correct=right(0.5))
    found = harness("compare", "base", "better")
    assert found.code == 2
    assert "further is missing from the results of better" in found.out


def test_precedence_of_exit_codes_is_broken_then_not_comparable_then_worse(harness):
    answer("base", "base", "law", correct=right(0.7))
    answer("worse", "worse", "law", correct=right(0.7), digest="e" * 64)
    assert harness("compare", "base", "worse").code == 3
    ResultsFolder(Path("worse")).write_error(
        evaluated(
            "worse", "quiz", fingerprint=ResultsFolder(Path("worse")).evaluations()[0].model[1], error="boom"
        ),
        None,
    )
    assert harness("compare", "base", "worse").code == 2


def test_bare_csvs_show_gains_and_a_gate_on_them_exits_with_2(harness):
    for name in ("base", "better"):
        Path("bare").mkdir(exist_ok=True)
        shutil.copy(f"{name}/leaderboard.csv", f"bare/{name}.csv")
    shown = harness("compare", "bare/base.csv", "bare/better.csv")
    assert shown.code == 0
    assert "+0.1" in shown.out
    assert "not at hand" in shown.out
    assert harness("compare", "bare/base.csv", "bare/better.csv", "--margin", "0.1").code == 2


# --- who is compared --------------------------------------------------------------------------------------


def test_models_of_one_folder_are_named(harness):
    for name, share in (("minilm", 0.7), ("nda", 0.9), ("penal", 0.5)):
        answer("all", name, correct=right(share))
    assert harness("compare", "all", "--baseline", "minilm", "--candidate", "nda").code == 0
    assert harness("compare", "all", "--baseline", "minilm", "--candidate", "nda,penal").code == 1
    nameless = harness("compare", "all", "all")
    assert nameless.code == 2
    assert (
        "all holds 3 models\n  models: minilm, nda, penal\n  hint: say which: --baseline NAME" in nameless.err
    )


def test_one_folder_with_two_models_needs_the_baseline_only(harness):
    for name, share in (("minilm", 0.7), ("nda", 0.9)):
        answer("two", name, correct=right(share))
    found = harness("compare", "two", "--baseline", "minilm")
    assert found.code == 0
    assert "nda against minilm: better on quiz" in found.out


def test_all_pairs_are_shown_as_a_matrix_without_a_gate(harness):
    answer = harness("compare", "base", "better", "worse", "--all-pairs")
    assert answer.code == 0
    for pair in ("better against base", "worse against base", "worse against better"):
        assert pair in answer.out
    assert (
        len(
            json.loads(harness("compare", "base", "better", "worse", "--all-pairs", "--format", "json").out)[
                "comparisons"
            ]
        )
        == 3
    )


def test_no_pair_of_a_matrix_fails(harness):
    words = ("compare", "base", "better", "worse", "--all-pairs")
    answers = {form: harness(*words, "--format", form) for form in ("table", "json", "junit", "github", "md")}
    assert {each.code for each in answers.values()} == {0}
    assert not [form for form, each in answers.items() if "Fails" in each.out or "--margin" in each.out]
    assert {each["exit_code"] for each in json.loads(answers["json"].out)["comparisons"]} == {0}
    suites = ET.fromstring(answers["junit"].out)
    assert (suites.get("failures"), suites.get("errors")) == ("0", "0")
    assert "::error" not in answers["github"].out
    assert "worse against base: worse on quiz" in answers["table"].out


def test_what_is_missing_fails_a_matrix_and_a_loss_beside_it_does_not(harness):
    answer("base", "base", "law", correct=right(0.7))
    words = ("compare", "base", "worse", "--all-pairs", "--format")
    junit = harness(*words, "junit")
    suites = ET.fromstring(junit.out)
    assert (junit.code, suites.get("failures"), suites.get("errors")) == (2, "0", "1")


@pytest.mark.parametrize("words", [["--margin", "0.01"], ["--gate", "gate.toml"], ["--power"]])
def test_a_matrix_has_no_gate(harness, words):
    Path("gate.toml").write_text("margin = 0.01")
    found = harness("compare", "base", "better", "--all-pairs", *words)
    assert (found.code, found.out) == (2, "")
    assert "--all-pairs has no baseline that a gate could ask about" in found.err


def test_a_domain_that_no_task_has_is_an_error_that_names_the_tags(harness):
    answer("base", "base", "law", correct=right(0.7), tags=("legal",))
    answer("better", "better", "law", correct=right(0.8), tags=("legal",))
    found = harness("compare", "base", "better", "--domain", "lega")
    assert (found.code, found.out) == (2, "")
    assert "no tag named 'lega'" in found.err
    assert "legal, quiz" in found.err
    assert harness("compare", "base", "better", "--domain", "legal").code == 0


def test_seeds_of_a_recipe_are_one_candidate(harness):
    for seed in (1, 2, 3):
        answer("seeds", f"nda-{seed}", correct=right(0.85, seed=0) * (right(0.97, seed=seed)))
    found = harness("compare", "base", "seeds", "--candidate", "nda-*", "--seeds", "--format", "json")
    assert found.code in (0, 1)
    (one,) = json.loads(found.out)["comparisons"]
    assert one["candidate"]["members"] == ["nda-1", "nda-2", "nda-3"]
    assert 0 <= one["lines"][0]["from_seeds"] <= 1


# --- output -----------------------------------------------------------------------------------------------


def test_every_format_is_written_to_the_screen_or_a_file(harness):
    words = ["compare", "base", "better", "--margin", "0.01"]
    assert (
        harness(*words, "--format", "md").out.startswith("### ")
        or "| " in harness(*words, "--format", "md").out
    )
    assert "::notice" in harness(*words, "--format", "github").out
    answer = harness(*words, "--write", "a.md", "--write", "b.json", "--write", "c.csv", "--write", "d.xml")
    assert answer.code == 0
    assert Path("a.md").read_text() == harness(*words, "--format", "md").out
    assert Path("b.json").read_text() == harness(*words, "--format", "json").out
    assert Path("c.csv").read_text() == harness(*words, "--format", "csv").out
    assert ET.parse("d.xml").getroot().tag in ("testsuites", "testsuite")


def test_the_last_line_is_the_answer(harness):
    last = harness("compare", "base", "better", "--margin", "0.01").out.strip().splitlines()[-1]
    assert last.startswith("better against base: better on quiz (+0.")
    assert last.endswith("The gate passes.")


def test_why_shows_the_flipped_examples_with_their_texts(harness):
    texts = [f"question number {row}" for row in range(400)]
    for name, share in (("one", 0.7), ("two", 0.85)):
        answer(name, name, correct=right(share), question=texts)
    found = harness("compare", "one", "two", "--why")
    assert found.code == 0
    assert "question number" in found.out


def test_power_shows_how_many_examples_the_margin_needs(harness, document):
    answer = harness("compare", "base", "alike", "--margin", "0.01", "--power", "--format", "json")
    (one,) = document("comparison", answer)["comparisons"]
    assert one["lines"][0]["needed"] > 400
    assert harness("compare", "base", "alike", "--power").code == 2


def test_the_same_comparison_is_the_same_bytes(harness):
    for name, noise in (("one", 1.0), ("two", 1.1)):
        answer(name, name, "sts", metrics=(SPEARMAN,), **pairs(noise))
    first = harness("compare", "one", "two", "--format", "json", "--why").out
    assert harness("compare", "one", "two", "--format", "json", "--why").out == first


def test_a_candidate_that_is_the_baseline_is_said_to_be(harness):
    for name, share in (("minilm", 0.7), ("nda", 0.9)):
        answer("two", name, correct=right(share))
    found = harness("compare", "two", "--baseline", "minilm", "--candidate", "minilm")
    assert found.code == 2
    assert found.err == (
        "Error: --candidate minilm: it is the baseline already\n  others in two: nda\n"
        "  hint: --candidate takes one of these\n"
    )


def test_a_report_below_a_file_is_refused_with_the_option_and_the_file(harness):
    Path("taken").write_text("a file")
    found = harness("compare", "base", "better", "--write", "taken/further/x.md")
    assert found.code == 2
    assert found.err == (
        "Error: cannot write taken/further/x.md: taken is not a folder\n  hint: choose another --write\n"
    )


# --- what a user can get wrong ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["base", "better", "--allow", "digits"], "no --allow key named 'digits'"),
        (["base", "better", "--margin", "-1"], "--margin must be 0 or more"),
        (["base", "better", "--margin", "nan"], "--margin must be a finite number, not nan"),
        (["base", "better", "--gate", "none.toml"], "no gate file none.toml"),
        (["base", "better", "--write", "a.doc"], "no format named '.doc'"),
        (["base", "better", "--seeds"], "--seeds needs two candidates"),
        (["base"], "base has only one model: base"),
        (["base", "--all-pairs"], "only one model"),
        (["base", "better", "--candidate", "nobody"], "no model in better named 'nobody'"),
    ],
)
def test_a_mistake_is_reported_and_exits_with_2(harness, words, message):
    answer = harness("compare", *words)
    assert answer.code == 2
    assert message in answer.err
    assert answer.out == ""


def test_a_record_that_cannot_be_read_is_an_error(harness):
    (path,) = Path("better").glob("records/*/quiz.json")
    path.write_bytes(b"{")
    answer = harness("compare", "base", "better")
    assert answer.code == 2
    assert "is not a readable record" in answer.err


@pytest.mark.slow
def test_twelve_tasks_of_2000_examples_take_less_than_5_seconds():
    for place in range(12):
        for name, noise, share in (("one", 1.0, 0.70), ("two", 1.05, 0.71)):
            if place % 2:
                answer(name, name, f"t{place}", correct=right(share, 2000, seed=place))
            else:
                answer(name, name, f"t{place}", metrics=(SPEARMAN,), **pairs(noise, 2000, seed=place))
    took = []
    for _ in range(5):
        start = time.perf_counter()
        subprocess.run(
            [sys.executable, "-m", "harness", "compare", "one", "two"], capture_output=True, check=False
        )
        took.append(time.perf_counter() - start)
    assert statistics.median(took) < 5
