"""`harness leaderboard`: merge result folders and rank what is comparable."""

from __future__ import annotations

import sys
from dataclasses import asdict
from functools import cache
from typing import TYPE_CHECKING

import click

from harness.cli.options import PluginOptions, plugin_options
from harness.cli.usage import Choice
from harness.report.request import ReportRequest
from harness.system.paths import user_path, without_start_folder

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from harness.results.leaderboard import Board
    from harness.results.records import Evaluation, Throughput
    from harness.results.significance import Family, PairwiseStats
    from harness.results.significance_tables import Letters
    from harness.tasks.interface import Task


@click.command(name="leaderboard")
@click.argument("folders", nargs=-1, required=True, metavar="DIR...")
@click.option(
    "--format",
    "form",
    type=Choice(["table", "csv", "md", "tex", "json", "html", "svg"]),
    default="table",
    show_default=True,
)
@click.option("--letters/--no-letters", default=True, help="Show which models differ significantly.")
@click.option(
    "--family",
    type=Choice(["task", "all"]),
    default="task",
    show_default=True,
    help="Letters and ranks hold for all pairs of each task, or of all tasks together.",
)
@click.option("--details", is_flag=True, help="Show all metrics, with all intervals, and every column.")
@plugin_options
def command(
    folders: tuple[str, ...],
    *,
    form: str,
    letters: bool,
    family: Family,
    details: bool,
    plugins: PluginOptions,
) -> None:
    """Merge result folders and rank, task by task, the models whose results are comparable.

    Models whose data, split, task version or limit differ are not ranked, and the reason is shown.
    Different results of the same model and task in two folders are an error.
    Models that share a letter do not differ significantly (5 % for all pairs of the --family together).
    Of more than three models, the headline scores are shown in one table; --details shows all.
    Each rank has a 95 % interval, and each model its chance to lead on another such test set.
    A record that was changed, a score outside its interval, and predictions that contradict their record
    (--no-letters does not read them) are shown as BROKEN, and not ranked.

    Exit codes: 0 all holds, 2 something is broken or cannot be read.
    """
    from harness.cli.output import clean, echo
    from harness.results.leaderboard import boards, leaderboard_rows
    from harness.results.merge import check_agreement, check_predictions, merge
    from harness.results.publish import to_csv
    from harness.results.significance import claims
    from harness.results.significance_tables import board_letters

    tasks = _tasks(plugins)
    if form in ("html", "svg"):
        _print_drawn(form, ReportRequest(folders=folders, family=family), plugins, letters=letters)
        return
    merged = merge([user_path(folder) for folder in folders])
    if letters:
        check_predictions(merged, tasks)
    check_agreement(merged)
    ranked = boards(merged.evaluations)
    stats = _pairwise_stats(ranked, merged.paths, tasks) if letters and form != "csv" else {}
    if form == "csv":
        echo(to_csv(leaderboard_rows(merged.evaluations)))
    elif form == "json":
        echo(_to_json(merged.evaluations, ranked, board_letters(claims(stats, family))))
    else:
        _print_boards(ranked, stats, family, merged.throughputs, form, details=details)
    for problem in merged.problems:
        click.echo(clean(without_start_folder(f"PROBLEM {problem}")), err=True)
    if merged.problems:
        sys.exit(2)


def _tasks(plugins: PluginOptions) -> Callable[[], dict[str, Task]]:
    """Return a function that loads the tasks once; they are loaded here if the command line names any."""
    from harness.cli.workspace import Workspace

    @cache
    def tasks() -> dict[str, Task]:
        return Workspace.open(plugins).tasks()

    if plugins.plugin_files or plugins.task_files:
        # An error in what the command line names is reported even where no board needs it.
        tasks()
    return tasks


def _print_drawn(form: str, request: ReportRequest, plugins: PluginOptions, *, letters: bool) -> None:
    """Print the leaderboard as a page or as a figure, drawn by a plugin; exits with 2 for what is broken."""
    from harness.cli.output import clean, echo
    from harness.cli.workspace import Workspace
    from harness.plugins.selection import select_report_writer
    from harness.report.collect import collect_leaderboard
    from harness.report.write import figure_text, leaderboard_text

    workspace = Workspace.open(plugins)
    writer = select_report_writer(workspace.plugins)
    content = collect_leaderboard(request, workspace.tasks(), letters=letters)
    echo(leaderboard_text(writer, content) if form == "html" else figure_text(writer, content, "intervals"))
    for problem in content.problems:
        click.echo(clean(without_start_folder(f"PROBLEM {problem}")), err=True)
    if content.problems:
        sys.exit(2)


def _to_json(evaluations: Sequence[Evaluation], ranked: Sequence[Board], own: Letters) -> str:
    """Return the rows of the CSV as JSON; those of headline scores also have letters and ranks."""
    from harness.cli.documents import LeaderboardDocument, RankedScore
    from harness.results.leaderboard import leaderboard_rows
    from harness.results.significance_tables import standings
    from harness.system.json_text import json_document

    found = standings(ranked, own)
    rows = tuple(
        RankedScore(
            **asdict(row),
            **(found.get((row.model, row.task, row.data, row.limit), {}) if row.headline else {}),
        )
        for row in leaderboard_rows(evaluations)
    )
    return json_document(LeaderboardDocument(rows=rows))


def _print_boards(
    ranked: Sequence[Board],
    stats: Mapping[int, PairwiseStats | str],
    family: Family,
    throughputs: Sequence[Throughput],
    form: str,
    *,
    details: bool,
) -> None:
    from harness.cli.output import console, echo, print_tables
    from harness.results.headlines import shows_headlines_alone
    from harness.results.latex import to_latex
    from harness.results.overall import overall
    from harness.results.significance import claims
    from harness.results.significance_tables import (
        board_letters,
        board_tables,
        overall_table,
        ranked_headlines,
    )
    from harness.results.tables import models_table
    from harness.table import to_markdown

    shared, ranks = board_letters(claims(stats, family)), overall(ranked, stats)
    if form == "tex":
        echo(to_latex(ranked, shared, ranks))
        return
    if form == "md":
        echo(to_markdown([*board_tables(ranked, shared), *map(overall_table, ranks)]))
        return
    if shows_headlines_alone(ranked, details=details):
        of_tasks = [ranked_headlines(ranked, shared)]
    else:
        of_tasks = board_tables(ranked, shared, details=details)
    of_all = [overall_table(ranking, details=details) for ranking in ranks]
    print_tables([models_table(ranked, throughputs, details=details), *of_tasks, *of_all], console())


def _pairwise_stats(
    ranked: Sequence[Board],
    paths: Mapping[tuple[str, str], Path],
    tasks: Callable[[], Mapping[str, Task]],
) -> dict[int, PairwiseStats | str]:
    """Compare the models of each board with each other: position of the board → statistics."""
    from harness.results.significance import pairwise_stats

    return {position: pairwise_stats(board, paths, tasks) for position, board in enumerate(ranked)}
