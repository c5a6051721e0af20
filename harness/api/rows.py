"""Tasks of rows in memory."""

from __future__ import annotations

import json
import os
import tempfile
import weakref
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.errors import HarnessError

if TYPE_CHECKING:
    import pandas as pd

    from harness.tasks.interface import Task


def make_task(
    name: str,
    kind: str,
    rows: Mapping[str, Sequence[Any]] | pd.DataFrame | Mapping[str, Mapping[str, Sequence[Any]]],
    **options: Any,  # noqa: ANN401 - options of any kind of task
) -> Task:
    """Return a task over rows in memory, as a task file makes one over files.

    kind: `sts`, `triplet`, `clauses`, `retrieval`, or one of a plugin. rows: column → values, or a DataFrame,
    with the columns of the kind (docs/tasks.md); for `retrieval`, `{"corpus": …, "queries": …, "qrels": …}`,
    each of them so. options: keys of the kind in a task file, with `_` for `-`; `dev` and `train` take rows.
    Raises HarnessError for a kind, a column or an option that does not exist. What is wrong with the rows is
    found when the task is evaluated.
    """
    from harness.plugins.loader import load_plugins
    from harness.tasks.task_file import task_from_table

    folder = Path(tempfile.mkdtemp(prefix="harness-rows-"))
    kinds = load_plugins().task_kinds()
    table: dict[str, Any] = {"kind": kind, **{key.replace("_", "-"): value for key, value in options.items()}}
    if kind in kinds and kinds[kind].folder:
        table["path"] = str(folder)
        for part, columns in dict(rows).items():
            file = Path("qrels", "test.jsonl") if part == "qrels" else Path(f"{part}.jsonl")
            _write_rows(folder / file, columns, str(part))
    else:
        table["path"] = str(_write_rows(folder / "rows.jsonl", rows, "rows"))
    for part in ("dev", "train"):
        if part in table and not isinstance(table[part], str | os.PathLike):
            table[part] = str(_write_rows(folder / f"{part}.jsonl", table[part], part))
    task = task_from_table(name, table, folder / "rows", kinds)
    weakref.finalize(task, _remove, str(folder))
    return task


def _remove(folder: str) -> None:
    import shutil

    shutil.rmtree(folder, ignore_errors=True)


def _write_rows(file: Path, rows: Any, what: str) -> Path:  # noqa: ANN401 - a dict of columns or a DataFrame
    """Write columns as JSON lines; raises HarnessError for unequal lengths, and for what is no columns."""
    if hasattr(rows, "to_dict") and hasattr(rows, "columns"):
        rows = {str(name): rows[name].tolist() for name in rows.columns}
    if not isinstance(rows, Mapping) or not rows:
        raise HarnessError(
            f"{what} must be a dict of column → values, or a DataFrame, not {type(rows).__name__}"
        )
    columns = {str(name): [_plain(cell) for cell in values] for name, values in rows.items()}
    lengths = {name: len(values) for name, values in columns.items()}
    if len(set(lengths.values())) > 1:
        raise HarnessError(f"columns of {what} have unequal lengths: {lengths}")
    file.parent.mkdir(parents=True, exist_ok=True)
    lines = (dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True))
    file.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    return file


def _plain(cell: Any) -> Any:  # noqa: ANN401 - any cell
    return cell.tolist() if hasattr(cell, "tolist") else cell
