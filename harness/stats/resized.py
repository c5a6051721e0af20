"""Pairs made of others: of more examples or fewer of the same kind, or with a gain of some."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from harness.stats.curve import UNBOUNDED
from harness.stats.paired import Answers, Paired

if TYPE_CHECKING:
    from numpy.typing import ArrayLike


def resized(pair: Paired, units: int, order_by: ArrayLike) -> Paired:
    """Return a pair of so many units, which resemble those of another.

    order_by: (pair.count,), a value of each unit, such as its influence. Units are drawn evenly along it, so
    that the new pair has about the same distribution of it; nothing is random.
    """
    order = np.argsort(np.asarray(order_by), kind="stable")
    steps = (np.arange(units) + 0.5) * pair.count / units
    return draw_units(pair, order[np.minimum(steps.astype(int), pair.count - 1)])


def draw_units(pair: Paired, drawn: np.ndarray) -> Paired:
    """Return a pair of these units of another; one that is drawn twice becomes two units.

    drawn: (m,) int, each in [0, pair.count).
    """
    sizes = np.bincount(pair.units, minlength=pair.count)
    by_unit = np.argsort(pair.units, kind="stable")
    starts = np.cumsum(sizes) - sizes
    counts = sizes[drawn]
    offsets = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)
    rows = by_unit[np.repeat(starts[drawn], counts) + offsets]
    units = np.repeat(np.arange(len(drawn)), counts)
    sides = [_side(side, rows, units, len(drawn)) for side in (pair.baseline, pair.candidate)]
    return Paired(pair.metric, sides[0], sides[1], units, np.arange(len(drawn)))


def _side(answers: Answers, rows: np.ndarray, units: np.ndarray, count: int) -> Answers:
    kept = answers.kept[rows]
    own = (np.cumsum(answers.kept) - 1)[rows][kept]
    columns = [column[own] for column in answers.columns]
    return Answers(answers.metric, columns, units[kept], count, kept)


def can_gain(pair: Paired) -> bool:
    """Whether `with_gained_units` knows such pairs: means of the same examples, each on its own."""
    return pair.metric.per_example and pair.same_rows and not pair.clustered


def with_gained_units(pair: Paired, gain: float, size: float) -> Paired | None:
    """Return a pair of means with so much more gain, by units that did not differ before.

    size: by how much each of them gains, about. Values between 0 and 1 stay there: the candidate's rise, or
    the baseline's fall. None where too few have room for that.
    """
    left, right = pair.baseline.values.copy(), pair.candidate.values.copy()
    count = math.ceil(gain * pair.count / size - 1e-9)
    each = gain * pair.count / max(count, 1)
    low, high = (0.0, 1.0) if ((left >= 0) & (right >= 0) & (left <= 1) & (right <= 1)).all() else UNBOUNDED
    same = left == right
    rising = np.flatnonzero(same & (right + each <= high))[:count]
    right[rising] += each
    falling = np.flatnonzero(same & (left == right) & (left - each >= low))[: count - len(rising)]
    left[falling] -= each
    if len(rising) + len(falling) < count:
        return None
    sides = [
        Answers(pair.metric, [values, *side.columns[1:]], side.units, side.count, side.kept)
        for side, values in ((pair.baseline, left), (pair.candidate, right))
    ]
    return Paired(pair.metric, sides[0], sides[1], pair.units, pair.names)
