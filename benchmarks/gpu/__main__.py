"""Run the tests marked `gpu`, hold scores against the CPU, and measure speed; write JSON after every step.

    bash benchmarks/gpu.sh --out benchmarks/results/gpu.json
    bash benchmarks/gpu.sh --device cpu --quick       # to try it where there is no GPU: no figures to quote

A step that fails says so in the file, and the next one runs; a step for which no time is left is skipped, and
says so. Exit code 1 where a step failed or a bound does not hold.
"""

from __future__ import annotations

import argparse
import datetime as dt
import json
import os
import subprocess
import sys
import time
import traceback
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

if TYPE_CHECKING:
    from collections.abc import Callable

PREPARED = Path("build") / "gpu"
BUDGET = 440
"""Seconds for all steps: eight minutes, less what installing and starting take."""
_QUICK_ZOO = ["bert", "roberta", "qwen3-left", "router"]


def main() -> None:
    """Run all steps within the budget."""
    options = _parse_options()
    end = time.monotonic() + options.seconds
    report: dict[str, Any] = {"device": options.device, "quick": options.quick, "environment": environment()}
    failed = False
    for name, least, step in steps(options, end):
        left = end - time.monotonic()
        if left < least:
            report[name] = {"skipped": f"{left:.0f} s were left, it needs {least}"}
            failed = True
        else:
            report[name] = _run(name, step)
            failed |= bool(report[name].get("failed"))
        _write(report, options.out)
    sys.exit(failed)


def steps(options: argparse.Namespace, end: float) -> list[tuple[str, int, Callable[[], dict[str, Any]]]]:
    """Return each step's name, least seconds, and function; what decides comes first."""
    from benchmarks.gpu import equality, speed

    model, data, device = options.model, options.data, options.device
    rounds = 1 if options.quick else 5
    tests = [("tests", 30, partial(gpu_tests, end))] if device != "cpu" else []
    return [
        *tests,
        ("stsb", 30, partial(equality.stsb, model, data, device)),
        ("zoo", 60, partial(equality.zoo, device, _QUICK_ZOO if options.quick else None)),
        ("speed", 90, partial(speed.measure, model, device, rounds)),
        ("search", 30, partial(search, 20_000 if options.quick else 1_000_000, rounds)),
        ("training", 60, partial(training, options, end)),
    ]


def environment() -> dict[str, Any]:
    """Return the machine, its GPU and its libraries."""
    import torch

    from harness.system.environment import current_environment

    found = asdict(current_environment(dt.datetime.now(dt.UTC).isoformat(timespec="seconds")))
    if torch.cuda.is_available():
        memory = torch.cuda.get_device_properties(0).total_memory
        found |= {"gpu": torch.cuda.get_device_name(0), "gpu_memory": memory, "cuda": torch.version.cuda}
    return found


def gpu_tests(end: float) -> dict[str, Any]:
    """Run the tests marked `gpu`."""
    words = ["-m", "pytest", "-q", "-m", "gpu", "-p", "no:cacheprovider", "tests"]
    return _process(words, min(120.0, end - time.monotonic()))


def search(documents: int, rounds: int) -> dict[str, Any]:
    """Time our exact search of 1,000 queries, which runs on the processor."""
    words = ["benchmarks/search.py", "--documents", str(documents), "--rounds", str(min(rounds, 3))]
    return _json_process(words, 120)


def training(options: argparse.Namespace, end: float) -> dict[str, Any]:
    """Train 50 steps of STS-B through our trainer, and through sentence-transformers' own, in turn."""
    out = PREPARED / "training.json"
    words = ["-m", "benchmarks.training", "--data", str(options.data), "--base", str(options.model)]
    words += ["--device", options.device, "--steps", "5" if options.quick else "50"]
    words += ["--rounds", "1" if options.quick else "3", "--out", str(out)]
    return _process(words, end - time.monotonic()) | (json.loads(out.read_text()) if out.exists() else {})


def _run(name: str, step: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    print(f"{name} …", file=sys.stderr, flush=True)
    started = time.monotonic()
    try:
        result = step()
    except Exception:  # noqa: BLE001 - the other steps still run
        result = {"failed": traceback.format_exc()}
    result["wall_seconds"] = round(time.monotonic() - started, 1)
    print(f"{name}: {result['wall_seconds']} s{', FAILED' if result.get('failed') else ''}", file=sys.stderr)
    return result


def _process(words: list[str], seconds: float) -> dict[str, Any]:
    """Run Python; return the end of its output, and `failed` where it did not end well."""
    command = [sys.executable, *words]
    done = subprocess.run(
        command, timeout=seconds, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False
    )
    return {"output": done.stdout[-3000:], "failed": f"exit {done.returncode}" if done.returncode else ""}


def _json_process(words: list[str], seconds: float) -> dict[str, Any]:
    done = subprocess.run([sys.executable, *words], timeout=seconds, stdout=subprocess.PIPE, check=True)
    result: dict[str, Any] = json.loads(done.stdout)
    return result


def _write(report: dict[str, Any], out: Path) -> None:
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")


def _parse_options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--model", type=Path, default=PREPARED / "minilm")
    parser.add_argument("--data", type=Path, default=PREPARED / "data")
    parser.add_argument("--seconds", type=float, default=BUDGET, help="for all steps")
    parser.add_argument("--quick", action="store_true", help="a little of everything: no figures to quote")
    parser.add_argument("--out", type=Path, default=Path("build") / "gpu.json")
    return parser.parse_args()


if __name__ == "__main__":
    main()
