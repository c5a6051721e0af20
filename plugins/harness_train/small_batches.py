"""Find batches that are too small for losses whose negatives are the rest of the batch."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness import Finding, Severity

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.training import CheckInput

FEW = 8
"""Rows from which on a batch is large enough, and maximum number of texts to choose from in a small one."""
_IN_BATCH = frozenset({
    "MultipleNegativesRankingLoss", "CachedMultipleNegativesRankingLoss",
    "MultipleNegativesSymmetricRankingLoss", "CachedMultipleNegativesSymmetricRankingLoss",
    "GISTEmbedLoss", "CachedGISTEmbedLoss", "MegaBatchMarginLoss",
})  # fmt: skip
"""Losses whose negatives are the other rows of a batch."""
_LABELS = ("label", "labels", "score", "scores")


def check_batches(training: CheckInput) -> Iterator[Finding]:
    """Find a batch with too few negatives; accumulated steps and mini batches add none."""
    rows = training.loss_batch or training.batch_size
    if training.loss_name not in _IN_BATCH or rows is None:
        return
    negatives = _negatives(training)
    choices = rows * (1 + negatives)
    if rows >= FEW or choices > FEW:
        return
    accumulated = (
        f" ({training.batch_size} rows with accumulation, which adds no negatives)"
        if training.batch_size and training.batch_size > rows
        else ""
    )
    if choices == 1:
        consequence = "there is nothing to choose from, so that the loss is always 0 and nothing is learned"
    else:
        hard = f", with {negatives} hard negative{'s' * (negatives > 1)} per row," if negatives else ""
        consequence = (
            f"each anchor{hard} has only {choices - 1} negative{'s' * (choices > 2)}, and a blind guess is"
            f" right in {1 / choices:.0%}"
        )
    yield Finding(
        "small-batch",
        Severity.ERROR if choices == 1 else Severity.WARNING,
        f"{training.loss_name} has batches of {rows} row{'s' * (rows > 1)}{accumulated}: {consequence}.",
        "Use larger batches (train.batch_size), such as 64: CachedMultipleNegativesRankingLoss needs no more"
        " memory for them.",
    )


def _negatives(training: CheckInput) -> int:
    """Return the number of hard negatives in a row."""
    if training.columns:
        return max(sum(column.name not in _LABELS for column in training.columns) - 2, 0)
    return max(len(training.rows.texts) - 2, 0) if training.rows is not None else 0
