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


@click.command(name="leaderboard")
@click.argument("folders", nargs=-1, required=True, metavar="DIR...")
@click.option(
    "--format",
    "form",
    type=click.Choice(["table", "csv", "md", "tex", "json"]),
    default="table",
    show_default=True,
)
@click.option("--letters/--no-letters", default=True, help="Show which models differ significantly.")
@plugin_options
def command(folders: tuple[str, ...], *, form: str, letters: bool, plugins: PluginOptions) -> None:
    """Merge result folders and rank, task by task, the models whose results are comparable.

    Models whose data, split, task version or limit differ are not ranked, and the reason is shown.
    Different results of the same model and task in two folders are an error.
    Models that share a letter do not differ significantly (5 %, all pairs of the task at once).
    """
    from harness.cli.output import console, echo, print_tables
    from harness.render import to_markdown
    from harness.results.leaderboard import boards, leaderboard_rows
    from harness.results.publish import to_csv
    from harness.results.tables import models_table

    evaluations, throughputs, paths = _merge([user_path(folder) for folder in folders])
    if form == "csv":
        echo(to_csv(leaderboard_rows(evaluations)))
    elif form == "json":
        click.echo(json.dumps([asdict(record) for record in leaderboard_rows(evaluations)], indent=1))
    else:
        from harness.results.latex import to_latex
        from harness.results.overall import overall
        from harness.results.significance_tables import board_letters, board_tables, overall_table

        ranked = boards(evaluations)
        stats = _pairwise_stats(ranked, paths, plugins) if letters else {}
        shared, ranks = board_letters(stats), overall(ranked, stats)
        if form == "tex":
            echo(to_latex(ranked, shared, ranks))
            return
        tables = [*board_tables(ranked, shared), *map(overall_table, ranks)]
        if form == "md":
            echo(to_markdown(tables))
        else:
            print_tables([models_table(ranked, throughputs), *tables], console())


def _pairwise_stats(
    ranked: Sequence[Board], paths: Mapping[tuple[str, str], Path], plugins: PluginOptions
) -> dict[int, PairwiseStats | str]:
    """Compare the models of each board with each other: position of the board → statistics."""
    from harness.cli.workspace import Workspace
    from harness.results.significance import pairwise_stats

    @cache
    def tasks() -> dict[str, Task]:
        return Workspace.open(plugins).tasks()

    if plugins.plugin_files or plugins.task_files:
        # An error in what the command line names is reported even where no board needs it.
        tasks()
    return {position: pairwise_stats(board, paths, tasks) for position, board in enumerate(ranked)}


def _merge(
    folders: list[Path],
) -> tuple[list[Evaluation], list[Throughput], dict[tuple[str, str], Path]]:
    """Read all folders; the same result in two of them counts once, and a success replaces a failure.

    Returns evaluations, throughputs, and (key, hash of predictions) → path of the predictions.
    Raises HarnessError for a folder without results, and where two folders have different results.
    """
    from harness.results.folder import Results, no_results

    merged: dict[tuple[Identity, Examination], Evaluation] = {}
    throughputs: dict[Identity, Throughput] = {}
    paths: dict[tuple[str, str], Path] = {}
    for folder in folders:
        results = Results(folder)
        evaluations = results.evaluations()
        if not evaluations:
            raise no_results(folder)
        for evaluation in evaluations:
            if evaluation.predictions is not None:
                path, answers = results.predictions_path(evaluation), (evaluation.key, evaluation.predictions)
                if answers not in paths or os.path.isfile(path):  # noqa: PTH113 - False without permission
                    paths[answers] = path
            _add(evaluation, merged, folder)
        throughputs |= {(speed.model, speed.fingerprint): speed for speed in results.throughputs()}
    return list(merged.values()), list(throughputs.values()), paths


def _add(
    evaluation: Evaluation, merged: dict[tuple[Identity, Examination], Evaluation], folder: Path
) -> None:
    known = merged.get((evaluation.model, evaluation.examination))
    if known is None or known.status == "error":
        merged[evaluation.model, evaluation.examination] = evaluation
    elif evaluation.status == "ok" and _result(evaluation) != _result(known):
        model, task = evaluation.candidate.model, evaluation.examination.task
        raise HarnessError(
            f"{folder} has another result of {model} for {task}",
            exists=f"settings: {evaluation.candidate.settings}\nbefore: {known.candidate.settings}",
            hint="another device, machine or library? give it a name of its own: --model NAME=MODEL",
        )


def _result(evaluation: Evaluation) -> tuple[object, object]:
    return evaluation.predictions, evaluation.scores
