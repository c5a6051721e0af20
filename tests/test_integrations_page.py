"""docs/integrations.md: its examples run."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from click.testing import CliRunner

import harness
from harness.cli import cli

PAGE = (Path(__file__).parents[1] / "docs" / "integrations.md").read_text(encoding="utf-8")


def block(words):
    (found,) = [
        code
        for code in re.findall(r"^```python\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
        if words in code
    ]
    return found


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(*arguments):
    options = ["--tasks", "stsb", "--no-throughput", "--out", "out"]
    return CliRunner().invoke(cli, ["run", *arguments, *options], catch_exceptions=False)


def test_the_tracker_of_the_page_writes_a_line_for_each_score(here):
    (here / "lines.py").write_text(block("harness_trackers"))
    assert run("--plugin", "lines.py", "--track", "lines", "--model", "words=lexical").exit_code == 0
    lines = (here / "scores.txt").read_text().splitlines()
    assert re.fullmatch(r"words stsb/spearman 0\.\d{4}", lines[0])
    assert lines[-1] == "words finished"


def test_the_hook_of_the_page_says_what_failed(here):
    (here / "failures.py").write_text(block("def harness_record"))

    def broken(texts):
        raise ValueError("no such layer")

    harness.evaluate({"broken": broken}, "stsb", plugins=["failures.py"], limit=20, keep_going=True)
    assert (here / "failures.txt").read_text().startswith("broken on stsb: ")
