"""Peak memory of a search over a million documents, and of an evaluation of a hundred tasks, as JSON.

    python -m benchmarks.memory > benchmarks/results/memory.json

Every measurement is a process of its own; its peak is that of the whole process, libraries included, as the
kernel counts it. The search is the real `rank`. The evaluations are the real `run_plan`, with a model that
draws embeddings; after each task the memory of the process is noted.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import resource
import subprocess
import sys
import tempfile
import zlib
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

import numpy as np

from benchmarks.search import Cosine, embeddings

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harness import Model
    from harness.models.interface import LocatedModel

_MIB = 1 << 20


def held() -> float:
    """Return the memory that this process holds now, in MiB."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize() / _MIB


def peak() -> float:
    """Return the maximum memory that this process has held, in MiB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / _MIB


def search(options: argparse.Namespace) -> dict[str, float]:
    """Rank `options.documents` for 1,000 queries."""
    from harness.authoring import rank

    documents = embeddings(0, options.documents, options.dimensions)
    queries = embeddings(1, 1000, options.dimensions)
    ids = [f"d{row}" for row in range(len(documents))]
    random.Random(0).shuffle(ids)
    before = held()
    rank(cast("Model", Cosine(options.dimensions)), queries, documents, ids, 100)
    return {"matrix_mib": documents.nbytes / _MIB, "before_mib": before, "peak_mib": peak()}


class Drawn(Cosine):
    """A model that draws a text's embedding: cheap, and with one embedding per text."""

    def __init__(self, dimensions: int) -> None:
        from dataclasses import replace

        from harness.models.interface import ModelSpec

        super().__init__(dimensions)
        self.facts = replace(self.facts, backend="drawn", reproducible=True)
        self.fingerprint = "d" * 64
        self.spec = ModelSpec("drawn", "", self.name)

    def load(self) -> Drawn:
        """Return itself: it is loaded already."""
        return self

    def encode(self, texts: Sequence[str], _role: object = None) -> np.ndarray:
        """Return (len(texts), dimensions) float32."""
        seeds = np.array([zlib.crc32(text.encode()) for text in texts], dtype=np.float32).reshape(-1, 1)
        drawn: np.ndarray = np.sin(seeds * np.arange(1, self.facts.dimensions + 1, dtype=np.float32))
        return drawn

    def pairwise_similarity(self, a: np.ndarray, b: np.ndarray) -> np.ndarray:
        """Return the similarity of each pair, (n,)."""
        return np.array([self.similarity(*pair)[0, 0] for pair in zip(a[:, None], b[:, None], strict=True)])

    def count_tokens(self, _texts: Sequence[str], _role: object = None) -> None:
        """Return None: it has no tokens."""

    def same_as(self, _role: object) -> Any:  # noqa: ANN401 - a Role
        """Return TEXT: all roles are alike."""
        from harness import Role

        return Role.TEXT


def evaluation(options: argparse.Namespace) -> dict[str, Any]:
    """Evaluate `options.tasks` tasks of `options.rows` pairs: of the same texts, or each of its own."""
    from harness import Dataset, Predictions, Role, Task, mean_metric
    from harness.evaluation.progress import Progress
    from harness.evaluation.run import run_plan
    from harness.evaluation.runner import RunPlan
    from harness.results.folder import ResultsFolder
    from harness.tasks.selection import SelectedTask

    class Pairs(Task):
        kind = "pairs"
        metrics = (mean_metric("similarity", "similarity"),)

        def __init__(self, number: int) -> None:
            self.name = f"pairs{number}"
            self.start = 0 if options.texts == "same" else number * options.rows

        def load(self, _source: object) -> Dataset:
            rows = range(self.start, self.start + options.rows)
            return Dataset({side: [f"{side} of the pair {row}" for row in rows] for side in ("one", "two")})

        def texts(self, dataset: Dataset) -> Any:  # noqa: ANN401 - pairs of text and role
            return [(text, Role.TEXT) for side in ("one", "two") for text in dataset[side]]

        def predict(self, model: Model, dataset: Dataset) -> Predictions:
            left, right = model.encode(dataset["one"]), model.encode(dataset["two"])
            return Predictions(dataset, similarity=model.pairwise_similarity(left, right))

    class Noting(Progress):
        def __init__(self) -> None:
            self.held: list[float] = []

        def end(self, evaluation: object, *, reused: bool) -> None:  # noqa: ARG002 - the signature of Progress
            self.held.append(round(held(), 1))

    noting = Noting()
    with tempfile.TemporaryDirectory() as folder:
        plan = RunPlan(
            models=[cast("LocatedModel", Drawn(options.dimensions))],
            tasks=[SelectedTask(Pairs(number), by_name=True) for number in range(options.tasks)],
            cache=Path(folder) / "cache" if options.cache else None,
        )
        outcome = run_plan(plan, ResultsFolder(Path(folder) / "results"), noting)
    if outcome.failed:
        raise SystemExit(str(outcome.failed[0].error))
    # The first tasks pay for libraries and buffers that are kept.
    settled = noting.held[len(noting.held) // 10 :]
    growth = (settled[-1] - settled[0]) / (len(settled) - 1)
    distinct = 2 * options.rows * (1 if options.texts == "same" else options.tasks)
    return {
        "texts": options.texts,
        "cache": options.cache,
        "distinct_texts": distinct,
        "embeddings_mib": distinct * options.dimensions * 4 / _MIB,
        "growth_per_task_mib": round(growth, 3),
        "peak_mib": peak(),
        "held_mib": noting.held,
    }


def measure_in_subprocess(*words: str) -> Any:  # noqa: ANN401 - JSON
    """Measure in a fresh process of the same options."""
    command = [sys.executable, "-m", "benchmarks.memory", *sys.argv[1:], *words]
    measured = json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout)
    print(f"{' '.join(words)}: peak {measured['peak_mib']:.0f} MiB", file=sys.stderr)
    return measured


def main() -> None:
    """Parse, measure, print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    sizes = {"documents": 1_000_000, "dimensions": 384, "tasks": 100, "rows": 1000}
    for name, default in sizes.items():
        parser.add_argument(f"--{name}", type=int, default=default)
    parser.add_argument("--only", choices=("search", "evaluation"), help="measure one, in this process")
    parser.add_argument("--texts", choices=("same", "distinct"), default="same")
    parser.add_argument("--cache", action="store_true", help="with an embedding cache")
    options = parser.parse_args()
    if options.only:
        measured: dict[str, Any] = search(options) if options.only == "search" else evaluation(options)
    else:
        runs = [
            measure_in_subprocess("--only", "evaluation", "--texts", texts, *cache)
            for texts in ("same", "distinct")
            for cache in ((), ("--cache",))
        ]
        used = {name: getattr(options, name) for name in sizes}
        measured = {**used, "search": measure_in_subprocess("--only", "search"), "evaluations": runs}
    print(json.dumps(measured, indent=1))


if __name__ == "__main__":
    main()
