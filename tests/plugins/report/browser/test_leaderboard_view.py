"""The leaderboard and the comparison: what stands in their cells, and what is said where nothing is found."""

from __future__ import annotations

from dataclasses import replace

import pytest

from harness.finding import Severity
from plugins.report.browser.made import made_content, renamed

pytestmark = pytest.mark.browser

MODELS = "#leaderboard-models"


@pytest.fixture(scope="module")
def with_lone():
    """A content with a model that only has a task that was limited."""
    content = made_content()
    board = content.boards[0]
    limited = replace(
        board,
        id="stsb-limit9",
        limit=9,
        origin="files, limit 9",
        rows=(replace(board.rows[0], model="lone", letters=None, rank=None, best=None),),
    )
    return replace(
        content,
        boards=(*content.boards, limited),
        models=(*content.models, replace(content.models[0], name="lone")),
    )


def row(page, model):
    return page.locator(f"{MODELS} tbody tr", has=page.locator("th", has_text=model))


def test_a_cell_has_score_bar_and_interval_and_its_heading_the_metric(open_page):
    page = open_page()
    assert "spearman" in page.locator(f"{MODELS} th", has_text="stsb").inner_text()
    for cell in page.locator(f'{MODELS} td[data-column^="board."]:not(:has(.why))').all():
        assert cell.locator("svg.bar circle").count() == 1
        assert cell.locator(".interval").inner_text().startswith("[0.")


def test_a_rank_is_shown_with_the_chance_to_lead(open_page):
    page = open_page()
    assert row(page, "tuned").locator('[data-column="rank"]').inner_text() == "1 (97 %)"
    assert "(chance to lead)" in page.locator(f"{MODELS} th", has_text="rank").first.inner_text()


def test_a_filter_makes_no_other_score_the_best(open_page):
    page = open_page("#leaderboard?model=lexical")
    assert page.locator(f"{MODELS} tbody th").all_inner_texts() == ["lexical"]
    assert page.locator(f"{MODELS} .highest").count() == 0
    page.get_by_role("searchbox", name="Models").fill("lexical,tuned")
    assert page.locator(f"{MODELS} tbody th").all_inner_texts() == ["tuned", "lexical"]
    assert row(page, "tuned").locator(".highest").count() > 0


def test_a_model_that_is_not_comparable_has_a_row_and_a_reason(open_page, with_lone):
    page = open_page(content=with_lone)
    assert row(page, "lone").locator(".score").count() == 1
    assert row(page, "tuned").get_by_text("not comparable").count() == 1
    said = "lone: only stsb (files, limit 9), which is not comparable with all examples"
    assert page.locator("#leaderboard").get_by_text(said).is_visible()


@pytest.mark.parametrize(
    ("task", "column"),
    [("stsb-limit9", "stsb (files, limit 9)"), ("aila", "aila"), ("penal", "penal")],
)
def test_a_task_of_the_address_is_shown_alone(open_page, with_lone, task, column):
    page = open_page(f"#leaderboard?task={task}", content=with_lone)
    shown = page.locator(f"{MODELS} thead th button").all_inner_texts()
    # Means and ranks are of all tasks: beside one they would pass for its own.
    assert [each.rstrip("↕").strip() for each in shown] == ["model", column]
    assert page.locator("#leaderboard").get_by_label("Task", exact=True).input_value() == task
    assert page.locator("#leaderboard .unknown").count() == 0


def test_what_is_not_in_the_page_is_said(open_page):
    page = open_page("#leaderboard?task=nope")
    assert page.locator("#leaderboard .unknown").inner_text().startswith("There is no task “nope”")
    assert page.locator(f"{MODELS} tbody tr").count() == 3
    page.get_by_role("searchbox", name="Models").fill("zzz")
    page.get_by_text("No model matches “zzz”.").wait_for()
    assert page.locator(f"{MODELS}, #leaderboard .view .copy").count() == 0


def test_one_row_is_copied_as_one(open_page):
    page = open_page("#leaderboard?model=tuned")
    page.locator("#leaderboard").get_by_role("button", name="CSV", exact=True).click()
    page.get_by_text("Copied 1 row as CSV.").wait_for()


def test_sentences_have_minus_signs_and_options_that_do_not_break(open_page):
    content = renamed(made_content(), "The interval of penal is wide.", "gain -0.5; see --margin")
    page = open_page("#comparison", content=content)
    remark = page.locator("#comparison .view .remarks li", has_text="−0.5; see --margin").first
    assert remark.locator(".nowrap").inner_text() == "--margin"
    assert page.locator("#comparison .command .nowrap").last.inner_text() == "--baseline"


def test_only_where_there_is_a_margin_a_line_is_called_one(open_page):
    content = made_content()
    page = open_page("#comparison", content=content)
    note = page.locator("#comparison .view .note", has_text="Gains")
    assert "the dashed one the margin" in note.inner_text()
    first = content.compared[0]
    comparisons = tuple(
        replace(one, lines=tuple(replace(line, margin=None, within_margin=None) for line in one.lines))
        for one in first.comparisons
    )
    bare = replace(content, compared=(replace(first, comparisons=comparisons),))
    page = open_page("#comparison", content=bare)
    assert "margin" not in page.locator("#comparison .view .note", has_text="Gains").inner_text()
    assert page.locator("#gains .margin").count() == 0


def test_a_sentence_of_the_answer_is_not_said_again(open_page):
    content = made_content()
    sentence = content.compared[0].comparisons[1].sentence
    answer = replace(content.answer, sentences=(sentence,))
    page = open_page("#comparison?baseline=minilm&candidate=tuned", content=replace(content, answer=answer))
    assert page.get_by_text(sentence).locator("visible=true").count() == 1
    assert page.locator(".verdict-sentence").inner_text().endswith("tuned against minilm, on 4 tasks")


def test_on_a_phone_rows_are_cards_and_nothing_is_cut(open_page):
    page = open_page("#comparison?baseline=minilm&candidate=tuned", width=360)
    for table in ("leaderboard-models", "gains", "forgetting"):
        ends = page.locator(f"#{table} tbody :is(th, td)").evaluate_all(
            "cells => cells.map(each => each.getBoundingClientRect().right)"
        )
        assert max(ends) <= 360
    titles = page.locator("#gains tbody tr:not(.group) td").evaluate_all(
        "cells => cells.map(each => getComputedStyle(each, '::before').content)"
    )
    assert '"verdict"' in titles
    sort = page.locator("#leaderboard").get_by_label("Sort by")
    sort.select_option("mean")
    assert page.locator(f"{MODELS} tbody th").first.inner_text() == "lexical"


@pytest.mark.parametrize("javascript", [True, False])
def test_on_paper_no_column_is_cut(open_page, javascript):
    tasks = {f"a-long-name-{at}": ("sts", "spearman", ()) for at in range(20)}
    page = open_page(tasks=tasks, javascript=javascript, width=718)
    page.emulate_media(media="print")
    table = page.locator(MODELS if javascript else "#leaderboard-table")
    ends = table.locator("td").evaluate_all("cells => cells.map(each => each.getBoundingClientRect().right)")
    assert max(ends) <= 718


@pytest.mark.parametrize("javascript", [True, False])
def test_on_paper_what_is_folded_is_open_and_there_are_no_controls(open_page, javascript):
    content = made_content()
    one = replace(content.answer.doubts[0], minor=True, severity=Severity.NOTE)
    doubts = tuple(replace(one, sentence=f"doubt {at}.") for at in range(9))
    made = replace(content, answer=replace(content.answer, doubts=doubts))
    page = open_page(content=made, javascript=javascript)
    hidden = page.get_by_text("doubt 8.")
    assert not hidden.is_visible()
    page.emulate_media(media="print")
    assert hidden.bounding_box()["height"] > 5
    for each in ("summary:text('more')", ".toolbar", ".copy", ".sort-choice", ".opens"):
        assert page.locator(f"{each} >> visible=true").count() == 0
