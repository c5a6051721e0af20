"""Throughput of `encode`: a fixed workload, warm, repeated, without scoring and without a cache."""

from __future__ import annotations

import hashlib
import math
import statistics
import sys
import time
from typing import TYPE_CHECKING

from harness.models.backends.threads import ThreadLayout
from harness.models.workload import workload
from harness.results.records import Throughput
from harness.system.environment import cores, libraries, load, processor

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from harness.models.interface import Model

ROUNDS = 5
_MOST_ROUNDS = 15
_QUIET = 0.1
"""Difference of the slowest and the fastest round, as a share of their median, up to which ROUNDS suffice."""
_SECONDS = 0.3
"""Minimum seconds of a round that is worth timing: the workload is repeated up to them."""
_COPIES = 8
"""Maximum repetitions of the workload."""
_MAX_SECONDS = 20.0
"""Seconds after which no further round begins: a large model is timed in fewer."""
_MAX_SECONDS_FOR_NOISE = 5.0
"""Seconds after which no round begins only because those before differ."""
_CALIBRATED = ("calibrated", "calibrated before")
"""`ThreadLayout.how` of a model whose every encoding takes the threads that were found to be the fastest."""


def measure(model: Model, texts: Sequence[str] | None = None, *, rounds: int | None = None) -> Throughput:
    """Time `encode` over a workload: a round to warm up, then `rounds` that count.

    rounds: by default five, about two seconds, and up to 15 where they differ by more than a tenth.
    The warm-up decides how often the workload is repeated to make a round that is worth timing. Nothing else
    of ours runs meanwhile, and nothing is cached. Medians are over rounds; the wall and CPU time of each are
    kept: their spread shows a shared machine.
    """
    once = list(workload() if texts is None else texts)
    before = load()
    first, _ = _timed(model, once)
    texts = once * max(1, min(_COPIES, math.ceil(_SECONDS / max(first, 1e-9))))
    if len(texts) > len(once) and _threads(model).how not in _CALIBRATED:
        model.encode(texts)  # more texts may take another path, such as threads that are calibrated for them
    tokens = _tokens_read(model, texts)
    threads = _threads(model)
    wall, cpu = zip(*_timed_rounds(model, texts, rounds), strict=True)
    rates = [len(texts) / seconds for seconds in wall]
    return Throughput(
        model=model.name,
        fingerprint=model.fingerprint,
        workload=hashlib.sha256("\n".join(once).encode()).hexdigest(),
        texts=len(texts),
        tokens=tokens,
        seconds=wall,
        cpu_seconds=cpu,
        texts_per_second=statistics.median(rates),
        texts_per_second_low=min(rates),
        texts_per_second_high=max(rates),
        tokens_per_second=None if tokens is None else tokens / statistics.median(wall),
        device=model.facts.device,
        dtype=model.spec.settings.dtype,
        backend=model.facts.backend,
        threads=threads.workers * threads.per_worker,
        workers=threads.workers,
        processor=processor(),
        cores=cores(),
        load=before,
        libraries=libraries(),
    )


def _timed_rounds(model: Model, texts: Sequence[str], rounds: int | None) -> Iterator[tuple[float, float]]:
    """Yield the seconds of each round, at least of one; fewer for a model that takes long."""
    walls: list[float] = []
    for done in range(1, (rounds or _MOST_ROUNDS) + 1):
        wall, cpu = _timed(model, texts)
        yield wall, cpu
        walls.append(wall)
        if sum(walls) > _MAX_SECONDS or (rounds is None and done >= ROUNDS and _is_enough(walls)):
            return


def _is_enough(walls: Sequence[float]) -> bool:
    """Whether rounds are alike, or took so long that more are not worth it."""
    spread = (max(walls) - min(walls)) / max(statistics.median(walls), 1e-9)
    return spread <= _QUIET or sum(walls) > _MAX_SECONDS_FOR_NOISE


def _timed(model: Model, texts: Sequence[str]) -> tuple[float, float]:
    """Return wall and CPU seconds of one round; `encode` returns host arrays, so a device has finished."""
    wall, cpu = time.perf_counter(), time.process_time()
    model.encode(texts)
    return time.perf_counter() - wall, time.process_time() - cpu


def _tokens_read(model: Model, texts: Sequence[str]) -> int | None:
    counts = model.count_tokens(texts)
    if counts is None:
        return None
    limit = model.facts.max_tokens
    return int(counts.sum() if limit is None else counts.clip(max=limit).sum())


def _threads(model: Model) -> ThreadLayout:
    """Return how a model uses threads; torch's number where the model does not say."""
    layout: ThreadLayout | None = getattr(model, "threads", None)
    torch = sys.modules.get("torch")
    return layout or ThreadLayout(1, torch.get_num_threads() if torch is not None else 1)
