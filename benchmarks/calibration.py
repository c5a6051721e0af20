"""Quality of the calibration of threads while something else uses the machine.

Each trial starts a competing load, lets `Workers` calibrate on real packs, and then times an encode with the
chosen layout against every fixed layout, interleaved. The figure is the chosen layout's speed as a share of
the best fixed one's; 1 is a perfect choice.

    python benchmarks/calibration.py --trials 20 --out benchmarks/results/calibration.json
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

import click

if TYPE_CHECKING:
    from harness.models.backends import Backend, Batch
    from harness.models.backends.threads import Workers

SPIN = "import time\nwhile True: sum(range(10_000))"


@click.command()
@click.option("--trials", default=20, show_default=True)
@click.option("--competing", default=1, show_default=True, help="Processes that keep a core busy each.")
@click.option(
    "--rounds", default=5, show_default=True, help="Interleaved timings of every layout, per trial."
)
@click.option("--model", default="minilm", show_default=True)
@click.option("--out", type=click.Path(path_type=Path))
def main(trials: int, competing: int, rounds: int, model: str, out: Path | None) -> None:
    """Print, as JSON, each trial's choice and its speed as a share of the best fixed layout's."""
    measured = measure(model, trials, competing, rounds)
    text = json.dumps(measured, indent=1)
    if out:
        out.parent.mkdir(parents=True, exist_ok=True)
        out.write_text(text + "\n", encoding="utf-8")
    click.echo(text)


def measure(name: str, trials: int, competing: int, rounds: int) -> dict[str, Any]:
    """Run the trials while so many processes are busy."""
    from harness import Role, load_model
    from harness.models.backends.threads import Workers, thread_layouts
    from harness.models.workload import workload
    from harness.system.environment import cores, libraries, load, processor

    backend = load_model(name).backend
    batches = list(backend.batches(workload() * 3, Role.TEXT))
    results = []
    for _ in range(trials):
        spinning = [subprocess.Popen([sys.executable, "-c", SPIN]) for _ in range(competing)]
        try:
            calibrated = Workers("auto")
            typical = batches[len(batches) // 2]
            start = time.perf_counter()
            calibrated.calibrate(lambda typical=typical: backend.run(typical))
            took = time.perf_counter() - start
            fixed = [Workers(f"{layout.workers}x{layout.per_worker}") for layout in thread_layouts("auto")]
            seconds = {str(workers.layout): [] for workers in fixed}
            for turn in range(rounds):
                for workers in fixed if turn % 2 else reversed(fixed):
                    seconds[str(workers.layout)].append(_timed(workers, backend, batches))
        finally:
            for process in spinning:
                process.kill()
                process.wait()
        medians = {layout: statistics.median(times) for layout, times in seconds.items()}
        chosen = str(calibrated.layout)
        share = min(medians.values()) / medians[chosen]
        results.append({"chosen": chosen, "share": share, "calibration_seconds": took, "seconds": seconds})
    return {
        "processor": processor(),
        "cores": cores(),
        "competing": competing,
        "load": load(),
        "libraries": libraries(),
        "median_share": statistics.median(trial["share"] for trial in results),
        "smallest_share": min(trial["share"] for trial in results),
        "median_calibration_seconds": statistics.median(trial["calibration_seconds"] for trial in results),
        "trials": results,
    }


def _timed(workers: Workers, backend: Backend, batches: list[Batch]) -> float:
    start = time.perf_counter()
    for _ in workers.map(backend.run, batches):
        pass
    return time.perf_counter() - start


if __name__ == "__main__":
    main()
