"""How many workers a cluster gets, and what share of processors and GPUs each has."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from harness import HarnessError

if TYPE_CHECKING:
    from collections.abc import Sequence

_CORES = 8
"""Processors of a worker where the number of workers is not given, as for `--executor processes`."""
_PRECISION = 10_000
"""Ray counts GPUs in ten-thousandths."""


@dataclass(frozen=True, slots=True)
class Node:
    """What Ray may use of a machine."""

    cpus: int
    gpus: int = 0


@dataclass(frozen=True, slots=True)
class Shares:
    """Workers, and what each asks for: the same for all, so that all have equal threads."""

    count: int
    cpus: int
    gpus: float = 0.0


def share(nodes: Sequence[Node], workers: int | None, *, may_grow: bool) -> Shares:
    """Return how many workers there are, and their shares.

    workers: how many; None for one per GPU, or per eight processors, but two where a machine has two.
    may_grow: whether more machines may come, so that workers can wait for a place.
    Raises HarnessError for nodes without processors, and for more workers than there is place for.
    """
    usable = [node for node in nodes if node.cpus]
    if not usable:
        raise HarnessError("this Ray has no processors for workers", hint="`ray status` shows what it has")
    gpus = sum(node.gpus for node in usable)
    if gpus:
        count = workers or gpus
        each = max(1, math.ceil(count / gpus))  # workers of a GPU
        with_gpus = [node for node in usable if node.gpus]
        cpus = min(max(1, node.cpus // (node.gpus * each)) for node in with_gpus)
        return Shares(count, cpus, 1.0 if each == 1 else math.floor(_PRECISION / each) / _PRECISION)
    if workers is None:
        cpus = min(node.cpus // max(math.ceil(node.cpus / _CORES), min(2, node.cpus)) for node in usable)
        return Shares(sum(node.cpus // cpus for node in usable), cpus)
    most = max(node.cpus for node in usable)
    for cpus in range(most, 0, -1):
        if sum(node.cpus // cpus for node in usable) >= workers:
            return Shares(workers, cpus)
    available = sum(node.cpus for node in usable)
    if not may_grow:
        raise HarnessError(
            f"{workers} workers are more than this machine has processors ({available})",
            hint=f"--workers {available} at most; each takes one of its own",
        )
    return Shares(workers, 1)
