"""`harness freeze`: the digests that freeze the rows of a suite, printed or written into its file."""

from __future__ import annotations

import json
import re
import sys
from typing import TYPE_CHECKING

import click

from harness.cli.options import PluginOptions, plugin_options
from harness.errors import HarnessError
from harness.tasks.data_choice import data_choice

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
@click.option(
    "--write", is_flag=True, help="Write the digests into the file of the suite, in place of others."
)
@plugin_options
def command(name: str, *, data: str | None, limit: int | None, write: bool, plugins: PluginOptions) -> None:
    """Compare the rows of a suite with those it was frozen with; print or write the digests that freeze them.

    \b
    harness freeze release --data data --write    freezes the suite, or freezes it anew
    harness freeze release --data data            says whether all rows are as they were frozen

    Without --write nothing is written; the table of digests is printed for a suite that has none.
    Exit codes: 0 all rows were read, 1 some are not as they were frozen, 2 some could not be read.
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
    if write:
        _write(suite, loaded)
    elif not suite.digests:  # appended to a file that has the table already, it would make that unreadable
        echo(_table(suite, loaded))
    changed = [*_changed(suite, loaded)]
    for sentence in (*changed, *_remarks(suite, loaded, written=write)):
        click.echo(clean(sentence), err=True)
    sys.exit(1 if changed and not write else 0)


def _write(suite: Suite, loaded: Sequence[LoadedTask]) -> None:
    """Write the digests into the file of the suite; raises HarnessError where that is not possible."""
    from harness.system.atomic import write_output
    from harness.system.limits import CONFIG
    from harness.system.paths import user_path
    from harness.system.text_file import read_text
    from harness.tasks.digests_table import with_digests

    path = user_path(suite.file)
    text = with_digests(read_text(path, CONFIG), suite.header, _table(suite, loaded), suite.file)
    # A link stays one: the file that it leads to is written.
    write_output(path.resolve(), text.encode(), "--write")


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


def _changed(suite: Suite, loaded: Sequence[LoadedTask]) -> Iterator[str]:
    """Say which rows are not those that the suite was frozen with."""
    from harness.render import told_apart

    found = {each.task.name: each.examination.digest for each in loaded}
    for task, digest in suite.digests.items():
        if found[task] != digest:
            before, now = told_apart(digest, found[task])
            yield f"{task}: frozen with {before}, now {now}"


def _remarks(suite: Suite, loaded: Sequence[LoadedTask], *, written: bool) -> Iterator[str]:
    """Say what the digests are of, and how they get into the file."""
    if any(each.examination.data == "sample" for each in loaded):
        yield "These are the digests of samples; the full data have others: --data DIR"
    new = [each.task.name for each in loaded if each.task.name not in suite.digests]
    if written:
        yield f"written: {suite.file}"
    elif not suite.digests:
        yield f"Append the table to {suite.file}, or let --write do it."
    elif [*_changed(suite, loaded)]:
        yield f"If the suite is meant to change, --write replaces the digests in {suite.file}."
    elif new:
        yield f"Not frozen: {', '.join(new)}; --write adds the digests to {suite.file}."
    else:
        yield f"All rows are as {suite} was frozen."
