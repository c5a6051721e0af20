"""Check `signs`: what a log and scores give away about a training."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.training import Check
from harness_train.ceilings import check_ceilings
from harness_train.impossible_scores import check_impossible_scores
from harness_train.small_batches import check_batches
from harness_train.still_losses import check_still_loss

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness import Finding
    from harness.training import CheckInput


def check_signs(training: CheckInput) -> Iterator[Finding]:
    """Find scores that contradict each other or cannot rise, small batches, and a loss that stood still."""
    yield from check_impossible_scores(training)
    yield from check_ceilings(training)
    yield from check_batches(training)
    yield from check_still_loss(training)


SIGNS = Check(
    "signs", "scores that contradict each other or are at their ceiling, small batches, a loss that stood"
    " still",
    check_signs,
    ("scores-contradict", "correlations-of-opposite-sign", "ranking-at-chance", "evaluation-at-ceiling",
     "small-batch", "loss-stood-still"),
)  # fmt: skip
