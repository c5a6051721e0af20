"""`harness run --model http:…` and the commands that read what it wrote, against a server on this machine."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from embedding_server import KEY, fails, hangs, says, serving, wait_until

from harness import load_model
from harness.results.folder import ResultsFolder
from harness.testing import SmallModel
from harness_remote import waiting

PAGE = Path(__file__).parents[2] / "docs" / "remote.md"


@pytest.fixture(autouse=True)
def remote_models(monkeypatch):
    monkeypatch.setenv("HARNESS_PLUGINS", "sts,remote")
    monkeypatch.setattr(waiting, "_FIRST", 0.001)
    for name in ("HARNESS_API_KEY", "OPENAI_API_KEY"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def server():
    with serving(SmallModel().encode) as running:
        yield running


def records(folder):
    return ResultsFolder(Path(folder)).evaluations([])


def scores(folder):
    return {(each.examination.task, one.metric): one.score for each in records(folder) for one in each.scores}


@pytest.mark.slow
def test_a_real_model_has_the_same_scores_behind_a_server_that_fails_and_drops_connections(harness, tiny):
    local = load_model(str(tiny))
    with serving(local.encode) as server:
        server.script.extend(
            [None, None, fails(500), says(b"{"), fails(429, headers=(("Retry-After", "0"),))]
        )
        there = harness("run", "--model", server.name, "--tasks", "stsb", "--out", "there")
    assert there.code == 0, there.err
    assert harness("run", "--model", tiny, "--tasks", "stsb", "--out", "here", "--no-throughput").code == 0
    assert scores("there") == pytest.approx(scores("here"), abs=1e-6)
    assert len(scores("there")) == 2
    (record,) = records("there")
    assert record.candidate.model == "tiny"
    assert not record.candidate.facts.reproducible


@pytest.mark.slow
def test_the_base_model_has_the_same_scores_behind_a_server(harness, minilm):
    with serving(minilm.encode) as server:
        assert harness("run", "--model", server.name, "--tasks", "stsb", "--out", "there").code == 0
    assert (
        harness("run", "--model", "minilm", "--tasks", "stsb", "--out", "here", "--no-throughput").code == 0
    )
    assert scores("there") == pytest.approx(scores("here"), abs=1e-6)


def test_without_a_revision_every_run_asks_again_and_the_output_says_why(harness, server):
    words = "run", "--model", server.name, "--tasks", "stsb"
    answer = harness(*words)
    asked = len(server.seen)
    assert "unidentified (note)" in answer.out
    assert "tiny is not timed: it is on another machine, and its speed would be the network's" in answer.err
    assert harness(*words).code == 0
    assert len(server.seen) == 2 * asked
    found = harness("status", "results/local")
    assert (found.code, "unidentified: each run computes it again" in found.out) == (0, True)


def test_with_a_revision_results_and_embeddings_are_kept_and_another_one_is_another_model(harness, server):
    words = "run", "--model", f"{server.name},revision=2026-11", "--tasks", "stsb"
    assert "unidentified" not in harness(*words).out
    asked = len(server.seen)
    assert "1 result kept from before" in harness(*words).out
    assert len(server.seen) == asked
    assert harness(*words, "--out", "again").code == 0
    assert len(server.texts) == asked + 2  # to see that the server is there; each text is in the cache
    (one,), (other,) = records("results/local"), records("again")
    assert one.scores == other.scores
    harness("run", "--model", server.name, "--tasks", "stsb", "--revision", "2026-12")
    assert len(server.seen) == 2 * asked + 2
    assert len(records("results/local")) == 2


def test_results_are_verified_without_the_server_and_what_cannot_be_repeated_is_said(harness, server):
    harness("run", "--model", server.name, "--tasks", "stsb", "--out", "out")
    asked = len(server.seen)
    found = harness("verify", "out")
    assert found.code == 0
    assert "its model is on another machine: its answers cannot be computed again" in found.out
    assert len(server.seen) == asked


def test_a_gate_is_decided_where_a_revision_is_declared(harness, server):
    for revision, code in (("", {4}), (",revision=1", {0, 1})):
        words = "--model", f"a={server.name}{revision}", "--model", "lexical", "--tasks", "stsb"
        assert harness("run", *words, "--out", f"out{revision}", "--no-throughput").code == 0
        assert harness("compare", f"out{revision}", "--baseline", "a", "--margin", "0.5").code in code


@pytest.mark.slow
def test_speed_is_measured_where_it_is_asked_for_and_said_to_be_the_networks(harness, server):
    found = harness("run", "--model", server.name, "--tasks", "stsb", "--throughput", "--out", "out")
    assert "tiny: its speed is that of another machine and of the network" in found.out
    assert len(ResultsFolder(Path("out")).throughputs()) == 1


def test_bench_refuses_it_before_it_asks(harness, server):
    found = harness("bench", "--model", server.name)
    assert found.code == 2
    assert "bench does not measure tiny: it is on another machine" in found.err
    assert not server.seen


@pytest.mark.slow
def test_bench_refuses_a_plugins_model_that_says_only_when_it_is_loaded_that_it_is_elsewhere(harness):
    Path("far.py").write_text(
        "from harness import hookimpl\n"
        "from harness.authoring import ModelFacts, ModelScheme\n"
        "from harness.testing import SmallModel\n"
        "class Far(SmallModel):\n"
        "    def __init__(self, spec):\n"
        "        super().__init__()\n"
        "        self.spec, self.facts = spec, ModelFacts(dimensions=32, similarity='cosine', remote=True)\n"
        "    def load(self):\n"
        "        return self\n"
        "@hookimpl\n"
        "def harness_model_schemes():\n"
        "    return [ModelScheme('far', 'far away', Far)]\n"
    )
    found = harness("bench", "--plugin", "far.py", "--model", "far", "--workload", "sts", "--budget", "1")
    assert found.code == 2
    assert "it is on another machine" in found.out + found.err


@pytest.mark.parametrize(
    "option", [["--dtype", "bfloat16"], ["--backend", "plain"], ["--max-seq-length", "8"]]
)
def test_settings_that_a_server_does_not_take_are_refused(harness, server, option):
    found = harness("run", "--model", server.name, "--tasks", "stsb", *option)
    assert (found.code, f"the http model does not support {option[0]}" in found.err) == (2, True)
    assert not server.seen


@pytest.mark.slow
def test_views_of_a_model_share_what_is_asked(harness, server):
    harness("run", "--model", server.name, "--tasks", "stsb", "--out", "one")
    asked = len(server.seen)
    found = harness(
        "run", "--model", server.name, "--tasks", "stsb", "--truncate-dim", "16,8", "--out", "two"
    )
    assert found.code == 0
    assert len(server.seen) == 2 * asked + 2  # each is tried before the run, in two formats
    assert {record.candidate.facts.dimensions for record in records("two")} == {16, 8}


@pytest.mark.parametrize(
    ("act", "sentence"),
    [
        pytest.param(fails(500, "out of memory"), "500 Internal Server Error: out of memory", id="error"),
        pytest.param(fails(401, "no key"), "does not let us in: 401 Unauthorized: no key", id="key"),
        pytest.param(says(b"<html>"), "the answer is a web page", id="page"),
    ],
)
def test_a_server_that_cannot_be_used_is_told_before_anything_is_written(harness, server, act, sentence):
    server.always = act
    found = harness("run", "--model", server.name, "--tasks", "stsb", "--out", "out")
    assert found.code == 2
    assert sentence in found.err
    assert not Path("out").exists()


def test_what_fails_later_is_an_error_of_its_task_and_quotes_no_text_where_texts_are_kept_out(
    harness, server
):
    server.script.extend([None, None])
    server.always = fails(400, "I do not like this text: A private sentence")
    found = harness("run", "--model", server.name, "--tasks", "stsb", "--out", "out", "--no-texts")
    assert found.code == 2
    assert not [path for path in Path("out").rglob("*.json") if "private" in path.read_text()]
    error = next(Path("out").rglob("errors/**/*.json")).read_text()
    assert "tiny: the server refuses" in json.loads(error)["error"]


@pytest.mark.parametrize(
    "words",
    [
        [],
        pytest.param(["--keep-going"], marks=pytest.mark.slow),
        pytest.param(["--isolate"], marks=pytest.mark.slow),
    ],
)
def test_a_key_is_in_nothing_that_is_written_or_printed(harness, server, monkeypatch, words):
    monkeypatch.setenv("HARNESS_API_KEY", KEY)
    server.key = KEY
    addresses = [
        server.name,
        server.name.replace("//", f"//me:{KEY}x@"),
        server.name.replace("#", "?api_key=hushhush#"),
    ]
    answers = [
        harness("run", "--model", address, "--tasks", "stsb", "--out", "out", *words) for address in addresses
    ]
    assert [answer.code for answer in answers] == [0, 2, 2]
    server.always = fails(401, f"not with Bearer {KEY}")
    answers.append(harness("run", "--model", server.name, "--tasks", "stsb", "--out", "other", *words))
    answers.append(harness("status", "out"))
    written = [path for path in Path().rglob("*") if path.is_file()]
    assert written
    for text in [*(answer.out + answer.err for answer in answers), *map(str, written)]:
        assert KEY not in text
        assert "hushhush" not in text
    for path in written:
        assert KEY.encode() not in path.read_bytes(), path
        assert b"hushhush" not in path.read_bytes(), path


@pytest.mark.slow
def test_what_the_page_on_servers_shows_runs(harness, server, monkeypatch):
    """Its commands, with the address of the test's server in place of the one that it names."""
    commands = re.findall(r"^\$ harness (.+)$", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    assert len(commands) >= 4
    for command in commands:
        words = command.replace("http://localhost:8080/v1", server.url).replace("#bge-small", "#tiny").split()
        expected = 4 if words[0] == "compare" else 0
        assert harness(*words).code == expected, command


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=lambda number: number.name)
def test_a_process_that_waits_for_a_server_ends_at_once(server, number):
    server.always = hangs
    words = "run", "--model", server.name, "--tasks", "stsb", "--out", "out"
    process = subprocess.Popen([sys.executable, "-m", "harness", *words], stderr=subprocess.PIPE)
    assert wait_until(lambda: server.seen, 60)
    process.send_signal(number)
    started = time.monotonic()
    process.communicate(timeout=20)
    assert time.monotonic() - started < 15  # the server waits for 30, the client for 60
    assert process.returncode != 0
