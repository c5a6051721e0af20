"""Find a training loss that stood still from the first line of the log to the last."""

from __future__ import annotations

import statistics
from typing import TYPE_CHECKING

from harness import Finding, Severity

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from harness.training import CheckInput

FEWEST = 5
"""Minimum number of lines with a loss."""
STILL = 0.01
"""Maximum fall of the loss, as a share of it, including twice the standard error of that fall."""
ZERO = 5e-4
"""Maximum loss that is already as low as it can be."""


def check_still_loss(training: CheckInput) -> Iterator[Finding]:
    """Find a loss that fell by less than 1 %, where the noise of the log is small enough to see that."""
    losses = [line.loss for line in training.log if line.loss is not None]
    fall = fall_of(losses)
    if fall is None:
        return
    share, error = fall
    if max(losses) < ZERO or share + 2 * error >= STILL or share < -STILL:
        return
    steps = [line.step for line in training.log if line.loss is not None]
    yield Finding(
        "loss-stood-still",
        Severity.WARNING,
        f"The training loss is {losses[0]:.4g} at step {steps[0]:,} and {losses[-1]:.4g} at step"
        f" {steps[-1]:,}: over {len(losses)} lines of the log it fell by {share:.1%} ± {2 * error:.1%}, so"
        " that nothing more was learned after the first line, if anything before it.",
        "Check that the learning rate is not 0, that the weights are not frozen, and that the texts of a"
        " row belong together.",
    )


def fall_of(losses: Sequence[float]) -> tuple[float, float] | None:
    """Return by which share the loss fell along a straight line, and its standard error; None for too few."""
    count = len(losses)
    level = statistics.fmean(losses) if losses else 0.0
    if count < FEWEST or level <= 0:
        return None
    middle = (count - 1) / 2
    spread = sum((position - middle) ** 2 for position in range(count))
    slope = sum((position - middle) * loss for position, loss in enumerate(losses)) / spread
    rest = sum((loss - level - slope * (position - middle)) ** 2 for position, loss in enumerate(losses))
    error = (rest / (count - 2) / spread) ** 0.5
    return -slope * (count - 1) / level, error * (count - 1) / level
