"""Faults of rows: columns exchanged, positives of other rows, few answers, copies, and overlap with a test."""

# ruff: noqa: ARG001 - every fault is called with a data set, a share and a generator

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING

from benchmarks.checks.fault import SHARES, Fault, change_texts, changed, chosen
from harness.tasks.dataset import Dataset

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy as np

    from benchmarks.checks.dataset import DataSet

_NEAR = 0.5
"""Minimum overlap of the runs of five letters of two texts that do not stand alone (Jaccard)."""
_START = 300
"""Letters of a text that are compared."""
_FEWEST_HELD_OUT = 10
HELD_OUT = 0.2
"""Maximum share of the rows that are held out as a test."""


def swapped(dataset: DataSet, share: float, random: np.random.Generator) -> DataSet | None:
    """Exchange the two texts of a share of the pairs, which differ in kind."""
    if not dataset.directed:
        return None
    return _exchanged(dataset, chosen(dataset, share, random), *list(dataset.rows.texts)[:2])


def negatives_swapped(dataset: DataSet, share: float, random: np.random.Generator) -> DataSet:
    """Exchange positive and negative in a share of the triplets."""
    return _exchanged(dataset, chosen(dataset, share, random), "positive", "negative")


def _exchanged(dataset: DataSet, rows: list[int], first: str, second: str) -> DataSet:
    texts = dict(dataset.rows.texts)
    left, right = list(texts[first]), list(texts[second])
    for row in rows:
        left[row], right[row] = right[row], left[row]
    return dataset.with_rows({**texts, first: left, second: right})


def positives_shuffled(dataset: DataSet, share: float, random: np.random.Generator) -> DataSet:
    """Give a share of the anchors the positive of another one: each goes on by one among those drawn."""
    rows = chosen(dataset, share, random)
    column = list(dataset.rows.texts)[1]
    order = [rows[index] for index in random.permutation(len(rows))]
    cells = dataset.rows.texts[column]
    given = {row: cells[order[(place + 1) % len(order)]] for place, row in enumerate(order)}
    return change_texts(dataset, rows, lambda _, row: given[row], [column])


def few_answers(count: int) -> Callable[[DataSet, float, np.random.Generator], DataSet | None]:
    """Return the fault of so many different positives for a share of the rows of an in-batch loss."""

    def seed(dataset: DataSet, share: float, random: np.random.Generator) -> DataSet | None:
        if dataset.loss.name != "MultipleNegativesRankingLoss":
            return None
        column = list(dataset.rows.texts)[1]
        cells = dataset.rows.texts[column]
        # Verdicts such as a support desk or a quiz gives; the first words are the anchor's own need.
        answers = [cells[int(row)] for row in random.permutation(len(cells))[:count]]
        return change_texts(
            dataset, chosen(dataset, share, random), lambda _cell, row: answers[row % count], [column]
        )

    return seed


def copied_anchor(dataset: DataSet, share: float, random: np.random.Generator) -> DataSet:
    """Write the anchor of a share of the rows into the positive."""
    first, second = list(dataset.rows.texts)[:2]
    anchors = dataset.rows.texts[first]
    rows = chosen(dataset, share, random)
    if dataset.rows.labels is not None:
        top = max(dataset.rows.labels)
        rows = [row for row in rows if dataset.rows.labels[row] == top] or rows
    return change_texts(dataset, rows, lambda _, row: anchors[row], [second])


def copied_negative(dataset: DataSet, share: float, random: np.random.Generator) -> DataSet:
    """Write the anchor of a share of the triplets into the negative."""
    anchors = dataset.rows.texts["anchor"]
    return change_texts(dataset, chosen(dataset, share, random), lambda _, row: anchors[row], ["negative"])


def positive_as_negative(dataset: DataSet, share: float, random: np.random.Generator) -> DataSet:
    """Write the positive of a share of the triplets into the negative."""
    cells = dataset.rows.texts["positive"]
    return change_texts(dataset, chosen(dataset, share, random), lambda _, row: cells[row], ["negative"])


def repeated(dataset: DataSet, share: float, random: np.random.Generator) -> DataSet:
    """Add a second copy of a share of the rows."""
    return _with_copies(dataset, chosen(dataset, share, random), lambda text: text)


def nearly_repeated(dataset: DataSet, share: float, random: np.random.Generator) -> DataSet:
    """Add a copy of a share of the rows with a small change, which only long texts survive as near."""
    return _with_copies(dataset, chosen(dataset, share, random), touched)


def touched(text: str) -> str:
    """Return a text with its last sign exchanged and a word in front, as a second crawl would have it."""
    return f"{text.rstrip(' .?!')} ." if len(text) > 1 else text


def _with_copies(dataset: DataSet, rows: list[int], change: Callable[[str], str]) -> DataSet:
    texts = {
        name: [*cells, *(change(cells[row]) for row in rows)] for name, cells in dataset.rows.texts.items()
    }
    labels = dataset.rows.labels
    return dataset.with_rows(texts, None if labels is None else [*labels, *(labels[row] for row in rows)])


def held_out(dataset: DataSet, random: np.random.Generator) -> tuple[DataSet, list[int]] | None:
    """Return the data set without a test of some of its rows, and these rows; None if too few stand alone.

    A row stands alone if no text of it is in another row, and none is nearly so.
    """
    alone = _alone(dataset)
    if len(alone) < _FEWEST_HELD_OUT:
        return None
    drawn = random.permutation(alone)[: max(_FEWEST_HELD_OUT, round(HELD_OUT * len(dataset.rows)))]
    apart = sorted(int(row) for row in drawn)
    kept = sorted(set(range(len(dataset.rows))) - set(apart))
    columns = {name: [cells[row] for row in apart] for name, cells in dataset.rows.texts.items()}
    rest = {name: [cells[row] for row in kept] for name, cells in dataset.rows.texts.items()}
    labels = dataset.rows.labels
    smaller = dataset.with_rows(rest, None if labels is None else [labels[row] for row in kept])
    return replace(smaller, test={"held-out": Dataset(columns)}), apart


def _alone(dataset: DataSet) -> list[int]:
    """Return the rows that stand alone; remembered, since several faults ask."""
    key = (dataset.name, len(dataset.rows))
    if key not in _ALONE:
        _ALONE[key] = _find_alone(dataset)
    return _ALONE[key]


_ALONE: dict[tuple[str, int], list[int]] = {}


def _find_alone(dataset: DataSet) -> list[int]:
    """Return the rows none of whose texts shares half of its runs of five letters with a text of another."""
    rows_with: dict[str, set[int]] = {}
    runs = [
        [{cell[at : at + 5].casefold() for at in range(max(1, min(len(cell), _START) - 4))} for cell in cells]
        for cells in zip(*dataset.rows.texts.values(), strict=True)
    ]
    for row, texts in enumerate(runs):
        for run in set().union(*texts):
            rows_with.setdefault(run, set()).add(row)
    result = []
    for row, texts in enumerate(runs):
        shared: Counter[int] = Counter()
        least = min(map(len, texts))
        for run in set().union(*texts):
            shared.update(rows_with[run])
        del shared[row]
        near = (other for other, count in shared.items() if count >= _NEAR * least)
        if not any(_overlap(a, b) >= _NEAR for other in near for a in texts for b in runs[other]):
            result.append(row)
    return result


def _overlap(left: set[str], right: set[str]) -> float:
    return len(left & right) / len(left | right)


def overlapping(
    change: Callable[[str], str],
) -> Callable[[DataSet, float, np.random.Generator], DataSet | None]:
    """Return the fault of a share of the test's rows among the training rows."""

    def seed(dataset: DataSet, share: float, random: np.random.Generator) -> DataSet | None:
        result = held_out(dataset, random)
        if result is None:
            return None
        smaller, apart = result
        back = apart[: max(1, round(share * len(apart)))]
        texts = {
            name: [*cells, *(change(dataset.rows.texts[name][row]) for row in back)]
            for name, cells in smaller.rows.texts.items()
        }
        labels = dataset.rows.labels
        more = None if labels is None else [*(smaller.rows.labels or ()), *(labels[row] for row in back)]
        return smaller.with_rows(texts, more)

    return seed


def batch_of(size: int) -> Callable[[DataSet, float, np.random.Generator], DataSet | None]:
    """Return the fault of a batch of so few rows under an in-batch loss."""

    def seed(dataset: DataSet, share: float, random: np.random.Generator) -> DataSet | None:
        if dataset.loss.name != "MultipleNegativesRankingLoss" or (size == 1 and dataset.kind == "pairs"):
            return None  # a recipe refuses a batch of one
        return replace(dataset, batch_size=size)

    return seed


def wide_margin(dataset: DataSet, share: float, random: np.random.Generator) -> DataSet | None:
    """Set a margin of 5 for embeddings of length 1."""
    if dataset.loss.margin is None:
        return None
    return replace(dataset, loss=replace(dataset.loss, distance="euclidean", margin=5.0))


def few_steps(dataset: DataSet, share: float, random: np.random.Generator) -> DataSet:
    """Put nearly all rows into one batch."""
    return replace(dataset, batch_size=128, epochs=1.0)


PAIRED = ("pairs", "triplets")
ROW_FAULTS = (
    Fault(
        name="columns half-swapped", about="question and answer exchanged in a part of the rows",
        seed=swapped, shares=(0.05, 0.1, 0.2, 0.5), kinds=("pairs", "labeled-pairs"), bare=True,
    ),
    Fault(
        name="negatives swapped", about="positive and negative exchanged", seed=negatives_swapped,
        shares=SHARES, kinds=("triplets",), bare=True,
    ),
    Fault(
        name="positives shuffled", about="the positive of another row", seed=positives_shuffled,
        kinds=PAIRED, bare=True,
    ),
    *(
        Fault(
            name=f"{count} answers", about="few different positives under in-batch negatives",
            seed=few_answers(count), shares=(0.2, 0.5, 1.0), kinds=PAIRED,
        )
        for count in (2, 10)
    ),
    Fault(name="anchor is positive", about="both texts equal", seed=copied_anchor, kinds=(*PAIRED, "scored-pairs", "labeled-pairs")),
    Fault(name="anchor is negative", about="the anchor as its negative", seed=copied_negative, kinds=("triplets",)),
    Fault(name="positive is negative", about="the positive as the negative", seed=positive_as_negative, kinds=("triplets",)),
    Fault(name="rows repeated", about="rows twice", seed=repeated),
    Fault(name="rows nearly repeated", about="rows twice with small changes", seed=nearly_repeated),
    Fault(name="test rows in training", about="rows of the test", seed=overlapping(lambda text: text)),
    Fault(name="test rows nearly in training", about="rows of the test with small changes", seed=overlapping(touched)),
    Fault(name="batch of 1", about="no in-batch negative", seed=batch_of(1), shares=(1.0,), kinds=("triplets",)),
    *(Fault(name=f"batch of {size}", about="few in-batch negatives", seed=batch_of(size), shares=(1.0,), kinds=PAIRED) for size in (2, 4)),
    Fault(name="margin out of reach", about="a margin of 5 on the unit sphere", seed=wide_margin, shares=(1.0,), kinds=("triplets", "labeled-texts")),
    Fault(name="few steps", about="a handful of optimizer steps", seed=few_steps, shares=(1.0,)),
)  # fmt: skip
"""All faults of rows and of how they are trained on."""
__all__ = ["ROW_FAULTS", "changed", "held_out"]
