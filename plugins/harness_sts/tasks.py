"""Rank sentence pairs by similarity against human ratings."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness import PEARSON, SPEARMAN, Dataset, DataSource, Model, Predictions, Role, Splits, Task, read_rows
from harness.authoring import (
    HubDataset,
    TaskDefinition,
    TaskKind,
    as_floats,
    as_ids,
    as_texts,
    connected_components,
)

if TYPE_CHECKING:
    from collections.abc import Iterable

COLUMNS = ("text1", "text2", "score")
OPTIONAL = ("id", "cluster")


class STS(Task):
    """Sentence pairs with a rating; pairs that share a sentence, directly or in a chain, are one cluster."""

    kind = "sts"
    metrics = (SPEARMAN, PEARSON)

    def texts(self, dataset: Dataset) -> Iterable[tuple[str, Role]]:
        """Announce both sides of every pair."""
        return [(text, Role.TEXT) for column in ("text1", "text2") for text in dataset[column]]

    def predict(self, model: Model, dataset: Dataset) -> Predictions:
        """Answer with the model's own similarity of the two sides."""
        left, right = model.encode(dataset["text1"]), model.encode(dataset["text2"])
        return Predictions(dataset, gold=dataset["score"], predicted=model.pairwise_similarity(left, right))


class STSBenchmark(STS):
    """English pairs of the STS benchmark, from its CSV files."""

    sample = Path(__file__).parent / "sample"
    tags = frozenset({"sts"})

    def __init__(self, name: str, split: str) -> None:
        self.name = name
        self.splits = Splits(split)
        # The revision is the one that mteb 2.26 reads as STSBenchmark.
        self.hub = HubDataset(
            "mteb/stsbenchmark-sts",
            "b0fddb56ed78048fa8b90373c8a3cfc37b684831",
            split={"dev": "validation"}.get(split),
            columns={"text1": "sentence1", "text2": "sentence2"},
        )

    def load(self, source: DataSource) -> Dataset:
        """Read `stsb/stsb-en-SPLIT.csv`, which has no header, or the split on the hub."""
        file = f"stsb/stsb-en-{self.splits.evaluated}.csv"
        path, rows = source.rows(file, columns=COLUMNS, header=COLUMNS)
        return _pairs(rows, path)


class UserSTS(STS):
    """Pairs from a user's file."""

    def __init__(self, definition: TaskDefinition) -> None:
        definition.allow(columns=(*COLUMNS, *OPTIONAL), templates=("text1", "text2"))
        self.name, self.tags = definition.name, definition.tags | {"sts"}
        self._definition = definition

    def load(self, source: DataSource) -> Dataset:  # noqa: ARG002 - the task file names the file
        """Read the file with the definition's column names and templates."""
        path = self._definition.path
        columns = {**{name: name for name in COLUMNS}, **self._definition.columns}
        return _pairs(read_rows(path, columns, optional=OPTIONAL, templates=self._definition.templates), path)


def stsb_tasks() -> list[Task]:
    """Return `stsb`, the test split, and `stsb-dev`, the dev split."""
    return [STSBenchmark("stsb", "test"), STSBenchmark("stsb-dev", "dev")]


def _pairs(rows: dict[str, list[Any]], path: Path) -> Dataset:
    left, right = (as_texts(rows[column], column, path) for column in ("text1", "text2"))
    columns: dict[str, list[Any]] = {
        column: as_ids(rows[column], column, path) for column in OPTIONAL if column in rows
    }
    columns |= {"text1": left, "text2": right, "score": as_floats(rows["score"], "score", path)}
    columns.setdefault("cluster", connected_components(left, right))
    return Dataset(columns)


STS_KIND = TaskKind("sts", "sentence pairs with a score: columns text1, text2, score", UserSTS)
