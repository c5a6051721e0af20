"""What docs/report.md says of size and speed is what was measured, and within its bounds."""

from __future__ import annotations

from benchmarks.report import pages
from benchmarks.report.__main__ import broken


def test_the_page_has_the_figures_of_the_result():
    page = pages.PAGE.read_text(encoding="utf-8")
    assert pages.written(page, pages.read_result()) == page, "run: python -m benchmarks.report.pages"


def test_the_result_is_within_its_bounds():
    assert broken(pages.read_result()) == []


def test_a_bound_that_is_broken_is_said():
    result = pages.read_result()
    result["page"]["bytes"] = 15_000_001
    assert broken(result) == ["the page: 15,000,001 is above 15,000,000"]
