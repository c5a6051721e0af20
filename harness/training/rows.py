"""Training rows: from a file to what a loss takes, left doubtful for checks or made sure for a trainer."""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.errors import HarnessError, MissingDataError
from harness.system.paths import accessible
from harness.tasks.readers import as_floats, as_ids, as_texts, read_rows
from harness.training.check_input import Rows
from harness.training.losses import LABELS, ROW_KINDS

if TYPE_CHECKING:
    from collections.abc import Iterable

    from harness.training.recipe import Data

MOST_SHOWN = 20
"""Of more files or labels than these, an error shows the first."""
EXACT = 2**53
"""From here on, a float is not every whole number, and an id must stay as it is written."""


def rows_path(data: Data, root: Path | None, home: str = "") -> Path:
    """Find the file of the rows: `root` itself where it is a file, else the recipe's path below it.

    home: the recipe's own folder. A path that starts with `./` or `../` is meant from there, and so is any
    other if no root is given. Raises HarnessError that says what must be given.
    """
    if root is not None and root.is_file():
        return root
    if data.path is None:
        raise HarnessError("the recipe does not say where its rows are", hint="--data FILE names them")
    beside = root is None or data.path.startswith(("./", "../"))
    folder = Path(home or ".") if beside else root
    path = accessible(Path(os.path.normpath((folder or Path()) / data.path)))
    if path.is_file():
        return path
    if beside:
        raise MissingDataError(
            f"the recipe needs {data.path}, which does not come with it",
            exists=f"looked for: {path}",
            hint="--data DIR names the folder that holds it, --data FILE the file (docs/data.md)",
        )
    there = sorted(entry.name for entry in path.parent.iterdir()) if path.parent.is_dir() else []
    more = " …" if len(there) > MOST_SHOWN else ""
    raise MissingDataError(
        f"no {data.path} in {root}",
        exists=f"in {path.parent}: {', '.join(there[:MOST_SHOWN]) or 'nothing'}{more}",
        hint="--data FILE names the rows themselves",
    )


def read_training_rows(data: Data, path: Path) -> Rows:
    """Read rows as the recipe says, without judging them: a cell may be a record or missing, a label absurd.

    Raises HarnessError for a file that cannot be read or lacks a column, and where no row is left.
    """
    wanted = {name: data.columns.get(name, name) for name in ROW_KINDS[data.kind]}
    conditions = {f"only {name}": name for name in data.only}
    table = read_rows(path, wanted | conditions, templates=data.templates, header=data.header or None)
    label = next((name for name in wanted if name in LABELS), None)
    labels = _converted(table[label], data) if label else None
    texts = {name: table[name] for name in wanted if name != label}
    rows = range(len(next(iter(texts.values()))))
    asked = [
        row for row in rows if all(_same(table[f"only {name}"][row], data.only[name]) for name in data.only)
    ]
    kept = [row for row in asked if labels is None or labels[row] is not _NONE]
    distinct = _first_of_each(texts, labels, kept) if data.distinct else kept
    if not distinct:
        raise _nothing_left(table, label, data, path)
    used = distinct[: data.limit]
    return Rows(
        kind=data.kind,
        texts={name: [cells[row] for row in used] for name, cells in texts.items()},
        labels=None if labels is None else [labels[row] for row in used],
        source=str(path),
        left_out=len(rows) - len(kept),
        repeated=len(kept) - len(distinct),
    )


def validate_rows(rows: Rows) -> Rows:
    """Return rows whose every text is a text and every label a finite number; classes become 0, 1, 2, …

    Raises HarnessError that names the first row that is not so.
    """
    path = Path(rows.source)
    columns = {name: as_texts(cells, name, path) for name, cells in rows.texts.items()}
    labels: list[float] | list[int] | None = None
    if rows.labels is not None and rows.kind == "labeled-texts":
        classes = as_ids([_whole(label) for label in rows.labels], "label", path)
        number = {name: place for place, name in enumerate(sorted(set(classes)))}
        labels = [number[name] for name in classes]
    elif rows.labels is not None:
        labels = as_floats(rows.labels, ROW_KINDS[rows.kind][-1], path)
    return replace(rows, texts=columns, labels=labels)


def digest(rows: Rows) -> str:
    """Hex SHA-256 of the rows as the loss takes them, in order."""
    found = hashlib.sha256(rows.kind.encode())
    for name, cells in rows.texts.items():
        found.update(json.dumps([name, list(cells)], ensure_ascii=False, default=str).encode())
    found.update(json.dumps(None if rows.labels is None else list(rows.labels), default=str).encode())
    return found.hexdigest()


_NONE = object()
"""Stands for a label that the recipe does not name."""


def _converted(cells: list[Any], data: Data) -> list[Any]:
    """Turn the file's labels into the loss's; what is no number stays as it is, for a check to find."""
    if data.labels:
        named = {_key(name): value for name, value in data.labels.items()}
        return [named.get(_key(cell), _NONE) for cell in cells]
    if data.kind == "labeled-texts":
        return cells
    values = [_number(cell) for cell in cells]
    if data.score_range is None:
        return values
    low, high = data.score_range
    return [(value - low) / (high - low) if isinstance(value, float) else value for value in values]


def _nothing_left(table: dict[str, list[Any]], label: str | None, data: Data, path: Path) -> HarnessError:
    """Say what the recipe wants of a row, and what the rows have there."""
    wants = {f"data.only.{name}": (repr(value), table[f"only {name}"]) for name, value in data.only.items()}
    if label and data.labels:
        wants["data.labels"] = (", ".join(data.labels), table[label])
    lines = []
    for name, (wanted, cells) in wants.items():
        found = list(dict.fromkeys(_key(cell) for cell in cells))
        more = " …" if len(found) > MOST_SHOWN else ""
        lines.append(f"{name} wants: {wanted}; the file has: {', '.join(found[:MOST_SHOWN])}{more}")
    return HarnessError(f"{path}: no row is one that the recipe wants", exists="\n".join(lines))


def _same(cell: Any, value: str | float) -> bool:  # noqa: ANN401 - a cell of any file
    return _key(cell) == _key(value)


def _whole(label: Any) -> Any:  # noqa: ANN401 - a cell of any file
    """Write a class that a file or a recipe holds as 1.0 as 1."""
    return int(label) if isinstance(label, float) and label.is_integer() else label


def _number(cell: Any) -> Any:  # noqa: ANN401 - a cell of any file
    try:
        return float(cell)
    except (TypeError, ValueError, OverflowError):
        return cell


def _key(cell: Any) -> str:  # noqa: ANN401 - a cell of any file
    """Write 0, 0.0 and "0" alike: csv files hold texts, and parquet files floats."""
    number = _number(cell)
    if not isinstance(number, float) or not abs(number) < EXACT:
        return str(cell)
    return str(int(number)) if number.is_integer() else repr(number)


def _first_of_each(table: dict[str, list[Any]], labels: list[Any] | None, rows: Iterable[int]) -> list[int]:
    seen: dict[str, int] = {}
    for row in rows:
        cells = [*(column[row] for column in table.values()), None if labels is None else labels[row]]
        seen.setdefault(json.dumps(cells, ensure_ascii=False, default=str), row)
    return list(seen.values())
