"""Examples: what flipped, with both answers; walked by keyboard, searched, sliced and linked."""

from __future__ import annotations

import pytest

from plugins.report.browser.made import made_content

pytestmark = pytest.mark.browser


def view(page):
    return page.locator('[data-view="examples"]')


def shown(page):
    """The id of the example that is shown."""
    return view(page).locator("article .id").inner_text()


def listed(page):
    return view(page).locator("nav li").count()


def flips(task, baseline, candidate):
    """Ids of the examples of a task that flip, by hand: those gained, and those lost."""
    (found,) = (each for each in made_content().examples if each.board == task)
    answers = {each.model: each.quality for each in found.models}
    pairs = list(zip(found.ids, answers[baseline], answers[candidate], strict=True))
    return (
        [name for name, before, after in pairs if after > before],
        [name for name, before, after in pairs if after < before],
    )


def test_flips_in_one_direction_are_those_and_no_others(open_page):
    gained, lost = flips("contract-nli", "minilm", "tuned")
    page = open_page("#examples?task=contract-nli&baseline=minilm&candidate=tuned&show=gained")
    view(page).locator("article").wait_for()
    assert view(page).locator(".count").inner_text().startswith(f"{len(gained)} examples")
    assert listed(page) == min(10, len(gained)) > 0
    assert shown(page) == gained[0]
    view(page).get_by_label(f"right → wrong ({len(lost)})").check(force=True)
    assert shown(page) == lost[0]
    assert page.url.endswith("show=lost")


def test_both_answers_stand_beside_each_other_with_texts_and_gold(open_page):
    page = open_page("#examples?task=contract-nli&baseline=minilm&candidate=tuned&show=gained")
    article = view(page).locator("article")
    article.wait_for()
    words = article.inner_text()
    assert "The party shall keep item" in words
    assert "wrong" in article.get_by_role("region", name="baseline: minilm").inner_text()
    assert "right" in article.get_by_role("region", name="candidate: tuned").inner_text()
    assert "gold" in words


def test_documents_of_both_models_are_listed_and_relevant_ones_marked(open_page):
    page = open_page("#examples?task=aila&baseline=minilm&candidate=tuned&id=aila-3")
    lists = view(page).locator("article .documents")
    lists.first.wait_for()
    assert lists.count() == 2
    assert lists.first.locator("li").count() == 10
    marked = lists.locator("li", has_text="relevant").locator(".document-id").all_inner_texts()
    assert set(marked) <= {"doc-3", "doc-4"}
    absent = view(page).get_by_text("Relevant and not among the first 10")
    assert len(marked) + sum(len(each.split(",")) for each in absent.all_inner_texts()) == 4


def test_examples_are_walked_by_keyboard_and_announced(open_page):
    page = open_page("#examples?task=stsb")
    article = view(page).locator("article")
    article.focus()
    first = shown(page)
    page.keyboard.press("j")
    second = shown(page)
    assert second != first
    assert view(page).locator(".count").inner_text().endswith(f"showing 2, id {second}")
    assert page.evaluate("document.activeElement.tagName") == "ARTICLE"
    page.keyboard.press("ArrowRight")
    page.keyboard.press("k")
    assert shown(page) == second
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("ArrowLeft")
    assert shown(page) == first


def test_keys_that_are_typed_into_the_search_move_nothing(open_page):
    page = open_page("#examples?task=stsb")
    search = view(page).get_by_label("Search")
    search.press_sequentially("item 4")
    first = shown(page)
    search.press("ArrowLeft")
    search.press_sequentially("k")
    assert search.input_value() == "item k4"
    assert view(page).get_by_text("No example is left by these filters.").is_visible()
    search.fill("item 4")
    assert shown(page) == first


def test_a_deep_link_opens_its_example_even_where_filters_leave_it_out(open_page):
    page = open_page("#examples?task=penal&baseline=minilm&candidate=tuned&show=gained&id=penal-59")
    view(page).locator("article").wait_for()
    assert shown(page) == "penal-59"
    page.evaluate("location.hash = '#examples?task=stsb&id=stsb-7'")
    view(page).locator("article .id", has_text="stsb-7").wait_for()


def test_a_link_of_the_list_opens_an_example_and_keeps_the_focus(open_page):
    page = open_page("#examples?task=stsb")
    link = view(page).locator("nav a").nth(3)
    link.focus()
    page.keyboard.press("Enter")
    assert link.get_attribute("aria-current") == "true"
    assert page.evaluate("document.activeElement.getAttribute('aria-current')") == "true"
    assert f"id={shown(page)}" in page.url


def test_slices_leave_examples_of_a_cluster_of_a_class_and_of_a_length(open_page):
    page = open_page("#examples?task=contract-nli&show=all")
    view(page).get_by_label("Cluster").select_option("contract 2")
    assert view(page).locator(".count").inner_text().startswith("12 examples")
    view(page).get_by_label("Gold").select_option("neutral")
    assert view(page).locator("article dd").first.inner_text() == "neutral"
    view(page).get_by_label("Characters").select_option("long")
    assert int(view(page).locator("article dd").nth(2).inner_text()) >= 80


def test_the_page_says_how_many_examples_were_left_out(open_page):
    page = open_page("#examples?task=stsb")
    view(page).get_by_text("12 examples left out").wait_for()


def test_without_texts_the_page_says_so_and_still_shows_answers(open_page):
    page = open_page("#examples?task=contract-nli", texts=False)
    view(page).get_by_text("The report was written without texts.").wait_for()
    assert view(page).locator("article .reply").count() == 2
    assert "The party shall keep" not in page.content()


def test_the_page_says_which_model_has_no_answers_on_a_task_and_why(open_page):
    page = open_page("#examples?task=penal")
    view(page).get_by_text("lexical is not here: it was asked something else").wait_for()


def test_a_later_page_of_the_list_is_turned_to(open_page):
    page = open_page("#examples?task=stsb&show=all")
    view(page).get_by_role("button", name="Later").click()
    assert "11–20 of 60" in view(page).locator("nav .pager").inner_text()


def test_examples_that_are_damaged_are_said_to_be_and_the_rest_is_there(open_page, write_page, tmp_path):
    text = write_page().read_text(encoding="utf-8")
    begins = text.index(">", text.index('id="examples-stsb"')) + 1
    damaged = tmp_path / "damaged.html"
    damaged.write_text(text[:begins] + "AAAA" + text[begins + 4 :], encoding="utf-8")
    page = open_page()
    page.goto(damaged.as_uri() + "#examples?task=stsb")
    view(page).get_by_text("The examples of this file could not be read: it is damaged").wait_for()
    assert page.locator('[data-view="leaderboard"] table').count() > 0
