"""Distinguish a positive from a negative by their similarity to an anchor."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from harness import (
    Dataset,
    DataSource,
    Finding,
    Model,
    Predictions,
    Role,
    Severity,
    Splits,
    Task,
    mean_metric,
    read_rows,
)
from harness.authoring import (
    Columns,
    HubDataset,
    TaskDefinition,
    TaskKind,
    TaskOption,
    as_ids,
    as_texts,
    merge_repeated,
)
from harness_triplet.several import read_triplets

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

COLUMNS = ("anchor", "positive", "negative")
OPTIONAL = ("id", "cluster")

ROLES = TaskOption(
    Literal["text", "retrieval"],
    "'retrieval' encodes anchors as queries and the rest as documents; 'text' all as texts",
)

_SNLI = {"entailment": 0, "neutral": 1, "contradiction": 2}
"""SNLI's names of classes → their numbers."""

DEGENERATE = (
    ("positive-is-anchor", "positive", "anchor", Severity.NOTE, "almost every model gets them right"),
    ("negative-is-anchor", "negative", "anchor", Severity.WARNING, "almost every model gets them wrong"),
    ("positive-is-negative", "positive", "negative", Severity.WARNING, "they are ties, which count as wrong"),
)
"""Pairs of columns that differ in every row of a sound file: code, columns, severity, consequence."""


class Triplets(Task):
    """Anchors with a positive and a negative; triplets that share an anchor are one cluster."""

    kind = "triplet"
    roles: tuple[Role, Role] = (Role.TEXT, Role.TEXT)
    """Role of the anchor, and of positive and negative."""
    metrics = (mean_metric("accuracy", "correct", bounds=(0, 1)), mean_metric("mean_margin", "margin"))

    def texts(self, dataset: Dataset) -> Iterable[tuple[str, Role]]:
        """Announce all three sides of every triplet."""
        return [(text, role) for column, role in self._roles() for text in dataset[column]]

    def _roles(self) -> Iterable[tuple[str, Role]]:
        """Return each column with its role."""
        anchor, other = self.roles
        return zip(COLUMNS, (anchor, other, other), strict=True)

    def predict(self, model: Model, dataset: Dataset) -> Predictions:
        """Answer with the model's own similarity of the anchor with each side.

        `correct` is 1 where the positive is strictly more similar than the negative, else 0: a tie is
        wrong. `margin` is the difference of the two, on the scale of the model's similarity.
        """
        anchor, positive, negative = (model.encode(dataset[column], role) for column, role in self._roles())
        near = model.pairwise_similarity(anchor, positive).astype(float)
        far = model.pairwise_similarity(anchor, negative).astype(float)
        return Predictions(
            dataset,
            correct=(near > far).astype(float),
            margin=near - far,
            positive_similarity=near,
            negative_similarity=far,
        )


class TripletFile(Triplets):
    """Triplets from a file of a data folder."""

    def __init__(
        self,
        name: str,
        *files: str,
        tags: Iterable[str] = (),
        split: str = "test",
        sample: Path | None = None,
    ) -> None:
        self.name, self.tags, self.sample = name, frozenset({"triplets", *tags}), sample
        self.splits = Splits(split)
        self._files = files

    def load(self, source: DataSource) -> Dataset:
        """Read the first of the files that exists."""
        path = source.path(*self._files)
        return _triplets(read_rows(path, COLUMNS))


class SNLITriplets(TripletFile):
    """Triplets of SNLI's dev split: a premise, a hypothesis that it entails, and one that it contradicts."""

    hub = HubDataset(
        "stanfordnlp/snli",
        "cdb5c3d5eed6ead6e5a341c8e56e669bb666725b",
        config="plain_text",
        split="validation",
    )

    def load(self, source: DataSource) -> Dataset:
        """Read the file of triplets; on the hub are the pairs that it was made of."""
        if source.kind != "hub":
            return super().load(source)
        return _triplets(_from_pairs(source.rows(columns=("premise", "hypothesis", "label"))))


class UserTriplets(Triplets):
    """Triplets from a user's files."""

    def __init__(self, definition: TaskDefinition) -> None:
        definition.allow(
            columns=(*COLUMNS, *OPTIONAL), templates=COLUMNS, options={"roles": ROLES}, rows=True
        )
        if definition.options.get("roles") == "retrieval":
            self.roles = (Role.QUERY, Role.DOCUMENT)
        self.name, self.tags = definition.name, definition.tags | {"triplets"}
        self._definition = definition

    def load(self, source: DataSource) -> Dataset:  # noqa: ARG002 - the task file names the file
        """Read the files with the definition's columns, templates and options."""
        repeated = self._definition.options.get("repeated", "keep")
        return _triplets(read_triplets(self._definition, OPTIONAL), repeated)


def triplet_tasks() -> list[Task]:
    """Return penal-code illustrations, AILA with drawn and with hard negatives, and SNLI's dev split."""
    folder = "legal-triplets"
    return [
        TripletFile(
            "penal-triplets",
            f"{folder}/ipc-illustrations.jsonl",
            f"{folder}/ipc-illustrations.csv",
            tags={"legal"},
            sample=Path(__file__).parent / "sample",
        ),
        TripletFile("aila-triplets", f"{folder}/aila-statutes.jsonl", tags={"legal"}),
        TripletFile("aila-triplets-hard", f"{folder}/aila-statutes-hard.jsonl", tags={"legal"}),
        SNLITriplets("snli-triplets", "snli/triplets-dev.jsonl", split="dev"),
    ]


def _from_pairs(rows: Columns) -> Columns:
    """Return triplets of labeled pairs: per premise the n-th hypothesis of each class, while both have one.

    Labels are SNLI's on the hub: 0 entailment, 1 neutral, 2 contradiction, -1 none; or their names, where the
    file's features give them.
    """
    hypotheses: dict[str, dict[int, list[int]]] = {}
    for row, (premise, label) in enumerate(zip(rows["premise"], rows["label"], strict=True)):
        hypotheses.setdefault(premise, {}).setdefault(_SNLI.get(label, label), []).append(row)
    pairs = [
        pair
        for by_label in hypotheses.values()
        for pair in zip(by_label.get(0, ()), by_label.get(2, ()), strict=False)
    ]
    positive, negative = (rows.take(side) for side in zip(*pairs, strict=True))
    columns = (positive["premise"], positive["hypothesis"], negative["hypothesis"])
    return Columns(dict(zip(COLUMNS, columns, strict=True)), positive.places, rows.findings)


def _triplets(rows: Columns, repeated: str = "keep") -> Dataset:
    columns: dict[str, Sequence[Any]] = {column: as_texts(rows[column], column, rows) for column in COLUMNS}
    columns |= {column: as_ids(rows[column], column, rows) for column in OPTIONAL if column in rows}
    if "cluster" not in columns:
        number = {anchor: position for position, anchor in enumerate(dict.fromkeys(columns["anchor"]))}
        columns["cluster"] = [f"a{number[anchor]}" for anchor in columns["anchor"]]
    columns, copies = merge_repeated(columns, repeated)
    return Dataset(columns, findings=(*rows.findings, *copies, *_find_degenerate(columns)))


def _find_degenerate(columns: Mapping[str, Sequence[str]]) -> Iterable[Finding]:
    """Find triplets whose answer does not depend on the model; they are kept, for comparable scores."""
    for code, first, second, severity, consequence in DEGENERATE:
        count = sum(left == right for left, right in zip(columns[first], columns[second], strict=True))
        if count:
            evidence = (
                f"{count} of {len(columns[first])} triplets have their {second} as {first}: {consequence}"
            )
            yield Finding(code, severity, evidence, "they are scored too; remove them from the file")


TRIPLET_KIND = TaskKind(
    "triplet", "columns anchor, positive, negative: texts, lists, or negative_1, negative_2, …", UserTriplets
)
