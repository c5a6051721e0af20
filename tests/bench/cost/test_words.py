from __future__ import annotations

from dataclasses import replace

import pytest

from harness.bench.cost.model import plan_cost
from harness.bench.cost.records import CostQuestion, CostRange
from harness.bench.cost.report import plan_tables, shown_bytes, shown_seconds
from harness.bench.cost.words import two_digits
from harness.bench.records import Round

from .made import CALM, DOCUMENTS, SHORT, bench, variant


def said(of=None, **asked):
    found = plan_cost(of or bench(), CostQuestion(**{"documents": 1000, **asked}))
    return "\n".join([*found.assumptions, *found.extrapolations, *found.left_out])


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (0, "0"), (0.0349, "0.035"), (0.5, "0.50"), (1, "1.0"), (9.96, "10"), (12.5, "12"), (1234, "1,200"),
        (987_654, "990,000"),
    ],
)  # fmt: skip
def test_a_number_is_rounded_to_two_digits(number, text):
    assert two_digits(number) == text


def test_a_time_is_told_in_one_unit_with_its_range():
    assert shown_seconds(CostRange(3600 * 5, 3600 * 4.44, 3600 * 50)) == "5.0 h (4.4 – 50)"
    assert shown_seconds(CostRange(86_400 * 16, 86_400 * 16.1, 86_400 * 15.9)) == "16 d"
    assert shown_seconds(CostRange(0.0123, 0.01, 0.02)) == "12 ms (10 – 20)"
    assert shown_seconds(CostRange(90, 80, 200)) == "90 s (80 – 200)"


def test_sizes_are_decimal():
    assert [shown_bytes(each) for each in (153_600_000_000, 999, 0, None)] == [
        "150 GB",
        "1,000 B",
        "0 B",
        "–",
    ]


def test_how_far_a_plan_goes_beyond_what_was_measured_is_told_with_its_factor():
    far = said(documents=10**8, tokens=400, query_tokens=2, workers=8)
    assert "100,000,000 documents are 500,000 times as many" in far
    assert "measured up to 1,000,000 documents: 100,000,000 are 100 times as many" in far
    assert "documents of 400 tokens are 4.0 times the longest texts" in far
    assert "queries of 2.0 tokens are 0.20 times the shortest texts" in far
    assert "measured with 2 workers: 8 were not tried" in far
    near = said()
    assert "were not tried" not in near
    assert "times the" not in near


def test_what_is_assumed_and_what_is_left_out_is_told():
    text = said(workers=2, models=3, tokens=600)
    assert "a worker has 1 core of the bench's processor (1×1 threads) to itself" in text
    assert "each worker after the first adds" in text
    assert "a document has 512 tokens, as asked: the model cuts 600 there" in text
    assert "a query has 10 tokens, the mean of the bench's short" in text
    assert "loading models (5.0 s for each worker and candidate in the bench)" in text
    assert all(word in text for word in ("network", "object store", "skew", "all 3 candidates"))


def test_a_noisy_bench_is_told():
    noisy = bench(variant(workloads=(replace(DOCUMENTS, verdict="too noisy to say"), SHORT)))
    assert "too noisy to say for documents" in said(noisy)
    rounds = (Round(1.0, 0.5), Round(1.5, 0.5))
    busy = replace(DOCUMENTS, rounds=rounds, surroundings=replace(CALM, others=0.5))
    assert "used up to 50% of all cores during the bench, and m had 40% of its own" in said(
        bench(variant(workloads=(busy, SHORT)))
    )
    assert "other processes" not in said()


def test_the_table_has_a_column_for_all_workers_where_there_are_several():
    found = plan_cost(bench(), CostQuestion(documents=1000, workers=8))
    times, sizes = plan_tables(found)
    assert times.header[-2:] == ["1 worker", "8 workers"]
    assert [row[0].text for row in times.rows] == ["encode documents", "encode queries", "search", "all"]
    assert "1,000 documents · 1,000 queries · by the bench of m on Abacus, 4 cores" in times.subtitle
    assert [row[0].text for row in sizes.rows] == [
        "disk",
        "disk",
        "driver",
        "each worker",
        "each worker",
        "one process",
    ]
    assert plan_tables(plan_cost(bench(), CostQuestion(documents=1)))[0].header[-1] == "1 worker"
