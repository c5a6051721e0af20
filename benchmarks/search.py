"""Time and peak memory of our exact search and of faiss' `IndexFlatIP`, as JSON.

    python benchmarks/search.py --documents 1000000 --rounds 5 > benchmarks/results/search.json

Every measurement is a process of its own, ours and faiss' in turn; only the search is timed. Ours is the
whole of `rank` (cosine, duplicates, names in random order, ties); faiss returns row numbers and breaks no
ties. Peak memory is that of the whole process, libraries and the matrix included, in units of the matrix.
Without faiss, only ours is measured.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import os
import random
import resource
import statistics
import subprocess
import sys
import time
from typing import TYPE_CHECKING, cast

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

import numpy as np

if TYPE_CHECKING:
    from harness import Model


class Cosine:
    """The part of a model that a search needs."""

    name = "cosine"

    def __init__(self, dimensions: int) -> None:
        from harness.authoring import ModelFacts

        self.facts = ModelFacts(dimensions=dimensions, similarity="cosine")

    def similarity(self, a: np.ndarray, b: np.ndarray) -> np.ndarray:
        """Return cosines as sentence-transformers computes them: (n, m) float32."""
        from sentence_transformers.util import cos_sim

        return cos_sim(a, b).numpy()


def embeddings(seed: int, rows: int, dimensions: int) -> np.ndarray:
    """Draw random unit rows, (rows, dimensions) float32, in place, so that they do not make the peak."""
    drawn = np.empty((rows, dimensions), dtype=np.float32)
    generator = np.random.default_rng(seed)
    for start in range(0, rows, 10_000):
        part = drawn[start : start + 10_000]
        generator.standard_normal(out=part, dtype=np.float32)
        part /= np.linalg.norm(part, axis=1, keepdims=True)
    return drawn


def measure_once(searcher: str, options: argparse.Namespace) -> dict[str, float]:
    """Search once, after a warm-up, in this process."""
    documents = embeddings(0, options.documents, options.dimensions)
    queries = embeddings(1, options.queries, options.dimensions)
    if searcher == "faiss":
        import faiss  # type: ignore[import-not-found, unused-ignore] # may be absent

        index = faiss.IndexFlatIP(options.dimensions)
        index.add(documents)
        index.search(queries[:50], options.depth)
        before, used = time.perf_counter(), time.process_time()
        index.search(queries, options.depth)
    else:
        from harness.authoring import rank

        ids = [f"d{row}" for row in range(len(documents))]
        random.Random(0).shuffle(ids)
        model = cast("Model", Cosine(options.dimensions))
        rank(model, queries[:50], documents[:1000], ids[:1000], options.depth)
        before, used = time.perf_counter(), time.process_time()
        rank(model, queries, documents, ids, options.depth)
    seconds, cpu = time.perf_counter() - before, time.process_time() - used
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / documents.nbytes
    return {"seconds": seconds, "cpu_seconds": cpu, "peak": peak, "load": os.getloadavg()[0]}


def measure_in_subprocess(searcher: str) -> dict[str, float]:
    """Measure in a fresh process of the same options."""
    command = [sys.executable, __file__, *sys.argv[1:], "--only", searcher]
    measured: dict[str, float] = json.loads(
        subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout
    )
    print(
        f"{searcher}: {measured['seconds']:.2f} s, peak {measured['peak']:.2f} of the matrix", file=sys.stderr
    )
    return measured


def compare(options: argparse.Namespace) -> dict[str, object]:
    """Measure in turn, round after round; ratios are medians over rounds of ours / faiss'."""
    searchers = ["ours", *(["faiss"] if importlib.util.find_spec("faiss") else [])]
    rounds = [{name: measure_in_subprocess(name) for name in searchers} for _ in range(options.rounds)]
    sizes = {name: getattr(options, name) for name in ("queries", "documents", "dimensions", "depth")}
    summary = {"peak_of_matrix": max(turn["ours"]["peak"] for turn in rounds)}
    if "faiss" in searchers:
        for what in ("seconds", "cpu_seconds"):
            ratios = [turn["ours"][what] / turn["faiss"][what] for turn in rounds]
            summary[f"{what}_ratio"] = statistics.median(ratios)
            summary[f"{what}_ratio_least"], summary[f"{what}_ratio_most"] = min(ratios), max(ratios)
        summary["peak_of_matrix_faiss"] = max(turn["faiss"]["peak"] for turn in rounds)
    return {**sizes, "cores": os.cpu_count(), **summary, "rounds": rounds}


def main() -> None:
    """Parse, measure, print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    for name, default in (("queries", 1000), ("documents", 100_000), ("dimensions", 384)):
        parser.add_argument(f"--{name}", type=int, default=default)
    parser.add_argument("--depth", type=int, default=100, help="documents kept of every ranking")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--only", choices=("ours", "faiss"), help="measure one once, in this process")
    options = parser.parse_args()
    print(json.dumps(measure_once(options.only, options) if options.only else compare(options), indent=1))


if __name__ == "__main__":
    main()
