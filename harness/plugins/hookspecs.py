"""Hook specifications: a hook asks a plugin for something (tasks, models, …); `harness_record` tells it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pluggy

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from typing import Any, Literal

    import click

    from harness.models.interface import ModelScheme
    from harness.plugins.executor import Executor
    from harness.plugins.report_writer import ReportWriter
    from harness.plugins.tracker import Tracker
    from harness.tasks.interface import Task, TaskKind, TaskScheme
    from harness.training.check_input import Check
    from harness.training.interface import Trainer
    from harness.training.recipe import Recipe

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


@hookspec
def harness_recipes() -> Iterable[Recipe]:  # type: ignore[empty-body]
    """Which recipes do you bring, for `harness train --recipe NAME`?

    Asked when recipes are listed or named.
    """


@hookspec
def harness_trainers() -> Iterable[Trainer]:  # type: ignore[empty-body]
    """Which ways to train do you bring? A recipe names one as its `trainer`.

    Asked when trainers are listed, and when a training begins.
    """


@hookspec
def harness_checks() -> Iterable[Check]:  # type: ignore[empty-body]
    """Which checks do you bring, of data, recipes, candidates, models and cards?

    Asked by `harness check`, and by `harness train` before it begins.
    """


@hookspec
def harness_trackers() -> Iterable[Tracker]:  # type: ignore[empty-body]
    """Which trackers do you bring, for `harness run --track NAME`?

    Asked when trackers are listed or named.
    """


@hookspec
def harness_reports() -> Iterable[ReportWriter]:  # type: ignore[empty-body]
    """Which ways to write reports do you bring? `harness report` takes the one named `html`.

    Asked when writers are listed, and when a report is written.
    """


@hookspec
def harness_executors() -> Iterable[Executor]:  # type: ignore[empty-body]
    """Which executors do you bring, for `--executor NAME` of `harness run` and `train`?

    Asked when executors are listed or named.
    """


@hookspec
def harness_commands() -> Iterable[click.Command]:  # type: ignore[empty-body]
    """Which commands do you bring, for `harness NAME`?

    Asked where a command is none of ours, by `harness --help`, and when commands are listed.
    """


@hookspec
def harness_record(
    record: Mapping[str, Any], outcome: Literal["computed", "kept", "failed"], folder: str
) -> None:
    """Take note that a record is on disk: declare the arguments that you want.

    record: its content as plain data that cannot be changed, as `harness schema record` describes it, without
    secrets, and without texts where `--no-texts` keeps them out. outcome: `kept` where an earlier run
    computed it, `failed` for an ERROR. folder: the results folder. What is returned is not looked at.

    Told by `harness run` and `harness.evaluate`, after each model and task.
    """
