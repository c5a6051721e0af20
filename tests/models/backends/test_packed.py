"""Packs: each text once, none too full, and batch-invariant embeddings."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness import Role, load_model
from harness.models.backends import UnsuitableBackendError, packed
from harness.models.backends.attention import equal_length_runs
from harness.models.backends.packed import packs

pytestmark = pytest.mark.kernels

LENGTHS = st.lists(st.integers(1, 900), max_size=120)


@given(LENGTHS, st.integers(1, 700))
def test_every_text_is_in_one_pack_and_none_is_too_full(lengths, most):
    made = list(packs(lengths, most))
    assert sorted(row for pack in made for row in pack) == list(range(len(lengths)))
    assert all(sum(lengths[row] for row in pack) <= most or len(pack) == 1 for pack in made)


@given(LENGTHS, st.integers(1, 700))
def test_a_packs_first_text_is_its_longest(lengths, most):
    for pack in packs(lengths, most):
        assert lengths[pack[0]] == max(lengths[row] for row in pack)


@given(st.lists(st.integers(1, 50), max_size=60).map(lambda lengths: sorted(lengths, reverse=True)))
def test_runs_tile_the_pack_with_texts_of_one_length(lengths):
    covered = [
        (run.start + text * run.length, run.length)
        for run in equal_length_runs(lengths)
        for text in range(run.texts)
    ]
    starts = np.cumsum([0, *lengths])[:-1] if lengths else []
    assert covered == list(zip(starts, lengths, strict=True))


@pytest.fixture
def tiny_packed(tiny):
    return load_model(str(tiny), backend="packed")


@pytest.fixture(scope="module")
def tiny_once(tiny):
    return load_model(str(tiny), backend="packed")


def test_packs_are_padded_only_up_to_the_minimum_of_tokens(tiny_packed):
    texts = [f"{'word ' * (n % 9)}{n}" for n in range(200)]
    lengths = tiny_packed.count_tokens(texts).clip(max=tiny_packed.facts.max_tokens)
    backend = tiny_packed.backend
    for batch in backend.batches(texts, Role.TEXT):
        real = lengths[batch.rows].sum()
        assert batch.padded == max(backend.min_tokens, -(-real // backend.multiple) * backend.multiple)
    assert tiny_packed.padded_tokens(["a"]) == backend.min_tokens


def test_where_no_shape_is_batch_invariant_every_pack_has_one_size(tiny_packed, monkeypatch):
    backend = tiny_packed.backend
    monkeypatch.setattr(packed, "is_batch_invariant", lambda backend, dimensions: False)
    assert not backend.make_batch_invariant()
    assert backend.min_tokens == backend.tokens_per_pack
    before = tiny_packed.encode(["a", "some words", "x " * 300])
    monkeypatch.undo()
    assert {batch.padded for batch in backend.batches(["a", "some words"], Role.TEXT)} == {
        backend.tokens_per_pack
    }
    np.testing.assert_allclose(tiny_packed.encode(["a", "some words", "x " * 300]), before, atol=1e-6)


def test_padding_texts_change_no_embedding(tiny_packed):
    backend, texts = tiny_packed.backend, ["a", "some words", "x " * 300, ""]
    embeddings = {}
    for backend.min_tokens in (1, 77, 512):
        embeddings[backend.min_tokens] = tiny_packed.encode(texts)
    np.testing.assert_allclose(embeddings[1], embeddings[77], atol=1e-6)
    np.testing.assert_allclose(embeddings[1], embeddings[512], atol=1e-6)


@given(
    st.lists(st.integers(1, 60), min_size=1, max_size=40).map(lambda lengths: sorted(lengths, reverse=True)),
    st.sampled_from([(32, 1), (256, 1), (48, 24), (192, 96)]),
    st.sampled_from([(0, 1), (7, 1), (24, 24)]),
)
def test_a_pack_is_filled_to_its_shape_by_texts_not_above_its_longest(tiny_once, lengths, tokens, texts):
    backend = tiny_once.backend
    backend.min_tokens, backend.multiple = tokens
    backend.min_texts, backend.texts_multiple = texts
    filled = backend._padding_lengths(lengths)
    whole, count = sum(lengths) + sum(filled), len(lengths) + len(filled)
    assert all(0 < length <= lengths[0] for length in filled)
    assert (whole % tokens[1], count % texts[1]) == (0, 0)
    assert whole >= tokens[0]
    assert count >= texts[0]


def test_a_text_that_is_longer_than_a_pack_is_a_pack_of_its_own(tiny_packed):
    tiny_packed.backend.tokens_per_pack = 20
    texts = ["a b c", "word " * 60, "d e"]
    assert [batch.rows for batch in tiny_packed.backend.batches(texts, Role.TEXT)] == [[1], [0, 2]]


@pytest.mark.slow
def test_threads_that_encode_at_once_do_not_see_each_others_packs(tiny):
    texts = [f"{'word ' * (n % 37)}{n}" for n in range(400)]
    alone, together = (load_model(str(tiny), backend="packed") for _ in range(2))
    alone.workers.__init__("1x1")
    together.workers.__init__("4x1")
    assert np.array_equal(alone.encode(texts), together.encode(texts))


def test_a_model_with_an_attention_of_its_own_is_not_packed(tiny_packed, monkeypatch):
    monkeypatch.setattr(
        type(tiny_packed._model.sentence_transformer.transformers_model),
        "is_backend_compatible",
        classmethod(lambda cls: False),
    )
    with pytest.raises(UnsuitableBackendError, match="its attention cannot be replaced"):
        packed.Packed(tiny_packed._model)


def test_sentence_transformers_own_encode_still_works_on_a_packed_model(tiny_packed, tiny):
    plain = load_model(str(tiny), backend="plain")
    texts = ["", "a", "some words", "x " * 300]
    assert np.array_equal(tiny_packed._model.encode(texts, Role.TEXT), plain.encode(texts))
