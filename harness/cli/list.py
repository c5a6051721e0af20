"""`harness list`: tasks, tags, models, recipes, trainers, checks and plugins, and where each comes from."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from harness.cli.options import plugin_options, plugins_from, tasks_from

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harness.cli.config import Config
    from harness.plugins.loader import Plugins
    from harness.training.recipe import Recipe

    Rows = list[dict[str, Any]]

WHAT = ("tasks", "tags", "models", "recipes", "trainers", "checks", "plugins")


@click.command(
    name="list", short_help="Show tasks, models, recipes, checks and plugins, and where each comes from."
)
@click.argument("what", type=click.Choice(WHAT), required=False)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@plugin_options
def command(
    what: str | None, *, as_json: bool, plugin_files: Sequence[str], task_files: Sequence[str]
) -> None:
    """Show what there is, and where each comes from; all of it when WHAT is left out."""
    from harness.cli.config import read_config

    config = read_config(Path.cwd())
    plugins = plugins_from(plugin_files, config)
    tables = {name: _rows(name, plugins, task_files, config) for name in ([what] if what else WHAT)}
    if "tasks" in tables and plugins.task_schemes():
        tables["task prefixes"] = _prefixes(plugins)
    if as_json:
        shown: Any = {**tables, "problems": plugins.problems}
        click.echo(json.dumps(shown, indent=1))
        return
    _print(tables, plugins.problems)


def _rows(what: str, plugins: Plugins, task_files: Sequence[str], config: Config) -> Rows:
    if what == "plugins":
        return [
            {
                "name": info.name,
                "from": info.origin,
                "answers": [hook.removeprefix("harness_") for hook in info.hooks],
            }
            | {"state": info.problem or "in use"}
            for info in plugins.found
        ]
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
            {"name": name, "from": plugins.origin(f"harness_{what}", name), "help": one.help}
            for name, one in answers.items()
        ]
    tasks = tasks_from(plugins, task_files, config)
    if what == "tags":
        from harness.tasks.selection import tags_of

        return [{"name": tag, "tasks": names} for tag, names in tags_of(tasks).items()]
    own = plugins.tasks()
    return [
        {"name": name, "from": plugins.origin("harness_tasks", name) if name in own else "task file"}
        | {
            "kind": task.kind,
            "tags": sorted(task.tags),
            "headline": task.metrics[0].name if task.metrics else "",
        }
        | {"split": task.splits.evaluated, "sample": task.sample is not None}
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


def _print(tables: dict[str, Rows], problems: Sequence[str]) -> None:
    from harness.cli.output import console, print_tables, say
    from harness.render import Cell, Table

    target = console()
    for name, rows in tables.items():
        header = list(dict.fromkeys(key for row in rows for key in row))
        cells = [[Cell(_text(row.get(key, ""))) for key in header] for row in rows]
        print_tables([Table(name, "", header, cells, numeric=False)], target)
    for problem in problems:
        say(f"PROBLEM {problem}", target)


def _text(value: Any) -> str:  # noqa: ANN401 - a cell of JSON
    if isinstance(value, bool):
        return "yes" if value else "no"
    return ", ".join(value) if isinstance(value, list) else str(value)
