"""The trial at load: what it finds of a model, of a backend, and which of the two it blames."""

from __future__ import annotations

import json

import numpy as np
import pytest
from conftest import build_model
from sentence_transformers import SentenceTransformer
from zoo import ZOO

from harness import HarnessError, Role, load_model
from harness.models.backends import packed, precision

pytestmark = pytest.mark.kernels

TEXTS = ["a", "hello there, general", "one two three " * 40, "short one"]


def original(folder) -> SentenceTransformer:
    return SentenceTransformer(str(folder), device="cpu", local_files_only=True)


def padded_left(folder, **options):
    """Make a model whose positions move with the padding, as any BERT with `padding_side: left`."""
    build_model(folder, **options)
    file = folder / "tokenizer_config.json"
    file.write_text(json.dumps({**json.loads(file.read_text()), "padding_side": "left"}))
    return folder


def codes(model):
    return [finding.code for finding in model.facts.findings]


def far(ours, theirs):
    return np.abs(ours - theirs).max()


# --- a model that depends on its batch --------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.parametrize("pooling", ["cls", "mean"])
def test_a_model_that_depends_on_its_batch_is_scored_as_each_text_is_alone(tmp_path, pooling):
    folder = padded_left(tmp_path / "model", pooling=pooling)
    model, reference = load_model(str(folder)), original(folder)
    alone = np.stack([reference.encode([text])[0] for text in TEXTS])
    assert (model.facts.backend, model.facts.notes) == ("packed", ())
    np.testing.assert_allclose(model.encode(TEXTS), alone, atol=1e-5)
    assert far(reference.encode(TEXTS), alone) > 1e-2


@pytest.mark.slow
def test_a_dependence_on_the_batch_is_a_finding_in_words_that_blame_the_model(tmp_path):
    (finding,) = load_model(str(padded_left(tmp_path / "model"))).facts.findings
    assert (finding.code, finding.severity) == ("depends-on-batch", "warning")
    assert finding.evidence.startswith("the model's own encode gives a text another embedding")
    assert "pads on the left" in finding.evidence
    assert 'padding_side to "right"' in finding.remedy
    assert "batch_size=1" in finding.remedy


@pytest.mark.slow
def test_a_padding_side_that_changes_nothing_is_no_finding(tmp_path):
    folder = ZOO["qwen2-left-mean"](tmp_path / "model")
    assert original(folder).tokenizer.padding_side == "left"
    assert codes(load_model(str(folder))) == []


@pytest.mark.slow
def test_where_no_batch_is_right_texts_are_encoded_one_by_one(tmp_path):
    folder = ZOO["bert-convolution"](tmp_path / "model")
    model, reference = load_model(str(folder)), original(folder)
    alone = np.stack([reference.encode([text])[0] for text in TEXTS])
    assert (model.facts.backend, codes(model)) == ("plain", ["depends-on-batch"])
    np.testing.assert_allclose(model.encode(TEXTS), alone, atol=1e-5)
    assert far(reference.encode(TEXTS), alone) > 1e-2
    assert all(note.endswith("the model's own encode depends on its batch") for note in model.facts.notes)


@pytest.mark.slow
def test_a_requested_backend_that_pads_is_refused_with_the_models_dependence_as_the_reason(tmp_path):
    folder = ZOO["bert-convolution"](tmp_path / "model")
    with pytest.raises(HarnessError, match="the model's own encode depends on its batch"):
        load_model(str(folder), backend="batched")
    assert codes(load_model(str(folder), backend="plain")) == ["depends-on-batch"]


@pytest.mark.slow
def test_a_backend_that_is_wrong_for_a_model_that_does_not_depend_on_its_batch_is_blamed_alone(
    tiny, monkeypatch
):
    run = packed.Packed.run
    monkeypatch.setattr(packed.Packed, "run", lambda self, batch: run(self, batch)[:, ::-1])
    facts = load_model(str(tiny)).facts
    assert (facts.backend, facts.findings) == ("batched", ())
    assert "depends on its batch" not in facts.notes[0]


@pytest.mark.slow
def test_a_model_that_gives_a_text_alone_several_embeddings_is_an_error(tiny, monkeypatch):
    import torch
    from sentence_transformers.sentence_transformer.modules import Pooling

    pool = Pooling.forward

    def pool_at_random(self, features, **options):
        features = pool(self, features, **options)
        features["sentence_embedding"] = features["sentence_embedding"] + torch.randn(32)
        return features

    monkeypatch.setattr(Pooling, "forward", pool_at_random)
    for backend in ("auto", "plain"):
        with pytest.raises(HarnessError, match="model tiny gives one text several embeddings"):
            load_model(str(tiny), backend=backend)


@pytest.mark.parametrize("rope", ["dynamic", "longrope"])
def test_positions_that_are_rescaled_by_the_longest_text_depend_on_the_batch(tmp_path, rope):
    scaled = {
        "rope_type": rope,
        "rope_theta": 10_000.0,
        "factor": 4.0,
        "original_max_position_embeddings": 16,
    }
    if rope == "longrope":
        scaled |= {"short_factor": [1.0] * 8, "long_factor": [4.0] * 8}
    make = ZOO["llama-right"].func
    folder = make(tmp_path / "model", **{**ZOO["llama-right"].keywords, "rope_parameters": scaled})
    model, reference = load_model(str(folder)), original(folder)
    alone = np.stack([reference.encode([text])[0] for text in TEXTS])
    changed = far(reference.encode(TEXTS), alone)
    assert ("depends-on-batch" in codes(model)) == (changed > 1e-3)
    np.testing.assert_allclose(model.encode(TEXTS), alone, atol=1e-5)


# --- what is proved, and where ----------------------------------------------------------------------------


def test_every_role_and_length_is_proved_again_in_batch_invariant_shapes(tiny, monkeypatch):
    make, run = packed.Packed.make_batch_invariant, packed.Packed.run

    def break_it(self):
        self.broken = make(self)
        return self.broken

    def run_broken(self, batch):
        return run(self, batch)[:, ::-1] if hasattr(self, "broken") else run(self, batch)

    monkeypatch.setattr(packed.Packed, "make_batch_invariant", break_it)
    monkeypatch.setattr(packed.Packed, "run", run_broken)
    with pytest.raises(HarnessError, match=r"backend packed of model tiny is off by .* in batch-invariant"):
        load_model(str(tiny))


@pytest.mark.slow
@pytest.mark.parametrize("dtype", ["bfloat16", "float16"])
def test_a_lower_precision_that_is_wrong_for_one_role_is_refused(tmp_path, monkeypatch, dtype):
    folder = build_model(tmp_path / "model", prompts={"query": "find this: "})
    run = packed.Packed.run

    def wrong_for_queries(self, batch):
        rows, role = run(self, batch), batch.features[-1]
        return rows[:, ::-1] if role is Role.QUERY and self._model.dtype.itemsize == 2 else rows

    assert load_model(str(folder), dtype=dtype).facts.deviation.largest <= precision.TOLERANCE
    monkeypatch.setattr(packed.Packed, "run", wrong_for_queries)
    assert load_model(str(folder)).facts.backend == "packed"
    with pytest.raises(HarnessError, match=f"in {dtype} moves embeddings by up to"):
        load_model(str(folder), dtype=dtype)


def test_roles_that_only_look_alike_are_told_apart_by_what_the_public_methods_give(tiny, monkeypatch):
    query = SentenceTransformer.encode_query

    def another(self, texts, **options):
        return -query(self, texts, **options)

    monkeypatch.setattr(SentenceTransformer, "encode_query", another)
    model = load_model(str(tiny))
    assert [model.same_as(role) for role in Role] == [Role.TEXT, Role.QUERY, Role.TEXT]
    assert model.facts.backend == "plain"
    np.testing.assert_allclose(model.encode(TEXTS, Role.QUERY), -model.encode(TEXTS), atol=1e-5)


@pytest.mark.gpu
@pytest.mark.parametrize("dtype", ["float32", "bfloat16", "float16"])
def test_a_backend_is_proved_on_the_device_in_use(tiny, monkeypatch, dtype):
    import torch

    if not torch.cuda.is_available():
        pytest.skip("needs CUDA")
    seen, run = set(), packed.Packed.run

    def note_device(self, batch):
        seen.add(self._model.sentence_transformer.device.type)
        return run(self, batch)

    monkeypatch.setattr(packed.Packed, "run", note_device)
    model = load_model(str(tiny), device="cuda", dtype=dtype)
    assert (seen, model.facts.device, model.facts.backend) == ({"cuda"}, "cuda", "packed")
    on_cpu = load_model(str(tiny), device="cpu")
    away = 1 - (model.encode(TEXTS) * on_cpu.encode(TEXTS)).sum(axis=1)
    assert away.max() <= (1e-5 if dtype == "float32" else 2 * model.facts.deviation.largest + 1e-6)


def test_a_backend_that_is_wrong_on_long_texts_alone_is_passed_over(tiny, monkeypatch):
    run = packed.Packed.run

    def wrong_when_long(self, batch):
        return run(self, batch) * (-1 if batch.features[1][0].length > 60 else 1)

    monkeypatch.setattr(packed.Packed, "run", wrong_when_long)
    assert load_model(str(tiny)).facts.backend == "batched"
