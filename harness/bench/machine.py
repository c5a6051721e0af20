"""The machine: what it is, what else it does, and the energy it takes. Only /proc and /sys are read."""

from __future__ import annotations

import hashlib
import os
import platform
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from harness.bench.records import Machine
from harness.system.environment import cores, processor

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

PROC = Path("/proc")
_TICK = 1 / (os.sysconf("SC_CLK_TCK") if hasattr(os, "sysconf") else 100)
_MOST_COMPETITORS = 3
_NOTABLE = 0.02
"""Share of one core below which another process is not worth a word."""


def describe_machine(devices: Collection[str] = ()) -> Machine:
    """This machine; the fingerprint is a hash of processor, cores, system and devices."""
    system = f"{platform.system()} {platform.machine()}"
    parts = (processor(), str(cores()), system, *sorted(devices))
    return Machine(
        fingerprint=hashlib.sha256("\x1f".join(parts).encode()).hexdigest(),
        processor=processor(),
        cores=cores(),
        system=system,
        devices=tuple(sorted(devices)),
    )


@dataclass(frozen=True, slots=True)
class CoreTime:
    """Core-seconds since the machine started, over all of its cores."""

    busy: float
    stolen: float
    everything: float

    def __sub__(self, other: CoreTime) -> CoreTime:
        return CoreTime(
            self.busy - other.busy, self.stolen - other.stolen, self.everything - other.everything
        )

    def __add__(self, other: CoreTime) -> CoreTime:
        return CoreTime(
            self.busy + other.busy, self.stolen + other.stolen, self.everything + other.everything
        )


NO_TIME = CoreTime(0.0, 0.0, 0.0)


def core_time(proc: Path = PROC) -> CoreTime | None:
    """Read the system's counters; None where it has none."""
    try:
        first = (proc / "stat").read_text().partition("\n")[0].split()
    except OSError:
        return None
    user, nice, system, idle, waiting, interrupts, soft, stolen = (int(word) * _TICK for word in first[1:9])
    busy = user + nice + system + interrupts + soft
    return CoreTime(busy, stolen, busy + idle + waiting + stolen)


def processor_seconds(proc: Path = PROC) -> dict[tuple[int, str], float]:
    """Processor time of every process that can be seen, by its number and name."""
    found = {}
    for folder in proc.glob("[0-9]*"):
        try:
            name, rest = _stat(folder)
        except (OSError, ValueError):
            continue  # It has ended meanwhile.
        found[int(folder.name), name] = _ticks(rest) * _TICK
    return found


def process_seconds(folder: Path) -> float:
    """Processor time of one process, given as its folder in /proc; 0 when it has ended."""
    try:
        return _ticks(_stat(folder)[1]) * _TICK
    except (OSError, ValueError):
        return 0.0


def child_folders() -> list[Path]:
    """Folders in /proc of this process's children; empty where the system does not list them."""
    try:
        numbers = (PROC / f"self/task/{os.getpid()}/children").read_text().split()
    except OSError:
        return []
    return [PROC / number for number in numbers]


def descendants(pid: int, proc: Path = PROC) -> set[int]:
    """Numbers of all processes below one, itself not among them."""
    parents = {}
    for folder in proc.glob("[0-9]*"):
        try:
            parents[int(folder.name)] = int(_stat(folder)[1][1])
        except (OSError, ValueError):
            continue
    below: set[int] = set()
    while found := {child for child, parent in parents.items() if parent in below | {pid}} - below:
        below |= found
    return below


def competitors(
    before: Mapping[tuple[int, str], float],
    after: Mapping[tuple[int, str], float],
    seconds: float,
    ours: Collection[int],
) -> tuple[str, ...]:
    """Name the processes, not ours, that used the processor most, with their share of one core."""
    used = {key: (time - before.get(key, 0.0)) / seconds for key, time in after.items() if key[0] not in ours}
    most = sorted(used.items(), key=lambda item: -item[1])[:_MOST_COMPETITORS]
    return tuple(f"{name} ({share:.0%} of a core)" for (_, name), share in most if share >= _NOTABLE)


def _ticks(fields: list[str]) -> int:
    """User and system time."""
    return int(fields[11]) + int(fields[12])


def _stat(folder: Path) -> tuple[str, list[str]]:
    """Name and further fields of a process; a name may hold spaces and brackets."""
    found = re.fullmatch(r"\d+ \((.*)\) (.*)", (folder / "stat").read_text().strip(), re.DOTALL)
    if found is None:
        raise ValueError(folder.name)
    return found[1], found[2].split()
