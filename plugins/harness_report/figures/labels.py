"""Where names stand beside their marks, none over another; `frontend/src/labels.ts` is the same.

Vega's own transform `label` needs a canvas, which vl-convert does not have.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

LIMIT = 150
"""Pixels of the longest name."""

_LETTER, _ABOVE, _BELOW, _BESIDE, _MARK = 6.3, 10, 3, 9, 6
"""Pixels: width of a letter, height of a name over and under its line, its distance, half a mark."""
_SHIFTS = (-9, 13, -22, 26, -35, 39)
"""Pixels from a mark down to the line of its name, the nearest first."""

_STEP = 10
"""Pixels between marks that stand beside each other."""
_ASIDE = (0, _STEP, -_STEP, 2 * _STEP, -2 * _STEP)

Box = tuple[float, float, float, float]
"""Left, top, right, bottom."""


@dataclass(frozen=True, slots=True)
class Spot:
    """A mark in a plot, in pixels from the left and the top; where its bars end."""

    x: float
    y: float
    left: float
    right: float
    top: float
    bottom: float
    name: str


@dataclass(frozen=True, slots=True)
class Placed:
    """Where a name stands: pixels from its mark."""

    dx: int
    dy: int
    align: str
    """`left` where the name begins there, `right` where it ends there."""


def beside(spots: Sequence[Spot]) -> list[float]:
    """Return how many pixels to the right each mark goes so that no upright bar lies over another."""
    found: list[float] = []
    for spot in spots:
        taken = [
            other.x + shift
            for other, shift in zip(spots, found, strict=False)
            if other.top - 2 * _MARK < spot.bottom and spot.top < other.bottom + 2 * _MARK
        ]
        free = [shift for shift in _ASIDE if all(abs(spot.x + shift - x) >= _STEP - 1 for x in taken)]
        found.append(free[0] if free else 0)
    return found


def place(spots: Sequence[Spot], width: float, height: float) -> list[Placed]:
    """Return a place for each name, in order; in a wider plot of the same height they stay apart too."""
    marks = [(one.x - _MARK, one.y - _MARK, one.x + _MARK, one.y + _MARK) for one in spots]
    bars = [
        box
        for one in spots
        for box in ((one.left, one.y - 1, one.right, one.y + 1), (one.x - 1, one.top, one.x + 1, one.bottom))
    ]
    taken: list[Box] = []
    found = []
    for spot in spots:
        choices = [
            Placed(dx, dy, side) for dy in _SHIFTS for dx, side in ((_BESIDE, "left"), (-_BESIDE, "right"))
        ]
        costs = [_cost(box(spot, choice), width, height, taken, marks, bars, choice) for choice in choices]
        best = choices[costs.index(min(costs))]
        found.append(best)
        if spot.name:
            taken.append(box(spot, best))
    return found


def box(spot: Spot, placed: Placed) -> Box:
    """Return the place of a name."""
    wide = min(LIMIT, _LETTER * len(spot.name))
    left = spot.x + placed.dx - (wide if placed.align == "right" else 0)
    line = spot.y + placed.dy
    return left, line - _ABOVE, left + wide, line + _BELOW


def _cost(
    own: Box,
    width: float,
    height: float,
    taken: Sequence[Box],
    marks: Sequence[Box],
    bars: Sequence[Box],
    placed: Placed,
) -> float:
    outside = max(0, -own[0]) + max(0, own[2] - width) + max(0, -own[1]) + max(0, own[3] - height)
    hits = [sum(meet(own, other) for other in others) for others in (taken, marks, bars)]
    return 100 * outside + 5000 * hits[0] + 500 * hits[1] + 15 * hits[2] + abs(placed.dy)


def meet(one: Box, other: Box) -> bool:
    """Whether two places lie over each other."""
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]
