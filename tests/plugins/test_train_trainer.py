"""The trainer of sentence-transformers, driven by a recipe."""

from __future__ import annotations

import signal

import numpy as np
import pytest
from safetensors.numpy import load_file

from harness.system.signals import Interrupted, handle_signals
from harness.training.check_input import Rows
from harness.training.interface import TrainingJob
from harness.training.losses import LOSSES, ROW_KINDS
from harness.training.recipe_file import recipe_from
from harness.training.rows import validate_rows

pytestmark = pytest.mark.kernels

SENTENCES = [f"{who} {does} {what}" for who in "abc" for does in ("sees", "eats") for what in "xyz"]


class Mute:
    def planned(self, steps):
        self.total = steps

    def advance(self, step, epoch):
        pass

    def log(self, entry):
        pass


def rows_of(kind: str) -> Rows:
    """18 rows of a kind, every text a different one."""
    names = [name for name in ROW_KINDS[kind] if name not in ("score", "label")]
    texts = {name: [f"{sentence} {place}" for sentence in SENTENCES] for place, name in enumerate(names)}
    labels = {
        "scored-pairs": [0.0, 0.5, 1.0] * 6,
        "labeled-pairs": [0, 1] * 9,
        "labeled-texts": ["p", "q", "r"] * 6,
    }
    return validate_rows(Rows(kind=kind, texts=texts, labels=labels.get(kind), source="rows.csv"))


def recipe(loss: str, kind: str | None = None, *, train=None, model=None, evaluation=None, **parameters):
    table = {
        "name": loss,
        "data": {"kind": kind or LOSSES[loss].kind},
        "loss": {"name": loss, **parameters},
        "train": {"batch_size": 6, "steps": 4, "learning_rate": 1e-3, **(train or {})},
        "model": model or {},
        "evaluation": evaluation or {},
    }
    if LOSSES[loss].kind == "labeled-texts":
        table["train"]["batch_sampler"] = "group-by-label"
    return recipe_from(table, loss)


def job(made, base, tmp_path, **changes) -> TrainingJob:
    given = {
        "recipe": made, "rows": rows_of(made.data.kind), "base": base, "base_name": "tiny", "seed": 1,
        "device": "cpu", "threads": 2, "work": tmp_path, "folder": tmp_path / "model",
        "evaluate": lambda model: {}, "follower": Mute(),
    }  # fmt: skip
    return TrainingJob(**{**given, **changes})


def trained(made, base, tmp_path, **changes):
    from sentence_transformers import SentenceTransformer

    from harness_train.trainer import train

    asked = job(made, base, tmp_path, **changes)
    return train(asked), SentenceTransformer(str(asked.folder), device="cpu")


@pytest.mark.parametrize("loss", sorted(LOSSES))
def test_every_loss_trains_and_moves_the_weights(loss, tiny, tmp_path):
    from sentence_transformers import SentenceTransformer

    came, model = trained(recipe(loss), tiny, tmp_path)
    before = SentenceTransformer(str(tiny), device="cpu").encode(SENTENCES)
    assert came.steps == 4
    assert [entry.step for entry in came.log if entry.loss is not None] == [1, 2, 3, 4]
    assert all(np.isfinite(entry.loss) for entry in came.log if entry.loss is not None)
    assert not np.allclose(before, model.encode(SENTENCES))


@pytest.mark.parametrize("loss", sorted(LOSSES))
def test_a_recipe_that_names_no_parameter_gets_the_defaults_of_sentence_transformers(loss, tiny):
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.sentence_transformer import losses

    from harness_train.losses import build_loss

    model = SentenceTransformer(str(tiny), device="cpu")
    ours, theirs = build_loss(recipe(loss), model), getattr(losses, loss)(model)
    assert type(ours) is type(theirs)
    if hasattr(theirs, "get_config_dict"):
        assert ours.get_config_dict() == theirs.get_config_dict()


@pytest.mark.parametrize(
    ("loss", "given", "expected"),
    [
        ("TripletLoss", {"distance": "cosine", "margin": 0.3},
         {"distance_metric": "TripletDistanceMetric.COSINE", "triplet_margin": 0.3}),
        ("TripletLoss", {"distance": "manhattan", "margin": 2},
         {"distance_metric": "TripletDistanceMetric.MANHATTAN", "triplet_margin": 2}),
        ("ContrastiveLoss", {"distance": "euclidean", "margin": 1.0, "size_average": False},
         {"distance_metric": "SiameseDistanceMetric.EUCLIDEAN", "margin": 1.0, "size_average": False}),
        ("MultipleNegativesRankingLoss", {"scale": 10.0, "similarity": "dot"},
         {"scale": 10.0, "similarity_fct": "dot_score"}),
        ("CachedMultipleNegativesRankingLoss", {"mini_batch_size": 4}, {"scale": 20.0, "mini_batch_size": 4}),
    ],
)  # fmt: skip
def test_parameters_reach_the_loss(loss, given, expected, tiny):
    from sentence_transformers import SentenceTransformer

    from harness_train.losses import build_loss

    config = build_loss(recipe(loss, **given), SentenceTransformer(str(tiny), device="cpu")).get_config_dict()
    found = {name: str(config[name]) if "metric" in name else config[name] for name in expected}
    assert found == expected


def test_a_margin_and_a_distance_reach_batch_hard_triplets(tiny):
    from sentence_transformers import SentenceTransformer

    from harness_train.losses import build_loss

    model = SentenceTransformer(str(tiny), device="cpu")
    made = build_loss(recipe("BatchHardTripletLoss", distance="cosine", margin=0.2), model)
    assert made.triplet_margin == 0.2
    assert "cosine" in made.distance_metric.__name__


def test_matryoshka_wraps_the_loss(tiny, tmp_path):
    from sentence_transformers import SentenceTransformer

    from harness_train.losses import build_loss

    made = recipe("MultipleNegativesRankingLoss", matryoshka=[32, 16])
    config = build_loss(made, SentenceTransformer(str(tiny), device="cpu")).get_config_dict()
    assert (config["loss"], list(config["matryoshka_dims"])) == ("MultipleNegativesRankingLoss", [32, 16])
    assert trained(made, tiny, tmp_path)[0].steps == 4


def test_modules_and_length_are_those_of_the_recipe(tiny, tmp_path):
    made = recipe(
        "CosineSimilarityLoss", model={"pooling": "cls", "normalize": False}, train={"max_seq_length": 8}
    )
    _, model = trained(made, tiny, tmp_path)
    assert [type(module).__name__ for module in model] == ["Transformer", "Pooling"]
    assert model[1].pooling_mode == "cls"
    assert model.max_seq_length == 8
    assert not np.allclose(np.linalg.norm(model.encode(SENTENCES), axis=1), 1)


def test_it_ends_where_the_recipe_says_with_the_learning_rate_of_the_plan(tiny, tmp_path):
    made = recipe("CosineSimilarityLoss", train={"epochs": 8, "steps": None, "stop_after": 2})
    came, _ = trained(made, tiny, tmp_path)
    assert came.steps == 6
    rates = [entry.learning_rate for entry in came.log if entry.learning_rate is not None]
    assert rates == pytest.approx([1e-3 * (1 - step / 24) for step in range(6)])


@pytest.mark.slow
def test_patience_ends_a_training_that_gets_no_better(tiny, tmp_path):
    scores = iter([0.5, 0.4, 0.3, 0.2])
    made = recipe_from(
        {**recipe("CosineSimilarityLoss").to_dict(), "train": {"batch_size": 6, "epochs": 10},
         "evaluation": {"tasks": ["t"], "keep": "best", "patience": 2}}, "patience",
    )  # fmt: skip
    came, _ = trained(made, tiny, tmp_path, evaluate=lambda model: {"t_m": next(scores)}, deciding="t_m")
    assert [entry.metrics["t_m"] for entry in came.log if entry.metrics] == [0.5, 0.4, 0.3]
    assert (came.steps, came.best_step) == (9, 3)


@pytest.mark.slow
def test_bfloat16_is_computed_in_where_it_is_asked_for(tiny, tmp_path):
    came, model = trained(recipe("CosineSimilarityLoss", train={"dtype": "bfloat16"}), tiny, tmp_path)
    assert came.dtype == "bfloat16"
    assert {str(value.dtype) for value in model.state_dict().values() if value.is_floating_point()} == {
        "torch.float32"
    }


EVALUATED = {"evaluation": {"tasks": ["t"], "every": 2}}


@pytest.mark.slow
def test_an_evaluation_sees_the_saved_weights_of_its_step_and_leaves_nothing(tiny, tmp_path):
    seen = []

    def evaluate(folder):
        seen.append(load_file(folder / "model.safetensors"))
        return {"t_m": 0.5}

    trained(recipe("CosineSimilarityLoss", **EVALUATED), tiny, tmp_path, evaluate=evaluate)
    assert len(seen) == 2
    finished = load_file(tmp_path / "model" / "model.safetensors")
    assert all(np.array_equal(seen[1][name], finished[name]) for name in finished)
    assert not all(np.array_equal(seen[0][name], finished[name]) for name in finished)
    assert not list(tmp_path.rglob("evaluated"))


@pytest.mark.slow
def test_random_numbers_of_an_evaluation_do_not_move_the_training(tiny, tmp_path):
    import torch

    made = {}
    for drawn in (0, 100):

        def evaluate(folder, drawn=drawn):
            torch.randn(drawn)
            return {"t_m": 0.5}

        asked = recipe("CosineSimilarityLoss", **EVALUATED)
        made[drawn] = trained(asked, tiny, tmp_path / str(drawn), evaluate=evaluate)[1]
    assert np.array_equal(made[0].encode(SENTENCES), made[100].encode(SENTENCES))


@pytest.mark.gpu
def test_a_gpu_trains_too(tiny, tmp_path):
    came, _ = trained(recipe("CosineSimilarityLoss", train={"dtype": "auto"}), tiny, tmp_path, device="cuda")
    assert came.steps == 4


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("at_once", [False, True])
def test_a_signal_ends_after_a_step_and_then_does_what_it_does_elsewhere(number, at_once):
    from transformers import TrainerControl, TrainerState

    from harness_train.callbacks import StopCallback

    control, stop = TrainerControl(), StopCallback(None)
    with pytest.raises(Interrupted) as caught, handle_signals(), stop:
        signal.raise_signal(number)
        stop.on_step_end(None, TrainerState(), control)
        assert control.should_save
        assert control.should_training_stop
        signal.raise_signal(number) if at_once else stop.raise_again()
    assert caught.value.signal == number
    assert signal.getsignal(number) is not stop._interrupt


def test_a_training_without_an_interrupt_raises_no_signal():
    from harness_train.callbacks import StopCallback

    with StopCallback(None) as stop:
        stop.raise_again()


def test_a_signal_that_somebody_only_takes_note_of_ends_a_training_all_the_same():
    from harness_train.callbacks import StopCallback

    noted, before = [], signal.signal(signal.SIGTERM, lambda *_: noted.append("it"))
    try:
        with StopCallback(None) as stop:
            signal.raise_signal(signal.SIGTERM)
        assert noted == []
        with pytest.raises(KeyboardInterrupt):
            stop.raise_again()
        assert noted == ["it"]
    finally:
        signal.signal(signal.SIGTERM, before)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_the_log_of_a_training_reaches_the_service_that_the_recipe_names(tiny, tmp_path, monkeypatch):
    mlflow = pytest.importorskip("mlflow", reason="needs the extra `mlflow`")
    # The experiment of another test is not in this store.
    monkeypatch.setattr("mlflow.tracking.fluent._active_experiment_id", None)
    monkeypatch.delenv("MLFLOW_EXPERIMENT_ID", raising=False)
    monkeypatch.setenv("MLFLOW_ALLOW_FILE_STORE", "true")
    monkeypatch.setenv("MLFLOW_TRACKING_URI", (tmp_path / "mlruns").as_uri())
    made = recipe("CosineSimilarityLoss", train={"report_to": ["mlflow"]})
    trained(made, tiny, tmp_path)
    mlflow.end_run()
    client = mlflow.MlflowClient()
    (run,) = [run for each in client.search_experiments() for run in client.search_runs([each.experiment_id])]
    assert run.data.metrics["loss"] >= 0
    assert run.data.params["learning_rate"] == "0.001"
