from __future__ import annotations

import os
import sys
import types

import pytest

from harness.bench.energy import Nvml, find_meter
from harness.bench.machine import (
    CoreTime,
    competitors,
    core_time,
    descendants,
    describe_machine,
    process_seconds,
    processor_seconds,
)

TICK = 1 / os.sysconf("SC_CLK_TCK")


def _process(proc, pid, name, parent, user, system):
    folder = proc / str(pid)
    folder.mkdir(parents=True)
    fields = ["S", str(parent), *["0"] * 9, str(user), str(system), *["0"] * 5]
    (folder / "stat").write_text(f"{pid} ({name}) {' '.join(fields)}\n")
    return folder


def test_machines_differ_by_their_hardware():
    plain, equipped = describe_machine(), describe_machine(["NVIDIA A100"])
    assert plain == describe_machine()
    assert plain.fingerprint != equipped.fingerprint
    assert equipped.devices == ("NVIDIA A100",)


def test_the_time_of_all_cores_is_read_from_the_system(tmp_path):
    (tmp_path / "stat").write_text("cpu  100 10 50 800 20 5 15 40 0 0\ncpu0 1 1 1 1 1 1 1 1 0 0\n")
    found = core_time(tmp_path)
    ticks = (found.busy / TICK, found.stolen / TICK, found.total / TICK)
    assert ticks == pytest.approx((180, 40, 1040))
    assert core_time(tmp_path / "nowhere") is None
    assert found + CoreTime(1, 1, 1) - found == CoreTime(*([pytest.approx(1)] * 3))


def test_processes_with_any_name_are_read(tmp_path):
    folder = _process(tmp_path, 7, "a (strange) name", 1, user=30, system=12)
    (tmp_path / "8").mkdir()  # It has ended meanwhile.
    assert processor_seconds(tmp_path) == {(7, "a (strange) name"): pytest.approx(42 * TICK)}
    assert process_seconds(folder) == pytest.approx(42 * TICK)
    assert process_seconds(tmp_path / "8") == 0


def test_children_of_children_are_descendants(tmp_path):
    for pid, parent in ((10, 1), (11, 10), (12, 11), (13, 1)):
        _process(tmp_path, pid, "p", parent, 0, 0)
    assert descendants(10, tmp_path) == {11, 12}


def test_competitors_are_named_by_what_they_used_and_ours_are_not():
    before = {(1, "busy"): 10.0, (2, "ours"): 0.0, (3, "idle"): 5.0}
    after = {(1, "busy"): 15.0, (2, "ours"): 10.0, (3, "idle"): 5.0, (4, "new"): 1.0}
    assert competitors(before, after, 10.0, ours={2}) == ("busy (50% of a core)", "new (10% of a core)")


def _zone(folder, counter, largest=1_000_000, name="package-0"):
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "name").write_text(f"{name}\n")
    (folder / "energy_uj").write_text(f"{counter}\n")
    (folder / "max_energy_range_uj").write_text(f"{largest}\n")


def test_energy_is_the_sum_over_packages(tmp_path):
    for name, counter in (("intel-rapl:0", 100_000), ("intel-rapl:1", 900_000), ("intel-rapl:0:0", 5)):
        _zone(tmp_path / name, counter)
    _zone(tmp_path / "intel-rapl:2", 70_000, name="psys")  # The platform counts its packages again.
    found = find_meter("cpu", tmp_path)
    assert found.source == "processor package (RAPL, 2 zones)"
    assert found.read() == 0
    _zone(tmp_path / "intel-rapl:0", 350_000)
    _zone(tmp_path / "intel-rapl:1", 100_000)  # It began again from 0.
    assert found.read() == pytest.approx(0.25 + 0.2)
    assert found.read() == 0


def test_without_counters_there_is_no_energy(tmp_path, monkeypatch):
    assert find_meter("cpu", tmp_path) is None
    (tmp_path / "intel-rapl:0").mkdir()  # As where only root may read.
    assert find_meter("cpu", tmp_path) is None
    monkeypatch.setitem(sys.modules, "pynvml", None)
    assert find_meter("cuda", tmp_path) is None


def test_energy_of_devices_is_the_difference_of_their_counters():
    counters = {0: 1000, 1: 5000}
    library = types.SimpleNamespace(
        nvmlInit=lambda: None,
        nvmlDeviceGetCount=lambda: 2,
        nvmlDeviceGetHandleByIndex=lambda index: index,
        nvmlDeviceGetTotalEnergyConsumption=lambda device: counters[device],
    )
    found = Nvml(library)
    counters.update({0: 2500, 1: 5500})
    assert found.read() == pytest.approx(2.0)
    assert found.source == "2 NVIDIA devices (NVML)"
