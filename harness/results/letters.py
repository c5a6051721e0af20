"""Compact letter displays: models share a letter exactly where they do not differ significantly."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

_MOST_STEPS = 500_000
"""Comparisons of sets while inserting: about a tenth of a second. A board of hundreds of models can have
more maximal sets than anybody can count."""

_SWEPT_AT_BEST = 3
"""Sweeping halves the letters of a model, seldom more: with so many times too many it is not tried."""


def letters(differ: np.ndarray, most: int | None = None) -> list[list[str]] | None:
    """Give models letters, so that two share one exactly where they do not differ: n lists, none empty.

    differ: (n, n) bool, symmetric, its diagonal False; models in the order in which letters are to come.
    A letter stands for a set of models of which none differs from another. All maximal sets are found by
    inserting one model after the other and absorbing sets that lie in others, then letters are swept out
    that say nothing new. Where the sets are too many, each pair that no set holds yet grows one instead.
    Names go on beyond z as a spreadsheet's columns do: aa, ab, … None where some model would have more than
    `most` letters, or so clearly more that the sweep is not tried.
    Sources: Piepho (2004), "An algorithm for a letter-based representation of all-pairwise comparisons";
    Gramm et al. (2008), "Algorithms for compact letter displays: comparison and evaluation" (the cover).
    """
    alike = _alike_models(differ)
    found = _insert_models(alike)
    if found is None:
        found = _cover(alike, None if most is None else most * len(alike))
    if found is None or (most is not None and _densest(found, len(alike)) > _SWEPT_AT_BEST * most):
        return None
    given: list[list[str]] = [[] for _ in alike]
    for place, members in enumerate(sorted(_to_members(together) for together in _sweep(found, len(alike)))):
        for model in members:
            given[model].append(_name(place))
    return None if most is not None and max(map(len, given), default=0) > most else given


def join_letters(given: Sequence[Sequence[str]]) -> list[str]:
    """Write each model's letters: `abc`, or `z,aa,ab` where some letter of the board is longer than one."""
    between = "," if any(len(name) > 1 for own in given for name in own) else ""
    return [between.join(own) for own in given]


def _alike_models(differ: np.ndarray) -> list[int]:
    """For each model the set of those that it does not differ from, itself among them: bits of a number."""
    packed = np.packbits(~np.asarray(differ, dtype=bool), axis=1, bitorder="little")
    return [int.from_bytes(row.tobytes(), "little") | 1 << model for model, row in enumerate(packed)]


def _insert_models(alike: Sequence[int]) -> list[int] | None:
    """All maximal sets of models that do not differ; None where finding them takes too many steps."""
    columns: list[int] = []
    steps = 0
    for model, own in enumerate(alike):
        # What stays as it is without the model, and what of each set may stand with it.
        kept = [column for column in columns if column & ~own]
        split = sorted({column & own for column in columns}, key=lambda one: (-one.bit_count(), one))
        maximal: list[int] = []
        for one in split or [0]:
            steps += len(maximal) + 1
            if steps > _MOST_STEPS:
                return None
            if not any(one & ~other == 0 for other in maximal):
                maximal.append(one)
        columns = kept + [one | 1 << model for one in maximal]
    return columns


def _cover(alike: Sequence[int], most: int | None = None) -> list[int] | None:
    """Maximal sets that hold every pair which does not differ, and every model: few, if not the fewest.

    None where more than `most` are found.
    """
    columns: list[int] = []
    uncovered = list(alike)
    for model, own in enumerate(alike):
        while later := uncovered[model] >> model:
            other = model + _lowest(later)
            together, common = 1 << model | 1 << other, own & alike[other]
            fresh = uncovered[model] | uncovered[other]
            while common := common & ~together:
                # Who brings pairs that no set holds yet comes first: fewer sets are needed.
                added = _lowest(common & fresh or common)
                together |= 1 << added
                common &= alike[added]
                fresh |= uncovered[added]
            columns.append(together)
            if most is not None and len(columns) > most:
                return None
            for member in _to_members(together):
                uncovered[member] &= ~together
    return columns


def _densest(columns: Sequence[int], count: int) -> int:
    """The most sets that one model is in."""
    within = np.zeros(count, dtype=int)
    for column in columns:
        within[_to_members(column)] += 1
    return int(within.max(initial=0))


def _sweep(columns: Sequence[int], count: int) -> list[int]:
    """Leave out sets, then single models of sets, whose pairs all share another letter; last ones first."""
    sets = [np.array(_to_members(column)) for column in columns]
    shared = np.zeros((count, count), dtype=np.int32)
    for members in sets:
        shared[np.ix_(members, members)] += 1
    kept = []
    for members in reversed(sets):
        block = np.ix_(members, members)
        if (shared[block] > 1).all():
            shared[block] -= 1
        else:
            kept.append(members)
    return [_to_bits(_without_spare(members, shared)) for members in kept]


def _without_spare(members: np.ndarray, shared: np.ndarray) -> np.ndarray:
    """Take a letter from those of its members who share another with each of the rest, in `shared` too."""
    spare = members[(shared[np.ix_(members, members)] > 1).all(axis=1)]
    for one in spare[::-1]:
        if (shared[one, members] > 1).all():
            shared[one, members] -= 1
            members = members[members != one]
            shared[members, one] -= 1
    return members


def _to_bits(members: np.ndarray) -> int:
    return sum(1 << int(member) for member in members)


def _to_members(together: int) -> list[int]:
    members = []
    while together:
        members.append(_lowest(together))
        together &= together - 1
    return members


def _lowest(bits: int) -> int:
    return (bits & -bits).bit_length() - 1


def _name(place: int) -> str:
    """Name letters as a spreadsheet names its columns: a, …, z, aa, ab, …"""
    name = ""
    place += 1
    while place:
        place, letter = divmod(place - 1, 26)
        name = chr(ord("a") + letter) + name
    return name
