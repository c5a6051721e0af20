"""Examples of a board: which are kept, what they say, and what is left out."""

from __future__ import annotations

import json
import shutil
from dataclasses import asdict, replace
from pathlib import Path

import pytest
from comparison.made import answer

from benchmarks.report.make_results import HOSTILE, make_results
from harness.comparison.sources import read_results
from harness.metrics.standard import SPEARMAN, mean_metric
from harness.plugins.loader import load_plugins
from harness.report.board_answers import read_answers
from harness.report.documents import read_documents
from harness.report.examples import examples_of
from report.made_board import board

SAMPLE = Path(__file__).parents[2] / "results" / "example"


def shown(root, task, **how):
    return examples_of(board(root, task), **({"texts": True, "most": 1000} | how))


def test_all_columns_have_a_cell_for_each_example(made):
    for task in ("sts-00", "triplet-01", "clauses-02", "three-way-03", "retrieval-04", "evidence-05"):
        found = shown(made, task, most=25)
        columns = [found.lengths, found.clusters, *found.texts.values(), *(m.quality for m in found.models)]
        columns += [found.gold or found.ids, found.relevant or found.ids]
        columns += [model.answers or model.documents.ids for model in found.models]
        assert {len(column) for column in columns} == {25}, task
        assert found.left_out == 15


def test_the_examples_that_models_differ_most_on_are_kept_and_ties_go_by_id(tmp_path):
    metric = mean_metric("recall@10")
    ids = ["q4", "q3", "q2", "q1", "q0"]
    answer(tmp_path, "a", metrics=(metric,), ids=ids, **{"recall@10": [0.5, 0.5, 1.0, 0.0, 0.2]})
    answer(tmp_path, "b", metrics=(metric,), ids=ids, **{"recall@10": [0.5, 0.0, 0.5, 0.5, 0.2]})
    found = shown(tmp_path, "quiz", most=2)
    # q3, q2 and q1 move by 0.5 each; the rows keep their order.
    assert (found.ids, found.left_out) == (("q2", "q1"), 3)
    assert [model.quality for model in found.models] == [(1, 0), (0.5, 0.5)]
    assert (found.quality, found.flips) == ("recall@10 of the example", False)


def test_answers_whose_ranks_are_judged_have_their_ranks_among_all_examples(tmp_path):
    gold, predicted = [5.0, 1.0, 3.0, 3.0], [0.2, 0.1, 0.9, 0.4]
    answer(tmp_path, "a", metrics=(SPEARMAN,), gold=gold, predicted=predicted)
    found = shown(tmp_path, "quiz", most=2)
    # Of four examples the two with the farthest ranks are kept: 1 against 3, and 2.5 against 1.
    assert (found.gold, found.gold_ranks) == ((5, 3), (1, 2.5))
    assert found.models[0].ranks == (3, 1)
    assert found.models[0].quality == pytest.approx((-0.5, -0.375))
    assert found.answer_of == "similarity"


def test_of_a_single_model_the_worst_answers_are_kept(tmp_path):
    answer(tmp_path, "a", correct=[1.0, 0.0, 1.0, 0.0])
    found = shown(tmp_path, "quiz", most=2)
    assert (found.ids, found.flips, found.quality) == (("e1", "e3"), True, "1 where right, else 0")


def test_a_model_without_predictions_is_absent_and_says_why(made, tmp_path):
    root = shutil.copytree(made, tmp_path / "copy")
    gone = next((root / "predictions").glob("candidate*"))
    (gone / "sts-00.parquet").unlink()
    found = shown(root, "sts-00")
    assert [model.model for model in found.models] == ["baseline"]
    assert "missing" in next(iter(found.absent.values()))
    shutil.rmtree(root / "predictions")
    assert board(root, "sts-00") is None


def test_texts_come_as_they_are(made):
    found = shown(made, "sts-00")
    assert found.texts["text1"][: len(HOSTILE)] == HOSTILE
    assert found.ids[0] == f"0 {HOSTILE[0]}"


@pytest.mark.parametrize("task", ["sts-00", "three-way-03", "retrieval-04", "evidence-05"])
def test_without_texts_no_text_and_no_name_that_is_one_is_left(made, task):
    found = shown(made, task, texts=False)
    said = json.dumps(asdict(replace(found, models=[replace(m, model="") for m in found.models], absent={})))
    assert not any(json.dumps(text)[1:-1] in said for text in HOSTILE)
    assert (found.texts, found.documents) == ({}, {})
    assert len(set(found.ids)) == 40
    assert found.ids[-1] == "e39"


def test_records_that_were_made_without_texts_give_none(tmp_path):
    told = {"no_texts": True, "metrics": (SPEARMAN,)}
    columns = {"gold": [1.0, 2.0, 3.0], "predicted": [0.1, 0.2, 0.3]}
    answer(tmp_path, "a", **told, **columns, ids=["the secret plan of ours", "b", "c"])
    answer(
        tmp_path,
        "b",
        **columns,
        metrics=(SPEARMAN,),
        ids=["the secret plan of ours", "b", "c"],
        note=["x"] * 3,
    )
    found = shown(tmp_path, "quiz")
    assert found.texts == {}
    assert "secret" not in str(found)


def test_numbers_are_rounded_and_what_is_no_number_is_none(tmp_path):
    values = [0.123456789, float("nan"), float("inf"), 1.0]
    answer(tmp_path, "a", correct=[1.0] * 4, predicted=values)
    (model,) = shown(tmp_path, "quiz").models
    assert model.answers == (0.12346, None, None, 1)


def sample_board(tasks, name="aila-statutes"):
    models = read_results(SAMPLE)
    slot = next(slot for slot in models[0].answered if slot[0] == name)
    return read_answers(name, {model.name: model.answered[slot] for model in models}, tasks)


@pytest.fixture(scope="module")
def tasks():
    return load_plugins().tasks()


@pytest.mark.parametrize("name", ["aila-statutes", "contract-nli-evidence"])
def test_documents_have_their_texts_from_the_sample_whose_digest_is_the_records(tasks, name):
    answers = sample_board(tasks, name)
    found = examples_of(answers, texts=True, most=3, documents=lambda record: read_documents(record, tasks))
    named = {name for model in found.models for ids in model.documents.ids for name in ids}
    named |= {name for ids in found.relevant for name in ids}
    assert (found.documents.keys(), found.no_documents) == (named, "")
    assert all(0 < len(text) <= 601 for text in found.documents.values())
    assert all(len(ids) == 10 for model in found.models for ids in model.documents.ids)
    assert found.quality.endswith("of the query")


def test_documents_of_other_data_are_not_shown_and_the_reason_is_said(tasks, tmp_path):
    record = sample_board(tasks).evaluations["minilm"]
    other = replace(record, examination=replace(record.examination, digest="0" * 64))
    assert "not what the record was made of" in read_documents(other, tasks).missing
    assert "no loaded plugin" in read_documents(record, {}).missing
    files = replace(record, examination=replace(record.examination, data="files"))
    assert "--data" in read_documents(files, tasks).missing
    assert "cannot be read here" in read_documents(files, tasks, [tmp_path]).missing
    hub = replace(record, examination=replace(record.examination, data="hub"))
    assert "hub" in read_documents(hub, tasks).missing


def test_documents_of_a_data_folder_are_read_where_one_of_several_has_the_rows(tasks, tmp_path):
    record = sample_board(tasks).evaluations["minilm"]
    sample = tasks["aila-statutes"].sample
    files = replace(record, examination=replace(record.examination, data="files"))
    found = read_documents(files, tasks, [tmp_path, sample])
    assert (found.texts, found.missing) == (read_documents(record, tasks).texts, "")
    assert len(found.texts) > 100


def test_answers_that_are_aligned_have_the_same_examples_in_another_order(tmp_path):
    answer(tmp_path, "a", correct=[1.0, 0.0, 1.0], ids=["x", "y", "z"])
    answer(tmp_path, "b", correct=[0.0, 1.0, 1.0], ids=["z", "y", "x"])
    found = shown(tmp_path, "quiz")
    assert [model.quality for model in found.models] == [(1, 0, 1), (1, 1, 0)]


@pytest.mark.slow
def test_the_same_arguments_make_the_same_results(made, tmp_path):
    again = make_results(tmp_path / "again", models=2, tasks=6, examples=40, hostile=True).root
    for name in ("leaderboard.csv", "throughput.csv"):
        assert (again / name).read_bytes() == (made / name).read_bytes()
