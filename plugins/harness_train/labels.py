"""Check: can the loss mean what the labels say?"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from harness import Finding, Severity
from harness.training import LOSSES, Check
from harness_train.card_labels import check_card_labels, label_column, mean_of
from harness_train.duplicates import check_duplicates, shorten
from harness_train.label_inversion import check_inversion, is_number

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from typing import Any

    from harness.training import CheckInput, Rows

ALMOST = 0.05
"""Distance of the mean from an end of the range within which labels are called nearly constant."""
_FLAT = 0.02
"""Standard deviation, as a share of the range, below which they are too, wherever the mean is."""


def check_labels(training: CheckInput) -> Iterator[Finding]:
    """Find labels that are none, out of range, nearly constant, contradicting or inverted."""
    rows = training.rows
    if rows is not None and rows.labels is not None and rows.kind in ("scored-pairs", "labeled-pairs"):
        yield from _not_numbers(rows)
    numbers = _numbers(rows)
    if len(numbers):
        yield from _out_of_range(numbers, training)
        yield from _near_constant(numbers, training)
    else:
        yield from _of_column(training)
    if rows is not None:
        yield from check_duplicates(rows)
    yield from check_card_labels(training)
    yield from check_inversion(training)


def _numbers(rows: Rows | None) -> np.ndarray:
    """All labels that are numbers: (n,); none where rows are classes, or only shown by a card."""
    if rows is None or not rows.complete or rows.kind not in ("scored-pairs", "labeled-pairs"):
        return np.zeros(0)
    return np.array([float(label) for label in rows.labels or () if is_number(label)])


def _not_numbers(rows: Rows) -> Iterator[Finding]:
    labels: Sequence[Any] = rows.labels or ()
    wrong = [row for row, label in enumerate(labels) if not is_number(label)]
    if wrong:
        yield Finding(
            "labels-not-numbers",
            Severity.ERROR,
            f"{len(wrong)} of {len(rows)} labels are no finite numbers; the first is"
            f" {shorten(repr(labels[wrong[0]]))} in row {wrong[0] + 1}.",
            'Say what each label stands for in the recipe, data.labels = { "yes" = 1, "no" = 0 }, or drop the'
            " rows.",
        )


def _out_of_range(labels: np.ndarray, training: CheckInput) -> Iterator[Finding]:
    facts = LOSSES.get(training.loss_name)
    if facts is None or facts.labels is None:
        return
    low, high = facts.labels
    outside = (labels < low) | (labels > high)
    if facts.classes:
        outside |= (labels != low) & (labels != high)
    if outside.any():
        yield _range_finding(
            f"{int(outside.sum())} of {len(labels)} labels ({outside.mean():.0%})",
            (float(labels.min()), float(labels.max())),
            training.loss_name,
        )


def _range_finding(what: str, seen: tuple[float, float], loss: str) -> Finding:
    low, high = LOSSES[loss].labels or (0, 1)
    if LOSSES[loss].classes:
        takes, remedy = "0 or 1 only", "data.labels in the recipe says which label becomes 1 and which 0."
    else:
        takes = f"labels from {low:g} to {high:g}"
        remedy = f"score_range = [{min(seen[0], 0):g}, {seen[1]:g}] under [data] brings them to 0 … 1."
    return Finding(
        "labels-out-of-range",
        Severity.ERROR,
        f"{what} are out of range: they go from {seen[0]:g} to {seen[1]:g}, and {loss} takes {takes}.",
        remedy,
    )


def _near_constant(labels: np.ndarray, training: CheckInput) -> Iterator[Finding]:
    low, high = min(0.0, float(labels.min())), max(1.0, float(labels.max()))
    mean, spread = float(labels.mean()), float(labels.std())
    most = np.unique(labels, return_counts=True)
    value, count = most[0][most[1].argmax()], int(most[1].max())
    seen = f"the mean of {len(labels)} labels is {mean:.3g}, and {count} of them are {value:g}"
    if spread == 0:
        yield _constant(f"all {len(labels)} labels are {value:g}", 1.0, training.loss_name, certain=True)
    elif spread < _FLAT * (high - low) or not ALMOST < (mean - low) / (high - low) < 1 - ALMOST:
        yield _constant(seen, (mean - low) / (high - low), training.loss_name)


def _of_column(training: CheckInput) -> Iterator[Finding]:
    """Judge by what a card says of the column."""
    column = label_column(training)
    mean = None if column is None else mean_of(column)
    facts = LOSSES.get(training.loss_name)
    if column is None or (facts is not None and facts.kind == "labeled-texts"):
        return
    low, high = column.low, column.high
    reach = facts.labels if facts is not None else None
    if reach and low is not None and high is not None and (low < reach[0] or high > reach[1]):
        yield _range_finding(f"Labels of the column {column.name}", (low, high), training.loss_name)
    if mean is None:
        return
    bottom, top = min(0.0, low or 0.0), max(1.0, high or 1.0)
    seen = f"the card gives the labels a mean of {mean:g}, between {bottom:g} and {top:g}"
    if low is not None and low == high:
        yield _constant(f"the card gives all labels as {low:g}", 1.0, training.loss_name, certain=True)
    elif not ALMOST < (mean - bottom) / (top - bottom) < 1 - ALMOST:
        yield _constant(seen, (mean - bottom) / (top - bottom), training.loss_name)


def _constant(seen: str, place: float, loss: str, *, certain: bool = False) -> Finding:
    together = loss == "CosineSimilarityLoss" and place >= 1 - ALMOST
    if together:
        so = (
            "nearly every pair is pulled together, and a model that embeds all texts alike has almost no loss"
        )
    elif place >= 1 - ALMOST and not certain:
        so = "nearly every pair is pulled together, and little says what is different"
    elif place <= ALMOST and not certain:
        so = "nearly every pair is pushed apart, and little says what is alike"
    else:
        so = "there is next to nothing to tell apart"
    return Finding(
        "labels-near-constant",
        Severity.ERROR if together or certain else Severity.WARNING,
        f"{seen[0].upper()}{seen[1:]}: {so}.",
        "Add pairs of the other kind, or take a loss that needs positives only, such as"
        " MultipleNegativesRankingLoss.",
    )


LABELS = Check(
    "labels", "inverted, constant, contradicting or out-of-range labels; repeated rows", check_labels
)
