"""What several tests have in common: lines on the same examples are correlated, unit by unit."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterator, Sequence

    from harness.stats.gain import Gain


@dataclass(frozen=True, slots=True, eq=False)
class Line:
    """One test of a family, and what its estimate has in common with those of other lines."""

    p: float
    """Two-sided, not corrected; NaN where there is no test."""
    sample: Hashable
    """What the units belong to, such as a task and its data; lines of different samples are independent."""
    influence: np.ndarray | None
    """(units,): influence of each unit on the gain; None where unknown."""
    unit_names: np.ndarray | None
    """(units,): lines of one sample share the units of the same name."""


def line_of(gain: Gain | None, sample: Hashable) -> Line:
    """Return the line of a gain on the examples of a sample; one without a test where there is no gain."""
    if gain is None:
        return Line(p=math.nan, sample=sample, influence=None, unit_names=None)
    return Line(p=gain.p, sample=sample, influence=gain.influence, unit_names=gain.unit_names)


@dataclass(frozen=True, slots=True, eq=False)
class SampleLines:
    """The lines of one sample."""

    positions: list[int]
    """Their positions among all lines."""
    influences: np.ndarray
    """(units, lines): influence of each unit on each gain; 0 where a unit has no part in a line."""

    def covariance(self) -> np.ndarray:
        """Return the covariance of the gains: (lines, lines)."""
        units = len(self.influences)
        centered = self.influences - self.influences.mean(axis=0)
        return np.asarray(units / (units - 1) * (centered.T @ centered))


def by_sample(lines: Sequence[Line]) -> list[SampleLines]:
    """Group lines with known influences by sample, and align their units by name."""
    positions: dict[Hashable, list[int]] = {}
    for position, line in enumerate(lines):
        if line.influence is not None and line.unit_names is not None:
            positions.setdefault(line.sample, []).append(position)
    return [
        SampleLines(own, np.column_stack([*_aligned([lines[each] for each in own])]))
        for own in positions.values()
    ]


def _aligned(lines: Sequence[Line]) -> Iterator[np.ndarray]:
    """Yield the influences of each line by the units of all, (units,); 0 for units that it does not have."""
    names = [np.asarray(line.unit_names) for line in lines]
    first = names[0]
    if all(own is first or np.array_equal(first, own) for own in names[1:]):
        yield from (np.asarray(line.influence, dtype=float) for line in lines)
        return
    known = np.unique(np.concatenate(names))
    for line, own in zip(lines, names, strict=True):
        aligned = np.zeros(len(known))
        aligned[np.searchsorted(known, own)] = line.influence
        yield aligned
