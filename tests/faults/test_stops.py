"""Commands that are killed or interrupted at a moment of their work: no debris, no traceback, and resumed."""

from __future__ import annotations

import json
import random
import re
import signal
import time
from pathlib import Path
from subprocess import TimeoutExpired

import pytest
from conftest import build_model

from faults.test_kills import STEADY, process
from faults.test_kills_of_commands import KILLS, SEED, finished

COUNTING = STEADY.with_name("counting.py")

RECIPE = """
base = "base"
trainer = "counting"
[data]
kind = "scored-pairs"
path = "pairs.csv"
[loss]
name = "CosineSimilarityLoss"
[train]
batch_size = 10
steps = 12
learning_rate = 0.001
"""


@pytest.fixture
def recipe(tmp_path, monkeypatch):
    """A folder with a recipe, its rows and its base."""
    (tmp_path / "count.toml").write_text(RECIPE)
    build_model(tmp_path / "base")
    words = ["ant bee cow", "dog elk fox", "gnu hen ibis", "jay kid lamb"]
    lines = [f"{words[n % 4]} {n},{words[n % 3]} {n * n},{(n % 5) / 4}" for n in range(60)]
    (tmp_path / "pairs.csv").write_text("text1,text2,score\n" + "\n".join(lines))
    monkeypatch.setenv("COUNTING_SECONDS", "0.1")
    return tmp_path


def train(*more):
    allowed = ["--allow", "labels-inverted", "--allow", "near-duplicates"]
    command = ["train", "--plugin", COUNTING, "--recipe", "count.toml", "--out", "made", "--seeds", "1,2"]
    return ["-m", "harness", *command, *allowed, *more]


def counted(folder):
    """Steps that a training has noted."""
    path = folder / "counted.json"
    return len(json.loads(path.read_bytes())) if path.is_file() else 0


def wait(condition, running, seconds=100):
    """Wait until something has happened while a process runs."""
    end = time.monotonic() + seconds
    while not condition():
        assert running.poll() is None, running.stderr.read()
        assert time.monotonic() < end
        time.sleep(0.01)


def left_by(folder, number, step):
    """Send a signal to a training when its second candidate has some steps; return what it said."""
    with process(train(), folder, plugins="sts,train") as running:
        wait(lambda: counted(folder / "made-seed-2.unfinished") >= step, running)
        running.send_signal(number)
        _, said = running.communicate(timeout=60)
    assert running.returncode == (-number if number == signal.SIGKILL else 128 + number)
    assert "Traceback" not in said
    made = [(folder / f"made-seed-{seed}").is_dir() for seed in (1, 2)]
    assert made == [True, False]  # some candidates are done, and others are not
    assert step <= counted(folder / "made-seed-2.unfinished") < 12
    return said


@pytest.mark.slow
@pytest.mark.parametrize(
    "number",
    [
        pytest.param(signal.SIGKILL, id="kill"),
        pytest.param(signal.SIGINT, id="ctrl-c", marks=pytest.mark.slow),
    ],
)
def test_a_training_that_is_stopped_in_its_second_candidate_is_resumed_to_both(number, recipe):
    said = left_by(recipe, number, random.Random(SEED + number).randint(2, 8))
    if number == signal.SIGINT:
        assert "--resume continues from made-seed-2.unfinished" in re.sub(r"\s+", " ", said)
    first = (recipe / "made-seed-1" / "counted.json").stat().st_mtime_ns
    with process(train("--resume"), recipe, plugins="sts,train") as running:
        _, said = running.communicate(timeout=120)
    assert running.returncode == 0, said
    assert (recipe / "made-seed-1" / "counted.json").stat().st_mtime_ns == first
    for seed in (1, 2):
        expected = [(seed * 7919 + step * 104729) % 1000003 for step in range(1, 13)]
        assert json.loads((recipe / f"made-seed-{seed}" / "counted.json").read_bytes()) == expected
    assert [path.name for path in recipe.iterdir() if "unfinished" in path.name] == []
    assert list(recipe.rglob("*.tmp")) == []


def seconds_of(command, folder):
    began = time.monotonic()
    with process(command, folder) as running:
        _, said = running.communicate(timeout=120)
    assert running.returncode == 0, said
    return time.monotonic() - began


def content(folder):
    return {
        path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()
    }


@pytest.mark.slow
def test_an_interrupted_leaderboard_changes_nothing_and_says_so_without_a_traceback(tmp_path):
    check_leaderboard(tmp_path, 3)


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_a_leaderboard_that_is_stopped_at_any_moment_changes_nothing(tmp_path):
    stopped, kills = check_leaderboard(tmp_path, KILLS or 20)
    print(f"leaderboard: {stopped} of {kills} were stopped before their end")


def check_leaderboard(folder, kills):
    """Stop `harness leaderboard` at moments of its run; return how often it had not ended, and the tries."""
    finished(folder)
    before = content(folder / "out")
    command = ["-m", "harness", "leaderboard", folder / "out", "--plugin", STEADY]
    took = seconds_of(command, folder)
    chance, stopped = random.Random(SEED), 0
    for turn in range(kills):
        number = (signal.SIGINT, signal.SIGKILL)[turn % 2]
        with process(command, folder) as running:
            time.sleep(took * chance.uniform(0.15, 0.9))
            running.send_signal(number)
            _, said = running.communicate(timeout=60)
        # Without the 128 where it had not yet been imported: the system ended it.
        assert running.returncode in (0, 130, -signal.SIGINT, -signal.SIGKILL), said
        assert "Traceback" not in said
        assert content(folder / "out") == before
        stopped += running.returncode != 0
    assert stopped
    return stopped, kills


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM], ids=["kill", "term"])
def test_a_bench_that_is_stopped_while_it_measures_leaves_no_process_and_no_file(number, tmp_path):
    words = ["--plugin", STEADY, "--model", "steady", "--model", "other=steady", "--workload", "short"]
    command = ["-m", "harness", "bench", *words, "--budget", "60", "--margin", "0.001", "--out", "bench"]
    with process(command, tmp_path) as running:
        listed = Path(f"/proc/{running.pid}/task/{running.pid}/children")
        wait(lambda: len(listed.read_text().split()) == 2, running)
        workers = [int(word) for word in listed.read_text().split()]
        time.sleep(random.Random(SEED).uniform(0.2, 1.0))
        running.send_signal(number)
        _, said = running.communicate(timeout=60)
    assert running.returncode == (-number if number == signal.SIGKILL else 128 + number)
    assert "Traceback" not in said
    end = time.monotonic() + 10
    while (alive := [pid for pid in workers if runs(pid)]) and time.monotonic() < end:
        time.sleep(0.05)
    assert (alive, (tmp_path / "bench").exists()) == ([], False)


def runs(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_the_real_trainer_killed_at_random_moments_is_resumed_to_the_same_weights(recipe):
    """Two candidates of 40 steps with a checkpoint at every tenth; killed until both are there."""
    chance, kills, halfway = random.Random(SEED), 0, 0
    words = ["--set", "trainer=sentence-transformers", "--set", "train.steps=40", "--seeds", "1,2"]
    words += ["--set", "evaluation.tasks=['stsb-dev']", "--set", "evaluation.every=10", "--out", "real"]

    def made(name):
        return [(recipe / f"{name}-seed-{seed}" / "model.safetensors").exists() for seed in (1, 2)]

    began = time.monotonic()
    with process([*train(), *words], recipe, plugins="sts,train") as running:
        _, said = running.communicate(timeout=600)
    assert running.returncode == 0, said
    took = time.monotonic() - began
    words[-1] = "again"
    while not all(made("again")) and kills < (KILLS or 12):
        with process([*train("--resume"), *words], recipe, plugins="sts,train") as running:
            try:
                running.communicate(timeout=took * chance.uniform(0.4, 0.8))
            except TimeoutExpired:
                running.send_signal(chance.choice([signal.SIGKILL, signal.SIGINT]))
                _, said = running.communicate(timeout=60)
                assert "Traceback" not in said
                kills += 1
                begun = [*recipe.glob("again-seed-?.unfinished/checkpoints/checkpoint-*")]
                halfway += any(made("again")) != all(made("again")) or bool(begun)
    for seed in (1, 2):
        one, other = (recipe / f"{name}-seed-{seed}" / "model.safetensors" for name in ("real", "again"))
        assert one.read_bytes() == other.read_bytes()
    print(f"train: stopped {kills} times, {halfway} with some of the work done; {took:.0f} s undisturbed")
    assert halfway
    assert [path.name for path in recipe.iterdir() if "unfinished" in path.name] == []
