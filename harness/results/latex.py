r"""Leaderboards as LaTeX tables: `\usepackage{booktabs}` is all that they need."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from harness.render import one_line
from harness.results.significance import ALONE
from harness.results.significance_tables import RANK, SignificanceLetters, overall_table
from harness.results.tables import ILLUSTRATIVE

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from harness.results.leaderboard import Board, Row
    from harness.results.overall import OverallRanking
    from harness.results.significance_tables import Letters
    from harness.table import Table

_MARKS = {
    "\\": r"\textbackslash{}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}",
    "<": r"\textless{}", ">": r"\textgreater{}", "|": r"\textbar{}", "–": "--", "±": r"$\pm$",
    **{mark: f"\\{mark}" for mark in "&%$#_{}"},
}  # fmt: skip
_MARK = re.compile("[" + re.escape("".join(_MARKS)) + "]")
_JOINED = re.compile(r"(?<=[-'`,?!])(?=[-'`])")
"""Position between two marks that LaTeX would join: `--`, `?`-`, two quotes."""


def to_latex(boards: Sequence[Board], letters: Letters, overall: Sequence[OverallRanking]) -> str:
    """Return a tabular for each board, then for each overall ranking; letters are superscripts.

    The title is a comment above a tabular, remarks are comments below it.
    """
    tables = [_board(board, letters.get(position)) for position, board in enumerate(boards)]
    return "\n".join([*tables, *(_overall(overall_table(ranking)) for ranking in overall)])


def latex(text: str) -> str:
    """Escape a text for LaTeX; control characters and line ends become spaces."""
    plain = _MARK.sub(lambda match: _MARKS[match[0]], _JOINED.sub("\0", one_line(text)))
    # After the end of a line, [ and * would begin an option of it.
    return re.sub(r"^[\[*]", r"{\g<0>}", plain.replace("\0", "{}"))


def _board(board: Board, own: SignificanceLetters | str | None) -> str:
    letters = own.of if isinstance(own, SignificanceLetters) else {}
    rows = [
        [latex(row.model), *(_score(board, row, metric, letters) for metric in board.metrics)]
        for row in board.rows
    ]
    header = ["model", *board.metrics]
    if isinstance(own, SignificanceLetters):
        header.insert(2, RANK)
        for row, cells in zip(board.rows, rows, strict=True):
            cells.insert(2, latex(own.rank(row.model)))
    remarks = [
        f"{row.model}: ERROR: {row.evaluation.error}"
        for row in board.rows
        if row.evaluation.error is not None
    ]
    remarks += [f"{model} is not ranked: {'; '.join(why)}" for model, why in board.refused]
    if isinstance(own, SignificanceLetters):
        remarks += own.remarks
    elif own is not None and own != ALONE:
        remarks.append(f"no letters: {own}")
    examination = board.rows[0].evaluation.examination
    limited = f", LIMITED to a sample (limit {examination.limit})" if examination.limit is not None else ""
    sample = f", {ILLUSTRATIVE}" if examination.data == "sample" else ""
    return _tabular(board.task + sample + limited, header, rows, remarks)


def _score(board: Board, row: Row, metric: str, letters: Mapping[str, str]) -> str:
    """Return a score as LaTeX; the headline with its interval and letters."""
    score = board.score(row, metric)
    if row.headline is None or score is None or score.score is None:
        return "ERROR" if row.headline is None else "--"
    text = f"{score.score:.4f}"
    if len(board.rows) > 1 and score.score == board.best(metric):
        text = f"\\textbf{{{text}}}"
    if score is row.headline:
        if score.low is not None and score.high is not None:
            text += f" [{score.low:.3f}, {score.high:.3f}]"
        if row.model in letters:
            text += f"\\textsuperscript{{{letters[row.model]}}}"
    return text


def _overall(table: Table) -> str:
    rows = [
        [f"\\textbf{{{latex(cell.text)}}}" if cell.best else latex(cell.text) for cell in row]
        for row in table.rows
    ]
    return _tabular(f"{table.title}, {table.subtitle}", table.header, rows, table.remarks)


def _tabular(title: str, header: Sequence[str], rows: Sequence[Sequence[str]], remarks: Sequence[str]) -> str:
    """Return a tabular; title, header and remarks: plain texts; rows: cells of LaTeX."""
    lines = [
        f"% {one_line(title)}",
        r"\begin{tabular}{l" + "r" * (len(header) - 1) + "}",
        r"\toprule",
        " & ".join(map(latex, header)) + r" \\",
        r"\midrule",
        *(" & ".join(row) + r" \\" for row in rows),
        r"\bottomrule",
        r"\end{tabular}",
        *(f"% {one_line(remark)}" for remark in remarks),
    ]
    return "\n".join(lines) + "\n"
