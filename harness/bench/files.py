"""Where benches are kept: records by machine, and pytest-benchmark's storage beside them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

import msgspec

from harness.bench.pytest_benchmark import pytest_benchmark
from harness.bench.records import SCHEMA, Bench
from harness.errors import HarnessError
from harness.results.folder import encode
from harness.system.atomic import write_inside
from harness.system.limits import read_json_file
from harness.system.paths import file_name

if TYPE_CHECKING:
    from pathlib import Path

_NUMBERED = re.compile(r"(\d{4})_")


@dataclass(frozen=True, slots=True)
class Written:
    """The files of a bench."""

    record: Path
    pytest: tuple[Path, ...]
    """One per variant that was measured, each with a number that `pytest-benchmark compare` takes."""


def write(bench: Bench, folder: Path, stamp: str) -> Written:
    """Write a bench below a folder; raises HarnessError where that is impossible.

    `records/MACHINE/STAMP.json` is the whole. `MACHINE/NUMBER_VARIANT_STAMP.json` is what pytest-benchmark
    reads with `--storage=FOLDER`. MACHINE is the first eight digits of the machine's fingerprint: speeds of
    two machines lie apart. stamp: tells benches apart, such as a time and a process number.
    """
    place = bench.machine.fingerprint[:8]
    record = folder / "records" / place / f"{stamp}.json"
    paths: list[Path] = []
    for variant in bench.variants:
        if variant.workloads:
            # A number of its own: pytest-benchmark shows the first twelve letters of a file's name only.
            name, number = file_name(variant.label.replace(" ", "-")), _next_number(folder / place)
            paths.append(folder / place / f"{number:04}_{name}_{stamp}.json")
            write_inside(folder, paths[-1], encode(pytest_benchmark(bench, [variant])))
    write_inside(folder, record, encode(bench))
    return Written(record, tuple(paths))


def read(path: Path) -> Bench:
    """Read a record; raises HarnessError for a file that is none, or of another schema."""
    try:
        content = read_json_file(path)
        if isinstance(content, dict) and content.get("schema") != SCHEMA:
            raise HarnessError(f"{path} has schema {content.get('schema')!r}, not {SCHEMA}")
        return msgspec.convert(content, Bench)
    except (msgspec.DecodeError, UnicodeDecodeError, OSError) as error:
        raise HarnessError(f"{path} is not a readable bench: {error}") from error


def _next_number(folder: Path) -> int:
    """The first number after all that are taken, for pytest-benchmark's names."""
    taken = [int(found[1]) for path in folder.glob("*.json") if (found := _NUMBERED.match(path.name))]
    return max(taken, default=0) + 1
