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
                f"{where} contains {found[0]!r}, which sentence-transformers does not fill in: {shorten(prompt)!r} was"
                " put before every text as it is.",
                "Write the prompt without placeholders; the text follows it.",
            )
    holders: Counter[str] = Counter()
    first: dict[str, str] = {}
    for cell in cells:
        for holder in dict.fromkeys(placeholders(cell)):
            holders[holder] += 1
            first.setdefault(holder, cell)
    if not holders:
        return
    holder, count = holders.most_common(1)[0]
    if count < max(_FEWEST, SOME * len(cells)):
        return
    others = [other for other, times in holders.most_common(4)[1:] if times >= _FEWEST]
    more = f", others {', '.join(map(repr, others))}" if others else ""
    yield Finding(
        "unfilled-template",
        Severity.ERROR if count >= MOST * len(cells) else Severity.WARNING,
        f"{count:,} of {len(cells):,} texts ({count / len(cells):.0%}) contain {holder!r}, as if a template had not been"
        f" filled in{more}: {shorten(_around(first[holder], holder))!r}.",
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
