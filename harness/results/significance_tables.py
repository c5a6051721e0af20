"""Standings as grids for the terminal and for Markdown."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from harness.render import Cell, Table
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
"""Nobody reads a model's thirty letters: of a board that needs more for one, the table says so instead."""

SHARED = "models that share a letter do not differ significantly (5 %, Holm over all pairs)"

_NAMED = 3
"""So many models are named where all have the same to be said of them; of more, their number."""


@dataclass(frozen=True, slots=True)
class SignificanceLetters:
    """The letters of a board's models."""

    of: dict[str, str]
    remarks: list[str]
    """On models that have none."""


def board_letters(standings: Mapping[int, PairwiseStats | str]) -> dict[int, SignificanceLetters | str]:
    """Place of a board → model → its letters, or why there are none."""
    return {
        place: found if isinstance(found, str) else _letters_of(found) for place, found in standings.items()
    }


def _letters_of(found: PairwiseStats) -> SignificanceLetters | str:
    differ = found.differ()
    given = letters(differ, MOST_LETTERS)
    if given is not None:
        return SignificanceLetters(
            dict(zip(found.models, join_letters(given), strict=True)), _without(found.left_out)
        )
    beside = [model for model, apart in zip(found.models, differ[0], strict=True) if not apart][1:]
    return (
        f"some model would need more than {MOST_LETTERS}; from the first, {found.models[0]}, do not differ"
        f" significantly (5 %, Holm over all pairs): {name_some(beside) or 'none'}"
    )


def _without(left_out: Mapping[str, str]) -> list[str]:
    remarks = [f"no letters for {model}: {why}" for model, why in [*left_out.items()][:_NAMED]]
    more = len(left_out) - _NAMED
    return [*remarks, f"no letters for {more} more models either"] if more > 0 else remarks


def name_some(models: Sequence[str]) -> str:
    """Name some models, and say how many more there are."""
    more = f" and {len(models) - _NAMED} more" if len(models) > _NAMED else ""
    return ", ".join(models[:_NAMED]) + more


def board_tables(boards: Sequence[Board], found: Letters) -> list[Table]:
    """Boards as grids, the headline of each model with its letters."""
    laid_out = []
    for place, bare in enumerate(task_tables(boards)):
        own, grid = found.get(place), bare
        if isinstance(own, SignificanceLetters):
            grid = replace(bare, rows=_with_letters(bare, own.of))
            grid.remarks.extend([SHARED, *own.remarks])
        elif own is not None and own != ALONE:
            grid.remarks.append(f"no letters: {own}")
        laid_out.append(grid)
    return laid_out


def _with_letters(grid: Table, own: Mapping[str, str]) -> list[list[Cell]]:
    """Models stand in columns while these are few: the headline is the first row; else the first column."""
    if grid.header[0] == "model":
        return [[row[0], _with_letter(row[1], own.get(row[0].text)), *row[2:]] for row in grid.rows]
    first = [
        _with_letter(cell, own.get(model))
        for model, cell in zip(grid.header[1:], grid.rows[0][1:], strict=True)
    ]
    return [[grid.rows[0][0], *first], *grid.rows[1:]]


def _with_letter(cell: Cell, letters: str | None) -> Cell:
    return Cell(f"{cell.text} {letters}", cell.best) if letters else cell


def overall_table(found: Overall) -> Table:
    """Average rank, Borda points and means per tag; models that lack a task below, without a rank."""
    tags = found.tags[:MOST_TAGS]
    ranks = [one.average_rank for one in found.placed if one.average_rank is not None]
    most = {
        tag: max((one.means[tag].score for one in found.placed if tag in one.means), default=None)
        for tag in tags
    }
    rows = [
        [
            Cell(one.model),
            Cell(_number(one.average_rank, ".2f"), best=bool(ranks) and one.average_rank == min(ranks)),
            Cell(_number(one.borda, "g")),
            *(_mean(one.means.get(tag), most[tag]) for tag in tags),
        ]
        for one in found.placed
    ]
    return Table(
        "overall", overall_subtitle(found), ["model", "average rank", "Borda", *tags], rows, _remarks(found)
    )


def overall_subtitle(found: Overall) -> str:
    """Say over what models are ranked."""
    counted = f"{len(found.tasks)} tasks: {', '.join(found.tasks)}"
    sample = " · samples: illustrative, not the real datasets" if found.sample else ""
    limited = f" · LIMITED to {found.limit} examples" if found.limit is not None else ""
    return counted + sample + limited


def _remarks(found: Overall) -> list[str]:
    alike: dict[str, list[str]] = {}
    for one in found.placed:
        if one.lacks:
            alike.setdefault(_lacked(one), []).append(one.model)
    remarks = []
    for lacked, models in alike.items():
        verbs = ("is", "it lacks") if len(models) == 1 else ("are", "they lack")
        remarks.append(f"{name_some(models)} {verbs[0]} not ranked, {verbs[1]} {lacked}")
    if found.alone:
        remarks.append(
            f"not counted, since fewer than two models answered it alike: {', '.join(found.alone)}"
        )
    if len(found.tags) > MOST_TAGS:
        remarks.append(f"{len(found.tags) - MOST_TAGS} further tags are not shown")
    remarks.append("average rank: 1 is best, ties share theirs; Borda: models beaten, summed over tasks")
    if found.tags:
        remarks.append(
            "by tag: mean headline score of models that lack none of its tasks, ± half its 95 % interval"
            " (tasks are fixed, examples vary)"
        )
    return remarks


def _lacked(one: OverallRank) -> str:
    return ", ".join(f"{task} ({why})" for task, why in one.lacks.items())


def _number(value: float | None, form: str) -> str:
    return "–" if value is None else format(value, form)


def _mean(mean: TagMean | None, most: float | None) -> Cell:
    if mean is None:
        return Cell("–")
    ends = f" ± {mean.half:.3f}" if math.isfinite(mean.half) else ""
    return Cell(f"{mean.score:.4f}{ends}", best=mean.score == most)
