"""Names of examples and documents without the texts that they spell, for a report with `--no-texts`."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from harness.evaluation.text_cover import TextCover, hashed, spelled_words, tells

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

_WORD = re.compile(r"[^\W\d_]{3,}")
_FEWEST_WORDS = 2
"""Minimum number of words of a name that may be one of a text that is not at hand, such as a title."""
_SHORTEST = 4
"""Minimum number of characters of a text that is searched in a name: shorter ones match by chance."""


class QuietNames:
    """What covers names that are texts, or may spell one."""

    def __init__(self, texts: Sequence[Sequence[str]]) -> None:
        self._rows = list(zip(*texts, strict=True))
        self._cover = TextCover(texts)

    def of_rows(self, names: Iterable[str]) -> list[str]:
        """Return ids or clusters, one for each row, in order."""
        names = list(names)
        rows = self._rows or [()] * len(names)
        return [
            hashed(name) if any(_holds(name, text) for text in row) else self.name(name)
            for name, row in zip(names, rows, strict=True)
        ]

    def name(self, name: str) -> str:
        """Return an id of an example or of a document; its hash where it may spell a text."""
        return hashed(name) if len(_WORD.findall(spelled_words(name))) >= _FEWEST_WORDS else self.word(name)

    def word(self, word: str) -> str:
        """Return a class, or an answer in words; its hash where it is a text."""
        covered: str = self._cover.cover(word)
        return covered


def _holds(name: str, text: str) -> bool:
    """Whether a name has a text of its row in it, letter by letter or by its words."""
    return (len(text) >= _SHORTEST and text in name) or tells(name, text)
