"""Training with sentence-transformers: dev scores are the leaderboard's; its evaluators are tasks."""

import math

import numpy as np
import pytest

import harness
from tests.api.models import ROWS

PAIRS = harness.make_task("pairs", "sts", ROWS)


@pytest.fixture
def live(tiny):
    from sentence_transformers import SentenceTransformer

    return SentenceTransformer(str(tiny), device="cpu", local_files_only=True)


def trained(model, folder, evaluator=None, **options):
    pytest.importorskip("accelerate")
    from datasets import Dataset
    from sentence_transformers import SentenceTransformerTrainer, SentenceTransformerTrainingArguments
    from sentence_transformers.sentence_transformer.losses import CosineSimilarityLoss

    rows = {"a": ROWS["text1"], "b": ROWS["text2"], "score": [score / 5 for score in ROWS["score"]]}
    arguments = SentenceTransformerTrainingArguments(
        output_dir=str(folder),
        max_steps=6,
        per_device_train_batch_size=4,
        learning_rate=1e-2,
        use_cpu=True,
        report_to="none",
        disable_tqdm=True,
        seed=3,
        **options,
    )
    trainer = SentenceTransformerTrainer(
        model=model,
        args=arguments,
        train_dataset=Dataset.from_dict(rows),
        loss=CosineSimilarityLoss(model),
        evaluator=evaluator,
    )
    trainer.train()
    return trainer


def test_dev_scores_of_a_training_are_those_of_harness_run_on_its_checkpoints(live, tmp_path, capsys):
    evaluator = harness.Evaluator(PAIRS)
    trainer = trained(
        live,
        tmp_path,
        evaluator,
        eval_strategy="steps",
        eval_steps=2,
        save_strategy="steps",
        save_steps=2,
        load_best_model_at_end=True,
        metric_for_best_model=f"eval_{evaluator.primary_metric}",
    )
    logged = {
        line["step"]: line["eval_pairs_spearman"]
        for line in trainer.state.log_history
        if "eval_pairs_spearman" in line
    }
    assert set(logged) == {2, 4, 6}
    checkpoints = {f"step{step}": tmp_path / f"checkpoint-{step}" for step in logged}
    results = harness.evaluate(checkpoints, PAIRS)
    assert {step: results[f"step{step}", "pairs"].headline.score for step in logged} == logged
    best = max(logged, key=logged.get)
    assert trainer.state.best_model_checkpoint.endswith(f"checkpoint-{best}")
    after = harness.evaluate({"best": trainer.model}, PAIRS)
    assert after["best", "pairs"].headline.score == logged[best]


@pytest.mark.slow
def test_evaluating_changes_no_training(tiny, tmp_path, capsys):
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.sentence_transformer.evaluation import SentenceEvaluator

    class Nothing(SentenceEvaluator):
        def __call__(self, model, *_, **__):
            return {"nothing": 0.0}

    weights = []
    for name, evaluator in (("with", harness.Evaluator(PAIRS)), ("without", Nothing())):
        model = SentenceTransformer(str(tiny), device="cpu", local_files_only=True)
        trained(model, tmp_path / name, evaluator, eval_strategy="steps", eval_steps=1)
        weights.append([parameter.detach().numpy().copy() for parameter in model.parameters()])
    assert all(np.array_equal(left, right) for left, right in zip(*weights, strict=True))


def test_an_evaluator_says_what_it_scores(live):
    evaluator = harness.Evaluator([PAIRS, "penal-triplets"], name="dev", limit=8)
    scores = evaluator(live)
    assert evaluator.primary_metric == "dev_pairs_spearman"
    assert {"dev_pairs_spearman", "dev_pairs_pearson", "dev_penal-triplets_accuracy"} <= set(scores)
    assert evaluator.get_config_dict() == {"tasks": ["pairs", "penal-triplets"]}


def test_a_collapsed_model_has_nan_for_a_score_and_the_training_goes_on(live):
    import torch

    evaluator = harness.Evaluator(PAIRS)
    with torch.no_grad():
        for parameter in live.parameters():
            parameter.zero_()
    with pytest.warns(UserWarning, match="pairs has no score"):
        scores = evaluator(live)
    assert math.isnan(scores["pairs_spearman"])


def test_an_evaluator_refuses_rows_that_cannot_be_read_before_any_training():
    with pytest.raises(harness.HarnessError, match="task scifact"):
        harness.Evaluator("scifact")


def test_rows_of_an_embedding_similarity_evaluator_get_its_scores(live):
    from sentence_transformers.sentence_transformer.evaluation import EmbeddingSimilarityEvaluator

    theirs = EmbeddingSimilarityEvaluator(ROWS["text1"], ROWS["text2"], ROWS["score"], name="dev")
    expected = theirs(live)
    result = harness.evaluate({"m": live}, theirs)["m", "dev"]
    assert result.scores["spearman"].score == pytest.approx(expected["dev_spearman_cosine"], abs=1e-6)
    assert result.scores["pearson"].score == pytest.approx(expected["dev_pearson_cosine"], abs=1e-5)


def test_rows_of_a_triplet_evaluator_get_its_scores_prompts_included(tmp_path):
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.sentence_transformer.evaluation import TripletEvaluator

    from tests.conftest import build_model

    folder = build_model(tmp_path / "prompted", prompts={"query": "query: ", "document": "document: "})
    model = SentenceTransformer(str(folder), device="cpu", local_files_only=True)
    texts = ROWS["text1"]
    theirs = TripletEvaluator(texts, texts[1:] + texts[:1], texts[5:] + texts[:5], name="tri")
    expected = theirs(model)["tri_cosine_accuracy"]
    assert harness.evaluate({"m": model}, theirs)["m", "tri"].headline.score == expected
    with pytest.raises(harness.HarnessError, match="has a margin"):
        harness.evaluate({"m": model}, TripletEvaluator(texts, texts, texts, margin=0.1))


def test_rows_of_a_binary_classification_evaluator_get_its_average_precision(live):
    from sentence_transformers.sentence_transformer.evaluation import BinaryClassificationEvaluator

    labels = [int(score > 2) for score in ROWS["score"]]
    theirs = BinaryClassificationEvaluator(ROWS["text1"], ROWS["text2"], labels, name="pairs-of-class")
    expected = theirs(live)["pairs-of-class_cosine_ap"]
    result = harness.evaluate({"m": live}, theirs)["m", "pairs-of-class"]
    assert result.scores["average_precision"].score == pytest.approx(expected, abs=1e-6)


def test_rows_of_an_information_retrieval_evaluator_get_its_scores(live):
    from sentence_transformers.sentence_transformer.evaluation import InformationRetrievalEvaluator

    corpus = {f"d{at}": text for at, text in enumerate(ROWS["text2"])}
    queries = {f"q{at}": text for at, text in enumerate(ROWS["text1"])}
    relevant = {f"q{at}": {f"d{at}", f"d{(at * 5 + 1) % 12}"} for at in range(12)}
    theirs = InformationRetrievalEvaluator(queries, corpus, relevant, name="ir")
    expected = theirs(live)
    scores = harness.evaluate({"m": live}, theirs)["m", "ir"].scores
    for name in ("recall@1", "recall@5", "recall@10", "ndcg@10", "mrr@10", "map@100"):
        assert scores[name].score == pytest.approx(expected[f"ir_cosine_{name}"], abs=1e-6), name


def test_another_evaluator_is_refused_with_the_names_of_those_that_can_be_tasks():
    from sentence_transformers.sentence_transformer.evaluation import MSEEvaluator

    with pytest.raises(harness.HarnessError, match="MSEEvaluator cannot be a task"):
        from harness.api.st_evaluators import task_of_evaluator

        task_of_evaluator(MSEEvaluator.__new__(MSEEvaluator))
