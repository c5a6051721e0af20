"""The page in a real browser: opened from disk, with the network blocked and every message noted."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest

from plugins.report.browser.made import made_content
from plugins.report.browser.needs import missing

if TYPE_CHECKING:
    from pathlib import Path

ARGUMENTS = ["--no-sandbox", "--disable-quic", "--disable-background-networking"]


@pytest.fixture(scope="package")
def chromium():
    """A browser for the tests of this folder; a page of it costs little.

    While it is open, Playwright keeps an event loop running in this thread, and tests elsewhere start one.
    """
    program = shutil.which("chromium") or shutil.which("google-chrome")
    if program is None:
        missing("needs Chromium, such as Debian's package chromium")
    api = pytest.importorskip("playwright.sync_api", reason="needs playwright, of the extra `dev`")
    with api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def write_page(tmp_path_factory):
    """A function that writes the page of a content, once for the same arguments of `made_content`."""
    from harness_report.page.write import page

    written: dict[str, Path] = {}
    held = []  # a content that were gone could leave its id to another

    def write(content=None, **changes) -> Path:
        held.append(content)
        key = repr(changes) if content is None else str(id(content))
        if key not in written:
            written[key] = tmp_path_factory.mktemp("report") / "report.html"
            made = made_content(**changes) if content is None else content
            written[key].write_text(page(made), encoding="utf-8")
        return written[key]

    return write


class Opened:
    """What a page asked for and said while a test used it."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.said: list[str] = []


@pytest.fixture
def open_page(chromium, write_page):
    """A function that opens a page; afterwards, none may have asked for a network or said anything."""
    contexts, noted = [], Opened()

    def open_it(fragment="", *, content=None, javascript=True, width=1280, scheme="light", **changes):
        context = chromium.new_context(
            java_script_enabled=javascript,
            viewport={"width": width, "height": 900},
            color_scheme=scheme,
            permissions=["clipboard-read", "clipboard-write"],
        )
        contexts.append(context)
        context.route(lambda url: not url.startswith("file:"), lambda route: _refuse(route, noted))
        made = context.new_page()
        made.set_default_timeout(10_000)
        made.on("console", lambda message: noted.said.append(message.text))
        made.on("pageerror", lambda error: noted.said.append(str(error)))
        made.on("dialog", lambda dialog: (noted.said.append(dialog.message), dialog.dismiss()))
        made.goto(write_page(content, **changes).as_uri() + fragment)
        return made

    yield open_it
    for context in contexts:
        context.close()
    assert noted.asked == []
    assert noted.said == []


def _refuse(route, noted) -> None:
    noted.asked.append(route.request.url)
    route.abort()
