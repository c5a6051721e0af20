"""`harness validate`: say what a file means, and all that is wrong in it, without running it."""

from __future__ import annotations

import sys
from dataclasses import fields
from typing import TYPE_CHECKING, Any

import click

from harness.cli.meaning import Meaning
from harness.cli.options import PluginOptions, plugin_options
from harness.errors import HarnessError
from harness.render import plural
from harness.system.paths import shown_path, user_path, without_start_folder
from harness.tasks.data_choice import data_choice, data_path

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from rich.console import Console

    from harness.cli.documents import FileMeaning
    from harness.cli.workspace import Workspace
    from harness.tasks.interface import DataChoice

_SHAPES = {
    "task file": "[tasks.NAME], [suites.NAME]",
    "gate": "margin, undecided, throughput, [[line]]",
    "recipe": "[data], [loss], [train], [model], [evaluation], base, trainer",
    "configuration": "models, tasks, data, out, task-files, plugins, … (harness.toml, or [tool.harness])",
}
_RECIPE_TABLES = ("data", "loss", "train", "model", "evaluation")


@click.command(name="validate")
@click.argument("files", nargs=-1, required=True, metavar="FILE.toml…")
@click.option("--data", metavar="DIR|FILE|hub", help="Read rows from here, too; those not there are a fault.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@plugin_options
def command(files: tuple[str, ...], *, data: str | None, as_json: bool, plugins: PluginOptions) -> None:
    """Say what a task file, a gate, a recipe or a configuration means, without running it.

    \b
    harness validate tasks.toml gate.toml recipe.toml harness.toml
    harness validate recipe.toml --data data/ --json

    Each file is recognized by its tables. All that is wrong in it is listed at once.
    Exit codes: 0 nothing is wrong, 2 something is.
    """  # noqa: D301 - click reads the character, not its escape
    from harness.cli.documents import ValidateDocument
    from harness.cli.output import echo
    from harness.cli.workspace import Workspace
    from harness.system.json_text import json_document

    workspace = Workspace.despite_faults(plugins)
    found = [_meaning(user_path(file), data, workspace) for file in files]
    if as_json:
        echo(json_document(ValidateDocument(files=tuple(_plain(meaning) for meaning in found))))
    else:
        _print(found)
    if any(meaning.faults.found for meaning in found):
        sys.exit(2)


def _meaning(file: Path, data: str | None, workspace: Workspace) -> Meaning:
    """Return what one file means; of a file that cannot be read, the fault."""
    meaning = Meaning(file, "file")
    with meaning.faults.collect():
        _explain(meaning, data, workspace)
    return meaning


def _explain(meaning: Meaning, data: str | None, workspace: Workspace) -> None:
    from harness.cli.validate_config import explain_config
    from harness.cli.validate_gate import explain_gate
    from harness.cli.validate_recipe import explain_recipe
    from harness.cli.validate_tasks import explain_task_file
    from harness.system.toml_file import read_toml

    file = meaning.file
    if not file.is_file():
        raise HarnessError(f"no file {shown_path(file)}")
    meaning.kind = kind_of(read_toml(file), file)
    if meaning.kind == "task file":
        choice: DataChoice = data_choice(data)
        explain_task_file(meaning, choice, workspace, wanted=data is not None)
    elif meaning.kind == "recipe":
        explain_recipe(meaning, data_path(data), workspace, wanted=data is not None)
    elif meaning.kind == "gate":
        explain_gate(meaning, workspace)
    else:
        explain_config(meaning, workspace)


def kind_of(content: Mapping[str, Any], file: Path) -> str:
    """Return the kind of a file by its name and its tables, one of `_SHAPES`.

    Raises HarnessError where no table is known.
    """
    from harness.cli.config import Config
    from harness.training.recipe import Recipe

    if file.name in ("harness.toml", "pyproject.toml"):
        return "configuration"
    config = {column.name for column in fields(Config) if column.compare}
    recipe = {column.name for column in fields(Recipe) if column.compare}
    gate = {"margin", "undecided", "throughput", "line"}
    known = dict.fromkeys(_SHAPES, 0)
    for key, value in content.items():
        table, name = isinstance(value, dict), key.replace("-", "_")
        known["task file"] += key in ("tasks", "suites") and table
        known["gate"] += key in gate
        known["recipe"] += name in recipe and table == (
            name in ("data", "loss", "train", "model", "evaluation")
        )
        known["configuration"] += name in config and table == (name == "suites")
    kind = max(known, key=lambda kind: known[kind])  # of equals the first: suites alone are a task file
    if not known[kind]:
        raise HarnessError(
            f"{shown_path(file)} is not a file of harness: it has {', '.join(content) or 'nothing'}",
            exists="\n".join(f"{kind}: {shape}" for kind, shape in _SHAPES.items()),
        )
    return kind


def _plain(meaning: Meaning) -> FileMeaning:
    from harness.cli.documents import FileMeaning, PartMeaning

    return FileMeaning(
        file=shown_path(meaning.file),
        kind=meaning.kind,
        parts=tuple(PartMeaning(name=part.name, sentences=tuple(part.sentences)) for part in meaning.parts),
        notes=tuple(without_start_folder(note) for note in meaning.notes),
        faults=tuple(without_start_folder(str(fault)) for fault in meaning.faults.found),
    )


def _print(found: list[Meaning]) -> None:
    from harness.cli.output import console

    target = console()
    for number, meaning in enumerate(found):
        if number:
            target.print()
        _print_one(meaning, target)


def _print_one(meaning: Meaning, target: Console) -> None:
    from harness.cli.output import say

    say(f"{shown_path(meaning.file)}: {'a ' if meaning.kind != 'file' else ''}{meaning.kind}", target, "bold")
    for part in meaning.parts:
        say(f"  {part.name}", target)
        for sentence in part.sentences:
            say(f"    {sentence}", target)
    for note in meaning.notes:
        say(f"  note: {note}", target)
    for fault in meaning.faults.found:
        first, *rest = str(fault).splitlines()
        say(f"  WRONG {first}", target, "red")
        for line in rest:
            say(f"  {line}", target)
    wrong = len(meaning.faults.found)
    say(
        f"  {plural(wrong, 'thing')} {'is' if wrong == 1 else 'are'} wrong"
        if wrong
        else "  nothing is wrong",
        target,
    )
