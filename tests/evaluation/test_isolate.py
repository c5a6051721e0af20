"""A model in a process of its own, interrupted: it may finish what it writes, and has not long to do so."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

import pytest

from harness.evaluation import isolate as isolation
from harness.evaluation.isolate import EvaluateJob, TaskStarted, _ChildProcess
from harness.models.interface import ModelSpec

FAULTS = Path(__file__).parents[1] / "plugins_misbehaving" / "faults.py"


@pytest.fixture
def job(tmp_path, monkeypatch):
    monkeypatch.setenv("HARNESS_PLUGINS", "sts")
    return EvaluateJob(
        spec=ModelSpec("lexical", ""),
        tasks=("ending-3-hangs",),
        plugin_files=(str(FAULTS),),
        out=str(tmp_path / "out"),
    )


def test_a_process_imports_nothing_from_the_current_folder(job, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "msgspec.py").write_text('open("ran", "w").close()')
    with _ChildProcess(job, None) as child:
        assert isinstance(next(child.events()), TaskStarted)
    assert not (tmp_path / "ran").exists()


def test_a_process_that_does_not_answer_an_interruption_is_ended(job, monkeypatch):
    monkeypatch.setattr(isolation, "_TO_FINISH", 0.2)
    with pytest.raises(KeyboardInterrupt), _ChildProcess(job, None) as child:
        assert isinstance(next(child.events()), TaskStarted)
        os.kill(child._process.pid, signal.SIGSTOP)
        began = time.monotonic()
        raise KeyboardInterrupt
    assert 0.2 <= time.monotonic() - began < 5
    assert child._process.returncode is not None
