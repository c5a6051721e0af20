"""Recognize texts of rows in what is written, and cover them with their hashes."""

from __future__ import annotations

import hashlib
import itertools
import re
from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from harness.finding import Finding

WITHHELD = "withheld: it may quote a text (--no-texts)"
_PROSE = 4
"""Minimum number of words of a cell that is always covered, and of a run of words that is searched."""
_SHORTEST = 4
"""Minimum number of characters of a text that is searched in a sentence: shorter ones match by chance."""
_QUOTED = re.compile(r"(?<!\w)(['\"]).*\1(?!\w)|“.*”|«.*»|`.*`", re.DOTALL)
"""From the first quotation mark to the last of its kind: a quoted text may hold quotation marks itself."""
_LONGEST_NAME = 300
"""Maximum number of characters of a text whose words are compared, however they are separated."""
_WORD = re.compile(r"[^\W_]+")


class TextCover:
    """The texts of some columns, to recognize them in what is written."""

    def __init__(self, columns: Iterable[Iterable[str]]) -> None:
        self._whole = {cell.strip() for cells in columns for cell in cells}
        self._whole = {text for text in self._whole if any(map(str.isalpha, text))}
        self._folded = {_folded(text) for text in self._whole}

    def cover(self, value: Any) -> Any:  # noqa: ANN401 - any plain data
        """Replace texts in plain data, at any depth, by their hashes."""
        if isinstance(value, str):
            return hashed(value) if self._is_text(value) else value
        if isinstance(value, dict):
            return {self.cover(name): self.cover(inner) for name, inner in value.items()}
        if isinstance(value, list | tuple):
            return [self.cover(inner) for inner in value]
        return self.cover(value.tolist()) if hasattr(value, "tolist") else value

    def cover_fitted(self, value: Any) -> Any:  # noqa: ANN401 - any plain data
        """Replace each string that shares a word with a text, at any depth, by its hash."""
        if isinstance(value, dict):
            return {self.cover_fitted(name): self.cover_fitted(inner) for name, inner in value.items()}
        if isinstance(value, list | tuple):
            return [self.cover_fitted(inner) for inner in value]
        if isinstance(value, str):
            return hashed(value) if self._is_text(value) or self._words & _words(value) else value
        return self.cover_fitted(value.tolist()) if hasattr(value, "tolist") else value

    @cached_property
    def _words(self) -> set[str]:
        return {word for text in self._whole for word in _words(text)}

    def cover_words(self, sentence: str) -> str:
        """Return a sentence without what it quotes; one that has a text in it all the same is withheld."""
        bare = _QUOTED.sub("“…”", sentence)
        words = [match.span() for match in re.finditer(r"\S+", bare)]
        runs = [bare[words[at][0] : words[at + _PROSE - 1][1]] for at in range(len(words) - _PROSE + 1)]
        for text in self._whole:
            if (len(text) >= _SHORTEST and text in bare) or any(run in text for run in runs):
                return WITHHELD
        return bare

    def cover_finding(self, finding: Finding) -> Finding:
        """Return a finding whose evidence and remedy quote no text."""
        return replace(
            finding, evidence=self.cover_words(finding.evidence), remedy=self.cover_words(finding.remedy)
        )

    def _is_text(self, value: str) -> bool:
        return len(value.split()) >= _PROSE or _folded(value) in self._folded


def tells(name: str, text: str) -> bool:
    """Whether a name contains all words of a text, or is two words or more of it."""
    own = spelled_words(name)
    count = own.count(" ") + 1
    # Most texts are longer than a name, and most names are one word: neither is then searched.
    first = [match[0] for match in itertools.islice(_WORD.finditer(text), count + 1)]
    spelled = " ".join(first).casefold()
    if len(first) <= count and len(spelled) >= _SHORTEST and any(map(str.isalpha, spelled)):
        return f" {spelled} " in f" {own} "
    if count < 2 or not any(map(str.isalpha, own)) or own.partition(" ")[0] not in text.casefold():
        return False
    return f" {own} " in f" {spelled_words(text)} "


def _folded(text: str) -> str:
    """Return what equal texts share: the words of a short one, all of a long one, which takes less time."""
    return spelled_words(text) if len(text) <= _LONGEST_NAME else text.strip().casefold()


def spelled_words(text: str) -> str:
    """Return the words of a text in lower case, with one space between two."""
    return " ".join(_WORD.findall(text)).casefold()


def _words(text: str) -> set[str]:
    """Return the words of a text of three characters or more with a letter, in lower case."""
    return {word for word in re.findall(r"[^\W_]{3,}", text.lower()) if any(map(str.isalpha, word))}


def strings_in(values: Iterable[Any]) -> Iterator[str]:
    """Yield the strings of a column, those in lists at any depth too."""
    for value in values:
        if isinstance(value, str):
            yield value
        elif isinstance(value, list | tuple):
            yield from strings_in(value)


def hashed(text: str) -> str:
    """Return the name of a text: the same one for every model, so that examples still pair."""
    return "#" + hashlib.sha256(text.strip().encode(errors="surrogatepass")).hexdigest()[:16]
