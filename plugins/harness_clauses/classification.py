"""ContractNLI as classification: two classes with the gold evidence, three without it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness import (
    AVERAGE_PRECISION,
    MACRO_F1,
    ROC_AUC,
    Dataset,
    Finding,
    Metric,
    Model,
    Predictions,
    Role,
    Severity,
    Splits,
    Task,
    mean_metric,
)
from harness.authoring import estimate
from harness_clauses.bm25 import CHOICE
from harness_clauses.pairs import chosen_pairs, csv_pairs, evidence_pairs, join_splits
from harness_clauses.probe import Pairs, best_threshold, majority, majority_by_hypothesis, probe_classes
from harness_clauses.release import check_disjoint, read_release

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from harness import DataSource

SAMPLE = Path(__file__).parent / "sample"
BY_SIMILARITY = (ROC_AUC, AVERAGE_PRECISION)
TUNED = (mean_metric("accuracy", "correct", bounds=(0, 1)),)
"""Metrics that need a dev split."""
BASELINES = (
    mean_metric("majority_accuracy", "majority_correct", bounds=(0, 1)),
    mean_metric("hypothesis_majority_accuracy", "hypothesis_majority_correct", bounds=(0, 1)),
)
PROBED = (
    mean_metric("probe_accuracy", "probe_correct", bounds=(0, 1)),
    replace(MACRO_F1, name="probe_macro_f1", columns=("gold", "probe")),
    *BASELINES,
)
"""Metrics that need a train split."""

_FITTED_PER_ROW = 3
"""Rows of each split to fit on, per row of the limit of a limited task."""
_LEAST_FITTED = 200
"""Such rows whatever the limit is: fewer may lack a class."""


class ClausePairs(Task):
    """Clauses with a hypothesis each; contracts are the clusters."""

    kind = "clauses"

    def texts(self, dataset: Dataset) -> Iterable[tuple[str, Role]]:
        """Announce both sides of every pair, of the splits to fit on too."""
        splits = [dataset, *dataset.tables.values()]
        return [
            (text, Role.TEXT) for split in splits for side in ("clause", "hypothesis") for text in split[side]
        ]

    def limited(self, dataset: Dataset, limit: int) -> Dataset:
        """Return a sample of whole contracts, of the splits to fit on too, which keep more rows."""
        sample, most = dataset.sample(limit), max(_FITTED_PER_ROW * limit, _LEAST_FITTED)
        tables = {name: table.sample(most) for name, table in dataset.tables.items()}
        return Dataset(sample.columns, tables, sample.findings)


class Entailment(ClausePairs):
    """Does the clause entail the hypothesis (gold 1) or contradict it (0)? By similarity, and by a probe.

    Without `dev` or `train` in the dataset's `tables`, the columns fitted on them are left out.
    """

    metrics: tuple[Metric, ...] = (*BY_SIMILARITY, *TUNED, *PROBED)

    def predict(self, model: Model, dataset: Dataset) -> Predictions:
        """Return the similarity (predicted), and the answers of the threshold and the probe for each pair."""
        evaluated = Pairs.of(model, dataset)
        splits = {name: Pairs.of(model, split) for name, split in dataset.tables.items()}
        columns: dict[str, Any] = {"gold": dataset["gold"], "predicted": evaluated.similarity(model)}
        fitted: dict[str, float] = {}
        if "dev" in splits:
            dev = splits["dev"]
            fitted["threshold"] = threshold = best_threshold(dev.gold, dev.similarity(model))
            columns["correct"] = (columns["predicted"] >= threshold) == evaluated.gold
        if "train" in splits:
            columns["probe"], fitted["C"] = probe_classes(splits["train"], splits.get("dev"), evaluated)
            columns["probe_correct"] = columns["probe"] == evaluated.gold
            columns |= baselines(dataset)
        findings = find_inverted_labels(Predictions(dataset, **columns))
        return Predictions(dataset, fitted=fitted, findings=findings, **columns)


class ContractNLI(Entailment):
    """Entailment against Contradiction, given the gold evidence; NotMentioned has none and is left out."""

    name = "contract-nli"
    tags = frozenset({"clauses", "legal"})
    splits = Splits("test", ("train", "dev"))
    sample = SAMPLE

    def load(self, source: DataSource) -> Dataset:
        """Read the release; without train.json, the CSV of its pairs, else its first contracts."""
        return read_evidence_pairs(
            source.path("contract-nli/test.json"),
            source.path("contract-nli/dev.json"),
            source.path(
                "contract-nli/train.json", "contract-nli/train-pairs.csv", "contract-nli/train_truncated.json"
            ),
        )


class ContractNLI3Way(ClausePairs):
    """Entailment, Contradiction or NotMentioned, given three spans; their selection ignores the class."""

    name = "contract-nli-3way"
    tags = frozenset({"clauses", "legal"})
    metrics = (mean_metric("accuracy", "correct", bounds=(0, 1)), MACRO_F1, *BASELINES)
    splits = Splits("test", ("train", "dev"))
    sample = SAMPLE

    def load(self, source: DataSource) -> Dataset:
        """Read the release; without train.json, its first contracts, never the CSV of pairs."""
        train = source.path("contract-nli/train.json", "contract-nli/train_truncated.json")
        paths = (source.path("contract-nli/test.json"), source.path("contract-nli/dev.json"), train)
        releases = [read_release(path) for path in paths]
        check_disjoint(releases)
        evaluated, dev, fitted = (chosen_pairs(release) for release in releases)
        return join_splits(evaluated, {"dev": dev, "train": fitted}, *find_stand_in(train, fitted))

    def predict(self, model: Model, dataset: Dataset) -> Predictions:
        """Return the answers of a probe that is fitted on train."""
        evaluated, dev, train = (Pairs.of(model, split) for split in (dataset, *_fitted_on(dataset)))
        predicted, strength = probe_classes(train, dev, evaluated)
        columns: dict[str, Any] = {
            "gold": dataset["gold"],
            "predicted": predicted,
            "correct": predicted == evaluated.gold,
            "spans": dataset["spans"],
            **baselines(dataset),
        }
        return Predictions(dataset, fitted={"C": strength, "spans": CHOICE}, **columns)


def read_evidence_pairs(test: Path, dev: Path | None, train: Path | None) -> Dataset:
    """Read files in the release's format; train may also be the CSV of pairs."""
    releases = {
        name: read_release(path)
        for name, path in (("test", test), ("dev", dev), ("train", train))
        if path is not None and path.suffix == ".json"
    }
    check_disjoint(releases.values())
    splits = {name: evidence_pairs(release) for name, release in releases.items()}
    if train is not None and "train" not in splits:
        splits["train"] = csv_pairs(train)
    evaluated = splits.pop("test")
    return join_splits(
        evaluated, splits, *(find_stand_in(train, splits["train"]) if train is not None else ())
    )


def find_stand_in(train: Path, rows: Dataset) -> list[Finding]:
    """Return a finding if another file replaces train.json."""
    if train.name == "train.json":
        return []
    evidence = f"train.json is missing: the probe is fitted on {train.name}, which has {len(rows)} rows"
    return [
        Finding("train-stand-in", Severity.NOTE, evidence, "put the release's train.json next to test.json")
    ]


def baselines(dataset: Dataset) -> dict[str, list[bool]]:
    """Return which examples are right with train's most frequent class, overall and by hypothesis."""
    train = dataset.tables["train"]
    always = [majority(train["gold"])] * len(dataset)
    by_hypothesis = majority_by_hypothesis(train, dataset["hypothesis"])
    return {
        "majority_correct": _equal(always, dataset["gold"]),
        "hypothesis_majority_correct": _equal(by_hypothesis, dataset["gold"]),
    }


def find_inverted_labels(predictions: Predictions) -> list[Finding]:
    """Find similarities that rank contradictions above entailments, with a 95 % interval below 0.5."""
    auc = estimate(ROC_AUC, predictions)
    low, high = auc.interval
    if not high < 0.5:
        return []
    evidence = (
        f"ROC-AUC is {auc.score:.4f}; its 95 % interval, {low:.4f} to {high:.4f}, lies"
        f" below 0.5 ({auc.examples} pairs, {auc.clusters} clusters)"
    )
    return [
        Finding("labels-inverted", Severity.WARNING, evidence, "check that 1 means entailment in the data")
    ]


def _fitted_on(dataset: Dataset) -> tuple[Dataset, Dataset]:
    return dataset.tables["dev"], dataset.tables["train"]


def _equal(answers: Sequence[Any], gold: Sequence[Any]) -> list[bool]:
    return [answer == right for answer, right in zip(answers, gold, strict=True)]
