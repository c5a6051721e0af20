"""`harness check`: check data, recipes, candidates, models and model cards."""

from __future__ import annotations

import sys
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

import click

from harness.cli.groups import grouped
from harness.cli.options import PluginOptions, plugin_options, read_columns
from harness.errors import HarnessError
from harness.finding import Severity
from harness.tasks.data_choice import data_path
from harness.tasks.selection import split_words

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from rich.console import Console
    from rich.text import Text

    from harness.checks import CheckOptions, CheckReport
    from harness.cli.documents import CheckDocument
    from harness.cli.workspace import Workspace
    from harness.finding import Finding
    from harness.plugins.loader import Plugins
    from harness.training.check_input import CheckInput

_INDENT = 10
"""Columns in front of a finding's text."""

_STYLES = {Severity.ERROR: "bold red", Severity.WARNING: "bold yellow", Severity.NOTE: "bold cyan"}


@dataclass(frozen=True, slots=True, kw_only=True)
class InputOptions:
    """What the user says about the paths."""

    recipe: str | None
    kind: str | None
    columns: tuple[str, ...]
    """`OURS=THEIRS`."""
    data: str | None
    base: str | None
    tasks: tuple[str, ...]
    verify: bool


@click.command(name="check")
@click.argument("paths", nargs=-1, required=True, metavar="PATH...")
@click.option("--recipe", metavar="NAME|FILE.toml", help="Recipe that the rows belong to.")
@click.option("--kind", metavar="KIND", help="Kind of the rows, without a recipe: pairs, triplets, …")
@click.option(
    "--column", "columns", multiple=True, metavar="OURS=THEIRS", help="Name of a column in the file."
)
@click.option(
    "--data",
    metavar="DIR|FILE|hub",
    help="Folder of the data, or file of the training rows; `hub` for tasks.",
)
@click.option("--base", metavar="MODEL", help="Model that training starts from; the recipe's by default.")
@click.option("--tasks", multiple=True, metavar="NAMES", help="Tasks that must not have been trained on.")
@click.option(
    "--verify", is_flag=True, help="Recompute the scores that a model's card claims, on --data DIR."
)
@click.option("--allow", multiple=True, metavar="CODES", help="Codes of findings that do not count.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@plugin_options
@grouped(inputs=InputOptions)
def command(
    paths: tuple[str, ...],
    *,
    inputs: InputOptions,
    allow: tuple[str, ...],
    as_json: bool,
    plugins: PluginOptions,
) -> None:
    """Check data, recipes, candidates, models and model cards.

    \b
    harness check card.md candidates/nda recipes/nda.toml
    harness check pairs.csv --recipe nda-contrastive
    harness check candidates/sts --verify --data data/

    A PATH is a card (.md), a recipe (.toml, or the name of a shipped one), the folder of a candidate or of
    a model, or a data file, whose rows --recipe or --kind describes.

    Exit codes: 0 no errors, 1 errors, 2 something could not be checked.
    """  # noqa: D301 - click reads the character, not its escape
    from harness.checks import validate_codes
    from harness.cli.output import echo
    from harness.cli.workspace import Workspace
    from harness.system.json_text import json_document

    workspace = Workspace.open(plugins)
    options, allowed = _check_options(inputs, workspace), frozenset(split_words(allow))
    checks = workspace.plugins.checks()
    validate_codes(allowed, checks)
    results = [_check(path, options, workspace.plugins) for path in paths]
    problems = [problem for checked in results for problem in checked.problems]
    broken = workspace.plugins.problems  # printed as soon as they were known
    if not checks:
        problems.append("no plugin has checks (HARNESS_PLUGINS lists the plugins to load)")
    if as_json:
        echo(json_document(_document(results, allowed, (*broken, *problems))))
    else:
        _print(results, allowed, problems)
    if broken or problems or any(checked.error for checked in results):
        sys.exit(2)
    counted = [finding for checked in results for finding in checked.counted(allowed)]
    sys.exit(1 if any(finding.severity is Severity.ERROR for finding in counted) else 0)


@dataclass(frozen=True, slots=True)
class _CheckedPath:
    """A path with the report of its checks, or the reason why it could not be checked."""

    path: str
    subject: CheckInput | None = None
    report: CheckReport | None = None
    error: HarnessError | None = None

    @property
    def findings(self) -> Sequence[tuple[Finding, str]]:
        return self.report.findings if self.report else ()

    @property
    def problems(self) -> Sequence[str]:
        return self.report.problems if self.report else ()

    def counted(self, allowed: frozenset[str]) -> Iterator[Finding]:
        """Return the findings that are not allowed."""
        return (finding for finding, _ in self.findings if finding.code not in allowed)


def _check_options(inputs: InputOptions, workspace: Workspace) -> CheckOptions:
    """Read the options; raises HarnessError for what does not exist."""
    from harness.checks import CheckOptions
    from harness.checks.models import ModelLoader
    from harness.tasks.selection import select_tasks

    plugins, tasks = workspace.plugins, workspace.tasks()
    names = split_words(inputs.tasks)
    suites = {name: suite.tasks for name, suite in workspace.suites(tasks).items()}
    selected = select_tasks(names, tasks, plugins.task_schemes(), suites=suites) if names else []
    return CheckOptions(
        models=ModelLoader(plugins.model_schemes()),
        recipes=plugins.recipes(),
        tasks=tasks | {selection.task.name: selection.task for selection in selected},
        wanted=tuple(selection.task.name for selection in selected),
        data=data_path(inputs.data or workspace.config.data),
        hub=(inputs.data or workspace.config.data) == "hub",
        recipe=inputs.recipe,
        kind=inputs.kind,
        columns=read_columns(inputs.columns),
        base=inputs.base,
        verify=inputs.verify,
    )


def _check(path: str, options: CheckOptions, plugins: Plugins) -> _CheckedPath:
    from harness.checks import check_input_from_path, run_checks

    try:
        subject = check_input_from_path(path, options)
    except HarnessError as error:
        return _CheckedPath(path, error=error)
    report = run_checks(subject, plugins.checks(), lambda name: plugins.origin("harness_checks", name))
    return _CheckedPath(path, subject, report)


def _document(
    paths: Sequence[_CheckedPath], allowed: frozenset[str], problems: tuple[str, ...]
) -> CheckDocument:
    """Return paths and their findings for JSON."""
    from harness.checks import missing_inputs
    from harness.cli.documents import CheckDocument, PathFindings, ShownFinding

    shown = [
        PathFindings(
            path=checked.path,
            what=checked.subject.what if checked.subject else None,
            error=str(checked.error) if checked.error else None,
            findings=tuple(
                ShownFinding(
                    code=finding.code,
                    severity=finding.severity,
                    evidence=finding.evidence,
                    remedy=finding.remedy,
                    check=check,
                    allowed=finding.code in allowed,
                )
                for finding, check in checked.findings
            ),
            not_looked_at=tuple(missing_inputs(checked.subject)) if checked.subject else (),
        )
        for checked in paths
    ]
    return CheckDocument(paths=tuple(shown), problems=problems)


def _print(paths: Sequence[_CheckedPath], allowed: frozenset[str], problems: Sequence[str]) -> None:
    from harness.cli.output import console, say

    target = console()
    for checked in paths:
        _print_path(checked, allowed, target)
    for problem in problems:
        say(f"PROBLEM {problem}", target, style="red")
    say(_summary(paths, allowed), target, style="bold")


def _print_path(checked: _CheckedPath, allowed: frozenset[str], target: Console) -> None:
    """Print a heading, the findings, and what was not looked at."""
    from rich.text import Text

    from harness.cli.output import clean

    title = Text(clean(checked.path), style="bold cyan")
    title.append(
        f"  {clean(_description(checked.subject)) if checked.subject else 'could not be checked'}",
        style="not bold dim",
    )
    target.print(title, soft_wrap=True)
    for finding, _ in checked.findings:
        _print_finding(finding, target, known=finding.code in allowed)
    if checked.subject is not None and (rest := _remainder(checked.subject, found=bool(checked.findings))):
        _print_indented(Text(clean(rest), style="dim"), Text(" "), target)
    for line in str(checked.error).splitlines() if checked.error else ():
        _print_indented(Text(clean(line.strip()), style="red"), Text(" "), target)
    target.print()


def _remainder(subject: CheckInput, *, found: bool) -> str:
    """Return that nothing was found, and what was not looked at: of a card without a training, only this."""
    from harness.checks import missing_inputs

    lacking = missing_inputs(subject)
    bare = subject.what == "card" and not subject.trained
    parts = [] if found or bare else ["nothing found"]
    return "; ".join(parts + ([f"not looked at: {'; '.join(lacking)}"] if lacking else []))


def _print_finding(finding: Finding, target: Console, *, known: bool) -> None:
    from rich.text import Text

    from harness.cli.output import clean

    label = (
        Text(" allowed", "dim") if known else Text(f" {finding.severity.upper()}", _STYLES[finding.severity])
    )
    label.pad_right(_INDENT - len(label))
    _print_indented(Text(clean(finding.code), style="bold"), label, target)
    _print_indented(Text(clean(finding.evidence), style="dim" if known else ""), Text(" " * _INDENT), target)
    if finding.remedy and not known:
        _print_indented(Text(clean(finding.remedy)), Text(f"{' ' * (_INDENT - 2)}→ ", style="green"), target)


def _print_indented(text: Text, first: Text, target: Console) -> None:
    """Print a wrapped text with a hanging indent: `first` in front of its first line."""
    from rich.text import Text

    for number, line in enumerate(text.wrap(target, max(target.width - len(first), 1))):
        line.rstrip()
        target.print(Text.assemble(Text(" " * len(first)) if number else first, line), soft_wrap=True)


def _description(subject: CheckInput) -> str:
    """Return what is known about a path, on one line."""
    from harness.render import plural

    parts = [subject.what, subject.loss_name]
    parts.append(plural(len(subject.parts), "dataset") if subject.parts else "")
    parts.append(plural(subject.size, "row") if subject.size else "")
    parts.append(f"batch {subject.batch_size}" if subject.batch_size else "")
    parts.append(plural(subject.epochs, "epoch") if subject.epochs else "")
    parts.append(plural(subject.steps, "step") if subject.steps else "")
    return " · ".join(part for part in parts if part)


def _summary(paths: Sequence[_CheckedPath], allowed: frozenset[str]) -> str:
    from harness.render import plural

    severities = Counter(finding.severity for checked in paths for finding in checked.counted(allowed))
    known = sum(finding.code in allowed for checked in paths for finding, _ in checked.findings)
    counts = [plural(severities[severity], severity) for severity in _STYLES]
    counts += [f"{known} allowed"] if known else []
    broken = sum(checked.error is not None for checked in paths)
    counts += [f"{broken} could not be checked"] if broken else []
    return f"{plural(len(paths), 'path')}: {', '.join(counts)}"
