"""How often do randomly swapped models seem to differ, on the predictions of two real ones?

    python -m benchmarks.type_one.real RESULTS RESULTS --out benchmarks/results/type_one_real.json

Models are swapped in half of the clusters at random: then neither is better, by construction.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from benchmarks.type_one.cells import LEVEL
from harness.comparison.sources import read_results
from harness.plugins.loader import load_plugins
from harness.results.folder import encode
from harness.results.prediction_files import read_table
from harness.results.predictions import metric_of, pair_tables
from harness.stats.answer_pair import AnswerPair
from harness.stats.gain import gain_of
from harness.system.atomic import write_output

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence


def measure(folders: Sequence[Path], repetitions: int) -> Iterator[dict[str, object]]:
    """Yield, for each task of two results folders, how often swapped models differ at 5 %."""
    tasks = load_plugins().tasks()
    (base,), (candidate,) = (read_results(folder) for folder in folders)
    for slot, result in base.answered.items():
        metric = metric_of(result.evaluation.scores[0], slot[0], tasks)
        tables = [read_table(side.answered[slot]) for side in (base, candidate)]
        whole = pair_tables(metric, *tables)
        generator = np.random.default_rng(0)
        gains = [gain_of(_swap_clusters(whole, generator)) for _ in range(repetitions)]
        yield {
            "task": slot[0],
            "metric": metric.name,
            "examples": whole.examples,
            "clusters": whole.count,
            "test": gains[0].test,
            "type_one": float(np.mean([gain.p < LEVEL for gain in gains])),
            "coverage": float(np.mean([gain.low <= 0 <= gain.high for gain in gains])),
        }


def _swap_clusters(whole: AnswerPair, generator: np.random.Generator) -> AnswerPair:
    swap = (generator.random(whole.count) < 0.5)[whole.units]
    sides = [
        [np.where(swap, other, own) for own, other in zip(side.columns, opposite.columns, strict=True)]
        for side, opposite in ((whole.baseline, whole.candidate), (whole.candidate, whole.baseline))
    ]
    return AnswerPair.of(whole.metric, (sides[0], None), (sides[1], None), whole.units)


def main() -> None:
    """Measure, and write all rows after each."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("results", nargs=2, type=Path, help="results of one model each")
    parser.add_argument("--repetitions", type=int, default=1000)
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    rows: list[dict[str, object]] = []
    for row in measure(options.results, options.repetitions):
        rows.append(row)
        print(row, flush=True)
        if options.out:
            write_output(options.out, encode({"repetitions": options.repetitions, "tasks": rows}))


if __name__ == "__main__":
    main()
