"""What a task file means: kind, paths and columns of each task, and its rows where they are there."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from harness.errors import HarnessError
from harness.render import plural
from harness.system.paths import shown_path, user_path

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping
    from pathlib import Path

    from harness.cli.meaning import Meaning, Part
    from harness.cli.workspace import Workspace
    from harness.tasks.dataset import Dataset
    from harness.tasks.interface import DataChoice, Task
    from harness.tasks.suites import Suite

_SAID = ("kind", "path", "tags", "columns", "templates")
"""Keys that have a sentence of their own."""


def explain_task_file(meaning: Meaning, data: DataChoice, workspace: Workspace, *, wanted: bool) -> None:
    """Add what each task and each suite of a file means.

    wanted: whether rows that are not there are a fault, and those of the hub are fetched.
    """
    from harness.system.toml_file import read_toml
    from harness.tasks.suites import suites_by_name
    from harness.tasks.task_file import read_suites, read_task_file

    file, faults = meaning.file, meaning.faults
    own: dict[str, Task] = {}
    with faults.collect():
        own = read_task_file(file, workspace.plugins.task_kinds(), faults)
    content = read_toml(file)
    tables = content["tasks"] if isinstance(content.get("tasks"), dict) else {}
    for name, task in own.items():
        part = meaning.part(name, *_definition(task, tables[name], file.parent))
        _explain_rows(meaning, part, task, tables[name], data, wanted=wanted)
    suites: list[Suite] = []
    with faults.collect():
        suites = read_suites(file)
    elsewhere = replace(
        workspace,
        task_files=tuple(
            path for path in workspace.task_files if user_path(path).resolve() != file.resolve()
        ),
    )
    tasks = meaning.known_tasks(elsewhere)
    for name in own.keys() & tasks.keys():
        faults.add(HarnessError(f"task {name!r} of {file} exists already", hint="give it another name"))
    schemes = workspace.plugins.task_schemes()
    with faults.collect():
        suites_by_name(suites, tasks | own, schemes)
    for name, missing in _unknown_members(content.get("suites"), {*tasks, *tables}, schemes):
        faults.add(HarnessError.unknown(f"task of suite {name}", missing, {*tasks, *tables}))
    for suite in suites:
        meaning.part(f"suite {suite.name}", *_suite(suite))


def _definition(task: Task, table: Mapping[str, Any], folder: Path) -> Iterator[str]:
    """Yield what the keys of a task's table say."""
    paths = [table["path"]] if isinstance(table["path"], str) else table["path"]
    shown = [path if path.startswith("hub:") else shown_path(user_path(path, folder)) for path in paths]
    yield f"kind {task.kind}, of {', '.join(shown)}"
    columns = {**{name: repr(theirs) for name, theirs in table.get("columns", {}).items()}}
    if columns:
        yield f"columns: {', '.join(f'{ours} is {theirs}' for ours, theirs in columns.items())}"
    for name, template in table.get("templates", {}).items():
        yield f"{name} is made of {template!r}"
    for key, value in table.items():
        if key not in _SAID:
            yield f"{key} = {json.dumps(value, ensure_ascii=False)}"
    headline, *others = [metric.name for metric in task.metrics] or ["what its tool returns"]
    further = f", and by {', '.join(others)}" if others else ""
    yield f"scored by {headline}, the headline{further}"
    yield f"selected by --tasks {' or '.join([task.name, *sorted(task.tags)])}"


def _explain_rows(
    meaning: Meaning, part: Part, task: Task, table: Mapping[str, Any], data: DataChoice, *, wanted: bool
) -> None:
    """Add what the rows are; where they are not there, a note, or a fault if they are wanted."""
    from harness.evaluation.evaluate import load_task
    from harness.system.plugin_code import error_sentence
    from harness.tasks.interface import DataSource

    paths = [table["path"]] if isinstance(table["path"], str) else list(table["path"])
    if task.hub is not None and not wanted:
        meaning.notes.append(f"{task.name}: rows of the hub were not looked at; --data hub fetches them")
        return
    missing = [path for path in paths if task.hub is None and not _is_there(path, meaning.file.parent)]
    if missing and not wanted:
        where = ", ".join(shown_path(user_path(path, meaning.file.parent)) for path in missing)
        meaning.notes.append(f"{task.name}: rows and columns were not looked at: {where} is not there")
        return
    loaded = load_task(task, DataSource.of(task, data))
    if isinstance(loaded.error, HarnessError):
        meaning.faults.add(loaded.error, f"task {task.name}")
    elif loaded.error is not None:
        meaning.faults.add(HarnessError(error_sentence(loaded.error)), f"task {task.name}")
    elif loaded.dataset is not None:
        part.sentences.extend(_rows(loaded.dataset))


def _is_there(path: str, folder: Path) -> bool:
    """Whether a path, or a file of a pattern, is there."""
    whole = user_path(path, folder)
    if whole.exists() or not any(sign in path for sign in "*?["):
        return whole.exists()
    return next(iter(whole.parent.glob(whole.name)), None) is not None


def _rows(dataset: Dataset) -> Iterator[str]:
    clusters = f" in {plural(len(set(dataset['cluster'])), 'cluster')}" if "cluster" in dataset else ""
    yield f"{plural(len(dataset), 'row')}{clusters}, digest {dataset.digest[:8]}"
    for name, table in dataset.tables.items():
        yield f"{name}: {plural(len(table), 'row')}"
    for finding in dataset.findings:
        yield f"{finding.severity.upper()} {finding.code}: {finding.evidence}"


def _unknown_members(
    suites: object, defined: Collection[str], schemes: Collection[str]
) -> Iterator[tuple[str, str]]:
    """Yield suite and task for each task of a suite that is not defined, of tables as they are written."""
    for name, table in suites.items() if isinstance(suites, dict) else ():
        tasks = table.get("tasks") if isinstance(table, dict) else None
        for task in tasks if isinstance(tasks, list) else ():
            if isinstance(task, str) and task not in defined and task.partition(":")[0] not in schemes:
                yield name, task


def _suite(suite: Suite) -> Iterator[str]:
    yield f"tasks {', '.join(suite.tasks)}"
    for task, metrics in suite.metrics.items():
        yield f"{task} counts by {', '.join(metrics)}"
    yield f"rows of {len(suite.digests)} of {plural(len(suite.tasks), 'task')} are frozen"
