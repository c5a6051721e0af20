"""Commands killed at any step of writing: whole files or none, and the same command completes the work.

A kill counts only where some units of the work were done, and others were not.
"""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest
from encoding.test_cache import CacheableModel
from encoding.test_cache_folder import write

from faults.test_kills import HERE, STEADY, process
from harness.encoding.cache_folder import find_corruption, stores
from harness.models import computation

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

SEED = int(os.environ.get("HARNESS_KILLS_SEED", "15"))
KILLS = int(os.environ.get("HARNESS_KILLS", "0"))
"""Maximum number of kills of a slow test, at steps or moments drawn by SEED; 0 for its own number."""
REPORTS = ("report.md", "report.json", "report.csv", "report.xml")
OTHERS = "abcdef"
"""First letters of the fingerprints of other models, one segment each, that an eviction removes."""


@pytest.fixture(autouse=True)
def without_torch(monkeypatch):
    """Ask torch for no kernels, as killed.py does."""
    monkeypatch.setattr(computation, "_kernels", lambda _: {})


def steady(folder, *more):
    """Words of a run of two models on both STS tasks; with a cache if `more` says so."""
    models = ["--plugin", STEADY, "--model", "steady", "--model", "lexical", "--tasks", "sts"]
    return ["run", *models, "--no-throughput", "--out", folder / "out", *(more or ["--no-cache"])]


def finished(folder):
    """Make results of two models."""
    code, said = killed_at(0, folder, steady(folder))
    assert code == 0, said


def crowded(folder):
    """Make a cache of other models."""
    for number, letter in enumerate(OTHERS):
        path = write(folder / "cache", "a", model=CacheableModel(letter * 64))
        os.utime(path, (number, number))


def unpublished(folder):
    """Make results whose boards are those of one model, though the records of two are there."""
    finished(folder)
    for name in ("csv", "md"):
        board = folder / "out" / f"leaderboard.{name}"
        board.write_text("the board of before\n")


def reports(folder):
    return [name for name in REPORTS if (folder / name).exists()]


def benches(folder):
    return [path.name for path in (folder / "bench").rglob("*.json")]


def boards(folder):
    """Boards that are new."""
    paths = (folder / "out").glob("leaderboard.*")
    return [path.name for path in paths if path.read_text() != "the board of before\n"]


def evicted(folder):
    """Segments of other models that are gone."""
    left = [store.fingerprint[0] for store in stores(folder / "cache") if store.segments]
    return [letter for letter in OTHERS if letter not in left]


def cleared(folder):
    left = [store.fingerprint[0] for store in stores(folder / "cache")]
    return [letter for letter in OTHERS if letter not in left]


def same_reports(folder, before):
    assert all((folder / name).read_bytes() == before[name] for name in REPORTS)
    json.loads(before["report.json"])


def whole_benches(folder, _before):
    """The files of the killed bench are whole, and the last one has all: two of variants and a record."""
    stamps = [
        json.loads(path.read_bytes()) and path.stem[-15:] for path in (folder / "bench").rglob("*.json")
    ]
    assert max(map(stamps.count, stamps)) == 3


def same_boards(folder, before):
    assert {path.name: path.read_bytes() for path in (folder / "out").glob("leaderboard.*")} == before


def nothing_damaged(folder, _before):
    assert list(find_corruption(folder / "cache")) == []
    assert len(evicted(folder)) == len(OTHERS)
    assert [path.name for path in (folder / "cache" / "embeddings").glob("[a-f]*/*.tmp")] == []


def nothing_left(folder, _before):
    assert list((folder / "cache" / "embeddings").iterdir()) == []


@dataclass(frozen=True)
class Case:
    """A command, its units of work, and what has to be there when it has ended undisturbed."""

    prepare: Callable[[Path], None]
    words: Callable[[Path], list[object]]
    counted: str
    """Start of the paths, relative to the folder, whose steps of writing are counted."""
    done: Callable[[Path], list[str]]
    units: int
    check: Callable[[Path, dict[str, bytes]], None]


CASES = {
    "compare --write": Case(
        finished,
        lambda folder: [
            "compare", folder / "out", "--baseline", "lexical", "--candidate", "steady", "--margin", "1",
            *(word for name in REPORTS for word in ("--write", folder / name)),
        ],
        "", reports, len(REPORTS), same_reports,
    ),
    "bench": Case(
        lambda _: None,
        lambda folder: [
            "bench", "--plugin", STEADY, "--model", "steady", "--model", "other=steady",
            "--workload", "short", "--budget", "1", "--margin", "0.5", "--out", folder / "bench",
        ],
        "bench", benches, 3, whole_benches,
    ),
    "boards": Case(unpublished, steady, "out/.leaderboard", boards, 2, same_boards),
    "eviction": Case(
        crowded,
        lambda folder: steady(folder, "--cache", folder / "cache", "--cache-size", "1KiB"),
        "cache/embeddings/", evicted, len(OTHERS), nothing_damaged,
    ),
    "cache clear": Case(
        crowded, lambda folder: ["cache", "clear", folder / "cache", "--yes"],
        "cache", cleared, len(OTHERS), nothing_left,
    ),
}  # fmt: skip


def killed_at(step, folder, words, counted=""):
    """Run, kill at a step, and return the exit code and what the process said."""
    with process([HERE / "killed.py", step, f"{folder}/{counted}", *words], folder) as running:
        _, said = running.communicate(timeout=120)
    return running.returncode, said


def prepared(case, root):
    """Prepare a case once, and return the folder in which it is run."""
    (root / "prepared").mkdir()
    case.prepare(root / "prepared")
    return root / "folder"


def begin(folder):
    """Make the folder of a case as it was prepared."""
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(folder.with_name("prepared"), folder)


def undisturbed(case, folder):
    """Run a case without a kill; return what it wrote, and its steps of writing."""
    begin(folder)
    code, said = killed_at(0, folder, case.words(folder), case.counted)
    assert code == 0, said
    assert len(case.done(folder)) == case.units
    written = [folder / name for name in REPORTS] + [*(folder / "out").glob("leaderboard.*")]
    content = {path.name: path.read_bytes() for path in written if path.exists()}
    case.check(folder, content)
    return content, int(said.splitlines()[-1])


def check_kill(case, step, folder, before, number=signal.SIGKILL):
    """Stop a case at a step, look at what is left, run it again; return how many units had been done."""
    begin(folder)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HARNESS_TEST_SIGNAL", str(int(number)))
        code, said = killed_at(step, folder, case.words(folder), case.counted)
    if number == signal.SIGKILL:
        assert code == -number, said
    else:
        assert code == 128 + number, said
        assert "Interrupted." in said
        assert "Traceback" not in said
        assert list(folder.rglob("*.tmp")) == []
    done = len(case.done(folder))
    if (folder / "cache").exists():
        assert list(find_corruption(folder / "cache")) == []
    code, said = killed_at(0, folder, case.words(folder), case.counted)
    assert code == 0, said
    assert "Traceback" not in said
    case.check(folder, before)
    assert list(folder.rglob("*.tmp")) == []
    return done


@pytest.mark.slow
@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=[pytest.mark.slow] * (name in ("bench", "eviction"))) for name in CASES]
)
def test_a_command_killed_halfway_leaves_whole_files_and_is_completed_by_the_same_command(name, tmp_path):
    case = CASES[name]
    folder = prepared(case, tmp_path)
    before, steps = undisturbed(case, folder)
    first, last, done = 1, steps, 0
    while first <= last:
        middle = (first + last) // 2
        done = check_kill(case, middle, folder, before)
        if 0 < done < case.units:
            break
        first, last = (middle + 1, last) if done == 0 else (first, middle - 1)
    assert 0 < done < case.units


@pytest.mark.slow
@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=[pytest.mark.slow] * (name != "compare --write")) for name in CASES]
)
def test_ctrl_c_while_a_command_writes_leaves_whole_files_and_is_completed_by_the_same_command(
    name, tmp_path
):
    case = CASES[name]
    folder = prepared(case, tmp_path)
    before, steps = undisturbed(case, folder)
    chance = random.Random(SEED)
    done = [
        check_kill(case, chance.randint(1, steps - 1), folder, before, signal.SIGINT)
        for _ in range(KILLS or 1)
    ]
    print(f"{name}: Ctrl-C {len(done)} times; units done: {done} of {case.units}")


@pytest.mark.slow
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("name", CASES)
def test_a_command_killed_at_any_step_is_completed_by_the_same_command(name, tmp_path):
    """At each of its steps, or at as many as HARNESS_KILLS says."""
    case = CASES[name]
    folder = prepared(case, tmp_path)
    before, steps = undisturbed(case, folder)
    chosen = range(1, steps + 1)
    if KILLS:
        chosen = sorted(random.Random(SEED).sample(chosen, min(KILLS, steps)))
    counts = [check_kill(case, step, folder, before) for step in chosen]
    halfway = sum(0 < done < case.units for done in counts)
    print(f"{name}: {len(counts)} kills at {steps} steps; some units done, others not: {halfway} times")
    assert halfway
