"""Tokens are counted once: while a text is encoded, or when they are first asked for."""

from __future__ import annotations

import numpy as np
import pytest
from conftest import LetterModel

from harness import Role
from harness.encoding.cached_model import CachedModel
from harness.encoding.table import EmbeddingTable


class CountsOnTheWay(LetterModel):
    """Counts letters as tokens while it encodes, all but those of texts that begin with a question mark."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[str] = []

    def encode_and_count(self, texts, role=Role.TEXT):
        counted = [-1 if text.startswith("?") else len(text) for text in texts]
        return self.encode(texts, role), np.array(counted, dtype=np.int32)

    def count_tokens(self, texts, role=Role.TEXT):
        self.asked += texts
        return np.array([len(text) for text in texts], dtype=int)


@pytest.fixture
def counting():
    return CountsOnTheWay()


def test_texts_that_were_counted_while_they_were_encoded_are_not_tokenized_again(counting):
    model = CachedModel(counting)
    model.encode(["abc", "?a", "b"])
    assert model.count_tokens(["b", "?a", "abc", "b"]).tolist() == [1, 2, 3, 1]
    assert counting.asked == ["?a"]
    assert model.count_tokens(["?a", "new"]).tolist() == [2, 3]
    assert counting.asked == ["?a", "new"]


def test_a_model_around_one_that_counts_is_asked_to_encode_itself(counting):
    class Around:
        def __getattr__(self, name):
            return getattr(counting, name)

        def encode(self, texts, role=Role.TEXT):
            return -counting.encode(texts, role)

    found = CachedModel(Around()).encode(["abc"])
    assert found.tolist() == (-counting.encode(["abc"])).tolist()


def test_a_model_that_counts_no_tokens_is_asked_and_says_so(letters):
    letters.count_tokens = lambda texts, role: None
    model = CachedModel(letters)
    model.encode(["a"])
    assert model.count_tokens(["a"]) is None
    assert model.count_tokens([]) is None


def test_counts_outlive_embeddings_that_are_dropped_around_them(counting):
    model = CachedModel(counting)
    texts = [f"{'x' * (number % 7)}{number}" for number in range(60)]
    model.encode(texts)
    model.forget(lambda text, role: text not in texts[50:])
    assert model.count_tokens(texts[50:]).tolist() == [len(text) for text in texts[50:]]
    assert counting.asked == []


def test_a_count_beyond_32_bits_is_not_kept():
    table = EmbeddingTable()
    first = table.reserve(2, 3)
    table.fill(np.arange(first, first + 2), ["a", "b"], np.zeros((2, 3), dtype=np.float32))
    table.note_tokens(np.arange(first, first + 2), np.array([2**40, 5]))
    assert table.tokens_of(["a", "b", "absent"]).tolist() == [-1, 5, -1]
