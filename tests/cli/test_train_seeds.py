"""`harness train --executor`, as a user meets it: seeds that several processes train."""

from __future__ import annotations

import contextlib
import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

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


LONG = ("--recipe", "letters.toml", "--seeds", "1,2,3", *ALLOWED, "--set", "train.epochs=8")
"""Seconds of steps, with a checkpoint after each epoch."""


@pytest.fixture(scope="module")
def alone(tiny, tmp_path_factory):
    """Seeds that one process trained, one after the other, with as many threads as one of two workers."""
    folder, before = tmp_path_factory.mktemp("alone"), os.sched_getaffinity(0)
    write_letters(folder, tiny)
    os.sched_setaffinity(0, sorted(before)[: len(before) // 2])
    try:
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("HARNESS_PLUGINS", "sts,train")
            patch.chdir(folder)
            harness("train", *LONG, "--out", "c")
    finally:
        os.sched_setaffinity(0, before)
    return [candidate_content(folder / f"c-seed-{seed}") for seed in (1, 2, 3)]


def started(*words):
    """Start a command with two processes as workers."""
    command = [sys.executable, "-m", "harness", "train", *LONG, "--out", "c", *words]
    return subprocess.Popen(
        [*command, "--executor", "processes", "--workers", "2"],
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    )  # fmt: skip


def workers_of(parent):
    """The numbers of the processes that a process has started and that are workers."""
    found = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            ours = int(path.read_text().rpartition(")")[2].split()[1]) == parent
            if ours and "process_worker" in (path.parent / "cmdline").read_text():
                found.append(int(path.parent.name))
    return found


def is_running(number):
    """Whether a process runs: one that has ended may wait for a parent that asks for it."""
    with contextlib.suppress(OSError):
        return Path(f"/proc/{number}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    return False


def candidates(place):
    return [candidate_content(place / f"c-seed-{seed}") for seed in (1, 2, 3)]


@pytest.mark.slow
def test_processes_write_what_one_process_with_as_many_threads_writes(place, alone):
    command = started()
    told = command.communicate()[0]
    assert command.returncode == 0, told
    assert "seeds 1, 2, 3, executor processes" in told
    assert told.count("written:") == 3
    assert candidates(place) == alone


@pytest.mark.slow
@pytest.mark.parametrize("number", range(3))
def test_workers_that_are_killed_at_any_moment_change_nothing(place, alone, number):
    moments, command = random.Random(number), started()
    killed = 0
    while killed < 2 and command.poll() is None:
        time.sleep(moments.uniform(1.0, 12.0))
        if running := workers_of(command.pid):
            os.kill(moments.choice(running), signal.SIGKILL)
            killed += 1
    told = command.communicate()[0]
    assert command.returncode == 0, told
    assert killed
    assert told.count("killed by SIGKILL") <= killed  # one that had not started yet is not said
    assert candidates(place) == alone
    assert not list(place.glob("*.unfinished"))
    assert not list(place.glob(".*.tmp"))


@pytest.mark.slow
@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_an_interrupted_command_ends_its_workers_and_is_continued_with_resume(place, alone, how):
    command = started()
    while len({path.parts[-4] for path in place.glob("*.unfinished/checkpoints/*/*")}) < 2:
        assert command.poll() is None
        time.sleep(0.05)
    workers = workers_of(command.pid)
    command.send_signal(how)
    told = command.communicate(timeout=60)[0]
    if how != signal.SIGKILL:
        assert command.returncode == 128 + how
        begun = " and ".join(sorted(path.name for path in place.glob("*.unfinished")))
        assert f"with --resume continues from {begun}." in told
    time.sleep(1.0)
    assert not any(map(is_running, workers))
    assert list(place.glob("*.unfinished"))
    again = started("--resume")
    told = again.communicate()[0]
    assert again.returncode == 0, told
    assert candidates(place) == alone
    assert not list(place.glob(".*.tmp"))


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
