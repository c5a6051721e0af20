"""How long `harness compare` and `harness leaderboard` take on many models: no model is loaded.

    python -m benchmarks.comparing --models 51 --tasks 12 --examples 2000

Writes results of made-up models (correlations, means of queries with their rankings, right and wrong answers,
ROC-AUC), and times each command as a process of its own, commands in turn; prints the median and all times.
"""

from __future__ import annotations

import argparse
import hashlib
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from harness.metrics.standard import PEARSON, ROC_AUC, SPEARMAN, mean_metric
from harness.models.interface import ModelFacts, Settings
from harness.results.folder import ResultsFolder
from harness.results.records import Evaluation, Examination, ModelRecord, Score, content_hash
from harness.stats.intervals import estimate
from harness.tasks.dataset import Dataset, Predictions

if TYPE_CHECKING:
    from harness.metrics.interface import Metric


def main() -> None:
    """Write results, and time the commands on them."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--models", type=int, default=51)
    parser.add_argument("--tasks", type=int, default=12)
    parser.add_argument("--examples", type=int, default=2000)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        write_results(Path(folder), options.models, options.tasks, options.examples)
        compare = ["compare", folder, "--baseline", "base", "--candidate"]
        commands = {
            "compare 2 models": [*compare, "m001"],
            "compare all": [*compare, "m*"],
            "leaderboard": ["leaderboard", folder],
            "leaderboard --family all": ["leaderboard", folder, "--family", "all"],
        }
        times: dict[str, list[float]] = {name: [] for name in commands}
        for _ in range(options.rounds):
            for name, command in commands.items():
                start = time.perf_counter()
                subprocess.run(
                    [sys.executable, "-m", "harness", *command], stdout=subprocess.DEVNULL, check=False
                )
                times[name].append(time.perf_counter() - start)
    print(f"{options.models} models, {options.tasks} tasks, {options.examples} examples:")
    for name, seconds in times.items():
        print(
            f"  {name}: {statistics.median(seconds):.1f} s ({', '.join(f'{each:.1f}' for each in seconds)})"
        )


def write_results(folder: Path, models: int, tasks: int, examples: int) -> None:
    """Write a results folder of made-up models: every kind of task in turn."""
    results, generator = ResultsFolder(folder), np.random.default_rng(0)
    ids = [f"e{row}" for row in range(examples)]
    for task in range(tasks):
        draw = (_sts, _retrieval, _answers, _classes)[task % 4]
        common = generator.normal(size=examples)
        for model in range(models):
            metrics, columns = draw(generator, common)
            predictions = Predictions(Dataset({"id": ids}), **columns)
            name = f"m{model:03d}" if model else "base"
            results.write(_record(name, f"task{task}", metrics, predictions), predictions)


def _sts(generator: np.random.Generator, common: np.ndarray) -> tuple[tuple[Metric, ...], dict[str, list]]:
    gold = np.round(np.clip(common, -2, 2) * 2) / 2
    predicted = common + 0.5 * generator.normal(size=len(common))
    clusters = [f"c{row // 2}" for row in range(len(common))]
    columns = {"gold": gold.tolist(), "predicted": predicted.tolist(), "cluster": clusters}
    return (SPEARMAN, PEARSON), columns | _texts(common)


def _retrieval(
    generator: np.random.Generator, common: np.ndarray
) -> tuple[tuple[Metric, ...], dict[str, list]]:
    metrics = tuple(mean_metric(name) for name in ("ndcg@10", "recall@10", "mrr@10", "map@100"))
    value = np.clip(0.6 + 0.2 * common + 0.2 * generator.normal(size=len(common)), 0, 1).tolist()
    ranked = [[f"d{(row + rank) % 500}" for rank in range(100)] for row in range(len(common))]
    return metrics, {metric.name: value for metric in metrics} | {"ranked": ranked} | _texts(common)


def _answers(
    generator: np.random.Generator, common: np.ndarray
) -> tuple[tuple[Metric, ...], dict[str, list]]:
    right = (common > 0) ^ (generator.random(len(common)) < 0.06)
    return (mean_metric("accuracy", "correct"),), {"correct": right.astype(float).tolist()} | _texts(common)


def _classes(
    generator: np.random.Generator, common: np.ndarray
) -> tuple[tuple[Metric, ...], dict[str, list]]:
    predicted = (common + 0.5 * generator.normal(size=len(common))).tolist()
    return (ROC_AUC,), {"gold": (common > 0.5).astype(int).tolist(), "predicted": predicted} | _texts(common)


def _texts(common: np.ndarray) -> dict[str, list]:
    return {"text": [f"a text of the usual length, which is number {row}" for row in range(len(common))]}


def _record(model: str, task: str, metrics: tuple[Metric, ...], predictions: Predictions) -> Evaluation:
    scores = []
    for metric in metrics:
        found = estimate(metric, predictions)
        scores.append(
            Score(
                metric=metric.name,
                score=found.score,
                low=found.interval.low,
                high=found.interval.high,
                examples=found.examples,
                clusters=found.clusters,
                columns=metric.columns,
                where=metric.where,
                per_example=metric.per_example,
            )
        )
    asked = Examination(
        task=task, version=1, source="s", split="test", data="files", digest="d" * 64, limit=None
    )
    fingerprint = hashlib.sha256(model.encode()).hexdigest()
    facts = ModelFacts(dimensions=384, similarity="cosine")
    return Evaluation(
        key=hashlib.sha256(f"{model} {task}".encode()).hexdigest(),
        status="ok",
        examination=asked,
        candidate=ModelRecord(model=model, fingerprint=fingerprint, settings=Settings(), facts=facts),
        kind="made up",
        scores=tuple(scores),
        predictions=content_hash(predictions),
    )


if __name__ == "__main__":
    main()
