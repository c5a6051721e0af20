"""Energy meters: RAPL for Intel and AMD processors, NVML for NVIDIA devices."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence

POWERCAP = Path("/sys/class/powercap")


class Meter(Protocol):
    """Counter of energy."""

    source: str
    """Description of what is counted."""

    def read(self) -> float:
        """Return the joules since the last call, or since construction."""
        ...


class Rapl:
    """Counters of the processor packages, in microjoules; each wraps to 0 at the end of its range."""

    def __init__(self, zones: Sequence[Path]) -> None:
        self.source = f"processor package (RAPL, {len(zones)} zone{'s' * (len(zones) != 1)})"
        self._zones = [(zone, int((zone / "max_energy_range_uj").read_text())) for zone in zones]
        self._last = [_counter(zone) for zone in zones]

    def read(self) -> float:
        """Return the joules since the last call."""
        now = [_counter(zone) for zone, _ in self._zones]
        total = 0
        for before, after, (_, largest) in zip(self._last, now, self._zones, strict=True):
            total += after - before if after >= before else after - before + largest
        self._last = now
        return total / 1e6


class Nvml:
    """Energy counters of all NVIDIA devices."""

    def __init__(self, pynvml: Any) -> None:  # noqa: ANN401 - a module
        self._library = pynvml
        pynvml.nvmlInit()
        self._devices = [
            pynvml.nvmlDeviceGetHandleByIndex(index) for index in range(pynvml.nvmlDeviceGetCount())
        ]
        self.source = f"{len(self._devices)} NVIDIA device{'s' * (len(self._devices) != 1)} (NVML)"
        self._last = self._read()

    def read(self) -> float:
        """Return the joules since the last call."""
        before, self._last = self._last, self._read()
        return self._last - before

    def _read(self) -> float:
        millijoules = self._library.nvmlDeviceGetTotalEnergyConsumption
        return float(sum(millijoules(device) for device in self._devices)) / 1e3


def find_meter(device: str, powercap: Path = POWERCAP) -> Meter | None:
    """Return the meter for a device (`cpu`, `cuda`, …); None if this user cannot read one."""
    return _nvml() if device == "cuda" else _rapl(powercap)


def _rapl(powercap: Path) -> Meter | None:
    # `intel-rapl:0` is a package, `intel-rapl:0:1` a part of it; `psys`, the whole platform, counts it again.
    zones = sorted(zone for zone in powercap.glob("intel-rapl:*") if zone.name.count(":") == 1)
    zones = [zone for zone in zones if _name(zone).startswith("package")]
    try:
        return Rapl(zones) if zones else None
    except (OSError, ValueError):
        return None


def _nvml() -> Meter | None:
    try:
        import pynvml  # type: ignore[import-not-found,import-untyped,unused-ignore] # may be absent
    except ImportError:
        return None
    try:
        return Nvml(pynvml)
    except pynvml.NVMLError:
        return None


def _name(zone: Path) -> str:
    try:
        return (zone / "name").read_text().strip()
    except OSError:
        return ""


def _counter(zone: Path) -> int:
    return int((zone / "energy_uj").read_text())
