"""Leaderboards as files: CSV, Markdown, throughput."""

from __future__ import annotations

from dataclasses import fields
from typing import TYPE_CHECKING, Any

from harness.models.locate import display_names
from harness.render import csv_text
from harness.results.agreement import broken_where_disagreeing
from harness.results.leaderboard import LeaderboardRow, boards, leaderboard_rows, versions_text
from harness.results.records import Throughput
from harness.system.atomic import write_output
from harness.system.signals import defer_signals

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harness.results.folder import ResultsFolder


def publish(results: ResultsFolder) -> list[str]:
    """Write `leaderboard.csv`, `leaderboard.md`, `throughput.csv`: functions of the records alone.

    One process at a time reads the records and writes, so that the last one has read all of them.
    Returns one sentence for each file in `records/` that is not a record or does not hold, and is not ranked.
    """
    problems: list[str] = []
    if results.begun:
        with results.publishing_lock(), defer_signals():
            for name, content in leaderboard_files(results, problems).items():
                write_output(results.root / name, content)
    return problems


def leaderboard_files(results: ResultsFolder, problems: list[str]) -> dict[str, bytes]:
    """Return what `publish` writes: name of a file → its content.

    problems: gets sentences, as `ResultsFolder.evaluations` says.
    """
    from harness.results.tables import task_tables
    from harness.table import to_markdown

    files: dict[str, bytes] = {}
    if evaluations := broken_where_disagreeing(results.evaluations(problems), problems):
        files["leaderboard.csv"] = to_csv(leaderboard_rows(evaluations)).encode()
        files["leaderboard.md"] = to_markdown(task_tables(boards(evaluations))).encode()
    if throughputs := results.throughputs():
        files["throughput.csv"] = throughput_csv(throughputs).encode()
    return files


def to_csv(rows: Sequence[LeaderboardRow]) -> str:
    """Return rows as CSV: full float precision, safe from formula injection."""
    names = [column.name for column in fields(LeaderboardRow)]
    return csv_text([names, *([getattr(row, name) for name in names] for row in rows)])


def throughput_csv(throughputs: Sequence[Throughput]) -> str:
    """Return speeds as CSV: a file of its own, since they differ from run to run."""
    models = display_names(sorted((speed.model, speed.fingerprint) for speed in throughputs))
    names = [
        column.name
        for column in fields(Throughput)
        if column.name not in ("schema", "seconds", "cpu_seconds")
    ]
    lines: list[list[Any]] = [names]
    for speed in throughputs:
        values = {name: getattr(speed, name) for name in names}
        values["model"] = models[speed.model, speed.fingerprint]
        lines.append(
            [versions_text(value) if isinstance(value, dict) else value for value in values.values()]
        )
    return csv_text(lines)
