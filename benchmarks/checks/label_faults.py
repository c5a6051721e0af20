"""Faults of labels: inverted, shuffled, in another scale, constant, contradicting, of no use to the loss."""

# ruff: noqa: ARG001 - every fault is called with a data set, a share and a generator

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from benchmarks.checks.fault import SHARES, Fault, changed, chosen

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy as np

    from benchmarks.checks.dataset import DataSet

WITH_LABELS = ("scored-pairs", "labeled-pairs")
PARTS = (0.05, 0.1, 0.2, 0.35, 1.0)
"""Half inverted is what shuffled labels are, and is left to that fault."""


def inverted(dataset: DataSet, share: float, random: np.random.Generator) -> DataSet:
    """Turn the labels of a share of the rows round: low for high."""
    labels = list(dataset.rows.labels or ())
    low, high = min(0, *labels), max(1, *labels)
    rows = chosen(dataset, share, random)
    return dataset.with_rows(labels=changed(labels, rows, lambda label, _: low + high - label))


def shuffled(dataset: DataSet, share: float, random: np.random.Generator) -> DataSet:
    """Exchange the labels of a share of the rows among each other."""
    labels, rows = list(dataset.rows.labels or ()), chosen(dataset, share, random)
    order = random.permutation(len(rows))
    values = {row: labels[rows[place]] for row, place in zip(rows, order, strict=True)}
    return dataset.with_rows(labels=changed(labels, rows, lambda _, row: values[row]))


def scaled(low: float, high: float) -> Callable[[DataSet, float, np.random.Generator], DataSet | None]:
    """Return the fault of scores from low to high, which the recipe does not scale to 0 … 1."""

    def seed(dataset: DataSet, share: float, random: np.random.Generator) -> DataSet | None:
        if dataset.loss.name not in ("CosineSimilarityLoss", "ContrastiveLoss", "OnlineContrastiveLoss"):
            return None  # a ranking loss takes any scale
        labels, rows = list(dataset.rows.labels or ()), chosen(dataset, share, random)
        return dataset.with_rows(
            labels=changed(labels, rows, lambda label, _: round(low + label * (high - low), 4))
        )

    return seed


def constant(dataset: DataSet, share: float, random: np.random.Generator) -> DataSet:
    """Give a share of the rows the highest label."""
    labels = list(dataset.rows.labels or ())
    highest = max(labels)
    return dataset.with_rows(
        labels=changed(labels, chosen(dataset, share, random), lambda _label, _row: highest)
    )


def names(dataset: DataSet, share: float, random: np.random.Generator) -> DataSet:
    """Write a share of the labels as words."""
    labels = list(dataset.rows.labels or ())
    rows = chosen(dataset, share, random)
    return dataset.with_rows(
        labels=changed(labels, rows, lambda label, _: "similar" if label > 0.5 else "different")
    )


def missing(dataset: DataSet, share: float, random: np.random.Generator) -> DataSet:
    """Leave a share of the labels out."""
    labels = list(dataset.rows.labels or ())
    return dataset.with_rows(
        labels=changed(labels, chosen(dataset, share, random), lambda _label, _row: float("nan"))
    )


def contradicted(dataset: DataSet, share: float, random: np.random.Generator) -> DataSet:
    """Add a second copy of a share of the rows, in the other order and with the opposite label."""
    labels, rows = list(dataset.rows.labels or ()), chosen(dataset, share, random)
    low, high = min(0, *labels), max(1, *labels)
    rows = [row for row in rows if abs(2 * labels[row] - low - high) > 0.6 * (high - low)]
    left, right = dataset.rows.texts.values()
    first, second = dataset.rows.texts
    return dataset.with_rows(
        {
            first: [*left, *(right[row] for row in rows)],
            second: [*right, *(left[row] for row in rows)],
        },
        [*labels, *(low + high - labels[row] for row in rows)],
    )


def no_two_alike(dataset: DataSet, share: float, random: np.random.Generator) -> DataSet:
    """Give every text a class of its own: no two form a positive pair."""
    return dataset.with_rows(labels=[f"class {row}" for row in range(len(dataset.rows))])


def one_class(dataset: DataSet, share: float, random: np.random.Generator) -> DataSet:
    """Give every text the same class: there is no negative."""
    return dataset.with_rows(labels=[(dataset.rows.labels or ("a",))[0]] * len(dataset.rows))


def classes_shuffled(dataset: DataSet, share: float, random: np.random.Generator) -> DataSet:
    """Exchange the classes of a share of the texts among each other."""
    return shuffled(dataset, share, random)


def label_as_text(dataset: DataSet, share: float, random: np.random.Generator) -> DataSet:
    """Read the columns in a wrong order: the label as the second text, and that text as the label."""
    (first, left), (second, right) = dataset.rows.texts.items()
    rows = replace(
        dataset.rows,
        texts={first: list(left), second: [str(label) for label in dataset.rows.labels or ()]},
        labels=list(right),
    )
    return replace(dataset, rows=rows)


LABEL_FAULTS = (
    Fault(
        name="labels inverted", about="low labels for high ones", seed=inverted, shares=PARTS,
        kinds=WITH_LABELS, bare=True, most_sets=11,
    ),
    Fault(
        name="labels shuffled", about="labels exchanged between rows", seed=shuffled, shares=(0.5, 1.0),
        kinds=WITH_LABELS, bare=True, most_sets=11,
    ),
    *(
        Fault(
            name=f"scores {low:g} to {high:g}", about="scores that were not scaled to 0 … 1",
            seed=scaled(low, high), shares=(0.1, 0.5, 1.0), kinds=WITH_LABELS, bare=True,
        )
        for low, high in ((0, 5), (1, 5), (0, 100), (-1, 1))
    ),
    Fault(
        name="labels constant", about="the highest label for most rows", seed=constant, shares=(0.97, 1.0),
        kinds=WITH_LABELS,
    ),
    Fault(name="labels as words", about="words for labels", seed=names, kinds=WITH_LABELS),
    Fault(name="labels missing", about="cells without a label", seed=missing, kinds=WITH_LABELS),
    Fault(
        name="labels contradicting", about="the same pair again with the opposite label",
        seed=contradicted, shares=SHARES, kinds=WITH_LABELS,
    ),
    Fault(
        name="label read as text", about="columns in a wrong order", seed=label_as_text, shares=(1.0,),
        kinds=WITH_LABELS,
    ),
    Fault(
        name="every class once", about="no two texts of a class", seed=no_two_alike, shares=(1.0,),
        kinds=("labeled-texts",),
    ),
    Fault(
        name="one class", about="all texts of one class", seed=one_class, shares=(1.0,),
        kinds=("labeled-texts",),
    ),
    Fault(
        name="classes shuffled", about="classes exchanged between texts", seed=classes_shuffled,
        shares=(0.5, 1.0), kinds=("labeled-texts",),
    ),
)  # fmt: skip
"""All faults of labels."""
