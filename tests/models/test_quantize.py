"""Quantized embeddings: the bits that sentence-transformers stores, and the distances of its search."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from sentence_transformers.util.quantization import _dequantize_embeddings, quantize_embeddings

from harness.models.quantize import (
    hamming_similarity,
    pairwise_hamming_similarity,
    quantized,
    ranges_of,
    restored,
)

RNG = np.random.default_rng(7)
DOCUMENTS = RNG.standard_normal((300, 20)).astype(np.float32)
QUERIES = 3 * RNG.standard_normal((50, 20)).astype(np.float32)
"""Wider than the documents: values outside of their ranges."""


def finite(rows=(1, 6), columns=9):
    values = st.floats(-1e6, 1e6, width=32)
    return st.integers(*rows).flatmap(lambda count: arrays(np.float32, (count, columns), elements=values))


def bits(stored):
    """The bits behind 1 and −1."""
    return np.packbits(stored > 0, axis=1)


@pytest.mark.parametrize("precision", ["int8", "uint8"])
@given(embeddings=finite(), documents=finite(rows=(2, 6)))
def test_codes_are_those_of_sentence_transformers_for_any_values(precision, embeddings, documents):
    ranges = ranges_of([documents])
    with np.errstate(over="ignore"):
        expected = quantize_embeddings(embeddings, precision, calibration_embeddings=documents)
    codes = quantized(embeddings, precision, ranges)
    assert codes.dtype == np.float32
    assert codes.tolist() == expected.tolist()


@pytest.mark.parametrize("precision", ["int8", "uint8"])
def test_values_outside_of_the_ranges_are_clipped_and_do_not_wrap_around(precision):
    codes = quantized(QUERIES, precision, ranges_of([DOCUMENTS]))
    low, high = ranges_of([DOCUMENTS])
    outside = (low > QUERIES) | (high < QUERIES)
    assert outside.mean() > 0.1
    low, high = {"int8": (-128, 127), "uint8": (0, 255)}[precision]
    assert set(codes[outside]) == {low, high}
    assert codes.tolist() == quantize_embeddings(QUERIES, precision, ranges_of([DOCUMENTS])).tolist()


@pytest.mark.parametrize("precision", ["int8", "uint8"])
def test_a_dimension_with_one_value_has_one_code(precision):
    documents = DOCUMENTS.copy()
    documents[:, 3] = 0.25
    codes = quantized(documents, precision, ranges_of([documents]))
    assert set(codes[:, 3]) == {quantize_embeddings(documents, precision)[0, 3]}
    assert np.isfinite(codes).all()


@pytest.mark.parametrize("precision", ["binary", "ubinary"])
@given(embeddings=finite(columns=16))
def test_bits_are_those_of_sentence_transformers_for_any_values(precision, embeddings):
    stored = quantized(embeddings, precision)
    assert set(np.unique(stored)) <= {-1.0, 1.0}
    expected = quantize_embeddings(embeddings, precision)
    ours = bits(stored) if precision == "ubinary" else (bits(stored) - 128).astype(np.int8)
    assert ours.tolist() == expected.tolist()


@pytest.mark.parametrize("precision", ["int8", "uint8"])
def test_codes_are_restored_as_sentence_transformers_restores_them(precision):
    ranges = ranges_of([DOCUMENTS])
    codes = quantized(DOCUMENTS, precision, ranges)
    expected = _dequantize_embeddings(codes.astype(int), precision, ranges)
    np.testing.assert_allclose(restored(codes, precision, ranges), expected, atol=1e-5)
    assert (
        np.abs(restored(codes, precision, ranges) - DOCUMENTS).max() < np.ptp(DOCUMENTS, axis=0).max() / 200
    )


@pytest.mark.parametrize("dimensions", [8, 20, 384])
def test_binary_similarity_is_the_hamming_distance_of_the_stored_bytes(dimensions):
    a, b = (RNG.standard_normal((count, dimensions)).astype(np.float32) for count in (6, 9))
    one, two = (quantize_embeddings(rows, "ubinary") for rows in (a, b))
    distances = np.array([[np.unpackbits(x ^ y).sum() for y in two] for x in one])
    stored = quantized(a, "binary"), quantized(b, "binary")
    similarity = hamming_similarity(*stored)
    np.testing.assert_allclose(similarity, 1 - 2 * distances / dimensions, atol=1e-6)
    pairs = pairwise_hamming_similarity(stored[0], stored[1][:6])
    assert pairs.tolist() == similarity[np.arange(6), np.arange(6)].tolist()


def test_equal_hamming_distances_tie_exactly_whatever_else_is_compared():
    a, b = (quantized(RNG.standard_normal((300, 384)).astype(np.float32), "binary") for _ in range(2))
    whole = hamming_similarity(a, b)
    distances = ((a[:, None, :80] != b[None, :, :80]).sum(axis=2) * 0 + (384 - (a @ b.T)) / 2).round()
    for distance in np.unique(distances):
        assert len(set(whole[distances == distance])) == 1
    assert whole[:, 7:11].tolist() == hamming_similarity(a, b[7:11]).tolist()


def test_ranges_do_not_depend_on_how_embeddings_are_cut_into_parts():
    parts = [DOCUMENTS[:1], DOCUMENTS[1:1], DOCUMENTS[1:200], DOCUMENTS[200:]]
    assert ranges_of(parts).tolist() == ranges_of([DOCUMENTS]).tolist()
    assert ranges_of([DOCUMENTS[:0]]) is None
