"""Faults of texts: markup, templates, records, empty, cut, garbled, without prefix, in another script."""

# ruff: noqa: ARG001 - every change is called with a text and its row, every fault with a share

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from benchmarks.checks.fault import Fault, change_texts, chosen

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    import numpy as np

    from benchmarks.checks.dataset import DataSet


def in_all_columns(change: Callable[[str, int], Any]) -> Callable[..., DataSet]:
    """Return the fault that changes all texts of a share of the rows."""

    def seed(dataset: DataSet, share: float, random: np.random.Generator) -> DataSet:
        return change_texts(dataset, chosen(dataset, share, random), change)

    return seed


def in_last_column(change: Callable[[str, int], Any]) -> Callable[..., DataSet]:
    """Return the fault that changes the second text of a share of the rows, or the only one."""

    def seed(dataset: DataSet, share: float, random: np.random.Generator) -> DataSet:
        column = list(dataset.rows.texts)[:2][-1]
        return change_texts(dataset, chosen(dataset, share, random), change, [column])

    return seed


def html(text: str, row: int) -> str:
    """Return a text as a page holds it."""
    head, _, tail = text.partition(" ")
    return (
        f"<p>{text}</p>",
        f'<div class="answer"><b>{head}</b>&nbsp;{tail}<br/></div>',
        f'{head} <a href="/page?id={row}">{tail}</a><br>',
        f"<li>{text.replace(chr(39), '&#39;')}</li>&nbsp;&amp;nbsp;",
    )[row % 4]


def escaped(text: str, row: int) -> str:
    """Return a text with the entities of a page: those of its signs, and spaces."""
    return (
        text.replace("'", "&#39;").replace('"', "&quot;").replace(" ", "&nbsp;" if row % 2 else " ", 2)
        + "&nbsp;&amp;"
    )


def unfilled(form: str) -> Callable[[str, int], str]:
    """Return the change of a text into a template whose fields were not filled in."""

    def change(text: str, row: int) -> str:
        words = text.split()
        middle = row % max(1, len(words))
        field = form.format(("title", "name", "product", "customer_name")[row % 4])
        return " ".join([*words[:middle], field, *words[middle + 1 :]]) if row % 3 else field

    return change


def record(text: str, row: int) -> dict[str, Any]:
    """Return a record, of which old versions of sentence-transformers read the first key."""
    words = text.split()
    return {"title": " ".join(words[:3]), "text": text, "id": row}


def empty(text: str, row: int) -> str:
    """Return white space."""
    return ("", " ", "\n", "\t ")[row % 4]


def missing(text: str, row: int) -> Any:  # noqa: ANN401 - a cell of any file
    """Return a cell that is no text."""
    return (None, float("nan"))[row % 2]


def mojibake(text: str, row: int) -> str:
    """Return a text with quotation marks and letters, written in UTF-8 and read in Windows's encoding."""
    word = ("café", "naïve", "Müller", "señor")[row % 4]
    return f"It’s {text} – {word}".encode().decode("cp1252", errors="replace")


def debris(text: str, row: int) -> str:
    """Return a text as taken out of a PDF: words broken at line ends, page numbers, glyphs without a letter."""
    words = [
        f"{word[:3]}-\n{word[3:]}" if len(word) > 6 and word.isalpha() else word for word in text.split()
    ]
    return (
        " ".join(words),
        f"{text}\n\n{row + 1}\n\n{text.split(maxsplit=1)[0]}",
        f"{text} (cid:{row % 90 + 3})",
    )[row % 3] + (" infor-\nmation" if row % 3 == 0 else "")


def too_long(text: str, row: int) -> str:
    """Return a text of more than a thousand words, of which the base reads the first two hundred."""
    times = 1100 // max(1, len(text.split())) + 1
    return " ".join(f"{text} ({row}.{number})" for number in range(times))


ALPHABETS = {
    "Thai": 0x0E01, "Georgian": 0x10D0, "Ethiopic": 0x1200, "Khmer": 0x1780, "Devanagari": 0x0915,
    "Hebrew": 0x05D0, "Armenian": 0x0561, "Chinese": 0x4E00,
}  # fmt: skip
"""Script → its first letter; 26 letters from there stand for a to z."""


def in_script(first: int) -> Callable[[str, int], str]:
    """Return the change of every Latin letter into one of another script."""
    table = {ord("a") + place: chr(first + place) for place in range(26)}

    def change(text: str, row: int) -> str:
        return text.lower().translate(table)

    return change


def other_script(dataset: DataSet, share: float, random: np.random.Generator) -> DataSet:
    """Write a share of the rows in another script, one for each data set."""
    scripts = list(ALPHABETS)
    first = ALPHABETS[scripts[int(random.integers(len(scripts)))]]
    return change_texts(dataset, chosen(dataset, share, random), in_script(first))


def without_prefix(dataset: DataSet, share: float, random: np.random.Generator) -> DataSet | None:
    """Take the prefixes that the base needs from a share of the rows."""
    if not any(dataset.prefixes):
        return None
    rows = chosen(dataset, share, random)
    for column, prefix in zip(dataset.rows.texts, dataset.prefixes, strict=True):
        dataset = change_texts(
            dataset, rows, lambda text, _, start=prefix: text.removeprefix(start), [column]
        )
    return dataset


def short_limit(dataset: DataSet, share: float, random: np.random.Generator) -> DataSet:
    """Set a limit of so few tokens that most texts are cut."""
    return replace(dataset, max_tokens=6)


_OF_TEXTS = (
    Fault(name="HTML", about="tags and entities of a page", seed=in_all_columns(html), bare=True),
    Fault(name="HTML entities", about="entities of a page", seed=in_last_column(escaped), bare=True),
    *(
        Fault(name=f"template {form.format('x')}", about="fields that were not filled in", seed=in_last_column(unfilled(form)), bare=True)
        for form in ("{{{}}}", "{{{{ {} }}}}", "${{{}}}", "[{}]", "%({})s")
    ),
    Fault(name="records", about="records in place of texts", seed=in_last_column(record), bare=True),
    Fault(name="empty texts", about="white space alone", seed=in_last_column(empty), bare=True),
    Fault(name="missing texts", about="cells without a text", seed=in_last_column(missing), bare=True),
    Fault(name="mojibake", about="decoded wrongly", seed=in_all_columns(mojibake)),
    Fault(name="PDF debris", about="broken words, page numbers, glyphs", seed=in_all_columns(debris)),
    Fault(name="long texts", about="longer than what the base reads", seed=in_last_column(too_long)),
    Fault(name="short limit", about="a limit of 6 tokens", seed=short_limit, shares=(1.0,)),
    Fault(name="other script", about="letters that the base's vocabulary lacks or splits", seed=other_script),
    Fault(name="no prefix", about="without the prefix that the base needs", seed=without_prefix, shares=(0.2, 0.5, 1.0)),
)  # fmt: skip

FEW_ROWS = 40
"""Rows of each data set: the texts are new in every share, and encoding them is what takes time."""

TEXT_FAULTS = tuple(replace(fault, most_rows=FEW_ROWS) for fault in _OF_TEXTS)
"""All faults of texts."""
