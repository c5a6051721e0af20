"""Original English sentences from the lists in words.txt: the same texts on every machine, for ever.

Only `random.Random.random` is used, whose sequence Python promises to keep for a seed.
"""

from __future__ import annotations

import random
from functools import cache
from pathlib import Path

_FILE = Path(__file__).parent / "words.txt"


@cache
def _words() -> dict[str, list[str]]:
    """Read the lists: `kind: one | another`, a kind a line."""
    lines = (line.split(": ") for line in _FILE.read_text(encoding="utf-8").splitlines())
    return {kind: words.split(" | ") for kind, words in lines}


class Writer:
    """Writes sentences; two writers of one seed write the same."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)  # noqa: S311 - texts, not secrets

    def number(self, low: int, high: int, *, skew: float = 1.0) -> int:
        """A whole number from low to high; a skew above 1 makes small ones more frequent."""
        return low + int((high - low + 1) * self._random.random() ** skew)

    def text(self, words: int) -> str:
        """Sentences of exactly so many words in all."""
        sentences: list[list[str]] = []
        missing = words
        while missing > 0:
            sentence = self._sentence()[:missing]
            missing -= len(sentence)
            if missing < 3:
                sentence += self._sentence()[:missing]
                missing = 0
            sentences.append(sentence)
        return " ".join(_written(sentence) for sentence in sentences)

    def caption(self) -> str:
        """What one sees in a picture, as in the sentence pairs of similarity tests: 5 to 18 words."""
        who, act = self._one("people"), self._one("acts")
        verb = "are" if who[:3] in ("two", "the", "som") else "is"
        place = self._one("places") if self._random.random() < 0.4 else ""
        extra = f"while {self._noun_phrase()} looks on" if self._random.random() < 0.2 else ""
        return _written(f"{who} {verb} {act} {place} {extra}".split())

    def _sentence(self) -> list[str]:
        words = self._clause()
        if self._random.random() < 0.4:
            words[-1] += ","
            words += f"{self._one('links')} {' '.join(self._clause())}".split()
        return words

    def _clause(self) -> list[str]:
        place = f" {self._one('places')}" if self._random.random() < 0.5 else ""
        return f"{self._noun_phrase()} {self._one('verbs')} {self._noun_phrase()}{place}".split()

    def _noun_phrase(self) -> str:
        adjective = f"{self._one('adjectives')} " if self._random.random() < 0.6 else ""
        return f"the {adjective}{self._one('nouns')}"

    def _one(self, kind: str) -> str:
        words = _words()[kind]
        return words[int(self._random.random() * len(words))]


def _written(words: list[str]) -> str:
    """Begin with a capital, end with a full stop."""
    text = " ".join(words).rstrip(",")
    return f"{text[:1].upper()}{text[1:]}."
