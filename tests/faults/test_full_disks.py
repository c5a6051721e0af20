"""Disks that are full: a file system of a few kilobytes in memory, where this user may mount one."""

from __future__ import annotations

import shutil
import subprocess
from contextlib import contextmanager
from pathlib import Path

import pytest

from faults.test_kills import STEADY
from faults.test_without_rights import copied, lasting
from harness.encoding.cache_folder import find_corruption

RUN = ("--plugin", STEADY, "--model", "steady", "--tasks", "sts", "--no-throughput")


@contextmanager
def disk(folder: Path, kilobytes: int):
    """A disk of a size at a folder, while the body runs; skips where this user may not mount one."""
    folder.mkdir()
    mount = shutil.which("mount")
    options = ["-t", "tmpfs", "-o", f"size={kilobytes}k", "test", str(folder)]
    if mount is None or subprocess.run([mount, *options], capture_output=True).returncode:
        pytest.skip("mounting a file system in memory needs Linux and root")
    try:
        yield folder
    finally:
        subprocess.run([shutil.which("umount") or "umount", "-l", str(folder)], check=True)


def fill(folder, *, leave):
    """Fill a disk, but for some kilobytes; return the file that does."""
    filler = folder / "filler"
    free = shutil.disk_usage(folder).free // 1024 - leave
    filler.write_bytes(bytes(1024 * max(free, 0)))
    return filler


@pytest.mark.slow
@pytest.mark.parametrize("leave", [0, 12, 40])
def test_a_full_disk_keeps_earlier_results_and_the_same_command_continues(leave, harness):
    with disk(Path("small"), 1000) as folder:
        words = ("run", *RUN, "--no-cache", "--out", folder / "out")
        assert harness(*words).code == 0
        before = lasting(folder / "out")
        filler = fill(folder, leave=leave)
        ran = harness(*words, "--model", "lexical")
        assert ran.code == 2
        assert "No space left on device" in ran.out + ran.err
        assert "Traceback" not in ran.err
        after = lasting(folder / "out")
        assert {name: after[name] for name in before if "leaderboard" not in name} == {
            name: content for name, content in before.items() if "leaderboard" not in name
        }
        assert list(folder.rglob("*.tmp")) == []
        filler.unlink()
        assert harness(*words, "--model", "lexical").code == 0
        assert harness("verify", folder / "out").code == 0


@pytest.mark.slow
def test_a_full_disk_of_the_cache_costs_time_and_no_result(harness):
    assert harness("run", *RUN, "--no-cache", "--out", "whole").code == 0
    with disk(Path("small"), 64) as folder:
        fill(folder, leave=8)
        ran = harness("run", *RUN, "--cache", folder / "cache", "--out", "out")
        assert ran.code == 0
        assert "cannot be written (No space left on device); the run continues without it" in ran.err
        assert list(find_corruption(folder / "cache")) == []
        assert list(folder.rglob("*.tmp")) == []
    assert lasting(Path("out")) == lasting(Path("whole"))


@pytest.mark.slow
@pytest.mark.parametrize("command", ["compare", "bench"])
def test_a_report_that_does_not_fit_is_one_error_and_leaves_no_half(command, harness):
    copied(harness, Path("out"))
    with disk(Path("small"), 64) as folder:
        fill(folder, leave=0)
        words = {
            "compare": (
                "out",
                "--baseline",
                "lexical",
                "--candidate",
                "steady",
                "--write",
                folder / "report.md",
            ),
            "bench": (*RUN[:4], "--workload", "short", "--budget", "1", "--margin", "0.5", "--out", folder),
        }
        ran = harness(command, *words[command])
        assert (ran.code, ran.err.count("\n")) == (2, 2), ran.err
        assert "No space left on device" in ran.err
        assert [path.name for path in folder.rglob("*") if path.is_file()] == ["filler"]
