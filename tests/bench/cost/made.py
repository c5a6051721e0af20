"""A bench of round numbers: 100 documents of 100 tokens a second, 1,000 queries of 10."""

from __future__ import annotations

from dataclasses import replace

from harness.bench.records import (
    Bench,
    Ceiling,
    Machine,
    Memory,
    Round,
    SpeedEstimate,
    Start,
    Surroundings,
    ThreadRecord,
    VariantResult,
    WorkloadResult,
)
from harness.models.interface import ModelFacts, Settings

FACTS = ModelFacts(dimensions=400, similarity="cosine", max_tokens=512)
CALM = Surroundings(load_before=None, load_after=None, others=None, steal=None)


def workload(name, texts, tokens, speed, **changes):
    """A workload of so many tokens a text, with the speed in texts/s and its interval."""
    made = WorkloadResult(
        workload=name,
        digest="d" * 64,
        texts=texts,
        tokens=None if tokens is None else tokens * texts,
        padded_tokens=None,
        passes=1,
        warm_up=(),
        settled=True,
        rounds=(Round(0.5, 0.5), Round(2.0, 2.0)),
        texts_per_second=SpeedEstimate(*speed),
        tokens_per_second=None,
        padded_tokens_per_second=None,
        latency=None,
        batch_curve=(),
        share_of_ceiling=None,
        joules_per_text=None,
        surroundings=CALM,
        verdict="measured",
    )
    return replace(made, **changes)


DOCUMENTS = workload("documents", 100, 100, (100, 80, 125))
SHORT = workload("short", 200, 10, (1000, 1000, 1000))


def variant(label="m", **changes):
    """A variant of one core whose fastest product is 100 GFLOP/s."""
    made = VariantResult(
        label=label,
        model=label,
        fingerprint="f" * 64,
        settings=Settings(),
        facts=FACTS,
        threads=ThreadRecord(workers=1, per_worker=1),
        start=Start(process=1, imports=2, load=1, first_encode=1),
        memory=Memory(loaded=900_000_000, peak=1_000_000_000),
        ceiling=Ceiling(gflops=100.0, tries=(100.0, 100.0)),
        workloads=(DOCUMENTS, SHORT),
    )
    return replace(made, **changes)


def bench(*variants):
    """A bench of variants, by default of one."""
    return Bench(
        started="2026-12-01T00:00:00+00:00",
        machine=Machine(fingerprint="a" * 64, processor="Abacus", cores=4, system="Linux"),
        libraries={},
        margin=0.02,
        budget=120.0,
        seconds=100.0,
        variants=variants or (variant(),),
    )
