"""LaTeX tables: escaped names, letters as superscripts."""

from __future__ import annotations

from dataclasses import replace

import pytest
from conftest import evaluated

from harness.results.latex import latex, to_latex
from harness.results.leaderboard import boards
from harness.results.overall import overall
from harness.results.records import Score
from harness.results.significance_tables import SignificanceLetters
from harness.stats.rank_doubt import RankInterval


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("all-MiniLM-L6-v2", "all-MiniLM-L6-v2"),
        (
            r"\input{x}_&%$#^~",
            r"\textbackslash{}input\{x\}\_\&\%\$\#\textasciicircum{}\textasciitilde{}",
        ),
        pytest.param("a\nb\r\x1b[31mc", "a b [31mc", id="lines and terminal codes"),
        pytest.param("<b>|x|", r"\textless{}b\textgreater{}\textbar{}x\textbar{}", id="HTML and Markdown"),
        pytest.param("a--b''c?`d", "a-{}-b'{}'c?{}`d", id="marks that would join"),
        pytest.param("[2pt] model", "{[}2pt] model", id="an option of a line's end"),
        pytest.param("*model", "{*}model", id="a star of a line's end"),
        ("Größe 模型", "Größe 模型"),
    ],
)
def test_a_name_is_escaped_so_that_latex_prints_it(text, expected):
    assert latex(text) == expected


def test_a_board_is_a_table_of_booktabs():
    metrics = (
        Score(metric="spearman", score=0.75, low=0.5, high=0.875),
        Score(metric="recall_at_10", score=0.5, low=0.25, high=0.75),
    )
    worse = (replace(metrics[0], score=0.25, low=None, high=None), replace(metrics[1], score=None))
    found = [
        evaluated("a_b", scores=metrics),
        evaluated("c&d", scores=worse),
        evaluated("e", error="boom\n\\input{x}"),
        evaluated("f", scores=metrics, digest="e" * 64),
        evaluated("g", scores=metrics),
    ]
    ranks = {"a_b": RankInterval(1, 2), "g": RankInterval(1, 2), "c&d": RankInterval(3, 3)}
    own = SignificanceLetters(
        {"a_b": "a", "g": "a", "c&d": "z,aa"}, ranks, {"a_b": 0.5, "g": 0.496, "c&d": 0.004}, ["a remark"]
    )
    text = to_latex(boards(found), {0: own}, [])
    assert (
        text
        == r"""% stsb
\begin{tabular}{lrrr}
\toprule
model & spearman & rank (best) & recall\_at\_10 \\
\midrule
a\_b & \textbf{0.7500} [0.500, 0.875]\textsuperscript{a} & 1--2 (50 \%) & \textbf{0.5000} \\
g & \textbf{0.7500} [0.500, 0.875]\textsuperscript{a} & 1--2 (50 \%) & \textbf{0.5000} \\
c\&d & 0.2500\textsuperscript{z,aa} & 3 (\textless{} 1 \%) & -- \\
e & ERROR & -- & ERROR \\
\bottomrule
\end{tabular}
% e: ERROR: boom \input{x}
% f is not ranked: data: dddddddd / eeeeeeee
% a remark
"""
    )


def test_every_board_has_a_title_and_the_overall_ranking_comes_last():
    found = [
        evaluated(model, task, score, fingerprint=model * 64, data="sample", tags=("a_tag",))
        for model, score in (("a", 0.25), ("b", 0.5))
        for task in ("t1", "t2")
    ]
    ranked = boards(found)
    text = to_latex(ranked, {0: "too few", 1: "too few"}, overall(ranked, {}))
    assert text.count("sample: illustrative, not the real dataset") == 2
    assert text.count("% no letters: too few") == 2
    assert "model & average rank & Borda & mean & a\\_tag \\\\" in text
    assert "b & \\textbf{1.00} & 2 & \\textbf{0.5000 [" in text
    assert text.index("overall") > text.index("% t2")
