"""Rank sentence pairs by similarity against human ratings."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness import PEARSON, SPEARMAN, Dataset, DataSource, Model, Predictions, Role, Splits, Task
from harness.authoring import (
    Columns,
    HubDataset,
    TaskDefinition,
    TaskKind,
    as_floats,
    as_ids,
    as_texts,
    connected_components,
    merge_repeated,
)
from harness_sts.same_texts import similarities
from harness_sts.score_files import SCORES, read_scored, score_files

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

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
        """Answer with the model's own similarity of the two sides; pairs of one text tie exactly."""
        texts = list(zip(dataset["text1"], dataset["text2"], strict=True))
        left, right = model.encode(dataset["text1"]), model.encode(dataset["text2"])
        return Predictions(dataset, gold=dataset["score"], predicted=similarities(model, left, right, texts))


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
        return _pairs(source.rows(file, columns=COLUMNS, header=COLUMNS))


class UserSTS(STS):
    """Pairs from a user's files."""

    def __init__(self, definition: TaskDefinition) -> None:
        definition.allow(
            columns=(*COLUMNS, *OPTIONAL), templates=("text1", "text2"), options={"scores": SCORES}, rows=True
        )
        self.name, self.tags = definition.name, definition.tags | {"sts"}
        self._definition = definition
        self._scores = score_files(definition)

    def load(self, source: DataSource) -> Dataset:  # noqa: ARG002 - the task file names the files
        """Read the files with the definition's columns, templates and options."""
        definition, repeated = self._definition, self._definition.options.get("repeated", "keep")
        if self._scores:
            return _pairs(read_scored(definition, self._scores), repeated)
        return _pairs(definition.read_rows(COLUMNS, optional=OPTIONAL, numbers=("score",)), repeated)


def stsb_tasks() -> list[Task]:
    """Return `stsb`, the test split, and `stsb-dev`, the dev split."""
    return [STSBenchmark("stsb", "test"), STSBenchmark("stsb-dev", "dev")]


def _pairs(rows: Columns, repeated: str = "keep") -> Dataset:
    left, right = (as_texts(rows[column], column, rows) for column in ("text1", "text2"))
    columns: dict[str, Sequence[Any]] = {
        column: as_ids(rows[column], column, rows) for column in OPTIONAL if column in rows
    }
    columns |= {"text1": left, "text2": right, "score": as_floats(rows["score"], "score", rows)}
    columns.setdefault("cluster", connected_components(left, right))
    columns, findings = merge_repeated(columns, repeated)
    return Dataset(columns, findings=(*rows.findings, *findings))


STS_KIND = TaskKind("sts", "sentence pairs with a score: columns text1, text2, score", UserSTS)
