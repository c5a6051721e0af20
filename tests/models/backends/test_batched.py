"""Shapes that depend on a text's own length, so that an embedding is the same bit for bit in any batch."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness import load_model
from harness.models.backends.batched import padded_shapes, width_of

pytestmark = pytest.mark.kernels

TEXTS = [f"{'word ' * (n % 37)}{n}" for n in range(150)]


@given(st.lists(st.integers(0, 9000), max_size=200))
def test_every_text_is_in_one_batch_that_it_fits(lengths):
    seen = []
    for shape in padded_shapes(lengths):
        seen += shape.rows
        assert 0 < len(shape.rows) <= shape.height
        assert all(lengths[row] <= shape.width for row in shape.rows)
    assert sorted(seen) == list(range(len(lengths)))


@given(st.lists(st.integers(0, 9000), min_size=1, max_size=50), st.sampled_from([(1, 1), (24, 1), (24, 24)]))
def test_tokens_and_rows_of_a_batch_are_multiples_of_the_kernels_tile(lengths, multiples):
    for shape in padded_shapes(lengths, 500, multiples):
        assert shape.height * shape.width % multiples[0] == 0
        assert shape.height % multiples[1] == 0
        assert shape.width <= 500


@given(st.integers(0, 9000), st.lists(st.integers(0, 9000), max_size=50))
def test_the_shape_that_a_text_meets_depends_on_its_own_length(tokens, others):
    (alone,) = padded_shapes([tokens])
    among = next(shape for shape in padded_shapes([*others, tokens]) if len(others) in shape.rows)
    assert (among.height, among.width) == (alone.height, alone.width)


@given(st.integers(1, 100_000))
def test_a_width_wastes_less_than_four_tokens_or_a_quarter(tokens):
    assert 0 <= width_of(tokens) - tokens < max(4, tokens / 4)


@given(st.integers(1, 9000).flatmap(lambda most: st.tuples(st.integers(0, most), st.just(most))))
def test_a_width_stays_within_the_models_limit(case):
    tokens, most = case
    assert tokens <= width_of(tokens, most) <= most
    assert width_of(tokens, most) == min(width_of(tokens), most)


@pytest.fixture(scope="module")
def tiny_model(tiny):
    return load_model(str(tiny), backend="batched")


def test_an_embedding_is_the_same_bit_for_bit_in_every_batch(tiny_model):
    together = tiny_model.encode(TEXTS)
    shuffled = np.random.default_rng(0).permutation(len(TEXTS))
    assert np.array_equal(tiny_model.encode([TEXTS[row] for row in shuffled]), together[shuffled])
    for row in (0, 7, 149):
        assert np.array_equal(tiny_model.encode([TEXTS[row]])[0], together[row])


def test_the_real_model_too_gives_one_embedding_per_text_bit_for_bit(minilm):
    together = minilm.encode(TEXTS)
    assert minilm.facts.backend == "packed"
    assert np.array_equal(minilm.encode(TEXTS[100:20:-3]), together[100:20:-3])
    assert np.array_equal(minilm.encode(TEXTS[30:31]), together[30:31])
