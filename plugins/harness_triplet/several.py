"""Rows with several positives or negatives: a triplet for each combination, and one cluster per row."""

from __future__ import annotations

import re
from itertools import product
from typing import TYPE_CHECKING, Any

from harness import Finding, HarnessError, Severity
from harness.authoring import plural, verb
from harness_triplet.list_cells import expand_lists

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harness.authoring import Columns, TaskDefinition

SIDES = ("positive", "negative")
_ANCHOR = "anchor"


def read_triplets(definition: TaskDefinition, optional: Sequence[str]) -> Columns:
    """Read rows of an anchor with one or several positives and negatives: one row per triplet.

    Several are a list in a cell, also one that is written as text (`expand_lists`), or numbered columns
    `negative_1`, `negative_2`, …, of which empty ones do not count. sentence-transformers' mining of hard
    negatives writes such columns.
    Raises HarnessError for a row without a positive or a negative, unless such rows are dropped.
    """
    drop = definition.options.get("missing") == "drop"
    named = {side: str(definition.columns.get(side, side)) for side in SIDES}
    by_position = any(isinstance(column, int) for column in definition.columns.values())
    if definition.options.get("header") is False or by_position:
        rows = definition.read_rows((_ANCHOR, *SIDES), optional=optional)
        found = expand_lists(rows, (_ANCHOR, *SIDES))
        if not any(isinstance(cell, list) for side in SIDES for cell in rows[side]):
            return rows.take(range(len(rows[_ANCHOR])), *found)
        return _expand(rows, {side: [side] for side in SIDES}, found, drop=drop)
    patterns = [re.compile(rf"{re.escape(theirs)}(_?[0-9]{{1,6}})?") for theirs in named.values()]
    rows = definition.read_rows((_ANCHOR,), optional=(*optional, *patterns))
    columns = {side: _columns_of(rows, side, theirs) for side, theirs in named.items()}
    if not all(columns.values()):
        return definition.read_rows((_ANCHOR, *SIDES), optional=optional)  # raises, and says what there is
    found = expand_lists(rows, (_ANCHOR, *columns["positive"], *columns["negative"]))
    return _expand(rows, columns, found, drop=drop)


def _columns_of(rows: Columns, side: str, theirs: str) -> list[str]:
    """Return the columns of a side: the one of its name, then those that are numbered, in order."""
    single = next(([name] for name in (side, theirs) if name in rows), [])
    numbers = {name: re.fullmatch(rf"{re.escape(theirs)}_?([0-9]+)", name) for name in rows}
    return single + [
        name for _, name in sorted((int(match[1]), name) for name, match in numbers.items() if match)
    ]


def _expand(rows: Columns, columns: dict[str, list[str]], found: Sequence[Finding], *, drop: bool) -> Columns:
    """Return one row per triplet, with further findings; ids of rows that give several get a number.

    drop: whether rows are left out that lack a value, also within a list.
    """
    triplets: list[tuple[int, Any, Any]] = []
    dropped = 0
    for row in range(len(rows[_ANCHOR])):
        sides = [_values(rows, columns[side], row) for side in SIDES]
        lacking = next((side for side, values in zip(SIDES, sides, strict=True) if not values), None)
        if drop and any(value is None for values in sides for value in values):
            dropped += 1
            continue
        if lacking is not None and not drop:
            file, number = rows.places[row]
            raise HarnessError(
                f"{file}: row {number} has no {lacking}",
                hint='missing = "drop" in a task file leaves such rows out',
            )
        dropped += lacking is not None
        triplets += [(row, *pair) for pair in product(*sides)]
    if not triplets:
        raise HarnessError(f"empty dataset: {rows.places[0][0]} has no row with a positive and a negative")
    expanded = rows.take(
        [row for row, _, _ in triplets], *found, *_findings(len(rows[_ANCHOR]), dropped, len(triplets))
    )
    for place, side in enumerate(SIDES, 1):
        expanded[side] = [triplet[place] for triplet in triplets]
    if "id" in expanded and len(triplets) > len(rows[_ANCHOR]) - dropped:
        expanded["id"] = _numbered(expanded["id"], [row for row, _, _ in triplets])
    return expanded


def _values(rows: Columns, columns: Sequence[str], row: int) -> list[Any]:
    """Return a row's values of a side, one by one; an empty text counts only where it is the one value."""
    values: list[Any] = []
    for name in columns:
        value = rows[name][row]
        if isinstance(value, list):
            values += value
        elif value is not None and (value != "" or len(columns) == 1):
            values.append(value)
    return values


def _numbered(ids: Sequence[Any], rows: Sequence[int]) -> list[str]:
    """Return `7/1`, `7/2`, … for the triplets of the row whose id is 7."""
    count: dict[int, int] = {}
    numbered = []
    for name, row in zip(ids, rows, strict=True):
        count[row] = count.get(row, 0) + 1
        numbered.append(f"{name}/{count[row]}")
    return numbered


def _findings(rows: int, dropped: int, triplets: int) -> list[Finding]:
    findings = []
    if dropped:
        lacking = verb(
            dropped, "lacks a positive or a negative and was", "lack a positive or a negative and were"
        )
        evidence = f"{dropped} of {plural(rows, 'row')} {lacking} dropped"
        findings.append(Finding("rows-dropped", Severity.WARNING, evidence, 'missing = "drop" asked for it'))
    if triplets > rows - dropped:
        gives = f"{verb(rows - dropped, 'gives', 'give')} {plural(triplets, 'triplet')}"
        evidence = f"{plural(rows - dropped, 'row')} with several positives or negatives {gives}"
        findings.append(Finding("several-per-row", Severity.NOTE, evidence))
    return findings
