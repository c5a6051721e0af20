"""mteb: its text tasks, by name, with our models."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness import hookimpl

if TYPE_CHECKING:
    from collections.abc import Iterable

    from harness import Task
    from harness.authoring import TaskScheme


@hookimpl
def harness_task_schemes() -> Iterable[TaskScheme]:
    """Return the scheme of `mteb:NAME`."""
    from harness.authoring import TaskScheme

    return [TaskScheme("mteb", "a text task of mteb 2, scored by mteb: --tasks mteb:NAME", _resolve)]


def _resolve(name: str) -> Task:
    # mteb takes seconds to import: only when one of its tasks is selected.
    from harness_mteb.tasks import resolve

    return resolve(name)
