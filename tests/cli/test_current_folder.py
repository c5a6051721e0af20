"""A plugin that changes the current folder moves no result: users' paths are absolute from the start."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

LEAVING = '''
"""Leaves the current folder at import, in a hook, while it reads rows and before it encodes."""
import os
from harness import Dataset, Predictions, Task, hookimpl, mean_metric

def leave():
    os.chdir({elsewhere!r})

leave()

class Leaving(Task):
    kind, tags = "leaving", frozenset({{"leaving"}})
    metrics = (mean_metric("accuracy", "correct"),)

    def __init__(self, name):
        self.name = name

    def load(self, source):
        leave()
        return Dataset({{"text": [f"{{self.name}} {{number}}" for number in range(4)]}})

    def predict(self, model, dataset):
        leave()
        model.encode(dataset["text"])
        return Predictions(dataset, correct=[1.0, 0.0, 1.0, 1.0])

@hookimpl
def harness_tasks():
    leave()
    return [Leaving("leaving-a"), Leaving("leaving-b")]
'''
ROWS = "text1,text2,score\n" + "".join(f"a text {n},another {n % 7},{n % 5}\n" for n in range(12))


@pytest.fixture
def elsewhere(tmp_path_factory):
    return tmp_path_factory.mktemp("elsewhere")


@pytest.fixture
def leaving(elsewhere, tmp_path):
    (tmp_path / "leaving.py").write_text(LEAVING.format(elsewhere=str(elsewhere)))
    (tmp_path / "rows.csv").write_text(ROWS)
    (tmp_path / "tasks.toml").write_text('[tasks.mine]\nkind = "sts"\npath = "rows.csv"\n')
    (tmp_path / "data").mkdir()
    return "leaving.py"


@pytest.mark.parametrize("words", [[], ["--isolate"]], ids=["here", "isolated"])
def test_a_plugin_that_changes_the_current_folder_moves_no_result(run, leaving, elsewhere, tmp_path, words):
    paths = ["--cache", "cache", "--data", "data", "--task-file", "tasks.toml"]
    answer = run("--plugin", leaving, *paths, *words, tasks="leaving,mine")
    assert answer.code == 0
    assert "written: out/leaderboard.csv" in answer.out
    assert Path.cwd() == tmp_path
    assert list(elsewhere.iterdir()) == []
    assert {path.stem for path in Path("out/records").glob("*/*.json")} == {"leaving-a", "leaving-b", "mine"}
    assert "3 results kept" in run("--plugin", leaving, *paths, *words, tasks="leaving,mine").out


def test_what_a_run_stores_of_paths_is_what_the_user_wrote(run, leaving, tmp_path):
    run("--plugin", leaving, "--data", "data", "--task-file", "tasks.toml", tasks="mine")
    (journal,) = Path("out/runs").glob("*.json")
    plan = json.loads(journal.read_text())["plan"]
    assert (plan["folder"], plan["plugins"], plan["task_files"]) == (str(tmp_path), [leaving], ["tasks.toml"])
    assert plan["data"] == str(tmp_path / "data")
    assert json.loads(journal.read_text())["data"] == "data"
    kept = [path for path in Path("out").rglob("*") if path.is_file() and path.parts[1] != "runs"]
    assert kept
    assert [path for path in kept if str(tmp_path).encode() in path.read_bytes()] == []


def test_an_error_record_names_no_folder_of_this_machine(run, leaving, tmp_path):
    answer = run("--data", "data", "--keep-going", tasks="stsb")
    assert answer.code == 2
    (record,) = Path("out/errors").glob("*/*.json")
    assert "in data" in json.loads(record.read_text())["error"]
    assert str(tmp_path) not in record.read_text() + Path("out/leaderboard.csv").read_text()


def test_files_of_compare_and_its_source_stay_where_and_what_the_user_wrote(harness, run, leaving, tmp_path):
    assert run("--plugin", leaving, "--model", "two=lexical", tasks="leaving").code == 0
    words = ["out", "--plugin", leaving, "--baseline", "lexical", "--write", "made.json"]
    harness("compare", *words)
    assert (tmp_path / "made.json").is_file()
    assert str(tmp_path) not in (tmp_path / "made.json").read_text()
    assert '"source": "out"' in (tmp_path / "made.json").read_text()
