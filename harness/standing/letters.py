"""Compact letter displays: models that share a letter do not differ significantly."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np


def letters(differ: np.ndarray, most: int | None = None) -> list[str] | None:
    """Give models letters, so that two share one exactly where they do not differ.

    differ: (n, n) bool, symmetric, its diagonal False; models in the order in which letters are to come.
    A letter stands for a set of models that do not differ from each other, and every such pair is in a set: a
    cover of edges by cliques, here by growing each from the first pair that is not covered yet. Beyond z
    come aa, ab, …; letters of a model are then separated by commas. None where more than `most` are needed.
    Source: Gramm et al. (2008), "Algorithms for compact letter displays: comparison and evaluation".
    """
    cliques = _cover(_neighbours(differ), most)
    if cliques is None:
        return None
    names = [_name(place) for place in range(len(cliques))]
    between = "," if any(len(name) > 1 for name in names) else ""
    return [
        between.join(name for name, clique in zip(names, cliques, strict=True) if clique >> model & 1)
        for model in range(len(differ))
    ]


def _neighbours(differ: np.ndarray) -> list[int]:
    """For each model the set of those that it does not differ from, itself left out, as bits of a number."""
    found = []
    for model, row in enumerate(differ):
        bits = int("".join("0" if cell else "1" for cell in row[::-1]), 2)
        found.append(bits & ~(1 << model))
    return found


def _cover(neighbours: list[int], most: int | None) -> list[int] | None:
    """Cliques that hold every pair of neighbours, and every model; None where more than `most` are found."""
    cliques: list[int] = []
    uncovered = list(neighbours)
    for model, around in enumerate(neighbours):
        if not around:
            cliques.append(1 << model)
        while later := uncovered[model] >> (model + 1):
            other = model + 1 + _lowest(later)
            clique = _grown((1 << model) | (1 << other), neighbours[model] & neighbours[other], neighbours)
            cliques.append(clique)
            for member in _members(clique):
                uncovered[member] &= ~clique
            if most is not None and len(cliques) > most:
                return None
    return cliques


def _grown(clique: int, common: int, neighbours: list[int]) -> int:
    """Add what all members are neighbours of, in order, until nothing is left."""
    while common:
        added = _lowest(common)
        clique |= 1 << added
        common &= neighbours[added]
    return clique


def _members(clique: int) -> list[int]:
    members = []
    while clique:
        members.append(_lowest(clique))
        clique &= clique - 1
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
