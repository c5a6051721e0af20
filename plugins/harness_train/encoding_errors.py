"""Check texts for encoding errors, PDF debris and mixed scripts."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from functools import lru_cache
from typing import TYPE_CHECKING

from harness import Finding, HarnessError, Severity
from harness.authoring import import_extra
from harness_train.duplicates import shorten

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    Count = Callable[[Sequence[str]], Sequence[int]]

MANY = 0.01
"""Minimum share of the texts for a warning."""
SECOND = 0.02
"""Minimum share of the texts in a second script for a note."""
_FEWEST_TO_COMPARE = 20
"""Minimum number of texts for comparing scripts."""

_GLYPH = re.compile(r"\(cid:\d+\)")
_BROKEN = re.compile(r"(?<![^\W\d_]-)\b([^\W\d_]{2,})-[ \n]+([^\W\d_]{2,})\b")
_WORD = re.compile(r"[^\W\d_]+")
_SUSPENDED = frozenset({
    "and", "or", "to", "nor", "but", "versus", "vs", "as", "than", "rather", "through", "till", "until",
    "plus", "und", "oder", "bis", "sowie", "als", "bzw", "beziehungsweise", "samt", "wie", "auch", "noch",
    "aber", "statt", "et", "ou", "puis", "con", "como", "pero", "sino", "ma", "ed", "od", "en", "of", "maar",
    "och", "eller", "og", "ja", "tai", "sekä", "lub", "oraz", "czy", "albo", "nebo", "či", "és", "vagy", "și",
    "sau", "ve", "veya", "ile", "и", "или", "та", "або", "либо",
})  # fmt: skip
"""Words after a suspended hyphen: short- and long-term, Vor- und Nachteile."""
_PAGE = re.compile(r"^\s*\d{1,4}\s*$", re.MULTILINE)
_CODE_LINE = re.compile(
    r"[;{}]\s*$|\w\(.*\)\s*:?$|==|!=|<=|>=|->|=>|\+=|::|&&|\|\||^\s*[\w.\[\]]+ ?= ?\S"
    r"|^\s*(?:def|class|import|from|return|if|else|elif|for|while|try|except|with|print|public|private|static"
    r"|void|int|const|let|var|function|SELECT|INSERT)\b.*[(){}\[\]:;=]|^\s*(?:#include|//|>>>|\$ |@\w)"
)
"""A line that is more likely code than prose."""
_CODE = 0.3
"""Minimum share of lines of code that makes a text code."""
_SEEN = 300
"""Maximum number of lines of a text, and of characters of a line, that are looked at for code."""
_PROSE = 25
"""Minimum number of letters of a line of prose, as there are above or below the number of a page."""


def check_texts(
    texts: Sequence[str],
    *,
    garbled: bool = False,
    count: Count | None = None,
) -> Iterator[Finding]:
    """Find encoding errors, PDF debris and mixed scripts.

    texts: distinct, not blank. garbled: whether they are from a card that was itself decoded wrongly. count:
    counts the base's tokens of texts, None where no base is known.
    """
    yield from _mojibake(texts, garbled=garbled)
    yield from _debris(texts, count)
    yield from _scripts(texts)


def is_mojibake(text: str) -> bool:
    """Whether a text was decoded wrongly: ftfy finds unlikely characters, and can repair them.

    Raises HarnessError where ftfy is not installed, for a text that is not plain ASCII.
    """
    if text.isascii():
        return False
    is_bad = import_extra("ftfy.badness", "check", "this check").is_bad
    return bool(is_bad(text)) and _repaired(text) != text


def _repaired(text: str) -> str:
    return str(import_extra("ftfy", "check", "this check").fix_encoding(text))


def broken_words(text: str) -> list[str]:
    """Return words that the end of a line broke, such as `lan- guage`; not `short- and long-term`."""
    matches = _BROKEN.finditer(text) if "-" in text else ()
    return [
        match[0]
        for match in matches
        if match[2].islower() and match[2] not in _SUSPENDED and not match[1].isupper()
    ]


def _truly_broken(
    broken: Mapping[str, list[str]],
    texts: Sequence[str],
    count: Count | None,
) -> dict[str, list[str]]:
    """Return the texts with words that are whole once joined: `pos- session`, not `two- dimensional`.

    A compound whose hyphen ended a line keeps both of its words. A word is whole if joined it has fewer of
    the base's tokens than its halves have; without a base, if it stands elsewhere in the texts, or neither
    half does.
    """
    halves = {word: _BROKEN.search(word) for words in broken.values() for word in words}
    parts = {word: (match[1].lower(), match[2].lower()) for word, match in halves.items() if match}
    if count is None:
        known = {word.lower() for text in texts for word in _WORD.findall(_BROKEN.sub(" ", text))}
        whole = {
            word
            for word, (first, second) in parts.items()
            if first + second in known or (first not in known and second not in known)
        }
    else:
        flat = [text for first, second in parts.values() for text in (first + second, first, second)]
        tokens = list(count(flat)) if flat else []
        whole = {
            word for place, word in enumerate(parts) if tokens[3 * place] < sum(tokens[3 * place + 1 :][:2])
        }
    kept = {text: [word for word in words if word in whole] for text, words in broken.items()}
    return {text: words for text, words in kept.items() if words}


def is_code(text: str) -> bool:
    """Whether a text is code, or has a block of it, where single numbers and hyphens are normal."""
    if "```" in text or "<code>" in text:
        return True
    lines = [line[:_SEEN] for line in text.split("\n") if line.strip()][:_SEEN]
    code = sum(bool(_CODE_LINE.search(line)) for line in lines)
    return len(lines) > 1 and code >= _CODE * len(lines)


def has_page_number(text: str) -> bool:
    """Whether a single number stands on a line of its own, next to a line of prose.

    Several such lines are a list, a table, or the input of a program.
    """
    lines = [line.strip() for line in text.split("\n")]
    filled = [line for line in lines if line]
    numbers = [index for index, line in enumerate(filled) if _PAGE.fullmatch(line)]
    if not numbers or len(filled) < 2 or len(numbers) > max(1, len(filled) // 5):
        return False
    near = [filled[index + step] for index in numbers for step in (-1, 1) if 0 <= index + step < len(filled)]
    return any(sum(map(str.isalpha, line)) >= _PROSE for line in near)


def _mojibake(texts: Sequence[str], *, garbled: bool) -> Iterator[Finding]:
    try:
        wrong = [text for text in texts if is_mojibake(text)]
    except HarnessError as missing:
        seen = f"{sum(not text.isascii() for text in texts)} of {len(texts)} texts are not plain ASCII"
        evidence = f"{seen}, and whether they were decoded wrongly was not checked: {missing.message}."
        yield Finding("decoding-unchecked", Severity.NOTE, evidence, missing.hint or "")
        return
    if not wrong:
        return
    shown = _first_difference(wrong[0], _repaired(wrong[0]))
    evidence = f"{len(wrong)} of {len(texts)} texts were decoded wrongly, such as {shown}"
    if garbled:
        yield Finding(
            "mojibake",
            Severity.NOTE,
            f"{evidence}; but so was a line by sentence-transformers, so that only this file may be wrong.",
            "Check the training data, or the card where it was published.",
        )
    else:
        remedy = "Read the file again in its actual encoding, or repair it: ftfy.fix_encoding(text)."
        yield Finding("mojibake", _severity(wrong, texts), f"{evidence}.", remedy)


def _debris(texts: Sequence[str], count: Count | None) -> Iterator[Finding]:
    glyphs = [text for text in texts if "(cid:" in text and _GLYPH.search(text)]
    prose = [text for text in texts if ("-" in text or "\n" in text) and not is_code(text)]
    hyphens = {text: words for text in prose if (words := broken_words(text))}
    broken = _truly_broken(hyphens, texts, count) if hyphens else {}
    pages = [text for text in prose if "\n" in text and has_page_number(text)]
    # A single hyphen or number may be intended; a glyph without a letter is not.
    if not glyphs and len(broken) + len(pages) < max(2, MANY * len(texts)):
        return
    parts = []
    if glyphs:
        parts.append(f"{len(glyphs)} with glyphs without a letter ({_GLYPH.findall(glyphs[0])[0]})")
    if broken:
        parts.append(
            f"{len(broken)} with words broken at a line end ({shorten(next(iter(broken.values()))[0])!r})"
        )
    if pages:
        parts.append(f"{len(pages)} with only a number on a line")
    wrong = {*glyphs, *broken, *pages}
    yield Finding(
        "pdf-debris",
        _severity(list(wrong), texts),
        f"{len(wrong)} of {len(texts)} texts contain debris of a PDF layout: {', '.join(parts)}.",
        "Extract the text again with a tool that joins words and drops page numbers, and split it again.",
    )


def _scripts(texts: Sequence[str]) -> Iterator[Finding]:
    if len(texts) < _FEWEST_TO_COMPARE:
        return
    counts = Counter(script for text in texts if (script := main_script(text)))
    total = sum(counts.values())
    (most, _), *others = counts.most_common() or [("", 0)]
    second = [(script, count) for script, count in others if count >= SECOND * total]
    # Texts of three scripts are of many languages on purpose.
    if len(second) == 1:
        shares = ", ".join(f"{count / total:.0%} in {script}" for script, count in second)
        yield Finding(
            "mixed-scripts",
            Severity.NOTE,
            f"Of {total} texts, {counts[most] / total:.0%} are mainly in {most} letters, and {shares}.",
            "Check whether the base supports them: a tokenizer of one language splits others into letters.",
        )


def main_script(text: str) -> str:
    """Return the script of most letters of a text, such as `Latin`; empty without letters."""
    if text.isascii():
        return "Latin" if any(map(str.isalpha, text)) else ""
    counts = Counter(script for letter in text[:500] if (script := _script(letter)))
    return counts.most_common(1)[0][0] if counts else ""


@lru_cache(maxsize=4096)
def _script(letter: str) -> str:
    """Return the script of a letter, from its Unicode name; Han (CJK) and kana are one script."""
    if not letter.isalpha():
        return ""
    name = unicodedata.name(letter, "").partition(" ")[0]
    joined = {"CJK": "Chinese or Japanese", "HIRAGANA": "Chinese or Japanese"}
    return joined.get(name, joined["CJK"] if name == "KATAKANA" else name.capitalize())


def _severity(wrong: Sequence[str], texts: Sequence[str]) -> Severity:
    return Severity.WARNING if len(wrong) >= MANY * len(texts) else Severity.NOTE


def _first_difference(broken: str, repaired: str) -> str:
    """Return the first word that the repair changes, before and after it."""
    pairs = zip(broken.split(), repaired.split(), strict=False)
    before, after = next((pair for pair in pairs if pair[0] != pair[1]), (broken, repaired))
    return f"{shorten(before, 30)!r} for {shorten(after, 30)!r}"
