"""A plugin that raises anything, changes the folder or forks costs one result, and the others finish."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

MISBEHAVING = Path(__file__).parents[1] / "plugins_misbehaving" / "base_exceptions.py"
TOLD = {
    "raising-load-exit": "SystemExit: 0",
    "raising-predict-exit": "SystemExit: 0",
    "raising-predict-keyboard": "KeyboardInterrupt",
    "raising-predict-generator": "GeneratorExit",
    "raising-predict-cancelled": "CancelledError",
    "raising-predict-outcome": "Outcome: mine",
    "raising-predict-memory": "MemoryError: no more",
    "raising-predict-recursion": "RecursionError: maximum recursion depth exceeded",
    "raising-predict-text": "UnspeakableError: its text cannot be shown: SystemExit",
    "raising-texts-generator": "GeneratorExit",
}


def rows():
    with Path("out", "leaderboard.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@pytest.mark.parametrize("words", [[], ["--isolate"]], ids=["here", "isolated"])
def test_what_a_task_raises_is_one_error_record_with_its_type(run, words):
    answer = run("--plugin", MISBEHAVING, "--keep-going", *words, tasks="raising")
    assert answer.code == 2
    assert "Traceback" not in answer.err
    assert {row["task"]: row["error"] for row in rows() if row["status"] == "error"} == TOLD
    assert {row["task"] for row in rows() if row["status"] == "ok"} == {
        "raising-predict-chdir",
        "raising-predict-fork",
        "raising-z-",
    }
    trace = next(Path("out/errors").glob("*/raising-predict-outcome.txt")).read_text()
    assert "raise RAISED[what]" in trace
    assert "PluginExitError" not in trace


@pytest.mark.parametrize(
    ("location", "told"),
    [
        ("load-exit", "SystemExit: 0"),
        ("load-keyboard", "KeyboardInterrupt"),
        ("encode-generator", "GeneratorExit"),
        ("encode-outcome", "Outcome: mine"),
        ("same_as-cancelled", "CancelledError"),
        ("count_tokens-exit", "SystemExit: 0"),
        ("members-", "load returned a RaisingModel without facts"),
    ],
)
def test_what_a_model_raises_or_lacks_is_its_error_and_the_other_models_finish(run, location, told):
    answer = run("--plugin", MISBEHAVING, "--model", f"bad=raising:{location}", tasks="stsb-dev")
    assert answer.code == 2
    assert "Traceback" not in answer.err
    found = {row["model"]: (row["status"], row["error"]) for row in rows() if row["headline"] == "true"}
    assert found == {"bad": ("error", told), "lexical": ("ok", "")}


def test_a_model_that_cannot_be_timed_keeps_its_scores(harness):
    words = ["--plugin", MISBEHAVING, "--model", "raising:encode-exit", "--tasks", "raising-z-"]
    answer = harness("run", "--out", "out", *words)
    assert answer.code == 2
    assert "Traceback" not in answer.err


def test_a_hook_that_raises_no_exception_is_a_problem_with_the_name_of_its_plugin(harness, install):
    install(
        "raising",
        "from harness import hookimpl\n@hookimpl\ndef harness_recipes():\n    raise GeneratorExit\n",
    )
    answer = harness("list", "recipes")
    assert answer.code == 0
    assert "PROBLEM plugin raising (raising 1.0, " in answer.err
    assert "line 4): harness_recipes raised GeneratorExit" in answer.err


BROKEN = "from harness import hookimpl\n@hookimpl\ndef harness_task(): return []\n"


@pytest.mark.parametrize(
    "words",
    [
        ["run"],
        ["run", "--model", "nowhere", "--tasks", "nothing", "--task-file", "absent.toml"],
        ["train", "--recipe", "nothing", "--out", "x"],
        ["check", "absent.csv", "--tasks", "nothing"],
        ["list", "models"],
        ["status", "nowhere"],
        ["compare", "nowhere", "--write", "x.docx"],
        ["leaderboard", "nowhere"],
        ["verify", "nowhere"],
        ["bench", "--precision", "nothing"],
        ["freeze", "nothing"],
    ],
    ids=" ".join,
)
def test_every_command_names_the_fault_of_a_plugin_before_any_other_error(words, harness):
    Path("broken.py").write_text(BROKEN)
    answer = harness(*words, "--plugin", "broken.py")
    assert (answer.code, answer.out) == (2, "")
    first, _, rest = answer.err.partition("\n")
    assert first == (
        "Error: plugin broken (broken.py, line 2): unknown hook 'harness_task': did you mean harness_tasks?"
    )
    assert rest.count("\n") == 1


def test_a_broken_installed_plugin_is_named_before_the_error_of_a_command(harness, install):
    install("broken", BROKEN)
    answer = harness("run", "--model", "lexical", "--tasks", "nothing")
    assert answer.code == 2
    problem, error, *_ = answer.err.splitlines()
    assert problem.startswith("PROBLEM plugin broken (broken 1.0, ")
    assert problem.endswith("line 2): unknown hook 'harness_task': did you mean harness_tasks?")
    assert error == "Error: no task or tag named 'nothing'"


@pytest.mark.parametrize("raised", ["KeyboardInterrupt", "GeneratorExit", "SystemExit(0)"])
def test_a_plugin_that_raises_no_exception_at_import_is_a_broken_plugin(run, raised):
    Path("broken.py").write_text(f"raise {raised}\n")
    answer = run("--plugin", "broken.py", tasks="stsb-dev")
    assert answer.code == 2
    assert "Traceback" not in answer.err
    what = raised.replace("(", ": ").rstrip(")")
    assert answer.err.startswith(f"Error: plugin broken (broken.py, line 1): {what}\n")
    assert not Path("out").exists()


def test_a_check_that_raises_no_exception_is_a_problem_and_the_others_finish(harness):
    Path("exits.py").write_text(
        "from harness import hookimpl\nfrom harness.training import Check\n\n"
        "def look(training):\n    raise GeneratorExit\n    yield\n\n"
        "@hookimpl\ndef harness_checks():\n    return [Check('exits', 'exits', look)]\n"
    )
    Path("rows.csv").write_text("text1,text2\n" + "".join(f"left {n},right {n}\n" for n in range(20)))
    answer = harness("check", "--plugin", "exits.py", "rows.csv", "--kind", "pairs")
    assert "check 'exits' raised" in answer.out
    assert "GeneratorExit" in answer.out
    assert answer.err == ""


SILENT = """
from harness import Dataset, Task, hookimpl, mean_metric

class Silent(Task):
    name, kind, metrics = "silent", "silent", (mean_metric("accuracy", "correct"),)
    def load(self, source):
        return Dataset({"text": ["a", "b"]})
    def predict(self, model, dataset):
        raise OSError

@hookimpl
def harness_tasks():
    return [Silent()]
"""


def test_an_exception_without_a_message_is_said_to_have_none(run):
    Path("silent.py").write_text(SILENT)
    answer = run("--plugin", "silent.py", tasks="silent")
    assert answer.code == 2
    assert {row["error"] for row in rows()} == {"OSError without a message"}
    assert "ERROR lexical · silent: OSError without a message\n" in answer.err


LYING = """
import numpy as np
from harness import Role, hookimpl
from harness.authoring import ModelFacts, ModelScheme

class Lying:
    fingerprint = "1" * 64
    def __init__(self, spec):
        self.spec, self.name = spec, spec.name or "lying"
        self.facts = ModelFacts(dimensions=3 if spec.location == "dimensions" else 2, similarity="cosine")
    def load(self):
        return self
    def encode(self, texts, role=Role.TEXT):
        return np.array([[len(text), text.count("e")] for text in texts], dtype=np.float32).reshape(-1, 2)
    def similarity(self, a, b):
        return a @ b.T
    def pairwise_similarity(self, a, b):
        return (a * b).sum(axis=1)[: 3 if self.spec.location == "pairs" else None]
    def count_tokens(self, texts, role=Role.TEXT):
        return None
    def same_as(self, role):
        return None if self.spec.location == "role" else Role.TEXT

@hookimpl
def harness_model_schemes():
    return [ModelScheme("lying", "says what it does not do", Lying)]
"""


@pytest.mark.parametrize(
    ("location", "told"),
    [
        ("dimensions", "model bad returned embeddings of 2 dimensions: its facts say 3"),
        (
            "pairs",
            "pairwise_similarity of model bad returned float32 of shape (3,): numbers of shape (80,) are",
        ),
        ("role", "model bad says that text is encoded as None: same_as returns a Role"),
    ],
)
def test_what_a_model_says_otherwise_than_it_does_is_its_error_and_the_other_models_finish(
    run, location, told
):
    Path("lying.py").write_text(LYING)
    answer = run("--plugin", "lying.py", "--model", f"bad=lying:{location}", tasks="stsb-dev")
    assert answer.code == 2
    assert "Traceback" not in answer.err
    found = {row["model"]: (row["status"], row["error"]) for row in rows() if row["headline"] == "true"}
    assert found["lexical"] == ("ok", "")
    assert found["bad"][0] == "error"
    assert found["bad"][1].startswith(told)
