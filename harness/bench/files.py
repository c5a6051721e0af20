"""Bench files: records by machine, and copies in pytest-benchmark's storage format."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

import msgspec

from harness.bench.pytest_benchmark import pytest_benchmark
from harness.bench.records import SCHEMA, Bench
from harness.errors import HarnessError
from harness.results.folder import encode
from harness.system.atomic import remove_stale, write_inside
from harness.system.limits import read_json_file
from harness.system.paths import file_name
from harness.system.signals import defer_signals

if TYPE_CHECKING:
    from pathlib import Path

_NUMBERED = re.compile(r"(\d{4})_")


@dataclass(frozen=True, slots=True)
class Written:
    """Files written for a bench."""

    record: Path
    pytest: tuple[Path, ...]
    """One file per measured variant; its name starts with a number that `pytest-benchmark compare` takes."""


def write(bench: Bench, folder: Path, stamp: str) -> Written:
    """Write a bench to a folder; raises HarnessError if that fails.

    `records/MACHINE/STAMP.json` is the full record. pytest-benchmark reads
    `MACHINE/NUMBER_VARIANT_STAMP.json` with `--storage=FOLDER`. MACHINE is the first eight digits of the
    machine's fingerprint. stamp: unique to the bench, such as a time and a process id. What killed processes
    left half-written is removed.
    """
    machine = bench.machine.fingerprint[:8]
    record = folder / "records" / machine / f"{stamp}.json"
    paths: list[Path] = []
    contents: list[tuple[Path, bytes]] = []
    for place in (record.parent, folder / machine):
        remove_stale(place)
    first = _next_number(folder / machine)
    for variant in bench.variants:
        if variant.workloads:
            # Each file gets its own number: pytest-benchmark shows only the first twelve letters of a name.
            name, number = file_name(variant.label.replace(" ", "-")), first + len(paths)
            paths.append(folder / machine / f"{number:04}_{name}_{stamp}.json")
            contents.append((paths[-1], encode(pytest_benchmark(bench, [variant]))))
    with defer_signals():
        for path, content in [*contents, (record, encode(bench))]:
            write_inside(folder, path, content)
    return Written(record, tuple(paths))


def read(path: Path) -> Bench:
    """Read a record; raises HarnessError for any other file and for another schema."""
    try:
        content = read_json_file(path)
        if isinstance(content, dict) and content.get("schema") != SCHEMA:
            raise HarnessError(f"{path} has schema {content.get('schema')!r}, not {SCHEMA}")
        return msgspec.convert(content, Bench)
    except (msgspec.DecodeError, UnicodeDecodeError, OSError) as error:
        raise HarnessError(f"{path} is not a readable bench: {error}") from error


def _next_number(folder: Path) -> int:
    """Return one more than the largest number of pytest-benchmark's files in a folder."""
    taken = [int(match[1]) for path in folder.glob("*.json") if (match := _NUMBERED.match(path.name))]
    return max(taken, default=0) + 1
