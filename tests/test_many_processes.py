"""Many processes on one results folder and one cache: nothing is lost, torn, or left behind."""

from __future__ import annotations

import io
import random
import re
import signal
import sys
import time
from contextlib import redirect_stderr, redirect_stdout

import numpy as np
import pytest
from encoding.test_cache import CacheableModel, started
from evaluation.test_run import Twins, plan

from harness.encoding.cache import EmbeddingCache
from harness.encoding.cache_folder import find_corruption, stores
from harness.evaluation.run import run_plan
from harness.models import computation
from harness.results.folder import ResultsFolder
from harness.results.publish import publish

MODELS = [("first", "1" * 64), ("second", "2" * 64), ("third", "3" * 64)]
TASKS = [f"twins{number}" for number in range(6)]


@pytest.fixture(autouse=True)
def without_torch(monkeypatch):
    """Ask torch for no kernels: importing it would take most of the time, in every process."""
    monkeypatch.setattr(computation, "_kernels", lambda _: {})


class Checked(CacheableModel):
    """A model of the cache under a name of its own."""

    def __init__(self, name, fingerprint):
        super().__init__(fingerprint)
        self.name = name


def task(name):
    """A task with rows of its own, and some that it shares with the next."""
    start = 5 * TASKS.index(name)
    words = ["".join(random.Random(row).choices("abcdefgh", k=9)) for row in range(start, start + 10)]
    return Twins(name, [(word, word[:6] + word[:3], word[::-1][:4] + "xyz") for word in words])


def evaluate(root, models, names, **options):
    """Evaluate and publish, as `harness run` does; return the problems."""
    results = ResultsFolder(root / "results")
    run = plan(
        *map(task, names), models=[Checked(*model) for model in models], cache=root / "cache", **options
    )
    outcome = run_plan(run, results)
    return [*(evaluation.error for evaluation in outcome.failed), *outcome.problems, *publish(results)]


def play(root, seed, rounds, limit):
    """Evaluate random tasks and models in each round, by a seed, and print problems: one process of many."""
    chance = random.Random(seed)
    for _ in range(rounds):
        models = chance.sample(MODELS, chance.randint(1, len(MODELS)))
        names = chance.sample(TASKS, chance.randint(1, len(TASKS)))
        for problem in evaluate(root, models, names, fresh=chance.random() < 0.3, cache_size=limit):
            print(problem)


PLAY = """
import sys
from pathlib import Path
from test_many_processes import computation, play
computation._kernels = lambda _: {}
play(Path(sys.argv[1]), *map(int, sys.argv[2:]))
"""


def contents(root, *parts):
    return {
        path.relative_to(root): path.read_bytes()
        for part in parts
        for path in sorted(root.glob(f"results/{part}"))
        if path.is_file()
    }


@pytest.mark.slow
@pytest.mark.parametrize(
    ("processes", "rounds", "limit"),
    [
        pytest.param(3, 3, 1 << 30, id="few"),
        pytest.param(8, 50, 1 << 30, id="many", marks=pytest.mark.slow),
        pytest.param(8, 50, 30_000, id="many with a cache too small", marks=pytest.mark.slow),
    ],
)
def test_nothing_is_lost_torn_or_left_behind(processes, rounds, limit, tmp_path):
    together, alone = tmp_path / "together", tmp_path / "alone"
    playing = [started(PLAY, together, seed, rounds, limit) for seed in range(processes)]
    assert [(process.communicate()[0], process.returncode) for process in playing] == [("", 0)] * processes
    published = contents(together, "leaderboard.*")
    publish(ResultsFolder(together / "results"))
    assert contents(together, "leaderboard.*") == published  # the last process had read the records of all
    # Pairs that no process drew are added, so that both folders have all pairs.
    assert evaluate(together, MODELS, TASKS) == evaluate(alone, MODELS, TASKS) == []

    whole = ("records/*/*", "predictions/*/*", "leaderboard.*", "errors/*/*")
    assert contents(together, *whole) == contents(alone, *whole)
    assert len(contents(together, "records/*/*")) == len(MODELS) * len(TASKS)
    assert list(together.rglob("*.tmp")) == []
    assert list(find_corruption(together / "cache")) == []
    assert [store.foreign for store in stores(together / "cache")] == [()] * len(MODELS)


def call(*words):
    """Call `harness WORDS…` in this process; return its exit code and what it said."""
    from harness.cli import main

    sys.argv = ["harness", *map(str, words)]
    said = io.StringIO()
    with redirect_stdout(said), redirect_stderr(said):
        try:
            main()
            code = 0
        except SystemExit as ended:
            code = ended.code or 0
    return code, said.getvalue()


WHILE_OTHERS_WRITE = re.compile(
    r"FAULT [^:]*/(leaderboard\.(csv|md): (line \d+ differs|its length differs|it is missing)"
    r"|predictions/[^:]*: no record refers to it)"
)
"""Faults that `harness verify` finds because others are about to write what is missing."""


def keep_house(root):
    """Clear the cache, verify it and the results, and publish, until `root/ended` is there.

    Prints problems, and at last a line of numbers: rounds, those that cleared something, those in which some
    records were there and some were not.
    """
    results, rounds, cleared, halfway = root / "results", 0, 0, 0
    while not list(results.glob("records/*/*.json")):
        time.sleep(0.01)
    while not (root / "ended").exists():
        halfway += len(list(results.glob("records/*/*.json"))) < len(MODELS) * len(TASKS)
        code, said = call("cache", "clear", root / "cache", "--yes")
        cleared += " 0 B" not in said and "removed" in said
        if code or "Traceback" in said:
            print("clear", code, said)
        for words in (("cache", "verify", root / "cache"), ("leaderboard", results)):
            code, said = call(*words)
            if code or "Traceback" in said:
                print(words[0], code, said)
        code, said = call("verify", results)
        faults = [line for line in said.splitlines() if line.startswith("FAULT")]
        unexplained = [line for line in faults if not WHILE_OTHERS_WRITE.match(line)]
        if unexplained or code != bool(faults) or "Traceback" in said:
            print("verify", code, unexplained or said)
        for problem in publish(ResultsFolder(results)):
            print("publish", problem)
        rounds += 1
    print(rounds, cleared, halfway)


KEEP = """
import sys
from pathlib import Path
from test_many_processes import keep_house
keep_house(Path(sys.argv[1]))
"""


@pytest.mark.parametrize(
    ("rounds", "limit"),
    [
        pytest.param(4, 1 << 30, id="few", marks=pytest.mark.slow),
        pytest.param(60, 1 << 30, id="many", marks=pytest.mark.slow),
        pytest.param(60, 30_000, id="many with a cache too small", marks=pytest.mark.slow),
    ],
)
def test_six_processes_go_on_while_another_clears_the_cache_verifies_and_publishes(
    rounds, limit, tmp_path, monkeypatch
):
    monkeypatch.setenv("HARNESS_PLUGINS", "sts")
    together, alone = tmp_path / "together", tmp_path / "alone"
    keeping = started(KEEP, together)
    playing = [started(PLAY, together, seed, rounds, limit) for seed in range(6)]
    assert [(process.communicate()[0], process.returncode) for process in playing] == [("", 0)] * 6
    (together / "ended").touch()
    said = keeping.communicate()[0]
    *problems, numbers = said.splitlines()
    assert (problems, keeping.returncode) == ([], 0), said
    print(f"rounds, that cleared something, with some records and not others: {numbers}")
    assert all(int(number) for number in numbers.split())
    assert evaluate(together, MODELS, TASKS) == evaluate(alone, MODELS, TASKS) == []
    whole = ("records/*/*", "predictions/*/*", "leaderboard.*", "errors/*/*")
    assert contents(together, *whole) == contents(alone, *whole)
    assert call("verify", together / "results")[0] == 0
    assert list(find_corruption(together / "cache")) == []
    assert list(together.rglob("*.tmp")) == []


@pytest.mark.slow
def test_a_crowded_cache_has_exactly_the_embeddings_of_the_model(tmp_path):
    for process in [started(PLAY, tmp_path, seed, 10, 1 << 30) for seed in range(4)]:
        assert process.communicate()[0] == ""
    texts = list(dict.fromkeys(text for name in TASKS for row in task(name).rows for text in row))
    for model in (Checked(*names) for names in MODELS):
        found = 0
        store = EmbeddingCache(tmp_path / "cache", pytest.fail).store(model, "text")
        for embeddings, positions, rows in store.find(texts):
            assert np.array_equal(embeddings[rows], model.encode([texts[at] for at in positions]))
            found += len(rows)
        assert found


HOLDING = """
import sys, time
from pathlib import Path
from harness.system.atomic import locked
with locked(Path(sys.argv[1]), seconds=0) as held:
    print(held, flush=True)
    time.sleep(60)
"""


@pytest.mark.parametrize("lock", ["results/.lock", "cache/embeddings/.lock"])
def test_a_process_that_dies_with_a_lock_does_not_block_others(lock, tmp_path, monkeypatch):
    monkeypatch.setattr("harness.results.folder._PATIENCE", 5.0)
    assert evaluate(tmp_path, MODELS[:1], TASKS[:1]) == []
    with started(HOLDING, tmp_path / lock) as holding:
        assert holding.stdout.readline() == "True\n"
        holding.send_signal(signal.SIGKILL)
    ResultsFolder(tmp_path / "results").root.joinpath("leaderboard.csv").unlink()
    assert evaluate(tmp_path, MODELS[1:], TASKS[1:2], cache_size=1) == []
    assert (tmp_path / "results" / "leaderboard.csv").exists()
    held = {store.fingerprint[0] for store in stores(tmp_path / "cache") if store.segments}
    assert held == {"2", "3"}  # the first model's made room
