"""Standings as grids for the terminal and Markdown, and as LaTeX tables."""

from __future__ import annotations

import math
import re
from dataclasses import replace
from typing import TYPE_CHECKING

from harness.grid import CONTROL, Cell, Grid, grids
from harness.standing.letters import letters
from harness.standing.pairwise import ALONE, Standings

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from harness.leaderboard import Board
    from harness.standing.overall import Overall, TagMean

_LATEX = {
    "\\": r"\textbackslash{}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}",
    **{mark: f"\\{mark}" for mark in "&%$#_{}"},
}  # fmt: skip


MOST_LETTERS = 52
"""Nobody reads a model's fifty letters: of a board that needs more, the table says so instead."""


def board_letters(standings: Mapping[int, Standings | str]) -> dict[int, dict[str, str] | str]:
    """Place of a board → model → its letters, or why there are none."""
    return {
        place: found if isinstance(found, str) else _letters_of(found) for place, found in standings.items()
    }


def _letters_of(found: Standings) -> dict[str, str] | str:
    given = letters(found.differ(), MOST_LETTERS)
    if given is None:
        return f"{len(found.models)} models would need more than {MOST_LETTERS}"
    return dict(zip(found.models, given, strict=True))


def board_grids(boards: Sequence[Board], standings: Mapping[int, Standings | str]) -> list[Grid]:
    """Boards as grids, the headline of each model with its letters."""
    found = board_letters(standings)
    laid_out = []
    for place, bare in enumerate(grids(boards)):
        own, grid = found.get(place), bare
        if isinstance(own, dict):
            grid = replace(bare, rows=_with_letters(bare, own))
            grid.remarks.append(
                "models that share a letter do not differ significantly (5 %, Holm over all pairs)"
            )
        elif own is not None and own != ALONE:
            grid.remarks.append(f"no letters: {own}")
        laid_out.append(grid)
    return laid_out


def _with_letters(grid: Grid, own: Mapping[str, str]) -> list[list[Cell]]:
    """Models stand in columns while these are few: the headline is the first row; else the first column."""
    if grid.header[0] == "model":
        return [
            [row[0], Cell(f"{row[1].text} {own.get(row[0].text, '')}".rstrip(), row[1].best), *row[2:]]
            for row in grid.rows
        ]
    first = [grid.rows[0][0]] + [
        Cell(f"{cell.text} {own.get(model, '')}".rstrip(), cell.best)
        for model, cell in zip(grid.header[1:], grid.rows[0][1:], strict=True)
    ]
    return [first, *grid.rows[1:]]


def overall_grid(found: Overall) -> Grid:
    """Average rank, Borda points and means per tag; models that lack a task below, without a rank."""
    header = ["model", "average rank", "Borda", *found.tags]
    rows = [
        [
            Cell(one.model),
            Cell("–" if one.average_rank is None else f"{one.average_rank:.2f}", best=one is found.placed[0]),
            Cell("–" if one.borda is None else f"{one.borda:g}"),
            *(Cell(_mean(one.means.get(tag))) for tag in found.tags),
        ]
        for one in found.placed
    ]
    remarks = [
        f"{one.model} is not ranked, it lacks {', '.join(one.lacks)}" for one in found.placed if one.lacks
    ]
    remarks.append(
        "Borda: models beaten, summed over tasks; by tag: mean headline score and its 95 % interval"
    )
    subtitle = f"{len(found.tasks)} tasks · {found.data}"
    limited = f" · LIMITED to {found.limit} examples" if found.limit is not None else ""
    return Grid("overall", subtitle + limited, header, rows, remarks)


def _mean(mean: TagMean | None) -> str:
    if mean is None:
        return "–"
    ends = f" ± {mean.half:.3f}" if math.isfinite(mean.half) else ""
    return f"{mean.score:.4f}{ends}"


def to_latex(boards: Sequence[Board], standings: Mapping[int, Standings | str]) -> str:
    """One table for each board: needs the package booktabs; letters stand as superscripts."""
    found = board_letters(standings)
    given = [found.get(place) for place in range(len(boards))]
    return "\n".join(
        _table(board, own if isinstance(own, dict) else {}) for board, own in zip(boards, given, strict=True)
    )


def _table(board: Board, own: Mapping[str, str]) -> str:
    lines = [
        f"% {latex(board.task)}; models that share a letter do not differ significantly (5\\,%, Holm)",
        r"\begin{tabular}{l" + "r" * len(board.metrics) + "}",
        r"\toprule",
        " & ".join([latex(board.task), *(latex(metric) for metric in board.metrics)]) + r" \\",
        r"\midrule",
    ]
    for row in board.rows:
        cells = [latex(row.model)]
        for place, metric in enumerate(board.metrics):
            score = board.score(row, metric)
            known = row.headline is not None and score is not None and score.score is not None
            text = f"{score.score:.4f}" if known and score is not None else "--"
            if known and place == 0:
                text = f"\\textbf{{{text}}}" if score and score.score == board.best(metric) else text
                text += f"$^{{\\mathrm{{{own[row.model]}}}}}$" if row.model in own else ""
            cells.append(text)
        lines.append(" & ".join(cells) + r" \\")
    return "\n".join([*lines, r"\bottomrule", r"\end{tabular}", ""])


def latex(text: str) -> str:
    """Escape a text for LaTeX; control characters and line ends become spaces."""
    plain = " ".join(CONTROL.sub(" ", text).split())
    return re.sub(r"[\\~^&%$#_{}]", lambda found: _LATEX[found[0]], plain)
