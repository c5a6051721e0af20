"""Find scripts that the base's vocabulary cannot read, by its tokenizer alone."""

from __future__ import annotations

import unicodedata
from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from harness import Finding, Severity
from harness_train.encoding_errors import main_script

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from harness.training import CheckInput

UNKNOWN = 0.05
"""Minimum share of unknown tokens; vocabularies that know a script have below 1 %."""
PER_LETTER = 0.8
"""Minimum tokens per letter of an alphabet that is read letter by letter; 0.2 to 0.5 for known words."""
PER_SYLLABLE = 1.5
"""The same for a script of syllables or words, whose characters may well be a token each."""
LOST = 0.5
"""Minimum share of unknown tokens at which texts cannot be distinguished."""
MANY = 0.05
"""Minimum share of the texts in the script for a warning; below, it is a note."""
FEW = 0.01
"""Minimum share of the texts in the script for a note."""
_MOST_COUNTED = 300
"""Maximum number of texts of one script that are tokenized, spread evenly."""
_FEWEST_LETTERS = 20
"""Minimum number of letters for a judgment."""
_WORDS = frozenset({"Chinese or Japanese", "Hangul", "Yi", "Ethiopic"})
"""Scripts whose characters are words or syllables."""


@dataclass(frozen=True, slots=True)
class _Reading:
    """What the base's tokenizer makes of the texts of one script."""

    letters: int
    tokens: int
    unknown: int

    @property
    def share(self) -> float:
        return self.unknown / self.tokens if self.tokens else 0.0


def check_scripts(training: CheckInput, texts: Sequence[str]) -> Iterator[Finding]:
    """Find scripts whose texts become unknown tokens or single letters; nothing without a tokenizer.

    texts: distinct, not blank.
    """
    if training.tokens is None:
        return
    by_script: defaultdict[str, list[str]] = defaultdict(list)
    for text in texts:
        if script := main_script(text):
            by_script[script].append(text)
    for script, written in by_script.items():
        share = len(written) / len(texts)
        if share < FEW:
            continue
        drawn = written[:: max(1, -(-len(written) // _MOST_COUNTED))]
        if (seen := _unreadable(script, _read(training, drawn, script))) is not None:
            reading, how = seen
            yield _finding(script, how, reading, (len(written), len(texts)), training.base_name)


def _read(training: CheckInput, texts: Sequence[str], script: str) -> _Reading:
    """Tokenize what is written in the script, without digits, signs and letters of other scripts."""
    words = [
        "".join(sign if sign.isspace() or _is_letter(sign, script) else " " for sign in text)
        for text in texts
    ]
    counted = training.tokens(words) if training.tokens is not None else []
    return _Reading(
        sum(len("".join(text.split())) for text in words),
        sum(tokens for tokens, _ in counted),
        sum(unknown for _, unknown in counted),
    )


def _is_letter(sign: str, script: str) -> bool:
    """Whether a character is a letter of the script, or a mark such as a vowel sign of Devanagari."""
    if sign.isalpha():
        return main_script(sign) == script
    return unicodedata.category(sign).startswith("M")


def _unreadable(script: str, reading: _Reading) -> tuple[_Reading, str] | None:
    if reading.letters < _FEWEST_LETTERS or not reading.tokens:
        return None
    if reading.share >= UNKNOWN:
        return reading, f"{reading.share:.0%} of their {reading.tokens:,} tokens are unknown ones"
    per_letter = reading.tokens / reading.letters
    # Codes and sequences in Latin letters are split finely by every tokenizer.
    limit = PER_SYLLABLE if script in _WORDS else PER_LETTER
    if script != "Latin" and per_letter >= limit:
        return (
            reading,
            f"they have {per_letter:.2f} tokens per letter, so that words are read letter by letter",
        )
    return None


def _finding(script: str, how: str, reading: _Reading, counts: tuple[int, int], base: str) -> Finding:
    written, of = counts
    lost = reading.share >= LOST and written >= of / 2
    severity = Severity.WARNING if written >= MANY * of else Severity.NOTE
    return Finding(
        "unreadable-script",
        Severity.ERROR if lost else severity,
        f"{written:,} of {of:,} texts are in {script} letters, which the vocabulary of {base or 'the base'}"
        f" does not have: {how}.",
        "Train from a base whose tokenizer knows this script, such as a multilingual one, or leave these"
        " texts out.",
    )
