"""Read training rows from a file: unvalidated for checks, validated for trainers."""

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
"""Maximum number of files or labels that an error shows."""
EXACT = 2**53
"""Minimum of whole numbers that a float may not represent exactly; such ids stay as they are written."""


def rows_path(data: Data, root: Path | None, home: str = "") -> Path:
    """Return the file of the rows: `root` itself if it is a file, else the recipe's path below it.

    home: the recipe's own folder. A path that starts with `./` or `../` is relative to it, and so is any
    path without a root. Raises HarnessError with the option that is missing.
    """
    if root is not None and root.is_file():
        return root
    if data.path is None:
        raise HarnessError("the recipe does not name the file of its rows", hint="--data FILE names it")
    in_home = root is None or data.path.startswith(("./", "../"))
    folder = Path(home or ".") if in_home else root
    path = accessible(Path(os.path.normpath((folder or Path()) / data.path)))
    if path.is_file():
        return path
    if in_home:
        raise MissingDataError(
            f"the recipe needs {data.path}, which is not there",
            exists=f"looked for: {path}",
            hint="--data DIR names the folder that holds it, --data FILE the file (docs/data.md)",
        )
    there = sorted(entry.name for entry in path.parent.iterdir()) if path.parent.is_dir() else []
    more = " …" if len(there) > MOST_SHOWN else ""
    raise MissingDataError(
        f"no {data.path} in {root}",
        exists=f"in {path.parent}: {', '.join(there[:MOST_SHOWN]) or 'nothing'}{more}",
        hint="--data FILE names the file of the rows",
    )


def read_training_rows(data: Data, path: Path) -> Rows:
    """Read rows as the recipe says, unvalidated: a cell may be a record or missing, a label out of range.

    Raises HarnessError for a file that cannot be read or lacks a column, and if no row is left.
    """
    wanted = {name: data.columns.get(name, name) for name in ROW_KINDS[data.kind]}
    conditions = {f"only {name}": name for name in data.only}
    table = read_rows(
        path,
        wanted | conditions,
        templates=data.templates,
        header=data.header or None,
        named_classes=False,  # a recipe maps numbers, and losses take them
    )
    label = next((name for name in wanted if name in LABELS), None)
    labels = _converted(table[label], data) if label else None
    texts = {name: table[name] for name in wanted if name != label}
    rows = range(len(next(iter(texts.values()))))
    matching = [
        row for row in rows if all(_same(table[f"only {name}"][row], data.only[name]) for name in data.only)
    ]
    kept = [row for row in matching if labels is None or labels[row] is not _UNMAPPED]
    distinct = _distinct(texts, labels, kept) if data.distinct else kept
    if not distinct:
        raise _no_rows_error(table, label, data, path)
    used = distinct[: data.limit]
    return Rows(
        kind=data.kind,
        texts={name: [cells[row] for row in used] for name, cells in texts.items()},
        labels=None if labels is None else [labels[row] for row in used],
        source=str(path),
        left_out=len(rows) - len(kept),
        repeated=len(kept) - len(distinct),
        findings=table.findings,
    )


def validate_rows(rows: Rows) -> Rows:
    """Return rows whose every text is a string and every label a finite number; classes become 0, 1, 2, …

    Raises HarnessError that names the first invalid row.
    """
    path = Path(rows.source)
    columns = {name: as_texts(cells, name, path) for name, cells in rows.texts.items()}
    labels: list[float] | list[int] | None = None
    if rows.labels is not None and rows.kind == "labeled-texts":
        classes = as_ids([_whole(label) for label in rows.labels], "label", path)
        number = {name: index for index, name in enumerate(sorted(set(classes)))}
        labels = [number[name] for name in classes]
    elif rows.labels is not None:
        labels = as_floats(rows.labels, ROW_KINDS[rows.kind][-1], path)
    return replace(rows, texts=columns, labels=labels)


def digest(rows: Rows) -> str:
    """Return the hex SHA-256 of the rows as the loss takes them, in order."""
    content = hashlib.sha256(rows.kind.encode())
    for name, cells in rows.texts.items():
        content.update(json.dumps([name, list(cells)], ensure_ascii=False, default=str).encode())
    content.update(json.dumps(None if rows.labels is None else list(rows.labels), default=str).encode())
    return content.hexdigest()


_UNMAPPED = object()
"""In place of a label that the recipe does not name."""


def _converted(cells: list[Any], data: Data) -> list[Any]:
    """Map the file's labels to those of the loss; a label that is not a number stays, for a check to find."""
    if data.labels:
        named = {_key(name): value for name, value in data.labels.items()}
        return [named.get(_key(cell), _UNMAPPED) for cell in cells]
    if data.kind == "labeled-texts":
        return cells
    values = [_number(cell) for cell in cells]
    if data.score_range is None:
        return values
    low, high = data.score_range
    return [(value - low) / (high - low) if isinstance(value, float) else value for value in values]


def _no_rows_error(table: dict[str, list[Any]], label: str | None, data: Data, path: Path) -> HarnessError:
    """Return the error for no rows: the values that the recipe selects, and those of the file."""
    wants = {f"data.only.{name}": (repr(value), table[f"only {name}"]) for name, value in data.only.items()}
    if label and data.labels:
        wants["data.labels"] = (", ".join(data.labels), table[label])
    lines = []
    for name, (wanted, cells) in wants.items():
        values = list(dict.fromkeys(_key(cell) for cell in cells))
        more = " …" if len(values) > MOST_SHOWN else ""
        lines.append(f"{name} selects: {wanted}; the file has: {', '.join(values[:MOST_SHOWN])}{more}")
    return HarnessError(f"{path}: the recipe selects no row", exists="\n".join(lines))


def _same(cell: Any, value: str | float) -> bool:  # noqa: ANN401 - a cell of any file
    return _key(cell) == _key(value)


def _whole(label: Any) -> Any:  # noqa: ANN401 - a cell of any file
    """Convert the class 1.0 of a file or a recipe to 1."""
    return int(label) if isinstance(label, float) and label.is_integer() else label


def _number(cell: Any) -> Any:  # noqa: ANN401 - a cell of any file
    try:
        return float(cell)
    except (TypeError, ValueError, OverflowError):
        return cell


def _key(cell: Any) -> str:  # noqa: ANN401 - a cell of any file
    """Format 0, 0.0 and "0" alike: csv files hold texts, and parquet files floats."""
    number = _number(cell)
    if not isinstance(number, float) or not abs(number) < EXACT:
        return str(cell)
    return str(int(number)) if number.is_integer() else repr(number)


def _distinct(table: dict[str, list[Any]], labels: list[Any] | None, rows: Iterable[int]) -> list[int]:
    """Return the rows that do not repeat an earlier one."""
    first: dict[str, int] = {}
    for row in rows:
        cells = [*(column[row] for column in table.values()), None if labels is None else labels[row]]
        first.setdefault(json.dumps(cells, ensure_ascii=False, default=str), row)
    return list(first.values())
