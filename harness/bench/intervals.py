"""Nonparametric 95 % intervals for speeds and for their ratios.

Round times on a shared machine have heavy tails: a round next to another process may take twice as long.
Medians and ranks are robust to that.
"""

from __future__ import annotations

import itertools
import math
import statistics
from functools import cache
from typing import TYPE_CHECKING

from harness.bench.records import SpeedEstimate
from harness.stats.proportions import Z_95

if TYPE_CHECKING:
    from collections.abc import Sequence

FEWEST = 6
"""Minimum number of rounds for a 95 % interval, by ranks or by order statistics."""

PROCESS_SPREAD = 0.005
"""Standard deviation of log-speed between processes of the same model.

Memory layout differs between processes, so one can be consistently faster. Rounds within a process cannot
show that, so every ratio's interval is widened by it. docs/bench.md has the source of the figure.
"""


def median_interval(values: Sequence[float]) -> SpeedEstimate:
    """Return the median and its interval by order statistics; assumes only that values are independent.

    The ends are the k-th smallest and k-th largest value, with k from the binomial distribution.
    With fewer than FEWEST values the interval is infinite.
    Source: Conover (1999), "Practical nonparametric statistics", section 3.2.
    """
    ordered = sorted(values)
    middle = statistics.median(ordered)
    if len(ordered) < FEWEST:
        return SpeedEstimate(middle, -math.inf, math.inf)
    rank = _binomial_rank(len(ordered))
    return SpeedEstimate(middle, ordered[rank], ordered[-1 - rank])


def speed(seconds: Sequence[float], texts: int) -> SpeedEstimate:
    """Return the median of texts per second over rounds, with its interval."""
    return median_interval([texts / each for each in seconds])


def speed_ratio(
    seconds: Sequence[float], against: Sequence[float], *, spread: float = PROCESS_SPREAD
) -> SpeedEstimate:
    """Return how many times faster the first is than `against`, from interleaved rounds.

    Each pair of rounds gives one log-ratio: what slows both cancels. Their center is the Hodges-Lehmann
    estimate, the median of all averages of two (Walsh averages); the interval inverts Wilcoxon's
    signed-rank test. It assumes only log-ratios symmetric about their center, with independent signs; for a
    model against itself, the random order of rounds ensures this under any load of the machine.
    Source: Hollander, Wolfe and Chicken (2014), "Nonparametric statistical methods", section 3.2 to 3.4.
    The interval is then widened in quadrature by `spread`, the standard deviation of log-speed between two
    processes of one model.
    Raises ValueError if the lengths differ. With fewer than FEWEST rounds the interval is infinite.
    """
    logs = [math.log(base / own) for own, base in zip(seconds, against, strict=True)]
    pairs = itertools.combinations_with_replacement(logs, 2)
    walsh = sorted((first + second) / 2 for first, second in pairs)
    center = statistics.median(walsh)
    if len(logs) < FEWEST:
        return SpeedEstimate(math.exp(center), 0.0, math.inf)
    rank = _wilcoxon_rank(len(logs))
    processes = Z_95 * math.sqrt(2) * spread
    low = center - math.hypot(center - walsh[rank], processes)
    high = center + math.hypot(walsh[-1 - rank] - center, processes)
    return SpeedEstimate(math.exp(center), math.exp(low), math.exp(high))


@cache
def _binomial_rank(count: int) -> int:
    """Return the number of values outside the interval on each side: the largest k with tails ≤ 2.5 %."""
    below, rank = 0.0, -1
    while below + math.comb(count, rank + 1) / 2**count <= 0.025:
        rank += 1
        below += math.comb(count, rank) / 2**count
    return rank


@cache
def _wilcoxon_rank(count: int) -> int:
    """Return the number of Walsh averages outside the interval on each side.

    Up to 60 rounds exact, by counting the sign patterns (of 2^n) with each sum of ranks; above, by the
    normal approximation.
    """
    if count > 60:
        mean = count * (count + 1) / 4
        deviation = math.sqrt(count * (count + 1) * (2 * count + 1) / 24)
        return int(mean - Z_95 * deviation) - 1
    ways = [1] + [0] * (count * (count + 1) // 2)
    for rank in range(1, count + 1):
        for total in range(len(ways) - 1, rank - 1, -1):
            ways[total] += ways[total - rank]
    below, outside = 0, -1
    while below + ways[outside + 1] <= 0.025 * 2**count:
        outside += 1
        below += ways[outside]
    return outside
