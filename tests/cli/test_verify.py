"""`harness verify`: one line for each thing that does not hold, and an exit code."""

from __future__ import annotations

import errno
import os
import shutil
from pathlib import Path

import pytest

EXAMPLE = Path(__file__).parents[2] / "results" / "example"


@pytest.fixture
def example(tmp_path):
    """A copy of a part of the committed example, published anew."""
    from harness.results.folder import ResultsFolder
    from harness.results.publish import publish

    for part in ("records", "predictions"):
        for path in EXAMPLE.glob(f"{part}/lexical*/stsb@*"):
            copy = tmp_path / "out" / path.relative_to(EXAMPLE)
            copy.parent.mkdir(parents=True)
            shutil.copy(path, copy)
    publish(ResultsFolder(tmp_path / "out"))
    return tmp_path / "out"


def test_results_that_hold_exit_with_0(harness, example):
    verified = harness("verify", "out")
    assert verified.code == 0
    assert verified.out.splitlines()[-1].startswith("out: all holds: 1 record (")
    assert "1 file of predictions, 2 scores" in verified.out


def test_a_changed_cell_exits_with_1_and_a_hint(harness, example):
    board = example / "leaderboard.csv"
    board.write_text(board.read_text().replace(",ok,", ",error,", 1))
    verified = harness("verify", "out")
    assert verified.code == 1
    assert "FAULT out/leaderboard.csv: line 2 differs from the records\n" in verified.out
    assert "hint: run the `harness run` command again" in verified.out
    assert verified.out.splitlines()[-1].startswith("out: 1 fault; what holds: 1 record (")


def test_several_folders_are_each_verified(harness, document, example):
    shutil.copytree("out", "other")
    next(Path("other").rglob("*.parquet")).unlink()
    verified = harness("verify", "out", "other", "--json")
    assert verified.code == 1
    holds, other = document("verify", verified)["folders"]
    assert [(one["folder"], len(one["faults"])) for one in (holds, other)] == [("out", 0), ("other", 1)]
    assert "its predictions are missing" in other["faults"][0]["what"]


def test_nothing_is_written(harness, example):
    before = {path: path.stat().st_mtime_ns for path in example.rglob("*")}
    os.chdir(example)
    harness("verify", ".")
    assert {path: path.stat().st_mtime_ns for path in example.rglob("*")} == before


@pytest.mark.parametrize(("folder", "told"), [("nowhere", "no folder nowhere"), (".", "no results in")])
def test_a_folder_that_cannot_be_read_exits_with_2(harness, folder, told):
    verified = harness("verify", folder)
    assert verified.code == 2
    assert told in verified.err


@pytest.mark.parametrize(
    "words", ["verify ~/out", "status ~/out", "leaderboard ~/out", "compare ~/out ~/out"]
)
def test_an_unreadable_folder_within_results_does_not_crash(harness, example, tmp_path, monkeypatch, words):
    closed, look = tmp_path / "out" / "predictions", Path.stat

    def stat(path, *, follow_symlinks=True):
        if closed in (tmp_path / path).parents:
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
        return look(path, follow_symlinks=follow_symlinks)

    monkeypatch.setattr(Path, "stat", stat)
    monkeypatch.setenv("HOME", str(tmp_path))
    answer = harness(*words.split())
    assert "no folder" not in answer.err
    assert answer.code == {"verify": 1, "status": 1, "leaderboard": 0, "compare": 2}[words.split()[0]]
