"""Names shortened in the middle, so that no two of them look the same."""

from __future__ import annotations

from itertools import takewhile
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

_GAP = "…"
_LEAST = 5
"""Minimum characters of a shortened name: two of each end around the gap."""


def short_names(names: Collection[str], most: int) -> dict[str, str]:
    """Return each name with the name to show: itself, or its ends where it is longer than `most` characters.

    The gap is near the middle, where that tells all names apart, else where they are alike. Names that
    nothing so short tells apart get as many more characters as they need: distinct comes before short.
    """
    every = sorted({*names})
    for length in range(max(most, _LEAST), max(map(len, every), default=0)):
        for shown in _ways(every, length):
            if len(set(shown)) == len(every):
                return dict(zip(every, shown, strict=True))
    return {name: name for name in every}


def _ways(names: Sequence[str], length: int) -> Iterator[list[str]]:
    """Yield the names shortened to so many characters, the most readable way first."""
    room = length - len(_GAP)
    for head in sorted(range(1, room), key=lambda head: abs(head - (room + 1) // 2)):
        yield [name if len(name) <= length else f"{name[:head]}{_GAP}{name[head - room :]}" for name in names]
    # Names alike at both ends: what differs, between two gaps. A third of the room is for the beginning.
    cut = [name for name in names if len(name) > length]
    alike = _alike(cut)
    head = min(room // 3, alike)
    kept = room - len(_GAP) - head
    if alike > head and kept > 0:
        for start in (alike, max(alike - 4, head)):
            yield [
                name
                if len(name) <= length
                else f"{name[:head]}{_GAP}{name[start : start + kept]}"
                + (_GAP if start + kept < len(name) else "")
                for name in names
            ]


def _alike(names: Sequence[str]) -> int:
    """Return how many characters at the beginning all names have in common."""
    return sum(1 for _ in takewhile(lambda column: len({*column}) == 1, zip(*names, strict=False)))
