"""How large a page is, and how fast it is in Chromium: `python -m benchmarks.report`."""

from __future__ import annotations

import gzip
import json
import shutil
import statistics
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser, Page

    from harness.authoring import ReportContent

PLUGIN = Path(__file__).parents[2] / "plugins" / "harness_report"
ARGUMENTS = ["--no-sandbox", "--disable-quic", "--disable-background-networking"]
_FIRST_PAINT = "performance.getEntriesByName('first-paint')[0]?.startTime ?? null"
_UNTIL_PAINTED = """async ([name, turn]) => {
    const view = document.querySelector(`[data-view="${name}"]`);
    const began = performance.now();
    ACTION;
    await new Promise(done => requestAnimationFrame(() => setTimeout(done)));
    return performance.now() - began;
}"""
"""Milliseconds from an action until what it changed is on the screen."""

_SELECT = (
    "const select = view.querySelectorAll('select')[{number}];"
    " select.selectedIndex = (turn + 1) % select.options.length;"
    " select.dispatchEvent(new Event('change', {{bubbles: true}}))"
)
_TYPE = (
    "const input = view.querySelector('input[type=search]'); input.value = {text};"
    " input.dispatchEvent(new Event('input', {{bubbles: true}}))"
)
_OPEN = "const links = view.querySelectorAll('nav a'); links[(turn + 3) % links.length].click()"
_KEY = "view.querySelector('article').dispatchEvent(new KeyboardEvent('keydown', {key: 'j', bubbles: true}))"
ACTIONS = {
    "sort the leaderboard": ("leaderboard", "view.querySelectorAll('.sort')[1 + turn % 3].click()"),
    "filter the leaderboard": ("leaderboard", _TYPE.format(text="'model-' + turn % 4")),
    "pick a candidate": ("comparison", _SELECT.format(number=1)),
    "open an example": ("examples", _OPEN),
    "go to the next example": ("examples", _KEY),
    "search examples": ("examples", _TYPE.format(text="String(turn % 10)")),
    "open another task's examples": ("examples", _SELECT.format(number=0)),
}
"""View and JavaScript of each interaction; `turn` makes each round do something."""


def without_data(content: ReportContent) -> ReportContent:
    """Return the content without what grows with models, tasks and examples."""
    return replace(
        content,
        models=(),
        boards=(),
        rankings=(),
        compared=(),
        trade_off=(),
        distributions=(),
        examples=(),
        trainings=(),
        runs=(),
    )


def sizes(text: str) -> dict[str, int]:
    """Return bytes of a page, plain and as `gzip -9` has them."""
    plain = text.encode()
    return {"bytes": len(plain), "gzipped": len(gzip.compress(plain, 9, mtime=0))}


def bundle_sizes() -> dict[str, Any]:
    """Return bytes of the page's script, whole and by library; needs `npm ci` in the frontend's folder."""
    plain = (PLUGIN / "static" / "report.js").read_bytes()
    words = ["node", "build.mjs", "--sizes"]
    found = subprocess.run(words, cwd=PLUGIN / "frontend", check=True, capture_output=True)
    return {
        "bytes": len(plain),
        "gzipped": len(gzip.compress(plain, 9, mtime=0)),
        "libraries": json.loads(found.stdout),
    }


def in_chromium(file: Path, rounds: int) -> dict[str, Any]:
    """Return medians of milliseconds in headless Chromium: of the first paint, and of each interaction."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=ARGUMENTS)
        measured = {
            "chromium": browser.version,
            "rounds": rounds,
            "first_paint_ms": _middle([_first_paint(browser, file) for _ in range(rounds)]),
            "interactions_ms": dict(_interactions(browser, file, rounds)),
        }
        browser.close()
    return measured


def _first_paint(browser: Browser, file: Path) -> float:
    page = browser.new_page(viewport={"width": 1280, "height": 900})
    page.goto(file.as_uri())
    page.wait_for_function(f"({_FIRST_PAINT}) !== null")
    found = float(page.evaluate(_FIRST_PAINT))
    page.close()
    return found


def _interactions(browser: Browser, file: Path, rounds: int) -> Iterator[tuple[str, dict[str, float]]]:
    page = browser.new_page(viewport={"width": 1280, "height": 900})
    page.goto(file.as_uri())
    page.locator('[data-view="examples"] article').wait_for()
    page.wait_for_timeout(1000)
    for name, (view, action) in ACTIONS.items():
        # The first one is not counted: it compiles what the others use.
        times = [_time(page, view, action, turn) for turn in range(rounds + 1)]
        yield name, _middle(times[1:])


def _time(page: Page, view: str, action: str, turn: int) -> float:
    taken = float(page.evaluate(_UNTIL_PAINTED.replace("ACTION", action), [view, turn]))
    page.wait_for_timeout(150)
    return taken


def _middle(times: list[float]) -> dict[str, float]:
    return {
        "median": round(statistics.median(times), 1),
        "least": round(min(times), 1),
        "most": round(max(times), 1),
    }
