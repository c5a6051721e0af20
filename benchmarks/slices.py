"""How often `compare --why` flags a slice of two models that are equal everywhere.

`python -m benchmarks.slices --repetitions 400` prints it.
"""

from __future__ import annotations

import itertools
from dataclasses import replace
from typing import TYPE_CHECKING

import click
import numpy as np

from harness.comparison.slices import measure_slices
from harness.metrics.standard import AVERAGE_PRECISION, MACRO_F1, ROC_AUC, SPEARMAN, mean_metric

if TYPE_CHECKING:
    from collections.abc import Callable

    from harness.metrics.interface import Metric

    Columns = dict[str, np.ndarray]
    Draw = Callable[[np.random.Generator, int], tuple[Columns, Columns]]

_CLUSTER = 12
"""Examples of a cluster: each is a slice."""


def _accuracy(generator: np.random.Generator, rows: int) -> tuple[Columns, Columns]:
    left, right = (generator.random(rows) < 0.7 for _ in "ab")
    return {"value": left.astype(float)}, {"value": right.astype(float)}


def _rare(generator: np.random.Generator, rows: int) -> tuple[Columns, Columns]:
    """Answers of which one in twenty differs, in either direction."""
    left = (generator.random(rows) < 0.7).astype(float)
    differs, right = generator.random(rows) < 0.05, generator.random(rows) < 0.5
    return {"value": np.where(differs, right, left)}, {"value": np.where(differs, ~right, left)}


def _ndcg(generator: np.random.Generator, rows: int) -> tuple[Columns, Columns]:
    """Gains of which most are 0."""
    left, right = (generator.random(rows) * (generator.random(rows) < 0.3) for _ in "ab")
    return {"value": left}, {"value": right}


def _ratings(generator: np.random.Generator, rows: int) -> tuple[Columns, Columns]:
    gold = np.round(generator.uniform(0, 5, rows) * 2) / 2
    left, right = (gold + generator.standard_t(4, rows) for _ in "ab")
    return {"gold": gold, "predicted": left}, {"gold": gold, "predicted": right}


def _labels(generator: np.random.Generator, rows: int) -> tuple[Columns, Columns]:
    gold = (generator.random(rows) < 0.3).astype(float)
    left, right = (1.5 * gold + generator.normal(size=rows) for _ in "ab")
    return {"gold": gold, "predicted": left}, {"gold": gold, "predicted": right}


def _classes(generator: np.random.Generator, rows: int) -> tuple[Columns, Columns]:
    gold = generator.choice(["a", "b", "c"], rows, p=[0.6, 0.3, 0.1]).astype(object)
    left, right = (np.where(generator.random(rows) < 0.7, gold, "a").astype(object) for _ in "ab")
    return {"gold": gold, "guess": left}, {"gold": gold, "guess": right}


_FAMILIES: dict[str, tuple[Metric, Draw]] = {
    "accuracy": (mean_metric("accuracy", "value"), _accuracy),
    "accuracy, 5 % differ": (mean_metric("accuracy", "value"), _rare),
    "nDCG, 70 % zeros": (mean_metric("ndcg", "value"), _ndcg),
    "Spearman": (SPEARMAN, _ratings),
    "ROC-AUC": (ROC_AUC, _labels),
    "average precision": (AVERAGE_PRECISION, _labels),
    "macro-F1": (replace(MACRO_F1, name="guess_macro_f1", columns=("gold", "guess")), _classes),
}


def flagged_share(family: str, rows: int, repetitions: int, *, clustered: bool) -> tuple[float, float]:
    """Return the share of comparisons with a flag on any slice, and the mean number of slices."""
    (metric, draw), flags, slices = _FAMILIES[family], 0, 0
    for repetition in range(repetitions):
        generator = np.random.default_rng([repetition, rows, *family.encode()])
        sizes = generator.integers(1, 300, rows)
        shared: Columns = {"id": np.arange(rows).astype(str).astype(object), "text_length": sizes}
        if clustered:
            shared["cluster"] = np.array([f"c{row // _CLUSTER}" for row in range(rows)], dtype=object)
        baseline, candidate = draw(generator, rows)
        found = measure_slices(metric, shared | baseline, shared | candidate)
        flags += any(one.flagged for one in found)
        slices += len(found)
    return flags / repetitions, slices / repetitions


@click.command()
@click.option("--repetitions", default=400, show_default=True)
@click.option("--rows", multiple=True, type=int, default=(300, 1_500), show_default=True)
def main(repetitions: int, rows: tuple[int, ...]) -> None:
    """Print, for each metric, the percentage of comparisons of equal models with a flag on any slice."""
    for family, count, clustered in itertools.product(_FAMILIES, rows, (False, True)):
        share, slices = flagged_share(family, count, repetitions, clustered=clustered)
        where = "clusters" if clustered else "examples"
        click.echo(f"{family:22} {count:5} {where:8} {slices:5.1f} slices: {share:5.1%}")


if __name__ == "__main__":
    main()
