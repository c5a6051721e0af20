"""A stranger's names and texts run nothing, load nothing, and stay text."""

from __future__ import annotations

import json

import pytest

from plugins.report.browser.made import TASKS, made_content, renamed

pytestmark = pytest.mark.browser

HOSTILE = [
    "<script>document.title = 'ran'</script>",
    "</script><script>document.title = 'ran'</script>",
    "<img src=x onerror=\"document.title = 'ran'\">",
    "\"'`><svg onload=document.title='ran'>",
    "javascript:document.title='ran'",
    "{{ 7 * 7 }}${document.title='ran'}<!--",
    "\u202eright-to-left \u2067\u05d0\u05d1\u05d2",
    "</title></style></textarea><iframe src=https://example.org>",
    "=cmd|'/c calc'!A1",
    "\u2028\u2029\\u003cscript\\u003e",
]


@pytest.fixture(scope="module")
def hostile_content():
    content = made_content(
        models=("<b>base</b> " + HOSTILE[0], HOSTILE[1], HOSTILE[4]), examples=len(HOSTILE)
    )
    for at, text in enumerate(HOSTILE):
        content = renamed(content, f"The party shall keep item {at} ", f"{text} ")
        content = renamed(content, f"Item {at} may", f"{text} may")
        content = renamed(content, f"Statute {at}: whoever takes", f"{text}{text}")
    content = renamed(content, "entailment", HOSTILE[2])
    content = renamed(content, "contract 2", HOSTILE[3])
    content = renamed(content, "paired permutation", HOSTILE[7])
    content = renamed(content, "macro_f1", HOSTILE[5])
    content = renamed(content, "retrieval", HOSTILE[8])
    return renamed(content, "anchor 1", "long " * 2_000)


def assert_inert(page):
    assert "ran" not in page.title().split()
    assert page.evaluate("document.querySelectorAll('iframe, img, object, embed, base, form').length") == 0
    assert page.evaluate("document.querySelectorAll('script').length") == len(TASKS) + 4
    addresses = page.evaluate(
        "[...document.querySelectorAll('[href], [src]')].map(e => e.getAttribute('href') ?? e.src)"
    )
    assert [each for each in addresses if not each.startswith("#")] == []


@pytest.mark.parametrize("task", ["stsb", "contract-nli", "aila", "penal"])
def test_hostile_names_and_texts_are_inert_wherever_they_are_shown(open_page, hostile_content, task):
    page = open_page(f"#examples?task={task}&show=all", content=hostile_content)
    article = page.locator('[data-view="examples"] article')
    article.wait_for()
    for button in page.locator(".view .more").all():
        button.click()
    page.locator('[data-view="distributions"]').get_by_label("Task", exact=True).select_option(task)
    article.focus()
    for _ in range(len(HOSTILE)):
        page.keyboard.press("j")
    assert_inert(page)


def test_hostile_texts_are_shown_as_they_are(open_page, hostile_content):
    page = open_page("#examples?task=stsb&show=all&id=stsb-1", content=hostile_content)
    page.locator('[data-view="examples"] article').wait_for()
    assert page.locator("article .reading p").first.inner_text().startswith(HOSTILE[1])


def test_a_long_text_widens_nothing_on_a_phone(open_page, hostile_content):
    page = open_page("#examples?task=penal&show=all&id=penal-1", content=hostile_content, width=360)
    page.locator('[data-view="examples"] article').wait_for()
    assert page.evaluate("document.documentElement.scrollWidth") <= 360


def test_hostile_state_in_the_address_is_said_or_ignored(open_page):
    page = open_page("#examples?task=nope&baseline=<script>&id=__proto__&show=constructor&length=x")
    for fragment in ("#__proto__?a=1", "#?&&=", "#%", "#leaderboard?sort=-toString&show=__proto__"):
        page.evaluate("fragment => { location.hash = fragment; }", fragment)
        page.locator('[data-view="examples"] .absent', has_text="Task nope is not in this page.").wait_for()
    page.evaluate("location.hash = '#examples?task=stsb&id=__proto__&show=constructor&length=x'")
    page.locator('[data-view="examples"] .absent', has_text="Model <script> is not in this page.").wait_for()
    page.evaluate("location.hash = '#examples?task=stsb&baseline=minilm&show=constructor&length=x'")
    page.locator('[data-view="examples"] article').wait_for()


def test_copied_cells_begin_no_formula(open_page, hostile_content):
    page = open_page("#leaderboard?show=scores", content=hostile_content)
    page.locator('[data-view="leaderboard"]').get_by_role("button", name="CSV", exact=True).click()
    page.locator('[data-view="leaderboard"] .said', has_text="Copied").wait_for()
    copied = page.evaluate("navigator.clipboard.readText()")
    assert not [line for line in copied.splitlines() if line.startswith(("=", "+", "@"))]


def test_the_policy_stops_a_script_that_escaping_let_through(open_page, write_page, tmp_path):
    text = write_page().read_text(encoding="utf-8")
    through = tmp_path / "through.html"
    through.write_text(
        text.replace("</h1>", "</h1><script>document.title = 'ran'</script>", 1), encoding="utf-8"
    )
    page = open_page()
    said = []
    other = page.context.browser.new_page()
    other.on("console", lambda message: said.append(message.text))
    other.goto(through.as_uri())
    assert other.title() != "ran"
    assert any("Content Security Policy" in each for each in said)
    other.close()


def test_data_in_the_page_ends_no_element(write_page, hostile_content):
    text = write_page(hostile_content).read_text(encoding="utf-8")
    data = text.partition('id="content">')[2].partition("</script>")[0]
    assert json.loads(data)["models"][1]["name"] == HOSTILE[1]
    assert "<" not in data
