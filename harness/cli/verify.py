"""`harness verify`: do results still hold?"""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from typing import TYPE_CHECKING

import click

from harness.cli.options import PluginOptions, plugin_options
from harness.errors import HarnessError

if TYPE_CHECKING:
    from harness.evaluation.verify import VerifyReport


@click.command(name="verify", short_help="Say whether results still hold: hashes, scores, leaderboard.")
@click.argument("folders", nargs=-1, required=True, metavar="DIR...")
@click.option("--json", "as_json", is_flag=True, help="Print it as JSON.")
@plugin_options
def command(folders: tuple[str, ...], *, as_json: bool, plugins: PluginOptions) -> None:
    """Make again what results are made of, and say what differs. No model is loaded, nothing is changed.

    Records are held against their seals, predictions against their hashes, scores and intervals against
    the predictions, the leaderboard against the records, byte for byte.

    Exit codes: 0 all holds, 1 something does not, 2 it cannot be read.
    """
    from harness.cli.workspace import Workspace
    from harness.evaluation.verify import verify
    from harness.results.folder import Results
    from harness.system.paths import user_path

    tasks = Workspace.open(plugins).tasks()
    roots = {folder: Results(user_path(folder)) for folder in folders}
    for folder, results in roots.items():
        if not results.root.is_dir():
            raise HarnessError(f"no folder {folder}", hint="give a folder that `harness run --out` wrote")
    reports = {folder: verify(results, tasks) for folder, results in roots.items()}
    if as_json:
        click.echo(json.dumps({folder: asdict(report) for folder, report in reports.items()}, indent=1))
    else:
        for folder, report in reports.items():
            _print(folder, report)
    sys.exit(1 if any(report.faults for report in reports.values()) else 0)


def _print(folder: str, found: VerifyReport) -> None:
    """Print one line for each fault, and one for each reason why something could not be looked at."""
    from harness.cli.output import console, say

    target = console()
    for fault in found.faults:
        say(f"FAULT {folder}/{fault.path}: {fault.what}", target)
        say(f"      hint: {fault.remedy}", target, style="dim")
    reasons: dict[str, list[str]] = {}
    for one in found.unchecked:
        reasons.setdefault(one.why, []).append(one.path)
    for why, paths in reasons.items():
        more = f" and {len(paths) - 1} more" if len(paths) > 1 else ""
        say(f"not checked: {folder}/{paths[0]}{more}: {why}", target)
    held = (
        f"{found.records} records ({found.sealed} sealed), {found.predictions} files of predictions,"
        f" {found.scores} scores"
    )
    faults = f"{len(found.faults)} faults" if len(found.faults) != 1 else "1 fault"
    say(f"{folder}: {faults}; what holds: {held}" if found.faults else f"{folder}: all holds: {held}", target)
