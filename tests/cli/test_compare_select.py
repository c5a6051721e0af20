"""`harness compare --select best` through the command line: exit codes, formats, and what contradicts."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from xml.etree import ElementTree as ET

import numpy as np
import pytest
from comparison.made import answer

from harness.metrics.standard import mean_metric

NDCG = mean_metric("ndcg@10", "ndcg")


def tell(folder, model, task, gain, seed):
    base = np.random.default_rng(0).beta(2, 2, 300)
    values = base + np.random.default_rng(seed).normal(gain, 0.1, 300) if seed else base
    ids = [f"{task}{row}" for row in range(300)]
    answer(folder, model, task, metrics=(NDCG,), ids=ids, ndcg=values, digest=task[0] * 64, tags=(task,))


@pytest.fixture(autouse=True)
def results(somewhere_else):
    """A baseline, and five checkpoints of which the last is the best, on two tasks."""
    for number, task in enumerate(("dev", "test")):
        tell("base", "base", task, 0.0, 0)
        for checkpoint in range(5):
            tell("trained", f"ck{checkpoint}", task, 0.01 * checkpoint, 1 + checkpoint + 10 * number)


@pytest.mark.parametrize(
    ("words", "code"),
    [
        pytest.param(["--select", "best"], 0, id="without a gate"),
        pytest.param(["--select", "best", "--margin", "0.01"], 0, id="the gate passes"),
        pytest.param(["--select", "best", "--gate", "gain.toml"], 1, id="the gate fails"),
        pytest.param(["--select", "best", "--gate", "some.toml"], 4, id="the gate is undecided"),
        pytest.param(["--select", "best", "--by", "dev"], 0, id="by a task"),
        pytest.param(["--select", "best", "--by", "nothing"], 2, id="by a task that is not there"),
        pytest.param(["--select", "best", "--by", "gate", "--margin", "0.01"], 0, id="by the gate"),
        pytest.param(["--select", "best", "--by", "gate,dev", "--margin", "0.01"], 0, id="by gate and task"),
        pytest.param(["--select", "best", "--by", "gate", "--gate", "gain.toml"], 1, id="none passes"),
        pytest.param(["--select", "best", "--by", "gate"], 2, id="by a gate that is not there"),
        pytest.param(["--select", "best", "--by", "dev,test"], 2, id="by two tasks"),
        pytest.param(
            ["--select-on", "dev", "--confirm-on", "test", "--by", "gate", "--margin", "0.01"],
            2,
            id="by a gate that confirms",
        ),
        pytest.param(["--select-on", "dev", "--confirm-on", "test", "--margin", "0.01"], 0, id="confirmed"),
        pytest.param(["--select-on", "dev", "--confirm-on", "dev"], 2, id="confirmed on the same"),
        pytest.param(["--select-on", "dev"], 2, id="not confirmed"),
        pytest.param(["--confirm-on", "dev"], 2, id="not selected"),
        pytest.param(["--by", "dev"], 2, id="by without a selection"),
        pytest.param(["--select", "best", "--all-pairs"], 2, id="all pairs have no baseline"),
        pytest.param(["--select", "best", "--seeds"], 2, id="seeds are one candidate"),
        pytest.param(["--select-on", "dev", "--confirm-on", "test", "--tasks", "dev"], 2, id="tasks twice"),
    ],
)
def test_the_exit_code_of_a_selection(harness, words, code):
    Path("gain.toml").write_text('[[line]]\ntask = "dev"\ngain = 0.2\n')
    Path("some.toml").write_text('[[line]]\ntask = "dev"\ngain = 0.04\n')
    found = harness("compare", "base", "trained", *words)
    assert found.code == code, found.out + found.err
    assert ("hint" in found.err) == (code == 2)


def test_the_table_shows_all_candidates_and_the_comparison_of_the_best_alone(harness):
    found = harness("compare", "base", "trained", "--select", "best", "--margin", "0.01")
    assert "best of 5 candidates" in found.out
    assert "ck4 against base" in found.out
    assert "ck3 against base" not in found.out
    assert "ck4 is the best of 5 candidates by its mean gain on 2 tasks" in found.out
    assert "The gate passes" in found.out


def test_all_formats_know_the_selection(harness):
    words = ["compare", "base", "trained", "--select", "best", "--margin", "0.01"]
    found = json.loads(harness(*words, "--format", "json").out)
    (comparison,) = found["comparisons"]
    assert found["selection"]["winner"] == comparison["candidate"]["name"] == "ck4"
    assert len(found["selection"]["candidates"]) == 5
    assert comparison["level"] == found["selection"]["level"] > 0.95
    rows = list(csv.DictReader(harness(*words, "--format", "csv").out.splitlines()))
    assert [float(row["level"]) for row in rows] == [comparison["level"]] * 2
    assert "### best of 5 candidates" in harness(*words, "--format", "md").out
    suites = ET.fromstring(harness(*words, "--format", "junit").out)
    assert [suite.get("name") for suite in suites] == ["ck4 against base"]
    assert harness(*words, "--format", "github").out.startswith(
        "::notice title=harness compare::ck4 is the best"
    )
    assert (
        json.loads(harness("compare", "base", "trained", "--candidate", "ck1", "--format", "json").out)[
            "selection"
        ]
        is None
    )


def test_candidates_come_from_several_folders(harness):
    tell("other", "other", "dev", 0.2, 30)
    tell("other", "other", "test", 0.2, 31)
    found = harness("compare", "base", "trained", "other", "--select", "best")
    assert "other is the best of 6 candidates" in found.out
    one = harness("compare", "trained", "--baseline", "ck0", "--select", "best")
    assert "ck4 is the best of 4 candidates" in one.out
    nothing = harness("compare", "base", "base", "--select", "best")
    assert nothing.code == 2
    assert "no candidate in base: only base is there" in nothing.err


def test_the_ledger_notes_all_candidates_of_which_one_was_selected(harness):
    words = ["compare", "base", "trained", "--select", "best", "--margin", "0.01", "--ledger", "looks.jsonl"]
    found = json.loads(harness(*words, "--format", "json").out)
    notes = [json.loads(line) for line in Path("looks.jsonl").read_text().splitlines()]
    assert len(notes) == 10
    assert len({note["candidate"] for note in notes}) == 5
    (comparison,) = found["comparisons"]
    assert [each["candidates"] for each in comparison["looks"]] == [5, 5]
    assert [each["lucky_pass"] for each in comparison["looks"]] == pytest.approx([0.025, 0.025])
    assert found["warnings"] == []


def test_the_ledger_knows_the_examples_that_selected_and_those_that_confirmed(harness):
    words = ["--select-on", "dev", "--confirm-on", "test", "--margin", "0.01", "--ledger", "looks.jsonl"]
    found = json.loads(harness("compare", "base", "trained", *words, "--format", "json").out)
    notes = [json.loads(line) for line in Path("looks.jsonl").read_text().splitlines()]
    assert sorted(note["task"] for note in notes) == ["dev"] * 5 + ["test"]
    (comparison,) = found["comparisons"]
    assert [(each["task"], each["candidates"]) for each in comparison["looks"]] == [("test", 1)]


def test_examples_that_choose_and_confirm_are_a_warning_in_every_format(harness):
    for folder, model in (("base", "base"), ("trained", "ck4")):
        values = np.random.default_rng(len(folder)).uniform(0, 1, 300)
        ids = [f"dev{row}" if row < 9 else f"mail{row}" for row in range(300)]
        answer(folder, model, "mail", metrics=(NDCG,), ids=ids, ndcg=values, digest="m" * 64)
    words = ["compare", "base", "trained", "--candidate", "ck4", "--select-on", "dev", "--confirm-on", "mail"]
    said = "9 of the 300 examples of mail are in dev too, such as dev0"
    assert json.loads(harness(*words, "--format", "json").out)["warnings"][0].startswith(said)
    assert f"WARNING: {said}" in harness(*words).out.replace("\n", " ")


def test_why_shows_the_examples_of_the_winner(harness):
    found = harness("compare", "base", "trained", "--select", "best", "--why")
    assert "why: dev" in found.out
