"""`harness compare`: compare candidates with a baseline, and decide by a gate."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from harness.cli.compare_plan import (
    GateOptions,
    PairOptions,
    ScopeOptions,
    SelectOptions,
    compare_options,
    model_pairs,
)
from harness.cli.compare_select import check_select, select
from harness.cli.groups import grouped
from harness.cli.options import PluginOptions, plugin_options
from harness.cli.usage import Choice
from harness.errors import HarnessError
from harness.system.paths import user_path, without_start_folder

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harness.cli.config import Config
    from harness.comparison.result import Comparison, ParetoPoint, Selection
    from harness.comparison.sources import ModelResults

FORMATS = ("table", "md", "json", "csv", "junit", "github")
MAX_WITHOUT_FRONT = 2
"""Maximum number of models without a table of quality and speed."""

_SUFFIXES = {".md": "md", ".json": "json", ".csv": "csv", ".xml": "junit"}
"""Suffix of a file of `--write` → its format."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportOptions:
    """How a comparison is printed, and the files that it is written to."""

    form: str
    files: tuple[str, ...]
    ledger: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Report:
    """What is shown, in any format."""

    comparisons: Sequence[Comparison]
    front: Sequence[ParetoPoint]
    warnings: Sequence[str]
    """On all comparisons together."""
    selection: Selection | None
    matrix: bool

    def document(self, form: str) -> str:
        """Write everything in a format."""
        from harness.comparison import formats
        from harness.comparison.markdown import markdown

        shown = self.comparisons
        if form == "md":
            return markdown(
                shown,
                matrix=self.matrix,
                front=self.front,
                warnings=self.warnings,
                selection=self.selection,
            )
        if form == "json":
            return formats.to_json(shown, self.front, self.warnings, self.selection)
        if form == "github":
            return formats.to_github(shown, self.warnings, matrix=self.matrix)
        return formats.to_csv(shown) if form == "csv" else formats.to_junit(shown, matrix=self.matrix)

    def print_tables(self) -> None:
        """Print tables, then warnings, then the answers in a sentence each."""
        from harness.cli.output import console, print_tables, tell
        from harness.comparison.looks import common_looks
        from harness.comparison.matrix import matrix_tables, pareto_table
        from harness.comparison.selection_tables import selection_tables
        from harness.comparison.tables import comparison_tables

        target = console()
        if self.selection is not None:
            print_tables(selection_tables(self.selection), target)
        if self.matrix:
            print_tables(matrix_tables(self.comparisons), target)
        else:
            said = common_looks(self.comparisons)
            for comparison in self.comparisons:
                print_tables(comparison_tables(comparison, said), target)
            for remark in said:
                tell(remark, target)
        if self.front:
            print_tables([pareto_table(self.front)], target)
        for warning in self.warnings:
            tell(f"WARNING: {warning}", target)
        for comparison in self.comparisons:
            tell(comparison.sentence, target, style="bold")


@click.command(name="compare")
@click.argument("paths", nargs=-1, required=True, metavar="BASE [CAND]...")
@click.option("--baseline", metavar="NAME", help="Model of BASE, where it has several.")
@click.option(
    "--candidate", "candidates", multiple=True, metavar="NAMES", help="Models of CAND: names or patterns."
)
@click.option("--seeds", is_flag=True, help="All candidates are one recipe, trained with different seeds.")
@click.option("--all-pairs", is_flag=True, help="Compare every model with every other.")
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
@plugin_options
@grouped(pair=PairOptions, scope=ScopeOptions, gate=GateOptions, choice=SelectOptions, report=ReportOptions)
def command(
    *,
    pair: PairOptions,
    scope: ScopeOptions,
    gate: GateOptions,
    choice: SelectOptions,
    report: ReportOptions,
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
    from harness.comparison.compare import compare
    from harness.comparison.ledger import note_looks
    from harness.comparison.notes import candidates_warning
    from harness.results.unreadable import Unreadable
    from harness.system.atomic import write_report

    workspace = Workspace.open(plugins)
    forms = {user_path(file): _format_of(file) for file in report.files}
    selecting = check_select(choice, pair, scope)
    tasks = workspace.tasks()
    unreadable = Unreadable()
    pairs = model_pairs(pair, unreadable, every=selecting)
    suites = workspace.suites(tasks)
    options = compare_options(scope, gate, tasks, suites, pairs, matrix=pair.all_pairs)
    ledger = _ledger(report, workspace.config)
    selected = select(choice, pairs, options, suites) if selecting else None
    comparisons = selected.judged if selected else compare(pairs, options)
    problems = [*unreadable.sentences]
    # A file that may be of any model may be the result that decides: without it nothing passes.
    whole = not unreadable.unplaced
    if ledger is not None:
        comparisons, of_ledger, noted = note_looks(ledger, comparisons, selected.pairs if selected else pairs)
        problems, whole = problems + of_ledger, whole and noted
    matrix = pair.all_pairs
    warning = None if matrix or selecting else candidates_warning(comparisons, options.gate)
    shown = _Report(
        comparisons=[comparisons[selected.shown]] if selected else comparisons,
        front=_pareto_front(pairs),
        warnings=[*([warning] if warning else []), *(selected.warnings if selected else ())],
        selection=selected.selection if selected else None,
        matrix=matrix,
    )
    for file, form in forms.items():
        write_report(file, shown.document(form).encode(), "--write")
    if report.form == "table":
        shown.print_tables()
    else:
        echo(shown.document(report.form))
    for problem in problems:
        click.echo(clean(without_start_folder(f"PROBLEM {problem}")), err=True)
    sys.exit(_exit_code(shown.comparisons) if whole else 2)


def _ledger(report: ReportOptions, config: Config) -> Path | None:
    """Return the file of the ledger; raises HarnessError for one that cannot be read, before any work."""
    from harness.comparison.ledger import check_ledger

    # An empty option is a variable of CI that was not set: not a wish for no ledger.
    chosen = config.ledger if report.ledger is None else report.ledger
    if chosen is None:
        return None
    path = user_path(chosen)
    check_ledger(path)
    return path


def _pareto_front(pairs: Sequence[tuple[ModelResults, Sequence[ModelResults]]]) -> list[ParetoPoint]:
    """Return quality and speed of all models; none for two, whose own table has them."""
    from harness.comparison.pareto import pareto_front

    sides = {(side.name, side.fingerprint): side for base, others in pairs for side in (base, *others)}
    return pareto_front([*sides.values()]) if len(sides) > MAX_WITHOUT_FRONT else []


def _format_of(file: str) -> str:
    form = _SUFFIXES.get(Path(file).suffix.lower())
    if form is None:
        raise HarnessError.unknown(
            "format", Path(file).suffix, _SUFFIXES, hint=f"--write {file}: by its suffix"
        )
    return form


def _exit_code(comparisons: Sequence[Comparison]) -> int:
    """Return the exit code of all comparisons, the most serious of their own."""
    codes = {comparison.exit_code for comparison in comparisons}
    return next((code for code in (2, 3, 1, 4) if code in codes), 0)
