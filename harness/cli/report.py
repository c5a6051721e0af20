"""`harness report`: one page of results, that says what was compared and shows it."""

from __future__ import annotations

import sys
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING

import click

from harness.cli.groups import grouped
from harness.cli.options import PluginOptions, plugin_options
from harness.cli.usage import Choice
from harness.errors import HarnessError
from harness.report.request import MOST_EXAMPLES, ReportRequest
from harness.system.paths import shown_path, user_path, without_start_folder

if TYPE_CHECKING:
    from harness.cli.workspace import Workspace
    from harness.report.content import ReportContent
    from harness.results.significance import Family


@dataclass(frozen=True, slots=True, kw_only=True)
class QuestionOptions:
    """What a report is to answer."""

    baseline: str | None
    margin: float | None
    gate: str | None
    domain: tuple[str, ...]
    family: Family
    title: str | None
    texts: bool
    most_examples: int
    data: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportOutput:
    """What is written of it, and where."""

    out: str | None
    figure: str | None
    form: str


@click.command(name="report")
@click.argument("folders", nargs=-1, required=True, metavar="DIR...")
@click.option(
    "-o",
    "--out",
    metavar="FILE",
    help="The page, such as report.html; a file there is replaced. `-` prints it.",
)
@click.option("--baseline", metavar="NAME", help="Model that the answer is against.")
@click.option("--margin", type=float, help="Gate: maximum loss on every headline metric.")
@click.option("--gate", metavar="GATE.toml", help="Gate: conditions for tasks, tags and speed.")
@click.option(
    "--domain", multiple=True, metavar="TAGS", help="Sum up gains on these tags, and losses elsewhere."
)
@click.option(
    "--family",
    type=Choice(["task", "all"]),
    default="task",
    show_default=True,
    help="Letters and ranks hold for all pairs of each task, or of all tasks together.",
)
@click.option("--title", metavar="TEXT", help="Title of the page, in place of what was compared.")
@click.option(
    "--texts/--no-texts", default=True, help="Whether texts of rows are in the page.  [default: --texts]"
)
@click.option(
    "--examples",
    "most_examples",
    type=click.IntRange(min=0),
    default=MOST_EXAMPLES,
    show_default=True,
    metavar="N",
    help="Maximum number of examples of a task: those that models differ most on.",
)
@click.option("--data", metavar="DIR", help="Folder of the data, for the texts of documents that were found.")
@click.option("--figure", metavar="NAME", help="Write one figure as SVG, in place of the page.")
@click.option("--format", "form", type=Choice(["html", "json"]), default="html", show_default=True)
@plugin_options
@grouped(question=QuestionOptions, output=ReportOutput)
def command(
    folders: tuple[str, ...], *, question: QuestionOptions, output: ReportOutput, plugins: PluginOptions
) -> None:
    """Write one page that says what was compared, and shows it: it opens from disk, without a network.

    \b
    harness report results/local -o report.html
    harness report results/base results/candidate --margin 0.01 -o report.html
    harness report results/local --figure forest -o forest.svg

    The answer is that of `harness compare`, the tables are those of `harness leaderboard`. Without
    --baseline, it is the only model of the first folder, else the first one of its first run.
    Exit codes: 0 written, whatever the verdict, 2 something is broken or cannot be read.
    """  # noqa: D301 - click reads the character, not its escape
    from harness.cli.output import clean
    from harness.cli.workspace import Workspace

    workspace = Workspace.open(plugins)
    request = ReportRequest(
        folders=folders,
        plugin_files=plugins.plugin_files,
        task_files=plugins.task_files,
        **{field.name: getattr(question, field.name) for field in fields(question)},
    )
    content = _write(request, output, workspace)
    for problem in content.problems:
        click.echo(clean(without_start_folder(f"PROBLEM {problem}")), err=True)
    if content.problems or any(row.status == "broken" for board in content.boards for row in board.rows):
        sys.exit(2)


def _write(request: ReportRequest, output: ReportOutput, workspace: Workspace) -> ReportContent:
    """Collect a report and write what is asked of it; return its content."""
    from harness.cli.output import advise, console, echo
    from harness.cli.report_file import ReportFile
    from harness.plugins.selection import select_report_writer
    from harness.report.write import page_text
    from harness.system.json_text import json_document

    if output.form == "json" and output.figure is None:
        content = _collect(request, workspace)
        document = json_document(content)
        if output.out in (None, "-"):
            echo(document)
        else:
            _write_text(str(output.out), document)
            advise(f"written: {shown_path(user_path(str(output.out)))}", console())
        return content
    if output.out is None and output.figure is None:
        raise HarnessError("-o says which file to write", hint="-o report.html; --format json prints")
    if output.figure is not None:
        return _write_figure(request, output.figure, output.out, workspace)
    if output.out == "-":
        writer = select_report_writer(workspace.plugins)
        content = _collect(request, workspace)
        echo(page_text(writer, content))
        return content
    page = ReportFile.of(output.out or "", workspace, "-o")
    content = _collect(request, workspace)
    advise(page.write(content), console())
    return content


def _write_figure(
    request: ReportRequest, figure: str, out: str | None, workspace: Workspace
) -> ReportContent:
    """Write one figure to a file, or print it."""
    from harness.cli.output import advise, console, echo
    from harness.plugins.selection import select_report_writer
    from harness.report.write import figure_text

    writer = select_report_writer(workspace.plugins)
    content = _collect(request, workspace)
    text = figure_text(writer, content, figure)
    if out in (None, "-"):
        echo(text)
    else:
        _write_text(str(out), text)
        advise(f"written: {shown_path(user_path(str(out)))}", console())
    return content


def _write_text(out: str, text: str) -> None:
    from harness.report.write import refuse_other_than_file
    from harness.system.atomic import write_report

    path = user_path(out)
    refuse_other_than_file(path, "-o")
    write_report(path, text.encode(errors="replace"), "-o")


def _collect(request: ReportRequest, workspace: Workspace) -> ReportContent:
    from harness.cli.output import show_progress
    from harness.report.collect import collect

    tasks = workspace.tasks()
    with show_progress() as progress:
        return collect(request, tasks, workspace.suites(tasks), progress=progress)
