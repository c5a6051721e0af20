"""Task files: tasks over the user's own data, without code."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, cast

from harness.errors import Faults, HarnessError
from harness.system.paths import user_path
from harness.system.toml_file import read_table, read_toml, table_as, table_name
from harness.tasks.hub_tasks import hub_dataset, hub_options, hub_task
from harness.tasks.interface import TaskDefinition
from harness.tasks.selection import name_error
from harness.tasks.suites import SuiteTable, make_suites

if TYPE_CHECKING:
    from collections.abc import Mapping

    from harness.tasks.interface import Task, TaskKind
    from harness.tasks.suites import Suite


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskFile:
    """A task file, as it is written."""

    tasks: dict[str, dict[str, Any]] = field(default_factory=dict)
    """By name; a table has the keys of `TaskTable`, and options of its kind."""
    suites: dict[str, SuiteTable] = field(default_factory=dict)
    """By name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskTable:
    """Keys that a task of every kind has."""

    kind: str
    path: str | tuple[str, ...]
    """A file or folder, a pattern of files, or several of them."""
    tags: frozenset[str] = frozenset()
    """Words that select the task: `--tasks support`."""
    columns: dict[str, str | int] = field(default_factory=dict)
    """Our name of a column → the file's; or its position from 1, in a file without a header."""
    templates: dict[str, str] = field(default_factory=dict)
    """Our name of a text column → a template over the row's fields, such as "{title} — {text}"."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadingTable:
    """Keys of kinds that read files of rows."""

    header: bool | tuple[str, ...] | None = None
    """Whether a csv or tsv file has a header line; or names of the columns of one that has none."""
    quoting: Literal["auto", "none", "csv"] = "auto"
    """Whether a csv or tsv file quotes its cells."""
    delimiter: str = "auto"
    """The character between the cells of a csv or tsv file."""
    missing: Literal["error", "drop"] = "error"
    """What is done with a row that lacks a value."""
    split: str | None = None
    """The split to read, where a folder or a dataset has several."""
    repeated: Literal["keep", "drop"] = "keep"
    """What is done with a row that repeats an earlier one."""


_GENERAL = frozenset(column.name for column in fields(TaskTable))
_READING = frozenset(column.name for column in fields(ReadingTable))
_PATHS = ("train", "dev", "scores")
"""Options that name files."""


def read_task_file(
    path: Path, kinds: Mapping[str, TaskKind], faults: Faults | None = None
) -> dict[str, Task]:
    """Build the tasks that the `[tasks.NAME]` tables of a TOML file define; none for a file of suites alone.

    faults: takes what is wrong, and the sound tasks are returned.
    Raises HarnessError for a file that cannot be read, and for every task of an unknown kind or with a
    definition that is not right.
    """
    tasks: dict[str, Task] = {}
    found = Faults()
    for name, table in _read(path, found).tasks.items():
        with found.collect():
            tasks[name] = task_from_table(name, table, path, kinds)
    if faults is None:
        found.refuse(str(path))
    else:
        faults.found += found.found
    return tasks


def read_suites(path: Path) -> list[Suite]:
    """Read the suites that the `[suites.NAME]` tables of a task file define.

    Raises HarnessError for a file that cannot be read, and for every definition that is not right.
    """
    suites: list[Suite] = []
    faults = Faults()
    file = _read(path, faults)
    with faults.collect():
        suites = make_suites(file.suites, path, ("suites",))
    faults.refuse(str(path))
    return suites


def _read(path: Path, faults: Faults) -> TaskFile:
    """Read a task file; unknown tables are faults. Raises HarnessError for one that cannot be read."""
    if not path.is_file():
        raise HarnessError(f"no task file {path}")
    hint = "a task is a table: [tasks.NAME] with kind and path"
    file = read_table(read_toml(path), TaskFile, path, faults, hint=hint)
    if file is None:
        faults.refuse(str(path))
    file = file or TaskFile()
    if not (file.tasks or file.suites or faults.found):
        raise HarnessError(f"{path} defines no tasks", hint=hint)
    return file


def task_from_table(name: str, table: Mapping[str, Any], file: Path, kinds: Mapping[str, TaskKind]) -> Task:
    """Build the task of a `[tasks.NAME]` table; file: where it stands, by whose folder paths are relative.

    Raises HarnessError for every key, kind or option that is not right.
    """
    where = f"{file}: {table_name('tasks', name)}"
    faults = Faults()
    if problem := name_error(name):
        faults.add(HarnessError(f"{where}: the name {problem}", hint="a word after --tasks must select it"))
    general = read_table(
        {key: value for key, value in table.items() if key in _GENERAL},
        TaskTable,
        file,
        faults,
        at=("tasks", name),
        hint=f"a task needs kind and path; kinds: {', '.join(sorted(kinds))}",
    )
    reading: dict[str, Any] = {}
    with faults.collect():
        reading = _reading(table, file, name)
    kind_name = table.get("kind")
    if isinstance(kind_name, str) and kind_name not in kinds:
        faults.add(HarnessError.unknown("kind of task", kind_name, kinds), where)
    faults.refuse(where)
    general = cast("TaskTable", general)  # there are faults where it is None
    given = (general.path,) if isinstance(general.path, str) else general.path
    if not given:
        raise HarnessError(f"{where} path names no file")
    paths = tuple(user_path(one, file.parent) for one in given)
    kind, hub = kinds[general.kind], hub_dataset(given, table, where)
    options = {key: _option(file, key, value) for key, value in table.items() if key not in _GENERAL}
    options |= reading
    definition = TaskDefinition(
        name=name,
        kind=general.kind,
        path=paths[0],
        tags=general.tags,
        columns=general.columns,
        templates=general.templates,
        options=hub_options(options, kind) if hub else options,
        paths=paths if len(paths) > 1 else (),
        hub=hub,
    )
    with faults.collect(where):
        task = hub_task(kind, definition, hub, table) if hub else kind.build(definition)
    faults.refuse(where)
    # Where rows come from and how files write them is no part of a task: rows count by their content.
    task.options = {
        key: value
        for key, value in definition.options.items()
        if key not in _READING - {"split"} and not isinstance(value, Path | tuple)
    }
    return task


def _reading(table: Mapping[str, Any], file: Path, name: str) -> dict[str, Any]:
    """Return the checked keys that say how files of rows are read."""
    given = {key: value for key, value in table.items() if key in _READING}
    checked = table_as(given, ReadingTable, file, at=("tasks", name))
    if checked.delimiter != "auto" and not (
        len(checked.delimiter) == 1 and (checked.delimiter.isprintable() or checked.delimiter == "\t")
    ):
        raise HarnessError(
            f"{file}: {table_name('tasks', name)} delimiter must be one character, not {checked.delimiter!r}",
            hint='delimiter = ";", or delimiter = "\\t" for a tab',
        )
    return {key: getattr(checked, key) for key in given}


def _option(file: Path, key: str, value: Any) -> Any:  # noqa: ANN401 - TOML
    """Return an option; the paths of further files are relative to the task file's folder, as `path` is.

    Raises HarnessError for a text that cannot be part of a file's name.
    """
    if key in _PATHS and isinstance(value, list) and all(isinstance(one, str) for one in value):
        return tuple(user_path(one, file.parent) for one in value)
    if not isinstance(value, str):
        return value
    user_path(f"{value}.parquet", file.parent)
    return user_path(value, file.parent) if key in _PATHS else value
