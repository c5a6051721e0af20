"""Take off what many texts begin with, such as a base's instruction: it says nothing of a text."""

from __future__ import annotations

import re
from collections import defaultdict
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

SHARED = 0.2
"""Minimum share of the distinct texts that begin alike."""
FEWEST = 5
"""Minimum number of texts that begin alike."""
_MOST_WORDS = 64
"""Maximum number of words of a beginning."""
_WORD = re.compile(r"\S+")


def without_shared_prefix(texts: Iterable[str], shortest: int = 1) -> dict[str, str]:
    """Return each distinct text → what follows the longest beginning that it shares with many others.

    A beginning is of whole words, and at least one word follows it. shortest: minimum length in characters of
    a beginning that is taken off.
    """
    rest = {text: text for text in texts}
    least = max(FEWEST, SHARED * len(rest))
    groups = [list(rest)] if len(rest) >= least else []
    words = {text: [(word[0], word.start()) for word in _first_words(text)] for text in rest}
    for place in range(_MOST_WORDS):
        longer = [group for alike in groups for group in _by_word(alike, words, place) if len(group) >= least]
        for text in (text for group in longer for text in group):
            follows = words[text][place + 1][1] if place + 1 < len(words[text]) else 0
            if follows >= shortest:
                rest[text] = text[follows:]
        groups = longer
    return rest


def _first_words(text: str) -> Iterator[re.Match[str]]:
    return (word for word, _ in zip(_WORD.finditer(text), range(_MOST_WORDS + 1), strict=False))


def _by_word(alike: list[str], words: dict[str, list[tuple[str, int]]], place: int) -> list[list[str]]:
    """Return the groups of texts with the same word in a place; texts that end before it are left out."""
    groups: defaultdict[str, list[str]] = defaultdict(list)
    for text in alike:
        if place < len(words[text]):
            groups[words[text][place][0]].append(text)
    return list(groups.values())
