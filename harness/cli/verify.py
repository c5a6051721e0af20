"""`harness verify`: verify results by their hashes, scores and leaderboard."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from harness.cli.options import PluginOptions, plugin_options
from harness.errors import HarnessError
from harness.render import named, plural

if TYPE_CHECKING:
    from collections.abc import Mapping

    from harness.cli.documents import VerifyDocument
    from harness.evaluation.verify import VerifyReport


@click.command(name="verify")
@click.argument("folders", nargs=-1, required=True, metavar="DIR...")
@click.option("--json", "as_json", is_flag=True, help="Print it as JSON.")
@plugin_options
def command(folders: tuple[str, ...], *, as_json: bool, plugins: PluginOptions) -> None:
    """Recompute results and show what differs. No model is loaded, nothing is changed.

    Records are compared with their seals, predictions with their hashes, scores and intervals with the
    predictions, the leaderboard with the records, byte by byte.

    Exit codes: 0 all holds, 1 something differs, 2 it cannot be read.
    """
    from harness.cli.output import echo
    from harness.cli.workspace import Workspace
    from harness.evaluation.verify import verify
    from harness.results.folder import ResultsFolder
    from harness.system.json_text import json_document
    from harness.system.paths import user_path

    tasks = Workspace.open(plugins).tasks()
    roots = {folder: ResultsFolder(user_path(folder)) for folder in folders}
    for folder, results in roots.items():
        if not results.root.is_dir():
            raise HarnessError(f"no folder {folder}", hint="give a folder that `harness run --out` wrote")
    reports = {folder: verify(results, tasks) for folder, results in roots.items()}
    if as_json:
        echo(json_document(_document(reports)))
    else:
        for folder, report in reports.items():
            _print(folder, report)
    sys.exit(1 if any(report.faults for report in reports.values()) else 0)


def _document(reports: Mapping[str, VerifyReport]) -> VerifyDocument:
    from harness.cli.documents import VerifiedFolder, VerifyDocument

    return VerifyDocument(
        folders=tuple(
            VerifiedFolder(
                folder=folder,
                records=report.records,
                sealed=report.sealed,
                predictions=report.predictions,
                scores=report.scores,
                faults=tuple(report.faults),
                unchecked=tuple(report.unchecked),
            )
            for folder, report in reports.items()
        )
    )


def _print(folder: str, report: VerifyReport) -> None:
    """Print each fault, and each reason why files could not be verified."""
    from harness.cli.output import console, say

    target = console()
    for fault in report.faults:
        say(f"FAULT {folder}/{fault.path}: {fault.what}", target)
        say(f"      hint: {fault.remedy}", target, style="dim")
    reasons: dict[str, list[str]] = {}
    for unchecked in report.unchecked:
        reasons.setdefault(unchecked.why, []).append(unchecked.path)
    for why, paths in reasons.items():
        say(f"not checked: {named([f'{folder}/{path}' for path in paths], 1)}: {why}", target)
    verified = (
        f"{plural(report.records, 'record')} ({report.sealed} sealed),"
        f" {plural(report.predictions, 'file of predictions', 'files of predictions')},"
        f" {plural(report.scores, 'score')}"
    )
    faults = plural(len(report.faults), "fault")
    say(
        f"{folder}: {faults}; what holds: {verified}"
        if report.faults
        else f"{folder}: all holds: {verified}",
        target,
    )
