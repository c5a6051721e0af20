"""Hooks and trackers are told of each record, and what they raise costs nothing else."""

from __future__ import annotations

import json
import sys

import pytest
from click.testing import CliRunner

import harness
from harness.cli import cli
from tests.api.models import ROWS, letter_counts

PAIRS = harness.make_task("pairs", "sts", ROWS)
FIVE = {name: cells[:5] for name, cells in ROWS.items()}

HEARING = """
from harness import hookimpl
from harness.authoring import Tracker

HEARD = []

class Run:
    def __init__(self, model):
        HEARD.append(("open", model))

    def log(self, record):
        HEARD.append(("log", record))

    def close(self, end):
        HEARD.append(("close", end))

@hookimpl
def harness_record(record, outcome, folder):
    HEARD.append(("record", outcome, record, folder))

@hookimpl
def harness_trackers():
    return [Tracker("memory", "a list", Run)]
"""


@pytest.fixture
def plugin(tmp_path):
    """A function that writes a plugin; returns its file."""

    def write(code=HEARING, name="hearing"):
        (tmp_path / f"{name}.py").write_text(code)
        return tmp_path / f"{name}.py"

    yield write
    sys.modules.pop("harness_plugin_file_hearing", None)


def heard(kind):
    (module,) = [
        module
        for name, module in sys.modules.items()
        if name.endswith("hearing") and hasattr(module, "HEARD")
    ]
    return [entry[1:] for entry in module.HEARD if entry[0] == kind]


def test_a_hook_is_told_of_computed_kept_and_failed_records_that_are_on_disk(plugin, tmp_path):
    file, out = plugin(), tmp_path / "out"

    def broken(texts):
        raise ValueError("no")

    harness.evaluate("lexical", PAIRS, out=out, plugins=[file])
    ((outcome, record, folder),) = heard("record")
    assert (outcome, folder) == ("computed", str(out))
    (path,) = (out / "records").rglob("*.json")
    assert {**json.loads(path.read_bytes()), "seal": 0} == {**record, "seal": 0}
    harness.evaluate({"lexical": "lexical", "b": broken}, PAIRS, out=out, plugins=[file], keep_going=True)
    assert [outcome for outcome, *_ in heard("record")] == ["kept", "failed"]


def test_a_record_that_is_told_cannot_be_changed(plugin):
    harness.evaluate("lexical", PAIRS, plugins=[plugin()])
    ((_, record, _),) = heard("record")
    with pytest.raises(TypeError, match="cannot be changed"):
        record["scores"].clear()
    with pytest.raises(TypeError, match="cannot be changed"):
        record["scores"][0]["score"] = 1.0


def test_a_tracker_gets_one_run_for_each_model_with_all_of_its_records_and_the_leaderboard(plugin):
    file = plugin()
    other = harness.make_task("five", "sts", FIVE)
    results = harness.evaluate(
        {"a": "lexical", "b": letter_counts}, [PAIRS, other], plugins=[file], track="memory", throughput=True
    )
    opened = [model for (model,) in heard("open")]
    assert [model.model for model in opened] == ["a", "b"]
    assert len({model.run for model in opened}) == 1
    assert opened[0].parameters["settings.dtype"] == "float32"
    metrics = [record.metrics for (record,) in heard("log")]
    assert len(metrics) == 4
    score = results["a", "pairs"].headline
    assert metrics[0] == {"pairs/spearman": score.score, "pairs/spearman_low": score.low} | metrics[0]
    ends = [end for (end,) in heard("close")]
    assert [end.status for end in ends] == ["finished", "finished"]
    assert ends[0].metrics["throughput/texts_per_second"] > 0
    assert b"spearman" in ends[0].files["leaderboard.csv"]


RAISES = HEARING.replace('HEARD.append(("log", record))', 'raise OSError("the server is off")')


def test_a_tracker_that_raises_is_a_problem_and_the_results_stay(plugin, tmp_path):
    file = plugin(RAISES)
    answer = CliRunner().invoke(
        cli,
        ["run", "--model", "lexical", "--tasks", "stsb,penal-triplets", "--no-throughput", "--json",
         "--plugin", str(file), "--track", "memory", "--out", str(tmp_path / "out")],
    )  # fmt: skip
    assert answer.exit_code == 2
    document = json.loads(answer.stdout)
    assert {record["status"] for record in document["records"]} == {"ok"}
    assert document["problems"] == [
        "tracker memory has not got all results, which are on disk: OSError: the server is off"
    ]


def test_a_hook_that_raises_is_named_with_its_place_once(plugin):
    file = plugin(
        HEARING.replace('HEARD.append(("record", outcome, record, folder))', 'raise ValueError("full")')
    )
    with pytest.warns(UserWarning, match="PROBLEM plugin hearing"):
        results = harness.evaluate({"a": "lexical", "b": letter_counts}, PAIRS, plugins=[file])
    (problem,) = results.problems
    assert "line 19): harness_record raised ValueError: full" in problem
    assert len(results) == 2


def test_a_run_of_a_tracker_ends_as_interrupted_where_the_run_is(plugin):
    file = plugin()

    def interrupting(texts):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        harness.evaluate({"a": "lexical", "b": interrupting}, PAIRS, plugins=[file], track=["memory"])
    ((end,),) = heard("close")
    assert end.status == "interrupted"


def test_no_text_of_a_row_reaches_a_tracker_with_no_texts(plugin):
    quoting = (
        HEARING
        + """
from harness import Dataset, Finding, Predictions, Severity, Task, mean_metric

class Quoting(Task):
    name, kind, metrics = "quoting", "quoting", (mean_metric("accuracy", "correct"),)

    def load(self, source):
        note = Finding("odd", Severity.NOTE, "the row 'a private text' is odd", "look")
        return Dataset({"text": ["a private text", "b", "c"]}, findings=[note])

    def predict(self, model, dataset):
        model.encode(dataset["text"])
        return Predictions(dataset, correct=[1.0, 1.0, 0.0])

@hookimpl
def harness_tasks():
    return [Quoting()]
"""
    )
    harness.evaluate("lexical", "quoting", plugins=[plugin(quoting)], track="memory", no_texts=True)
    assert heard("log")
    assert "private" not in repr([heard("record"), heard("open"), heard("log"), heard("close")])


def test_an_unknown_tracker_is_refused_with_those_that_exist(plugin):
    with pytest.raises(harness.HarnessError, match="no tracker named 'memry'") as refused:
        harness.evaluate("lexical", PAIRS, plugins=[plugin()], track="memry")
    assert "memory" in str(refused.value)


def test_a_hook_with_an_argument_that_is_not_told_is_a_fault(plugin):
    file = plugin(HEARING.replace("record, outcome, folder):", "record, results):"))
    with pytest.raises(harness.HarnessError, match="declares results: it gets record, outcome, folder"):
        harness.evaluate("lexical", PAIRS, plugins=[file])
