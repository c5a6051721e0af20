"""The machine, processors that may be used, and the commit of the folder."""

from __future__ import annotations

import math
import os
import subprocess

import pytest

from harness.system import environment


def limited(monkeypatch, tmp_path, files):
    for name, text in files.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    monkeypatch.setattr(environment, "CONTROL_GROUP", tmp_path)


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        pytest.param({"cpu.max": "150000 100000\n"}, 1.5, id="version 2"),
        pytest.param({"cpu.max": "max 100000\n"}, math.inf, id="version 2 without a limit"),
        pytest.param(
            {"cpu/cpu.cfs_quota_us": "50000\n", "cpu/cpu.cfs_period_us": "100000\n"}, 0.5, id="version 1"
        ),
        pytest.param(
            {"cpu/cpu.cfs_quota_us": "-1\n", "cpu/cpu.cfs_period_us": "100000\n"},
            math.inf,
            id="version 1 without a limit",
        ),
        pytest.param({}, math.inf, id="no control group"),
        pytest.param({"cpu.max": "nonsense"}, math.inf, id="nonsense"),
    ],
)
def test_the_quota_of_a_container_is_read(monkeypatch, tmp_path, files, expected):
    limited(monkeypatch, tmp_path, files)
    assert environment._quota() == expected


@pytest.mark.parametrize(("quota", "expected"), [(0.5, 1), (1.5, 2), (3, 3), (math.inf, 4)])
def test_cores_are_those_of_the_affinity_within_the_quota_rounded_up(monkeypatch, quota, expected):
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0, 1, 2, 3}, raising=False)
    monkeypatch.setattr(environment, "_quota", lambda: quota)
    assert environment.cores() == expected


@pytest.fixture
def repository(tmp_path, monkeypatch):
    """A repository with one commit, in which all that git may run writes a file `ran`, and its commit."""
    hooks = tmp_path / "hooks"
    hooks.mkdir()
    script = hooks / "post-index-change"
    script.write_text(f"#!/bin/sh\ntouch {tmp_path}/ran\n")
    script.chmod(0o755)

    monkeypatch.setenv("GIT_CONFIG_GLOBAL", os.devnull)
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")

    def git(*words):
        return subprocess.run(
            ["git", "-C", tmp_path, *words], capture_output=True, text=True, check=True
        ).stdout.strip()

    git("init", "--quiet")
    (tmp_path / ".gitattributes").write_text("* filter=strangers\n")
    (tmp_path / "file").write_text("before")
    git("add", ".")
    git("-c", "user.name=a", "-c", "user.email=a@b", "commit", "--quiet", "--message", "one")
    for key in (
        "core.fsmonitor",
        "core.pager",
        "core.sshCommand",
        "filter.strangers.clean",
        "alias.rev-parse",
    ):
        git("config", key, str(script))
    for command in ("rev-parse", "status"):
        git("config", f"pager.{command}", str(script))
    git("config", "core.hooksPath", str(hooks))
    (tmp_path / "file").write_text("after")
    monkeypatch.chdir(tmp_path)
    return git("rev-parse", "HEAD")


def test_reading_the_commit_runs_no_program_that_the_repository_names(repository, tmp_path):
    assert environment.current_environment("now").git_commit == repository
    assert not (tmp_path / "ran").exists()


def test_a_folder_outside_a_repository_has_no_commit(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert environment.current_environment("now").git_commit is None
