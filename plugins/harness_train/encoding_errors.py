"""Texts that were broken before anyone trained on them: wrong decoding, remains of a PDF, mixed scripts."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from functools import lru_cache
from typing import TYPE_CHECKING

from harness import Finding, Severity
from harness_train.duplicates import shorten

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

MANY = 0.01
"""Share of the texts from which on debris is worth a warning."""
SECOND = 0.02
"""Share of the texts in another script than most from which on it is noted."""
_FEWEST_TO_COMPARE = 20
"""Texts from which on shares of scripts mean something."""

_GLYPH = re.compile(r"\(cid:\d+\)")
_BROKEN = re.compile(r"(?<![^\W\d_]-)\b([^\W\d_]{2,})-[ \n]+([^\W\d_]{2,})\b")
_SUSPENDED = frozenset({
    "and", "or", "to", "nor", "but", "versus", "vs", "und", "oder", "bis", "sowie", "als", "et", "ou", "y",
    "o", "e", "u", "en", "of", "och", "eller", "og", "i", "ja", "tai", "и", "или",
})  # fmt: skip
"""Words after which a hyphen is meant: short- and long-term, Vor- und Nachteile."""
_PAGE = re.compile(r"^\s*\d{1,4}\s*$", re.MULTILINE)


def check_texts(texts: Sequence[str], *, garbled: bool = False) -> Iterator[Finding]:
    """Look at distinct texts that are not blank.

    garbled: whether they stand on a card that was decoded wrongly itself.
    """
    yield from _mojibake(texts, garbled=garbled)
    yield from _debris(texts)
    yield from _scripts(texts)


def is_mojibake(text: str) -> bool:
    """Whether a text was decoded wrongly: ftfy sees characters that hardly meet, and knows what they were."""
    if text.isascii():
        return False
    from ftfy import fix_encoding
    from ftfy.badness import is_bad

    return is_bad(text) and fix_encoding(text) != text


def broken_words(text: str) -> list[str]:
    """Words that a line's end cut in two, such as `lan- guage`; not `short- and long-term`."""
    found = _BROKEN.finditer(text) if "-" in text else ()
    return [one[0] for one in found if one[2].islower() and one[2] not in _SUSPENDED and not one[1].isupper()]


def _mojibake(texts: Sequence[str], *, garbled: bool) -> Iterator[Finding]:
    found = [text for text in texts if is_mojibake(text)]
    if not found:
        return
    from ftfy import fix_encoding

    shown = _first_difference(found[0], fix_encoding(found[0]))
    seen = f"{len(found)} of {len(texts)} texts were decoded wrongly, such as {shown}"
    if garbled:
        yield Finding(
            "mojibake",
            Severity.NOTE,
            f"{seen}; but so was a line that sentence-transformers wrote, so it may be this file alone.",
            "Look at the training data, or at the card where it was published.",
        )
    else:
        remedy = "Read the file again in its true encoding, or repair it: ftfy.fix_encoding(text)."
        yield Finding("mojibake", _severity(found, texts), f"{seen}.", remedy)


def _debris(texts: Sequence[str]) -> Iterator[Finding]:
    glyphs = [text for text in texts if "(cid:" in text and _GLYPH.search(text)]
    broken = {text: words for text in texts if (words := broken_words(text))}
    pages = [text for text in texts if "\n" in text.strip() and _PAGE.search(text)]
    # A single hyphen or number may be meant; a glyph that has no letter is not.
    if not glyphs and len(broken) + len(pages) < max(2, MANY * len(texts)):
        return
    parts = []
    if glyphs:
        parts.append(f"{len(glyphs)} with glyphs that have no letter ({_GLYPH.findall(glyphs[0])[0]})")
    if broken:
        parts.append(
            f"{len(broken)} with words cut by a line's end ({shorten(next(iter(broken.values()))[0])!r})"
        )
    if pages:
        parts.append(f"{len(pages)} with a number alone on a line")
    found = {*glyphs, *broken, *pages}
    yield Finding(
        "pdf-debris",
        _severity(list(found), texts),
        f"{len(found)} of {len(texts)} texts carry remains of a PDF's layout: {', '.join(parts)}.",
        "Extract the text again with a tool that joins words and drops page numbers, and split it anew.",
    )


def _scripts(texts: Sequence[str]) -> Iterator[Finding]:
    if len(texts) < _FEWEST_TO_COMPARE:
        return
    counts = Counter(script for text in texts if (script := main_script(text)))
    total = sum(counts.values())
    (most, _), *others = counts.most_common() or [("", 0)]
    second = [(script, count) for script, count in others if count >= SECOND * total]
    if second:
        shares = ", ".join(f"{count / total:.0%} in {script}" for script, count in second)
        yield Finding(
            "mixed-scripts",
            Severity.NOTE,
            f"Of {total} texts, {counts[most] / total:.0%} are mainly in {most} letters, and {shares}.",
            "See whether the base reads all of them: a tokenizer of one language cuts others into letters.",
        )


def main_script(text: str) -> str:
    """Name the script that most letters of a text are in, such as `Latin`; empty where there are none."""
    if text.isascii():
        return "Latin" if any(map(str.isalpha, text)) else ""
    counts = Counter(script for letter in text[:500] if (script := _script(letter)))
    return counts.most_common(1)[0][0] if counts else ""


@lru_cache(maxsize=4096)
def _script(letter: str) -> str:
    """Unicode's names begin with the script; Han is called CJK there, and kana go with it."""
    if not letter.isalpha():
        return ""
    name = unicodedata.name(letter, "").partition(" ")[0]
    together = {"CJK": "Chinese or Japanese", "HIRAGANA": "Chinese or Japanese"}
    return together.get(name, together["CJK"] if name == "KATAKANA" else name.capitalize())


def _severity(found: Sequence[str], texts: Sequence[str]) -> Severity:
    return Severity.WARNING if len(found) >= MANY * len(texts) else Severity.NOTE


def _first_difference(broken: str, whole: str) -> str:
    """Show the first word that reads otherwise once repaired, both ways."""
    pairs = zip(broken.split(), whole.split(), strict=False)
    word, meant = next(((one, other) for one, other in pairs if one != other), (broken, whole))
    return f"{shorten(word, 30)!r} for {shorten(meant, 30)!r}"
