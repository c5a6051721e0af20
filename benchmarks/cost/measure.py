"""One measurement, in a process of its own on one core: time and peak memory of an encoding or a search."""

from __future__ import annotations

import argparse
import json
import os
import random
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

import numpy as np

from benchmarks.cost.texts import made_texts, real_texts
from benchmarks.memory import held, peak

if TYPE_CHECKING:
    from collections.abc import Callable

    from harness import Model

DEPTH = 100
_WARM = 256
"""Texts, or queries, of the call that does not count: threads, shapes and libraries are settled by it."""


def encode(options: argparse.Namespace) -> dict[str, Any]:
    """Encode texts in one call after a short one. Memory is that before it and the peak, in MiB."""
    from harness import load_model

    texts = (made_texts if options.model != "minilm" else lambda count: real_texts(options.data, count))(
        options.texts
    )
    model = load_model(options.model, threads="1x1", backend=options.backend)
    model.encode(texts[:_WARM])
    counts = model.count_tokens(texts[: min(len(texts), 30_000)])
    limit = model.facts.max_tokens
    tokens = None if counts is None else float(np.minimum(counts, limit or counts).mean())
    _meet(options)
    timed = _timed(lambda: model.encode(texts))
    return {
        **timed,
        "texts": len(texts),
        "tokens_per_text": tokens,
        "dimensions": model.facts.dimensions,
        "text_mib": sum(map(len, texts)) / (1 << 20),
    }


def search(options: argparse.Namespace) -> dict[str, Any]:
    """Rank documents for queries by the project's own search, and measure the fastest matrix product."""
    from benchmarks.search import Cosine, embeddings
    from harness.authoring import rank
    from harness.bench.ceiling import ceiling

    documents = embeddings(0, options.documents, options.dimensions)
    queries = embeddings(1, options.queries, options.dimensions)
    ids = [f"d{row}" for row in range(len(documents))]
    random.Random(0).shuffle(ids)
    model = cast("Model", Cosine(options.dimensions))
    best = ceiling("float32", "cpu", 1)
    # As large as it takes for the search to use its own product, as the one that counts does.
    few = -(-(1 << 34) // (len(queries) * options.dimensions))
    rank(model, queries, documents[:few], ids[:few], DEPTH)
    timed = _timed(lambda: rank(model, queries, documents, ids, DEPTH))
    return {
        **timed,
        "documents": len(documents),
        "queries": len(queries),
        "dimensions": options.dimensions,
        "ceiling_gflops": max(best, ceiling("float32", "cpu", 1)),
        "matrix_mib": documents.nbytes / (1 << 20),
    }


def _timed(work: Callable[[], object]) -> dict[str, Any]:
    before, load = held(), os.getloadavg()[0]
    began, used = time.perf_counter(), time.process_time()
    kept = work()
    seconds, cpu = time.perf_counter() - began, time.process_time() - used
    del kept
    return {
        "seconds": seconds,
        "cpu_seconds": cpu,
        "load": round(load, 2),
        "before_mib": before,
        "peak_mib": peak(),
    }


def _meet(options: argparse.Namespace) -> None:
    """Wait until as many processes as measure together are ready: each adds a file to a folder."""
    if options.meet is None:
        return
    (options.meet / f"{os.getpid()}.ready").touch()
    while len([*options.meet.glob("*.ready")]) < options.together:
        time.sleep(0.01)


def main() -> None:
    """Parse, pin to one core, measure, print JSON."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("what", choices=("encode", "search"))
    parser.add_argument("--model", default="minilm")
    parser.add_argument("--backend", default="auto")
    parser.add_argument("--data", type=Path)
    parser.add_argument("--texts", type=int, default=1000)
    parser.add_argument("--documents", type=int, default=1000)
    parser.add_argument("--dimensions", type=int, default=384)
    parser.add_argument("--queries", type=int, default=1000)
    parser.add_argument("--core", type=int, help="the core to measure on; all if not given")
    parser.add_argument("--meet", type=Path, help="folder in which processes that start together meet")
    parser.add_argument("--together", type=int, default=1, help="how many meet")
    options = parser.parse_args()
    if options.core is not None:
        os.sched_setaffinity(0, {options.core})
    measured = encode(options) if options.what == "encode" else search(options)
    print(json.dumps(measured))


if __name__ == "__main__":
    main()
