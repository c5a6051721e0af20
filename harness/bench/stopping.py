"""When to stop warming up and timing, and whether the estimates are then good enough."""

from __future__ import annotations

import statistics
from dataclasses import dataclass
from typing import TYPE_CHECKING

from harness.bench.intervals import FEWEST, speed, speed_ratio

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from harness.bench.records import Comparison, SpeedEstimate, Verdict

NOISY = 0.05
"""Maximum relative half-width of an estimate that is stated."""
LOOKS = (12, 15, 19, 24, 30, 38, 48, 60, 75, 94, 118, 148, 185, 232, 290)
"""Numbers of rounds at which precision is checked, each a quarter more than the previous one.

A few rounds can agree by chance, and a check after every round would stop at such a moment: 600 simulated
benches covered the truth in 92 % when checked after each round, in 96 % when checked at these.
"""
MOST_ROUNDS = 290
"""Maximum number of rounds."""
SETTLED = 0.03
"""Maximum relative difference between the medians of three rounds and of the three before, after warm-up."""
MOST_WARM_UP = 15
"""Maximum number of warm-up rounds."""


def has_settled(seconds: Sequence[float]) -> bool:
    """Whether the last three rounds take as long as the three before, within SETTLED."""
    if len(seconds) < 6:
        return False
    before, now = statistics.median(seconds[-6:-3]), statistics.median(seconds[-3:])
    return abs(now / before - 1) <= SETTLED


@dataclass(frozen=True, slots=True)
class Target:
    """The precision to reach, and the deadline."""

    margin: float
    """Maximum relative half-width of every interval."""
    deadline: float
    """Time at which to stop anyway, on the session's clock."""


def is_enough(seconds: Mapping[str, Sequence[float]], target: Target, now: float) -> bool:
    """Whether to stop timing rounds: the estimates are precise, or the deadline has passed.

    seconds: wall time of each round so far, by variant; the first variant is the reference of the ratios.
    Precise means that the interval of every speed and every ratio is within the margin.
    After the deadline, the minimum number of rounds for an interval is still completed.
    """
    base, *others = seconds.values()
    if len(base) >= MOST_ROUNDS:
        return True
    if now >= target.deadline:
        return len(base) >= FEWEST
    if len(base) not in LOOKS:
        return False
    estimates = [speed(each, 1) for each in seconds.values()]
    # More rounds do not reduce the spread between processes, so it is left out here.
    estimates += [speed_ratio(each, base, spread=0.0) for each in others]
    return all(estimate.half_width <= target.margin for estimate in estimates)


def verdict(estimate: SpeedEstimate) -> Verdict:
    """Return whether a speed is precise enough to be stated."""
    return "measured" if estimate.half_width <= NOISY else "too noisy to say"


def comparison(ratio: SpeedEstimate) -> Comparison:
    """Return what a ratio of speeds shows.

    With a noisy ratio, only a difference larger than the accepted noise is stated.
    """
    noisy = ratio.half_width > NOISY
    beyond = 1 + NOISY if noisy else 1.0
    if ratio.low > beyond:
        return "faster"
    if ratio.high < 1 / beyond:
        return "slower"
    return "too noisy to say" if noisy else "no difference seen"
