"""`harness run` before it spends anything: all that would fail is found, and told at once."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest

from harness import HarnessError

TASKS = """
[tasks.other-columns]
kind = "sts"
path = "pairs.csv"
[tasks.elsewhere]
kind = "sts"
path = "nowhere.csv"
[tasks.sound]
kind = "sts"
path = "sound.csv"
"""


@pytest.fixture(autouse=True)
def given():
    Path("pairs.csv").write_text("question,answer\na,b\n")
    Path("sound.csv").write_text("text1,text2,score\na cat,a cat,5\na cat,a dog,3\na cat,the rain,0\n")
    Path("tasks.toml").write_text(TASKS)
    Path("empty").mkdir()


@pytest.fixture
def encoded(monkeypatch):
    """Texts that the lexical model encoded."""
    from harness.models.lexical import LexicalModel

    texts, encode = [], LexicalModel.encode

    def recording(self, given, *role):
        texts.extend(given)
        return encode(self, given, *role)

    monkeypatch.setattr(LexicalModel, "encode", recording)
    return texts


def test_columns_paths_models_settings_and_names_are_listed_at_once_and_nothing_is_written(run, encoded):
    answer = run(
        "--task-file", "tasks.toml", "--model", "./empty", "--model", "lexcial", "--truncate-dim", "8",
        tasks="other-columns,elsewhere,sound,stbs",
    )  # fmt: skip
    assert (answer.code, answer.out, encoded) == (2, "", [])
    assert answer.err.startswith("Error: 6 things are wrong\n")
    for told in (
        "no task or tag named 'stbs'\n    did you mean: sts, stsb",
        "no model named 'lexcial'\n    did you mean: lexical",
        "model lexical-8: the lexical model does not support --truncate-dim\n    hint: it supports",
        "model empty-8: empty is not a model folder",
        "task other-columns: pairs.csv has no column 'text1', 'text2', 'score'\n    found: question, answer",
        "task elsewhere: no file nowhere.csv",
    ):
        assert told in answer.err
    assert not Path("out").exists()


def test_with_keep_going_the_rest_is_evaluated_and_what_has_no_record_is_a_problem(run):
    words = ["--task-file", "tasks.toml", "--model", "./empty", "--keep-going"]
    answer = run(*words, tasks="other-columns,sound,stbs")
    assert answer.code == 2
    with Path("out/leaderboard.csv").open(encoding="utf-8", newline="") as file:
        found = {(row["model"], row["task"]): row["status"] for row in csv.DictReader(file)}
    assert found == {
        ("lexical", "sound"): "ok",
        ("lexical", "other-columns"): "error",
        ("empty", "sound"): "error",
        ("empty", "other-columns"): "error",
    }
    assert "PROBLEM no task or tag named 'stbs'" in answer.out


def test_the_advice_to_keep_going_is_given_only_where_something_would_be_left(run):
    words = ["--task-file", "tasks.toml"]
    assert "--keep-going evaluates the rest" in run(*words, tasks="other-columns,sound").err
    assert "--keep-going" not in run(*words, tasks="other-columns,elsewhere").err
    assert "--keep-going" not in run(*words, model="./empty", tasks="sound").err


def test_options_without_a_meaning_are_listed_together_and_no_way_leads_around_them(run):
    answer = run("--data", "nowhere", "--cache-size", "lots", "--device", "gpu", "--keep-going")
    assert (answer.code, Path("out").exists()) == (2, False)
    assert "3 things are wrong" in answer.err
    for told in ("no data folder nowhere", "invalid size 'lots'", "no device named 'gpu'"):
        assert told in answer.err


def test_a_device_that_is_not_here_is_found_before_a_model_is_loaded(run, tiny, encoded):
    answer = run("--device", "cuda:99", "--model", "lexical", model=tiny)
    assert (answer.code, encoded) == (2, [])
    assert "model tiny: no device 'cuda:99' on this machine\n  there: cpu" in answer.err


def test_a_plugin_that_raises_while_it_reads_its_rows_is_told_with_its_task(run, encoded):
    Path("raises.py").write_text(
        "from harness import Task, hookimpl, mean_metric\n"
        "class Raises(Task):\n"
        "    name, kind, metrics = 'raises', 'raises', (mean_metric('accuracy', 'correct'),)\n"
        "    def load(self, source): raise KeyError('no such shelf')\n"
        "    def predict(self, model, dataset): raise AssertionError\n"
        "@hookimpl\n"
        "def harness_tasks(): return [Raises()]\n"
    )
    answer = run("--plugin", "raises.py", tasks="raises,stsb")
    assert (answer.code, encoded) == (2, [])
    assert "Error: task raises: KeyError: 'no such shelf'" in answer.err


def test_rows_are_read_once(run, monkeypatch):
    from harness.evaluation import runner

    read, load = [], runner.load_task

    def counting(task, *more):
        read.append(task.name)
        return load(task, *more)

    monkeypatch.setattr(runner, "load_task", counting)
    assert run("--model", "again=lexical").code == 0
    assert read == ["stsb", "stsb-dev"]


def test_a_model_that_has_nothing_left_to_do_needs_no_device(run, monkeypatch):
    def gone(_located):
        raise HarnessError("its device is gone")

    assert run(tasks="stsb").code == 0
    monkeypatch.setattr("harness.evaluation.preflight.check_usable", gone)
    answer = run(tasks="stsb")
    assert (answer.code, "1 result kept from before" in answer.out) == (0, True)
    assert "Error: its device is gone" in run(tasks="sts").err


def test_a_quoted_row_is_withheld_without_texts(run):
    Path("sound.csv").write_text("text1,text2,score\na cat,a cat,hush-hush\n")
    answer = run("--task-file", "tasks.toml", "--no-texts", tasks="sound,stsb")
    assert answer.code == 2
    assert "task sound: HarnessError in " in answer.err
    assert "hush" not in answer.err


def test_all_faults_of_task_files_are_listed_with_those_of_the_command(run):
    Path("tasks.toml").write_text(
        '[tasks.a]\nkind = "stss"\npath = "x.csv"\n[tasks.b]\nkind = "sts"\npth = "x.csv"\n'
        '[tasks.c]\nkind = "sts"\npath = "x.csv"\ncolumns = { question = "q" }\nodd = 1\n'
    )
    answer = run("--task-file", "tasks.toml", "--device", "gpu")
    assert "5 things are wrong" in answer.err
    for told in (
        "tasks.toml: [tasks.a]: no kind of task named 'stss'",
        "[tasks.b] path is missing",
        "no column of kind sts (task c) named 'question'",
        "no option of kind sts (task c) named 'odd'",
        "no device named 'gpu'",
    ):
        assert told in answer.err


def test_the_journal_of_a_refused_run_is_not_written(run):
    assert run(tasks="stsb").code == 0
    before = sorted(Path("out").rglob("*"))
    assert run("--task-file", "tasks.toml", tasks="elsewhere,stsb").code == 2
    assert sorted(Path("out").rglob("*")) == before
    assert json.loads(next(Path("out/runs").iterdir()).read_text())["state"] == "finished"
