"""`harness bench` as its user meets it, with models that take a known time."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from harness.bench import rounds
from harness.bench.files import read

ACTING = Path(__file__).parents[1] / "bench" / "acting.py"


@pytest.fixture
def bench(harness, monkeypatch, tmp_path):
    monkeypatch.setattr(rounds, "SHORTEST", 0.02)
    (tmp_path / "few.txt").write_text("\n".join(f"text number {number}" for number in range(8)))

    def benching(*words, workload="few.txt", budget="1"):
        return harness(
            "bench", "--plugin", ACTING, "--workload", workload, "--budget", budget, "--out", "out", *words
        )

    return benching


def test_two_models_are_measured_side_by_side(bench, tmp_path):
    answer = bench("--model", "acts:sleep-2", "--model", "slow=acts:sleep-8", "--pytest-json", "all.json")
    assert answer.code == 0, answer.err
    assert "slow: slower than sleep-2" in answer.out
    assert "energy: " in answer.out
    (record,) = (tmp_path / "out" / "records").glob("*/*.json")
    assert str(record.relative_to(tmp_path)) in answer.out
    assert [variant.label for variant in read(record).variants] == ["sleep-2", "slow"]
    assert len(json.loads((tmp_path / "all.json").read_bytes())["benchmarks"]) == 2
    assert len(list((tmp_path / "out").glob("*/000*_*.json"))) == 2


def test_json_is_the_record(bench, document, tmp_path):
    answer = bench("--model", "acts:sleep-2", "--json")
    (record,) = (tmp_path / "out" / "records").glob("*/*.json")
    assert document("bench", answer) == json.loads(record.read_bytes())


@pytest.mark.slow
def test_variants_are_labeled_by_the_settings_that_differ(bench):
    answer = bench("--model", "acts:sleep-1", "--dtype", "float32,bfloat16", "--backend", "plain", "--json")
    variants = json.loads(answer.out)["variants"]
    assert [variant["label"] for variant in variants] == ["sleep-1 float32", "sleep-1 bfloat16"]
    assert [variant["settings"]["backend"] for variant in variants] == ["plain", "plain"]


@pytest.mark.slow
def test_a_model_that_breaks_is_an_error_and_the_other_is_measured(bench, tmp_path):
    answer = bench("--model", "acts:sleep-2", "--model", "acts:raises")
    assert answer.code == 2
    assert "raises: ERROR: ValueError: the model broke" in answer.out
    (record,) = (tmp_path / "out" / "records").glob("*/*.json")
    assert len(read(record).variants[0].workloads) == 1


def test_what_cannot_be_measured_is_listed_before_anything_is(bench, tmp_path):
    answer = bench("--model", "lexical", "--model", "letters", "--dtype", "float32,bfloat16")
    assert answer.code == 2
    assert "no model named 'letters'" in answer.err
    Path("empty").mkdir()
    answer = bench("--model", "lexical", "--model", "./empty", "--dtype", "float32,bfloat16")
    assert "Error: 2 things are wrong\n" in answer.err
    assert "model lexical: the lexical model does not support --dtype" in answer.err
    assert "empty is not a model folder" in answer.err
    assert "--keep-going measures the rest" in answer.err
    assert not (tmp_path / "out").exists()


@pytest.mark.slow
def test_unsupported_settings_are_an_error_of_that_variant_alone(bench):
    answer = bench("--model", "lexical", "--dtype", "float32,bfloat16", "--keep-going")
    assert answer.code == 2
    assert "lexical bfloat16: ERROR: the lexical model does not support --dtype" in answer.out
    assert "bfloat16" not in answer.out.partition("few.txt")[2].partition("batch curve")[0]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        pytest.param((), "no model", id="no model"),
        pytest.param(
            ("--model", "acts:sleep-1", "--dtype", "float31"), "no dtype named 'float31'", id="dtype"
        ),
        pytest.param(
            ("--model", "acts:sleep-1", "--backend", "pakced"), "did you mean: packed", id="backend"
        ),
        pytest.param(
            ("--model", "acts:sleep-1", "--workload", "shrot"), "did you mean: short", id="workload"
        ),
        pytest.param(("--model", "nothing"), "no model named 'nothing'", id="model"),
        pytest.param(("--model", "acts:sleep-1", "--model", "acts:sleep-1"), "given twice", id="twice"),
        pytest.param(("--model", "lexical", "--dtype", "bfloat16"), "not support --dtype", id="the only one"),
    ],
)
def test_a_mistake_is_reported_before_anything_starts(bench, words, said, tmp_path):
    began = time.monotonic()
    answer = bench(*words)
    assert (answer.code, time.monotonic() - began < 5) == (2, True)
    assert said in answer.err
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("act", ["sleep-5", "hangs"])
def test_an_interrupted_bench_leaves_no_process_and_no_file(act, tmp_path):
    command = [
        sys.executable, "-m", "harness", "bench", "--plugin", ACTING, "--model", f"acts:{act}",
        "--out", "out", "--budget", "60", "--margin", "0.001", "--workload", "short",
    ]  # fmt: skip
    process = subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.PIPE, cwd=tmp_path)
    children = _children(process.pid)
    time.sleep(0.5)
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=20)
    assert process.returncode == 130
    assert b"Nothing was written" in said
    assert b"Traceback" not in said
    assert children
    assert not any(_alive(child) for child in children)
    assert not (tmp_path / "out").exists()


def _children(pid):
    """Wait until a process has a child that runs Python code of its own, and return its children."""
    listed = Path(f"/proc/{pid}/task/{pid}/children")
    for _ in range(200):
        found = [int(word) for word in listed.read_text().split()]
        if found:
            return found
        time.sleep(0.05)
    raise AssertionError("no worker was started")


def _alive(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True
