"""`--executor processes`: real processes, killed for real."""

from __future__ import annotations

import os
import signal
import time

import pytest
from conftest import build_model

from harness import HarnessError
from harness.execution.dispatcher import Dispatcher
from harness.execution.unit_runner import versions
from harness.execution.units import EncodeUnit
from harness.models.interface import ModelSpec
from harness.models.locate import locate_model
from harness.plugins import process_workers
from harness.plugins.executor import ExecutorRequest, WorkerEnded
from harness.plugins.loader import load_plugins
from harness.plugins.process_workers import Place, ProcessWorkers, open_processes, places
from harness.system.work_unit import WorkerSetup


@pytest.fixture
def eight_processors(monkeypatch):
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(8)), raising=False)
    monkeypatch.setattr(process_workers, "cores", lambda: 8)
    monkeypatch.setattr(process_workers, "accelerators", list)


@pytest.mark.usefixtures("eight_processors")
@pytest.mark.parametrize("workers", [1, 2, 3, 8])
def test_workers_share_the_processors_and_none_has_two(workers):
    groups = [place.processors for place in places(workers)]
    assert len(groups) == workers
    assert sorted(sum(groups, ())) == list(range(8))
    assert max(map(len, groups)) - min(map(len, groups)) <= 1


@pytest.mark.usefixtures("eight_processors")
def test_each_accelerator_has_a_worker_and_several_workers_share_one(monkeypatch):
    monkeypatch.setattr(process_workers, "accelerators", lambda: ["0", "1", "5"])
    assert [place.accelerator for place in places(None)] == ["0", "1", "5"]
    assert [place.accelerator for place in places(4)] == ["0", "1", "5", "0"]


@pytest.mark.usefixtures("eight_processors")
def test_more_workers_than_processors_are_refused():
    with pytest.raises(HarnessError, match=r"9 workers are more than this machine has processors \(8\)"):
        places(9)


def test_accelerators_are_those_that_are_visible(monkeypatch):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "2, GPU-3a,")
    assert process_workers.accelerators() == ["2", "GPU-3a"]
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "-1")
    assert process_workers.accelerators() == []


def test_an_address_is_refused():
    with pytest.raises(HarnessError, match="has no address"):
        open_processes(ExecutorRequest(setup=WorkerSetup(folder="."), address="auto"))


@pytest.fixture
def unit(tmp_path):
    located = locate_model(
        ModelSpec("folder", str(build_model(tmp_path / "m"))), load_plugins().model_schemes()
    )
    texts = tuple(f"the ferry leaves at {hour}" for hour in range(40))
    return EncodeUnit(spec=located.spec, name="m", fingerprint=located.fingerprint, texts=texts)


def test_a_killed_process_is_replaced_its_unit_is_done_and_none_is_left(tmp_path, unit):
    workers = ProcessWorkers(WorkerSetup(folder=str(tmp_path)), [Place((min(os.sched_getaffinity(0)),))])
    notes: list[str] = []
    dispatcher = Dispatcher(workers, versions(), notes.append)
    try:
        ticket, seen = dispatcher.submit(unit), 0
        while not ticket.tries:
            seen = dispatcher.wait(seen)
            time.sleep(0.05)
        [first] = dispatcher.ready
        assert first.cores == 1
        os.kill(first.process, signal.SIGKILL)
        while not ticket.done:
            seen = dispatcher.wait(seen)
        encoded = ticket.take()
        assert encoded.embeddings.shape == (40, 32)
        assert dispatcher.counts.ended == 1
        assert notes[0].startswith(f"worker process {first.process} on ")
        assert notes[0].endswith("(killed by SIGKILL)")
        [second] = dispatcher.ready
        assert second.process != first.process
    finally:
        dispatcher.close()
    with pytest.raises(ProcessLookupError):
        os.kill(second.process, 0)


def test_what_a_process_wrote_before_it_ended_is_told(tmp_path, monkeypatch):
    monkeypatch.setattr(process_workers, "_MODULE", "harness.no_such_worker")
    workers = ProcessWorkers(WorkerSetup(folder=str(tmp_path)), [Place((0,))])
    try:
        events: list[WorkerEnded] = []
        end = time.monotonic() + 20
        while not events and time.monotonic() < end:
            events += workers.wait(1.0)
        assert events[0].reason == "exit 1"
        assert "No module named harness.no_such_worker" in events[0].trace
    finally:
        workers.close()


@pytest.mark.usefixtures("eight_processors")
def test_more_accelerators_than_processors_share_them(monkeypatch):
    monkeypatch.setattr(process_workers, "accelerators", lambda: [str(number) for number in range(12)])
    found = places(None)
    assert len(found) == 12
    assert all(place.processors for place in found)


_FORKS = """
import os, time
if os.fork() == 0:
    time.sleep(30)
    os._exit(0)
os.kill(os.getpid(), 37)
"""


def test_a_process_whose_child_holds_its_pipe_has_ended_and_any_signal_has_a_name(tmp_path, monkeypatch):
    (tmp_path / "forks.py").write_text(_FORKS)
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(tmp_path), os.environ.get("PYTHONPATH", "")]))
    monkeypatch.setattr(process_workers, "_MODULE", "forks")
    workers = ProcessWorkers(WorkerSetup(folder=str(tmp_path)), [Place((0,))])
    try:
        events: list[WorkerEnded] = []
        end = time.monotonic() + 20
        while not events and time.monotonic() < end:
            events += workers.wait(0.2)
        assert events[0].reason == "killed by signal 37"
    finally:
        workers.close()
