"""The machine: its identity, and its load by other processes, read from /proc."""

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
"""Minimum share of one core for a process to be named as a competitor."""


def describe_machine(devices: Collection[str] = ()) -> Machine:
    """Return the record of this machine; its fingerprint hashes processor, cores, system and devices."""
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
    """Core-seconds of all cores since the machine started."""

    busy: float
    stolen: float
    """Taken by the hypervisor."""
    total: float
    """Idle time included."""

    def __sub__(self, other: CoreTime) -> CoreTime:
        return CoreTime(self.busy - other.busy, self.stolen - other.stolen, self.total - other.total)

    def __add__(self, other: CoreTime) -> CoreTime:
        return CoreTime(self.busy + other.busy, self.stolen + other.stolen, self.total + other.total)


NO_TIME = CoreTime(0.0, 0.0, 0.0)


def core_time(proc: Path = PROC) -> CoreTime | None:
    """Read the counters of the system; None if there are none."""
    try:
        first = (proc / "stat").read_text().partition("\n")[0].split()
    except OSError:
        return None
    user, nice, system, idle, waiting, interrupts, soft, stolen = (int(word) * _TICK for word in first[1:9])
    busy = user + nice + system + interrupts + soft
    return CoreTime(busy, stolen, busy + idle + waiting + stolen)


def processor_seconds(proc: Path = PROC) -> dict[tuple[int, str], float]:
    """Return the processor time of all visible processes, by id and name."""
    seconds = {}
    for folder in proc.glob("[0-9]*"):
        try:
            name, rest = _stat(folder)
        except (OSError, ValueError):
            continue  # The process has ended.
        seconds[int(folder.name), name] = _ticks(rest) * _TICK
    return seconds


def process_seconds(folder: Path) -> float:
    """Return the processor time of a process, by its folder in /proc; 0 if it has ended."""
    try:
        return _ticks(_stat(folder)[1]) * _TICK
    except (OSError, ValueError):
        return 0.0


def child_folders() -> list[Path]:
    """Return the folders in /proc of this process's children; empty where the system does not list them."""
    try:
        ids = (PROC / f"self/task/{os.getpid()}/children").read_text().split()
    except OSError:
        return []
    return [PROC / pid for pid in ids]


def descendants(pid: int, proc: Path = PROC) -> set[int]:
    """Return the ids of all descendants of a process."""
    parents = {}
    for folder in proc.glob("[0-9]*"):
        try:
            parents[int(folder.name)] = int(_stat(folder)[1][1])
        except (OSError, ValueError):
            continue
    below: set[int] = set()
    while children := {child for child, parent in parents.items() if parent in below | {pid}} - below:
        below |= children
    return below


def competitors(
    before: Mapping[tuple[int, str], float],
    after: Mapping[tuple[int, str], float],
    seconds: float,
    ours: Collection[int],
) -> tuple[str, ...]:
    """Describe the other processes with the most processor time, with their share of one core.

    before, after: from `processor_seconds`. ours: process ids to leave out.
    """
    used = {key: (time - before.get(key, 0.0)) / seconds for key, time in after.items() if key[0] not in ours}
    most = sorted(used.items(), key=lambda item: -item[1])[:_MOST_COMPETITORS]
    return tuple(f"{name} ({share:.0%} of a core)" for (_, name), share in most if share >= _NOTABLE)


def _ticks(fields: list[str]) -> int:
    """Return user plus system time, in ticks."""
    return int(fields[11]) + int(fields[12])


def _stat(folder: Path) -> tuple[str, list[str]]:
    """Return a process's name and further fields; a name may contain spaces and parentheses."""
    match = re.fullmatch(r"\d+ \((.*)\) (.*)", (folder / "stat").read_text().strip(), re.DOTALL)
    if match is None:
        raise ValueError(folder.name)
    return match[1], match[2].split()
