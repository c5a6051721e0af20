"""Names, signs and words of the page and its figures."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.authoring import number, one_line, short_names

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


def signed(value: float | None, form: str = "+.3f") -> str:
    """Return a number with its sign, a minus as wide as a plus; `–` for None."""
    return number(value, form).replace("-", "−")


def brief(name: str) -> str:
    """Return a name of at most `LONGEST` characters, without its middle where it is longer."""
    return shown([name], LONGEST)[0]


def task_names(boards: Sequence[ReportBoard]) -> dict[str, str]:
    """Return board → name of its task, with the origin of the rows where several boards are of one task."""
    tasks = [board.task for board in boards]
    return {
        board.id: board.task if tasks.count(board.task) == 1 else f"{board.task} ({board.origin})"
        for board in boards
    }


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

    def said(self, sentence: str) -> str:
        """Return a sentence with names as they are shown."""
        for name in self._long:
            sentence = sentence.replace(name, self._short[name])
        return sentence if len(sentence) <= 1000 else f"{sentence[:999].rstrip()}…"
