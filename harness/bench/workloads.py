"""Workloads: fixed texts with digests, so that figures are comparable."""

from __future__ import annotations

import hashlib
import random
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from harness.errors import HarnessError
from harness.system.paths import user_path
from harness.system.text_file import read_text

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence


@dataclass(frozen=True, slots=True)
class Workload:
    """Texts to encode, and their name."""

    name: str
    texts: tuple[str, ...]

    @property
    def digest(self) -> str:
        """Hex SHA-256 of the texts, in order."""
        return hashlib.sha256("\n".join(self.texts).encode()).hexdigest()


def _short(writer: Writer) -> str:
    """Write a query or a title: 3 to 8 words."""
    return writer.text(writer.number(3, 8))


def _medium(writer: Writer) -> str:
    """Write a sentence or a short paragraph: 15 to 40 words."""
    return writer.text(writer.number(15, 40))


def _long(writer: Writer) -> str:
    """Write a passage: 150 to 250 words."""
    return writer.text(writer.number(150, 250))


def _sts(writer: Writer) -> str:
    """Write a sentence as in STS-B, a caption or news: 12 words on average."""
    return writer.caption() if writer.number(0, 9) < 7 else writer.text(writer.number(6, 24))


def _document(writer: Writer) -> str:
    """Write a document of a collection: 5 to 310 words, half of them below 60."""
    return writer.text(writer.number(5, 400, skew=3.0))


@dataclass(frozen=True, slots=True)
class _TextRecipe:
    """Definition of a built-in workload."""

    seed: int
    count: int
    """Default number of texts: about 4,000 tokens."""
    write: Callable[[Writer], str]


_BUILT_IN = {
    "short": _TextRecipe(1, 512, _short),
    "medium": _TextRecipe(2, 128, _medium),
    "long": _TextRecipe(3, 16, _long),
    "sts": _TextRecipe(4, 256, _sts),
    "documents": _TextRecipe(5, 40, _document),
}
NAMES = tuple(_BUILT_IN)
"""Names of the built-in workloads."""
DEFAULT = ("short", "sts", "documents")
"""Workloads of a bench that names none."""
_MOST_TEXTS = 1_000_000
"""Maximum number of texts of `NAME:TEXTS`."""


def make_workload(name: str) -> Workload:
    """Return a built-in workload: `sts`, or `sts:4096` for 4,096 texts, which begin with those of `sts`.

    All texts are distinct. Raises HarnessError for an unknown name or an invalid number.
    """
    kind, colon, number = name.partition(":")
    if kind not in _BUILT_IN:
        raise HarnessError.unknown("workload", kind, NAMES, hint="or give a file with one text a line")
    recipe = _BUILT_IN[kind]
    if colon and not (number.isdecimal() and len(number) < 9 and 0 < int(number) <= _MOST_TEXTS):
        raise HarnessError(f"workload {name!r} is not NAME:TEXTS", hint=f"such as {kind}:4096")
    writer, texts = Writer(recipe.seed), dict[str, None]()
    while len(texts) < (int(number) if colon else recipe.count):
        texts[recipe.write(writer)] = None
    return Workload(name, tuple(texts))


def read_workload(path: Path) -> Workload:
    """Return the non-empty lines of a file as a workload with the file's name.

    Raises HarnessError for a file that is missing, not UTF-8, or empty.
    """
    texts = tuple(line for line in read_text(path).split("\n") if line.strip())
    if not texts:
        raise HarnessError(f"{path} has no texts", hint="one text a line")
    return Workload(path.name, texts)


def select_workloads(words: Sequence[str]) -> list[Workload]:
    """Return workloads by name or file, each once; `all` selects all built-in ones.

    Raises HarnessError for an unknown name, and for two files with the same name.
    """
    named = list(dict.fromkeys(name for word in words for name in (NAMES if word == "all" else (word,))))
    chosen = [
        make_workload(word) if word.partition(":")[0] in _BUILT_IN else _file_workload(word) for word in named
    ]
    names = [each.name for each in chosen]
    for name in names:
        if names.count(name) > 1:
            raise HarnessError(f"two workloads are named {name!r}", hint="rename one of the files")
    return chosen


def _file_workload(word: str) -> Workload:
    path = user_path(word)
    if not path.is_file():
        raise HarnessError.unknown(
            "workload", word, (*NAMES, "all"), hint="or give a file with one text a line"
        )
    return read_workload(path)


_WORDS_FILE = Path(__file__).parent / "words.txt"
"""Words by kind, a kind per line: `kind: one | another`."""


@cache
def _words() -> dict[str, list[str]]:
    """Read the words of each kind."""
    lines = (line.split(": ") for line in _WORDS_FILE.read_text(encoding="utf-8").splitlines())
    return {kind: words.split(" | ") for kind, words in lines}


class Writer:
    """Writer of sentences, deterministic for a seed."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)  # noqa: S311 - texts, not secrets

    def number(self, low: int, high: int, *, skew: float = 1.0) -> int:
        """Draw an integer in [low, high]; a skew above 1 makes small ones more frequent."""
        return low + int((high - low + 1) * self._random.random() ** skew)

    def text(self, words: int) -> str:
        """Write sentences with exactly this number of words in total."""
        sentences: list[list[str]] = []
        missing = words
        while missing > 0:
            sentence = self._sentence()[:missing]
            missing -= len(sentence)
            if missing < 3:
                sentence += self._sentence()[:missing]
                missing = 0
            sentences.append(sentence)
        return " ".join(_as_sentence(sentence) for sentence in sentences)

    def caption(self) -> str:
        """Write a caption of a picture, as in the pairs of STS: 5 to 18 words."""
        who, act = self._choose("people"), self._choose("acts")
        verb = "are" if who[:3] in ("two", "the", "som") else "is"
        place = self._choose("places") if self._random.random() < 0.4 else ""
        extra = f"while {self._noun_phrase()} looks on" if self._random.random() < 0.2 else ""
        return _as_sentence(f"{who} {verb} {act} {place} {extra}".split())

    def _sentence(self) -> list[str]:
        words = self._clause()
        if self._random.random() < 0.4:
            words[-1] += ","
            words += f"{self._choose('links')} {' '.join(self._clause())}".split()
        return words

    def _clause(self) -> list[str]:
        place = f" {self._choose('places')}" if self._random.random() < 0.5 else ""
        return f"{self._noun_phrase()} {self._choose('verbs')} {self._noun_phrase()}{place}".split()

    def _noun_phrase(self) -> str:
        adjective = f"{self._choose('adjectives')} " if self._random.random() < 0.6 else ""
        return f"the {adjective}{self._choose('nouns')}"

    def _choose(self, kind: str) -> str:
        words = _words()[kind]
        return words[int(self._random.random() * len(words))]


def _as_sentence(words: list[str]) -> str:
    """Join words, with a capital first letter and a full stop."""
    text = " ".join(words).rstrip(",")
    return f"{text[:1].upper()}{text[1:]}."
