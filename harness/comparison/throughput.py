"""Ratio of throughputs: from a bench that timed both models, else from the rounds of their runs."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING

from harness.comparison.bench_file import read_bench_files
from harness.comparison.comparability import machine_differences
from harness.comparison.result import Speed
from harness.models.storage import encoding_settings, storage_settings, stored_fingerprint

if TYPE_CHECKING:
    from harness.comparison.bench_file import VariantSpeed
    from harness.comparison.result import Difference
    from harness.comparison.sources import ModelResults
    from harness.results.records import Throughput


def compare_speed(
    baseline: ModelResults, candidate: ModelResults, *, allow_machine: bool
) -> tuple[Speed | None, str, tuple[Difference, ...]]:
    """Compare throughputs; returns the speeds, or the reason why there are none, and differences.

    Models that differ in how embeddings of one encoding are stored have one speed, and no interval.
    Rounds of two runs are not interleaved, and each run is one process, so there is no confidence interval:
    the ends are the slowest round of one model over the fastest of the other.
    """
    if from_bench := _speed_from_bench(baseline, candidate):
        return from_bench, "", ()
    ours, theirs = candidate.throughput, baseline.throughput
    if ours is None or theirs is None:
        untimed = [model.name for model in (baseline, candidate) if model.throughput is None]
        were, them = ("was", "it") if len(untimed) == 1 else ("were", "them")
        why = f"{' and '.join(untimed)} {were} not timed"
        return None, f"{why}; run {them} without --no-throughput, or use harness bench", ()
    differences = machine_differences(theirs, ours)
    if not differences and (source := _one_encoding(baseline, candidate)):
        return _same_speed(theirs, ours, source), "", ()
    if differences and not allow_machine:
        pairs = "; ".join(f"{each.baseline} / {each.candidate}" for each in differences)
        return None, f"speeds are not comparable: {pairs}", differences
    speed = Speed(
        baseline=theirs.texts_per_second,
        candidate=ours.texts_per_second,
        ratio=ours.texts_per_second / theirs.texts_per_second,
        low=ours.texts_per_second_low / theirs.texts_per_second_high,
        high=ours.texts_per_second_high / theirs.texts_per_second_low,
        source="rounds of two runs, not side by side",
    )
    return speed, "", differences


def _one_encoding(baseline: ModelResults, candidate: ModelResults) -> str:
    """Return how two models that are dimensions or precisions of one encoding were timed; empty for others.

    Their settings differ in storage alone. Either both have the very same measurement, as a run writes it, or
    the fingerprint of one follows from the other's.
    """
    sides = [side.candidate for side in (baseline, candidate)]
    plain = [encoding_settings(side.settings) for side in sides]
    ours, theirs = candidate.throughput, baseline.throughput
    if ours is None or theirs is None or plain[0] != plain[1] or sides[0].fingerprint == sides[1].fingerprint:
        return ""
    if replace(ours, model=theirs.model, fingerprint=theirs.fingerprint) == theirs:
        return "one encoding, timed once for both"
    for whole, stored in (sides, reversed(sides)):
        follows = stored_fingerprint(whole.fingerprint, stored.settings) == stored.fingerprint
        if not storage_settings(whole.settings) and follows:
            return "one encoding: what two runs timed differs by chance"
    return ""


def _same_speed(theirs: Throughput, ours: Throughput, source: str) -> Speed:
    return Speed(
        baseline=theirs.texts_per_second,
        candidate=ours.texts_per_second,
        ratio=1.0,
        low=None,
        high=None,
        source=source,
    )


def _speed_from_bench(baseline: ModelResults, candidate: ModelResults) -> Speed | None:
    """Return the speeds of the newest bench with a ratio of candidate to baseline; None without one."""
    folders = {side.folder for side in (baseline, candidate) if side.folder is not None}
    for bench in sorted(read_bench_files(folders), key=lambda bench: bench.started, reverse=True):
        by_label = {variant.label: variant for variant in bench.variants}
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
    """Return the texts per second of a variant on a workload; None if it was not measured."""
    speeds = (each.texts_per_second.value for each in variant.workloads if each.workload == workload)
    return next(speeds, None)
