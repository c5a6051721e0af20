"""Choice of the backend, and the reasons given against the others."""

from __future__ import annotations

import numpy as np
import pytest
from conftest import build_model

from harness import HarnessError, load_model
from harness.models.backends import UnsuitableBackendError, batched, packed
from harness.models.backends.trial import EQUAL, largest_distance

pytestmark = pytest.mark.kernels


def test_the_fastest_equal_backend_is_taken_without_a_note(tiny):
    facts = load_model(str(tiny)).facts
    assert (facts.backend, facts.notes) == ("packed", ())


def test_a_backend_that_is_not_equal_is_passed_over_with_the_reason(tiny, monkeypatch):
    run = packed.Packed.run
    monkeypatch.setattr(packed.Packed, "run", lambda self, batch: run(self, batch)[:, ::-1])
    model = load_model(str(tiny))
    assert model.facts.backend == "batched"
    assert model.facts.notes[0].startswith("not packed: its embeddings are off by 1 − cos = ")
    assert model._model.attention == "sdpa"


def test_a_backend_that_fails_in_the_trial_is_passed_over_with_the_reason(tiny, monkeypatch):
    def fail(self, batch):
        raise RuntimeError("no kernel")

    monkeypatch.setattr(packed.Packed, "run", fail)
    monkeypatch.setattr(batched.Batched, "run", fail)
    facts = load_model(str(tiny)).facts
    assert facts.backend == "plain"
    assert facts.notes == ("not packed: RuntimeError in a trial", "not batched: RuntimeError in a trial")


def test_embeddings_that_are_not_finite_are_not_equal(tiny, monkeypatch):
    run = packed.Packed.run
    monkeypatch.setattr(packed.Packed, "run", lambda self, batch: run(self, batch) * np.nan)
    assert load_model(str(tiny)).facts.backend == "batched"


def test_a_requested_backend_that_cannot_serve_the_model_is_an_error(tiny, monkeypatch):
    def refuse(model):
        raise UnsuitableBackendError("its inputs are more than tokens")

    monkeypatch.setattr(packed, "open_backend", refuse)
    with pytest.raises(
        HarnessError, match="backend packed cannot serve model tiny: its inputs are more than tokens"
    ) as error:
        load_model(str(tiny), backend="packed")
    assert "--backend auto" in str(error.value)


def test_each_role_that_differs_is_tried(tmp_path, monkeypatch):
    folder = build_model(tmp_path / "model", prompts={"query": "find this: "})
    batches = packed.Packed.batches
    monkeypatch.setattr(
        packed.Packed,
        "batches",
        lambda self, texts, role: batches(self, [f"{role}{text}" for text in texts], role),
    )
    monkeypatch.setattr(packed.Packed, "make_batch_invariant", lambda self: None)
    assert load_model(str(folder)).facts.backend == "batched"


@pytest.mark.parametrize(
    ("ours", "theirs", "expected"),
    [
        pytest.param([[1, 0]], [[0, 1]], 1.0, id="at right angles"),
        pytest.param([[3, 0]], [[-3, 0]], 2.0, id="opposite"),
        pytest.param([[1, 2], [3, 4]], [[1, 2], [3, 4]], 0.0, id="the same"),
        pytest.param([[0, 0]], [[0, 0]], 0.0, id="two zeros"),
        pytest.param([[1, 0]], [[0, 0]], np.inf, id="only theirs is zero"),
        pytest.param([[0, 0]], [[1, 0]], 0.5, id="only ours is zero"),
        pytest.param([[2, 2]], [[1, 1]], 0.5, id="another length"),
    ],
)
def test_the_largest_distance_is_of_the_worst_row(ours, theirs, expected):
    distance = largest_distance(np.array(ours, dtype=np.float32), np.array(theirs, dtype=np.float32))
    assert distance == pytest.approx(expected, abs=1e-7)
    assert EQUAL == 1e-6


@pytest.mark.parametrize(("backend", "promised"), [("packed", True), ("batched", True), ("plain", False)])
def test_a_model_says_whether_its_embeddings_are_batch_invariant(tiny, backend, promised):
    assert load_model(str(tiny), backend=backend).facts.reproducible == promised


def test_a_model_that_is_not_batch_invariant_says_so(tiny, monkeypatch):
    monkeypatch.setattr(packed, "is_batch_invariant", lambda backend, dimensions: False)
    assert not load_model(str(tiny)).facts.reproducible


@pytest.mark.parametrize("rescaled", ["dynamic", "longrope", "linear"])
def test_positions_that_remember_lengths_are_left_to_sentence_transformers(tiny, rescaled):
    model = load_model(str(tiny), backend="plain")
    model._model.sentence_transformer.transformers_model.config.rope_parameters = {
        "rope_type": rescaled,
        "factor": 2.0,
    }
    if rescaled == "linear":
        batched.check_plain_tokens(model._model)
    else:
        with pytest.raises(UnsuitableBackendError, match="depend on the lengths of texts before"):
            batched.check_plain_tokens(model._model)
