"""Task files: tasks over the user's own data, without code."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.errors import HarnessError
from harness.system.paths import user_path
from harness.system.toml_file import read_toml_as, table_as, table_name
from harness.tasks.hub_tasks import hub_dataset, hub_options, hub_task
from harness.tasks.interface import TaskDefinition
from harness.tasks.selection import name_error

if TYPE_CHECKING:
    from collections.abc import Mapping

    from harness.tasks.interface import Task, TaskKind


@dataclass(frozen=True, slots=True, kw_only=True)
class _TaskFile:
    tasks: dict[str, dict[str, Any]] = field(default_factory=dict)
    """By name; a table has the keys of `_TaskTable`, and options of its kind."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _TaskTable:
    """Keys that a task of every kind has."""

    kind: str
    path: str
    tags: frozenset[str] = frozenset()
    columns: dict[str, str] = field(default_factory=dict)
    templates: dict[str, str] = field(default_factory=dict)


_GENERAL = frozenset(column.name for column in fields(_TaskTable))


def read_task_file(path: Path, kinds: Mapping[str, TaskKind]) -> dict[str, Task]:
    """Build the tasks that the `[tasks.NAME]` tables of a TOML file define.

    Raises HarnessError for a file that cannot be read, an unknown kind, or a definition that is not right.
    """
    if not path.is_file():
        raise HarnessError(f"no task file {path}")
    hint = "a task is a table: [tasks.NAME] with kind and path"
    tables = read_toml_as(path, _TaskFile, hint=hint).tasks
    if not tables:
        raise HarnessError(f"{path} defines no tasks", hint=hint)
    return {name: _task(name, table, path, kinds) for name, table in tables.items()}


def _task(name: str, table: Mapping[str, Any], file: Path, kinds: Mapping[str, TaskKind]) -> Task:
    where = f"{file}: {table_name('tasks', name)}"
    if problem := name_error(name):
        raise HarnessError(f"{where}: the name {problem}", hint="a word after --tasks must select it")
    general = table_as(
        {key: value for key, value in table.items() if key in _GENERAL},
        _TaskTable,
        file,
        at=("tasks", name),
        hint=f"a task needs kind and path; kinds: {', '.join(sorted(kinds))}",
    )
    if general.kind not in kinds:
        raise HarnessError.unknown(f"kind of task ({where})", general.kind, kinds)
    kind, hub = kinds[general.kind], hub_dataset(general.path, table, where)
    options = {key: _option(file, key, value) for key, value in table.items() if key not in _GENERAL}
    definition = TaskDefinition(
        name=name,
        kind=general.kind,
        path=user_path(general.path, file.parent),
        tags=general.tags,
        columns=general.columns,
        templates=general.templates,
        options=hub_options(options, kind) if hub else options,
        hub=hub,
    )
    task = hub_task(kind, definition, hub, table) if hub else kind.build(definition)
    # Paths are where rows come from, and rows count by their content.
    task.options = {key: value for key, value in definition.options.items() if not isinstance(value, Path)}
    return task


def _option(file: Path, key: str, value: Any) -> Any:  # noqa: ANN401 - TOML
    """Return an option; the paths of further splits are relative to the task file's folder, as `path` is.

    Raises HarnessError for a text that cannot be part of a file's name.
    """
    if not isinstance(value, str):
        return value
    user_path(f"{value}.parquet", file.parent)
    return user_path(value, file.parent) if key in ("train", "dev") else value
