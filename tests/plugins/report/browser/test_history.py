"""What is chosen is one state: Back and Forward restore it; what a link names and is not there is said."""

from __future__ import annotations

from dataclasses import replace

import pytest

from plugins.report.browser.made import made_content

pytestmark = pytest.mark.browser


def view(page, name):
    return page.locator(f'[data-view="{name}"]')


def pick(page, name, label, value):
    view(page, name).get_by_label(label, exact=True).select_option(value)


def picked(page, name, label):
    return view(page, name).get_by_label(label, exact=True).input_value()


@pytest.fixture(scope="module")
def apart():
    """A content whose boards have ids that are no task's; stsb has two, aila is there without examples."""
    made = made_content()
    ids = {board.id: f"{board.id}-files" for board in made.boards}
    moved = [replace(board, id=ids[board.id]) for board in made.boards]
    again = replace(moved[0], id="stsb-limit60", origin="files, limit 60")
    examples = [replace(each, board=ids[each.board]) for each in made.examples if each.board != "aila"]
    return replace(
        made,
        boards=(*moved, again),
        examples=(*examples, replace(examples[0], board=again.id)),
        distributions=tuple(replace(each, board=ids[each.board]) for each in made.distributions),
    )


def absent(page, name="examples"):
    found = view(page, name).locator(".absent")
    found.first.wait_for()
    return found.first.inner_text()


def test_a_link_may_name_the_task_where_one_board_has_it(open_page, apart):
    page = open_page("#examples?task=penal&baseline=minilm&candidate=tuned&id=penal-17", content=apart)
    view(page, "examples").locator("article .id", has_text="penal-17").wait_for()
    assert picked(page, "examples", "Task") == "penal-files"


UNKNOWN = {
    "task=penal&id=NOPE": "Example NOPE of penal is not in this page: it has the 60 on which",
    "task=nope&id=17": "Task nope is not in this page.",
    "task=aila": "aila has no examples in this page.",
    "task=stsb": "stsb is in this page 2 times: choose of",
    "task=penal&candidate=lexical": "lexical has no answers on penal in this page: it was asked",
    "task=penal&candidate=nope": "Model nope is not in this page.",
    "task=penal&baseline=tuned&candidate=tuned": "tuned is both baseline and candidate",
}


def test_what_a_link_names_and_is_not_there_is_said_and_no_other_example_is_shown(open_page, apart):
    page = open_page(content=apart)
    for fragment, said in UNKNOWN.items():
        page.evaluate(f"location.hash = '#examples?{fragment}'")
        view(page, "examples").locator(".absent", has_text=said).wait_for()
        assert view(page, "examples").locator("article").count() == 0, fragment


def test_distributions_of_an_unknown_task_are_said_to_be_absent(open_page, apart):
    page = open_page("#distributions?task=nope", content=apart)
    assert absent(page, "distributions") == "Task nope is not in this page."
    assert view(page, "distributions").locator("figure").count() == 0


def test_each_choice_is_one_entry_of_the_history_and_back_and_forward_restore_it(open_page):
    page = open_page()
    before = page.evaluate("history.length")
    pick(page, "comparison", "Candidate", "tuned")
    pick(page, "examples", "Task", "penal")
    pick(page, "trade-off", "Against", "dimensions")
    assert page.evaluate("history.length") == before + 3
    page.go_back()
    page.wait_for_url("**#examples?task=penal*")
    view(page, "trade-off").locator("svg").get_by_text("texts per second (log scale)").wait_for()
    assert picked(page, "examples", "Task") == "penal"
    page.go_back()
    page.wait_for_url("**#comparison?*")
    assert picked(page, "examples", "Task") == "stsb"
    assert picked(page, "comparison", "Candidate") == "tuned"
    page.go_back()
    page.wait_for_function("!location.hash")
    assert picked(page, "comparison", "Candidate") == "lexical"
    page.go_forward()
    page.go_forward()
    page.wait_for_url("**#examples?task=penal*")
    assert picked(page, "examples", "Task") == "penal"


def test_typing_adds_nothing_to_the_history_and_a_walk_one_entry(open_page):
    page = open_page("#examples?task=stsb")
    article = view(page, "examples").locator("article")
    article.wait_for()
    first = article.locator(".id").inner_text()
    before = page.evaluate("history.length")
    view(page, "examples").get_by_label("Search").press_sequentially("item")
    assert "q=item" in page.url
    assert page.evaluate("history.length") == before
    article.focus()
    for _ in range(3):
        page.keyboard.press("j")
    assert page.evaluate("history.length") == before + 1
    page.go_back()
    page.wait_for_function("!location.hash.includes('id=')")
    assert article.locator(".id").inner_text() == first


def test_a_link_of_the_page_is_an_entry_that_back_leaves(open_page):
    page = open_page("#examples?task=stsb")
    view(page, "examples").locator("nav a").nth(2).click()
    page.wait_for_url("**id=*")
    page.go_back()
    page.wait_for_function("!location.hash.includes('id=')")
    assert view(page, "examples").locator("nav a").first.get_attribute("aria-current") == "true"


def test_a_pair_that_is_chosen_anywhere_is_that_of_the_page(open_page):
    page = open_page()
    pick(page, "comparison", "Baseline", "lexical")
    pick(page, "comparison", "Candidate", "tuned")
    assert (picked(page, "examples", "Baseline"), picked(page, "examples", "Candidate")) == (
        "lexical",
        "tuned",
    )
    view(page, "distributions").get_by_text("Of lexical, tuned, with the same scales").wait_for()
    pick(page, "examples", "Candidate", "minilm")
    assert picked(page, "comparison", "Candidate") == "minilm"
    page.reload()
    assert picked(page, "comparison", "Baseline") == "lexical"


def test_the_heading_of_the_trade_off_follows_its_axis(open_page):
    page = open_page()
    heading = page.locator("#trade-off-title")
    assert heading.inner_text() == "Quality against speed"
    pick(page, "trade-off", "Against", "dimensions")
    assert heading.inner_text() == "Quality against dimensions"


def test_names_of_models_at_one_place_of_the_trade_off_do_not_lie_over_each_other(open_page):
    made = made_content()
    same = tuple(
        replace(each, quality=made.trade_off[0].quality, texts_per_second=(90.0, 100.0, 110.0))
        for each in made.trade_off
    )
    page = open_page(content=replace(made, trade_off=same))
    for width in (1280, 360):
        page.set_viewport_size({"width": width, "height": 900})
        texts = view(page, "trade-off").locator("svg .mark-text").last.locator("text")
        texts.nth(2).wait_for()
        boxes = [each.bounding_box() for each in texts.all()]
        assert len(boxes) == 3
        for at, one in enumerate(boxes):
            for other in boxes[at + 1 :]:
                beside = one["x"] + one["width"] <= other["x"] or other["x"] + other["width"] <= one["x"]
                below = (
                    one["y"] + one["height"] <= other["y"] + 3 or other["y"] + other["height"] <= one["y"] + 3
                )
                assert beside or below


def ends(page, number):
    """Labels of both axes of a figure of distributions."""
    plot = view(page, "distributions").locator(".plot").nth(number)
    plot.locator("svg .role-axis-label text").first.wait_for()
    return plot.locator("svg .role-axis-label text").all_inner_texts()


def test_figures_of_two_models_have_the_same_scales_and_the_colors_of_the_trade_off(open_page):
    page = open_page("#distributions?task=stsb&models=minilm%0Atuned")
    assert ends(page, 0) == ends(page, 1)
    plots = view(page, "distributions").locator(".plot")
    for number, color in ((0, "var(--series-1)"), (1, "var(--series-3)")):
        assert plots.nth(number).locator(f'.mark-symbol path[fill="{color}"]').count() > 2
    drawn = view(page, "trade-off").locator("svg")
    for color in ("var(--series-1)", "var(--series-3)"):
        assert drawn.locator(f'.mark-symbol path[fill="{color}"]').count() == 1


def test_the_baseline_is_left_of_the_candidate_in_each_row(open_page):
    page = open_page("#distributions?task=aila&models=minilm%0Atuned")
    titles = view(page, "distributions").locator("figcaption")
    titles.nth(3).wait_for()
    words = titles.all_inner_texts()
    assert [each.split(" on ")[0] for each in words] == ["minilm", "tuned"] * 2
    boxes = [titles.nth(at).bounding_box() for at in range(4)]
    assert boxes[0]["y"] == boxes[1]["y"] < boxes[2]["y"] == boxes[3]["y"]
    assert all(" on aila: " in each for each in words)


def test_a_long_text_is_opened_by_keyboard_and_never_scrolls_within_the_page(open_page):
    made = made_content()
    long = "word " * 600
    first = replace(made.examples[0], texts={"premise": (long,) * 60})
    page = open_page("#examples?task=stsb", content=replace(made, examples=(first, *made.examples[1:])))
    reading = view(page, "examples").get_by_role("region", name="premise")
    button = reading.get_by_role("button", name="Show all 3,000 characters")
    button.wait_for()
    text = reading.locator("p")
    assert text.inner_text().endswith("word…")
    button.press("Enter")
    assert text.inner_text().count("word") == 600
    assert text.evaluate("each => each.scrollHeight <= each.clientHeight + 1")


def test_ranks_are_said_in_words_and_numbers_have_names(open_page):
    made = made_content()
    first = made.examples[0]
    ranks = tuple(float(at + 1) for at in range(60))
    moved = [
        replace(model, ranks=ranks[::-1], quality=(-0.5,) * 60)
        if model.model == "minilm"
        else replace(model, ranks=ranks, quality=(0.0,) * 60)
        for model in first.models
    ]
    first = replace(first, gold_ranks=ranks, answer_of="similarity", models=tuple(moved))
    page = open_page(
        "#examples?task=stsb&baseline=minilm&candidate=tuned&id=stsb-9",
        content=replace(made, examples=(first, *made.examples[1:])),
    )
    article = view(page, "examples").locator("article")
    article.wait_for()
    words = article.inner_text()
    assert "rank 10 of 72" in words
    before = article.get_by_role("region", name="baseline: minilm").inner_text()
    assert "rank 51 of 72, 41 ranks from gold’s" in before
    assert "similarity" in before
    after = article.get_by_role("region", name="candidate: tuned").inner_text()
    assert "rank 10 of 72, the same as gold’s" in after
    assert "36 ranks nearer" in after


def test_paper_has_examples_and_distributions_of_every_task_with_its_name(open_page):
    page = open_page("#examples?task=penal")
    view(page, "examples").locator("article").wait_for()
    page.emulate_media(media="print")
    for name in ("examples", "distributions"):
        assert view(page, name).is_hidden()
        static = page.locator(f"#{name} > .static")
        assert static.is_visible()
        headings = " ".join(static.locator("h3").all_inner_texts())
        # The pair that is written has no answers on the fourth task.
        assert all(task in headings for task in ("stsb", "contract-nli", "aila"))
