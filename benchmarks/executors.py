"""Texts per second by executor, and seconds until its workers are ready.

    python -m benchmarks.executors --data DIR --out benchmarks/results/executors.json

Each way loads minilm on all of its workers first; then texts (of SNLI, distinct) are encoded by all ways in
turn, several rounds, other texts in each. So the start of workers is apart, and noise meets all alike.
"""

from __future__ import annotations

import argparse
import itertools
import json
import time
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.evaluation.distribute import Distribution
from harness.evaluation.execution_plan import ExecutionPlan
from harness.evaluation.workers import open_workers
from harness.models.honor import load_located
from harness.models.interface import ModelSpec, Role
from harness.models.locate import locate_model
from harness.plugins.executor import ExecutorRequest
from harness.plugins.loader import load_plugins
from harness.results.folder import encode
from harness.system.environment import cores, load, processor
from harness.system.work_unit import WorkerSetup

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

ROOT = Path(__file__).parents[1]
RESULT = ROOT / "benchmarks" / "results" / "executors.json"
_WAYS = {
    "local, 1 thread": ("local", 1),
    "processes, 1 worker of 1 thread": ("processes", 1),
    "processes, 2 workers of 1 thread": ("processes", 2),
    "local, 2 threads": ("local", 2),
    "ray, 2 workers of 1 thread": ("ray", 2),
}


@dataclass
class Way:
    """A way to encode that is ready."""

    encode: Callable[[Sequence[str]], object]
    start: float
    """Seconds until its model was loaded on all workers."""


def main() -> None:
    """Measure, or write the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, help="folder with snli-triplets")
    parser.add_argument("--texts", type=int, default=3000, help="texts of a round")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--out", type=Path, default=RESULT)
    options = parser.parse_args()
    found = measure(_texts(options.data, options.texts * options.rounds), options.texts, options.rounds)
    content = encode(found)
    options.out.write_bytes(content if isinstance(content, bytes) else content.encode())


def measure(texts: Sequence[str], each: int, rounds: int) -> dict[str, Any]:
    """Return seconds of each way and round, for `each` texts."""
    seconds: dict[str, list[float]] = {name: [] for name in _WAYS}
    before = load()
    with ExitStack() as stack:
        ways = {name: _open(stack, *how) for name, how in _WAYS.items()}
        for number in range(rounds):
            part = texts[number * each : (number + 1) * each]
            for name in itertools.islice(itertools.cycle(ways), number, number + len(ways)):
                began = time.perf_counter()
                ways[name].encode(part)
                seconds[name].append(round(time.perf_counter() - began, 3))
                print(f"{name}: {each / seconds[name][-1]:,.0f} texts/s", flush=True)
    return {
        "processor": processor(),
        "cores": cores(),
        "load": before,
        "texts": each,
        "start": {name: round(way.start, 2) for name, way in ways.items()},
        "seconds": seconds,
    }


def _open(stack: ExitStack, name: str, workers: int) -> Way:
    """Return a way, its model loaded on all workers."""
    plugins = load_plugins()
    threads = f"{workers}x1" if name == "local" else "1x1"
    located = locate_model(ModelSpec("minilm", "", threads=threads), plugins.model_schemes())
    began = time.perf_counter()
    if name == "local":
        model = load_located(located)
        return Way(model.encode, time.perf_counter() - began)
    request = ExecutorRequest(setup=WorkerSetup(folder=str(Path.cwd())), workers=workers)
    plan = ExecutionPlan(executor=plugins.executors()[name], request=request)
    dispatcher = stack.enter_context(open_workers(plan, print))
    steps, seen = Distribution(dispatcher, mixed=False).load(located), 0
    while True:
        try:
            next(steps)
        except StopIteration as ended:
            distributed, _ = ended.value
            break
        seen = dispatcher.wait(seen)
    while len(dispatcher.ready) < workers:
        seen = dispatcher.wait(seen)
    distributed.encode([f"a text that loads the model, number {number}" for number in range(9000)])
    return Way(lambda part: distributed.encode(list(part), Role.TEXT), time.perf_counter() - began)


def _texts(data: Path, count: int) -> list[str]:
    """Return so many distinct texts, in the order of the file."""
    file = data / "snli" / "snli-dev.jsonl"
    rows = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
    texts = list(dict.fromkeys(row[name] for row in rows for name in ("sentence1", "sentence2")))
    if len(texts) < count:
        raise SystemExit(f"{file} has {len(texts)} distinct texts, fewer than {count}")
    return texts[:count]


if __name__ == "__main__":
    main()
