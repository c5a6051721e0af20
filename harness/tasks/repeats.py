"""Rows that a file has several times."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from harness.errors import HarnessError
from harness.finding import Finding, Severity

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_MANY = 100
"""One copy in so many rows is a warning; fewer are a note. Published sets have a few."""


def merge_repeated(
    columns: Mapping[str, Sequence[Any]], repeated: str = "keep"
) -> tuple[dict[str, Sequence[Any]], tuple[Finding, ...]]:
    """Return columns, and a finding if rows are the same in all of them but `id`.

    repeated: `keep` counts each copy, as published scores do; `drop` keeps the first of each.
    Raises HarnessError for another word.
    """
    if repeated not in ("keep", "drop"):
        raise HarnessError.unknown("value of repeated", repeated, ("keep", "drop"))
    names = [name for name in columns if name != "id"]
    first: dict[tuple[Any, ...], int] = {}
    for row, cells in enumerate(zip(*(columns[name] for name in names), strict=True)):
        first.setdefault(cells, row)
    count = len(columns[names[0]])
    copies = count - len(first)
    if not copies:
        return dict(columns), ()
    evidence = f"{copies} of {count} rows are copies of others, equal in all columns but id"
    if repeated == "drop":
        kept: dict[str, Sequence[Any]] = {
            name: [values[row] for row in first.values()] for name, values in columns.items()
        }
        evidence += f", and were dropped: {len(first)} are left"
        remedy = 'repeated = "drop" asked for it'
        return kept, (Finding("repeated-rows", Severity.NOTE, evidence, remedy),)
    severity = Severity.WARNING if copies * _MANY > count else Severity.NOTE
    evidence += f", and count each: {len(first)} are distinct"
    remedy = 'repeated = "drop" in a task file counts each row once'
    return dict(columns), (Finding("repeated-rows", severity, evidence, remedy),)
