"""docs/plugins.md: its names are the public ones, and its examples run."""

from __future__ import annotations

import doctest
import importlib
import re
from pathlib import Path

import pytest
from click.testing import CliRunner

from harness.authoring import ModelSpec
from harness.cli import cli
from harness.results.leaderboard import read_leaderboard
from harness.testing import check_model, check_task

GUIDE = (Path(__file__).parents[2] / "docs" / "plugins.md").read_text(encoding="utf-8")
ROWS = (
    "question,paraphrase,other\n"
    "how do I reset my password,resetting a password,opening hours of the shop\n"
    "where is my parcel,has my parcel been sent,cancel the subscription\n"
)


def blocks(language: str) -> list[str]:
    """Return the fenced blocks of a language."""
    return re.findall(rf"^```{language}\n(.*?)^```$", GUIDE, re.MULTILINE | re.DOTALL)


@pytest.fixture
def guide(tmp_path, monkeypatch):
    """A folder with the files of the guide, as the current one."""
    (task,), (kind, model) = blocks("python"), blocks("python3")
    (tmp_path / "paraphrases.py").write_text(f"{task}\n\n{kind}", encoding="utf-8")
    (tmp_path / "letters.py").write_text(model, encoding="utf-8")
    (tmp_path / "my-data").mkdir()
    (tmp_path / "my-data" / "paraphrases.csv").write_text(ROWS)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(*arguments):
    options = ["--no-throughput", "--out", "out"]
    answer = CliRunner().invoke(cli, ["run", *arguments, *options], catch_exceptions=False)
    assert answer.exit_code == 0, answer.output
    return read_leaderboard(Path("out", "leaderboard.csv"))


@pytest.mark.parametrize("namespace", ["harness", "harness.authoring", "harness.training", "harness.testing"])
def test_the_guide_lists_the_names_of_each_namespace(namespace):
    (row,) = [line for line in GUIDE.splitlines() if line.startswith(f"| `{namespace}` |")]
    listed = re.findall(r"`(\w+)`", row.split("|")[3])
    assert len(listed) == len(set(listed))
    assert set(listed) == {name for name in importlib.import_module(namespace).__all__ if name[0] != "_"}


def test_the_task_kind_of_the_guide_reads_a_users_file(guide):
    (guide / "mine.csv").write_text(ROWS.replace("other", "wrong", 1))
    (guide / "tasks.toml").write_text(
        '[tasks.mine]\nkind = "paraphrase"\npath = "mine.csv"\ncolumns = { other = "wrong" }\n'
    )
    files = ["--plugin", "paraphrases.py", "--task-file", "tasks.toml"]
    (row,) = run(*files, "--tasks", "mine", "--model", "lexical")
    assert (row.task, row.metric, row.score) == ("mine", "accuracy", 1.0)


def test_the_task_and_the_model_of_the_guide_keep_the_rules(guide, monkeypatch):
    monkeypatch.syspath_prepend(guide)
    check_task(importlib.import_module("paraphrases").Paraphrases(), guide / "my-data")
    check_model(importlib.import_module("letters").LetterCounts(ModelSpec("letters", "")))


def test_the_model_of_the_guide_runs(guide):
    (row, *_) = run("--plugin", "letters.py", "--tasks", "stsb", "--model", "letters")
    assert (row.model, row.task, row.status) == ("letters", "stsb", "ok")


def test_the_python_session_of_the_guide_prints_what_it_says(guide, monkeypatch):
    monkeypatch.syspath_prepend(guide)
    (session,) = blocks("pycon")
    test = doctest.DocTestParser().get_doctest(session, {}, "guide", "docs/plugins.md", 0)
    report: list[str] = []
    assert doctest.DocTestRunner().run(test, out=report.append).failed == 0, "".join(report)
