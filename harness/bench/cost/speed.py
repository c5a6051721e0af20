"""Seconds of a text by its tokens, from the workloads of a bench; seconds of a search, from its ceiling."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from harness.bench.cost.constants import CORE_GFLOPS, SEARCH_PAIR, SEARCH_SHARE
from harness.bench.cost.records import CostRange
from harness.errors import HarnessError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harness.bench.records import VariantResult, WorkloadResult

_LEAST_TOKENS = 0.5
"""Minimum tokens of a text: one without any still takes time."""


@dataclass(frozen=True, slots=True)
class TimedLength:
    """Seconds of a text of a workload."""

    workload: str
    texts: int
    tokens: float | None
    """Mean tokens of its texts; None where the model does not count them."""
    seconds: CostRange


def timed_lengths(variant: VariantResult) -> list[TimedLength]:
    """Return what each workload of a variant says, shortest texts first.

    Raises HarnessError for a variant that failed, and for one without a speed.
    """
    if variant.error or not variant.workloads:
        raise HarnessError(
            f"the bench has no throughput of {variant.label}{f': {variant.error}' if variant.error else ''}",
            hint="measure it again: harness bench --model …",
        )
    found = [_timed_length(result) for result in variant.workloads]
    return sorted(found, key=lambda each: (each.tokens or 0.0, each.seconds.value))


def _timed_length(result: WorkloadResult) -> TimedLength:
    """Return the seconds of a text of a workload: too few rounds for an interval give their extremes."""
    speed = result.texts_per_second
    low, high = speed.low, speed.high
    if not (math.isfinite(high) and low > 0):
        walls = [each.wall for each in result.rounds if each.wall > 0]
        low, high = (result.texts / max(walls), result.texts / min(walls)) if walls else (0.0, math.inf)
    if not (0 < low <= speed.value <= high < math.inf and result.texts > 0):
        raise HarnessError(f"the bench has no throughput of the workload {result.workload}")
    tokens = result.tokens / result.texts if result.tokens is not None and result.tokens > 0 else None
    return TimedLength(result.workload, result.texts, tokens, CostRange(1 / speed.value, 1 / high, 1 / low))


def typical(timed: Sequence[TimedLength], kind: str) -> TimedLength:
    """Return the workload for texts of a kind: the one named like it, else the longest or shortest texts.

    kind: `documents`, or `short` for queries.
    """
    named = [each for each in timed if each.workload.partition(":")[0] == kind]
    return named[0] if named else timed[-1 if kind == "documents" else 0]


def seconds_of(timed: Sequence[TimedLength], tokens: float) -> CostRange:
    """Return the seconds of a text of so many tokens on average.

    Between two workloads on the line that joins them; outside of all in proportion to tokens.
    timed: with tokens, shortest first.
    """
    tokens = max(tokens, _LEAST_TOKENS)
    below = [each for each in timed if _tokens(each) <= tokens]
    above = [each for each in timed if _tokens(each) >= tokens]
    if not (below and above):
        nearest = below[-1] if below else above[0]
        return nearest.seconds * (tokens / _tokens(nearest))
    left, right = below[-1], above[0]
    gap = _tokens(right) - _tokens(left)
    part = (tokens - _tokens(left)) / gap if gap else 0.0
    return left.seconds * (1 - part) + right.seconds * part


def _tokens(timed: TimedLength) -> float:
    return max(timed.tokens or 0.0, _LEAST_TOKENS)


def processor_gflops(variants: Sequence[VariantResult], cores: int) -> tuple[CostRange, bool]:
    """Return the fastest float32 product on a worker's cores, and whether the bench measured it.

    Search is on the processor and in float32, so a device's ceiling, or another type's, does not count.
    variants: the planned one first. cores: those of a worker.
    """
    for variant in variants:
        facts, threads, ceiling = variant.facts, variant.threads, variant.ceiling
        if facts is None or threads is None or ceiling is None:
            continue
        used = threads.workers * threads.per_worker
        if facts.device == "cpu" and facts.dtype == "float32" and 0 < ceiling.gflops < math.inf and used > 0:
            share = cores / used
            best = ceiling.gflops
            slowest = min((each for each in ceiling.tries if each > 0), default=best)
            return CostRange(best, min(slowest, best), best) * share, True
    return CORE_GFLOPS * cores, False


def pair_seconds(gflops: CostRange, cores: int, dimensions: int) -> CostRange:
    """Return the seconds of comparing a query with a document. gflops: the fastest product on the cores."""
    reached = CostRange(
        gflops.value * SEARCH_SHARE.value, gflops.low * SEARCH_SHARE.low, gflops.high * SEARCH_SHARE.high
    )
    operations = 2e-9 * dimensions
    return CostRange(operations, operations, operations).over(reached) + SEARCH_PAIR * (1 / cores)
