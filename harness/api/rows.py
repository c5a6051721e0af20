"""Tasks of rows in memory."""

from __future__ import annotations

import datetime as dt
import decimal
import json
import os
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from harness.api.temporary import TemporaryFolder
from harness.errors import HarnessError

if TYPE_CHECKING:
    from pathlib import Path

    import pandas as pd

    from harness.tasks.interface import Task

_PARTS = ("corpus", "queries", "qrels")
"""Tables of a kind of task that reads a folder."""
_MISSING = ("NAType", "NaTType")
"""Types of pandas for a value that is missing."""


def make_task(
    name: str,
    kind: str,
    rows: Mapping[str, Sequence[Any]] | pd.DataFrame | Mapping[str, Mapping[str, Sequence[Any]]],
    **options: Any,  # noqa: ANN401 - options of any kind of task
) -> Task:
    """Return a task over rows in memory, as a task file makes one over files.

    kind: `sts`, `triplet`, `clauses`, `retrieval`, or one of a plugin. rows: column → values, or a DataFrame,
    with the columns of the kind (docs/python.md); for `retrieval`, `{"corpus": …, "queries": …, "qrels": …}`,
    each of them so. options: keys of the kind in a task file, with `_` for `-`; `dev` and `train` take rows.
    Raises HarnessError for a kind, a column or an option that does not exist, and for rows that the kind
    cannot use.
    """
    from harness.plugins.loader import load_plugins
    from harness.tasks.interface import DataSource
    from harness.tasks.task_file import task_from_table

    for what, text in (("name", name), ("kind", kind)):
        if not isinstance(text, str):
            raise HarnessError(f"the {what} of a task is a text, not {type(text).__name__}")
    folder, kinds = TemporaryFolder("rows"), load_plugins().task_kinds()
    table: dict[str, Any] = {"kind": kind, **{key.replace("_", "-"): value for key, value in options.items()}}
    if kind in kinds and kinds[kind].folder:
        table["path"] = str(folder.path)
        for part, columns in _tables(rows).items():
            file = "qrels/test.jsonl" if part == "qrels" else f"{part}.jsonl"
            _write_rows(folder.path / file, columns, part)
    else:
        table["path"] = str(_write_rows(folder.path / "rows.jsonl", rows, "rows"))
    for part in ("dev", "train"):
        if part in table and not isinstance(table[part], str | os.PathLike):
            table[part] = str(_write_rows(folder.path / f"{part}.jsonl", table[part], part))
    try:
        task = task_from_table(name, table, folder.path / "rows", kinds)
        task.load(DataSource("sample", None))
    except HarnessError as error:
        raise _without_files(error, folder.path) from None
    vars(task)["_rows"] = folder  # its files last as long as the task
    return task


def _tables(rows: Any) -> Mapping[str, Any]:  # noqa: ANN401 - whatever a user passes
    """Return the tables of a folder; raises HarnessError for others, and for what is not a dict of tables."""
    if not isinstance(rows, Mapping):
        raise HarnessError(
            f"rows of this kind are a dict of {', '.join(_PARTS)}, not {type(rows).__name__}",
            hint='{"corpus": {"_id": […], "text": […]}, "queries": {…}, "qrels": {…}}',
        )
    for part in rows:
        if part not in _PARTS:
            raise HarnessError.unknown("table of this kind", str(part), _PARTS)
    return rows


def _without_files(error: HarnessError, folder: Path) -> HarnessError:
    """Return an error in the words of rows in memory: their files are ours."""

    def said(text: str | None) -> str | None:
        if text is None:
            return None
        for file in ("rows.jsonl", "rows", "corpus.jsonl", "queries.jsonl", "qrels/test.jsonl", "dev.jsonl"):
            text = text.replace(str(folder / file), file.partition(".")[0])
        return text.replace(str(folder), "rows").replace(" in a task file", "")

    return HarnessError(said(error.message) or "", exists=said(error.exists), hint=said(error.hint))


def _write_rows(file: Path, rows: Any, what: str) -> Path:  # noqa: ANN401 - a dict of columns or a DataFrame
    """Write columns as JSON lines; raises HarnessError for unequal lengths, and for what has none."""
    columns = {name: [_plain(cell, name) for cell in values] for name, values in _columns(rows, what).items()}
    lengths = {name: len(values) for name, values in columns.items()}
    if len(set(lengths.values())) > 1:
        raise HarnessError(f"columns of {what} have unequal lengths: {lengths}")
    file.parent.mkdir(parents=True, exist_ok=True)
    lines = (dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True))
    file.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    return file


def _columns(rows: Any, what: str) -> dict[str, Iterable[Any]]:  # noqa: ANN401 - as above
    """Return columns by name; raises HarnessError for what has none, or one of a name twice."""
    frame = hasattr(rows, "columns") and hasattr(rows, "shape")
    names = [*rows.columns] if frame else [*rows] if isinstance(rows, Mapping) else []
    if not names:
        kind = type(rows).__name__
        raise HarnessError(f"{what} must be a dict of column → values, or a DataFrame, not {kind}")
    if repeated := [name for name, count in Counter(map(str, names)).items() if count > 1]:
        raise HarnessError(f"{what} has two columns named {', '.join(repeated)}")
    columns: dict[str, Iterable[Any]] = {str(name): rows[name] for name in names}
    for name, values in columns.items():
        if isinstance(values, str | bytes | Mapping) or not hasattr(values, "__iter__"):
            raise HarnessError(f"column {name!r} of {what} is {type(values).__name__}, not a list of values")
    return columns


def _plain(cell: Any, column: str) -> Any:  # noqa: ANN401 - any cell
    """Return a cell as JSON has it; raises HarnessError for one that JSON has not."""
    if cell is None or isinstance(cell, str | bool | int | float):
        return cell
    if type(cell).__name__ in _MISSING:
        return None
    if isinstance(cell, decimal.Decimal):
        return float(cell)
    if isinstance(cell, dt.date | dt.time):
        return cell.isoformat()
    if hasattr(cell, "tolist"):
        return _plain(cell.tolist(), column)
    if isinstance(cell, Mapping):
        return {str(key): _plain(value, column) for key, value in cell.items()}
    if isinstance(cell, list | tuple | set | frozenset):
        return [_plain(inner, column) for inner in cell]
    raise HarnessError(f"a cell of column {column!r} is {type(cell).__name__}: a text or a number is needed")
