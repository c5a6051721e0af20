"""Shapes that depend on a text's own length, and one embedding per text."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness import HarnessError, ModelSpec, Role, Settings, load_model
from harness.encode import EncodedOnce, _chunks, batches, width_of

TEXTS = [f"{'word ' * (n % 37)}{n}" for n in range(150)]


@given(st.lists(st.integers(0, 9000), max_size=200))
def test_every_text_is_in_one_batch_that_it_fits(lengths):
    seen = []
    for batch in batches(lengths):
        seen += batch.rows
        assert 0 < len(batch.rows) <= batch.height
        assert all(lengths[row] <= batch.width for row in batch.rows)
    assert sorted(seen) == list(range(len(lengths)))


@given(st.integers(0, 9000), st.lists(st.integers(0, 9000), max_size=50))
def test_the_shape_that_a_text_meets_depends_on_its_own_length(tokens, others):
    (alone,) = batches([tokens])
    among = next(batch for batch in batches([*others, tokens]) if len(others) in batch.rows)
    assert (among.height, among.width) == (alone.height, alone.width)


@given(st.integers(1, 100_000))
def test_a_width_wastes_less_than_four_tokens_or_a_quarter(tokens):
    assert 0 <= width_of(tokens) - tokens < max(4, tokens / 4)


@given(st.integers(1, 9000).flatmap(lambda most: st.tuples(st.integers(0, most), st.just(most))))
def test_a_width_stays_within_the_models_limit(case):
    tokens, most = case
    assert tokens <= width_of(tokens, most) <= most
    assert width_of(tokens, most) == min(width_of(tokens), most)


@given(st.lists(st.integers(0, 3000), max_size=300))
def test_chunks_keep_the_order_and_are_as_large_as_they_may_be(lengths):
    texts = ["x" * length for length in lengths]
    chunks = list(_chunks(texts))
    assert [text for chunk in chunks for text in chunk] == texts
    counted = [sum(min(len(text), 1200) for text in chunk) for chunk in chunks]
    assert all(count <= 60_000 for count in counted)
    firsts = [min(len(chunk[0]), 1200) for chunk in chunks]
    assert all(count + first > 60_000 for count, first in zip(counted, firsts[1:], strict=False))


@pytest.fixture(scope="module")
def tiny_model(tiny):
    return load_model(str(tiny))


def test_an_embedding_is_the_same_bit_for_bit_whatever_it_is_encoded_with(tiny_model):
    together = tiny_model.encode(TEXTS)
    shuffled = np.random.default_rng(0).permutation(len(TEXTS))
    assert np.array_equal(tiny_model.encode([TEXTS[row] for row in shuffled]), together[shuffled])
    for row in (0, 7, 149):
        assert np.array_equal(tiny_model.encode([TEXTS[row]])[0], together[row])


def test_the_real_model_too_gives_one_embedding_per_text_bit_for_bit(minilm):
    together = minilm.encode(TEXTS)
    assert minilm.facts.encoder == "batched"
    assert np.array_equal(minilm.encode(TEXTS[100:20:-3]), together[100:20:-3])
    assert np.array_equal(minilm.encode(TEXTS[30:31]), together[30:31])


def test_each_text_is_encoded_once_over_all_calls_and_roles_that_are_alike(letters):
    model = EncodedOnce(letters)
    model.prefetch([("a", Role.TEXT), ("b", Role.QUERY), ("a", Role.DOCUMENT)], lambda _: None)
    model.encode(["a", "c", "a"])
    model.encode(["c", "b"], Role.DOCUMENT)
    assert sorted(letters.encoded) == [("a", "text"), ("b", "text"), ("c", "text")]


def test_roles_that_differ_for_the_model_are_encoded_apart(letters):
    letters.same_as = lambda role: role
    model = EncodedOnce(letters)
    model.encode(["a"], Role.QUERY)
    model.encode(["a"], Role.DOCUMENT)
    assert letters.encoded == [("a", "query"), ("a", "document")]


def test_rows_come_back_in_the_order_asked_for(letters):
    found = EncodedOnce(letters).encode(["b", "a", "b"])
    assert found.tolist() == letters.encode(["b", "a", "b"]).tolist()


def test_no_texts_give_no_rows_of_the_right_width(letters):
    assert EncodedOnce(letters).encode([]).shape == (0, 26)


def test_what_was_asked_for_is_told_once(letters):
    model = EncodedOnce(letters)
    model.prefetch([("only announced", Role.TEXT)], lambda _: None)
    model.encode(["a", "a", "b"])
    assert model.asked() == [("a", Role.TEXT), ("b", Role.TEXT)]
    assert model.asked() == []


def test_progress_counts_every_distinct_text_once(letters):
    model, steps = EncodedOnce(letters), []
    texts = [("ab"[n % 2] * (n % 400), Role.TEXT) for n in range(1000)]
    model.prefetch(texts, steps.append)
    assert sum(steps) == model.distinct(texts) == 400


@pytest.mark.parametrize(
    ("broken", "message"),
    [
        pytest.param(lambda rows: rows * np.nan, "NaN or infinite embeddings for 9 of 9", id="NaN"),
        pytest.param(lambda rows: rows[:4], r"shape \(4, 26\) for 9 texts", id="too few rows"),
        pytest.param(lambda rows: rows.sum(axis=1), r"shape \(9,\) for 9 texts", id="one dimension"),
        pytest.param(lambda rows: rows * 0 + 1, "all of 9 different texts the same", id="all equal"),
        pytest.param(lambda rows: 1 + rows * 3e-7, "all of 9 different texts the same", id="all near"),
    ],
)
def test_embeddings_that_no_score_can_come_from_are_refused(letters, broken, message):
    whole = letters.encode
    letters.encode = lambda texts, role: broken(whole(texts, role))
    with pytest.raises(HarnessError, match=message):
        EncodedOnce(letters).encode(list("abcdefghi"))


def test_embeddings_that_differ_by_more_than_rounding_are_accepted(letters):
    whole = letters.encode
    letters.encode = lambda texts, role: 1 + whole(texts, role) * 1e-3
    assert len(EncodedOnce(letters).encode(list("abcdefghi"))) == 9


@pytest.mark.parametrize(("dtype", "helps"), [("float16", True), ("bfloat16", True), ("float32", False)])
def test_another_dtype_is_advised_only_where_there_is_a_wider_one(letters, dtype, helps):
    letters.spec = ModelSpec("letters", "", settings=Settings(dtype=dtype))
    letters.encode = lambda texts, role: np.full((len(texts), 26), np.nan)
    with pytest.raises(HarnessError) as error:
        EncodedOnce(letters).encode(["a"])
    assert ("try --dtype float32" in str(error.value)) == helps


def test_a_similarity_that_is_not_finite_is_refused(letters):
    letters.pairwise_similarity = lambda a, b: np.array([0.5, np.nan])
    model = EncodedOnce(letters)
    with pytest.raises(HarnessError, match="gives 1 of 2 pairs no finite similarity"):
        model.pairwise_similarity(model.encode(["a", "b"]), model.encode(["c", "d"]))
