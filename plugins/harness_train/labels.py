"""Check `labels`: values, range, duplicates and inversion."""

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
"""Maximum distance of the mean from an end of the range, as a share, for nearly constant labels."""
_LABELED = ("scored-pairs", "labeled-pairs")
_ROUNDED = 1e-6
"""Maximum error of a label that was a float32: 1.0000001 is 1."""
_FLAT = 0.02
"""Maximum standard deviation, as a share of the range, for nearly constant labels of any mean."""


def check_labels(training: CheckInput) -> Iterator[Finding]:
    """Find labels that are not numbers, out of range, nearly constant, contradicting or inverted."""
    rows = training.rows
    known = reads_labels(training)
    if known and rows is not None and rows.labels is not None and rows.kind in _LABELED:
        yield from _not_numbers(rows)
    numbers = _numbers(rows)
    if not known:
        pass
    elif len(numbers):
        beyond = list(_out_of_range(numbers, training))
        yield from beyond
        # In a wrong scale, or in two, labels look constant that are not.
        if not beyond and not _in_another_scale(numbers, training):
            yield from _near_constant(numbers, training)
    else:
        yield from _of_column(training)
    if rows is not None:
        yield from check_duplicates(rows)
    yield from check_card_labels(training)
    yield from check_inversion(training)


def reads_labels(training: CheckInput) -> bool:
    """Whether the loss reads a number for each pair; for data without a loss, its kind says so.

    A loss that we do not know may read anything: class numbers, margins, whole embeddings.
    """
    if training.loss_name in LOSSES:
        return LOSSES[training.loss_name].kind in _LABELED
    return training.what == "dataset" and not training.loss_name


def _numbers(rows: Rows | None) -> np.ndarray:
    """Return all labels that are numbers: (n,); none for classes and for the sample rows of a card."""
    if rows is None or not rows.complete or rows.kind not in _LABELED:
        return np.zeros(0)
    return np.array([float(label) for label in rows.labels or () if is_number(label)])


def _not_numbers(rows: Rows) -> Iterator[Finding]:
    labels: Sequence[Any] = rows.labels or ()
    wrong = [row for row, label in enumerate(labels) if not is_number(label)]
    if wrong:
        yield Finding(
            "labels-not-numbers",
            Severity.ERROR,
            f"{len(wrong)} of {len(rows)} labels are not finite numbers; the first is"
            f" {shorten(repr(labels[wrong[0]]))} in row {wrong[0] + 1}.",
            'Map each label to a number in the recipe, data.labels = { "yes" = 1, "no" = 0 }, or drop the'
            " rows.",
        )


def _out_of_range(labels: np.ndarray, training: CheckInput) -> Iterator[Finding]:
    facts = LOSSES.get(training.loss_name)
    if facts is None or facts.labels is None or training.loss_options:
        return
    low, high = facts.labels
    outside = (labels < low - _ROUNDED) | (labels > high + _ROUNDED)
    between = facts.classes & (np.minimum(abs(labels - low), abs(labels - high)) > _ROUNDED) & ~outside
    seen = (float(labels.min()), float(labels.max()))
    for wrong in (outside,) if outside.any() else (between,):
        if wrong.any():
            counted = f"{int(wrong.sum())} of {len(labels)} labels ({wrong.mean():.0%})"
            yield _range_finding(counted, seen, training.loss_name, between=not outside.any())


def _in_another_scale(labels: np.ndarray, training: CheckInput) -> bool:
    """Whether rows without a loss have labels beyond 0 to 1, which is `scores-in-another-scale`."""
    return not training.loss_name and bool(labels.min() < 0 or labels.max() > 1)


def _range_finding(name: str, seen: tuple[float, float], loss: str, *, between: bool = False) -> Finding:
    """Return the finding; between: the labels are from 0 to 1, where the loss takes 0 or 1."""
    low, high = LOSSES[loss].labels or (0, 1)
    if between:
        does = "leaves out rows" if loss == "OnlineContrastiveLoss" else "pulls and pushes pairs"
        return Finding(
            "labels-out-of-range",
            Severity.ERROR if loss == "OnlineContrastiveLoss" else Severity.WARNING,
            f"{name} are neither 0 nor 1: they go from {seen[0]:g} to {seen[1]:g}, and {loss} {does} of"
            " such a label.",
            "Map the labels to 1 and 0 with data.labels in the recipe, or use a loss of scores, such as"
            " CosineSimilarityLoss.",
        )
    if LOSSES[loss].classes:
        takes, remedy = "0 or 1 only", "Map the labels to 1 and 0 with data.labels in the recipe."
    else:
        takes = f"labels from {low:g} to {high:g}"
        remedy = f"score_range = [{min(seen[0], 0):g}, {seen[1]:g}] under [data] scales them to 0 … 1."
    return Finding(
        "labels-out-of-range",
        Severity.ERROR,
        f"{name} are out of range: they go from {seen[0]:g} to {seen[1]:g}, and {loss} takes {takes}.",
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
    """Check labels by a card's statistics of their column, which are of its first rows.

    Rows may be sorted by label: a mean of the first ones is a claim about all of them only where it is
    theirs, or where the labels differ among them.
    """
    column = label_column(training)
    mean = None if column is None else mean_of(column)
    facts = LOSSES.get(training.loss_name)
    if column is None:
        return
    whole = training.counted is None or (training.size is not None and training.counted >= training.size)
    of = "the labels" if whole else f"the first {training.counted:,} labels"
    low, high = column.low, column.high
    valid = facts.labels if facts is not None else None
    beyond = valid and low is not None and high is not None and (low < valid[0] or high > valid[1])
    if beyond and low is not None and high is not None and not training.loss_options:
        yield _range_finding(f"Labels of the column {column.name}", (low, high), training.loss_name)
    if mean is None:
        return
    bottom, top = min(0.0, low or 0.0), max(1.0, high or 1.0)
    seen = f"the card gives {of} a mean of {mean:g}, between {bottom:g} and {top:g}"
    if low is not None and low == high:
        if whole:
            yield _constant(f"the card gives all labels as {low:g}", 1.0, training.loss_name, certain=True)
        else:
            yield _sorted(f"{of} are all {low:g}")
    elif not ALMOST < (mean - bottom) / (top - bottom) < 1 - ALMOST:
        yield _constant(seen, (mean - bottom) / (top - bottom), training.loss_name)


def _sorted(seen: str) -> Finding:
    return Finding(
        "labels-near-constant",
        Severity.WARNING,
        f"{seen[0].upper()}{seen[1:]}, as the card says: either all labels are, or the rows are sorted by"
        " label.",
        "Check the labels of all rows: `harness check DATA --recipe RECIPE`.",
    )


def _constant(seen: str, position: float, loss: str, *, certain: bool = False) -> Finding:
    collapses = loss == "CosineSimilarityLoss" and position >= 1 - ALMOST
    if collapses:
        reason = (
            "nearly every pair is pulled together, and a model with one embedding for all texts has almost no"
            " loss"
        )
    elif position >= 1 - ALMOST and not certain:
        reason = "nearly every pair is pulled together, and few pairs are dissimilar"
    elif position <= ALMOST and not certain:
        reason = "nearly every pair is pushed apart, and few pairs are similar"
    else:
        reason = "there is almost no difference to learn"
    return Finding(
        "labels-near-constant",
        Severity.ERROR if collapses or certain else Severity.WARNING,
        f"{seen[0].upper()}{seen[1:]}: {reason}.",
        "Add pairs of the other label, or use a loss that needs positives only, such as"
        " MultipleNegativesRankingLoss.",
    )


LABELS = Check(
    "labels",
    "inverted, constant, contradicting or out-of-range labels; repeated rows",
    check_labels,
    (
        "labels-inverted", "labels-may-be-inverted", "labels-near-constant", "labels-out-of-range",
        "labels-not-numbers", "same-pair-two-labels", "duplicate-rows", "positives-verbatim-equal",
        "negatives-verbatim-equal", "negatives-equal-positive", "columns-swapped",
    ),
)  # fmt: skip
