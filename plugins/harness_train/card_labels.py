"""Suspect inverted labels from a card: its statistics, sample rows and usage example."""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING

from harness import Finding, Severity
from harness.training import LOSSES
from harness_train.label_inversion import SENSE, is_number

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.training import CheckInput, ColumnFacts, Rows

NEAR_ONE = 0.9
"""Minimum similarity of a pair that training has pulled together."""
_NUMBERS = ("float", "int", "uint", "double", "bool")
LABEL_NAMES = ("label", "labels", "score", "scores")
"""Names of the column that sentence-transformers takes for labels, in any position."""
_STEM = 6
"""Number of first letters that make words the same: retain, retained."""


def check_card_labels(training: CheckInput) -> Iterator[Finding]:
    """Suspect inverted labels: similar pairs are rare, and a training row is pulled together.

    Four conditions: a loss whose higher label means similar; a mean label below one half; sample rows that
    all have the lowest label; and an example, whose first two texts sentence-transformers takes from one
    training row, with a similarity that only training explains. With random pairs, all of these can hold in
    a sound training, so that most dissimilar rows must share words that no other sample row has.
    """
    rows, column, usage = training.rows, label_column(training), training.usage
    mean = None if column is None else mean_of(column)
    facts = LOSSES.get(training.loss_name)
    if rows is None or rows.complete or mean is None or column is None or usage is None or facts is None:
        return
    low, high = min(column.low or 0.0, 0.0), max(column.high or 1.0, 1.0)
    zeros = 1 - (mean - low) / (high - low)
    labels = [float(label) for label in rows.labels or () if is_number(label)]
    usable = facts.kind in ("labeled-pairs", "scored-pairs") and len(usage.similarities) > 1
    if not usable or zeros <= 0.5 or not labels or max(labels) > low or len(rows.texts) != 2:
        return
    similarity = usage.similarities[0][1]
    if similarity < NEAR_ONE:
        return
    shared, sharing = _shared_words(rows)
    if 2 * sharing < len(rows) or not sharing:
        return
    sense = SENSE.get(training.loss_name, "pulls pairs of the highest label together")
    yield Finding(
        "labels-may-be-inverted",
        Severity.WARNING,
        f"{training.loss_name} {sense}. The labels' mean is {mean:g}: about {zeros:.0%} of the pairs are"
        f" pushed apart, and so are all {len(labels)} rows that the card shows, although {sharing} of"
        f" them share words ({', '.join(map(repr, shared[:3]))}). Yet the trained"
        f" model gives the card's own example pair, which is one of the training rows, a similarity of"
        f" {similarity:.2f}.",
        "Check the data: `harness check DATA --recipe RECIPE` measures the base's AUC against the labels; if"
        " they are inverted, exchange them (data.labels).",
    )


def label_column(training: CheckInput) -> ColumnFacts | None:
    """Return the column of the labels, by its name, if it holds numbers."""
    label = next((column for column in training.columns if column.name in LABEL_NAMES), None)
    return label if label is not None and label.type.lower().startswith(_NUMBERS) else None


def mean_of(column: ColumnFacts) -> float | None:
    """Return the mean of a column, given or from the shares of its values; None if unknown."""
    if column.mean is not None or not column.shares:
        return column.mean
    try:
        weights = [(float(label), share) for label, share in column.shares.items()]
    except ValueError:
        return None
    total = sum(share for _, share in weights)
    return sum(value * share for value, share in weights) / total if total else None


def _shared_words(rows: Rows) -> tuple[list[str], int]:
    """Return words that are in both texts of a row and in no other row's second text, and count the rows."""
    left, right = ([_stems(cell) for cell in cells] for cells in rows.texts.values())
    rows_with = Counter(stem for stems in right for stem in stems)
    words = [
        [word for stem, word in second.items() if stem in first and rows_with[stem] == 1]
        for first, second in zip(left, right, strict=True)
    ]
    return [word for row in words for word in row], sum(map(bool, words))


def _stems(cell: object) -> dict[str, str]:
    """Return stem → word, for words of at least five letters."""
    words = re.findall(r"[^\W\d_]{5,}", cell.casefold()) if isinstance(cell, str) else []
    return {word[:_STEM]: word for word in reversed(words)}
