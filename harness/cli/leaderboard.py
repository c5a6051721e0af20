"""`harness leaderboard`: merge result folders and rank what is comparable."""

from __future__ import annotations

import json
import os
from dataclasses import asdict
from functools import cache
from typing import TYPE_CHECKING

import click

from harness.cli.options import PluginOptions, plugin_options
from harness.errors import HarnessError
from harness.system.paths import user_path

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from harness.results.leaderboard import Board
    from harness.results.records import Evaluation, Examination, Throughput
    from harness.results.significance import PairwiseStats
    from harness.tasks.interface import Task

    Identity = tuple[str, str]


@click.command(name="leaderboard", short_help="Merge result folders and rank what is comparable.")
@click.argument("folders", nargs=-1, required=True, metavar="DIR...")
@click.option(
    "--format",
    "form",
    type=click.Choice(["table", "csv", "md", "tex", "json"]),
    default="table",
    show_default=True,
)
@click.option("--letters/--no-letters", default=True, help="Say which models differ beyond noise.")
@plugin_options
def command(folders: tuple[str, ...], *, form: str, letters: bool, plugins: PluginOptions) -> None:
    """Merge result folders and rank, task by task, the models that were asked the same.

    Models whose data, split, task version or limit differ are not ranked, and the reason is said.
    Where two folders hold the same model and task with different results, that is an error.
    Models that share a letter do not differ significantly (5 %, all pairs of the task at once).
    """
    from harness.cli.output import console, echo, print_tables
    from harness.render import to_markdown
    from harness.results.leaderboard import boards, records
    from harness.results.publish import to_csv
    from harness.results.tables import models_table

    evaluations, throughputs, paths = _merge([user_path(folder) for folder in folders])
    if form == "csv":
        echo(to_csv(records(evaluations)))
    elif form == "json":
        click.echo(json.dumps([asdict(record) for record in records(evaluations)], indent=1))
    else:
        from harness.results.latex import to_latex
        from harness.results.overall import overall
        from harness.results.significance_tables import board_grids, board_letters, overall_grid

        ranked = boards(evaluations)
        known = _pairwise_stats(ranked, paths, plugins) if letters else {}
        given, over = board_letters(known), overall(ranked, known)
        if form == "tex":
            echo(to_latex(ranked, given, over))
            return
        laid_out = [*board_grids(ranked, given), *map(overall_grid, over)]
        if form == "md":
            echo(to_markdown(laid_out))
        else:
            print_tables([models_table(ranked, throughputs), *laid_out], console())


def _pairwise_stats(
    ranked: Sequence[Board], paths: Mapping[tuple[str, str], Path], plugins: PluginOptions
) -> dict[int, PairwiseStats | str]:
    """Compare the models of each board with each other: position of the board → statistics."""
    from harness.cli.workspace import Workspace
    from harness.results.significance import standings

    @cache
    def tasks() -> dict[str, Task]:
        return Workspace.open(plugins).tasks()

    if plugins.plugin_files or plugins.task_files:
        # An error in what the command line names is reported even where no board needs it.
        tasks()
    return {position: standings(board, paths, tasks) for position, board in enumerate(ranked)}


def _merge(
    folders: list[Path],
) -> tuple[list[Evaluation], list[Throughput], dict[tuple[str, str], Path]]:
    """Read all folders; the same result in two of them counts once, and a success more than a failure."""
    from harness.results.folder import Results, no_results

    merged: dict[tuple[Identity, Examination], Evaluation] = {}
    throughputs: dict[Identity, Throughput] = {}
    paths: dict[tuple[str, str], Path] = {}
    for folder in folders:
        results = Results(folder)
        found = results.evaluations()
        if not found:
            raise no_results(folder)
        for one in found:
            place = one.model, one.examination
            if one.predictions is not None:
                path, answers = results.predictions_path(one), (one.key, one.predictions)
                if answers not in paths or os.path.isfile(path):  # noqa: PTH113 - False where nobody may look
                    paths[answers] = path
            known = merged.get(place)
            if known is None or known.status == "error":
                merged[place] = one
            elif one.status == "ok" and (one.predictions, one.scores) != (known.predictions, known.scores):
                raise HarnessError(
                    f"{folder} holds another result of {one.candidate.model} for {one.examination.task}",
                    exists=f"settings: {one.candidate.settings}\nbefore: {known.candidate.settings}",
                    hint="another device, machine or library? give it a name of its own: --model NAME=MODEL",
                )
        throughputs |= {(one.model, one.fingerprint): one for one in results.throughputs()}
    return list(merged.values()), list(throughputs.values()), paths
