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
from harness.cli.options import PluginOptions, grouped, plugin_options
from harness.errors import HarnessError
from harness.system.paths import user_path

if TYPE_CHECKING:
    from collections.abc import Sequence

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
    "--select", type=click.Choice(["best"]), help="Ship one: the best candidate, its gain after selection."
)
@click.option("--by", metavar="NAME", help="Select by this task, or by the mean over this tag.")
@click.option("--select-on", multiple=True, metavar="NAMES", help="Select on these tasks and tags …")
@click.option("--confirm-on", multiple=True, metavar="NAMES", help="… and compare the best alone on these.")
@click.option("--tasks", multiple=True, metavar="NAMES", help="Only these tasks and tags.")
@click.option(
    "--metrics", multiple=True, metavar="NAMES", help="Metrics besides the headline metrics, or `all`."
)
@click.option(
    "--allow", multiple=True, metavar="KEYS", help="Compare although this differs; the result says so."
)
@click.option(
    "--domain", multiple=True, metavar="TAGS", help="Sum up gains on these tags, and losses elsewhere."
)
@click.option("--power", is_flag=True, help="Show how many examples are needed to detect the margin.")
@click.option("--why", is_flag=True, help="Show the examples that changed, and where.")
@click.option("--format", "form", type=click.Choice(FORMATS), default="table", show_default=True)
@click.option(
    "--write", "files", multiple=True, metavar="FILE", help="Write .md, .json, .csv or .xml (JUnit) too."
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

    Exit codes: 0 passes, 1 worse, 2 something is missing or broken, 3 not comparable, 4 inconclusive.
    Without --margin or --gate: 1 where the candidate is significantly worse on a line, else 0.
    """  # noqa: D301 - click reads the character, not its escape
    from harness.cli.output import clean, echo
    from harness.cli.workspace import Workspace
    from harness.comparison.compare import compare
    from harness.system.atomic import write_report

    forms = {user_path(file): _format_of(file) for file in report.files}
    selecting = check_select(choice, pair, scope)
    workspace = Workspace.open(plugins)
    tasks = workspace.tasks()
    pairs = model_pairs(pair, every=selecting)
    options = compare_options(scope, gate, tasks, pairs)
    comparisons, selection = select(choice, pairs, options) if selecting else (compare(pairs, options), None)
    front, matrix = _pareto_front(pairs), pair.all_pairs
    for file, form in forms.items():
        document = _document(comparisons, form, front, selection, matrix=matrix)
        write_report(file, document.encode(), "--write")
    if report.form == "table":
        _print(comparisons, front, selection, matrix=matrix)
    else:
        echo(_document(comparisons, report.form, front, selection, matrix=matrix))
    for problem in workspace.plugins.problems:
        click.echo(clean(f"PROBLEM {problem}"), err=True)
    sys.exit(_exit_code(comparisons, gate=not matrix))


def _pareto_front(pairs: Sequence[tuple[ModelResults, Sequence[ModelResults]]]) -> list[ParetoPoint]:
    """Return quality and speed of all models; none for two, whose own table has them."""
    from harness.comparison.pareto import pareto_front

    sides = {(side.name, side.fingerprint): side for base, others in pairs for side in (base, *others)}
    return pareto_front([*sides.values()]) if len(sides) > MAX_WITHOUT_FRONT else []


def _document(
    comparisons: Sequence[Comparison],
    form: str,
    front: Sequence[ParetoPoint],
    selection: Selection | None,
    *,
    matrix: bool,
) -> str:
    from harness.comparison import formats
    from harness.comparison.markdown import markdown

    if form == "md":
        return markdown(comparisons, matrix=matrix, front=front, selection=selection)
    if form == "json":
        return formats.to_json(comparisons, front, selection)
    write = {
        "csv": formats.to_csv,
        "junit": formats.to_junit,
        "github": formats.to_github,
    }[form]
    return write(comparisons)


def _print(
    comparisons: Sequence[Comparison],
    front: Sequence[ParetoPoint],
    selection: Selection | None,
    *,
    matrix: bool,
) -> None:
    from harness.cli.output import console, print_tables, say
    from harness.comparison.matrix import matrix_tables, pareto_table
    from harness.comparison.selection_tables import selection_tables
    from harness.comparison.tables import comparison_tables

    target = console()
    if selection is not None:
        print_tables(selection_tables(selection), target)
    if matrix:
        print_tables(matrix_tables(comparisons), target)
    for comparison in comparisons:
        if not matrix:
            print_tables(comparison_tables(comparison), target)
    if front:
        print_tables([pareto_table(front)], target)
    for comparison in comparisons:
        say(comparison.sentence, target, style="bold")


def _format_of(file: str) -> str:
    form = _SUFFIXES.get(Path(file).suffix.lower())
    if form is None:
        raise HarnessError(f"--write {file}: unknown suffix", exists=f"known: {', '.join(_SUFFIXES)}")
    return form


def _exit_code(comparisons: Sequence[Comparison], *, gate: bool) -> int:
    """Return the exit code of all comparisons; a matrix is not a gate, since one of two is always worse."""
    codes = {comparison.exit_code for comparison in comparisons}
    order = (2, 3, 1, 4) if gate else (2, 3)
    return next((code for code in order if code in codes), 0)
