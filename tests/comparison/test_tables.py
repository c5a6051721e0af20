"""Comparisons for people: what is claimed, what may not be overlooked, and nothing that a name could fake."""

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
from harness.comparison.flip_tables import shortened, why_grids
from harness.comparison.result import Change, ParetoPoint
from harness.comparison.tables import comparison_grids, front_grid, markdown, matrix_grids

MARKDOWN = MarkdownIt("commonmark", {"html": True}).enable("table")
WIDE = 110


def printed(grids) -> str:
    stream = io.StringIO()
    print_tables(grids, Console(file=stream, width=WIDE, markup=False, highlight=False, emoji=False))
    return stream.getvalue()


def answer(*lines, **fields):
    return comparison_grids(comparison(*lines, **fields))[0]


def column(grid, name):
    return [row[grid.header.index(name)].text for row in grid.rows]


def named(grids, title):
    return next(grid for grid in grids if grid.title == title)


# --- what was found ---------------------------------------------------------------------------------------


def test_a_line_has_both_scores_the_gain_its_interval_p_and_the_verdict():
    grid = answer(line())
    assert grid.title == "nda against minilm"
    assert [cell.text for cell in grid.rows[0]] == [
        "stsb", "0.8203", "0.8326", "+0.0123 [+0.0045, +0.0201]", "0.0080", "better",
    ]  # fmt: skip
    assert [cell.text for cell in grid.rows[0] if cell.best] == ["+0.0123 [+0.0045, +0.0201]", "better"]


def test_every_verdict_is_said_in_words_and_only_better_is_bold():
    grid = answer(*every_verdict())
    assert column(grid, "verdict") == [
        "better", "better", "worse,\nwithin the margin", "worse", "equivalent",
        "inconclusive,\nwithin the margin", "not tested",
    ]  # fmt: skip
    assert [row[-1].best for row in grid.rows] == [True, True, *[False] * 5]


def test_a_further_metric_of_a_task_stands_below_it_by_its_own_name():
    further = line(metric="pearson", headline=False)
    assert column(answer(line(), further, line("other")), "task") == ["stsb", "· pearson", "other"]
    assert column(answer(further, line("other"), further), "task") == [
        "stsb · pearson", "other", "stsb · pearson",
    ]  # fmt: skip
    power = comparison_grids(comparison(line(), further, line("other")))[1]
    assert column(power, "task") == ["stsb", "", "other"]
    assert column(power, "metric") == ["spearman", "pearson", "spearman"]


def test_a_task_that_was_asked_of_two_kinds_of_data_is_told_apart():
    grid = answer(line(), line(data="sample"), line("other"))
    assert column(grid, "task") == ["stsb (files)", "stsb (sample)", "other"]


def test_what_is_unknown_is_a_dash():
    grids = comparison_grids(comparison(replace(line(), **NOTHING, verdict="not tested")))
    assert [cell.text for cell in grids[0].rows[0][1:]] == ["–", "–", "–", "–", "not tested"]
    assert column(grids[1], "detectable") == ["–"]
    assert grids[0].remarks == []


def test_a_gain_without_an_interval_stands_alone():
    grid = answer(line(low=None, high=None, reason="9 independent units are too few"))
    assert column(grid, "gain [95 % interval]") == ["+0.0123"]
    assert grid.remarks == ["stsb: better: 9 independent units are too few"]


def test_a_tiny_p_value_is_not_zero():
    assert column(answer(line(p_holm=1e-9), line(p_holm=0.001)), "p") == ["<0.001", "0.0010"]


def test_a_comparison_of_nothing_is_shown():
    (grid,) = comparison_grids(comparison())
    assert grid.rows == []
    assert printed([grid])


def test_models_of_one_name_are_told_apart():
    assert answer(baseline=replace(BASELINE, name="nda")).title == "nda~cccccccc against nda~bbbbbbbb"


def test_what_a_reader_must_know_stands_below_the_table_the_gravest_first():
    assert comparison_grids(everything())[0].remarks == [
        "ALLOWED by --allow, although it differs: machine, task_source",
        "MISSING OR BROKEN: quora is missing from the results of nda",
        (
            "NOT COMPARED: clauses, which was not asked alike (baseline / candidate):"
            " digest aaaaaaaa / bbbbbbbb; split test / dev; compare all the same with --allow digest,split"
        ),
        "mteb-sts12: not tested: no predictions at hand",
        "case-law: sample: illustrative, not the real dataset",
        "nda-seed1 and 2 more seeds: one recipe, trained with several seeds: nda-1, nda-2, nda-3",
        "legal: mean gain +0.0100 [+0.0040, +0.0160] over 1 task; it learned",
        "speed: 120 → 1,181 texts/s, ratio 1.5 [1.42, 1.58] (rounds of two runs)",
        "used differently (baseline / candidate): dtype float32 / bfloat16; max_tokens 256 / 512",
        "libraries differ: torch 2.13.0 / 2.13.1",
    ]


def test_lines_of_one_reason_share_a_remark():
    untested = {"verdict": "not tested", "reason": "no predictions"}
    grid = answer(line(**untested), line(metric="pearson", headline=False, **untested))
    assert grid.remarks == ["stsb, stsb · pearson: not tested: no predictions"]


# --- what could have been found ---------------------------------------------------------------------------


def test_the_smallest_effect_that_these_examples_show_stands_beside_their_number():
    grid = named(
        comparison_grids(comparison(line(), line("t", clusters=1179))), "what these examples could show"
    )
    assert grid.header == ["task", "metric", "test", "examples", "detectable"]
    assert column(grid, "examples") == ["1,379", "1,379 in 1,179"]
    assert column(grid, "detectable") == ["0.0111", "0.0111"]


def test_margin_needed_examples_and_seeds_have_a_column_only_where_there_are_any():
    grid = named(comparison_grids(everything()), "what these examples could show")
    assert grid.header[5:] == ["margin", "needed", "from seeds"]
    assert [cell.text for cell in grid.rows[5][5:]] == ["0.01", "5,210", "34%"]


# --- the gate ---------------------------------------------------------------------------------------------


def test_every_outcome_of_the_gate_is_said_and_what_fails_is_bold():
    grid = named(comparison_grids(everything()), "gate")
    assert grid.subtitle == "conditions that hold: 5 of 8"
    assert column(grid, "condition") == [
        "stsb: loss < 0.01",
        "penal-triplets: loss < 0.01",
        "contract-nli: loss < 0.01",
        "case-law: gain > 0.01",
        "stsb · pearson: gain > 0.01",
        "gone: loss < 0.01",
        "stsb: score ≥ 0.8",
        "throughput ≥ 0.9 × baseline",
    ]
    assert column(grid, "outcome") == [
        "passes",
        "passes, though worse",
        "FAILS: worse",
        "FAILS: inconclusive",
        "inconclusive, let pass",
        "FAILS: broken",
        "passes",
        "passes",
    ]
    assert [row[1].best for row in grid.rows] == [
        text.startswith("FAILS") for text in column(grid, "outcome")
    ]
    assert column(grid, "figures") == [one.sentence for one in every_outcome()]


def test_a_condition_on_every_task_that_found_none_is_named_so():
    grid = named(comparison_grids(comparison(gate=(gate_line("broken", task=None, metric=None),))), "gate")
    assert column(grid, "condition") == ["every task: loss < 0.01"]
    assert grid.subtitle == "conditions that hold: 0 of 1"


# --- why --------------------------------------------------------------------------------------------------


def test_examples_that_moved_are_shown_with_their_texts_cut_short():
    grid = named(comparison_grids(everything()), "why: stsb")
    assert grid.subtitle == "by spearman · 702 pairs came nearer to gold, 655 went farther from it"
    assert [cell.text for cell in grid.rows[0]] == [
        "e17",
        "gained",
        "0.431 → 0.821",
        "4.2",
        (
            "“The tenant shall give notice in writing to the landlord at…”\n"
            "“Notice has to be given in writing, and three months ahead,…”"
        ),
    ]
    assert [row[1].text for row in grid.rows] == ["gained", "lost"]


def test_answers_become_right_or_wrong_and_a_graded_one_keeps_its_figures():
    moved = Change(id="e", baseline=0.0, candidate=1.0, gold=None, texts={})
    made = replace(
        changes(), what="answers", most_gained=(moved,), most_lost=(replace(moved, candidate=0.5),)
    )
    grid = why_grids(comparison(changes=(made,)))[0]
    assert column(grid, "from → to") == ["wrong → right", "wrong → 0.500"]
    assert column(grid, "gold") == ["–", "–"]
    assert grid.subtitle == "by spearman · 702 answers became right, 655 became wrong"


def test_only_parts_that_differ_are_shown_and_how_many_were_tried_is_said():
    grid = named(comparison_grids(everything()), "where: stsb")
    assert [cell.text for cell in grid.rows[0]] == [
        "length: 20 – 40 words", "312 in 280", "-0.0410 [-0.0660, -0.0160]", "0.0030",
    ]  # fmt: skip
    assert grid.remarks == ["1 of 2 that were tried (p corrected over all of them, Holm)"]


def test_where_no_part_differs_that_is_said():
    quiet = tuple(replace(part, flagged=False) for part in changes().slices)
    (grid,) = why_grids(comparison(changes=(replace(changes(), slices=quiet),)))
    assert grid.remarks == [
        "no part of 2 that were tried (p corrected over all of them, Holm) differs beyond chance"
    ]
    (grid,) = why_grids(comparison(changes=(replace(changes(), slices=()),)))
    assert grid.remarks == []


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("short", "short", id="a short text is left alone"),
        pytest.param("two\n  li\x1b[3m", "two li [3m", id="it is one line, and no escape"),
        pytest.param("a" * 11, "a" * 9 + "…", id="the end is cut off"),
        pytest.param("123456789", "123456789", id="one that just fits is whole"),
        pytest.param("12345678 bcd", "12345678…", id="no space stands before the cut"),
    ],
)
def test_a_text_is_shortened(text, expected):
    assert shortened(text, 10) == expected


# --- several models ---------------------------------------------------------------------------------------


def pairs_of_three():
    parties = [replace(BASELINE, name=name, fingerprint=name * 64) for name in "abc"]
    verdicts = [("better", 0.02), ("worse", -0.03), ("inconclusive", 0.001)]
    ends = [(0, 1), (0, 2), (1, 2)]
    return [
        comparison(line("stsb", verdict, gain), baseline=parties[left], candidate=parties[right])
        for (verdict, gain), (left, right) in zip(verdicts, ends, strict=True)
    ]


def test_all_pairs_are_a_matrix_in_which_a_pair_stands_both_ways():
    (grid,) = matrix_grids(pairs_of_three())
    assert (grid.title, grid.header) == ("stsb", ["", "a", "b", "c"])
    assert [[cell.text for cell in row] for row in grid.rows] == [
        ["a", "–", "-0.0200 worse", "+0.0300 better"],
        ["b", "+0.0200 better", "–", "-0.0010 inconclusive"],
        ["c", "-0.0300 worse", "+0.0010 inconclusive", "–"],
    ]
    assert [[cell.best for cell in row[1:]] for row in grid.rows] == [
        [False, False, True], [True, False, False], [False, False, False],
    ]  # fmt: skip


def test_every_task_and_metric_has_a_matrix_of_its_own():
    grids = matrix_grids([comparison(*every_verdict())])
    assert [grid.title for grid in grids] == [
        "stsb", "stsb · pearson", "penal-triplets", "contract-nli", "legal-retrieval", "case-law",
        "mteb-sts12",
    ]  # fmt: skip
    assert grids[5].remarks == ["case-law: sample: illustrative, not the real dataset"]
    assert grids[6].rows[1][1].text == "– not tested"


def test_what_a_matrix_has_no_cell_for_is_said_below():
    grid = matrix_grids([everything()])[-1]
    assert grid.title == "what to know of these pairs"
    assert [row[1].text.partition(":")[0] for row in grid.rows] == [
        "ALLOWED by --allow, although it differs", "MISSING OR BROKEN", "NOT COMPARED",
    ]  # fmt: skip


def test_no_difference_has_no_sign_of_loss_the_other_way():
    (grid,) = matrix_grids([comparison(line("t", "equivalent", 0.0))])
    assert grid.rows[0][2].text == "+0.0000 equivalent"


def test_models_that_no_other_beats_at_quality_and_speed_are_bold():
    grid = front_grid(
        [
            ParetoPoint(model="a", quality=0.9, texts_per_second=100.0, tasks=3, on_front=True),
            ParetoPoint(model="b", quality=0.8, texts_per_second=50.0, tasks=3, on_front=False),
            ParetoPoint(model="c", quality=0.7, texts_per_second=None, tasks=3, on_front=False),
        ]
    )
    assert grid.subtitle == "mean headline score over 3 tasks that all were asked alike"
    assert column(grid, "beaten at both") == ["no", "yes", "?"]
    assert [row[0].best for row in grid.rows] == [True, False, False]
    assert printed([front_grid([])])


# --- in the terminal --------------------------------------------------------------------------------------


def test_tables_with_usual_names_fit_a_terminal_of_110_columns():
    grids = [replace(grid, remarks=[]) for grid in comparison_grids(everything())]
    text = printed([*grids, *matrix_grids(pairs_of_three())])
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
    assert not re.search(r"[\x00\x07\x08\x1b]", printed(comparison_grids(hostile(name))))
    assert not re.search(r"[\x00\x07\x08\x1b]", printed(matrix_grids([hostile(name)])))


# --- Markdown, as markdown-it reads it --------------------------------------------------------------------


def test_a_pull_request_comment_begins_with_the_answer_and_folds_the_reasons():
    text = markdown([everything()], title="Embedding model")
    assert text.startswith(f"## Embedding model\n\n**{everything().sentence}**\n\n### nda-seed1")
    answer, _, folded = text.partition("<details>\n<summary>Why: 1 line in detail</summary>\n\n")
    assert "#### gate" in answer
    assert "| contract-nli: loss &lt; 0.01 | **FAILS: worse** |" in answer
    assert "### why: stsb" not in answer
    assert folded.startswith("### why: stsb")
    assert folded.endswith("\n\n</details>\n")


def test_several_answers_are_a_list_before_all_tables():
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


def test_a_metric_at_ten_is_no_person():
    assert "| ndcg@10 |" in markdown([everything()])


def test_an_empty_answer_leaves_no_stars():
    assert "****" not in markdown([comparison(sentence=" ")])
    assert markdown([]) == ""
