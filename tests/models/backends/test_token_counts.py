"""Texts are counted in the pass that makes the model's input, and counts are those of a pass of its own."""

from __future__ import annotations

from typing import Any

import pytest
from zoo import LIMIT, WORDS, ZOO

from harness import Role, Settings
from harness.models.backends import batched
from harness.models.backends.backend_model import BackendModel
from harness.models.backends.batched import Batched
from harness.models.backends.packed import Packed
from harness.models.backends.token_counts import TokenCounts

pytestmark = pytest.mark.kernels

TEXTS = [
    *("", "a", "  the court \n", "[SEP] [CLS] </s> <s>", "e\u0301 漢字 🙂"),
    *(" ".join((WORDS * 9)[:count]) for count in (LIMIT - 3, LIMIT - 2, LIMIT - 1, LIMIT, 3 * LIMIT + 1, 7)),
]
COUNTED = ["bert-prompts", "roberta", "xlm-roberta", "t5", "gpt2-no-specials", "qwen3-left"]
"""Models with different tokenizers, of which one pads on the left."""


@pytest.fixture(scope="module")
def opened(tmp_path_factory):
    """A function that returns a model of the zoo as backends get it, without a trial."""
    from sentence_transformers import SentenceTransformer

    folder, models = tmp_path_factory.mktemp("zoo"), {}

    def model_of(name: str) -> BackendModel:
        if name not in models:
            model = SentenceTransformer(str(ZOO[name](folder / name)), device="cpu")
            models[name] = BackendModel(model, Settings(), name)
        return models[name]

    return model_of


def counts_of(model: BackendModel, role: Role) -> list[int] | None:
    features = model.features(TEXTS, role)
    return TokenCounts(model).of(features, features["attention_mask"].sum(dim=1).tolist(), role)


@pytest.mark.parametrize("name", [*COUNTED, *(pytest.param(name, marks=pytest.mark.slow) for name in ZOO)])
def test_counts_of_the_pass_are_those_of_a_pass_of_its_own(opened, name):
    model = opened(name)
    if model.tokenizer is None or name.startswith("router"):
        pytest.skip("no pass of tokens")
    for role in (Role.TEXT, Role.QUERY):
        assert counts_of(model, role) == model.count_tokens(TEXTS, role).tolist()


def test_a_tokenizer_that_adds_other_tokens_than_are_counted_is_not_believed(opened, monkeypatch):
    model = opened("bert-prompts")
    counted = model.count_tokens
    monkeypatch.setattr(model, "count_tokens", lambda texts, role: counted(texts, role) + 1)
    assert counts_of(model, Role.TEXT) is None


def test_a_tokenizer_that_pads_a_text_alone_is_not_believed(opened, monkeypatch):
    model = opened("bert-prompts")
    kept = {"text": {"pad_to_multiple_of": 8}}
    monkeypatch.setattr(model.sentence_transformer[0], "processing_kwargs", kept)
    assert counts_of(model, Role.TEXT) is None


@pytest.mark.parametrize("role", [Role.TEXT, Role.QUERY])
@pytest.mark.parametrize("name", ["bert-prompts", "mpnet", "t5"])
def test_batches_are_the_same_from_one_pass_and_from_two(opened, monkeypatch, name, role):
    backend = Batched(opened(name))
    once = list(backend.batches(TEXTS, role))
    monkeypatch.setattr(batched, "_AT_ONCE", 0)
    twice = list(backend.batches(TEXTS, role))
    assert [plain(batch) for batch in once] == [plain(batch) for batch in twice]


def plain(batch: Any) -> Any:
    features, role = batch.features
    listed = {name: getattr(value, "tolist", lambda value=value: value)() for name, value in features.items()}
    return batch.rows, listed, role, batch.padded, batch.tokens


@pytest.mark.parametrize("backend", [Packed, Batched])
def test_each_text_is_tokenized_once(opened, monkeypatch, backend):
    model = opened("bert-prompts")
    served = backend(model)
    list(served.batches(["a"], Role.TEXT))  # the counts of its role are proved
    tokenized, features = [], model.features
    monkeypatch.setattr(
        model, "features", lambda texts, role: tokenized.extend(texts) or features(texts, role)
    )
    monkeypatch.setattr(model, "count_tokens", lambda *_: pytest.fail("counted in another pass"))
    batches = list(served.batches(TEXTS, Role.TEXT))
    monkeypatch.undo()
    assert sorted(tokenized) == sorted(TEXTS)
    found = {row: tokens for batch in batches for row, tokens in zip(batch.rows, batch.tokens, strict=True)}
    assert [found[row] for row in range(len(TEXTS))] == model.count_tokens(TEXTS, Role.TEXT).tolist()
