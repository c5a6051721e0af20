"""Find a training loss that stood still from the first line of the log to the last."""

from __future__ import annotations

import math
import statistics
from typing import TYPE_CHECKING

from harness import Finding, Severity

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from harness.training import CheckInput

FEWEST = 5
"""Minimum number of lines with a loss."""
STILL = 0.01
"""Maximum fall of the loss, as a share of its mean."""
_FEWEST_SAME = 3
"""Minimum number of evaluations with the very same scores."""
WIDEST = 0.08
"""Maximum fall that the noise of the log may hide, as a share of the mean."""
ZERO = 5e-4
"""Maximum loss that is already as low as it can be."""


def check_still_loss(training: CheckInput) -> Iterator[Finding]:
    """Find a loss that did not fall, where the log's noise is small enough to see a fall."""
    lines = [(line.step, line.loss) for line in training.log if line.loss is not None]
    losses = [loss for _, loss in lines]
    fall = fall_of(losses)
    if fall is None or max(losses) < ZERO:
        return
    share, error = fall
    if share >= STILL or share <= -WIDEST or share + error >= WIDEST:
        return
    (first, start), (last, end) = lines[0], lines[-1]
    yield Finding(
        "loss-stood-still",
        Severity.WARNING,
        f"The training loss is {start:.4g} at step {first:,} and {end:.4g} at step {last:,}: along a line"
        f" through the {len(lines)} lines of the log it fell by {share:.1%} ± {error:.1%}. Nothing was"
        f" learned after the first line, if anything before it.{_same_scores(training)}",
        "Check that the learning rate is not 0, that the weights are not frozen, and that the texts of a row"
        " belong together.",
    )


def _same_scores(training: CheckInput) -> str:
    """Return a sentence if every evaluation gave the very same scores: the weights did not change."""
    scores = [dict(line.metrics) for line in training.log if line.metrics]
    if len(scores) < _FEWEST_SAME or any(other != scores[0] for other in scores):
        return ""
    return f" All {len(scores)} evaluations have the very same scores: the weights did not change."


def fall_of(losses: Sequence[float]) -> tuple[float, float] | None:
    """Return the share by which the loss fell along a straight line, and half of its 95 % interval.

    None for too few lines, for a loss that is not finite, and for one whose mean is not above 0.
    """
    count = len(losses)
    level = statistics.fmean(losses) if losses else 0.0
    if count < FEWEST or not 0 < level < math.inf:
        return None
    middle = (count - 1) / 2
    spread = sum((position - middle) ** 2 for position in range(count))
    slope = sum((position - middle) * loss for position, loss in enumerate(losses)) / spread
    rest = sum((loss - level - slope * (position - middle)) ** 2 for position, loss in enumerate(losses))
    error = (rest / (count - 2) / spread) ** 0.5
    # Student's t at 97.5 %, to within 0.1 for three degrees of freedom or more.
    width = 2 + 3.6 / (count - 2)
    return -slope * (count - 1) / level, width * error * (count - 1) / level
