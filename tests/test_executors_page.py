"""The table of executors in docs/cluster.md is that of the committed measurement."""

from __future__ import annotations

from benchmarks.executors import PAGE, written


def test_the_page_shows_what_was_measured():
    page = PAGE.read_text(encoding="utf-8")
    assert written(page) == page
    assert "Two workers of one thread against one:" in page
