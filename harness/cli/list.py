"""`harness list`: show tasks, suites, models, recipes, checks and plugins, and where each comes from."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import click

from harness.cli.options import PluginOptions, plugin_options
from harness.cli.usage import Choice
from harness.system.redact import redact

if TYPE_CHECKING:
    from collections.abc import Mapping

    from harness.cli.workspace import Workspace
    from harness.plugins.loader import Plugins
    from harness.tasks.interface import Task
    from harness.tasks.suites import Suite
    from harness.training.recipe import Recipe

    Rows = list[dict[str, Any]]

WHAT = ("tasks", "tags", "suites", "models", "recipes", "trainers", "checks", "plugins")


@click.command(name="list")
@click.argument("what", type=Choice(WHAT, "list"), required=False)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@plugin_options
def command(what: str | None, *, as_json: bool, plugins: PluginOptions) -> None:
    """Show what exists, and where each comes from; all of it without an argument."""
    from harness.cli.workspace import Workspace

    workspace = Workspace.open(plugins)
    loaded = workspace.plugins
    tables = {name: _rows(name, workspace) for name in ([what] if what else WHAT)}
    if "tasks" in tables and loaded.task_schemes():
        tables["task prefixes"] = _prefixes(loaded)
    if as_json:
        shown: Any = {**tables, "problems": loaded.problems}
        click.echo(redact(json.dumps(shown, indent=1)))
        return
    _print(tables)


def _rows(what: str, workspace: Workspace) -> Rows:
    plugins = workspace.plugins
    if what == "plugins":
        return _plugins(plugins)
    if what == "models":
        return [
            {"name": name, "from": plugins.origin("harness_model_schemes", name), "help": scheme.help}
            for name, scheme in plugins.model_schemes().items()
        ]
    if what == "recipes":
        return [_recipe(recipe, plugins) for _, recipe in sorted(plugins.recipes().items())]
    if what in ("trainers", "checks"):
        answers: dict[str, Any] = {**(plugins.trainers() if what == "trainers" else plugins.checks())}
        return [
            {"name": name, "from": plugins.origin(f"harness_{what}", name), "help": answer.help}
            for name, answer in answers.items()
        ]
    tasks = workspace.tasks()
    if what == "tags":
        from harness.tasks.selection import tags_of

        return [{"name": tag, "tasks": names} for tag, names in tags_of(tasks).items()]
    if what == "suites":
        return [_suite(suite) for _, suite in sorted(workspace.suites(tasks).items())]
    return _tasks(tasks, plugins)


def _suite(suite: Suite) -> dict[str, Any]:
    return {
        "name": suite.name,
        "from": suite.file,
        "tasks": list(suite.tasks),
        "metrics": [f"{task} by {', '.join(metrics)}" for task, metrics in sorted(suite.metrics.items())],
        "frozen": f"{len(suite.digests)} of {len(suite.tasks)}",
    }


def _plugins(plugins: Plugins) -> Rows:
    return [
        {
            "name": info.name,
            "from": info.origin,
            "answers": [hook.removeprefix("harness_") for hook in info.hooks],
            "state": info.problem or "in use",
        }
        for info in plugins.infos
    ]


def _tasks(tasks: Mapping[str, Task], plugins: Plugins) -> Rows:
    own = plugins.tasks()
    return [
        {
            "name": name,
            "from": plugins.origin("harness_tasks", name) if name in own else "task file",
            "kind": task.kind,
            "tags": sorted(task.tags),
            "headline": task.metrics[0].name if task.metrics else "",
            "split": task.splits.evaluated,
            "sample": task.sample is not None,
            "hub": task.hub.id if task.hub else "",
        }
        for name, task in sorted(tasks.items())
    ]


def _recipe(recipe: Recipe, plugins: Plugins) -> dict[str, Any]:
    return {
        "name": recipe.name,
        "from": plugins.origin("harness_recipes", recipe.name),
        "loss": recipe.loss.name,
        "about": recipe.about,
    }


def _prefixes(plugins: Plugins) -> Rows:
    return [
        {"name": f"{name}:NAME", "from": plugins.origin("harness_task_schemes", name), "help": scheme.help}
        for name, scheme in plugins.task_schemes().items()
    ]


def _print(tables: dict[str, Rows]) -> None:
    from harness.cli.output import console, print_tables
    from harness.table import Cell, Table

    target = console()
    for name, rows in tables.items():
        header = list(dict.fromkeys(key for row in rows for key in row))
        cells = [[Cell(_text(row.get(key, ""))) for key in header] for row in rows]
        print_tables([Table(name, "", header, cells, numeric=False)], target)


def _text(value: Any) -> str:  # noqa: ANN401 - a cell of JSON
    if isinstance(value, bool):
        return "yes" if value else "no"
    return ", ".join(value) if isinstance(value, list) else str(value)
