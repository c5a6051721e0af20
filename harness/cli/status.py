"""`harness status`: show which requested results are done, and how to continue."""

from __future__ import annotations

import os
import shlex
import sys
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

import click

from harness.cli.options import PluginOptions
from harness.errors import HarnessError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harness.cli.documents import StatusDocument
    from harness.evaluation.journal import JournalEntry
    from harness.evaluation.result_status import PairStatus, RunStatus
    from harness.table import Table


_LONG = 40
"""Characters of a phrase that is said once, below the table, where several rows have it."""
_INSTALLED, _MODULE = "harness", "__main__.py"
"""Name of the program in a journal: the script, or `python -m harness`."""


@click.command(name="status")
@click.argument("folder", metavar="DIR")
@click.option("--json", "as_json", is_flag=True, help="Print it as JSON.")
@click.option("--plugin", "plugin_files", multiple=True, metavar="FILE.py", help="Load a single-file plugin.")
def command(folder: str, *, as_json: bool, plugin_files: tuple[str, ...]) -> None:
    """Show which results that `harness run --out DIR` requested are done, and how to continue.

    \b
    done      the same command would keep it
    failed    an ERROR record is there
    missing   nothing is there yet, or it is incomplete
    stale     a record is there, but the data, the model, the task or our scoring code has changed
    unknown   the model, the task or its data no longer exists

    Exit codes: 0 all done, 1 something is left, 2 it cannot be determined.
    """  # noqa: D301 - click reads the character, not its escape
    from harness.cli.output import echo
    from harness.cli.workspace import Workspace
    from harness.evaluation.journal import read_runs
    from harness.evaluation.status import run_status, status_of_records
    from harness.results.folder import ResultsFolder, no_results
    from harness.system.json_text import json_document
    from harness.system.paths import user_path

    os.environ["HF_HUB_OFFLINE"] = "1"  # never download a model to judge its results
    results = ResultsFolder(user_path(folder).absolute())
    workspace = Workspace.open(PluginOptions(plugin_files=plugin_files))
    if not results.root.is_dir():
        raise HarnessError(f"no folder {folder}", hint="give a folder that `harness run --out` wrote")
    problems: list[str] = []
    runs = read_runs(results, problems)
    if not runs and not problems and not results.begun:
        raise no_results(user_path(folder))
    if any(run.plan for run in runs):
        # The plugins of the command line and of `harness.toml` alone: those of a plan may be a stranger's.
        files = {user_path(file).resolve() for file in workspace.plugin_files}
        status = run_status(results, runs, workspace.plugins, files)
    else:
        status = status_of_records(results, problems)
    broken = workspace.plugins.problems  # printed as soon as they were known
    status.problems = [*broken, *status.problems, *problems]
    left = _unfinished_runs(runs, status)
    for run in left:
        if not _is_harness_run(run):
            status.problem(f"the command of the run {run.name} is not a `harness run`, and is not shown")
    if as_json:
        echo(json_document(_document(runs, status, left)))
    else:
        _print(runs, status, left, known=broken)
    sys.exit(_exit_code(status))


def _unfinished_runs(runs: Sequence[JournalEntry], status: RunStatus) -> list[JournalEntry]:
    """Return the runs whose commands compute what is left, oldest first."""
    names = {pair.run for pair in status.pairs if pair.state != "done"}
    return [run for run in runs if run.name in names]


def _exit_code(status: RunStatus) -> int:
    if any(status.count(state) for state in ("failed", "missing", "stale")):
        return 1
    return 2 if status.count("unknown") or status.problems or not status.pairs else 0


def _document(
    runs: Sequence[JournalEntry], status: RunStatus, left: Sequence[JournalEntry]
) -> StatusDocument:
    from harness.cli.documents import RunProgressEntry, StatusDocument
    from harness.evaluation.result_status import STATES

    return StatusDocument(
        pairs=tuple(status.pairs),
        summary={state: status.count(state) for state in STATES},
        runs=tuple(
            RunProgressEntry(
                run=run.name,
                started=run.started,
                state=run.state,
                at=_next_pair(run, status.pairs),
                units=run.units,
            )
            for run in runs
        ),
        continue_=tuple(_continue_command(run) for run in left if _is_harness_run(run)),
        skipped=tuple(status.skipped),
        problems=tuple(status.problems),
    )


def _print(
    runs: Sequence[JournalEntry], status: RunStatus, left: Sequence[JournalEntry], *, known: Sequence[str]
) -> None:
    """Print the table, what is not done, and how to continue; known: problems that are printed already."""
    from harness.cli.output import console, print_tables, say

    target = console()
    if status.pairs:
        print_tables([_table(status)], target)
    for sentence in status.skipped:
        say(f"skipped {sentence}", target, style="dim")
    for run in runs:
        if run.state in ("running", "interrupted", "killed", "failed") and (
            run in left or run.state == "running"
        ):
            at = _next_pair(run, status.pairs)
            where = f", at {at}" if at else ""
            say(f"{run.state}: the run of {run.started[:19]} ({run.name}){where}", target)
            if run.units is not None:
                say(f"  {run.units}", target)
    for problem in status.problems[len(known) :]:
        say(f"PROBLEM {problem}", target)
    for run in left:
        if _is_harness_run(run):
            say(f"continue: {_continue_command(run)}", target)
    say(_summary(status), target)


def _table(status: RunStatus) -> Table:
    from harness.table import Cell, Table

    phrases = [status.short.get(pair.why, (pair.why,)) for pair in status.pairs]
    notes = _shared(phrases)
    rows = [
        [
            Cell(pair.model),
            Cell(_task(pair)),
            Cell(pair.state),
            Cell("; ".join(notes.get(one, one) for one in why)),
        ]
        for pair, why in zip(status.pairs, phrases, strict=True)
    ]
    remarks = [f"{mark} {phrase}" for phrase, mark in notes.items()]
    names = frozenset(pair.model for pair in status.pairs)
    return Table("status", "", ["model", "task", "state", ""], rows, remarks, numeric=False, names=names)


def _shared(phrases: Sequence[Sequence[str]]) -> dict[str, str]:
    """Return each long phrase that several rows have → the mark that stands for it: `(1)`, `(2)`."""
    counts = Counter(phrase for row in phrases for phrase in row)
    shared = [phrase for phrase, count in counts.items() if count > 1 and len(phrase) > _LONG]
    return {phrase: f"({number})" for number, phrase in enumerate(shared, start=1)}


def _task(pair: PairStatus) -> str:
    """Name a task as its record is named: `stsb`, `stsb@sample`, `stsb@limit9`."""
    sample = "@sample" if pair.data == "sample" else ""
    return f"{pair.task}{sample}" + (f"@limit{pair.limit}" if pair.limit is not None else "")


def _summary(status: RunStatus) -> str:
    from harness.evaluation.result_status import STATES

    counts = {state: status.count(state) for state in STATES}
    return ", ".join(f"{count} {state}" for state, count in counts.items() if count or state != "unknown")


def _next_pair(run: JournalEntry, pairs: Sequence[PairStatus]) -> str:
    """Return the first pair that a run left missing, else stale: models in their order, tasks by name."""
    order = [model.name for model in run.plan.models] if run.plan else []
    own = [pair for pair in pairs if pair.run == run.name and pair.state in ("missing", "stale")]
    first = min(own, key=lambda pair: (pair.state, order.index(pair.model), pair.task), default=None)
    return f"{first.model} · {first.task}" if first else ""


def _is_harness_run(run: JournalEntry) -> bool:
    """Whether a command is a `harness run`: a third-party journal may name any, to be pasted into a shell."""
    return run.command[:2] in ((_INSTALLED, "run"), (_MODULE, "run"))


def _continue_command(run: JournalEntry) -> str:
    """Return the command of a run for a shell in the current folder: without --fresh, with its data."""
    program, *words = run.command
    words = [word for word in words if word != "--fresh"]
    plan = run.plan
    if plan and plan.data and not any(word.startswith("--data") for word in words):
        words += ["--data", plan.data]
    start = ["python", "-m", "harness"] if program == _MODULE else [program]
    command = shlex.join([*start, *words])
    elsewhere = plan is not None and Path(plan.folder) != Path.cwd()
    return f"cd {shlex.quote(plan.folder)} && {command}" if plan and elsewhere else command
