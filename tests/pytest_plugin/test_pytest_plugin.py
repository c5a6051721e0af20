"""The pytest plugin, as a project that tests its model uses it."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

import harness

pytest_plugins = ["pytester"]


@pytest.fixture(scope="module", autouse=True)
def imported():
    """Import what an evaluation needs: pytester forgets what is new, and numpy is imported only once."""
    results = harness.evaluate({"a": "lexical", "b": "lexical,precision=int8"}, "stsb")
    assert results.compare("a", margin=0.5)


WORSE = """
import numpy as np
import pytest

import harness
from harness import Role


class Lengths:
    def encode(self, texts):
        return np.array([[len(text), 1.0] for text in texts])
"""


@pytest.fixture
def project(pytester, request):
    """A function that writes a test file, runs pytest on it, and returns its result."""
    # The installed harness brings the plugin; one that is installed from before does not yet.
    installed = request.config.pluginmanager.has_plugin("harness")
    options = [
        "-p",
        "no:cacheprovider",
        "-p",
        "no:randomly",
        *([] if installed else ["-p", "harness.pytest_plugin"]),
    ]

    def run(code, *arguments, head="import pytest\n"):
        pytester.makepyfile(head + code)
        return pytester.runpytest_inprocess(*options, *arguments)

    return run


def test_the_model_of_the_option_is_loaded_once_for_a_session(project):
    code = """
def test_one(embedding_model):
    assert embedding_model.encode(["a"]).shape == (1, 4096)
    embedding_model.seen = True

def test_two(embedding_model):
    assert embedding_model.name == "lexical" and embedding_model.seen
"""
    project(code, "--harness-model", "lexical").assert_outcomes(passed=2)


def test_a_marked_test_has_the_results_and_fails_below_a_minimum(project, pytester):
    pytester.makeini("[pytest]\nharness_model = lexical\n")
    code = """
@pytest.mark.harness(tasks="stsb", minimum={"stsb": 0.1})
def test_good(harness_results):
    assert harness_results["lexical", "stsb"].headline.score > 0.1

@pytest.mark.harness("stsb", minimum={"stsb": 0.9})
def test_below():
    raise AssertionError("not reached")
"""
    result = project(code, "--strict-markers")
    result.assert_outcomes(passed=1, failed=1)
    result.stdout.fnmatch_lines(["*lexical has spearman 0.1776 on stsb: the minimum is 0.9*"])
    result.stdout.no_fnmatch_line("*not reached*")


@pytest.mark.slow
def test_a_margin_holds_the_model_against_the_baseline(project):
    code = """
@pytest.mark.harness(tasks="penal-triplets", margin=0.9, baseline="lexical,precision=int8", model="lexical")
def test_within():
    pass

@pytest.mark.harness(tasks="penal-triplets", margin=0.0001, baseline="lexical", model=Lengths())
def test_undecided_fails():
    pass

@pytest.mark.harness("penal-triplets", 0.0001, "lexical", model=Lengths(), undecided="skip")
def test_undecided_is_skipped():
    pass
"""
    result = project(code, head=WORSE)
    print(result.stdout.str())
    result.assert_outcomes(passed=1, failed=1, skipped=1)


@pytest.mark.slow
def test_a_baseline_may_be_a_folder_of_results(project, pytester):
    harness.evaluate("lexical,precision=int8", "stsb", out=pytester.path / "base")
    code = """
@pytest.mark.harness(tasks="stsb", margin=0.9, baseline="base", model="lexical")
def test_within():
    pass
"""
    project(code).assert_outcomes(passed=1)


@pytest.mark.parametrize(
    ("marker", "message"),
    [
        ('tasks="stsb"', "no model to test*"),
        ('tasks="stsbb", model="lexical"', "*no task*'stsbb'*"),
        ('tasks="stsb", model="lexical", margins=1', "no argument of the marker harness named 'margins'*"),
        ('tasks="stsb", model="lexical", margin=0.1', "no baseline to test*"),
        ('tasks="stsb", model="lexical", baseline="x"', "*a baseline, but no margin*"),
        ("", "the marker harness: *tasks*"),
    ],
)
def test_what_a_marker_lacks_is_one_sentence_without_a_traceback(project, marker, message):
    result = project(f"@pytest.mark.harness({marker})\ndef test_it():\n    pass\n")
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines([message])
    result.stdout.no_fnmatch_line("*Traceback*")


BENCH = """
def test_speed(bench_encode):
    bench_encode("short:8")
"""


def test_bench_encode_names_machine_model_and_texts(project, pytester, monkeypatch):
    # Where tests run side by side nothing is timed, and what this one runs would be told so.
    for name in ("PYTEST_XDIST_WORKER", "PYTEST_XDIST_WORKER_COUNT", "PYTEST_XDIST_TESTRUNUID"):
        monkeypatch.delenv(name, raising=False)
    options = [
        "-p",
        "no:xdist",
        "--harness-model",
        "lexical",
        "--benchmark-json",
        "b.json",
        "--benchmark-max-time",
        "0.01",
    ]
    project(BENCH, *options, "--benchmark-min-rounds", "1").assert_outcomes(passed=1)
    (benchmark,) = json.loads((pytester.path / "b.json").read_text())["benchmarks"]
    assert benchmark["extra_info"]["texts"] == 8
    assert {"machine", "processor", "fingerprint", "digest", "libraries"} <= set(benchmark["extra_info"])


def test_bench_encode_runs_once_where_benchmarks_are_disabled_and_is_skipped_without_them(project):
    project(BENCH, "--harness-model", "lexical", "--benchmark-disable").assert_outcomes(passed=1)
    project(BENCH, "-p", "no:benchmark").assert_outcomes(skipped=1)


def test_a_project_that_does_not_use_the_plugin_loads_neither_numpy_nor_torch(tmp_path):
    (tmp_path / "test_it.py").write_text(
        "import sys\n\n\ndef test_it():\n    heavy = {'numpy', 'torch', 'pandas', 'harness.api'}\n"
        "    assert 'harness.pytest_plugin' in sys.modules\n    assert not heavy & set(sys.modules)\n"
    )
    command = [sys.executable, "-m", "pytest", "-q", "-p", "harness.pytest_plugin", "-p", "no:cacheprovider"]
    off = {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    found = subprocess.run(
        [*command, "test_it.py"], cwd=tmp_path, env=os.environ | off, capture_output=True, text=True
    )
    assert (found.returncode, found.stderr) == (0, "")
    assert "harness" not in found.stdout


@pytest.mark.slow
def test_the_plugin_works_in_the_processes_of_xdist(project):
    code = """
@pytest.mark.parametrize("n", [1, 2])
@pytest.mark.harness(tasks="stsb", model="lexical")
def test_it(harness_results, n):
    assert len(harness_results) == 1
"""
    project(code, "-n", "2").assert_outcomes(passed=2)
