"""The questions that a plugin answers. Each is a function with an answer; none registers anything."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pluggy

if TYPE_CHECKING:
    from collections.abc import Iterable

    from harness.interfaces import ModelScheme, Task, TaskKind, TaskScheme

hookspec = pluggy.HookspecMarker("harness")
hookimpl = pluggy.HookimplMarker("harness")


@hookspec
def harness_tasks() -> Iterable[Task]:  # type: ignore[empty-body]
    """Which tasks do you bring? Cheap: read data in `Task.load`, not here.

    Asked when tasks are listed or selected.
    """


@hookspec
def harness_task_kinds() -> Iterable[TaskKind]:  # type: ignore[empty-body]
    """Which kinds may a task file name, over the user's own data?

    Asked when a `--task-file` is read.
    """


@hookspec
def harness_task_schemes() -> Iterable[TaskScheme]:  # type: ignore[empty-body]
    """Which prefixes of task names do you resolve, such as `mteb:NAME`?

    Asked when tasks are listed or selected.
    """


@hookspec
def harness_model_schemes() -> Iterable[ModelScheme]:  # type: ignore[empty-body]
    """Which kinds of model can you load? A scheme has a name, one line of help, and `locate(spec)`.

    Asked when models are listed or named.
    """
