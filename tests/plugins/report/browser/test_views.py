"""The views of the page: sorted, filtered, picked and copied; what is chosen is in the address."""

from __future__ import annotations

import pytest

pytestmark = pytest.mark.browser


def view(page, name):
    return page.locator(f'[data-view="{name}"]')


def pick(page, name, label, value):
    view(page, name).get_by_label(label, exact=True).select_option(value)


def column(page, table, number):
    return page.locator(
        f"#{table} tbody tr:not(.group):not(.details) > :nth-child({number})"
    ).all_inner_texts()


def test_views_take_the_place_of_what_is_there_without_javascript(open_page):
    page = open_page()
    for name in ("leaderboard", "comparison", "examples", "trade-off", "distributions"):
        assert view(page, name).is_visible()
        assert page.locator(f"#{name} > .static").is_hidden()


def test_a_heading_sorts_the_leaderboard_both_ways_and_says_so(open_page):
    page = open_page()
    heading = page.locator("#leaderboard-models th", has_text="contract-nli")
    heading.get_by_role("button").click()
    assert heading.get_attribute("aria-sort") == "descending"
    assert column(page, "leaderboard-models", 1) == ["tuned", "minilm", "lexical"]
    heading.get_by_role("button").press("Enter")
    assert heading.get_attribute("aria-sort") == "ascending"
    assert column(page, "leaderboard-models", 1) == ["lexical", "minilm", "tuned"]
    assert page.url.endswith("#leaderboard?sort=board.contract-nli")


def test_a_model_without_a_score_stays_last_either_way(open_page):
    page = open_page("#leaderboard?sort=board.penal")
    assert column(page, "leaderboard-models", 1)[-1] == "lexical"
    page.locator("#leaderboard-models th", has_text="penal").get_by_role("button").click()
    assert column(page, "leaderboard-models", 1)[-1] == "lexical"


def test_the_leaderboard_is_filtered_by_task_tag_metric_and_model(open_page):
    page = open_page("#leaderboard?show=scores")
    assert view(page, "leaderboard").locator(".count").inner_text() == "11 scores"
    pick(page, "leaderboard", "Tag", "retrieval")
    assert set(column(page, "leaderboard-scores", 1)) == {"aila"}
    pick(page, "leaderboard", "Tag", "")
    pick(page, "leaderboard", "Task", "stsb")
    pick(page, "leaderboard", "Metric", "second")
    assert set(column(page, "leaderboard-scores", 3)) == {"second"}
    view(page, "leaderboard").get_by_label("Models", exact=True).fill("tun, lex")
    assert column(page, "leaderboard-scores", 2) == ["tuned", "lexical"]
    assert page.url.endswith("#leaderboard?show=scores&task=stsb&metric=second&model=tun%2C+lex")


def test_a_link_restores_filters_and_order(open_page):
    page = open_page("#leaderboard?show=scores&tag=legal&model=minilm&sort=score")
    assert column(page, "leaderboard-scores", 1) == ["penal", "contract-nli", "aila"]
    assert page.get_by_label("Tag", exact=True).input_value() == "legal"


def test_provenance_of_a_score_is_shown_on_demand(open_page):
    page = open_page("#leaderboard?show=scores&task=aila")
    button = page.get_by_role("button", name="Details of tuned on aila")
    button.focus()
    page.keyboard.press("Enter")
    assert button.get_attribute("aria-expanded") == "true"
    assert "d" * 64 in page.locator("#leaderboard-scores .details").inner_text()


@pytest.mark.parametrize(
    ("form", "start", "holds"),
    [
        ("CSV", "model,mean,low,high,rank,leads,average rank,stsb,", "\ntuned,0.78,0.76,0.8,1,0.97,1,"),
        (
            "Markdown",
            "| model | mean | rank |",
            "\n| tuned | 0.7800 \\[0.760, 0.800\\] | 1 (97 %) | 1.00 | **0.",
        ),
        (
            "LaTeX",
            "\\begin{tabular}{lr",
            " 0.7800 [0.760, 0.800] & 1 (97 \\%) & 1.00 & ",
        ),
    ],
)
def test_the_table_is_copied(open_page, form, start, holds):
    page = open_page()
    view(page, "leaderboard").get_by_role("button", name=form, exact=True).click()
    view(page, "leaderboard").get_by_text(f"Copied 3 rows as {form}.").wait_for()
    copied = page.evaluate("navigator.clipboard.readText()")
    assert copied.startswith(start)
    assert holds in copied
    assert ("share a letter" in copied) == (form != "CSV")
    assert copied.count({"CSV": "*", "Markdown": " **0.", "LaTeX": "\\textbf{0."}[form]) == 4 * (
        form != "CSV"
    )


def test_where_there_is_no_clipboard_the_table_is_a_selected_text(open_page):
    page = open_page()
    page.evaluate("() => { navigator.clipboard.writeText = () => Promise.reject(new Error('no')); }")
    view(page, "leaderboard").get_by_role("button", name="CSV", exact=True).click()
    area = view(page, "leaderboard").get_by_label("The table as text")
    area.wait_for()
    assert page.evaluate("document.activeElement.tagName") == "TEXTAREA"
    assert page.evaluate("getSelection().toString()") == area.input_value()


def test_a_pair_is_picked_and_its_gains_are_shown(open_page):
    page = open_page()
    pick(page, "comparison", "Candidate", "tuned")
    assert page.locator(".verdict-sentence").inner_text().endswith("tuned against minilm: better.")
    pick(page, "comparison", "Baseline", "tuned")
    assert page.locator(".verdict-sentence").inner_text().endswith("minilm against tuned: worse.")
    assert page.url.endswith("#comparison?baseline=tuned&candidate=minilm")
    assert [each for each in column(page, "gains", 5) if each[0] != "−"] == []


def test_gains_are_grouped_by_the_domain_and_p_is_shown_on_demand(open_page):
    page = open_page("#comparison?baseline=minilm&candidate=tuned")
    assert page.locator("#gains .group").all_inner_texts() == ["In domain: legal", "Outside the domain"]
    page.get_by_role("button", name="Details of spearman on stsb").press("Enter")
    assert "0.0012" in page.locator("#gains .details").inner_text()
    assert "−0.0040" in page.locator("#forgetting").inner_text()


def test_the_trade_off_is_drawn_against_what_is_chosen(open_page):
    page = open_page()
    drawn = view(page, "trade-off").locator("svg")
    drawn.get_by_text("texts per second (log scale)").wait_for()
    pick(page, "trade-off", "Against", "dimensions")
    drawn.get_by_text("dimensions (log scale)").wait_for()
    assert view(page, "trade-off").get_by_role("status").inner_text() == "On the Pareto front: tuned."
    pick(page, "trade-off", "Against", "parameters")
    view(page, "trade-off").get_by_text("Not in the figure, without parameters: lexical.").wait_for()


@pytest.mark.parametrize(("task", "figures"), [("stsb", 4), ("contract-nli", 4), ("aila", 4), ("penal", 4)])
def test_every_distribution_is_drawn(open_page, task, figures):
    page = open_page(f"#distributions?task={task}&models=minilm%0Atuned")
    view(page, "distributions").locator("svg .mark-group").nth(figures - 1).wait_for(state="attached")
    plots = view(page, "distributions").locator(".plot").all()
    assert len(plots) == figures
    assert view(page, "distributions").get_by_text("could not draw").count() == 0
    assert all(each.locator("svg path").count() > 2 for each in plots)


def test_models_of_distributions_are_picked(open_page):
    page = open_page()
    models = view(page, "distributions").get_by_role("group", name="Models")
    models.get_by_label("lexical").uncheck(force=True)
    models.get_by_label("tuned").check(force=True)
    assert (
        view(page, "distributions").get_by_role("status").inner_text()
        == "Of minilm, tuned, with the same scales"
    )


def test_the_theme_is_switched_and_kept_in_the_address(open_page):
    page = open_page("#leaderboard?sort=mean")
    ground = "getComputedStyle(document.documentElement).backgroundColor"
    light = page.evaluate(ground)
    view(page, "controls").get_by_label("dark").check(force=True)
    assert page.evaluate(ground) != light
    assert page.url.endswith("#leaderboard?sort=mean&theme=dark")
    page.get_by_role("link", name="Examples", exact=True).click()
    page.wait_for_url("**#examples?theme=dark")


def test_a_theme_of_the_address_is_there_before_anything_is_painted(open_page):
    page = open_page()
    head = page.evaluate("document.head.querySelector('script').textContent")
    assert "theme" in head
    page.goto(page.url.partition("#")[0] + "#leaderboard?theme=dark")
    page.reload()
    assert page.evaluate("document.documentElement.dataset.theme") == "dark"
