"""Compact letter displays: two models share a letter exactly where they do not differ significantly."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

_MOST_STEPS = 500_000
"""Maximum number of comparisons of sets while inserting, about a tenth of a second.

Hundreds of models can have more maximal sets than can be enumerated.
"""

_SWEEP_LIMIT = 3
"""Maximum ratio of letters to allowed letters at which sweeping is tried: it seldom more than halves them."""


def letters(differ: np.ndarray, most: int | None = None) -> list[list[str]] | None:
    """Return the letters of each model, so that two share one exactly where they do not differ: n lists.

    differ: (n, n) bool, symmetric, with a diagonal of False; letters are given in the order of its models.
    most: maximum number of letters of a model; None is returned where one would need more, or so many more
    that the sweep is not tried.
    A letter is a set of models of which none differs from another. All maximal sets are found by inserting
    one model after the other and absorbing sets that are parts of others; then redundant letters are swept.
    Where there are too many sets, each uncovered pair is grown into a set instead. Each model has a letter.
    Letters beyond z are named like the columns of a spreadsheet: aa, ab, …
    Sources: Piepho (2004), "An algorithm for a letter-based representation of all-pairwise comparisons";
    Gramm et al. (2008), "Algorithms for compact letter displays: comparison and evaluation" (the cover).
    """
    alike = _alike_models(differ)
    sets = _insert_models(alike)
    if sets is None:
        sets = _cover(alike, None if most is None else most * len(alike))
    if sets is None or (most is not None and _max_sets(sets, len(alike)) > _SWEEP_LIMIT * most):
        return None
    names: list[list[str]] = [[] for _ in alike]
    for index, members in enumerate(sorted(map(_to_members, _sweep(sets, len(alike))))):
        for model in members:
            names[model].append(_letter(index))
    return None if most is not None and max(map(len, names), default=0) > most else names


def join_letters(names: Sequence[Sequence[str]]) -> list[str]:
    """Return each model's letters as text: `abc`, or `z,aa,ab` where the board has letters beyond z."""
    separator = "," if any(len(name) > 1 for own in names for name in own) else ""
    return [separator.join(own) for own in names]


def _alike_models(differ: np.ndarray) -> list[int]:
    """Return for each model the models, itself included, that it does not differ from: bits of an int."""
    packed = np.packbits(~np.asarray(differ, dtype=bool), axis=1, bitorder="little")
    return [int.from_bytes(row.tobytes(), "little") | 1 << model for model, row in enumerate(packed)]


def _insert_models(alike: Sequence[int]) -> list[int] | None:
    """Return all maximal sets of models that do not differ; None where that takes too many steps."""
    columns: list[int] = []
    steps = 0
    for model, own in enumerate(alike):
        # Sets that remain without the model, and the part of each set that it can join.
        kept = [column for column in columns if column & ~own]
        split = sorted({column & own for column in columns}, key=lambda part: (-part.bit_count(), part))
        maximal: list[int] = []
        for part in split or [0]:
            steps += len(maximal) + 1
            if steps > _MOST_STEPS:
                return None
            if not any(part & ~other == 0 for other in maximal):
                maximal.append(part)
        columns = kept + [part | 1 << model for part in maximal]
    return columns


def _cover(alike: Sequence[int], most: int | None = None) -> list[int] | None:
    """Return maximal sets that cover every model and every pair that does not differ: few, if not the fewest.

    None where there are more than `most`.
    """
    columns: list[int] = []
    uncovered = list(alike)
    for model, own in enumerate(alike):
        while later := uncovered[model] >> model:
            other = model + _lowest(later)
            together, common = 1 << model | 1 << other, own & alike[other]
            fresh = uncovered[model] | uncovered[other]
            while common := common & ~together:
                # Models with uncovered pairs first: fewer sets are needed.
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


def _max_sets(columns: Sequence[int], count: int) -> int:
    """Return the maximum number of sets that a model is in."""
    within = np.zeros(count, dtype=int)
    for column in columns:
        within[_to_members(column)] += 1
    return int(within.max(initial=0))


def _sweep(columns: Sequence[int], count: int) -> list[int]:
    """Remove sets, then single models of sets, whose pairs all share another letter; the last ones first."""
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
    """Remove from a set the members that share another letter with each of the rest, and update `shared`."""
    spare = members[(shared[np.ix_(members, members)] > 1).all(axis=1)]
    for member in spare[::-1]:
        if (shared[member, members] > 1).all():
            shared[member, members] -= 1
            members = members[members != member]
            shared[members, member] -= 1
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


def _letter(index: int) -> str:
    """Return the name of a letter, like the columns of a spreadsheet: a, …, z, aa, ab, …"""
    name = ""
    index += 1
    while index:
        index, letter = divmod(index - 1, 26)
        name = chr(ord("a") + letter) + name
    return name
