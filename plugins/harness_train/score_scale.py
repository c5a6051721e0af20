"""Find scores in another scale than the loss reads: 0 to 5, 1 to 5, 0 to 100, −1 to 1."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from harness import Finding, Severity
from harness.training import LOSSES
from harness_train.card_labels import label_column
from harness_train.label_inversion import is_number

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.training import CheckInput

OPPOSITE = -0.5
"""Maximum of the lowest score that is read as a scale from −1: cosines of a teacher are seldom below −0.3."""
_COSINE = "CosineSimilarityLoss"


def check_scale(training: CheckInput) -> Iterator[Finding]:
    """Find scores in another scale, from rows, from the rows that a card shows, or from its statistics.

    One score beyond the range suffices, so that it works from one row on. Where the loss is known, rows
    beyond its range are `labels-out-of-range`; losses that read only the order of scores take any scale.
    """
    seen = _seen(training)
    if seen is None:
        return
    low, high, what, pairs = seen
    name = training.loss_name
    if name in LOSSES and LOSSES[name].labels is not None:
        yield from _of_loss(training, low, high, what)
    elif not name and (low < 0 or high > 1):
        loss, wanted = (_COSINE, "scores from 0 to 1") if pairs else ("ContrastiveLoss", "labels 0 and 1")
        yield _finding(
            f"{what} go from {low:g} to {high:g}. {loss}, the usual loss for such rows, takes {wanted};"
            " CoSENTLoss and AnglELoss read only the order of scores.",
            low,
            high,
        )


def _of_loss(training: CheckInput, low: float, high: float, what: str) -> Iterator[Finding]:
    """Find scores from −1 to 1; and, on a card without statistics, shown scores that are out of range."""
    name = training.loss_name
    bottom, top = LOSSES[name].labels or (0, 1)
    shown = training.rows is not None and not training.rows.complete
    if (low < bottom or high > top) and shown and label_column(training) is None:
        yield Finding(
            "labels-out-of-range",
            Severity.ERROR,
            f"{what} go from {low:g} to {high:g}, and {name} takes {bottom:g} to {top:g}.",
            f"Scale them to 0 … 1: (score − {min(low, 0):g}) / {high - min(low, 0):g}.",
        )
    elif name == _COSINE and bottom <= low <= OPPOSITE and high <= top:
        yield _finding(
            f"{what} go from {low:g} to {high:g}, and {name} makes the cosine of a pair equal its score:"
            f" pairs of {low:g} are pushed to opposite directions, while unrelated texts have one near 0.",
            low,
            high,
        )


def _finding(evidence: str, low: float, high: float) -> Finding:
    bottom = -1 if low < 0 <= high <= 1 else min(low, 0 if low != 1 else 1)
    return Finding(
        "scores-in-another-scale",
        Severity.WARNING,
        evidence,
        f"score_range = [{bottom:g}, {max(high, 1):g}] under [data] in the recipe scales them to 0 … 1; name"
        " the ends of the scale, also where no row has them.",
    )


def _seen(training: CheckInput) -> tuple[float, float, str, bool] | None:
    """Return lowest and highest score, how to call them, and whether they are scores; None if unknown."""
    rows = training.rows
    if rows is not None and rows.kind in ("scored-pairs", "labeled-pairs"):
        numbers = np.array([float(label) for label in rows.labels or () if is_number(label)])
        if len(numbers):
            few = "" if rows.complete else " that the card shows"
            what = f"{'Scores' if rows.kind == 'scored-pairs' else 'Labels'} of {len(numbers):,} rows{few}"
            if rows.complete or label_column(training) is None:
                return float(numbers.min()), float(numbers.max()), what, rows.kind == "scored-pairs"
    column = label_column(training)
    if column is None or column.low is None or column.high is None:
        return None
    scored = column.type.lower().startswith(("float", "double"))
    return column.low, column.high, f"Scores of the column {column.name}", scored
