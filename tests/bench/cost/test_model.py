from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.bench.cost import constants
from harness.bench.cost.model import chunk_texts, plan_cost
from harness.bench.cost.records import CostQuestion, CostRange
from harness.bench.records import Ceiling, Memory, SpeedEstimate, ThreadRecord
from harness.encoding import shards
from harness.errors import HarnessError

from .made import DOCUMENTS, FACTS, SHORT, bench, variant, workload


def plan(documents=1_000_000, *, of=None, model=None, **asked):
    return plan_cost(of or bench(), CostQuestion(documents=documents, **asked), model)


def seconds(stage, **asked):
    return next(each for each in plan(**asked).stages if each.stage == stage)


def size(found, what):
    return next(each.bytes for each in found.memory if each.what.startswith(what))


def test_a_million_documents_at_a_hundred_a_second_take_ten_thousand_seconds():
    encoding = seconds("encode documents")
    assert encoding.tokens == 100
    assert encoding.one_worker.value == pytest.approx(10_000)
    # The bench's interval, 80 to 125 texts/s, and a quarter for predicting from few.
    assert (encoding.one_worker.low, encoding.one_worker.high) == pytest.approx((8000 * 0.75, 12_500 * 1.25))
    assert encoding.seconds == encoding.one_worker


def test_a_thousand_queries_take_a_second():
    assert seconds("encode queries", queries=1000).one_worker.value == pytest.approx(1)


def test_a_search_is_its_product_its_comparisons_and_a_list_for_each_query_and_part(monkeypatch):
    exactly = {"SEARCH_SHARE": 0.8, "SEARCH_PAIR": 1e-9}
    for name, value in exactly.items():
        monkeypatch.setattr(f"harness.bench.cost.speed.{name}", CostRange(value, value, value))
    monkeypatch.setattr("harness.bench.cost.model.SEARCH_QUERY", CostRange(1e-4, 1e-4, 1e-4))
    search = seconds("search", documents=2_000_000, queries=1000, shard=1_000_000)
    # 2 × 400 × 2e6 × 1e3 operations at 80 GFLOP/s; 2e9 pairs; 1,000 queries of 2 parts.
    assert search.one_worker.value == pytest.approx(20 + 2 + 0.2)
    assert search.one_worker.low == search.one_worker.high == search.one_worker.value


def test_workers_after_the_first_add_what_was_measured():
    e = constants.NEXT_WORKER
    encoding = seconds("encode documents", workers=3)
    assert encoding.seconds.value == pytest.approx(10_000 / (1 + 2 * e.value))
    assert encoding.seconds.low == pytest.approx(6000 / (1 + 2 * e.high))
    assert encoding.seconds.high == pytest.approx(15_625 / (1 + 2 * e.low))


def test_candidates_take_their_number_of_times_as_long_and_as_much_disk():
    one, many = plan(), plan(models=50)
    assert many.one_worker.value == pytest.approx(50 * one.one_worker.value)
    assert size(many, "cache") == 50 * size(one, "cache")


@pytest.mark.parametrize(
    ("tokens", "milliseconds"),
    [
        pytest.param(10, 1.0, id="as measured"),
        pytest.param(55, 5.5, id="halfway"),
        pytest.param(200, 20.0, id="twice the longest: in proportion"),
        pytest.param(5, 0.5, id="half the shortest: in proportion"),
        pytest.param(1000, 51.2, id="cut at 512"),
    ],
)
def test_a_text_takes_what_its_tokens_take(tokens, milliseconds):
    found = seconds("encode documents", tokens=tokens, documents=1000)
    assert found.one_worker.value == pytest.approx(milliseconds)


def test_sizes_are_those_of_the_embeddings():
    found = plan(dimensions=100, precision="int8", workers=4)
    assert size(found, "cache") == 1_001_000 * (400 * 4 + 16)
    assert size(found, "documents alone") == 100 * 1_000_000
    # A quarter of the documents: in full, a copy of the codes as float32, ids; 1,000 lists of the best 100.
    row = 4 * 400 + 4 * 100 + constants.DOCUMENT_BYTES
    assert size(found, "RAM, searching 250,000") == 1_000_000_000 + 250_000 * row + 1_600_000
    # Six chunks of 120,000 characters, five to a token.
    unit = 6 * 240 * (1600 + constants.TEXT_BYTES + 500)
    assert size(found, "RAM, encoding") == 1_000_000_000 + constants.ENCODE_BYTES + unit
    driver = constants.PROCESS_BYTES + 1000 * 1600 + 4 * (3 * unit + 1_600_000)
    assert next(each.bytes for each in found.memory if each.where == "driver") == driver


def test_a_worker_holds_a_part_of_bounded_size_however_large_the_corpus():
    assert size(plan(10**8), "RAM, searching 1,000,000") == size(plan(10**9), "RAM, searching 1,000,000")
    driver = [next(each.bytes for each in plan(n).memory if each.where == "driver") for n in (10**4, 10**9)]
    assert driver[0] == driver[1]


def test_bits_take_an_eighth_of_a_byte():
    assert size(plan(precision="binary"), "documents alone") == 50 * 1_000_000


def test_a_device_s_memory_is_told_and_its_product_is_not_the_processor_s():
    gpu = variant(
        facts=replace(FACTS, device="cuda"), memory=Memory(loaded=1, peak=2, device=3_000_000),
        ceiling=Ceiling(gflops=50_000.0, tries=()),
    )  # fmt: skip
    found = plan(of=bench(gpu))
    assert size(found, "VRAM") == 3_000_000
    assert any("no float32 product" in each for each in found.extrapolations)
    slow = 1e9 * 2 * 400e-9 / (4 * constants.CORE_GFLOPS.low * constants.SEARCH_SHARE.low)
    assert found.stages[2].one_worker.high > slow
    # Another variant of the bench was on the processor, with one core of its four.
    both = plan(of=bench(gpu, variant("cpu")), model="m")
    four = ThreadRecord(workers=4, per_worker=1)
    known = plan(of=bench(variant("cpu", threads=four, ceiling=Ceiling(gflops=400, tries=()))))
    assert both.stages[2].one_worker == known.stages[2].one_worker


def test_too_few_rounds_for_an_interval_give_their_extremes():
    few = replace(DOCUMENTS, texts_per_second=SpeedEstimate(100, float("-inf"), float("inf")))
    found = plan(of=bench(variant(workloads=(few,))), documents=100).stages[0].one_worker
    assert (found.low, found.value, found.high) == pytest.approx((0.5 * 0.75, 1.0, 2.0 * 1.25))


def test_without_names_that_tell_the_longest_texts_are_documents_and_the_shortest_are_queries():
    own = [replace(DOCUMENTS, workload="own.txt"), replace(SHORT, workload="titles.txt")]
    found = plan(of=bench(variant(workloads=tuple(own))))
    assert [each.tokens for each in found.stages] == [100, 10, None]


def test_a_model_that_counts_no_tokens_takes_the_bench_s_texts_and_no_others():
    blind = bench(variant(workloads=(workload("documents", 100, None, (100, 100, 100)),)))
    assert plan(of=blind, documents=100).stages[0].one_worker.value == pytest.approx(1)
    with pytest.raises(HarnessError, match="does not count tokens"):
        plan(of=blind, tokens=10)


STILL = replace(SHORT, texts_per_second=SpeedEstimate(0, 0, 0))
WHOLE = st.integers(1, 10**9)


@settings(max_examples=25)
@given(WHOLE, st.integers(1, 1000), st.integers(1, 100), st.integers(1, 5000))
def test_more_workers_are_never_slower(documents, workers, models, shard):
    asked = {"documents": documents, "models": models, "shard": shard}
    fewer, more = plan(workers=workers, **asked), plan(workers=workers + 1, **asked)
    for one, other in zip(fewer.stages, more.stages, strict=True):
        for end in ("value", "low", "high"):
            assert getattr(other.seconds, end) <= getattr(one.seconds, end) * (1 + 1e-12)
            assert getattr(other.seconds, end) <= getattr(other.one_worker, end) * (1 + 1e-12)


@settings(max_examples=25)
@given(st.integers(1, 1000), st.integers(1, 50), st.floats(1, 512))
def test_seconds_and_disk_are_linear_in_documents(millions, workers, tokens):
    # Whole units and parts for each worker.
    documents = 50 * 1_000_000 * workers
    one = plan(documents, workers=workers, tokens=tokens)
    many = plan(millions * documents, workers=workers, tokens=tokens)
    for stage in (0, 2):
        assert many.stages[stage].seconds.value == pytest.approx(millions * one.stages[stage].seconds.value)
    assert size(many, "documents") == millions * size(one, "documents")


@settings(max_examples=25)
@given(WHOLE, st.integers(1, 100), st.floats(0.5, 2000), st.integers(1, 400))
def test_a_range_holds_its_value(documents, workers, tokens, dimensions):
    found = plan(documents, workers=workers, tokens=tokens, dimensions=dimensions)
    for each in (found.seconds, found.one_worker, *(stage.seconds for stage in found.stages)):
        assert 0 < each.low <= each.value <= each.high


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"documents": 0}, "--documents 0: there is nothing to plan"),
        ({"workers": 0}, "--workers 0"),
        ({"tokens": -1.0}, "--tokens -1 is not a positive number"),
        ({"query_tokens": float("nan")}, "--query-tokens nan is not"),
        ({"dimensions": 401}, "--dimensions 401: m has 400"),
        ({"precision": "int4"}, "no precision named 'int4'"),
        ({"model": "other"}, "no model of the bench named 'other'"),
        ({"of": bench(variant("a"), variant("b"))}, "the bench has 2 variants\n  known: a, b"),
        ({"of": bench(variant("a", model="x"), variant("b", model="x")), "model": "x"}, "2 variants of x"),
        ({"of": bench(variant(error="it broke", workloads=()))}, "no throughput of m: it broke"),
        ({"of": bench(variant(workloads=(STILL,)))}, "no throughput of the workload short"),
        ({"of": bench(variant(facts=replace(FACTS, dimensions=10**400)))}, "too large to be true"),
        ({"of": bench(variant(facts=None))}, "does not say how many dimensions"),
        ({"of": replace(bench(), variants=())}, "the bench has no model"),
    ],
)  # fmt: skip
def test_a_question_without_an_answer_is_refused_with_what_there_is(asked, said):
    with pytest.raises(HarnessError) as refused:
        plan(**asked)
    assert said in str(refused.value)


def test_a_failed_variant_does_not_stand_in_the_way_of_the_one_that_was_measured():
    both = bench(variant("a", error="it broke", workloads=()), variant("b"))
    assert plan(of=both).variant == "b"
    assert plan(of=both, model="b").variant == "b"


def test_units_are_those_of_the_executors():
    units = (constants.CHUNK_CHARACTERS, constants.LONGEST_CHARACTERS, constants.UNIT_CHUNKS)
    assert units == (shards._CHUNK, shards._LONGEST, shards._MOST_CHUNKS)
    sentences = ["x" * 100] * 2400
    assert [len(chunk) for chunk in shards.chunks(sentences)] == [chunk_texts(20)] * 2
