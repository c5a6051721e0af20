"""What every reader gets: assistive technology, phones, printers, and browsers without JavaScript."""

from __future__ import annotations

import shutil
import subprocess

import pytest

from plugins.report.browser.needs import missing, package

pytestmark = pytest.mark.browser

SECTIONS = ("answer", "leaderboard", "comparison", "examples", "trade-off", "distributions", "environment")


@pytest.fixture(scope="module")
def axe():
    return (package("axe-core") / "axe.min.js").read_text(encoding="utf-8")


def violations(page, axe):
    page.evaluate(f"() => {{ {axe} }}")
    found = page.evaluate("axe.run(document, {resultTypes: ['violations']})")["violations"]
    return [(each["id"], [node["html"][:200] for node in each["nodes"]][:3]) for each in found]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 360])
def test_axe_finds_nothing(open_page, axe, scheme, width):
    page = open_page("#examples?task=aila", scheme=scheme, width=width)
    page.locator('[data-view="examples"] article').wait_for()
    page.locator('[data-view="distributions"] svg').first.wait_for()
    assert violations(page, axe) == []


def test_axe_finds_nothing_in_what_is_opened(open_page, axe):
    page = open_page("#leaderboard?show=scores&theme=dark", scheme="light")
    for button in page.locator(".view .more").all():
        button.click()
    page.evaluate("document.querySelectorAll('details').forEach(each => { each.open = true; })")
    page.evaluate("() => { navigator.clipboard.writeText = () => Promise.reject(new Error('no')); }")
    page.locator('[data-view="leaderboard"]').get_by_role("button", name="CSV", exact=True).click()
    page.get_by_label("The table as text").wait_for()
    assert violations(page, axe) == []


def test_axe_finds_nothing_without_javascript(chromium, write_page, axe):
    """Only axe itself runs: the page's own script is taken out."""
    page = chromium.new_page()
    text = write_page().read_text(encoding="utf-8")
    head, _, _ = text.rpartition("<script>")
    page.set_content(head + "</body></html>")
    assert violations(page, axe) == []
    page.close()


@pytest.mark.parametrize("width", [360, 1280])
def test_nothing_is_wider_than_the_screen(open_page, width):
    page = open_page("#examples?task=contract-nli", width=width)
    page.locator('[data-view="examples"] article').wait_for()
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_every_control_is_reached_by_the_tab_key_and_none_traps_it(open_page):
    page = open_page()
    page.locator('[data-view="examples"] article').wait_for()
    reached = set()
    for _ in range(150):
        page.keyboard.press("Tab")
        where = page.evaluate("document.activeElement.closest('section[id], header')?.id || 'top'")
        reached.add(where)
        if where == "environment":
            break
    assert reached >= {"top", "leaderboard", "comparison", "examples", "trade-off", "distributions"}


def test_without_javascript_the_answer_the_tables_and_the_figures_are_there(open_page):
    page = open_page(javascript=False)
    for section in SECTIONS:
        assert page.locator(f"#{section}").is_visible()
    assert "tuned is better on 3 of 4 tasks." in page.locator("#answer").inner_text()
    assert "0.8" in page.locator("#leaderboard table").first.inner_text()
    for section in ("comparison", "trade-off", "distributions"):
        assert page.locator(f"#{section} svg").first.is_visible()
    assert page.locator(".view:visible").count() == 0


def test_the_page_prints(open_page):
    page = open_page()
    page.locator('[data-view="distributions"] svg').first.wait_for()
    page.emulate_media(media="print")
    assert page.locator(".toolbar:visible").count() == 0
    assert page.locator("#gains").is_visible()
    printed = page.pdf(format="A4")
    assert printed.startswith(b"%PDF-")
    assert len(printed) > 20_000


def test_the_page_is_valid_html(write_page):
    """CSS apart: the checker does not know `light-dark()`; Biome checks it."""
    jar = package("vnu-jar") / "build" / "dist" / "vnu.jar"
    java = shutil.which("java")
    if java is None:
        missing("needs Java, for the HTML checker")
    done = subprocess.run(
        [
            java,
            "-Xss4m",
            "-jar",
            str(jar),
            "--stdout",
            "--format",
            "gnu",
            "--filterpattern",
            ".*CSS: .*",
            str(write_page()),
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout == ""
    assert done.returncode == 0
