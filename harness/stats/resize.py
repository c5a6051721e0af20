"""Pairs made of others: of more examples or fewer of the same kind."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from harness.stats.answer_pair import AnswerPair, Answers

if TYPE_CHECKING:
    from numpy.typing import ArrayLike


def resize(pair: AnswerPair, units: int, order_by: ArrayLike) -> AnswerPair:
    """Return a pair of so many units, which resemble those of another.

    order_by: (pair.count,), a value of each unit, such as its influence. Units are drawn evenly along it, so
    that the new pair has about the same distribution of it; nothing is random.
    """
    order = np.argsort(np.asarray(order_by), kind="stable")
    steps = (np.arange(units) + 0.5) * pair.count / units
    return draw_units(pair, order[np.minimum(steps.astype(int), pair.count - 1)])


def draw_units(pair: AnswerPair, drawn: np.ndarray) -> AnswerPair:
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
    return AnswerPair(pair.metric, sides[0], sides[1], units, np.arange(len(drawn)))


def _side(answers: Answers, rows: np.ndarray, units: np.ndarray, count: int) -> Answers:
    kept = answers.kept[rows]
    own = (np.cumsum(answers.kept) - 1)[rows][kept]
    columns = [column[own] for column in answers.columns]
    return Answers(answers.metric, columns, units[kept], count, kept)
