"""A look at a results folder: whatever was changed after it was written is found."""

from __future__ import annotations

import inspect
import json
import math
import os
import shutil
import sys
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pytest
from conftest import evaluated
from hypothesis import given, settings
from hypothesis import strategies as st
from pyarrow import parquet

from harness.errors import HarnessError
from harness.evaluation.run import run_plan
from harness.evaluation.runner import RunPlan
from harness.evaluation.score_check import SAME_SCORE
from harness.evaluation.verify import _files, verify
from harness.metrics.interface import Metric
from harness.metrics.standard import SPEARMAN, mean_metric
from harness.models.interface import ModelSpec
from harness.models.lexical import LexicalModel
from harness.results.folder import ResultsFolder, seal
from harness.results.publish import publish
from harness.results.records import Score
from harness.system.atomic import this_process
from harness.tasks.dataset import Dataset, Predictions
from harness.tasks.interface import AggregateTask, DataSource, Task
from harness.tasks.selection import SelectedTask

EXAMPLE = Path(__file__).parents[2] / "results" / "example"
ROWS = 24
FEW = settings(max_examples=40)


def largest(gold, predicted):
    return float(max(predicted))


class Told(Task):
    """Says of a text how long it is; every kind of column and metric is here."""

    name, kind, version = "told", "told", 1
    metrics = (SPEARMAN, mean_metric("hit", where="asked"), Metric("largest", largest))

    def load(self, source: DataSource) -> Dataset:
        return Dataset({"text": ["a" * (1 + row % 7) + "b" * (row % 5) for row in range(ROWS)]})

    def predict(self, model, dataset):
        lengths = [len(text) for text in dataset["text"]]
        return Predictions(
            dataset,
            gold=lengths,
            predicted=model.encode(dataset["text"]).max(axis=1),
            hit=[length % 2 for length in lengths],
            asked=[length > 2 for length in lengths],
            near=[["x"] * (length % 3) for length in lengths],
            unknown=[None if length % 2 else math.nan for length in lengths],
        )


class Whole(AggregateTask):
    """Scored by another tool: nothing but its seal vouches for its score."""

    name, kind, version = "whole", "whole", 1
    metrics = (Metric("ndcg@10", largest),)

    def load(self, source):
        return Dataset({"text": ["a", "b"]})

    def score(self, model, dataset):
        return {"ndcg@10": 0.25}


TASKS = {task.name: task for task in (Told(), Whole())}


@pytest.fixture(scope="module")
def written(tmp_path_factory) -> ResultsFolder:
    """A folder as a run leaves it; whoever changes a file in it puts it back."""
    results = ResultsFolder(tmp_path_factory.mktemp("written"))
    tasks = [SelectedTask(task, by_name=True) for task in TASKS.values()]
    run_plan(RunPlan(models=[LexicalModel(ModelSpec("lexical", ""))], tasks=tasks), results)
    publish(results)
    return results


@pytest.fixture
def results(written, tmp_path) -> ResultsFolder:
    """A copy of it."""
    shutil.copytree(written.root, tmp_path / "out")
    return ResultsFolder(tmp_path / "out")


def record(results, task="told") -> Path:
    (path,) = results.root.glob(f"records/*/{task}*.json")
    return path


def answers(results) -> Path:
    (path,) = results.root.glob("predictions/*/*.parquet")
    return path


def faults(results, tasks=None) -> list[str]:
    found = verify(results, TASKS if tasks is None else tasks).faults
    return [f"{fault.path.rsplit('/', maxsplit=1)[-1]}: {fault.what}" for fault in found]


def reseal(path: Path, change) -> None:
    """Change a record as one who forges its seal would have written it."""
    content = json.loads(path.read_text())
    change(content)
    path.write_text(json.dumps({**content, "seal": seal(content)}))


def leaves(value, path=()):
    """Places of all values within a JSON document."""
    if isinstance(value, dict | list) and value:
        for key in value if isinstance(value, dict) else range(len(value)):
            yield from leaves(value[key], (*path, key))
    else:
        yield path


def changed(value):
    """Another value of about the same kind, as near as one can be."""
    if isinstance(value, bool):
        return not value
    if isinstance(value, float):
        return 0.5 if math.isnan(value) else math.nextafter(value, math.inf)
    if isinstance(value, int):
        return value + 1
    return f"{value}x" if isinstance(value, str) else 1


def test_everything_that_a_run_wrote_verifies(written):
    report = verify(written, TASKS)
    assert report.faults == []
    assert (report.records, report.sealed, report.predictions, report.scores) == (2, 2, 1, 3)
    assert [file.why[:12] for file in report.unchecked] == ["another tool"]


def test_the_committed_example_verifies_with_every_score_recomputed():
    from harness.plugins.loader import load_plugins

    report = verify(ResultsFolder(EXAMPLE), load_plugins().tasks())
    assert report.faults == []
    assert (report.records, report.sealed, report.predictions, report.scores) == (14, 14, 14, 54)


@pytest.mark.slow
@FEW
@given(st.data())
def test_any_value_that_changes_in_a_record_is_found(written, data):
    path = record(written, data.draw(st.sampled_from(["told", "whole"])))
    before = path.read_bytes()
    content = json.loads(before)
    *inner, last = data.draw(st.sampled_from(list(leaves(content))))
    holder = content
    for key in inner:
        holder = holder[key]
    holder[last] = changed(holder[last])
    try:
        path.write_text(json.dumps(content))
        assert faults(written)
    finally:
        path.write_bytes(before)


@pytest.mark.slow
@FEW
@given(
    number=st.integers(0, 2),
    name=st.sampled_from(["score", "low", "high", "examples", "clusters"]),
    by=st.sampled_from([1e-8, -1e-8, 0.1, 1]),
)
def test_any_figure_that_changes_in_a_record_without_a_seal_is_found(written, number, name, by):
    path = record(written)
    before = path.read_bytes()

    def change(content):
        told = content["scores"][number][name]
        content["scores"][number][name] = told + 1 if isinstance(told, int) else (told or 0) + by

    try:
        reseal(path, change)
        assert faults(written)
    finally:
        path.write_bytes(before)


@pytest.mark.slow
@FEW
@given(st.data())
def test_any_value_that_changes_in_the_predictions_is_found(written, data):
    path = answers(written)
    before = path.read_bytes()
    table = parquet.read_table(path)
    name = data.draw(st.sampled_from(table.column_names))
    row = data.draw(st.integers(0, ROWS - 1))
    cells = table[name].to_pylist()
    cells[row] = [*cells[row], "y"] if isinstance(cells[row], list) else changed(cells[row])
    column = pa.array(cells, table[name].type)
    tampered = table.set_column(table.column_names.index(name), name, column)
    try:
        parquet.write_table(tampered.replace_schema_metadata(table.schema.metadata), path)
        assert any("its values hash to" in fault for fault in faults(written))
    finally:
        path.write_bytes(before)


@pytest.mark.slow
@FEW
@given(name=st.sampled_from(["leaderboard.csv", "leaderboard.md"]), data=st.data())
def test_any_byte_that_changes_in_a_leaderboard_is_found(written, name, data):
    path = written.root / name
    before = path.read_bytes()
    place = data.draw(st.integers(0, len(before) - 1))
    try:
        path.write_bytes(before[:place] + bytes([before[place] ^ 1]) + before[place + 1 :])
        (found,) = faults(written)
        line = before[:place].count(b"\n") + 1
        assert found == f"{name}: line {line} differs from the records"
    finally:
        path.write_bytes(before)


def test_a_fault_has_the_numbers_and_a_remedy(results):
    reseal(record(results), lambda content: content["scores"][0].update(score=0.5))
    score = next(fault for fault in verify(results, TASKS).faults if "spearman" in fault.what)
    assert "the record says 0.5, the predictions give " in score.what
    assert "--fresh" in score.remedy


def test_a_score_that_differs_by_the_order_of_additions_is_not_a_fault(results):
    def change(content):
        content["scores"][0]["score"] *= 1 + SAME_SCORE / 2

    reseal(record(results), change)
    assert {fault.split(":")[0] for fault in faults(results)} == {"leaderboard.csv"}


def test_a_record_without_a_seal_is_a_fault(results):
    content = json.loads(record(results).read_text())
    del content["seal"]
    record(results).write_text(json.dumps(content))
    assert verify(results, TASKS).sealed == len(TASKS) - 1
    assert any("has no seal" in fault for fault in faults(results))


def another_column(results, kind, name="other") -> None:
    """Put a column beside the others into a file of predictions."""
    table = parquet.read_table(answers(results))
    column = pa.array([2**62 - 2**62 % 86_400_000] * table.num_rows).cast(kind)
    parquet.write_table(table.append_column(name, column), answers(results))


SPOILED = {
    "a column twice": (lambda r: another_column(r, pa.int64(), "id"), "it cannot be read"),
    "a date": (lambda r: another_column(r, pa.date64()), "it cannot be read"),
    "a while": (lambda r: another_column(r, pa.duration("s")), "it cannot be read"),
    "a time zone": (lambda r: another_column(r, pa.timestamp("us", "Nowhere/Town")), "it cannot be read"),
    "half a record": (lambda r: record(r).write_text("{"), "not a readable record"),
    "moved": (lambda r: record(r).rename(record(r).with_name("other.json")), "its content belongs in"),
    "no predictions": (lambda r: answers(r).unlink(), "its predictions are missing"),
    "half a parquet": (lambda r: answers(r).write_bytes(b"PAR1"), "it cannot be read"),
    "orphan": (
        lambda r: shutil.copy(answers(r), answers(r).with_name("more.parquet")),
        "more.parquet: no record refers to it",
    ),
    "link": (lambda r: (r.root / "records" / "link").symlink_to(r.root), "link: it is a symlink"),
    "stranger": (lambda r: record(r).with_name("notes.md").write_text(""), "notes.md: no run writes"),
    "half-written": (
        lambda r: record(r).with_name(f".x.{this_process()[:8]}-999999999-00000000.tmp").write_text(""),
        "left it half-written",
    ),
    "no board": (lambda r: (r.root / "leaderboard.csv").unlink(), "leaderboard.csv: it is missing"),
    "speeds": (lambda r: (r.root / "throughput.csv").write_text(""), "there is nothing to publish in it"),
    "journal": (lambda r: r.write_run("now", {"started": 3}), "is not the journal of a run"),
}


def test_a_leaderboard_is_not_read_beyond_its_expected_length(results):
    board = results.root / "leaderboard.csv"
    length = board.read_bytes().count(b"\n")
    with board.open("r+b") as file:
        file.truncate(2**40)  # a terabyte, which takes no room
    assert faults(results) == [f"leaderboard.csv: line {length + 1} differs from the records"]


def test_folders_can_be_deeper_than_the_recursion_limit(tmp_path):
    deepest = tmp_path
    for _ in range(200):
        deepest /= "d"
        deepest.mkdir()
    (deepest / "notes.md").touch()
    most = sys.getrecursionlimit()
    sys.setrecursionlimit(len(inspect.stack(0)) + 100)
    try:
        assert list(_files(tmp_path)) == [deepest / "notes.md"]
    finally:
        sys.setrecursionlimit(most)


@pytest.mark.parametrize("spoiled", SPOILED)
def test_every_damaged_or_foreign_file_is_reported(results, spoiled):
    spoil, told = SPOILED[spoiled]
    spoil(results)
    assert any(told in fault for fault in faults(results))


@pytest.mark.parametrize(
    "spoil", [lambda path: path.write_text("{"), lambda path: (path.unlink(), os.mkfifo(path))]
)
def test_an_unreadable_record_is_reported_once_and_not_counted(results, spoil):
    before, path = verify(results, {}).records, record(results)
    spoil(path)
    report = verify(results, {})
    assert (report.records, report.sealed) == (before - 1, before - 1)
    (told,) = [fault.what for fault in report.faults if "not a readable record" in fault.what]
    assert told.startswith("is not a readable record: ")
    assert str(path) not in told


def test_predictions_of_another_run_are_recognized_by_their_footer(results):
    path = answers(results)
    table = parquet.read_table(path)
    parquet.write_table(table.replace_schema_metadata({"content_hash": "0" * 64}), path)
    assert [fault.partition(": ")[2][:24] for fault in faults(results)] == ["its footer says 00000000"]


FORGED = {
    "its predicted": lambda score: score.update(columns=["gold", "unknown"]),
    "its where": lambda score: score.update(where="asked"),
    "a mean": lambda score: score.update(columns=["hit"], per_example=True),
}


@pytest.mark.parametrize("forged", FORGED)
def test_a_metric_that_reads_what_its_task_does_not_say_is_a_fault(results, forged):
    reseal(record(results), lambda content: FORGED[forged](content["scores"][0]))
    assert any(
        "its spearman reads " in fault and "that of the task gold and predicted" in fault
        for fault in faults(results)
    )


def test_a_record_that_says_that_it_needs_no_predictions_is_a_fault_where_its_task_gives_them(results):
    def whole(content):
        content["predictions"] = None
        content["scores"] = [{**content["scores"][0], "columns": [], "low": None, "high": None}]

    reseal(record(results), whole)
    answers(results).unlink()
    publish(results)
    assert ["it names no predictions" in fault for fault in faults(results)] == [True]
    report = verify(results, {})  # without its task nothing more can be said of it
    assert report.faults == []
    assert sum("another tool" in file.why for file in report.unchecked) == len(TASKS)


def test_metrics_that_its_task_does_not_have_are_a_fault(results):
    reseal(record(results), lambda content: content["scores"][0].update(metric="spearman_tuned"))
    assert any(
        "its metrics are spearman_tuned, hit, largest, those of told" in one for one in faults(results)
    )


def test_a_kind_that_is_not_its_tasks_is_a_fault(results):
    reseal(record(results), lambda content: content.update(kind="weird"))
    assert any("its kind is weird, that of told told" in one for one in faults(results))


def test_a_metric_that_no_plugin_has_is_unchecked_and_not_a_fault(results):
    report = verify(results, {})
    assert report.faults == []
    assert report.scores == 2
    assert "no plugin brings the metric largest of told" in [file.why for file in report.unchecked]


def test_a_metric_of_a_task_that_is_not_loaded_is_found_by_its_kind(results):
    sibling = Told()
    sibling.name = "another"
    assert verify(results, {"another": sibling}).scores == 3


def test_a_metric_whose_code_has_changed_is_unchecked_and_not_a_fault(results, monkeypatch):
    task = Told()
    task.metrics = (Metric("largest", lambda gold, predicted: 7.0),)
    task.options = {"changed": True}
    report = verify(results, {"told": task})
    assert (report.faults, report.scores) == ([], 2)
    assert any("the code of task told is no longer the record's" in file.why for file in report.unchecked)


def test_a_failure_is_a_record_too(tmp_path):
    results = ResultsFolder(tmp_path)
    results.write_error(evaluated(error="out of memory"), "Traceback …")
    publish(results)
    assert faults(results) == []
    next(tmp_path.glob("errors/*/*.json")).unlink()
    results.write(replace(evaluated(), predictions=None, scores=(Score(metric="m", score=0.5),)), None)
    publish(results)
    assert faults(results) == ["stsb.txt: no record refers to it"]


def test_a_running_run_is_reported(results):
    told = {"started": "2026", "command": [], "state": "running", "process": this_process()}
    results.write_run("now", told)
    report = verify(results, TASKS)
    assert report.faults == []
    assert "this run has not finished: verify again when it has" in [file.why for file in report.unchecked]


def test_a_folder_without_a_record_cannot_be_verified(tmp_path):
    with pytest.raises(HarnessError, match="no results in"):
        verify(ResultsFolder(tmp_path), {})
