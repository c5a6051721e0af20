"""When warm-up is over, when enough rounds were timed, and what may then be said."""

from __future__ import annotations

import statistics
from dataclasses import dataclass
from typing import TYPE_CHECKING

from harness.bench.intervals import FEWEST, speed, speed_ratio

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from harness.bench.records import Comparison, SpeedEstimate, Verdict

NOISY = 0.05
"""Relative half-width above which a figure is too noisy to be stated."""
LOOKS = (12, 15, 19, 24, 30, 38, 48, 60, 75, 94, 118, 148, 185, 232, 290)
"""Numbers of rounds at which precision is judged, each a quarter more than the one before.

Few rounds can agree by chance, and whoever looks after every round stops when they do: 600 simulated benches
covered the truth in 92 % when judged after each round, in 96 % when judged at these.
"""
MOST_ROUNDS = 290
SETTLED = 0.03
"""Warm-up is over when the medians of three rounds and of the three before differ by less."""
MOST_WARM_UP = 15


def has_settled(seconds: Sequence[float]) -> bool:
    """Whether the last three rounds take as long as the three before, within SETTLED."""
    if len(seconds) < 6:
        return False
    before, now = statistics.median(seconds[-6:-3]), statistics.median(seconds[-3:])
    return abs(now / before - 1) <= SETTLED


@dataclass(frozen=True, slots=True)
class Target:
    """How precise is enough, and when time is up."""

    margin: float
    """Relative half-width of every interval that is to be reached."""
    deadline: float
    """When to stop all the same, on the session's clock."""


def is_enough(seconds: Mapping[str, Sequence[float]], target: Target, now: float) -> bool:
    """Whether to stop timing rounds: precise enough, or out of time.

    seconds: per variant, the wall time of each round so far; the first variant is what others are
    compared with. Precise means that every variant's own interval and every ratio's is within the margin.
    Out of time, the fewest rounds that have an interval at all are still finished.
    """
    base, *others = seconds.values()
    if len(base) >= MOST_ROUNDS:
        return True
    if now >= target.deadline:
        return len(base) >= FEWEST
    if len(base) not in LOOKS:
        return False
    estimates = [speed(one, 1) for one in seconds.values()]
    # What all processes share is no matter of more rounds, so it does not count here.
    estimates += [speed_ratio(one, base, spread=0.0) for one in others]
    return all(one.half_width <= target.margin for one in estimates)


def verdict(estimate: SpeedEstimate) -> Verdict:
    """Whether a speed may be stated."""
    return "measured" if estimate.half_width <= NOISY else "too noisy to say"


def comparison(ratio: SpeedEstimate) -> Comparison:
    """What a ratio of speeds shows.

    Where it is noisy, only a difference that is larger than the noise we accept is stated.
    """
    noisy = ratio.half_width > NOISY
    beyond = 1 + NOISY if noisy else 1.0
    if ratio.low > beyond:
        return "faster"
    if ratio.high < 1 / beyond:
        return "slower"
    return "too noisy to say" if noisy else "no difference seen"
