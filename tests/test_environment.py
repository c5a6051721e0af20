"""The machine: processors that may be used."""

from __future__ import annotations

import math
import os

import pytest

from harness import environment


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
def test_a_containers_quota_is_read(monkeypatch, tmp_path, files, expected):
    limited(monkeypatch, tmp_path, files)
    assert environment._quota() == expected


@pytest.mark.parametrize(("quota", "expected"), [(0.5, 1), (1.5, 2), (3, 3), (math.inf, 4)])
def test_cores_are_those_of_the_affinity_within_the_quota_rounded_up(monkeypatch, quota, expected):
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0, 1, 2, 3}, raising=False)
    monkeypatch.setattr(environment, "_quota", lambda: quota)
    assert environment.cores() == expected
