"""Verdicts at the edges through the command line: few examples, answers near the border, rare differences."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from cli.verdict_cases.make import write_case

PLUGIN = Path(__file__).parent / "verdict_cases" / "answers.py"


@pytest.fixture
def case(harness, monkeypatch):
    """Write a case and run its models; returns a function that compares them by words."""
    monkeypatch.setenv("HARNESS_PLUGINS", "")

    def prepared(name):
        monkeypatch.setenv("ANSWERS", str(Path("case").absolute()))
        models = write_case(name, Path("case"))
        words = [word for model in models for word in ("--model", f"named:{model}")]
        common = "--plugin", PLUGIN
        ran = harness("run", *common, *words, "--tasks", "answered", "--out", "out", "--no-throughput")
        assert ran.code == 0, ran.err
        return lambda *more: harness("compare", "out", *common, *more)

    return prepared


def lines_of(answer):
    return [line for one in json.loads(answer.out)["comparisons"] for line in one["lines"]]


def assert_p_agrees_with_the_interval(lines):
    for line in lines:
        assert (line["p"] < 0.05) == (line["low"] > 0 or line["high"] < 0), line


def test_equal_scores_of_few_examples_are_no_evidence(case):
    compare = case("few")
    lines = lines_of(compare("--baseline", "a", "--format", "json"))
    assert {(line["task"], line["gain"]) for line in lines} == {
        ("acceq", 0.0), ("auc12", 0.0), ("f1eq", 0.0), ("sp12", 0.0),
    }  # fmt: skip
    for line in lines:
        assert line["verdict"] == "inconclusive"
        assert line["low"] < -0.1, line
        assert line["high"] > 0.1, line
    assert_p_agrees_with_the_interval(lines)


def test_equal_scores_of_few_examples_leave_a_gate_undecided_and_say_what_it_takes(case):
    compare = case("few")
    shown = compare("--baseline", "a", "--margin", "0.001")
    assert shown.code == 4
    assert "even if no answer differs" in shown.out
    found = compare("--baseline", "a", "--margin", "0.001", "--format", "json")
    (one,) = json.loads(found.out)["comparisons"]
    assert {line["outcome"] for line in one["gate"]} == {"undecided"}
    have = {line["task"]: (line["shortage"]["have"], line["shortage"]["what"]) for line in one["lines"]}
    assert have["acceq"] == (12, "examples")
    assert have["auc12"] == (3, "positives")
    assert all(line["shortage"]["needed"] > 10 * line["shortage"]["have"] for line in one["lines"])


def test_no_score_of_few_examples_has_an_interval_without_width(case, harness):
    case("few")
    records = [json.loads(path.read_text()) for path in Path("out").glob("records/*/*.json")]
    scores = [score for record in records for score in record["scores"]]
    assert len(scores) >= 8
    for score in scores:
        assert score["low"] < score["high"], score


def test_a_gain_at_the_border_has_a_p_value_that_agrees_with_its_interval(case):
    compare = case("border")
    for candidate in ("up", "down"):
        found = compare("--baseline", "base", "--candidate", candidate, "--format", "json")
        assert_p_agrees_with_the_interval(lines_of(found))


@pytest.mark.parametrize("margin", [[], ["--margin", "0.02"]], ids=["without a gate", "with a margin"])
def test_a_gain_at_the_border_passes(case, margin):
    assert case("border")("--baseline", "base", "--candidate", "up", *margin).code == 0


def test_a_loss_at_the_border_fails_or_is_undecided_as_its_interval_says(case):
    found = case("border")("--baseline", "base", "--candidate", "down", "--margin", "0", "--format", "json")
    (one,) = json.loads(found.out)["comparisons"]
    outcomes = {line["task"]: line["outcome"] for line in one["gate"]}
    for line in one["lines"]:
        assert outcomes[line["task"]] == ("fails" if line["high"] < 0 else "undecided")
    assert found.code == (1 if "fails" in outcomes.values() else 4)
    word = "fails" if found.code == 1 else "is undecided"
    assert f"The gate {word}: " in one["sentence"]


def test_a_mean_that_is_worse_where_no_task_is_alone_fails_without_a_gate(case):
    compare = case("border")
    words = "--baseline", "base", "--candidate", "down"
    found = compare(*words, "--format", "json")
    (one,) = json.loads(found.out)["comparisons"]
    assert {line["verdict"] for line in one["lines"]} == {"inconclusive"}
    (overall,) = one["overall"]
    assert (overall["verdict"], found.code) == ("worse", 1)
    named = f"worse over 2 tasks (mean gain {overall['mean']['gain']:+.4f})"
    assert f"; {named}. Fails: without a margin" in one["sentence"]
    annotations = compare(*words, "--format", "github").out
    assert annotations.startswith("::error title=harness compare::down against base")
    assert "mean of all tasks::worse: over 2 tasks" in annotations.replace("%3A", ":")
    assert "Nothing is significantly worse" not in annotations
    gated = compare(*words, "--margin", "0.3")
    assert gated.code == 0, "a gate decides alone"
    assert f"{named}. The gate passes" in gated.out.replace("\n", " ")


@pytest.mark.parametrize(
    ("candidate", "verdict", "code"),
    [("eq", "inconclusive", 0), ("better", "better", 0), ("worse", "worse", 1)],
)
def test_two_differing_answers_of_400_are_no_verdict_and_32_are(case, candidate, verdict, code):
    found = case("rare")("--baseline", "base", "--candidate", candidate, "--format", "json")
    (line,) = lines_of(found)
    assert (line["verdict"], found.code) == (verdict, code)


def test_two_differing_answers_of_400_plan_so_many_examples(case):
    """320 examples pass a margin of 0.02 with 80 %, exactly summed; the standard error's formula said 99."""
    words = "--baseline", "base", "--candidate", "eq", "--margin", "0.02", "--power"
    found = case("rare")(*words, "--format", "json")
    (line,) = lines_of(found)
    assert (line["needed"], found.code) == (320, 0)
    assert line["detectable"] == pytest.approx(0.0232, abs=5e-5)


def test_several_candidates_under_one_gate_are_warned_of(case):
    compare = case("rare")
    words = "--baseline", "base", "--candidate", "*", "--margin", "0.02"
    shown = compare(*words)
    assert "WARNING: 4 candidates under one gate" in shown.out
    assert "a chance of up to 10 %, not 2.5 %" in shown.out
    (warning,) = json.loads(compare(*words, "--format", "json").out)["warnings"]
    assert warning in shown.out
    assert "::warning title=harness compare::4 candidates" in compare(*words, "--format", "github").out
    assert "4 candidates under one gate" in compare(*words, "--format", "md").out


@pytest.mark.parametrize(
    "words",
    [["--candidate", "eq", "--margin", "0.02"], ["--candidate", "*"]],
    ids=["one candidate", "no gate"],
)
def test_without_several_candidates_and_a_gate_there_is_no_warning(case, words):
    found = case("rare")("--baseline", "base", *words, "--format", "json")
    assert json.loads(found.out)["warnings"] == []


def test_records_compared_with_themselves_exit_with_2(case):
    found = case("border")("out", "--baseline", "base", "--candidate", "base", "--margin", "0.1")
    assert found.code == 2
    assert found.out == ""
    assert "baseline and candidate are the same results" in found.err


def test_a_gate_may_hold_the_mean_and_the_worst_of_several_tasks(case):
    Path("gate.toml").write_text(
        '[[line]]\ntag = "answered"\nover = "mean"\nmargin = 0.3\n'
        '[[line]]\nover = "worst"\nmargin = 0.05\nmin = 0.2\n'
    )
    compare = case("border")
    found = compare("--baseline", "base", "--candidate", "down", "--gate", "gate.toml", "--format", "json")
    (one,) = json.loads(found.out)["comparisons"]
    assert [(line["over"], line["tag"], line["rule"], line["outcome"]) for line in one["gate"]] == [
        ("mean", "answered", "margin", "passes"),
        ("worst", None, "margin", "undecided"),
        ("worst", None, "min", "passes"),
    ]
    assert found.code == 4
    assert "worst of all tasks (margin 0.05: undecided)" in one["sentence"]


@pytest.mark.parametrize("tasks", ["acc", "acc,ndcg"])
def test_a_gate_that_lets_doubt_pass_says_so_wherever_it_passes(case, tasks):
    Path("gate.toml").write_text('margin = 0.05\nundecided = "pass"\n')
    words = "--baseline", "base", "--candidate", "down", "--gate", "gate.toml", "--tasks", tasks
    compare = case("border")
    shown = compare(*words)
    assert shown.code == 0
    count = tasks.count(",") + 1
    assert f"conditions that hold: {count} of {count} ({count} undecided, let pass)" in shown.out
    said = "The gate passes; undecided, let pass: acc (margin 0.05)"
    assert said in shown.out.replace("\n", " ")
    junit = compare(*words, "--format", "junit").out
    assert junit.count("<system-out>undecided, let pass: gain") == count
    assert said in junit
    assert said in compare(*words, "--format", "github").out


def test_a_checkpoint_that_collapsed_is_worse_among_150_lines(case):
    found = case("many")("--baseline", "base", "--candidate", "ck*", "--format", "json")
    lost = [line for line in lines_of(found) if line["gain"] < -0.5]
    assert [line["verdict"] for line in lost] == ["worse"] * 3
    assert found.code == 1
