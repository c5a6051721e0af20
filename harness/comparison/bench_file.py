"""The fields of a bench's record that a comparison reads; independent of `harness.bench`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import msgspec

from harness.errors import HarnessError
from harness.system.limits import read_json_file

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

SCHEMA = 1
"""Schema version of the records; equal to `harness.bench.records.SCHEMA`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SpeedInterval:
    """A value and its 95 % interval."""

    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkloadSpeed:
    """Throughput of a variant on one workload."""

    workload: str
    texts_per_second: SpeedInterval


@dataclass(frozen=True, slots=True, kw_only=True)
class VariantSpeed:
    """Throughputs of one model with one set of settings."""

    label: str
    fingerprint: str
    workloads: tuple[WorkloadSpeed, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class SpeedRatio:
    """Throughput of one variant over that of another, from interleaved rounds."""

    workload: str
    label: str
    against: str
    ratio: SpeedInterval


@dataclass(frozen=True, slots=True, kw_only=True)
class BenchFile:
    """Record of one `harness bench`."""

    schema: int = SCHEMA
    started: str
    """UTC, ISO 8601."""
    variants: tuple[VariantSpeed, ...]
    ratios: tuple[SpeedRatio, ...] = ()


def read_bench_files(folders: Iterable[Path]) -> Iterator[BenchFile]:
    """Read the benches in results folders; skip those that cannot be read.

    Benches are optional: without one, the timings of the runs are used.
    """
    for folder in folders:
        for path in sorted(folder.glob("bench/records/*/*.json")):
            try:
                bench = msgspec.convert(read_json_file(path), BenchFile)
            except (HarnessError, msgspec.DecodeError, UnicodeDecodeError, OSError):
                continue
            if bench.schema == SCHEMA:
                yield bench
