"""`harness list`: show tasks, suites, models, recipes, checks and plugins, and where each comes from."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from harness.cli.list_document import (
    ListDocument,
    ListedAnswer,
    ListedPlugin,
    ListedRecipe,
    ListedSuite,
    ListedTag,
    ListedTask,
)
from harness.cli.options import PluginOptions, plugin_options
from harness.cli.usage import Choice

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from harness.cli.workspace import Workspace
    from harness.plugins.loader import Plugins
    from harness.tasks.interface import Task
    from harness.tasks.suites import Suite
    from harness.training.recipe import Recipe

    Rows = tuple[Any, ...]
    """Dataclasses of one kind."""

WHAT = (
    "tasks",
    "tags",
    "suites",
    "models",
    "recipes",
    "trainers",
    "checks",
    "trackers",
    "reports",
    "executors",
    "commands",
    "plugins",
)


@click.command(name="list")
@click.argument("what", type=Choice(WHAT, "list"), required=False)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@plugin_options
def command(what: str | None, *, as_json: bool, plugins: PluginOptions) -> None:
    """Show what exists, and where each comes from; all of it without an argument."""
    from harness.cli.output import echo
    from harness.cli.workspace import Workspace
    from harness.system.json_text import json_document

    workspace = Workspace.open(plugins)
    loaded = workspace.plugins
    tables: dict[str, Any] = {name: _rows(name, workspace) for name in ([what] if what else WHAT)}
    if "tasks" in tables and loaded.task_schemes():
        tables["task_prefixes"] = _answers("task_schemes", loaded)
    if as_json:
        echo(json_document(ListDocument(**tables, problems=tuple(loaded.problems))))
    else:
        _print(tables)


def _rows(what: str, workspace: Workspace) -> Rows:
    plugins = workspace.plugins
    if what == "plugins":
        return _plugins(plugins)
    if what in ("models", "trainers", "checks", "trackers", "reports", "executors"):
        return _answers("model_schemes" if what == "models" else what, plugins)
    if what == "commands":
        return tuple(
            ListedAnswer(
                name=name, from_=plugins.origin("harness_commands", name), help=one.get_short_help_str()
            )
            for name, one in sorted(plugins.commands().items())
        )
    if what == "recipes":
        return tuple(_recipe(recipe, plugins) for _, recipe in sorted(plugins.recipes().items()))
    tasks = workspace.tasks()
    if what == "tags":
        from harness.tasks.selection import tags_of

        return tuple(ListedTag(name=tag, tasks=tuple(names)) for tag, names in tags_of(tasks).items())
    if what == "suites":
        return tuple(_suite(suite) for _, suite in sorted(workspace.suites(tasks).items()))
    return _tasks(tasks, plugins)


def _answers(hook: str, plugins: Plugins) -> Rows:
    """Return the named answers to a hook that have one line of help; NAME: is a prefix of names of tasks."""
    answers: dict[str, Any] = {**getattr(plugins, hook)()}
    return tuple(
        ListedAnswer(
            name=f"{name}:NAME" if hook == "task_schemes" else name,
            from_=plugins.origin(f"harness_{hook}", name),
            help=answer.help,
        )
        for name, answer in answers.items()
    )


def _suite(suite: Suite) -> ListedSuite:
    return ListedSuite(
        name=suite.name,
        from_=suite.file,
        tasks=suite.tasks,
        metrics=tuple(f"{task} by {', '.join(metrics)}" for task, metrics in sorted(suite.metrics.items())),
        frozen=f"{len(suite.digests)} of {len(suite.tasks)}",
    )


def _plugins(plugins: Plugins) -> Rows:
    return tuple(
        ListedPlugin(
            name=info.name,
            from_=info.origin,
            answers=tuple(hook.removeprefix("harness_") for hook in info.hooks),
            state=info.problem or "in use",
        )
        for info in plugins.infos
    )


def _tasks(tasks: Mapping[str, Task], plugins: Plugins) -> Rows:
    own = plugins.tasks()
    return tuple(
        ListedTask(
            name=name,
            from_=plugins.origin("harness_tasks", name) if name in own else "task file",
            kind=task.kind,
            tags=tuple(sorted(task.tags)),
            headline=task.metrics[0].name if task.metrics else "",
            split=task.splits.evaluated,
            sample=task.sample is not None,
            hub=task.hub.id if task.hub else "",
        )
        for name, task in sorted(tasks.items())
    )


def _recipe(recipe: Recipe, plugins: Plugins) -> ListedRecipe:
    return ListedRecipe(
        name=recipe.name,
        from_=plugins.origin("harness_recipes", recipe.name),
        loss=recipe.loss.name,
        about=recipe.about,
    )


def _print(tables: Mapping[str, Rows]) -> None:
    from harness.cli.output import console, print_tables
    from harness.system.json_text import plain
    from harness.table import Cell, Table

    target = console()
    for name, records in tables.items():
        rows: Sequence[dict[str, Any]] = [plain(record) for record in records]
        header = list(rows[0]) if rows else []
        cells = [[Cell(_text(value)) for value in row.values()] for row in rows]
        print_tables([Table(name.replace("_", " "), "", header, cells, numeric=False)], target)


def _text(value: Any) -> str:  # noqa: ANN401 - a cell of JSON
    if isinstance(value, bool):
        return "yes" if value else "no"
    return ", ".join(value) if isinstance(value, list) else str(value)
