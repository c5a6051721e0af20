"""Find texts that lack the prefix with which their base was trained."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from harness import Finding, Severity
from harness_train.duplicates import shorten
from harness_train.prefix_table import prefix_rule
from harness_train.templates import FIELD, placeholders

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from typing import Any

    from harness.training import CheckInput
    from harness_train.prefix_table import PrefixRule

MIXED = 0.01
"""Minimum share of texts without the prefix, among texts with it, for a finding."""
_BEGINNING = 60
"""Number of characters in which a prefix is searched; the longest has 57."""
_LOOKED_AT = 300
"""The same before tags and entities are taken out."""
_BETWEEN = re.compile(r"<[^<>]{1,100}>|&#?\w{2,8};")
_QUERIES = ("query", "queries", "question", "questions")
"""Names of a card's first column that say that it holds queries."""


def check_prefixes(training: CheckInput) -> Iterator[Finding]:
    """Find columns whose texts lack the prefix of the base; a prompt of the training counts as one."""
    rule, rows = prefix_rule(training.base_name), training.rows
    if rule is None or rows is None or not len(rows):
        return
    names = _column_names(training)
    prompts = {ours: training.prompts.get(name, training.prompts.get("", "")) for ours, name in names.items()}
    prompted = {ours for ours, prompt in prompts.items() if has_prefix(prompt, rule)}
    if rule.every:
        lacking = {
            ours: _lacking([cells], rule) for ours, cells in rows.texts.items() if ours not in prompted
        }
    else:
        first = next(iter(rows.texts))
        lacking = {} if prompted else {first: _lacking(list(rows.texts.values()), rule)}
    lacking = {ours: share for ours, share in lacking.items() if share >= MIXED}
    if lacking:
        yield _finding(training, rule, lacking, names)


def _finding(
    training: CheckInput, rule: PrefixRule, lacking: Mapping[str, float], names: Mapping[str, str]
) -> Finding:
    rows = training.rows
    first = next(iter(lacking))
    cells = rows.texts[first] if rows is not None else ()
    example = next((cell for cell in cells if _is_text(cell) and not has_prefix(cell, rule)), "")
    seen = " and ".join(f"{share:.0%} of the texts of {names[ours]}" for ours, share in lacking.items())
    known = rule.every or lacking[first] < 1 or names[first].casefold() in _QUERIES
    where = " that the card shows" if rows is not None and not rows.complete else ""
    return Finding(
        "prefix-missing",
        Severity.WARNING if known else Severity.NOTE,
        f"{training.base_name} was trained with a prefix before every"
        f" {'text' if rule.every else 'search query'}, {rule.wanted} ({rule.source}). In the"
        f" {len(rows or ()):,} rows{where}, {seen} lack it, such as"
        f" {shorten(str(example))!r}.",
        "Put the prefix before the texts, with data.templates in the recipe or `prompts` of the trainer,"
        " and use the same prefix after the training."
        + ("" if rule.every else " If no text is a search query, none is needed."),
    )


def _column_names(training: CheckInput) -> dict[str, str]:
    """Return our name of a text column → its name on the card, or ours again."""
    ours = list(training.rows.texts) if training.rows is not None else []
    theirs = [column.name for column in training.columns if column.name not in _LABELS]
    return dict(zip(ours, theirs if len(theirs) == len(ours) else ours, strict=True))


_LABELS = ("label", "labels", "score", "scores")


def _lacking(columns: Sequence[Sequence[Any]], rule: PrefixRule) -> float:
    """Return the share of rows in which no column has a prefix; 0 without any texts.

    Rows whose texts are all equal are no query with its document, and do not count.
    """
    rows = [row for row in zip(*columns, strict=True) if all(map(_is_text, row))]
    rows = [row for row in rows if len(row) == 1 or len(set(row)) > 1]
    return sum(not any(has_prefix(text, rule) for text in row) for row in rows) / len(rows) if rows else 0.0


def has_prefix(text: str, rule: PrefixRule) -> bool:
    """Whether a text has one of the prefixes at its beginning, or after a tag or a few signs."""
    words = " ".join(_BETWEEN.sub(" ", text[:_LOOKED_AT]).replace("-\n", "").split())
    return rule.prefix.search(words[:_BEGINNING]) is not None


def _is_text(cell: object) -> bool:
    """Whether a cell is a text that can have a prefix; a template may have its prefix in a field."""
    return isinstance(cell, str) and bool(cell.strip()) and not placeholders(cell) and not FIELD.search(cell)
