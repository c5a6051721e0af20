"""Suites: named sets of tasks, with the metrics that count, frozen by the digests of their rows."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from harness.errors import Faults, HarnessError
from harness.system.paths import shown_path
from harness.system.toml_file import table_name
from harness.tasks.selection import name_error, tags_of

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence
    from pathlib import Path

    from harness.tasks.interface import Task


@dataclass(frozen=True, slots=True, kw_only=True)
class SuiteTable:
    """A `[suites.NAME]` table, as it is written."""

    tasks: tuple[str, ...]
    """Names of tasks; tags select what they select today, and are refused."""
    metrics: dict[str, tuple[str, ...]] = field(default_factory=dict)
    """Task → metrics that count, its headline in the suite first; the task's own headline if not given."""
    digests: dict[str, str] = field(default_factory=dict)
    """Task → digest of its rows; a task without one is not frozen."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Suite:
    """A suite, and the table of the file that defines it."""

    name: str
    tasks: tuple[str, ...]
    metrics: Mapping[str, tuple[str, ...]]
    digests: Mapping[str, str]
    file: str
    """The file as users write it."""
    header: str
    """The table in it, such as `[suites.release]`."""

    def __str__(self) -> str:
        return f"suite {self.name} ({self.file})"


def make_suite(table: SuiteTable, file: Path, keys: tuple[str, ...]) -> Suite:
    """Make a suite of its table. keys: those of the table, the suite's name last.

    Raises HarnessError for a name that `--tasks` cannot take, a suite without tasks, metrics or digests of a
    task that is not in it, and for what is not a digest.
    """
    where = f"{file}: {table_name(*keys)}"
    if problem := name_error(keys[-1]):
        raise HarnessError(f"{where}: the name {problem}", hint="a word after --tasks must select it")
    if not table.tasks:
        raise HarnessError(f"{where} has no tasks", hint='tasks = ["stsb", "contract-nli"]')
    for key, by_task in (("metrics", table.metrics), ("digests", table.digests)):
        for task in by_task:
            if task not in table.tasks:
                raise HarnessError.unknown(f"task in {where}, which {key} names,", task, table.tasks)
    for task, metrics in table.metrics.items():
        if not metrics:
            raise HarnessError(f"{where}: metrics of {task} are empty", hint="its headline counts without it")
    for task, digest in table.digests.items():
        if not re.fullmatch(r"[0-9a-fA-F]{64}", digest):
            raise HarnessError(
                f"{where}: the digest of {task} is not 64 hexadecimal digits: {digest!r}",
                hint=f"`harness freeze {keys[-1]}` prints the digests",
            )
    return Suite(
        name=keys[-1],
        tasks=tuple(dict.fromkeys(table.tasks)),
        metrics=table.metrics,
        digests={task: digest.lower() for task, digest in table.digests.items()},
        file=shown_path(file),
        header=table_name(*keys),
    )


def make_suites(tables: Mapping[str, SuiteTable], file: Path, above: tuple[str, ...]) -> list[Suite]:
    """Make the suites of tables by name. above: keys of the table that holds them.

    Raises HarnessError for every definition that is not right: see `make_suite`.
    """
    suites, faults = [], Faults()
    for name, table in tables.items():
        with faults.collect():
            suites.append(make_suite(table, file, (*above, name)))
    faults.refuse(str(file))
    return suites


def suites_by_name(
    suites: Iterable[Suite], tasks: Mapping[str, Task], prefixes: Collection[str] = ()
) -> dict[str, Suite]:
    """Return suites by name. prefixes: those of tasks that are not listed, such as `mteb` of `mteb:NAME`.

    Raises HarnessError where a name is taken by a task, a tag, a prefix or another suite; where a suite names
    a tag or a suite in place of a task; and for a metric that its task does not have.
    """
    named: dict[str, Suite] = {}
    tags = tags_of(tasks)
    for suite in suites:
        if suite.name in named:
            raise HarnessError(
                f"suite {suite.name!r} of {suite.file} exists already, in {named[suite.name].file}",
                hint="give it another name",
            )
        _check_name(suite, tasks, tags, prefixes)
        named[suite.name] = suite
    for suite in named.values():
        for task in suite.tasks:
            _check_member(suite, task, tasks, {**tags, **{each.name: each.tasks for each in named.values()}})
    return named


def _check_name(
    suite: Suite, tasks: Mapping[str, Task], tags: Mapping[str, Sequence[str]], prefixes: Collection[str]
) -> None:
    taken = None
    if suite.name in tasks:
        taken = "a task"
    elif suite.name in tags:
        taken = f"a tag (of {', '.join(tags[suite.name])})"
    elif ":" in suite.name and suite.name.partition(":")[0] in prefixes:
        taken = f"a task of {suite.name.partition(':')[0]}"
    if taken:
        raise HarnessError(
            f"{suite.file}: suite {suite.name!r} has the name of {taken}",
            hint=f"--tasks {suite.name} could mean either: rename the suite",
        )


def _check_member(
    suite: Suite, task: str, tasks: Mapping[str, Task], groups: Mapping[str, Sequence[str]]
) -> None:
    """Raise HarnessError for a tag or suite in place of a task, and for metrics that a task does not have."""
    if task in groups and task not in tasks:
        raise HarnessError(
            f"{suite.file}: {suite.header} names {task!r}, which is not a task but several",
            exists=f"tasks of {task}: {', '.join(groups[task])}",
            hint="a suite names its tasks: those of a tag may change",
        )
    known = [metric.name for metric in tasks[task].metrics] if task in tasks else []
    # The metrics of an aggregate task are known once it was scored.
    for metric in suite.metrics.get(task, ()) if known else ():
        if metric not in known:
            where = f"{suite.file}: {suite.header}"
            raise HarnessError.unknown(f"metric of {task} ({where})", metric, known)
