"""Records and predictions: read back exactly, written atomically, under safe names."""

from __future__ import annotations

import errno
import json
import os
import re
import unicodedata
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyarrow import parquet

from harness import Dataset, Finding, HarnessError, Predictions, Settings, Severity
from harness.authoring import ModelFacts
from harness.results.folder import ResultsFolder, encode
from harness.results.prediction_files import to_parquet
from harness.results.records import (
    Evaluation,
    Examination,
    ModelRecord,
    Score,
    Throughput,
    Truncation,
    content_hash,
)
from harness.system.atomic import temporary_name, write_output
from harness.system.limits import read_json_file
from harness.system.paths import file_name

FINGERPRINT = "0123456789abcdef" * 4
EVALUATION = Evaluation(
    key="k" * 64,
    status="ok",
    examination=Examination(
        task="mteb:Ünï/..", version=2, source="b" * 64, split="test", data="files", digest="d" * 64, limit=5
    ),
    candidate=ModelRecord(
        model="../my model",
        fingerprint=FINGERPRINT,
        settings=Settings(dtype="bfloat16", truncate_dim=128, prompts=(("query", "Query: "),)),
        facts=ModelFacts(dimensions=128, similarity="dot", parameters=22_713_216, max_tokens=256),
    ),
    kind="sts",
    tags=("legal", "sts"),
    scores=(
        Score(metric="spearman", score=0.1 + 0.2, low=-1e-300, high=1.0, examples=5, clusters=4),
        Score(metric="undefined", score=None, where="kept", per_example=True, columns=("gold", "kept")),
    ),
    predictions="p" * 64,
    fitted={"threshold": 0.30000000000000004, "classes": ["a", "b"], "nested": {"C": 1.5, "none": None}},
    findings=(Finding("labels-inverted", Severity.WARNING, "AUC 0.1", "swap them"),),
    truncation=Truncation(texts=10, truncated=1, tokens=100, lost=7),
    libraries={"numpy": "2.0"},
    code={"distribution topics": "1.0", "harness.metrics.standard": "0a1b2c3d", "helper": "4e5f6a7b"},
)
SPEED = Throughput(
    model="../my model", fingerprint=FINGERPRINT, workload="w" * 64, texts=10, tokens=None,
    seconds=(0.1, 0.2), cpu_seconds=(0.1, 0.1), texts_per_second=75.0,
    texts_per_second_low=50.0, texts_per_second_high=100.0,
    tokens_per_second=None, device="cpu", dtype="float32", backend="plain", threads=1, processor="x", cores=2,
    load=None,
)  # fmt: skip
PREDICTIONS = Predictions(
    Dataset({"text": ["Ünï", "b"], "cluster": ["c", "c"]}), gold=[1, 0], top=[np.array(["d1", "d2"]), ["d3"]]
)


@pytest.fixture
def results(tmp_path) -> ResultsFolder:
    return ResultsFolder(tmp_path / "results")


def files(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()
    }


# --- round trips ------------------------------------------------------------------------------------------


def test_a_record_comes_back_as_it_was_written(results):
    results.write(EVALUATION, PREDICTIONS)
    assert results.read(EVALUATION.model, EVALUATION.examination) == EVALUATION
    assert results.evaluations() == [EVALUATION]
    assert ResultsFolder(results.root / "elsewhere").evaluations() == []


@given(
    score=st.floats(allow_nan=False, allow_infinity=False),
    model=st.text(st.characters(exclude_categories=["Cs"])),
    error=st.none() | st.text(st.characters(exclude_categories=["Cs"])),
)
def test_every_bit_of_a_score_and_every_character_of_a_name_comes_back(score, model, error, tmp_path_factory):
    results = ResultsFolder(tmp_path_factory.getbasetemp() / "property")
    written = replace(
        EVALUATION,
        candidate=replace(EVALUATION.candidate, model=model),
        scores=(Score(metric="m", score=score),),
        error=error,
    )
    results.write(written, None)
    assert repr(results.read((model, FINGERPRINT), EVALUATION.examination)) == repr(written)


def test_a_pipe_at_the_path_of_predictions_does_not_block(results, monkeypatch):
    results.write(EVALUATION, PREDICTIONS)
    path = results.predictions_path(EVALUATION)
    path.unlink()
    os.mkfifo(path)
    monkeypatch.setattr(parquet, "read_schema", lambda _path: pytest.fail("it was opened"))
    assert not results.has_predictions(EVALUATION)


def test_a_failure_that_another_process_removes_meanwhile_is_skipped(results, monkeypatch):
    failed = replace(EVALUATION, status="error", error="no", scores=(), predictions=None)
    results.write(EVALUATION, None)
    results.write_error(failed, None)

    def read(path):
        if path == results.record_path(failed):
            ResultsFolder(results.root).forget_failure(EVALUATION)
        return read_json_file(path)

    monkeypatch.setattr("harness.results.folder.read_json_file", read)
    assert results.evaluations() == [EVALUATION]


def test_a_dangling_link_is_an_error(results):
    results.write(EVALUATION, None)
    results.record_path(EVALUATION).with_name("more.json").symlink_to("nowhere")
    with pytest.raises(HarnessError, match=r"more\.json is not a readable record"):
        results.evaluations()


def test_predictions_come_back_from_parquet(results):
    results.write(EVALUATION, PREDICTIONS)
    path = results.predictions_path(EVALUATION)
    assert parquet.read_table(path).to_pydict() == {
        "id": ["0", "1"],
        "text": ["Ünï", "b"],
        "cluster": ["c", "c"],
        "gold": [1, 0],
        "top": [["d1", "d2"], ["d3"]],
    }


def test_fitted_values_may_be_numpy_numbers_and_arrays(results):
    fitted = {"threshold": np.float32(0.5), "weights": np.array([1, 2]), "undefined": float("nan")}
    results.write(replace(EVALUATION, fitted=fitted), None)
    (found,) = results.evaluations()
    assert found.fitted == {"threshold": 0.5, "weights": [1, 2], "undefined": None}


def test_a_speed_comes_back_and_replaces_the_last_one(results):
    results.write_throughput(SPEED)
    results.write_throughput(replace(SPEED, texts_per_second=80.0))
    assert results.throughputs() == [replace(SPEED, texts_per_second=80.0)]


def test_the_same_record_is_the_same_bytes(tmp_path):
    for name in ("a", "b"):
        ResultsFolder(tmp_path / name).write(EVALUATION, PREDICTIONS)
    assert files(tmp_path / "a") == files(tmp_path / "b")


def test_records_are_listed_in_an_order_of_their_content_alone(tmp_path):
    tasks = ["b", "a", "B", "c:d", "ä"]
    models = ["m", "M", "é", "n"]
    evaluations = [
        replace(
            EVALUATION,
            examination=replace(EVALUATION.examination, task=task),
            candidate=replace(EVALUATION.candidate, model=model),
        )
        for task in tasks
        for model in models
    ]
    for name, order in (("forward", evaluations), ("backward", evaluations[::-1])):
        for evaluation in order:
            ResultsFolder(tmp_path / name).write(evaluation, None)
    assert (
        ResultsFolder(tmp_path / "forward").evaluations()
        == ResultsFolder(tmp_path / "backward").evaluations()
    )


FAILED = replace(EVALUATION, status="error", scores=(), predictions=None, error="boom")


def test_a_failure_hides_an_earlier_success_and_keeps_its_files(results):
    results.write(EVALUATION, PREDICTIONS)
    results.write_error(FAILED, "Traceback: boom")
    assert results.evaluations() == [FAILED]
    assert results.trace_path(FAILED).read_text() == "Traceback: boom"
    assert results.read(EVALUATION.model, EVALUATION.examination) == EVALUATION
    assert results.has_predictions(EVALUATION)


@pytest.mark.parametrize("data", ["sample", "files", "own"])
def test_a_success_removes_a_failure_of_any_data_source(results, data):
    results.write_error(replace(FAILED, examination=replace(FAILED.examination, data=data)), "boom")
    sample = replace(EVALUATION, examination=replace(EVALUATION.examination, data="sample"))
    results.write(sample, PREDICTIONS)
    results.forget_failure(sample)
    assert results.evaluations() == [sample]
    assert list(results.root.glob("errors/*/*")) == []


@pytest.mark.parametrize("other", [{"limit": 7}, {"data": "sample"}], ids=str)
def test_a_sample_and_a_limited_run_do_not_replace_the_full_result(results, other):
    quick = replace(EVALUATION, examination=replace(EVALUATION.examination, **other))
    results.write(EVALUATION, PREDICTIONS)
    results.write(quick, PREDICTIONS)
    assert len(results.evaluations()) == 2
    assert results.read(EVALUATION.model, EVALUATION.examination) == EVALUATION
    assert results.read(quick.model, quick.examination) == quick


def test_a_file_that_is_not_a_record_is_named_and_the_others_are_read(results):
    results.write(EVALUATION, None)
    broken = results.root / "records" / "x~00000000" / "torn.json"
    broken.parent.mkdir()
    broken.write_text('{"schema": 1')
    unreadable = []
    assert results.evaluations(unreadable) == [EVALUATION]
    assert "torn.json is not a readable record" in unreadable[0]
    with pytest.raises(HarnessError, match="not a readable record"):
        results.evaluations()


def test_missing_predictions_are_noticed(results):
    results.write(EVALUATION, PREDICTIONS)
    assert results.has_predictions(EVALUATION)
    results.predictions_path(EVALUATION).unlink()
    assert not results.has_predictions(EVALUATION)
    assert results.has_predictions(replace(EVALUATION, predictions=None))


def test_records_of_another_schema_are_refused(results):
    results.write(replace(EVALUATION, schema=EVALUATION.schema + 1), None)
    with pytest.raises(HarnessError, match="has schema 2, not 1"):
        results.read(EVALUATION.model, EVALUATION.examination)


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(b"", id="empty"),
        pytest.param(encode(EVALUATION)[:-40], id="cut"),
        pytest.param(b'{"schema": 1}', id="without fields"),
        pytest.param(encode(EVALUATION).replace(b'"ok"', b'"good"'), id="an unknown status"),
        pytest.param(
            encode(EVALUATION).replace(b'"version": 2', b'"version": "2"'), id="a text for a number"
        ),
        pytest.param(
            encode(EVALUATION).replace(b'"high": 1.0', b'"high": null'), id="an interval of one end"
        ),
        *(
            pytest.param(encode(asdict(EVALUATION) | {"truncation": counts}), id=case)
            for counts, case in (
                ({"texts": 0, "truncated": 1, "tokens": 9, "lost": 9}, "texts cut where there are none"),
                ({"texts": 1, "truncated": 1, "tokens": 0, "lost": 1}, "tokens lost where there are none"),
                ({"texts": 1, "truncated": 1}, "a text cut without a token lost"),
                ({"texts": 1, "truncated": -1}, "fewer texts cut than none"),
            )
        ),
        pytest.param(b'{"schema": 1, "key": "\xff"}', id="not UTF-8"),
        pytest.param(b"[" * 100_000, id="nested deeply"),
        pytest.param(b"[]", id="a list"),
    ],
)
def test_a_file_that_is_not_a_record_is_an_error_with_a_hint(content, results):
    path = results.root / "records" / "m~01234567" / "task.json"
    path.parent.mkdir(parents=True)
    path.write_bytes(content)
    with pytest.raises(HarnessError, match=r"task\.json is not a readable record(.|\n)*delete it"):
        results.evaluations()


# --- names ------------------------------------------------------------------------------------------------

ANY_NAME = st.text(st.characters(exclude_categories=["Cs"]), max_size=200) | st.text(
    "./\\%~:\0 aA", max_size=9
)
DEVICES = [
    "con",
    "prn",
    "aux",
    "nul",
    *(f"{port}{number}" for port in ("com", "lpt") for number in range(10)),
]
DEVICE = st.builds("".join, st.tuples(st.sampled_from(DEVICES), st.sampled_from(["", ".", ".txt", "x", "~"])))
ALIKE = st.sampled_from(["stsb", "STSB", "Stsb", "STSb", "\u017ft", "st", "\ufb06", "e\u0301", "\u00e9"])


@given(ANY_NAME)
def test_a_file_name_is_one_plain_visible_part_of_a_path(name):
    found = file_name(name)
    assert re.fullmatch(r"[A-Za-z0-9._%~-]+", found)
    assert not found.startswith(".")
    assert Path(found).name == found
    # Room for `~fp8`, a suffix and the prefix of a temporary file, in the 255 bytes that file systems take.
    assert len(found) <= 120


def as_stored(name):
    """A file's name as file systems compare it that fold case, or see two spellings of one letter."""
    return unicodedata.normalize("NFKD", file_name(name)).casefold()


@given(ANY_NAME | ALIKE, ANY_NAME | ALIKE)
def test_different_names_have_different_files_on_every_file_system(one, other):
    assert (as_stored(one) == as_stored(other)) == (one == other)


@given(st.text("aAbB", max_size=60), st.data())
def test_names_that_differ_in_their_capitals_have_different_files(name, data):
    other = "".join(data.draw(st.sampled_from([letter.upper(), letter.lower()])) for letter in name)
    assert (as_stored(name) == as_stored(other)) == (name == other)


@given(DEVICE | DEVICE.map(str.upper) | ANY_NAME)
def test_no_file_is_a_device_of_windows_or_ends_in_a_dot(name):
    found = file_name(name)
    assert found.partition(".")[0].lower() not in DEVICES
    assert not found.endswith((".", " "))


def test_a_short_name_cannot_be_made_to_look_like_a_long_one():
    long = "x" * 200
    tail = file_name(long)[100:]
    assert file_name("x" * 100 + tail) != file_name(long)
    assert file_name("x" * 100 + chr(int(tail[1:3], 16)) + tail[3:]) != file_name(long)


@given(model=ANY_NAME, fingerprint=ANY_NAME, task=ANY_NAME)
def test_no_name_leaves_the_results_folder(model, fingerprint, task):
    root = Path("/results")
    named = replace(
        EVALUATION,
        candidate=replace(EVALUATION.candidate, model=model, fingerprint=fingerprint),
        examination=replace(EVALUATION.examination, task=task),
    )
    path = ResultsFolder(root).predictions_path(named)
    assert path.parts[:3] == ("/", "results", "predictions")
    assert len(path.parts) == 5
    assert ".." not in path.parts


def test_a_plain_name_stays_readable():
    assert file_name("all-minilm-l6-v2") == "all-minilm-l6-v2"
    assert file_name("all-MiniLM-L6-v2") == "all-MiniLM-L6-v2~b10"
    assert file_name("mteb:STS") == "mteb%3ASTS~e0"
    assert file_name("../x") == "%2E.%2Fx"
    assert file_name("nul") == "%6Eul"


# --- whole or absent --------------------------------------------------------------------------------------


def full_disk(*_arguments, **_options):
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def read_only(*_arguments, **_options):
    raise OSError(errno.EROFS, os.strerror(errno.EROFS))


@pytest.mark.parametrize(
    ("where", "name"),
    [(os, "fsync"), (Path, "replace"), (Path, "open")],
    ids=["fsync", "replace", "open"],
)
@pytest.mark.parametrize("before", [None, b"the last result"])
def test_a_full_disk_leaves_existing_files_and_no_partial_ones(where, name, before, tmp_path, monkeypatch):
    path = tmp_path / "records" / "one.json"
    if before:
        write_output(path, before)
    with monkeypatch.context() as patch:
        patch.setattr(where, name, full_disk)
        with pytest.raises(HarnessError, match=rf"cannot write {path}: No space left on device\n  hint: ear"):
            write_output(path, b"a new result")
    assert files(tmp_path) == ({"records/one.json": before} if before else {})


def test_an_interruption_leaves_no_partial_files(tmp_path, monkeypatch):
    def interrupt(_descriptor):
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "fsync", interrupt)
    with pytest.raises(KeyboardInterrupt):
        write_output(tmp_path / "one.json", b"a result")
    assert files(tmp_path) == {}


def test_a_read_only_folder_is_an_error_of_one_sentence(results, monkeypatch):
    monkeypatch.setattr(Path, "open", read_only)
    with pytest.raises(HarnessError, match=r"cannot write .*: Read-only file system"):
        results.write(EVALUATION, PREDICTIONS)


def test_results_are_not_written_through_a_link_in_their_folder(results, tmp_path):
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    results.root.mkdir(exist_ok=True)
    (results.root / "records").symlink_to(elsewhere)
    with pytest.raises(HarnessError, match="records is a link: results are not written through links"):
        results.write(EVALUATION, PREDICTIONS)
    assert list(elsewhere.iterdir()) == []


@pytest.mark.parametrize("link", ["errors", "errors/MODEL"])
def test_no_record_elsewhere_is_removed_through_a_link(results, tmp_path, link):
    good = ResultsFolder(tmp_path / "good")
    good.write(EVALUATION, None)
    (model,) = (good.root / "records").iterdir()
    path = results.root / link.replace("MODEL", model.name)
    path.parent.mkdir(parents=True)
    path.symlink_to(model if "/" in link else model.parent)
    before = files(good.root)
    with pytest.raises(HarnessError, match=r"errors.* is a link: results are not written through links"):
        results.forget_failure(EVALUATION)
    assert files(good.root) == before


@pytest.mark.parametrize("link", ["runs", "records/m"])
def test_stale_files_are_not_removed_through_a_link(results, tmp_path, link, monkeypatch):
    monkeypatch.setattr("harness.system.atomic._is_running", lambda _pid: False)
    (tmp_path / "elsewhere" / "m").mkdir(parents=True)
    halves = [tmp_path / "elsewhere" / place / temporary_name("a.json") for place in (".", "m")]
    for half in halves:
        half.touch()
    (results.root / link).parent.mkdir(parents=True)
    (results.root / link).symlink_to(tmp_path / "elsewhere")
    results.remove_stale()
    assert [half.exists() for half in halves] == [True, True]


def test_a_results_folder_may_itself_be_a_link(results, tmp_path):
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    results.root.symlink_to(elsewhere)
    results.write(EVALUATION, PREDICTIONS)
    assert results.read(EVALUATION.model, EVALUATION.examination) == EVALUATION


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_without_write_permission_is_an_error_of_one_sentence(tmp_path):
    tmp_path.chmod(0o555)
    with pytest.raises(HarnessError, match=r"cannot write .*: Permission denied"):
        ResultsFolder(tmp_path / "results").write(EVALUATION, None)


def test_a_file_where_the_folder_should_be_is_an_error_of_one_sentence(tmp_path):
    (tmp_path / "results").touch()
    with pytest.raises(HarnessError, match=r"cannot (write|remove)"):
        ResultsFolder(tmp_path / "results").write(EVALUATION, None)


def test_a_record_is_written_after_the_predictions_that_it_vouches_for(results, monkeypatch):
    written = []
    monkeypatch.setattr("harness.system.atomic.write_output", lambda path, _content: written.append(path))
    results.write(EVALUATION, PREDICTIONS)
    assert [path.suffix for path in written] == [".parquet", ".json"]


# --- content ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "values",
    [
        pytest.param((0.5, 0.25), id="tuple"),
        pytest.param(np.array([0.5, 0.25]), id="float64"),
        pytest.param(np.array([0.5, 0.25], dtype=np.float32), id="float32, exactly"),
        pytest.param([np.float64(0.5), np.float32(0.25)], id="numpy numbers"),
        pytest.param(np.array([0.5, 0.25], dtype=object), id="objects"),
        pytest.param(pd.Series([0.5, 0.25]), id="pandas"),
    ],
)
def test_a_content_hash_is_of_values_not_of_their_container(values):
    dataset = Dataset({"text": ["a", "b"]})
    plain = content_hash(Predictions(dataset, predicted=[0.5, 0.25]))
    assert content_hash(Predictions(dataset, predicted=values)) == plain


@pytest.mark.parametrize(
    "cells",
    [
        pytest.param([np.array([1, 2]), np.array([3])], id="arrays"),
        pytest.param([(1, 2), (3,)], id="tuples"),
        pytest.param([[np.int64(1), np.int64(2)], [np.int32(3)]], id="lists of numpy numbers"),
    ],
)
def test_a_content_hash_is_of_values_also_for_lists_in_cells(cells):
    dataset = Dataset({"text": ["a", "b"]})
    plain = content_hash(Predictions(dataset, top=[[1, 2], [3]]))
    assert content_hash(Predictions(dataset, top=cells)) == plain


NUMBERS = st.none() | st.integers(-9, 9) | st.floats(-9, 9)


@given(st.lists(NUMBERS, min_size=1, max_size=5) | st.lists(st.lists(NUMBERS, max_size=3), min_size=1))
def test_a_content_hash_is_the_same_when_the_file_is_read_again(cells):
    dataset = Dataset({"a": ["x"] * len(cells)})
    written = Predictions(dataset, answer=cells)
    table = parquet.read_table(pa.BufferReader(to_parquet(written, "")))
    read = Predictions(dataset, answer=table["answer"].to_pylist())
    assert content_hash(read) == content_hash(written)


def test_a_content_hash_changes_with_any_value_name_or_order():
    dataset = Dataset({"text": ["a", "b"]})
    hashes = {
        content_hash(predictions)
        for predictions in (
            Predictions(dataset, predicted=[0.1, 0.2]),
            Predictions(dataset, predicted=[0.1, np.nextafter(0.2, 1)]),
            Predictions(dataset, predicted=[0.2, 0.1]),
            Predictions(dataset, other=[0.1, 0.2]),
            Predictions(dataset, predicted=["0.1", "0.2"]),
            Predictions(dataset.take([1, 0]), predicted=[0.1, 0.2]),
        )
    }
    assert len(hashes) == 6


def test_a_content_hash_survives_parquet(results):
    results.write(EVALUATION, PREDICTIONS)
    path = results.predictions_path(EVALUATION)
    columns = parquet.read_table(path).to_pydict()
    again = Predictions(Dataset({"id": columns.pop("id")}), **columns)
    assert content_hash(again) == content_hash(PREDICTIONS)


# --- examinations -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"digest": "e" * 64}, "data: dddddddd / eeeeeeee"),
        ({"limit": None}, "limit: 5 / None"),
        ({"version": 3}, "task version: 2 / 3"),
        ({"source": "c" * 64}, "task source: bbbbbbbb / cccccccc"),
        ({"split": "dev"}, "split: test / dev"),
        ({"data": "sample"}, "data: files / sample"),
    ],
)
def test_differences_of_examinations_are_listed(change, expected):
    one = EVALUATION.examination
    assert one.differences(one) == []
    assert one.differences(replace(one, **change)) == [expected]


def test_a_record_is_json_that_anyone_can_read(results):
    results.write(EVALUATION, None)
    (path,) = results.root.glob("records/*/*.json")
    content = json.loads(path.read_text(encoding="utf-8"))
    assert content["scores"][0]["score"] == 0.30000000000000004
    assert content["candidate"]["settings"]["prompts"] == [["query", "Query: "]]
