"""Task files: tasks over the user's own data, with no code."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.errors import HarnessError
from harness.system.paths import user_path
from harness.system.toml_file import read_toml
from harness.tasks.interface import TaskDefinition
from harness.tasks.selection import name_error

if TYPE_CHECKING:
    from collections.abc import Mapping

    from harness.tasks.interface import Task, TaskKind

_GENERAL = ("kind", "path", "tags", "columns", "templates")


def read_task_file(path: Path, kinds: Mapping[str, TaskKind]) -> dict[str, Task]:
    """Build the tasks that the `[tasks.NAME]` tables of a TOML file define.

    Raises HarnessError for a file that cannot be read, an unknown kind, or a definition that is not right.
    """
    if not path.is_file():
        raise HarnessError(f"no task file {path}")
    content = read_toml(path)
    tables = content.get("tasks")
    unknown = [key for key in content if key != "tasks"]
    if unknown or not isinstance(tables, dict) or not tables:
        raise HarnessError(
            f"{path} defines no tasks" if not unknown else f"{path}: unknown table {unknown[0]!r}",
            hint="a task is a table: [tasks.NAME] with kind and path",
        )
    return {name: _task(name, table, path, kinds) for name, table in tables.items()}


def _task(name: str, table: Any, file: Path, kinds: Mapping[str, TaskKind]) -> Task:  # noqa: ANN401 - TOML
    where = f"[tasks.{name}] in {file}"
    if not isinstance(table, dict):
        raise HarnessError(f"{where} is not a table")
    if problem := name_error(name):
        raise HarnessError(f"{where}: the name {problem}", hint="a word after --tasks must select it")
    for key in ("kind", "path"):
        if not isinstance(table.get(key), str):
            raise HarnessError(f"{where} needs {key}", exists=f"kinds: {', '.join(sorted(kinds))}")
    if table["kind"] not in kinds:
        raise HarnessError.unknown(f"kind of task ({where})", table["kind"], kinds)
    tags = table.get("tags", [])
    if not isinstance(tags, list) or not all(isinstance(tag, str) for tag in tags):
        raise HarnessError(f"{where}: tags must be a list of texts")
    definition = TaskDefinition(
        name=name,
        kind=table["kind"],
        path=_below(file, table["path"]),
        tags=frozenset(tags),
        columns=_names(table, "columns", where),
        templates=_names(table, "templates", where),
        options={key: _option(file, key, value) for key, value in table.items() if key not in _GENERAL},
    )
    task = kinds[definition.kind].build(definition)
    # Paths are where rows come from, and rows count by their content.
    task.options = {key: value for key, value in definition.options.items() if not isinstance(value, Path)}
    return task


def _names(table: dict[str, Any], key: str, where: str) -> dict[str, str]:
    names = table.get(key, {})
    if not isinstance(names, dict) or not all(isinstance(value, str) for value in names.values()):
        raise HarnessError(f"{where}: {key} must be a table of texts: {key} = {{ ours = 'yours' }}")
    return names


def _option(file: Path, key: str, value: Any) -> Any:  # noqa: ANN401 - TOML
    """Make the paths of further splits relative to the task file's folder, as `path` is.

    Raises HarnessError for a text of which no file's name can be made.
    """
    if not isinstance(value, str):
        return value
    _below(file, f"{value}.parquet")
    return _below(file, value) if key in ("train", "dev") else value


def _below(file: Path, path: str) -> Path:
    return user_path(path, file.parent)
