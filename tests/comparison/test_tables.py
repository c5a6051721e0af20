"""Comparisons as tables and Markdown: verdicts, remarks, and names that cannot inject markup."""

from __future__ import annotations

import io
import re
from dataclasses import replace

import pytest
from markdown_it import MarkdownIt
from rich.console import Console

from comparison.said import (
    BASELINE,
    HOSTILE,
    NOTHING,
    changes,
    comparison,
    every_outcome,
    every_verdict,
    everything,
    gate_line,
    hostile,
    line,
)
from harness.cli.output import print_tables
from harness.comparison.flip_tables import flip_tables
from harness.comparison.markdown import markdown
from harness.comparison.matrix import matrix_tables, pareto_table
from harness.comparison.result import ParetoPoint, Shortage
from harness.comparison.result_changes import Change
from harness.comparison.tables import comparison_tables
from harness.stats.multiple import METHOD

MARKDOWN = MarkdownIt("commonmark", {"html": True}).enable("table")
WIDE = 110


def printed(tables) -> str:
    stream = io.StringIO()
    print_tables(tables, Console(file=stream, width=WIDE, markup=False, highlight=False, emoji=False))
    return stream.getvalue()


def answer(*lines, **fields):
    return comparison_tables(comparison(*lines, **fields))[0]


def column(table, name):
    return [row[table.header.index(name)].text for row in table.rows]


def named(tables, title):
    return next(table for table in tables if table.title == title)


# --- what was found ---------------------------------------------------------------------------------------


def test_a_line_has_both_scores_the_gain_its_interval_p_and_the_verdict():
    table = answer(line())
    assert table.title == "nda against minilm"
    assert [cell.text for cell in table.rows[0]] == [
        "stsb", "0.8203", "0.8326", "+0.0123 [+0.0045, +0.0201]", "0.0080", "better",
    ]  # fmt: skip
    assert [cell.text for cell in table.rows[0] if cell.best] == ["+0.0123 [+0.0045, +0.0201]", "better"]


def test_every_verdict_is_shown_in_words_and_only_better_is_bold():
    table = answer(*every_verdict())
    assert column(table, "verdict") == [
        "better", "better", "worse,\nwithin the margin", "worse", "equivalent",
        "inconclusive,\nwithin the margin", "not tested",
    ]  # fmt: skip
    assert [row[-1].best for row in table.rows] == [True, True, *[False] * 5]


def test_a_further_metric_of_a_task_is_below_it_by_its_own_name():
    further = line(metric="pearson", headline=False)
    assert column(answer(line(), further, line("other")), "task") == ["stsb", "· pearson", "other"]
    assert column(answer(further, line("other"), further), "task") == [
        "stsb · pearson", "other", "stsb · pearson",
    ]  # fmt: skip
    power = comparison_tables(comparison(line(), further, line("other")))[1]
    assert column(power, "task") == ["stsb", "", "other"]
    assert column(power, "metric") == ["spearman", "pearson", "spearman"]


def test_a_task_with_two_sources_of_data_is_told_apart():
    table = answer(line(), line(data="sample"), line("other"))
    assert column(table, "task") == ["stsb (files)", "stsb (sample)", "other"]


def test_what_is_unknown_is_a_dash():
    tables = comparison_tables(comparison(replace(line(), **NOTHING, verdict="not tested")))
    assert [cell.text for cell in tables[0].rows[0][1:]] == ["–", "–", "–", "–", "not tested"]
    assert column(tables[1], "detectable") == ["–"]
    assert tables[0].remarks == []


def test_a_verdict_that_an_interval_for_all_candidates_does_not_show_is_explained():
    across = line(low=-0.001, high=0.03)
    said = " ".join(comparison_tables(replace(comparison(across), tests=5, level=0.99))[0].remarks)
    assert "stsb: the verdict goes by p, and the interval, which is for all candidates, reaches" in said
    beyond = comparison_tables(replace(comparison(line()), tests=5, level=0.99))[0]
    assert "reaches across 0" not in " ".join(beyond.remarks)


def test_a_gain_without_an_interval_is_shown_alone():
    table = answer(line(low=None, high=None, reason="9 independent units are too few"))
    assert column(table, "gain [95 % interval]") == ["+0.0123"]
    assert table.remarks == ["stsb: better: 9 independent units are too few"]


def test_a_tiny_p_value_is_not_zero():
    assert column(answer(line(p_adjusted=1e-9), line(p_adjusted=0.001)), "p") == ["<0.001", "0.0010"]


def test_a_comparison_of_nothing_is_shown():
    (table,) = comparison_tables(comparison())
    assert table.rows == []
    assert printed([table])


def test_models_of_one_name_are_told_apart():
    assert answer(baseline=replace(BASELINE, name="nda")).title == "nda~cccccccc against nda~bbbbbbbb"


def test_remarks_are_below_the_table_the_most_serious_first():
    assert comparison_tables(everything())[0].remarks == [
        "ALLOWED to differ (--allow): machine, task_source",
        "MISSING OR BROKEN: quora is missing from the results of nda",
        (
            "NOT COMPARED: clauses differs (baseline / candidate):"
            " digest aaaaaaaa / bbbbbbbb; split test / dev; to compare anyway: --allow digest,split"
        ),
        "mteb-sts12: not tested: no predictions at hand",
        "case-law: 40 clusters; a margin of 0.01 needs about 372 even if no answer differs",
        "legal-retrieval: a loss on fewer than 7.1 % of the 1,379 examples may not be in them",
        "case-law: cluster nda-17 carries 62 % of the variance of the gain",
        "case-law: sample: illustrative, not the real dataset",
        "nda-seed1 and 2 more seeds: one recipe, trained with several seeds: nda-1, nda-2, nda-3",
        "over 2 tasks: mean gain -0.0093 [-0.0200, +0.0010]: inconclusive",
        "legal: mean gain +0.0100 [+0.0040, +0.0160] over 1 task; it learned",
        "speed: 120 → 1,181 texts/s, ratio 1.5 [1.42, 1.58] (rounds of two runs)",
        "settings differ (baseline / candidate): dtype float32 / bfloat16; max_tokens 256 / 512",
        "libraries differ: torch 2.13.0 / 2.13.1",
    ]


def test_lines_with_the_same_reason_share_a_remark():
    untested = {"verdict": "not tested", "reason": "no predictions"}
    table = answer(line(**untested), line(metric="pearson", headline=False, **untested))
    assert table.remarks == ["stsb, stsb · pearson: not tested: no predictions"]


# --- what could have been found ---------------------------------------------------------------------------


def test_the_detectable_gain_is_next_to_the_number_of_examples():
    table = named(
        comparison_tables(comparison(line(), line("t", clusters=1179))), "what these examples could show"
    )
    assert table.header == ["task", "metric", "test", "examples", "detectable"]
    assert column(table, "examples") == ["1,379", "1,379 in 1,179"]
    assert column(table, "detectable") == ["0.0111", "0.0111"]


def test_a_remark_says_what_is_too_little_to_find_a_gain():
    spam = replace(line("spam", metric="roc_auc", baseline=0.9412), detectable=None, too_few="15 positives")
    remarks = comparison_tables(comparison(line("stsb"), spam))[1].remarks
    text = "spam: 15 positives are too few to find a gain that a baseline of 0.9412 leaves room for"
    assert text in remarks
    assert not any("too few" in each for each in comparison_tables(comparison(line("stsb")))[1].remarks)


def test_clusters_that_are_very_uneven_are_shown_with_their_effective_number():
    even, uneven = line(clusters=40, effective_clusters=31.0), line("t", clusters=40, effective_clusters=9.2)
    table = named(comparison_tables(comparison(even, uneven)), "what these examples could show")
    assert column(table, "examples") == ["1,379 in 40", "1,379 in 40 ≈ 9"]
    assert table.remarks == [
        (
            "1,379 in 40 ≈ 9: number of examples, of their clusters, which are the units,"
            " and of equal clusters that would tell as much"
        )
    ]
    table = named(comparison_tables(comparison(even)), "what these examples could show")
    assert table.remarks == ["1,379 in 40: number of examples, of their clusters, which are the units"]


def test_the_subtitle_says_which_level_interval_p_and_verdict_have():
    assert answer(line(), tests=1).subtitle == "interval of 95 %; p < 0.05 where it excludes 0"
    first, second = comparison_tables(comparison(line(), tests=36))
    assert first.subtitle == "intervals of 95 % each; p and verdict corrected over 36 lines"
    assert second.remarks == [f"p corrected over 36 lines: {METHOD}"]


def test_a_remark_says_where_interval_and_verdict_differ_by_the_correction():
    apart = {"verdict": "inconclusive", "gain": 0.02, "low": 0.001, "high": 0.039, "p_adjusted": 0.1}
    table = answer(line(), line("t1", **apart), line("t2", **apart), tests=3)
    reason = "the interval excludes 0, and the verdict is inconclusive, since p is corrected over 3 lines"
    assert table.remarks == [f"t1, t2: {reason}"]
    gated = answer(line("t1", **apart), tests=3, gate=(gate_line(),))
    assert gated.remarks == [f"t1: {reason}; the gate goes by the interval"]


@pytest.mark.parametrize(
    ("shortage", "margin", "text"),
    [
        (
            Shortage(what="positives", have=11, needed=94),
            0.02,
            "11 positives; a margin of 0.02 needs about 94",
        ),
        (
            Shortage(what="examples", have=12, needed=3837),
            0.001,
            "12 examples; a margin of 0.001 needs about 3,840",
        ),
        (
            Shortage(what="examples", have=12, needed=None),
            0.0,
            "needs a gain beyond doubt, or the very same answers",
        ),
        (Shortage(what="examples", have=12, needed=None), 1e-9, "a margin of 1e-09 is out of reach"),
    ],
)
def test_a_remark_says_what_a_margin_lacks(shortage, margin, text):
    table = answer(line("t", "inconclusive", low=-0.3, high=0.3, shortage=shortage, margin=margin))
    (remark,) = table.remarks
    assert remark.startswith(f"t: {shortage.have} {shortage.what}; ")
    assert text in remark


def test_margin_needed_examples_and_seeds_have_a_column_only_where_there_are_any():
    table = named(comparison_tables(everything()), "what these examples could show")
    assert table.header[5:] == ["margin", "needed", "from seeds"]
    assert [cell.text for cell in table.rows[5][5:]] == ["0.01", "5,210", "34 %"]


# --- the gate ---------------------------------------------------------------------------------------------


def test_every_outcome_of_the_gate_is_shown_and_failures_are_bold():
    table = named(comparison_tables(everything()), "gate")
    held, level = "conditions that hold: 6 of 9 (1 undecided, let pass)", "each by its own 95 % interval"
    assert table.subtitle == f"{held}; {level}, not corrected"
    assert column(table, "condition") == [
        "stsb: loss < 0.01",
        "penal-triplets: loss < 0.01",
        "contract-nli: loss < 0.01",
        "case-law: gain > 0.01",
        "stsb · pearson: gain > 0.01",
        "gone: loss < 0.01",
        "mean of legal tasks: gain > 0.01",
        "stsb: score ≥ 0.8",
        "throughput ≥ 0.9 × baseline",
    ]
    assert column(table, "outcome") == [
        "passes",
        "passes, though worse",
        "FAILS",
        "UNDECIDED",
        "undecided, let pass",
        "BROKEN",
        "passes",
        "passes",
        "passes",
    ]
    assert [row[1].best for row in table.rows] == [text.isupper() for text in column(table, "outcome")]
    assert column(table, "figures") == [one.sentence for one in every_outcome()]


def test_a_condition_on_every_task_is_named_even_without_a_task():
    table = named(comparison_tables(comparison(gate=(gate_line("broken", task=None, metric=None),))), "gate")
    assert column(table, "condition") == ["every task: loss < 0.01"]
    assert table.subtitle == "conditions that hold: 0 of 1; each by its own 95 % interval, not corrected"


# --- why --------------------------------------------------------------------------------------------------


def test_examples_that_moved_are_shown_with_their_texts_cut_short():
    table = named(comparison_tables(everything()), "why: stsb")
    assert table.subtitle == "by spearman · 702 pairs came nearer to gold, 655 went farther from it"
    assert [cell.text for cell in table.rows[0]] == [
        "e17",
        "gained",
        "0.431 → 0.821",
        "4.2",
        (
            "“The tenant shall give notice in writing to the landlord at…”\n"
            "“Notice has to be given in writing, and three months ahead,…”"
        ),
    ]
    assert [row[1].text for row in table.rows] == ["gained", "lost"]


def test_answers_become_right_or_wrong_and_a_graded_one_keeps_its_figures():
    moved = Change(id="e", baseline=0.0, candidate=1.0, gold=None, texts={})
    made = replace(
        changes(), what="answers", most_gained=(moved,), most_lost=(replace(moved, candidate=0.5),)
    )
    table = flip_tables(comparison(changes=(made,)))[0]
    assert column(table, "from → to") == ["wrong → right", "wrong → 0.500"]
    assert column(table, "gold") == ["–", "–"]
    assert table.subtitle == "by spearman · 702 answers became right, 655 became wrong"


def test_only_slices_that_differ_are_shown_with_the_number_tested():
    table = named(comparison_tables(everything()), "where: stsb")
    assert [cell.text for cell in table.rows[0]] == [
        "length: 20 – 40 words", "312 in 280", "-0.0410 [-0.0660, -0.0160]", "0.0030",
    ]  # fmt: skip
    assert table.remarks == ["1 of 2 slices tested (p corrected over all of them, Holm)"]


def test_a_remark_says_that_no_slice_differs():
    quiet = tuple(replace(part, flagged=False) for part in changes().slices)
    (table,) = flip_tables(comparison(changes=(replace(changes(), slices=quiet),)))
    assert table.remarks == [
        "none of 2 slices tested (p corrected over all of them, Holm) differs significantly"
    ]
    (table,) = flip_tables(comparison(changes=(replace(changes(), slices=()),)))
    assert table.remarks == []


# --- several models ---------------------------------------------------------------------------------------


def pairs_of_three():
    parties = [replace(BASELINE, name=name, fingerprint=name * 64) for name in "abc"]
    verdicts = [("better", 0.02), ("worse", -0.03), ("inconclusive", 0.001)]
    ends = [(0, 1), (0, 2), (1, 2)]
    return [
        comparison(line("stsb", verdict, gain), baseline=parties[left], candidate=parties[right])
        for (verdict, gain), (left, right) in zip(verdicts, ends, strict=True)
    ]


def test_all_pairs_are_a_matrix_that_shows_each_pair_both_ways():
    (table,) = matrix_tables(pairs_of_three())
    assert (table.title, table.header) == ("stsb", ["", "a", "b", "c"])
    assert [[cell.text for cell in row] for row in table.rows] == [
        ["a", "–", "-0.0200 worse", "+0.0300 better"],
        ["b", "+0.0200 better", "–", "-0.0010 inconclusive"],
        ["c", "-0.0300 worse", "+0.0010 inconclusive", "–"],
    ]
    assert [[cell.best for cell in row[1:]] for row in table.rows] == [
        [False, False, True], [True, False, False], [False, False, False],
    ]  # fmt: skip


def test_every_task_and_metric_has_a_matrix_of_its_own():
    tables = matrix_tables([comparison(*every_verdict())])
    assert [table.title for table in tables] == [
        "stsb", "stsb · pearson", "penal-triplets", "contract-nli", "legal-retrieval", "case-law",
        "mteb-sts12",
    ]  # fmt: skip
    assert tables[5].remarks == ["case-law: sample: illustrative, not the real dataset"]
    assert tables[6].rows[1][1].text == "– not tested"


def test_warnings_are_below_the_matrices():
    table = matrix_tables([everything()])[-1]
    assert table.title == "warnings"
    assert [row[1].text.partition(":")[0] for row in table.rows] == [
        "ALLOWED to differ (--allow)", "MISSING OR BROKEN", "NOT COMPARED",
    ]  # fmt: skip


def test_a_zero_gain_is_not_negative_in_the_other_direction():
    (table,) = matrix_tables([comparison(line("t", "equivalent", 0.0))])
    assert table.rows[0][2].text == "+0.0000 equivalent"


def test_models_on_the_pareto_front_are_bold():
    table = pareto_table(
        [
            ParetoPoint(model="a", quality=0.9, texts_per_second=100.0, tasks=3, on_front=True),
            ParetoPoint(model="b", quality=0.8, texts_per_second=50.0, tasks=3, on_front=False),
            ParetoPoint(model="c", quality=0.7, texts_per_second=None, tasks=3, on_front=False),
        ]
    )
    assert table.subtitle == "mean headline score over 3 tasks that all models have in common"
    assert column(table, "dominated") == ["no", "yes", "?"]
    assert [row[0].best for row in table.rows] == [True, False, False]
    assert printed([pareto_table([])])


# --- in the terminal --------------------------------------------------------------------------------------


def test_tables_with_usual_names_fit_a_terminal_of_110_columns():
    tables = [replace(table, remarks=[]) for table in comparison_tables(everything())]
    text = printed([*tables, *matrix_tables(pairs_of_three())])
    assert max(map(len, text.splitlines())) <= WIDE
    for whole in (
        "-0.0071 [-0.0099, -0.0043]",
        "within the margin",
        "passes, though worse",
        "lies below -0.01",
        "from seeds",
    ):
        assert whole in text


@pytest.mark.parametrize("name", HOSTILE, ids=repr)
def test_no_name_writes_to_the_terminal(name):
    assert not re.search(r"[\x00\x07\x08\x1b]", printed(comparison_tables(hostile(name))))
    assert not re.search(r"[\x00\x07\x08\x1b]", printed(matrix_tables([hostile(name)])))


# --- Markdown, as markdown-it reads it --------------------------------------------------------------------


def test_a_pull_request_comment_begins_with_the_summary_and_folds_the_reasons():
    text = markdown([everything()], title="Embedding model")
    assert text.startswith(f"## Embedding model\n\n**{everything().sentence}**\n\n### nda-seed1")
    answer, _, folded = text.partition("<details>\n<summary>Why: 1 line in detail</summary>\n\n")
    assert "#### gate" in answer
    assert "| contract-nli: loss &lt; 0.01 | **FAILS** |" in answer
    assert "### why: stsb" not in answer
    assert folded.startswith("### why: stsb")
    assert folded.endswith("\n\n</details>\n")


def test_several_summaries_are_a_list_before_all_tables():
    text = markdown([comparison(sentence="one"), comparison(sentence="two")])
    assert text.startswith("- **one**\n- **two**\n\n### nda against minilm")
    assert "<details>" not in text


def test_a_matrix_takes_the_place_of_the_tables_of_pairs():
    text = markdown(pairs_of_three(), matrix=True)
    assert "### stsb" in text
    assert "nda against" not in text.partition("### stsb")[2]


def test_columns_of_words_are_not_aligned_as_figures():
    text = markdown([everything()])
    assert "| condition | outcome | figures |\n|---|---|---|" in text
    assert "|---|---:|---:|---:|---:|---:|\n" in text


@pytest.mark.parametrize("name", HOSTILE, ids=repr)
@pytest.mark.parametrize("matrix", [False, True], ids=["apart", "matrix"])
def test_no_name_is_read_as_markdown_html_a_person_an_issue_or_a_link(name, matrix):
    tokens = MARKDOWN.parse(markdown([hostile(name)], title=name, matrix=matrix))
    inline = [child for token in tokens for child in token.children or []]
    kinds = {child.type for child in inline}
    assert kinds <= {"text", "text_special", "strong_open", "strong_close", "html_inline", "softbreak"}
    assert {child.content for child in inline if child.type == "html_inline"} <= {"<!-- -->"}
    blocks = {token.content.strip() for token in tokens if token.type == "html_block"}
    assert blocks <= {"<details>\n<summary>Why: 1 line in detail</summary>", "</details>"}
    for child in inline:
        assert not re.search(r"(?:^|\W)@\w|#\d|://|www\.", child.content)


def test_a_metric_at_ten_is_not_a_mention():
    assert "| ndcg@10 |" in markdown([everything()])


def test_an_empty_summary_leaves_no_asterisks():
    assert "****" not in markdown([comparison(sentence=" ")])
    assert markdown([]) == ""
