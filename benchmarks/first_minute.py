"""Seconds of README's first command in a new results folder: a model that is known, and the first run ever.

    python -m benchmarks.first_minute --before ../old --out benchmarks/results/first_minute.json
    python -m benchmarks.first_minute --write       # its table in docs/performance.md; a test holds it there

`first`: no cache at all. `known`: an empty embedding cache, and what an earlier run proved of the model (the
folder `proofs`). Each run is a process of its own, in an empty folder; runs are interleaved, after one of
each that does not count. `--before` times another checkout likewise, with the same libraries.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import resource
import shlex
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict, dataclass
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from benchmarks.rounds import order
from harness.system.environment import current_environment

if TYPE_CHECKING:
    from collections.abc import Sequence

ROOT = Path(__file__).parents[1]
RESULT = ROOT / "benchmarks" / "results" / "first_minute.json"
PAGE = ROOT / "docs" / "performance.md"
COMMAND = "harness run --model minilm --tasks sts,legal"
"""README's first command."""

_PLUGINS = "sts,triplet,clauses,retrieval,mteb,train"
"""Plugins that every checkout has."""

_MARKED = re.compile(r"(<!-- figures: first-minute -->\n).*?(<!-- end -->)", re.DOTALL)
_SENTENCE = (
    "README's first command in a new results folder, runs in turn (`python -m benchmarks.first_minute`):"
)
_KINDS = {"first": "first run ever", "known": "known model, empty embedding cache"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Timed:
    """One run of the command."""

    tree: str
    """`before` or `now`."""
    kind: str
    """`first` or `known`."""
    seconds: float
    cpu_seconds: float
    load: float
    """One-minute load average before it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """All counted runs, in the order in which they ran."""

    environment: dict[str, object]
    command: str
    runs: tuple[Timed, ...]


def measure(trees: dict[str, Path], rounds: int) -> list[Timed]:
    """Return the counted runs of each tree and kind, interleaved; raises RuntimeError where a run fails.

    trees: name → checkout.
    """
    with tempfile.TemporaryDirectory() as folder:
        cases = [(name, kind) for name, kind in product(trees, _KINDS)]
        found: list[Timed] = []
        for turn in range(rounds + 1):
            for name, kind in order(cases, turn):
                timed = _run(trees[name], Path(folder, name), name, kind)
                print(f"{name} {kind}: {timed.seconds:.1f} s", file=sys.stderr)
                found += [timed] if turn else []
        return found


def _run(tree: Path, folder: Path, name: str, kind: str) -> Timed:
    """Run the command once, in an empty folder, with the cache that its kind has."""
    cache, place = folder / kind, folder / "place"
    shutil.rmtree(cache if kind == "first" else cache / "embeddings", ignore_errors=True)
    shutil.rmtree(place, ignore_errors=True)
    place.mkdir(parents=True)
    load, before = os.getloadavg()[0], resource.getrusage(resource.RUSAGE_CHILDREN)
    began = time.perf_counter()
    ended = subprocess.run(
        [sys.executable, "-m", *shlex.split(COMMAND)],
        cwd=place,
        env=environment(tree, cache),
        capture_output=True,
        check=False,
    )
    seconds = time.perf_counter() - began
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if ended.returncode:
        raise RuntimeError(
            f"{COMMAND} in {tree} ended with {ended.returncode}:\n{ended.stderr.decode()[-2000:]}"
        )
    return Timed(
        tree=name,
        kind=kind,
        seconds=round(seconds, 3),
        cpu_seconds=round(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, 3),
        load=round(load, 2),
    )


def environment(tree: Path, cache: Path) -> dict[str, str]:
    """Return this process's environment for the code of a checkout, without network or limits of threads.

    The plugins that bring the command's tasks: those that are installed may be of another checkout.
    """
    ours = {name: value for name, value in os.environ.items() if not name.startswith(("OMP_", "HARNESS_"))}
    path = os.pathsep.join([str(tree), str(tree / "plugins")])
    return ours | {
        "PYTHONPATH": path,
        "HF_HUB_OFFLINE": "1",
        "HARNESS_CACHE": str(cache),
        "HARNESS_PLUGINS": _PLUGINS,
    }


def table(measured: Measured) -> str:
    """Return a table of medians, with the least and the most, and how many runs each is of."""
    lines = ["| | checkout | seconds | processor seconds | runs |", "|---|---|---:|---:|---:|"]
    for kind, tree in product(_KINDS, dict.fromkeys(run.tree for run in measured.runs)):
        runs = [run for run in measured.runs if (run.tree, run.kind) == (tree, kind)]
        walls, cpus = _spread([run.seconds for run in runs]), _spread([run.cpu_seconds for run in runs])
        lines.append(f"| {_KINDS[kind]} | {tree} | {walls} | {cpus} | {len(runs)} |")
    return "\n".join(lines)


def _spread(seconds: Sequence[float]) -> str:
    return f"{statistics.median(seconds):.1f} ({min(seconds):.1f} – {max(seconds):.1f})"


def read_result(file: Path = RESULT) -> Measured | None:
    """Return what was measured; None where it was not yet."""
    return msgspec.json.decode(file.read_bytes(), type=Measured) if file.is_file() else None


def written(page: str, measured: Measured | None) -> str:
    """Return a page with the table as it was measured; as it is where nothing was, or it has no place."""
    if measured is None:
        return page
    return _MARKED.sub(lambda found: f"{found[1]}{_SENTENCE}\n\n{table(measured)}\n{found[2]}", page)


def main() -> None:
    """Measure, or write the page."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5, help="rounds that count (5)")
    parser.add_argument("--before", type=Path, metavar="DIR", help="another checkout, to be timed in turn")
    parser.add_argument("--out", type=Path, metavar="FILE", help="file of all runs")
    parser.add_argument(
        "--write", action="store_true", help="write the page from the results; measures nothing"
    )
    options = parser.parse_args()
    if options.write:
        PAGE.write_text(written(PAGE.read_text(encoding="utf-8"), read_result()), encoding="utf-8")
        return
    trees = {"before": options.before.resolve()} if options.before else {}
    started = time.strftime("%Y-%m-%dT%H:%M:%S+00:00", time.gmtime())
    found = measure({**trees, "now": ROOT}, options.rounds)
    measured = Measured(environment=asdict(current_environment(started)), command=COMMAND, runs=tuple(found))
    if options.out:
        options.out.write_text(json.dumps(msgspec.to_builtins(measured), indent=1) + "\n", encoding="utf-8")
    print(table(measured))


if __name__ == "__main__":
    main()
