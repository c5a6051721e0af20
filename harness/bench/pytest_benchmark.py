"""Benches as pytest-benchmark's JSON, for its `compare`, `--csv` and `--between`."""

from __future__ import annotations

import platform
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from harness.bench.machine import describe_machine
from harness.system.environment import libraries, load

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harness.bench.records import Bench, VariantResult, WorkloadResult
    from harness.bench.workloads import Workload
    from harness.models.interface import Model


def pytest_benchmark(bench: Bench, variants: Sequence[VariantResult]) -> dict[str, Any]:
    """Return the content of one file: a benchmark per variant and workload, in seconds per pass.

    Names contain only the workload, so that models, dtypes and days can be compared under one name; the
    variant is in `params`, everything else in `extra_info`. `--between` takes one benchmark of a name
    from each file, so it needs a file per variant.
    """
    return {
        "machine_info": {
            "fingerprint": bench.machine.fingerprint,
            "machine": platform.machine(),
            "system": platform.system(),
            "release": platform.release(),
            "python_implementation": platform.python_implementation(),
            "python_version": platform.python_version(),
            "cpu": {"brand_raw": bench.machine.processor, "count": bench.machine.cores},
            "devices": list(bench.machine.devices),
        },
        "commit_info": {},
        "benchmarks": [
            _benchmark(bench, variant, result) for variant in variants for result in variant.workloads
        ],
        "datetime": bench.started,
        "version": _version(),
    }


def _benchmark(bench: Bench, variant: VariantResult, result: WorkloadResult) -> dict[str, Any]:
    facts = variant.facts
    name = f"encode[{result.workload}]"
    return {
        "group": result.workload,
        "name": name,
        "fullname": f"harness bench::{name}",
        "params": {
            "workload": result.workload,
            "model": variant.model,
            "dtype": variant.settings.dtype,
            "backend": facts.backend if facts else variant.settings.backend,
            "variant": variant.label,
        },
        "param": result.workload,
        "extra_info": {
            "fingerprint": variant.fingerprint,
            "machine": bench.machine.fingerprint,
            "digest": result.digest,
            "texts": result.texts,
            "tokens": result.tokens,
            "padded_tokens": result.padded_tokens,
            "texts_per_second": asdict(result.texts_per_second),
            "cpu_seconds": [each.cpu for each in result.rounds],
            "threads": asdict(variant.threads) if variant.threads else None,
            "device": facts.device if facts else None,
            "verdict": result.verdict,
            "libraries": bench.libraries,
        },
        "options": {
            "disable_gc": True,
            "timer": "perf_counter",
            "min_rounds": len(result.rounds),
            "max_time": bench.budget,
            "min_time": 0.0,
            "warmup": len(result.warm_up),
        },
        "stats": _stats([each.wall for each in result.rounds], result.passes),
    }


def encode_info(model: Model, workload: Workload) -> dict[str, Any]:
    """Return what `extra_info` of a benchmark of `encode` says: model, texts, machine, libraries.

    Names are those of `harness bench`.
    """
    machine = describe_machine()
    return {
        "model": model.name,
        "fingerprint": model.fingerprint,
        "machine": machine.fingerprint,
        "processor": machine.processor,
        "cores": machine.cores,
        "system": machine.system,
        "load": load(),
        "workload": workload.name,
        "digest": workload.digest,
        "texts": len(workload.texts),
        "device": model.facts.device,
        "dtype": model.facts.dtype,
        "backend": model.facts.backend,
        "libraries": libraries(),
    }


def _stats(seconds: Sequence[float], passes: int) -> dict[str, Any]:
    from pytest_benchmark.stats import Stats

    stats: Any = Stats()  # type: ignore[no-untyped-call] # pytest-benchmark has no annotations
    for value in seconds:
        stats.update(value)
    return {**stats.as_dict(), "iterations": passes, "data": list(seconds)}


def _version() -> str:
    import pytest_benchmark

    return str(pytest_benchmark.__version__)
