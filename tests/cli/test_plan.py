"""`harness plan` as its user meets it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from bench.cost.made import bench, variant

from harness.bench.files import write


@pytest.fixture
def record(tmp_path):
    """The record of a bench, as a word."""
    return str(write(bench(), tmp_path / "bench", "stamp").record)


def test_a_plan_fits_eighty_columns_and_has_what_it_rests_on(harness, record, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    answer = harness("plan", "--documents", "100M", "--bench", record, "--workers", "8")
    assert answer.code == 0, answer.err
    assert max(map(len, answer.out.splitlines())) <= 80
    # 1e8 documents at 100 (80 to 125) a second, 25 % more or less, by 1 + 7 × 0.87 (0.8 to 1) workers.
    (row,) = [line for line in answer.out.splitlines() if line.startswith(" encode documents")]
    assert " ".join(row.split()[2:]) == "100,000,000 100 12 d (6.9 – 18) 39 h (21 – 66)"
    for title in ("taken for granted:", "beyond what was measured:", "not in these figures:"):
        assert title in answer.out


@pytest.mark.parametrize(
    ("word", "number"),
    [("2500", 2500), ("10k", 10_000), ("1.5M", 1_500_000), ("100M", 10**8), ("1G", 10**9), ("2,000", 2000)],
)
def test_numbers_may_be_thousands_and_millions(harness, record, document, word, number):
    answer = harness("plan", "--documents", word, "--bench", record, "--json")
    found = document("plan", answer)
    assert found["plan"]["documents"] == number
    assert [stage["texts"] for stage in found["plan"]["stages"]] == [number, 1000, number]


def test_every_option_of_a_plan_is_in_its_answer(harness, record, document):
    words = "--queries 50 --models 3 --workers 2 --dimensions 100 --precision int8 --depth 10 --tokens 20"
    answer = harness("plan", "--documents", "1M", "--bench", record, *words.split(), "--query-tokens", "5",
                     "--shard", "10k", "--model", "m", "--json")  # fmt: skip
    found = document("plan", answer)["plan"]
    names = ("queries", "models", "workers", "dimensions", "precision", "depth", "variant")
    assert [found[name] for name in names] == [50, 3, 2, 100, "int8", 10, "m"]
    assert [stage["tokens"] for stage in found["stages"]] == [20, 5, None]
    assert found["memory"][-2]["what"] == "RAM, searching 10,000 at once"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--documents", "0"], "--documents 0: there is nothing to plan"),
        (["--documents", "many"], "--documents 'many' is not a number\n  hint: such as 2500, 10k"),
        (["--documents", "-5"], "--documents '-5' is not a number"),
        (["--documents", "1.5"], "'1.5' is not a whole number"),
        (["--documents", "9" * 15 + "G"], "is too many"),
        (["--documents", "1k", "--workers", "0"], "--workers 0: there is nothing to plan"),
        (["--documents", "1k", "--tokens", "0"], "--tokens 0 is not a positive number"),
        (["--documents", "1k", "--precision", "int9"], "did you mean: int8"),
        (["--documents", "1k", "--model", "n"], "no model of the bench named 'n'"),
    ],
)
def test_a_mistake_is_one_sentence(harness, record, words, said):
    answer = harness("plan", "--bench", record, *words)
    assert (answer.code, answer.out) == (2, "")
    assert said in answer.err


def test_a_file_that_is_no_bench_is_named_with_where_benches_are(harness, record, tmp_path):
    contents = {"text": "no json", "list": "[1]", "other": '{"benchmarks": []}', "part": '{"schema": 1}'}
    for name, content in contents.items():
        Path(name).write_text(content)
    Path("folder").mkdir()
    pytest_file = next((tmp_path / "bench").glob("*/0001_*.json"))
    for name in (*contents, pytest_file, "folder", "missing"):
        answer = harness("plan", "--documents", "1k", "--bench", name)
        assert (answer.code, answer.out) == (2, ""), name
        assert Path(name).name in answer.err
        assert "results/local/bench/records" in answer.err


def test_a_bench_in_which_everything_failed_has_no_plan(harness, tmp_path):
    failed = bench(variant(error="it broke", workloads=(), facts=None))
    record = write(replace(failed), tmp_path / "bench", "stamp").record
    answer = harness("plan", "--documents", "1k", "--bench", record)
    assert answer.code == 2
    assert "the bench has no throughput of m: it broke" in answer.err
