"""`harness compare`: compare candidates with a baseline, and decide by a gate."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from harness.cli.groups import grouped
from harness.cli.options import PluginOptions, plugin_options
from harness.cli.report_file import ReportFile, report_option
from harness.cli.usage import Choice
from harness.comparison.request import (
    CompareRequest,
    GateOptions,
    PairOptions,
    ScopeOptions,
    SelectOptions,
)
from harness.errors import HarnessError
from harness.system.paths import user_path, without_start_folder

if TYPE_CHECKING:
    from collections.abc import Mapping

    from harness.cli.config import Config
    from harness.cli.workspace import Workspace
    from harness.comparison.report import ComparisonReport
    from harness.tasks.interface import Task

FORMATS = ("table", "md", "json", "csv", "junit", "github")
_SUFFIXES = {".md": "md", ".json": "json", ".csv": "csv", ".xml": "junit"}
"""Suffix of a file of `--write` → its format."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DocumentOptions:
    """How a comparison is printed, and the files that it is written to."""

    form: str
    files: tuple[str, ...]
    ledger: str | None
    report_file: str | None


@click.command(name="compare")
@click.argument("paths", nargs=-1, required=True, metavar="BASE [CAND]...")
@click.option("--baseline", metavar="NAME", help="Model of BASE, where it has several.")
@click.option(
    "--candidate", "candidates", multiple=True, metavar="NAMES", help="Models of CAND: names or patterns."
)
@click.option("--seeds", is_flag=True, help="All candidates are one recipe, trained with different seeds.")
@click.option("--all-pairs", is_flag=True, help="Compare every model with every other.")
@click.option(
    "--merge",
    is_flag=True,
    help="Take all folders as one, as `harness leaderboard` does; all models but --baseline are candidates.",
)
@click.option("--margin", type=float, help="Gate: maximum loss on every headline metric.")
@click.option("--gate", metavar="GATE.toml", help="Gate: conditions for tasks, tags and speed.")
@click.option(
    "--select",
    type=Choice(["best"], "selection"),
    help="Select the best of several candidates; correct its gain and gate for that.",
)
@click.option(
    "--by", metavar="NAME", help="Select by this task, or the mean over this tag; `gate`: of those that pass."
)
@click.option("--select-on", multiple=True, metavar="NAMES", help="Select on these tasks and tags …")
@click.option("--confirm-on", multiple=True, metavar="NAMES", help="… and compare the best alone on these.")
@click.option("--tasks", multiple=True, metavar="NAMES", help="Only these tasks, tags and suites.")
@click.option(
    "--metrics", multiple=True, metavar="NAMES", help="Metrics besides the headline metrics, or `all`."
)
@click.option(
    "--allow", multiple=True, metavar="KEYS", help="Compare although this differs; the result says so."
)
@click.option(
    "--domain", multiple=True, metavar="TAGS", help="Sum up gains on these tags, and losses elsewhere."
)
@click.option("--power", is_flag=True, help="Show how many examples equal models need to pass the gate.")
@click.option("--why", is_flag=True, help="Show the examples that changed, and where.")
@click.option("--format", "form", type=Choice(FORMATS), default="table", show_default=True)
@click.option(
    "--write", "files", multiple=True, metavar="FILE", help="Write .md, .json, .csv or .xml (JUnit) too."
)
@click.option(
    "--ledger",
    metavar="FILE",
    help="Note the comparison; count the candidates judged on the same examples.",
)
@report_option
@plugin_options
@grouped(
    pair=PairOptions, scope=ScopeOptions, gate=GateOptions, choice=SelectOptions, document=DocumentOptions
)
def command(
    *,
    pair: PairOptions,
    scope: ScopeOptions,
    gate: GateOptions,
    choice: SelectOptions,
    document: DocumentOptions,
    plugins: PluginOptions,
) -> None:
    """Compare candidates with a baseline: result folders, or leaderboard CSVs next to their predictions.

    \b
    harness compare results/base results/candidate --margin 0.01
    harness compare results/local --baseline minilm --candidate nda --gate gate.toml --why

    Exit codes: 0 passes, 1 fails, 2 something is missing or broken, 3 not comparable, 4 undecided.
    Without --margin or --gate: 1 where the candidate is significantly worse on a line or in an
    overall mean, else 0.
    """  # noqa: D301 - click reads the character, not its escape
    from harness.cli.output import clean, echo
    from harness.cli.workspace import Workspace
    from harness.comparison.report import report_on
    from harness.system.atomic import write_report

    workspace = Workspace.open(plugins)
    forms = {user_path(file): _format_of(file) for file in document.files}
    page = ReportFile.if_named(document.report_file, workspace)
    request = CompareRequest(pair=pair, scope=scope, gate=gate, choice=choice)
    tasks = workspace.tasks()
    found = report_on(request, tasks, workspace.suites(tasks), _ledger(document, workspace.config))
    for file, form in forms.items():
        write_report(file, found.document(form).encode(), "--write")
    if document.form == "table":
        _print_tables(found)
    else:
        echo(found.document(document.form))
    if page is not None:
        _report(page, found, request, workspace, tasks)
    for problem in found.problems:
        click.echo(clean(without_start_folder(f"PROBLEM {problem}")), err=True)
    sys.exit(found.exit_code)


def _report(
    page: ReportFile,
    found: ComparisonReport,
    request: CompareRequest,
    workspace: Workspace,
    tasks: Mapping[str, Task],
) -> None:
    """Write the page of a comparison, whatever its outcome."""
    from harness.cli.output import advise, console
    from harness.comparison.command import compare_command
    from harness.report.collect_comparison import collect_comparison
    from harness.report.request import ReportRequest

    asked = ReportRequest(
        folders=request.pair.paths,
        margin=request.gate.margin,
        gate=request.gate.gate,
        domain=request.scope.domain,
        plugin_files=workspace.plugin_files,
        task_files=workspace.task_files,
    )
    command = compare_command(request, workspace.plugin_files, workspace.task_files)
    said = page.write(collect_comparison(found, asked, command, tasks))
    advise(said, console(err=True))  # standard output may be JSON


def _print_tables(report: ComparisonReport) -> None:
    """Print tables, then warnings, then the answers in a sentence each."""
    from harness.cli.output import console, print_tables, tell
    from harness.comparison.looks import common_looks
    from harness.comparison.matrix import matrix_tables, pareto_table
    from harness.comparison.selection_tables import selection_tables
    from harness.comparison.tables import comparison_tables

    target = console()
    if report.selection is not None:
        print_tables(selection_tables(report.selection), target)
    if report.matrix:
        print_tables(matrix_tables(report.comparisons), target)
    else:
        said = common_looks(report.comparisons)
        for comparison in report.comparisons:
            print_tables(comparison_tables(comparison, said), target)
        for remark in said:
            tell(remark, target)
    if report.front:
        print_tables([pareto_table(report.front)], target)
    for warning in report.warnings:
        tell(f"WARNING: {warning}", target)
    for comparison in report.comparisons:
        tell(comparison.sentence, target, style="bold")


def _ledger(document: DocumentOptions, config: Config) -> Path | None:
    """Return the file of the ledger; None without one."""
    # An empty option is a variable of CI that was not set: not a wish for no ledger.
    chosen = config.ledger if document.ledger is None else document.ledger
    return None if chosen is None else user_path(chosen)


def _format_of(file: str) -> str:
    form = _SUFFIXES.get(Path(file).suffix.lower())
    if form is None:
        raise HarnessError.unknown(
            "format", Path(file).suffix, _SUFFIXES, hint=f"--write {file}: by its suffix"
        )
    return form
