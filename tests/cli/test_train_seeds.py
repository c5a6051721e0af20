"""`harness train --executor`, as a user meets it: seeds that several processes train."""

from __future__ import annotations

import json
import os

import pytest

from cli.letters import ALLOWED, SHORT, TRAINER, harness, write_letters
from harness.system.environment import cores
from harness.training.lineage import read_lineage


@pytest.fixture
def place(tiny, tmp_path, monkeypatch):
    """A folder with a recipe and its rows."""
    monkeypatch.setenv("HARNESS_PLUGINS", "sts,train")
    monkeypatch.chdir(tmp_path)
    write_letters(tmp_path, tiny)
    return tmp_path


def test_a_configuration_that_names_an_executor_of_runs_does_not_change_who_trains(place):
    (place / "copying.py").write_text(TRAINER)
    (place / "harness.toml").write_text('executor = "processes"\nworkers = 2\n')
    answer = harness(
        "train", "--plugin", "copying.py", "--recipe", "letters.toml", "--set", "trainer=copying",
        "--out", "copy", *ALLOWED, *SHORT,
    )  # fmt: skip
    assert "executor" not in answer
    assert read_lineage(place / "copy").threads == cores()


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--workers", "2"], "--workers is of no use without workers"),
        (["--allow", "processor"], "--allow is of no use without workers"),
        (["--executor", "nothing"], "no executor named 'nothing'"),
    ],
)
def test_options_of_workers_are_refused_before_training_where_there_are_none(place, words, told):
    assert told in harness("train", "--recipe", "letters.toml", "--out", "c", *words, fails=True)
    assert not list(place.glob("c*"))


@pytest.mark.slow
def test_processes_write_what_one_process_with_as_many_threads_writes(place):
    words = ("--recipe", "letters.toml", "--seeds", "1,2,3", *ALLOWED)
    told = harness("train", *words, "--out", "by", "--executor", "processes", "--workers", "2")
    assert "seeds 1, 2, 3, executor processes" in told
    assert told.count("written:") == 3
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, sorted(before)[: len(before) // 2])
    try:
        harness("train", *words, "--out", "alone")
    finally:
        os.sched_setaffinity(0, before)
    for seed in (1, 2, 3):
        by, alone = (candidate_content(place / f"{name}-seed-{seed}") for name in ("by", "alone"))
        assert by == alone


def candidate_content(folder):
    """What a candidate holds, but for what differs from one time to the next: times, load, command."""
    files = {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*.*")}
    lineage = json.loads(files.pop("lineage.json"))
    card = [line for line in files.pop("README.md").decode().splitlines() if "seconds" not in line]
    for name in ("seconds", "finished"):
        del lineage[name]
    for name in ("load", "command"):
        del lineage["hardware"][name]
    return files, lineage, card
