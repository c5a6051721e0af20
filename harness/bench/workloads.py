"""Workloads: fixed texts with digests, so that two figures are about the same work."""

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
    """Texts to encode, and what they are called."""

    name: str
    texts: tuple[str, ...]

    @property
    def digest(self) -> str:
        """Hex SHA-256 of the texts, in order."""
        return hashlib.sha256("\n".join(self.texts).encode()).hexdigest()


def _short(writer: Writer) -> str:
    return writer.text(writer.number(3, 8))


def _medium(writer: Writer) -> str:
    return writer.text(writer.number(15, 40))


def _long(writer: Writer) -> str:
    return writer.text(writer.number(150, 250))


def _sts(writer: Writer) -> str:
    return writer.caption() if writer.number(0, 9) < 7 else writer.text(writer.number(6, 24))


def _document(writer: Writer) -> str:
    return writer.text(writer.number(5, 400, skew=3.0))


@dataclass(frozen=True, slots=True)
class _TextRecipe:
    """How the texts of a built-in workload are written."""

    seed: int
    count: int
    """Texts, unless another number is asked for: about 4,000 tokens."""
    write: Callable[[Writer], str]
    help: str


_BUILT_IN = {
    "short": _TextRecipe(1, 512, _short, "queries and titles, 3 to 8 words"),
    "medium": _TextRecipe(2, 128, _medium, "sentences and short paragraphs, 15 to 40 words"),
    "long": _TextRecipe(3, 16, _long, "passages, 150 to 250 words"),
    "sts": _TextRecipe(4, 256, _sts, "sentences as in STS-B: captions and news, 12 words on average"),
    "documents": _TextRecipe(5, 40, _document, "as in a collection: 5 to 310 words, half of them below 60"),
}
NAMES = tuple(_BUILT_IN)
DEFAULT = ("short", "sts", "documents")
_MOST_TEXTS = 1_000_000


def describe(name: str) -> str:
    """One line on a built-in workload."""
    return _BUILT_IN[name].help


def make_workload(name: str) -> Workload:
    """A built-in workload: `sts`, or `sts:4096` for so many texts of its kind, the same ones first.

    All texts are distinct. Raises HarnessError where there is none of this name, or too many are asked for.
    """
    kind, colon, asked = name.partition(":")
    if kind not in _BUILT_IN:
        raise HarnessError.unknown("workload", kind, NAMES, hint="or give a file with one text a line")
    recipe = _BUILT_IN[kind]
    if colon and not (asked.isdecimal() and len(asked) < 9 and 0 < int(asked) <= _MOST_TEXTS):
        raise HarnessError(f"workload {name!r} is not NAME:TEXTS", hint=f"such as {kind}:4096")
    writer, texts = Writer(recipe.seed), dict[str, None]()
    while len(texts) < (int(asked) if colon else recipe.count):
        texts[recipe.write(writer)] = None
    return Workload(name, tuple(texts))


def read_workload(path: Path) -> Workload:
    """A file's lines as texts, empty lines left out; it is called as the file is.

    Raises HarnessError for a file that is not there, not UTF-8, or empty.
    """
    texts = tuple(line for line in read_text(path).split("\n") if line.strip())
    if not texts:
        raise HarnessError(f"{path} has no texts", hint="one text a line")
    return Workload(path.name, texts)


def select_workloads(words: Sequence[str]) -> list[Workload]:
    """Workloads by name or file, each once; `all` for all that are built in.

    Raises HarnessError for what is neither, and for two files of one name.
    """
    named = list(dict.fromkeys(one for word in words for one in (NAMES if word == "all" else (word,))))
    chosen = [
        make_workload(word) if word.partition(":")[0] in _BUILT_IN else _file_workload(word) for word in named
    ]
    names = [one.name for one in chosen]
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
        return " ".join(_as_sentence(sentence) for sentence in sentences)

    def caption(self) -> str:
        """What one sees in a picture, as in the sentence pairs of similarity tests: 5 to 18 words."""
        who, act = self._one("people"), self._one("acts")
        verb = "are" if who[:3] in ("two", "the", "som") else "is"
        place = self._one("places") if self._random.random() < 0.4 else ""
        extra = f"while {self._noun_phrase()} looks on" if self._random.random() < 0.2 else ""
        return _as_sentence(f"{who} {verb} {act} {place} {extra}".split())

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


def _as_sentence(words: list[str]) -> str:
    """Begin with a capital, end with a full stop."""
    text = " ".join(words).rstrip(",")
    return f"{text[:1].upper()}{text[1:]}."
