"""Names, signs and words of the page and its figures."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from markupsafe import Markup, escape

from harness.authoring import CONTROL, number, one_line, short_names, shortened

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harness.authoring import ReportBoard, ReportModel

SIGNS = {"better": "▲", "worse": "▼", "equivalent": "=", "inconclusive": "?", "not tested": "·"}
"""A sign for each verdict, beside its word and its color."""

OUTCOMES = {
    "passes": ("✓", "passes"),
    "fails": ("✗", "fails"),
    "broken": ("!", "broken"),
    "not-comparable": ("≠", "not comparable"),
    "undecided": ("?", "undecided"),
    "no-candidate": ("·", "no candidate"),
}
"""Sign and word of each outcome."""


MINUS = re.compile(r"(?<![^\s(\[,:;=])-(?=\.?\d)")
"""A hyphen that is meant as a minus."""

OPTION = re.compile(r"(?<![^\s(`'\"“])(--?[A-Za-z][\w-]*)")
"""An option of a command, such as `--margin`: hyphens are where browsers break lines."""

LONGEST_TEXT = 1000
"""Maximum number of characters of a text: a stranger's would fill the page."""

SERIES = 8
"""Number of colors, and of shapes, of series."""

LONGEST = 48
"""Maximum number of characters of a model's name in a table, unless as many do not tell all apart."""


def shown(names: Sequence[str], most: int) -> list[str]:
    """Return names on one line, those that are longer than `most` without their middle, all distinct."""
    lines = [one_line(name) for name in names]
    distinct = [
        line if lines.count(line) == 1 else f"{line} ({number + 1})" for number, line in enumerate(lines)
    ]
    short = short_names(distinct, most)
    return [short[line] for line in distinct]


def printable(text: str) -> str:
    """Return a text of a bounded length, without characters that turn or hide others."""
    text = "\n".join(CONTROL.sub(" ", line) for line in text.split("\n"))
    return text if len(text) <= LONGEST_TEXT else f"{text[: LONGEST_TEXT - 1]}…"


def unbroken(text: str) -> Markup:
    """Return a text as HTML in which no line breaks within an option of a command."""
    parts = OPTION.split(printable(text))
    return Markup("").join(
        Markup('<span class="nowrap">{}</span>').format(part) if at % 2 else escape(part)
        for at, part in enumerate(parts)
    )


def signed(value: float | None, form: str = "+.3f") -> str:
    """Return a number with its sign, a minus as wide as a plus; `–` for None."""
    return number(value, form).replace("-", "−")


def brief(name: str) -> str:
    """Return a name of at most `LONGEST` characters, without its middle where it is longer."""
    return shown([name], LONGEST)[0]


def task_names(boards: Sequence[ReportBoard]) -> dict[str, str]:
    """Return board → name of its task; of several boards of one task, with what tells their rows apart."""
    names = {}
    for board in boards:
        origins = [one.origin for one in boards if one.task == board.task]
        digest = f", {board.digest[:8]}" if origins.count(board.origin) > 1 else ""
        names[board.id] = board.task if len(origins) == 1 else f"{board.task} ({board.origin}{digest})"
    return names


def series_of(models: Sequence[ReportModel]) -> dict[str, int]:
    """Return model → number of its color and shape, the same in all figures of a report."""
    return {model.name: number % SERIES for number, model in enumerate(models)}


class Names:
    """Names of the models of a page: those that are too long for a table without their middle."""

    def __init__(self, names: Sequence[str]) -> None:
        self._short = dict(zip(names, shown(names, LONGEST), strict=True))
        self._long = sorted((name for name in names if len(name) > LONGEST), key=len, reverse=True)

    def short(self, name: str) -> str:
        """Return a name of at most about `LONGEST` characters, unlike the others'."""
        return self._short.get(name) or brief(name)

    def said(self, sentence: str, most: int = LONGEST_TEXT) -> Markup:
        """Return a sentence with names as they are shown and a minus for a hyphen; most: characters."""
        for name in self._long:
            sentence = sentence.replace(name, self._short[name])
        if len(sentence) > most:
            sentence = shortened(sentence, most)
        return unbroken(MINUS.sub("−", sentence))
