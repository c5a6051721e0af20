"""Threads that sleep while they wait."""

from __future__ import annotations

import os

from harness.system import waiting
from harness.system.waiting import wait_asleep


def test_idle_threads_sleep_unless_the_user_wants_them_awake(monkeypatch):
    for name in waiting.SETTINGS:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("OMP_WAIT_POLICY", "ACTIVE")
    wait_asleep()
    assert os.environ["OMP_WAIT_POLICY"] == "ACTIVE"
    assert os.environ["OPENBLAS_THREAD_TIMEOUT"] == "4"


def test_the_command_line_lets_threads_sleep(monkeypatch):
    from harness import cli

    for name in waiting.SETTINGS:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr("sys.argv", ["harness", "--version"])
    assert not cli._run()
    assert os.environ.items() >= waiting.SETTINGS.items()
