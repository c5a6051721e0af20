"""Fields that a recipe needs and a model card does not give, and the options that give them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, get_args, get_type_hints

import msgspec

from harness.training.losses import ROW_KINDS
from harness.training.recipe import Data, Modules

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from harness.training.cards.reader import Card
    from harness.training.check_input import ColumnFacts


@dataclass(frozen=True, slots=True)
class MissingField:
    """A field that a recipe needs and the card does not give."""

    keys: tuple[str, ...]
    """Keys of a recipe; any one of them gives it."""
    why: str
    option: str
    """How to give it on the command line."""


def missing_value(key: str, value: object) -> MissingField:
    """Ask for a key: the card does not give it, or gives a value that recipes cannot hold."""
    if value is None:
        why = "the card does not give it"
    else:
        why = f"the card gives {value}, which recipes cannot hold"
    keys = (key, "train.steps") if key == "train.epochs" else (key,)
    return MissingField(keys, why, f"--set {key}=VALUE")


def missing_modules(model: Mapping[str, Any]) -> list[MissingField]:
    """Ask for the pooling and the normalization that the card does not give."""
    return [
        missing_value(f"model.{name}", value)
        for name, value in model.items()
        if value is None or not is_allowed(Modules, name, value)
    ]


def missing_task(card: Card) -> MissingField:
    """Ask for the task that decides; the metrics of the card's log are shown as a hint."""
    metrics = list(dict.fromkeys(name for line in card.check_input.log for name in line.metrics))
    shown = f" (its log has {', '.join(metrics)})" if metrics else ""
    return MissingField(
        ("evaluation.tasks", "evaluation.keep"),
        f"the task by which the best checkpoint is kept{shown}",
        "--set 'evaluation.tasks=[\"TASK\"]', or evaluation.keep=last",
    )


def missing_template(card: Card, ours: str, column: ColumnFacts) -> MissingField:
    """Ask how the records of a column become texts, with an example from the rows that the card shows."""
    cells = card.check_input.rows.texts.get(ours, ()) if card.check_input.rows else ()
    record = next((cell for cell in cells if isinstance(cell, dict) and cell), {})
    fields = f" with the fields {', '.join(map(str, record))}" if record else ""
    example = f"{{{column.name}.{next(iter(record))}}}" if record else "…"
    # Seen in 3.4.1; 6.2 refuses records.
    old = record and (card.version or "").startswith("3.")
    first = f"; sentence-transformers {card.version} took the first alone, as {example} does" if old else ""
    return MissingField(
        (f"data.templates.{ours}", f"data.columns.{ours}"),
        f"how a record of {column.name}{fields} becomes a text{first}",
        f'--set data.templates.{ours}="{example}"',
    )


def missing_columns(table: Mapping[str, Any], data: Path) -> list[MissingField]:
    """Ask for every column of the card that the file does not have."""
    from harness.tasks.readers import read_records

    try:
        rows = msgspec.convert(table["data"], Data)
    except msgspec.ValidationError:
        return []  # reported when the table becomes a recipe
    present = dict.fromkeys(
        key for record in read_records(data, header=rows.header or None) for key in record
    )
    wanted = {
        ours: rows.columns.get(ours, ours) for ours in ROW_KINDS[rows.kind] if ours not in rows.templates
    }
    there = ", ".join(map(str, present)) or "nothing"
    return [
        MissingField((), f"the file has no column {theirs}; it has {there}", f"--column {ours}=NAME")
        for ours, theirs in wanted.items()
        if theirs not in present
    ]


def is_allowed(record: type, name: str, value: object) -> bool:
    """Whether a field of a recipe can hold the value: one of its choices, if it has any; None always."""
    choices = set(_choices(get_type_hints(record)[name]))
    return value is None or not choices or value in choices


def _choices(hint: Any) -> Iterator[str]:  # noqa: ANN401 - a type
    for part in get_args(hint):
        if isinstance(part, str):
            yield part
        else:
            yield from _choices(part)
