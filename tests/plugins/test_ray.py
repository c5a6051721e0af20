"""`--executor ray`: a real Ray on loopback, actors killed for real."""

from __future__ import annotations

import importlib.util
import os
import signal
import subprocess
import time

import numpy as np
import pytest
from conftest import build_model

from harness.execution.unit_runner import UnitRunner
from harness.plugins.executor import ExecutorRequest
from harness.system.work_unit import WorkerSetup
from plugins.ray_cluster import TOKEN, embeddings_of, is_alive, units_of

if not os.environ.get("CI") and importlib.util.find_spec("ray") is None:
    pytest.skip("no Ray is installed", allow_module_level=True)


@pytest.fixture
def folder(tmp_path):
    return build_model(tmp_path / "m")


def test_actors_of_a_local_ray_give_the_same_bytes_one_is_killed_and_no_process_is_left(
    tmp_path, folder, monkeypatch, capfd
):
    from harness_ray.workers import open_ray

    for name, value in TOKEN.items():
        monkeypatch.setenv(name, value)
    before = signal.getsignal(signal.SIGTERM)
    units = units_of(folder, 12)
    runner = UnitRunner(WorkerSetup(folder=str(tmp_path)))
    wanted = [runner.run(unit).result.embeddings.tobytes() for unit in units]

    killed, seen = [], {}

    def kill_one(dispatcher, tickets):
        seen.update({facts.process: facts for facts in dispatcher.ready})
        done = sum(ticket.done for ticket in tickets)
        if not killed and 0 < done < len(tickets):
            killed.append(dispatcher.ready[0].process)
            os.kill(killed[0], signal.SIGKILL)

    workers = open_ray(
        ExecutorRequest(setup=WorkerSetup(folder=str(tmp_path)), workers=min(2, os.cpu_count()))
    )
    found, counts, notes = embeddings_of(workers, units, kill_one)

    assert found == wanted
    assert killed
    assert counts.ended == 1
    assert "its process died" in notes[0]
    assert {facts.cores for facts in seen.values()} == {max(1, os.cpu_count() // 2)}
    assert signal.getsignal(signal.SIGTERM) is before
    assert capfd.readouterr().out == ""
    end = time.monotonic() + 10
    while any(map(is_alive, seen)) and time.monotonic() < end:
        time.sleep(0.1)
    assert not any(map(is_alive, seen))
    children = subprocess.run(
        ["ps", "-o", "args=", "--ppid", str(os.getpid())], capture_output=True, text=True
    )
    assert "raylet" not in children.stdout
    assert np.frombuffer(found[0], dtype=np.float32).any()
