"""The table of faults in docs/reliability.md: each row is made to happen, and held against what it says."""

from __future__ import annotations

import csv
import errno
import os
import re
import shutil
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
MISBEHAVING = ROOT / "tests" / "plugins_misbehaving"
SAMPLES = ROOT / "plugins" / "harness_sts" / "sample"


def table() -> dict[str, tuple[str, int]]:
    """Each fault of the table, with what the user sees and the exit code."""
    text = (ROOT / "docs" / "reliability.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `([\w-]+)` \|[^|]*\| `([^`]+)` \| (\d) \|", text, re.MULTILINE)
    return {fault: (told, int(code)) for fault, told, code in rows}


def plugin(name):
    return f"--plugin={MISBEHAVING / name}.py"


def statuses():
    with Path("out", "leaderboard.csv").open(encoding="utf-8", newline="") as file:
        return {(row["model"], row["task"]): row["status"] for row in csv.DictReader(file)}


def shaky(run, _monkeypatch):
    return run(plugin("task_raises"), "--keep-going", tasks="shaky,stsb-dev")


def answering(name, file="faults"):
    def running(run, _monkeypatch):
        return run(plugin(file), "--model", "lexical", model=name, tasks="stsb-dev")

    return running


def ending(number, *words):
    def running(run, _monkeypatch):
        return run(plugin("faults"), *words, tasks=f"ending-{number},ending-5-nothing")

    return running


def timed(run, _monkeypatch):
    answer = run(plugin("faults"), "--isolate", "--throughput", model="answering:late", tasks="stsb-dev")
    assert statuses() == {("late", "stsb-dev"): "ok"}
    return answer


def vanishing(run, _monkeypatch):
    folder = Path("data", "stsb")
    folder.mkdir(parents=True)
    return run("--data", "data", "--keep-going", tasks="stsb")


def full(run, monkeypatch):
    assert run(tasks="stsb-dev").code == 0
    before = lasting()

    def no_space(_handle):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", no_space)
        answer = run("--fresh", tasks="sts")
    assert lasting() == before
    return answer


def read_only(run, monkeypatch):
    assert run(tasks="stsb-dev").code == 0
    before = lasting()

    def refuse(**_words):
        raise OSError(errno.EROFS, os.strerror(errno.EROFS))

    with monkeypatch.context() as patch:
        patch.setattr("tempfile.TemporaryFile", refuse)
        answer = run(tasks="sts")
    assert lasting() == before
    return answer


def linked(run, _monkeypatch):
    elsewhere = Path("elsewhere")
    elsewhere.mkdir()
    Path("out").mkdir()
    Path("out", "records").symlink_to(elsewhere.absolute())
    answer = run(tasks="stsb-dev")
    assert list(elsewhere.iterdir()) == []
    return answer


def damaged(run, _monkeypatch):
    assert run(tasks="sts").code == 0
    before = lasting()
    (record,) = Path("out/records").glob("*/stsb@sample.json")
    record.write_bytes(record.read_bytes()[:100])
    answer = run(tasks="sts")
    assert lasting() == before
    return answer


def jumping(run, monkeypatch):
    assert run(tasks="sts").code == 0
    before = lasting()
    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now - 172_800)
    monkeypatch.setattr(time, "time_ns", lambda: int((now - 172_800) * 1e9))
    answer = run(tasks="sts")
    assert lasting() == before
    return answer


def lasting():
    kept = [path for path in Path("out").rglob("*") if path.is_file() and path.parts[1] != "runs"]
    return {path.as_posix(): path.read_bytes() for path in kept}


FAULTS = {
    "task-raises": shaky,
    "task-exits": shaky,
    "task-answers-nothing": shaky,
    "process-exits": ending("0-exits", "--isolate"),
    "process-exits-announcing": ending("6-exits-announcing", "--isolate"),
    "process-crashes": ending("1-crashes", "--isolate"),
    "process-killed": ending("2-killed", "--isolate"),
    "timing-crashes": timed,
    "task-hangs": ending("3-hangs", "--timeout", "4"),
    "task-hangs-in-c": ending("4-hangs-in-c", "--timeout", "4"),
    "model-raises": answering("raising", "broken_models"),
    "model-does-not-load": answering("unloadable", "broken_models"),
    "model-nan": answering("nan", "broken_models"),
    "model-equal": answering("equal", "broken_models"),
    "memory-short": answering("answering:greedy"),
    "memory-none": answering("answering:starving"),
    "data-vanishes": vanishing,
    "disk-full": full,
    "folder-read-only": read_only,
    "folder-links-out": linked,
    "record-damaged": damaged,
    "clock-jumps-back": jumping,
}
for name in (
    "inf",
    "double",
    "zeros",
    "some-zeros",
    "flat",
    "too-few",
    "no-columns",
    "words",
    "complex",
    "ragged",
):
    FAULTS[f"model-{name}"] = answering(f"answering:{name}")
FAULTS["model-nothing"] = answering("answering:nothing")


def test_every_fault_of_the_table_is_tested_and_every_test_is_in_the_table():
    assert set(table()) == set(FAULTS)


SLOW = {"task-hangs"}
"""What another row shows as well."""


@pytest.mark.parametrize(
    "fault", [pytest.param(name, marks=[pytest.mark.slow] * (name in SLOW)) for name in table()]
)
def test_a_fault_is_reported_and_costs_no_more_than_the_table_says(fault, run, monkeypatch):
    told, code = table()[fault]
    ran = FAULTS[fault](run, monkeypatch)
    assert told in ran.out + ran.err
    assert ran.code == code
    assert "Traceback" not in ran.err
    if fault.startswith(("task", "process")):
        assert {task for (_, task), status in statuses().items() if status == "ok"} & {
            "ending-5-nothing",
            "stsb-dev",
        }
    if fault.startswith("task-hangs"):
        (trace,) = Path("out/errors").glob("*/*.txt")
        assert 'faults.py"' in trace.read_text()
    if fault.startswith(("model", "memory")):
        assert statuses()["lexical", "stsb-dev"] == "ok"
    left = list(Path().rglob(".*.tmp"))
    assert left == []


def test_results_are_the_same_bytes_in_a_process_of_their_own(run):
    assert run().code == 0
    here = lasting()
    shutil.rmtree("out")
    assert run("--isolate").code == 0
    assert lasting() == here
    assert "2 results kept from before" in run("--isolate").out
