"""The figures of docs/cluster.md, and the constants that rest on them."""

from __future__ import annotations

import json

import pytest
from test_documentation import ROOT, blocks, harness

from benchmarks.cost import lines, pages
from harness.bench.cost import constants
from harness.bench.cost.model import chunk_texts

FOUND = json.loads(pages.RESULT.read_bytes())


def test_the_page_has_what_was_measured():
    page = pages.PAGE.read_text(encoding="utf-8")
    assert pages.written(page) == page


def test_the_plan_that_the_page_shows_is_what_the_command_prints(monkeypatch):
    monkeypatch.setenv("COLUMNS", str(pages.WIDTH))
    monkeypatch.chdir(ROOT)
    found = harness(*pages.COMMAND.split()[1:])
    assert found.exit_code == 0, found.output
    (block,) = [one for one in blocks("docs/cluster.md", "") if "taken for granted" in one]
    assert block == found.output


@pytest.mark.parametrize("kind", ["encode", "tiny"])
def test_encoding_of_the_large_sizes_was_predicted_within_what_a_plan_allows(kind):
    first, second, *large = lines.sizes(FOUND, kind)
    assert large
    for size in large:
        guess = lines.predicted([first, second], size.count)
        assert abs(lines.error(guess, size.cpu_seconds)) <= constants.ENCODE_ERROR, size.name


def test_a_large_search_lies_in_the_range_that_a_plan_gives():
    large = [
        size
        for ends in ("", "-96", "-768")
        for size in lines.sizes(FOUND, "search", ends=ends)
        if size.count >= 100_000
    ]
    assert len(large) == 4
    for size in large:
        model = lines.planned(size)
        assert model.low <= size.cpu_seconds <= model.high, size.name


def test_memory_of_processes_and_documents_is_not_above_what_a_plan_allows():
    small, *_, large = lines.sizes(FOUND, "search")
    assert small.peak_mib * 2**20 <= constants.PROCESS_BYTES
    matrix = (large.count - small.count) * 4 * 384
    beside = ((large.peak_mib - small.peak_mib) * 2**20 - matrix) / (large.count - small.count)
    assert beside <= constants.DOCUMENT_BYTES


def test_a_second_worker_adds_what_a_plan_takes_for_granted():
    assert (
        constants.NEXT_WORKER.low <= lines.spread(FOUND["side-by-side"]) <= constants.NEXT_WORKER.high * 1.05
    )


def test_a_line_goes_through_its_points():
    assert lines.slope([(1, 5.0), (2, 7.0), (4, 11.0)]) == pytest.approx((3.0, 2.0))
    assert lines.error(11, 10) == pytest.approx(0.1)


def test_encoding_takes_no_more_memory_besides_its_embeddings_than_a_plan_allows():
    unit = constants.UNIT_CHUNKS * chunk_texts(20)
    measured = [size for size in lines.sizes(FOUND, "encode") if size.count <= unit]
    assert len(measured) > 1
    for size in measured:
        grown = (size.peak_mib - size.before_mib) * 2**20 - size.count * 4 * 384
        assert grown <= constants.ENCODE_BYTES, size.name
