"""Intervals for speeds and for their ratios, without assuming a distribution.

Rounds on a shared machine have heavy tails: a round that met another process takes twice as long. Medians
and ranks do not care how much longer. Intervals here are of 95 %.
"""

from __future__ import annotations

import itertools
import math
import statistics
from functools import cache
from typing import TYPE_CHECKING

from harness.bench.records import SpeedEstimate

if TYPE_CHECKING:
    from collections.abc import Sequence

FEWEST = 6
"""Fewer rounds than these have no interval of 95 %, by ranks or by order."""

PROCESS_SPREAD = 0.005
"""Standard deviation of log-speed between processes that run the very same thing.

Memory lies elsewhere in each process, so one can be steadily faster. Rounds within a process cannot show
that, so every ratio's interval is widened by it. See docs/bench.md for where the figure comes from.
"""

_Z = 1.959964


def median_interval(values: Sequence[float]) -> SpeedEstimate:
    """The median, with its interval by order statistics: it assumes independent values, no distribution.

    The ends are the k-th smallest and k-th largest value, with k from the binomial distribution.
    Fewer than FEWEST values have infinitely wide intervals.
    Source: Conover (1999), "Practical nonparametric statistics", section 3.2.
    """
    ordered = sorted(values)
    middle = statistics.median(ordered)
    if len(ordered) < FEWEST:
        return SpeedEstimate(middle, -math.inf, math.inf)
    rank = _binomial_rank(len(ordered))
    return SpeedEstimate(middle, ordered[rank], ordered[-1 - rank])


def speed(seconds: Sequence[float], texts: int) -> SpeedEstimate:
    """Texts per second, with the interval of their median over rounds."""
    return median_interval([texts / one for one in seconds])


def speed_ratio(
    seconds: Sequence[float], against: Sequence[float], *, spread: float = PROCESS_SPREAD
) -> SpeedEstimate:
    """How many times faster the first is, from rounds that lay side by side in time.

    Each pair of rounds gives one log-ratio: what slowed both cancels. Their center is the Hodges-Lehmann
    estimate, the median of all averages of two (Walsh averages); the interval inverts Wilcoxon's
    signed-rank test. It needs log-ratios symmetric about their center and signs independent of each other,
    and nothing else; for a model against itself, the random order of rounds brings this about,
    however the machine's load may wander. Source: Hollander, Wolfe and Chicken (2014), "Nonparametric
    statistical methods", section 3.2 to 3.4. The interval is then widened in quadrature by `spread`, the
    standard deviation of log-speed between two processes of one model.
    Raises ValueError if the two are not of one length. Fewer than FEWEST rounds: infinitely wide.
    """
    logs = [math.log(base / one) for one, base in zip(seconds, against, strict=True)]
    pairs = itertools.combinations_with_replacement(logs, 2)
    walsh = sorted((first + second) / 2 for first, second in pairs)
    center = statistics.median(walsh)
    if len(logs) < FEWEST:
        return SpeedEstimate(math.exp(center), 0.0, math.inf)
    rank = _wilcoxon_rank(len(logs))
    processes = _Z * math.sqrt(2) * spread
    low = center - math.hypot(center - walsh[rank], processes)
    high = center + math.hypot(walsh[-1 - rank] - center, processes)
    return SpeedEstimate(math.exp(center), math.exp(low), math.exp(high))


@cache
def _binomial_rank(count: int) -> int:
    """Number of values that lie outside the interval on each side: the largest k with tails ≤ 2.5 %."""
    below, rank = 0.0, -1
    while below + math.comb(count, rank + 1) / 2**count <= 0.025:
        rank += 1
        below += math.comb(count, rank) / 2**count
    return rank


@cache
def _wilcoxon_rank(count: int) -> int:
    """Number of Walsh averages outside the interval on each side.

    Exact by counting how many of the 2^n sign patterns give each sum of ranks, up to 60 rounds;
    beyond, by the normal approximation.
    """
    if count > 60:
        mean = count * (count + 1) / 4
        deviation = math.sqrt(count * (count + 1) * (2 * count + 1) / 24)
        return int(mean - _Z * deviation) - 1
    ways = [1] + [0] * (count * (count + 1) // 2)
    for rank in range(1, count + 1):
        for total in range(len(ways) - 1, rank - 1, -1):
            ways[total] += ways[total - rank]
    below, outside = 0, -1
    while below + ways[outside + 1] <= 0.025 * 2**count:
        outside += 1
        below += ways[outside]
    return outside
