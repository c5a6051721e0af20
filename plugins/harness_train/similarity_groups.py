"""Split similarities into two groups that are far apart, without looking at any label."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator

APART = 5.0
"""Minimum distance of both means, in standard deviations within the groups; of uniform values it is 3.5."""
BETWEEN = 0.1
"""Maximum share of the values in the middle half of the way from one mean to the other."""
SMALLEST = 0.1
"""Minimum share of the values in each group."""


def find_groups(values: np.ndarray) -> np.ndarray | None:
    """Return which values are in the higher one of two groups: (n,) bool; None if there are no such groups.

    values: (n,) float. The groups are those with the least squared distances to their means.
    """
    ordered = np.sort(values)
    best = min(_splits(ordered), default=None)
    if best is None or best[0] <= 0:
        return None
    within, place = best
    low, high = ordered[:place], ordered[place:]
    way = float(high.mean() - low.mean())
    middle = float(high.mean() + low.mean()) / 2
    between = float((np.abs(values - middle) < way / 4).mean())
    if way < APART * (within / len(values)) ** 0.5 or between > BETWEEN:
        return None
    higher: np.ndarray = values > (low[-1] + high[0]) / 2
    return higher


def _splits(ordered: np.ndarray) -> Iterator[tuple[float, int]]:
    """Yield the sum of squared distances to the means of both parts, and the place of each split."""
    count, sums, squares = len(ordered), np.cumsum(ordered), np.cumsum(ordered**2)
    smallest = max(2, round(SMALLEST * count))
    for place in range(smallest, count - smallest + 1):
        below = squares[place - 1] - sums[place - 1] ** 2 / place
        above = squares[-1] - squares[place - 1] - (sums[-1] - sums[place - 1]) ** 2 / (count - place)
        yield float(below + above), place
