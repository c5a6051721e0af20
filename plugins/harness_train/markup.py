"""Find texts that still hold HTML: tags and entities."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from harness import Finding, Severity
from harness_train.duplicates import shorten

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

MANY = 0.01
"""Minimum share of the texts for a finding, with two texts; one text of a thousand may speak about HTML."""
SUBJECT = 0.5
"""Minimum number of texts that speak of tags, as a share of those with HTML, for texts about HTML."""
_NAMES = (
    "a|abbr|article|aside|b|blockquote|body|br|button|center|code|dd|del|div|dl|dt|em|figure|font|footer|form"
    "|h[1-6]|head|header|hr|html|i|iframe|img|input|ins|label|li|link|main|mark|meta|nav|ol|p|pre|q|s|script"
    "|section|small|span|strong|style|sub|sup|svg|table|tbody|td|tfoot|th|thead|title|tr|tt|u|ul|video"
)
_TAG = re.compile(
    rf"</(?:{_NAMES})\s*>"  # a closing tag
    r"|<(?:br|hr|p|div|li|ul|ol|tr|td|th|table|span|strong|h[1-6]|blockquote|img)\s*/?>"
    rf"""|<(?:{_NAMES})\s+[\w:-]+\s*=\s*["'][^<>]*>""",  # a tag with an attribute
    re.IGNORECASE,
)
_ENTITY = re.compile(
    r"&(?:nbsp|amp|lt|gt|quot|apos|rsquo|lsquo|rdquo|ldquo|ndash|mdash|hellip|bull|copy|reg|euro|shy"
    r"|[aeiouAEIOU](?:uml|acute|grave|circ)|szlig|ccedil|ntilde|#\d{2,5}|#x[0-9a-fA-F]{2,4});"
)
_FENCED = re.compile(r"```.*?(?:```|$)|`[^`\n]+`", re.DOTALL)
_CODE = re.compile(
    r"[;{}]\s*$|^\s*(?:def|class|import|from|return|function|var|const|let|public|private|#include)\b",
    re.MULTILINE,
)
_LINES_OF_CODE = 2
"""Minimum number of lines that look like source code for a text that is code: its tags are its subject."""


_NAMED = re.compile(
    rf"(?<![^\s(\"'„“‘«])<(?!(?:br|hr|p|li)\b)(?:{_NAMES})>(?![^\s.,;:?!)\"'”’»])", re.IGNORECASE
)
"""An opening tag that stands like a word, between spaces or signs, as where it is spoken of."""
_ANY_TAG = re.compile(rf"</?(?:{_NAMES})\b[^<>]*>", re.IGNORECASE)
_PAIRED = re.compile(rf"<({_NAMES})\b[^<>]*>[^<>]*\s[^<>]*</\1\s*>", re.IGNORECASE)
"""An element with several words in it."""
_AT_THE_END = re.compile(rf"^\s*<(?:{_NAMES})\b[^<>]*>|<(?:/(?:{_NAMES})|br\s*/?)\s*>\s*$", re.IGNORECASE)
"""A tag that a text starts with, or a closing one or a line break that it ends with."""
_ABOUT = re.compile(
    r"\b(?:x?html5?|xml|css|jsx|dom|svg|tags?|elements?|attributes?|markup|selectors?|nodes?|entit(?:y|ies)"
    r"|escap(?:e|es|ed|ing)|encod(?:e|es|ed|ing)|pars(?:e|es|ed|er|ing)|renders?|scrap(?:e|es|ing)|browsers?"
    r"|javascript|jquery|react|angular|vue|beautifulsoup|xpath|regex|regular expressions?|web ?pages?"
    r"|templates?|stylesheets?|divs?|iframes?|balise[ns]?|elemente?|attribut[es]?|etiquetas?)\b",
    re.IGNORECASE,
)
"""Words of texts about HTML, whose tags are what they speak of."""


def check_markup(texts: Sequence[str]) -> Iterator[Finding]:
    """Find tags and entities of HTML in texts that are no source code, and do not speak about HTML.

    texts: distinct, not blank. Works from 1 % of the texts on, with two texts.
    """
    found = [(text, mark) for text in texts if (mark := find_markup(text))]
    if len(found) < max(2, MANY * len(texts)):
        return
    if sum(map(speaks_of_tags, texts)) >= SUBJECT * len(found):
        # The texts are about HTML: only those that are pages themselves are left.
        found = [(text, mark) for text, mark in found if _is_page(text)]
    if len(found) < max(2, MANY * len(texts)):
        return
    yield Finding(
        "html-in-texts",
        Severity.WARNING,
        f"{len(found)} of {len(texts)} texts ({len(found) / len(texts):.1%}) hold HTML, such as"
        f" {found[0][1]!r} in {_around(*found[0])!r}: the model learns from tags, and they use up its"
        " tokens.",
        "Take the text out of the HTML (html.unescape for entities such as &amp;), and check again.",
    )


def find_markup(text: str) -> str:
    """Return the first tag or entity of HTML; empty without one, for source code and texts about HTML."""
    if "<" not in text and "&" not in text:
        return ""
    prose = _FENCED.sub(" ", text)
    if len(_CODE.findall(prose)) >= _LINES_OF_CODE or speaks_of_tags(prose):
        return ""
    marked = _NAMED.sub(" ", prose)
    mark = _TAG.search(marked) or _ENTITY.search(marked)
    return "" if mark is None else mark[0]


def speaks_of_tags(text: str) -> bool:
    """Whether tags are the subject of a text, as in "use the <div> tag", and do not mark it up."""
    if ("<" not in text and "&" not in text) or _is_page(text):
        return False
    if not (_ANY_TAG.search(text) or _ENTITY.search(text)):
        return False
    words = _ENTITY.sub(" ", _ANY_TAG.sub(" ", text))
    return bool(_NAMED.search(text) or _ABOUT.search(words))


def _is_page(text: str) -> bool:
    """Whether a text starts or ends with a tag, and has an element with several words in it."""
    return bool(_AT_THE_END.search(text) and _PAIRED.search(text))


def _around(text: str, mark: str) -> str:
    """Return the part of a text that holds the mark."""
    begin = max(text.find(mark) - 20, 0)
    return shorten(text[begin:])
