"""Read the training rows on a model card: their number, their columns and the samples."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from harness.training.cards.markdown import bullet, cells, coded_cells, items, literal, number, tables
from harness.training.check_input import ColumnFacts, Rows
from harness.training.losses import LABELS, LOSSES, ROW_KINDS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from harness.training.cards.markdown import Section

_LABELS = ("label", "labels", "score", "scores")
"""Names of columns that the library takes for labels."""


def read_size(section: Section) -> int | None:
    """Return the number of rows of a dataset: "* Size: 4,292 training samples"."""
    value = number(bullet(section.text, "Size") or "")
    return int(value) if value is not None and 0 <= value < 1e12 and value.is_integer() else None


def read_counted(text: str) -> int | None:
    """Return the number of rows behind the statistics: "based on the first 1000 samples"."""
    match = re.search(
        r"^\* Approximate statistics based on the first ([\d,]{1,15}) samples", text, re.MULTILINE
    )
    return int(match[1].replace(",", "") or 0) or None if match else None


def read_columns(text: str) -> tuple[ColumnFacts, ...]:
    """Read the columns of a dataset, with their statistics where its section has the table."""
    listed = bullet(text, "Columns") or ""
    names = [piece.partition("</code>")[0] for piece in listed.split("<code>")[1:]]
    facts = _statistics(text)
    return tuple(_column(name, facts.get(name, {})) for name in names or facts)


def label_of(columns: Sequence[ColumnFacts]) -> str | None:
    """Return the name of the column that the library takes for the label."""
    return next((column.name for column in columns if column.name in _LABELS), None)


def kind_of(loss: str, columns: Sequence[ColumnFacts]) -> str | None:
    """Return the kind of rows (ROW_KINDS) that these columns make for a loss; None if they fit none.

    A loss without labels ignores them. For a loss that is not in LOSSES, the columns alone decide.
    """
    label = label_of(columns)
    texts = sum(column.name not in _LABELS for column in columns)
    if loss in LOSSES:
        for kind in (LOSSES[loss].kind, *LOSSES[loss].also):
            labeled = ROW_KINDS[kind][-1] in LABELS
            if texts == len(ROW_KINDS[kind]) - labeled and (label is not None or not labeled):
                return kind
    if label is None:
        return {2: "pairs", 3: "triplets"}.get(texts)
    scored = "labeled-pairs" if _type_of(columns, label) in ("int", "bool") else "scored-pairs"
    return {1: "labeled-texts", 2: scored}.get(texts)


def read_sample_rows(text: str, loss: str, columns: Sequence[ColumnFacts], where: str) -> Rows | None:
    """Read the sample rows of a dataset's section; None without samples, or if their kind is unknown."""
    samples = (table for table in tables(text) if cells(table[0])[0] and "<code>" in "".join(table[1:]))
    shown = next(samples, None)
    kind = kind_of(loss, columns)
    if shown is None or kind is None:
        return None
    header, width = cells(shown[0]), len(columns)
    rows = [row for line in shown[1:] if len(row := coded_cells(line)) == len(header) == width]
    if not rows or set(header) != {column.name for column in columns}:
        return None
    values = {name: [row[position] for row in rows] for position, name in enumerate(header)}
    label = label_of(columns)
    named = zip((name for name in ROW_KINDS[kind] if name not in LABELS), text_columns(columns), strict=True)
    labeled = ROW_KINDS[kind][-1] in LABELS and label is not None
    return Rows(
        kind=kind,
        texts={ours: [_cell(cell, column.type) for cell in values[column.name]] for ours, column in named},
        labels=[_label(cell) for cell in values[label]] if labeled and label else None,
        source=where,
        complete=False,
    )


def text_columns(columns: Sequence[ColumnFacts]) -> list[ColumnFacts]:
    """Return the columns that the library takes for texts, in the order of the loss."""
    return [column for column in columns if column.name not in _LABELS]


def _type_of(columns: Sequence[ColumnFacts], name: str) -> str:
    return next((column.type for column in columns if column.name == name), "")


def _statistics(text: str) -> dict[str, dict[str, str]]:
    """Return column → row of the statistics table → cell: the table whose first cell is empty."""
    table = next((lines for lines in tables(text) if not cells(lines[0])[0]), None)
    if table is None:
        return {}
    header = cells(table[0])
    statistics: dict[str, dict[str, str]] = {name: {} for name in header[1:]}
    for line in table[1:]:
        row = cells(line)
        for name, cell in zip(header[1:], row[1:], strict=False):
            statistics[name][row[0]] = cell
    return statistics


def _column(name: str, facts: Mapping[str, str]) -> ColumnFacts:
    details = items(facts.get("details", ""))
    kind = facts.get("type", "").rpartition(".")[2]
    if kind in ("int", "bool"):
        shares = {label: value for label, cell in details.items() if (value := number(cell)) is not None}
        # Shares are shown in percent, with two decimals.
        return ColumnFacts(
            name=name,
            type=kind,
            shares={label: value / 100 for label, value in shares.items()},
            **_range(shares),
        )
    low, mean, high = (_finite(number(details.get(part, ""))) for part in ("min", "mean", "max"))
    unit = next((cell.split()[-1] for cell in details.values() if len(cell.split()) == 2), "")
    unit = unit if unit in ("tokens", "characters") else ""
    return ColumnFacts(name=name, type=kind, low=low, mean=mean, high=high, unit=unit)


def _range(shares: Mapping[str, float]) -> dict[str, Any]:
    """Minimum, mean and maximum of whole-number labels, from their shares in percent."""
    values = {number(label): share for label, share in shares.items()}
    total = sum(shares.values())
    known = {value: share for value, share in values.items() if value is not None}
    if len(known) != len(shares) or not total > 0:
        return {}
    mean = sum(value * share for value, share in known.items()) / total
    return {"low": min(known), "mean": mean, "high": max(known)}


def _finite(value: float | None) -> float | None:
    return value if value is not None and abs(value) < float("inf") else None


def _cell(text: str, kind: str) -> Any:  # noqa: ANN401 - a text, or the record or list that was trained on
    """Parse a record or a list, unless the statistics say that the column holds texts."""
    if kind not in ("dict", "list", "") or not text.startswith(("{", "[")):
        return text
    value = literal(text)
    return value if isinstance(value, dict) or (isinstance(value, list) and kind == "list") else text


def _label(text: str) -> Any:  # noqa: ANN401 - a score, or a class's name
    try:
        return float({"False": "0", "True": "1"}.get(text, text))
    except ValueError:
        return text
