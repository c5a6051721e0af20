"""mteb: its text tasks, by name, with our models."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness import hookimpl

if TYPE_CHECKING:
    from collections.abc import Iterable
    from types import ModuleType

    from harness import Task
    from harness.authoring import TaskScheme


@hookimpl
def harness_task_schemes() -> Iterable[TaskScheme]:
    """Return the scheme of `mteb:NAME`."""
    from harness.authoring import TaskScheme

    help_line = "a text task of mteb 2, scored by mteb: --tasks mteb:NAME"
    return [TaskScheme("mteb", help_line, _resolve, _defined_in)]


def _resolve(name: str) -> Task:
    # mteb takes seconds to import: only when one of its tasks is selected.
    from harness_mteb.tasks import resolve

    return resolve(name)


def _defined_in(module: ModuleType) -> Iterable[Task]:
    # By name: mteb is imported by the file itself, if at all.
    if not any(_is_of_mteb(value) for value in vars(module).values()):
        return []
    from harness_mteb.tasks import tasks_of

    return tasks_of(module)


def _is_of_mteb(value: object) -> bool:
    return isinstance(value, type) and any(
        base.__module__.partition(".")[0] == "mteb" for base in value.__mro__
    )
