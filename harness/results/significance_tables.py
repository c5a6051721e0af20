"""Boards with significance letters, and overall rankings, as tables."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from harness.render import Cell, Table, number
from harness.results.letters import join_letters, letters
from harness.results.overall import MOST_TAGS
from harness.results.significance import ALONE, PairwiseStats
from harness.results.tables import task_tables

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from harness.results.leaderboard import Board
    from harness.results.overall import Overall, OverallRank, TagMean

    Letters = Mapping[int, "SignificanceLetters | str"]

MOST_LETTERS = 26
"""Maximum number of letters of a model; a board that needs more has a remark instead."""

SHARED = "models that share a letter do not differ significantly (5 %, Holm over all pairs)"

_NAMED = 3
"""Maximum number of models named in a remark; of further ones it gives the number."""


@dataclass(frozen=True, slots=True)
class SignificanceLetters:
    """Significance letters of a board's models."""

    of: dict[str, str]
    """Model → letters."""
    remarks: list[str]
    """Remarks on models without letters."""


def board_letters(pairwise: Mapping[int, PairwiseStats | str]) -> dict[int, SignificanceLetters | str]:
    """Return the letters of each board, or why there are none; keys: positions of boards."""
    return {
        position: stats if isinstance(stats, str) else _letters_of(stats)
        for position, stats in pairwise.items()
    }


def _letters_of(stats: PairwiseStats) -> SignificanceLetters | str:
    differ = stats.differ()
    names = letters(differ, MOST_LETTERS)
    if names is not None:
        of_models = dict(zip(stats.models, join_letters(names), strict=True))
        return SignificanceLetters(of_models, _no_letters(stats.left_out))
    alike = [model for model, differs in zip(stats.models, differ[0], strict=True) if not differs][1:]
    return (
        f"some model would need more than {MOST_LETTERS}; from the first, {stats.models[0]}, do not differ"
        f" significantly (5 %, Holm over all pairs): {name_some(alike) or 'none'}"
    )


def _no_letters(left_out: Mapping[str, str]) -> list[str]:
    remarks = [f"no letters for {model}: {why}" for model, why in [*left_out.items()][:_NAMED]]
    more = len(left_out) - _NAMED
    return [*remarks, f"no letters for {more} more models either"] if more > 0 else remarks


def name_some(models: Sequence[str]) -> str:
    """Return the first names, and how many more there are: `a, b, c and 4 more`."""
    more = f" and {len(models) - _NAMED} more" if len(models) > _NAMED else ""
    return ", ".join(models[:_NAMED]) + more


def board_tables(boards: Sequence[Board], letters: Letters) -> list[Table]:
    """Return a table for each board, with letters at the headline scores."""
    tables = []
    for position, table in enumerate(task_tables(boards)):
        own = letters.get(position)
        if isinstance(own, SignificanceLetters):
            remarks = [*table.remarks, SHARED, *own.remarks]
            tables.append(replace(table, rows=_with_letters(table, own.of), remarks=remarks))
        elif own is not None and own != ALONE:
            tables.append(replace(table, remarks=[*table.remarks, f"no letters: {own}"]))
        else:
            tables.append(table)
    return tables


def _with_letters(table: Table, own: Mapping[str, str]) -> list[list[Cell]]:
    """Add letters to the headline: the first column where models are rows, else the first row."""
    if table.header[0] == "model":
        return [[row[0], _with_letter(row[1], own.get(row[0].text)), *row[2:]] for row in table.rows]
    first = [
        _with_letter(cell, own.get(model))
        for model, cell in zip(table.header[1:], table.rows[0][1:], strict=True)
    ]
    return [[table.rows[0][0], *first], *table.rows[1:]]


def _with_letter(cell: Cell, letters: str | None) -> Cell:
    return Cell(f"{cell.text} {letters}", cell.best) if letters else cell


def overall_table(ranking: Overall) -> Table:
    """Return ranks, Borda points and means per tag; models that lack a task come last, without a rank."""
    tags = ranking.tags[:MOST_TAGS]
    ranks = [row.average_rank for row in ranking.models if row.average_rank is not None]
    best = {
        tag: max((row.means[tag].score for row in ranking.models if tag in row.means), default=None)
        for tag in tags
    }
    rows = [
        [
            Cell(row.model),
            Cell(number(row.average_rank, ".2f"), best=bool(ranks) and row.average_rank == min(ranks)),
            Cell(number(row.borda, "g")),
            *(_mean(row.means.get(tag), best[tag]) for tag in tags),
        ]
        for row in ranking.models
    ]
    header = ["model", "average rank", "Borda", *tags]
    return Table("overall", overall_subtitle(ranking), header, rows, _remarks(ranking))


def overall_subtitle(ranking: Overall) -> str:
    """Return the tasks that a ranking is over, and the kind of data."""
    tasks = f"{len(ranking.tasks)} tasks: {', '.join(ranking.tasks)}"
    sample = " · samples: illustrative, not the real datasets" if ranking.sample else ""
    limited = f" · LIMITED to a sample (limit {ranking.limit})" if ranking.limit is not None else ""
    return tasks + sample + limited


def _remarks(ranking: Overall) -> list[str]:
    models_by_lack: dict[str, list[str]] = {}
    for row in ranking.models:
        if row.missing:
            models_by_lack.setdefault(_lack(row), []).append(row.model)
    remarks = []
    for lack, models in models_by_lack.items():
        verbs = ("is", "it lacks") if len(models) == 1 else ("are", "they lack")
        remarks.append(f"{name_some(models)} {verbs[0]} not ranked, {verbs[1]} {lack}")
    if ranking.not_counted:
        tasks = ", ".join(ranking.not_counted)
        remarks.append(f"not counted, as fewer than two models have comparable scores: {tasks}")
    if len(ranking.tags) > MOST_TAGS:
        remarks.append(f"{len(ranking.tags) - MOST_TAGS} further tags are not shown")
    remarks.append("average rank: 1 is best, ties share theirs; Borda: models beaten, summed over tasks")
    if ranking.tags:
        remarks.append(
            "by tag: mean headline score of models that lack none of its tasks, ± half its 95 % interval"
            " (tasks are fixed, examples vary)"
        )
    return remarks


def _lack(row: OverallRank) -> str:
    return ", ".join(f"{task} ({why})" for task, why in row.missing.items())


def _mean(mean: TagMean | None, best: float | None) -> Cell:
    if mean is None:
        return Cell("–")
    ends = f" ± {mean.half_width:.3f}" if math.isfinite(mean.half_width) else ""
    return Cell(f"{mean.score:.4f}{ends}", best=mean.score == best)
