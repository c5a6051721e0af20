"""How fast the candidate is beside the baseline: from one bench of both, else from each one's own rounds."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from harness.comparison.bench_file import read_bench_files
from harness.comparison.comparability import machine_differences
from harness.comparison.result import Speed

if TYPE_CHECKING:
    from harness.comparison.bench_file import VariantSpeed
    from harness.comparison.result import Difference
    from harness.comparison.sources import ModelResults


def compare_speed(
    baseline: ModelResults, candidate: ModelResults, *, allow_machine: bool
) -> tuple[Speed | None, str, tuple[Difference, ...]]:
    """Compare throughputs: the figures, why there are none, and what makes them incomparable.

    Rounds of two runs were not interleaved, and each is one process: no interval can be had from them, so
    its ends are the slowest round of one over the fastest of the other.
    """
    if benched := _speed_from_bench(baseline, candidate):
        return benched, "", ()
    ours, theirs = candidate.throughput, baseline.throughput
    if ours is None or theirs is None:
        lacking = " and ".join(side.name for side in (baseline, candidate) if side.throughput is None)
        return None, f"{lacking} was not timed; run it without --no-throughput, or use harness bench", ()
    differences = machine_differences(theirs, ours)
    if differences and not allow_machine:
        told = "; ".join(f"{one.baseline} / {one.candidate}" for one in differences)
        return None, f"speeds do not compare: {told}", differences
    speed = Speed(
        baseline=theirs.texts_per_second,
        candidate=ours.texts_per_second,
        ratio=ours.texts_per_second / theirs.texts_per_second,
        low=ours.texts_per_second_low / theirs.texts_per_second_high,
        high=ours.texts_per_second_high / theirs.texts_per_second_low,
        source="rounds of two runs, not side by side",
    )
    return speed, "", differences


def _speed_from_bench(baseline: ModelResults, candidate: ModelResults) -> Speed | None:
    """The newest bench in which both were timed side by side, the baseline first."""
    folders = {side.folder for side in (baseline, candidate) if side.folder is not None}
    for bench in sorted(read_bench_files(folders), key=lambda one: one.started, reverse=True):
        by_label = {one.label: one for one in bench.variants}
        for ratio in bench.ratios:
            ours, theirs = by_label.get(ratio.label), by_label.get(ratio.against)
            if ours is None or theirs is None or not math.isfinite(ratio.ratio.high):
                continue
            if (theirs.fingerprint, ours.fingerprint) != (baseline.fingerprint, candidate.fingerprint):
                continue
            before, now = _texts_per_second(theirs, ratio.workload), _texts_per_second(ours, ratio.workload)
            if before is not None and now is not None:
                return Speed(
                    baseline=before,
                    candidate=now,
                    ratio=ratio.ratio.value,
                    low=ratio.ratio.low,
                    high=ratio.ratio.high,
                    source=f"harness bench of {bench.started}, workload {ratio.workload}",
                )
    return None


def _texts_per_second(variant: VariantSpeed, workload: str) -> float | None:
    """Texts per second of a variant on a workload; None where it was not measured on it."""
    found = (one.texts_per_second.value for one in variant.workloads if one.workload == workload)
    return next(found, None)
