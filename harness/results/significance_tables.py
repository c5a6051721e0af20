"""Boards with significance letters, and overall rankings, as tables."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from harness.render import MISSING, named, number, plural
from harness.results.headlines import headline_table
from harness.results.letters import join_letters, letters
from harness.results.overall import MOST_TAGS
from harness.results.significance import ALONE
from harness.results.tables import DETAILS, task_tables, with_letter
from harness.table import Cell, Table

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from harness.results.leaderboard import Board
    from harness.results.overall import OverallRank, OverallRanking, TasksMean
    from harness.results.significance import Claims, Family
    from harness.stats.rank_doubt import RankInterval

    Letters = Mapping[int, "SignificanceLetters | str"]

_RARE = 0.01
"""Smallest chance of being best that is written as a number; also below 100 %."""

MOST_LETTERS = 26
"""Maximum number of letters of a model; a board that needs more has a remark instead."""

_SHARED = "models that share a letter do not differ significantly (5 % for all pairs of {of} together)"

FAMILIES: dict[Family, str] = {"task": "this task", "all": "all tasks"}
"""Whose pairs letters hold for at once."""

RANK = "rank (best)"
"""Heading of rank intervals, and of the chance of being best."""

_RANK_MEANING = (
    "95 % interval of each rank, all at once; in brackets, on how many redrawn test sets the model leads"
)

_NAMED = 3
"""Maximum number of models named in a remark; of further ones it gives the number."""


@dataclass(frozen=True, slots=True)
class SignificanceLetters:
    """Significance letters and rank intervals of a board's models."""

    of: dict[str, str]
    """Model → letters; empty where some model would need too many."""
    ranks: dict[str, RankInterval]
    """Model → interval of its rank."""
    best: dict[str, float]
    """Model → share of redrawn test sets on which it leads."""
    remarks: list[str]
    """What letters and ranks mean, and which models have none."""

    def rank(self, model: str) -> str:
        """Return a rank interval with the chance of being best: `1–3 (62 %)`; empty without one."""
        return rank_text(self.ranks[model], self.best[model]) if model in self.ranks else MISSING


def rank_text(ranks: RankInterval, best: float) -> str:
    """Return `1–3 (62 %)`, or `2 (0 %)` where the rank is certain; no chance is rounded to 0 or 100 %."""
    low, high = ranks
    percent = min(max(best, _RARE), 1 - _RARE) if 0 < best < 1 else best
    chance = f"{'< ' * (0 < best < _RARE)}{'> ' * (1 - _RARE < best < 1)}{100 * percent:.0f} %"
    return f"{low if low == high else f'{low}–{high}'} ({chance})"


def board_letters(claimed: Mapping[int, Claims | str]) -> dict[int, SignificanceLetters | str]:
    """Return the letters of each board, or why there are none; keys: positions of boards."""
    return {
        position: claims if isinstance(claims, str) else _letters_of(claims)
        for position, claims in claimed.items()
    }


def _letters_of(claims: Claims) -> SignificanceLetters:
    models, differ, of = claims.stats.models, claims.differ, FAMILIES[claims.family]
    names = letters(differ, MOST_LETTERS)
    if names is not None:
        own = dict(zip(models, join_letters(names), strict=True))
        remark = _SHARED.format(of=of)
    else:
        alike = [model for model, differs in zip(models, differ[0], strict=True) if not differs][1:]
        own = {}
        remark = (
            f"no letters: some model would need more than {MOST_LETTERS}; from the first, {models[0]}, do not"
            f" differ significantly (5 % for all pairs of {of} together): {named(alike) or 'none'}"
        )
    remarks = [remark, f"{RANK}: {_RANK_MEANING}", *_no_letters(claims.stats.left_out)]
    return SignificanceLetters(own, claims.ranks, claims.best, remarks)


def _no_letters(left_out: Mapping[str, str]) -> list[str]:
    remarks = [f"no letters for {model}: {why}" for model, why in left_out.items()]
    if len(remarks) <= _NAMED + 1:
        return remarks
    return [*remarks[:_NAMED], f"no letters for {len(remarks) - _NAMED} more models either"]


def standings(
    boards: Sequence[Board], letters: Letters
) -> dict[tuple[str, str, str, int | None], dict[str, Any]]:
    """Return letters and ranks as plain data: (model, task, data, limit) → values by name."""
    found: dict[tuple[str, str, str, int | None], dict[str, Any]] = {}
    for position, board in enumerate(boards):
        own = letters.get(position)
        if not isinstance(own, SignificanceLetters):
            continue
        for row in board.rows:
            if row.model in own.ranks:
                asked = row.evaluation.examination
                found[row.model, board.task, asked.data, asked.limit] = {
                    "letters": own.of.get(row.model),
                    "rank_low": own.ranks[row.model].low,
                    "rank_high": own.ranks[row.model].high,
                    "best": own.best[row.model],
                }
    return found


def board_tables(boards: Sequence[Board], letters: Letters, *, details: bool = False) -> list[Table]:
    """Return a table for each board, with letters at the headline scores, and rank intervals.

    details: as for `task_tables`.
    """
    tables = []
    for position, table in enumerate(task_tables(boards, details=details)):
        own = letters.get(position)
        if isinstance(own, SignificanceLetters):
            tables.append(_with_ranks(_with_letters(table, own.of), own))
        elif own is not None and own != ALONE:
            tables.append(_with_remarks(table, [f"no letters: {own}"]))
        else:
            tables.append(table)
    return tables


def ranked_headlines(boards: Sequence[Board], letters: Letters) -> Table:
    """Return the table of the headline scores of many models, with letters."""
    own: dict[int, Mapping[str, str]] = {}
    tasks: dict[str, list[str]] = {}
    for position, found in letters.items():
        if isinstance(found, SignificanceLetters):
            own[position] = found.of
            remarks = [remark for remark in found.remarks if not remark.startswith(RANK)]
        else:
            remarks = [] if found == ALONE else [f"no letters: {found}"]
        for remark in remarks:
            of_any = remark.replace(f"pairs of {FAMILIES['task']}", "pairs of a task")
            tasks.setdefault(of_any, []).append(boards[position].task)
    everywhere = len(boards)
    return headline_table(
        boards,
        own,
        [
            remark if len(where) == everywhere else f"{named(where)}: {remark}"
            for remark, where in tasks.items()
        ],
    )


def _with_remarks(table: Table, remarks: Sequence[str]) -> Table:
    """Add remarks, also where the table is turned."""
    turned = _with_remarks(table.turned, remarks) if table.turned else None
    return replace(table, remarks=[*table.remarks, *remarks], turned=turned)


def _with_ranks(table: Table, own: SignificanceLetters) -> Table:
    """Add rank intervals after the headline: a column where models are rows, else a row."""
    remarks = [*table.remarks, *own.remarks]
    if table.header[0] == "model":
        rows = [[*row[:2], Cell(own.rank(row[0].text)), *row[2:]] for row in table.rows]
        return replace(table, header=[*table.header[:2], RANK, *table.header[2:]], rows=rows, remarks=remarks)
    ranks = [Cell(RANK), *(Cell(own.rank(model)) for model in table.header[1:])]
    turned = _with_ranks(table.turned, own) if table.turned else None
    return replace(table, rows=[table.rows[0], ranks, *table.rows[1:]], remarks=remarks, turned=turned)


def _with_letters(table: Table, own: Mapping[str, str]) -> Table:
    """Add letters to the headline: the first column where models are rows, else the first row."""
    if table.header[0] == "model":
        rows = [[row[0], with_letter(row[1], own.get(row[0].text)), *row[2:]] for row in table.rows]
        return replace(table, rows=rows)
    first = [
        with_letter(cell, own.get(model))
        for model, cell in zip(table.header[1:], table.rows[0][1:], strict=True)
    ]
    turned = _with_letters(table.turned, own) if table.turned else None
    return replace(table, rows=[[table.rows[0][0], *first], *table.rows[1:]], turned=turned)


def overall_table(ranking: OverallRanking, *, details: bool = False) -> Table:
    """Return ranks, Borda points and means; models that lack a task come last, without a rank.

    details: the columns of tags are not optional.
    """
    tags = ranking.tags[:MOST_TAGS]
    ranks = [row.average_rank for row in ranking.models if row.average_rank is not None]
    best = {
        tag: max((row.means[tag].score for row in ranking.models if tag in row.means), default=None)
        for tag in tags
    }
    best_mean = max((row.mean.score for row in ranking.models if row.mean is not None), default=None)
    ranked = any(row.ranks is not None for row in ranking.models)
    rows = [
        [
            Cell(row.model),
            Cell(number(row.average_rank, ".2f"), best=bool(ranks) and row.average_rank == min(ranks)),
            Cell(number(row.borda, "g")),
            _mean(row.mean, best_mean),
            *([Cell(_overall_rank(row))] if ranked else []),
            *(_mean(row.means.get(tag), best[tag]) for tag in tags),
        ]
        for row in ranking.models
    ]
    header = ["model", "average rank", "Borda", "mean", *([RANK] if ranked else []), *tags]
    return Table(
        "overall",
        overall_subtitle(ranking),
        header,
        rows,
        _remarks(ranking),
        names=frozenset(row.model for row in ranking.models),
        optional=() if details else (*reversed(tags),),
        option=DETAILS,
    )


def _overall_rank(row: OverallRank) -> str:
    return MISSING if row.ranks is None or row.best is None else rank_text(row.ranks, row.best)


def overall_subtitle(ranking: OverallRanking) -> str:
    """Return the tasks that a ranking is over, and the kind of data."""
    tasks = f"{plural(len(ranking.tasks), 'task')}: {', '.join(ranking.tasks)}"
    sample = " · samples: illustrative, not the real datasets" if ranking.sample else ""
    limited = f" · LIMITED to a sample (limit {ranking.limit})" if ranking.limit is not None else ""
    return tasks + sample + limited


def _remarks(ranking: OverallRanking) -> list[str]:
    models_by_lack: dict[str, list[str]] = {}
    for row in ranking.models:
        if row.missing:
            models_by_lack.setdefault(_lack(row), []).append(row.model)
    remarks = []
    for lack, models in models_by_lack.items():
        verbs = ("is", "it lacks") if len(models) == 1 else ("are", "they lack")
        remarks.append(f"{named(models)} {verbs[0]} not ranked, {verbs[1]} {lack}")
    if ranking.not_counted:
        tasks = ", ".join(ranking.not_counted)
        remarks.append(f"not counted, as fewer than two models have comparable scores: {tasks}")
    if len(ranking.tags) > MOST_TAGS:
        remarks.append(f"{len(ranking.tags) - MOST_TAGS} further tags are not shown")
    remarks.append("average rank: 1 is best, ties share theirs; Borda: models beaten, summed over tasks")
    if any(row.mean is not None or row.means for row in ranking.models):
        remarks.append(
            "mean, and by tag: headline score of models that lack none of the tasks, and its 95 % interval"
            " (tasks are fixed, examples vary)"
        )
    if any(row.ranks is not None for row in ranking.models):
        remarks.append(f"{RANK}: as on each task, of the mean")
    return remarks


def _lack(row: OverallRank) -> str:
    return ", ".join(f"{task} ({why})" for task, why in row.missing.items())


def _mean(mean: TasksMean | None, best: float | None) -> Cell:
    if mean is None:
        return Cell(MISSING)
    ends = f" [{mean.low:.3f}, {mean.high:.3f}]" if math.isfinite(mean.low) else ""
    return Cell(f"{mean.score:.4f}{ends}", best=mean.score == best)
