"""Is a bench reliable? Measure one model against itself many times, each time in two new processes.

    python -m benchmarks.against_itself                       # 40 runs, about 90 minutes
    python -m benchmarks.against_itself --runs 5 --budget 15

The true ratio is 1. For every run, the ratio with its interval and the other load of the machine are written;
over all runs, how often the interval contains 1, its median half-width, and how much two processes of one
model differ beyond what their rounds explain (`harness.bench.intervals.PROCESS_SPREAD`).
"""

from __future__ import annotations

import argparse
import datetime as dt
import math
import os
import statistics
import sys
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

from harness.bench.intervals import speed_ratio
from harness.bench.session import BenchPlan, BenchProgress, Variant, failed_variants, measure
from harness.bench.workloads import select_workloads
from harness.models.locate import parse_model
from harness.plugins.loader import load_plugins
from harness.results.folder import encode
from harness.system.atomic import write_output

if TYPE_CHECKING:
    from harness.bench.records import Bench

OUT = Path(__file__).parent / "results" / "against_itself.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One bench of a model against itself."""

    ratio: float
    low: float
    high: float
    half_width: float
    contains_1: bool
    contains_1_unwidened: bool
    """Without the allowance for two processes."""
    rounds: int
    log_ratio: float
    standard_error: float
    """Of the log-ratio, from its own interval without the allowance."""
    others: float | None
    """Maximum share of all cores that other processes used during the rounds."""
    seconds: float


def main() -> None:
    """Run, and write all results after each run."""
    options = _parse_options()
    schemes = load_plugins([Path(file) for file in options.plugin]).model_schemes()
    variant = Variant(options.model, parse_model(options.model, schemes, threads=options.threads))
    plan = BenchPlan(
        variants=[variant],
        workloads=select_workloads([options.workload]),
        margin=options.margin,
        budget=options.budget,
        against_itself=True,
        plugins=tuple(str(Path(file).absolute()) for file in options.plugin),
    )
    runs: list[Run] = []
    for number in range(options.runs):
        started = dt.datetime.now(dt.UTC).isoformat(timespec="seconds")
        bench = measure(plan, BenchProgress(), started=started)
        if broken := failed_variants(bench):
            sys.exit(f"{broken[0].label}: {broken[0].error}")
        runs.append(_run(bench))
        write_output(options.out, encode(_summary(options, bench, runs)))
        print(f"{number + 1}: {_line(runs[-1])}", flush=True)
    inside = sum(run.contains_1 for run in runs)
    print(
        f"contains 1 in {inside} of {len(runs)}, median half-width {_median_width(runs):.1%}: {options.out}"
    )


def _parse_options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--runs", type=int, default=40)
    parser.add_argument("--model", default="minilm")
    parser.add_argument("--workload", default="sts")
    parser.add_argument("--threads", default="auto")
    parser.add_argument("--budget", type=float, default=120.0, help="seconds of measuring per run")
    parser.add_argument("--margin", type=float, default=0.02)
    parser.add_argument("--plugin", default=[], action="append", help="a single-file plugin")
    parser.add_argument("--out", type=Path, default=OUT)
    return parser.parse_args()


def _run(bench: Bench) -> Run:
    (floor,) = bench.noise_floor
    first, second = ([turn.wall for turn in variant.workloads[0].rounds] for variant in bench.variants)
    plain = speed_ratio(second, first, spread=0.0)
    others = [variant.workloads[0].surroundings.others for variant in bench.variants]
    return Run(
        ratio=floor.ratio.value,
        low=floor.ratio.low,
        high=floor.ratio.high,
        half_width=floor.ratio.half_width,
        contains_1=floor.ratio.low <= 1 <= floor.ratio.high,
        contains_1_unwidened=plain.low <= 1 <= plain.high,
        rounds=floor.rounds,
        log_ratio=math.log(plain.value),
        standard_error=math.log(plain.high / plain.low) / 2 / 1.96,
        others=max((share for share in others if share is not None), default=None),
        seconds=bench.seconds,
    )


def _summary(options: argparse.Namespace, bench: Bench, runs: list[Run]) -> dict[str, Any]:
    first = bench.variants[0]
    return {
        "model": first.model,
        "fingerprint": first.fingerprint,
        "backend": first.facts.backend if first.facts else None,
        "workload": options.workload,
        "digest": first.workloads[0].digest,
        "budget": options.budget,
        "margin": options.margin,
        "machine": asdict(bench.machine),
        "libraries": bench.libraries,
        "last_started": bench.started,
        "runs": len(runs),
        "contains_1": sum(run.contains_1 for run in runs),
        "contains_1_unwidened": sum(run.contains_1_unwidened for run in runs),
        "median_half_width": _median_width(runs),
        "process_spread": _process_spread(runs),
        "each": [asdict(run) for run in runs],
    }


def _process_spread(runs: list[Run]) -> float | None:
    """Return the standard deviation of log-speed between processes: variation beyond standard errors."""
    if len(runs) < 3:
        return None
    beyond = statistics.mean(run.log_ratio**2 - run.standard_error**2 for run in runs)
    return math.sqrt(max(0.0, beyond) / 2)


def _median_width(runs: list[Run]) -> float:
    return statistics.median(run.half_width for run in runs)


def _line(run: Run) -> str:
    busy = "" if run.others is None else f", others used {run.others:.0%} of all cores"
    inside = "contains" if run.contains_1 else "MISSES"
    return f"{run.ratio:.3f} [{run.low:.3f}, {run.high:.3f}] {inside} 1, {run.rounds} rounds{busy}"


if __name__ == "__main__":
    main()
