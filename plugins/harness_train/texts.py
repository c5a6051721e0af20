"""Check `texts`: unfilled templates, and texts that do not suit the base."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.training import Check
from harness_train.prefixes import check_prefixes
from harness_train.scripts import check_scripts
from harness_train.templates import check_templates

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness import Finding
    from harness.training import CheckInput


def check_base_texts(training: CheckInput) -> Iterator[Finding]:
    """Find unfilled templates, missing prefixes, and scripts that the base cannot read."""
    rows = training.rows
    cells = [
        cell
        for column in (() if rows is None else rows.texts.values())
        for cell in column
        if isinstance(cell, str) and cell.strip()
    ]
    examples = () if training.usage is None else training.usage.texts
    known = set(cells)
    shown = [
        text for text in dict.fromkeys([*examples, *training.samples]) if text.strip() and text not in known
    ]
    yield from check_templates([*cells, *shown], training.prompts)
    yield from check_prefixes(training)
    yield from check_scripts(training, list(dict.fromkeys([*cells, *shown])))


TEXTS = Check(
    "texts",
    "unfilled templates, missing prefixes, scripts that the base cannot read",
    check_base_texts,
    ("unfilled-template", "prefix-missing", "unreadable-script"),
)
