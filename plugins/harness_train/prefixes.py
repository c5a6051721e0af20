"""Find texts that lack the prefix with which their base was trained."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness import Finding, Severity
from harness_train.duplicates import shorten
from harness_train.prefix_table import prefix_rule

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from typing import Any

    from harness.training import CheckInput
    from harness_train.prefix_table import PrefixRule

MIXED = 0.01
"""Minimum share of texts without the prefix, among texts with it, for a finding."""
_QUERIES = ("query", "queries", "question", "questions")
"""Names of a card's first column that say that it holds queries."""


def check_prefixes(training: CheckInput) -> Iterator[Finding]:
    """Find columns whose texts lack the prefix of the base; a prompt of the training counts as one."""
    rule, rows = prefix_rule(training.base_name), training.rows
    if rule is None or rows is None or not len(rows):
        return
    names = _column_names(training)
    with_prefix = {}
    for ours, cells in rows.texts.items():
        prompt = training.prompts.get(names[ours], training.prompts.get("", ""))
        with_prefix[ours] = 1.0 if rule.start.match(prompt) else _share(cells, rule)
    needing = list(with_prefix) if rule.every else list(with_prefix)[:1]
    if not rule.every and any(share >= 0.5 for share in with_prefix.values()):
        needing = [ours for ours in with_prefix if with_prefix[ours] > 0]
    lacking = [ours for ours in needing if 1 - with_prefix[ours] >= MIXED]
    if lacking:
        yield _finding(training, rule, {ours: with_prefix[ours] for ours in lacking}, names)


def _finding(
    training: CheckInput, rule: PrefixRule, lacking: dict[str, float], names: dict[str, str]
) -> Finding:
    rows = training.rows
    shown = " and ".join(
        f"{1 - share:.0%} of the texts of {names[ours]}"
        if share
        else f"no text of {names[ours]} begins with it"
        for ours, share in lacking.items()
    )
    some = any(lacking.values())
    first = next(iter(lacking))
    example = next((cell for cell in (rows.texts[first] if rows else ()) if _lacks(cell, rule)), "")
    if rule.every:
        need = "was trained with a prefix before every text"
    else:
        need = "was trained with a prefix before every search query"
    seen = (
        f"{shown} lack it"
        if some and all(lacking.values())
        else shown
        if not some
        else f"{shown} (or lack it)"
    )
    known = rule.every or some or names[first].casefold() in _QUERIES
    where = " that the card shows" if rows is not None and not rows.complete else ""
    return Finding(
        "prefix-missing",
        Severity.WARNING if known else Severity.NOTE,
        f"{training.base_name} {need}, {rule.wanted} ({rule.source}). Of the {len(rows or ()):,}"
        f" rows{where}, {seen}, such as {shorten(str(example))!r}.",
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


def _share(cells: Sequence[Any], rule: PrefixRule) -> float:
    """Return the share of texts that begin with a prefix; 1 without any text."""
    texts = [cell for cell in cells if isinstance(cell, str) and cell.strip()]
    return sum(rule.start.match(text) is not None for text in texts) / len(texts) if texts else 1.0


def _lacks(cell: object, rule: PrefixRule) -> bool:
    return isinstance(cell, str) and bool(cell.strip()) and rule.start.match(cell) is None
