"""Find templates that nobody filled in: `{title}`, `{{ text }}`, `<TEXT>`, `%s`."""

from __future__ import annotations

import json
import re
from collections import Counter
from typing import TYPE_CHECKING

from harness import Finding, Severity
from harness_train.duplicates import shorten

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

SOME = 0.01
"""Minimum share of the texts with one and the same placeholder for a warning."""
MOST = 0.5
"""Minimum share of the texts with one and the same placeholder for an error."""
SOME_WITHOUT_NAMES = 0.1
"""The same for placeholders without a name: answers to programmers speak of `{}` and `%s`."""
_LONGEST = 40
"""Maximum length of a cell that is only a field."""
_FEWEST = 2
"""Minimum number of texts with one and the same placeholder."""

_WORDS = (
    "text|texts|sentence|sentences|title|query|question|answer|passage|document|doc|content|context|body|input|output"
    "|abstract|summary|description|instruction|claim|premise|hypothesis|prompt|response|topic|keyword|keywords"
    "|placeholder"
)
_NAMED = re.compile(
    r"\{\{-?\s*[A-Za-z_][\w.\[\]']{0,40}(?:\s*\|[^{}\n]{1,30})?\s*-?\}\}"  # Jinja, Mustache
    r"|\{%-?\s*(?:if|for|endif|endfor|else|set)\b[^{}\n]{0,60}%\}"
    r"|\$\{[A-Za-z_]\w{1,40}\}"
    r"|(?<![\w\\^$}{@])\{[A-Za-z_]\w{2,40}(?:![rsa])?(?:\[\w+\])?\}(?![{\w])"
    r"|(?<![\w%])%\(\w{2,40}\)[sdrif]\b"
)
"""Placeholders with the name of a field."""
_MARKED = re.compile(
    rf"<(?:{_WORDS.upper()})(?:_?\d)?>|\[(?:[Ii]nsert|INSERT|[Yy]our|YOUR) [^\[\]\n]{{1,40}}\]"
)
FIELD = re.compile(
    rf"\[(?:{_WORDS}|name|product|customer|company|user|item|subject|category|label|date|url|[a-z]+_[a-z_]{{2,20}})\]",
    re.IGNORECASE,
)
"""A field in brackets, which alone in a cell is no mask such as `[NAME]` and no remark such as `[music]`."""
_PLAIN_FIELD = re.compile(rf"\[(?:{_WORDS}|product|customer|[a-z]+_[a-z_]{{2,20}})\](?!\()")
"""A field that no anonymizer and no subtitle writes, in lower case."""
_POSITIONAL = re.compile(r"(?<![\w%{}])(?:%[sd]|\{\d?\})(?![\w{}%])")
"""Placeholders without a name, which may also be what a text is about."""

_LATEX = re.compile(r"\\[A-Za-z]{2,}|\$[^$\n]{1,200}\$|[_^]\{")
_CODE = re.compile(
    r"^\s*(?:def|class|import|from|return|function|const|let|var|public|private|#include|package|using)\b.*[(;:{]?"
    r"|[;{}]\s*$|=>|\);|\(\)|==|!=|&&|\|\||::|->|</\w|/>|\b(?:printf|print|console\.log|format|echo)\b\s*\(?"
    r"|\bf[\"']|\w\.\w+\(|\w\[\w+\]|^\s*[\w.]+\s*=\s*\S|`|#!/",
    re.MULTILINE,
)
_WIKITEXT = re.compile(r"\[\[|\]\]|^==|\|\w+\s*=", re.MULTILINE)


def check_templates(cells: Sequence[str], prompts: Mapping[str, str]) -> Iterator[Finding]:
    """Find a placeholder that recurs in texts, or stands in a prompt; code, LaTeX and JSON are left out.

    cells: the texts of all cells, also repeated ones.
    """
    for column, prompt in prompts.items():
        if found := placeholders(prompt):
            where = f"The prompt of {column}" if column else "The prompt of the training"
            yield Finding(
                "unfilled-template",
                Severity.ERROR,
                f"{where} contains {found[0]!r}, which sentence-transformers does not fill in:"
                f" {shorten(prompt)!r} was put before every text as it is.",
                "Write the prompt without placeholders; the text follows it.",
            )
    yield from _recurring(cells)


def _recurring(cells: Sequence[str]) -> Iterator[Finding]:
    """Find placeholders that recur; the share is that of texts with any of them."""
    alone = Counter(cell.strip() for cell in cells if len(cell) < _LONGEST and FIELD.fullmatch(cell.strip()))
    brackets = set(alone) if alone.total() >= _FEWEST else set()
    found = {row: [*placeholders(cell), *_fields(cell, brackets)] for row, cell in enumerate(cells)}
    holders = Counter(holder for row in found.values() for holder in dict.fromkeys(row))
    forms = Counter(form for row in found.values() for form in {_form(holder) for holder in row})
    recurring = {holder for holder in holders if forms[_form(holder)] >= _FEWEST}
    rows = [row for row, of_row in found.items() if recurring.intersection(of_row)]
    count = len(rows)
    unnamed = all(_POSITIONAL.fullmatch(holder) for holder in recurring)
    if count < max(_FEWEST, (SOME_WITHOUT_NAMES if unnamed else SOME) * len(cells)):
        return
    holder, *others = [holder for holder, _ in holders.most_common(4) if holder in recurring]
    more = f", others {', '.join(map(repr, others))}" if others else ""
    first = next(cells[row] for row in rows if holder in found[row])
    yield Finding(
        "unfilled-template",
        Severity.ERROR if count >= MOST * len(cells) else Severity.WARNING,
        f"{count:,} of {len(cells):,} texts ({count / len(cells):.0%}) contain {holder!r}, as if a template"
        f" had not been filled in{more}: {shorten(_around(first, holder))!r}.",
        "Fill in the template before training, or leave these rows out.",
    )


def placeholders(text: str) -> list[str]:
    """Return the placeholders of a text; none of code, LaTeX, JSON and wiki markup."""
    if not any(sign in text for sign in "{<[%"):
        return []
    marked = [match[0] for match in _MARKED.finditer(text) if f"</{match[0][1:]}" not in text]
    named = [match[0] for match in _NAMED.finditer(text)]
    positional = [match[0] for match in _POSITIONAL.finditer(text)]
    if not (marked or named or positional) or _is_other(text):
        return []
    return [*named, *marked, *positional]


def _form(holder: str) -> str:
    """Return a placeholder without its name: those of one template differ in their names."""
    return re.sub(r"\w+", "", holder) if _NAMED.fullmatch(holder) or FIELD.fullmatch(holder) else holder


def _fields(text: str, brackets: set[str]) -> list[str]:
    """Return the fields in brackets that are all of another text, or that can be nothing else."""
    if "[" not in text or _is_other(text):
        return []
    return [
        match[0]
        for match in FIELD.finditer(text)
        if match[0] in brackets or _PLAIN_FIELD.match(text, match.start())
    ]


def _is_other(text: str) -> bool:
    """Whether braces and signs mean something else: code, LaTeX, JSON, wiki markup."""
    bare = _POSITIONAL.sub(" ", _NAMED.sub(" ", text))
    return bool(_LATEX.search(bare) or _CODE.search(bare) or _WIKITEXT.search(bare)) or _is_json(text)


def _is_json(text: str) -> bool:
    if text.lstrip()[:1] not in ("{", "["):
        return False
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return '":' in text
    return True


def _around(text: str, holder: str) -> str:
    """Return the part of a text in which the placeholder stands."""
    position = text.find(holder)
    return text if position < 40 else f"…{text[position - 30 :]}"
