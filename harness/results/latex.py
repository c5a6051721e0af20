r"""Leaderboards as LaTeX tables: `\usepackage{booktabs}` is all that they need."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from harness.render import CONTROL
from harness.results.significance import ALONE
from harness.results.significance_tables import SHARED, SignificanceLetters, overall_table

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from harness.render import Table
    from harness.results.leaderboard import Board, Row
    from harness.results.overall import Overall
    from harness.results.significance_tables import Letters

_MARKS = {
    "\\": r"\textbackslash{}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}",
    "<": r"\textless{}", ">": r"\textgreater{}", "|": r"\textbar{}", "–": "--", "±": r"$\pm$",
    **{mark: f"\\{mark}" for mark in "&%$#_{}"},
}  # fmt: skip
_MARK = re.compile("[" + re.escape("".join(_MARKS)) + "]")
_JOINED = re.compile(r"(?<=[-'`,?!])(?=[-'`])")
"""Between marks of which LaTeX would make one longer one."""


def to_latex(boards: Sequence[Board], letters: Letters, overall: Sequence[Overall]) -> str:
    """One tabular for each board, then one for each overall ranking; letters stand as superscripts.

    A comment above each says of what it is; remarks stand as comments below.
    """
    tables = [_board(board, letters.get(place)) for place, board in enumerate(boards)]
    return "\n".join([*tables, *(_grid(overall_table(one)) for one in overall)])


def latex(text: str) -> str:
    """Escape a text for LaTeX; control characters and line ends become spaces."""
    plain = _MARK.sub(lambda found: _MARKS[found[0]], _JOINED.sub("\0", _plain(text)))
    # After the end of a line [ would begin an option of it, and * stand for one.
    return re.sub(r"^[\[*]", r"{\g<0>}", plain.replace("\0", "{}"))


def _board(board: Board, own: SignificanceLetters | str | None) -> str:
    given = own.of if isinstance(own, SignificanceLetters) else {}
    rows = [
        [latex(row.model), *(_score(board, row, metric, given) for metric in board.metrics)]
        for row in board.rows
    ]
    remarks = [
        f"{row.model}: ERROR: {row.evaluation.error}"
        for row in board.rows
        if row.evaluation.error is not None
    ]
    remarks += [f"{model} is not ranked: {'; '.join(why)}" for model, why in board.refused]
    if isinstance(own, SignificanceLetters):
        remarks += [SHARED, *own.remarks]
    elif own is not None and own != ALONE:
        remarks.append(f"no letters: {own}")
    asked = board.rows[0].evaluation.examination
    limited = f", LIMITED to {asked.limit} examples" if asked.limit is not None else ""
    sample = ", sample: illustrative, not the real dataset" if asked.data == "sample" else ""
    return _tabular(board.task + sample + limited, ["model", *board.metrics], rows, remarks)


def _score(board: Board, row: Row, metric: str, own: Mapping[str, str]) -> str:
    """A score as LaTeX; the headline with its interval and letters."""
    score = board.score(row, metric)
    if row.headline is None or score is None or score.score is None:
        return "ERROR" if row.headline is None else "--"
    text = f"{score.score:.4f}"
    if len(board.rows) > 1 and score.score == board.best(metric):
        text = f"\\textbf{{{text}}}"
    if score is row.headline:
        if score.low is not None and score.high is not None:
            text += f" [{score.low:.3f}, {score.high:.3f}]"
        if row.model in own:
            text += f"\\textsuperscript{{{own[row.model]}}}"
    return text


def _grid(grid: Table) -> str:
    rows = [
        [f"\\textbf{{{latex(cell.text)}}}" if cell.best else latex(cell.text) for cell in row]
        for row in grid.rows
    ]
    return _tabular(f"{grid.title}, {grid.subtitle}", grid.header, rows, grid.remarks)


def _tabular(title: str, header: Sequence[str], rows: Sequence[Sequence[str]], remarks: Sequence[str]) -> str:
    """header, title, remarks: plain texts; rows: cells of LaTeX."""
    lines = [
        f"% {_plain(title)}",
        r"\begin{tabular}{l" + "r" * (len(header) - 1) + "}",
        r"\toprule",
        " & ".join(map(latex, header)) + r" \\",
        r"\midrule",
        *(" & ".join(row) + r" \\" for row in rows),
        r"\bottomrule",
        r"\end{tabular}",
        *(f"% {_plain(remark)}" for remark in remarks),
    ]
    return "\n".join(lines) + "\n"


def _plain(text: str) -> str:
    """A text on one line, without what writes to a terminal itself: a comment ends where its line does."""
    return " ".join(CONTROL.sub(" ", text).split())
