"""STS: scores equal those of sentence-transformers' evaluator."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from conftest import LetterModel
from sentence_transformers import SentenceTransformer
from sentence_transformers.sentence_transformer.evaluation import EmbeddingSimilarityEvaluator

from harness import DataSource, HarnessError, load_model
from harness.authoring import TaskDefinition
from harness.evaluation.evaluate import evaluate
from harness_sts.tasks import STS_KIND, stsb_tasks

pytestmark = pytest.mark.kernels

STSB, STSB_DEV = stsb_tasks()


def sample(task):
    return DataSource("sample", task.sample)


def scores(evaluation):
    return {score.metric: score.score for score in evaluation.scores}


@pytest.mark.parametrize("similarity", ["cosine", "dot", "euclidean", "manhattan"])
def test_scores_equal_the_evaluators_of_sentence_transformers(tiny, tmp_path, similarity):
    reference = SentenceTransformer(str(tiny), device="cpu", similarity_fn_name=similarity)
    reference.save_pretrained(str(tmp_path / "model"), create_model_card=False)
    dataset = STSB.load(sample(STSB))
    evaluator = EmbeddingSimilarityEvaluator(
        list(dataset["text1"]), list(dataset["text2"]), list(dataset["score"]), main_similarity=similarity
    )
    expected = evaluator(reference)
    evaluation, _ = evaluate(load_model(str(tmp_path / "model")), STSB, sample(STSB))
    # A tiny model's embeddings are nearly parallel, and rounding moves their cosines in the seventh digit.
    assert scores(evaluation) == pytest.approx(
        {name: expected[f"{name}_{similarity}"] for name in ("spearman", "pearson")}, abs=3e-6
    )


def test_the_base_model_beats_the_lexical_floor_on_the_sample(minilm):
    (neural, _), (lexical, _) = (
        evaluate(model, STSB, sample(STSB)) for model in (minilm, load_model("lexical"))
    )
    assert lexical.scores[0].high < neural.scores[0].low
    assert neural.scores[0].high < 1


def test_the_samples_have_at_least_the_promised_size():
    assert len(STSB.load(sample(STSB))) >= 150
    assert len(STSB_DEV.load(sample(STSB_DEV))) >= 50


def test_the_real_splits_are_read_whole(shared_data):
    sizes = [len(task.load(DataSource("files", shared_data))) for task in (STSB, STSB_DEV)]
    assert sizes == [1379, 1500]


def test_pairs_that_share_a_sentence_are_one_cluster(shared_data):
    clusters = STSB.load(DataSource("files", shared_data))["cluster"]
    assert len(set(clusters)) == 1179
    assert max(clusters.count(name) for name in set(clusters)) == 25


@pytest.mark.slow
@pytest.mark.parametrize(
    ("task", "expected"),
    [
        pytest.param(STSB, {"spearman": 0.8203247, "pearson": 0.8274064}, id="test, as published by mteb"),
        pytest.param(STSB_DEV, {"spearman": 0.8672, "pearson": 0.8696}, id="dev"),
    ],
)
def test_the_published_scores_of_the_base_model(minilm, shared_data, task, expected):
    evaluation, _ = evaluate(minilm, task, DataSource("files", shared_data))
    assert scores(evaluation) == pytest.approx(expected, abs=1e-4)


def definition(path: Path, **options) -> TaskDefinition:
    return TaskDefinition(name="mine", kind="sts", path=path, **options)


def test_a_task_file_maps_columns_and_renders_records(tmp_path):
    path = tmp_path / "pairs.csv"
    path.write_text("title,body,answer,rating,id\nT,b1,x,1.5,first\nU,b2,y,3,second\n")
    task = STS_KIND.build(
        definition(
            path, columns={"text2": "answer", "score": "rating"}, templates={"text1": "{title}: {body}"}
        )
    )
    dataset = task.load(DataSource("sample", None))
    assert dataset["text1"] == ["T: b1", "U: b2"]
    assert dataset["score"] == [1.5, 3.0]
    assert dataset["id"] == ["first", "second"]
    assert "sts" in task.tags


def test_a_wrong_column_names_what_was_found_and_needed(tmp_path):
    path = tmp_path / "pairs.csv"
    path.write_text("text1,text2,points\na,b,1\n")
    with pytest.raises(HarnessError, match="no column 'score'") as error:
        STS_KIND.build(definition(path)).load(DataSource("sample", None))
    assert "found: text1, text2, points" in str(error.value)


def test_constant_ratings_leave_the_headline_undefined(tmp_path):
    path = tmp_path / "pairs.csv"
    path.write_text("text1,text2,score\na,b,1\nc,d,1\ne,f,1\n")
    with pytest.raises(HarnessError, match="spearman is undefined on these 3 examples"):
        evaluate(LetterModel(), STS_KIND.build(definition(path)), DataSource("sample", None))


# --- a quick look ----------------------------------------------------------------------------------------


def test_a_limited_sts_file_sorted_by_score_has_a_spread_of_gold_and_one_score_in_any_order(tmp_path):
    whole = STSB.load(sample(STSB))
    rows = sorted(zip(whole["score"], whole["text1"], whole["text2"], strict=True))
    found = {}
    for name, ordered in (("sorted", rows), ("reversed", rows[::-1]), ("mixed", rows[1::2] + rows[::2])):
        lines = [json.dumps({"text1": left, "text2": right, "score": gold}) for gold, left, right in ordered]
        (tmp_path / f"{name}.jsonl").write_text("\n".join(lines), encoding="utf-8")
        definition = TaskDefinition(name="mine", kind="sts", path=tmp_path / f"{name}.jsonl")
        evaluation, predictions = evaluate(
            load_model("lexical"), STS_KIND.build(definition), DataSource("files", tmp_path), limit=50
        )
        assert 40 <= len(predictions) <= 50
        assert np.std(predictions["gold"]) > 0.8 * np.std(whole["score"])
        assert np.std([gold for gold, _, _ in ordered[:50]]) < 0.8 * np.std(whole["score"]) or name == "mixed"
        found[name] = (sorted(predictions["text1"]), round(evaluation.scores[0].score, 12))
    assert found["sorted"] == found["reversed"] == found["mixed"]
