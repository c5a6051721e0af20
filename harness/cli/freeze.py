"""`harness freeze`: print the digests that freeze the rows of a suite."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

import click

from harness.cli.data import data_choice
from harness.cli.options import PluginOptions, plugin_options
from harness.errors import HarnessError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from harness.cli.workspace import Workspace
    from harness.evaluation.evaluate import LoadedTask
    from harness.tasks.interface import DataChoice
    from harness.tasks.suites import Suite


@click.command(name="freeze")
@click.argument("name", metavar="SUITE")
@click.option(
    "--data", metavar="DIR|hub", envvar="HARNESS_DATA", help="Where the rows come from, as for `harness run`."
)
@click.option("--limit", type=click.IntRange(min=1), help="Freeze the sample of `harness run --limit N`.")
@plugin_options
def command(name: str, *, data: str | None, limit: int | None, plugins: PluginOptions) -> None:
    """Print the digests that freeze the rows of a suite, as the table to append to the file of the suite.

    \b
    harness freeze release --data data >> harness.toml

    Writes nothing. Says on standard error which rows are not as they were frozen.
    Exit codes: 0 all rows were read, 2 they were not.
    """  # noqa: D301 - click reads the character, not its escape
    from harness.cli.output import clean, echo
    from harness.cli.workspace import Workspace

    workspace = Workspace.open(plugins)
    tasks = workspace.tasks()
    suites = workspace.suites(tasks)
    if name not in suites:
        hint = "a suite is a table of harness.toml or of a task file: [suites.release] with tasks"
        raise HarnessError.unknown("suite", name, suites, hint=hint)
    suite = suites[name]
    loaded = _load(suite, workspace, data_choice(data or workspace.config.data), limit)
    echo(_table(suite, loaded))
    for sentence in _remarks(suite, loaded):
        click.echo(clean(sentence), err=True)


def _load(suite: Suite, workspace: Workspace, data: DataChoice, limit: int | None) -> list[LoadedTask]:
    """Read the rows of a suite's tasks; raises HarnessError that names all that cannot be read."""
    from harness.evaluation.evaluate import load_task
    from harness.system.plugin_code import error_text
    from harness.tasks.interface import DataSource
    from harness.tasks.selection import select_tasks

    selected = select_tasks(
        [suite.name],
        workspace.tasks(),
        workspace.plugins.task_schemes(),
        suites={suite.name: suite.tasks},
    )
    loaded = [load_task(each.task, DataSource.of(each.task, data), limit) for each in selected]
    if failed := [each for each in loaded if each.error is not None]:
        raise HarnessError(
            f"{suite} cannot be frozen: rows cannot be read",
            exists="\n".join(f"{each.task.name}: {error_text(each.error)}" for each in failed if each.error),
            hint="--data DIR says where they are (docs/data.md)",
        )
    return loaded


def _table(suite: Suite, loaded: Sequence[LoadedTask]) -> str:
    """Write the table of digests; a comment says where the rows came from."""
    lines = [f"{suite.header.removesuffix(']')}.digests]"]
    for each in loaded:
        name, examination = each.task.name, each.examination
        key = name if re.fullmatch(r"[\w-]+", name, re.ASCII) else json.dumps(name, ensure_ascii=False)
        lines.append(f'{key} = "{examination.digest}"  # {examination.origin}')
    return "\n".join(lines) + "\n"


def _remarks(suite: Suite, loaded: Sequence[LoadedTask]) -> Iterator[str]:
    """Say what changed since the suite was frozen, and where the table belongs."""
    from harness.render import told_apart

    found = {each.task.name: each.examination.digest for each in loaded}
    changed = {task: digest for task, digest in suite.digests.items() if found[task] != digest}
    for task, digest in changed.items():
        before, now = told_apart(digest, found[task])
        yield f"{task}: frozen with {before}, now {now}"
    if any(each.examination.data == "sample" for each in loaded):
        yield "These are the digests of samples; the full data have others: --data DIR"
    if not suite.digests:
        yield f"Append the table to {suite.file}."
    elif changed or len(suite.digests) < len(found):
        yield f"Replace the digests in {suite.file} with the table."
    else:
        yield f"All rows are as {suite} was frozen."
