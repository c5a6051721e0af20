"""Embeddings of texts on disk are those of the same texts in memory, whatever is cached and who encodes."""

from __future__ import annotations

import errno
import os

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness import HarnessError, Role
from harness.encoding import stored_embeddings
from harness.encoding.cache import EmbeddingCache
from harness.encoding.cached_model import CachedModel
from harness.encoding.stored_embeddings import mapped_array
from harness.models.interface import ModelSpec, Settings
from harness.models.sentence_transformer import LocatedFolder
from harness.models.stored_model import LocatedStored, StoredModel
from harness.system.stored_texts import StoredTexts


@pytest.fixture(autouse=True)
def small_windows(monkeypatch):
    monkeypatch.setattr(stored_embeddings, "_WINDOW", 5)
    monkeypatch.setattr(stored_embeddings, "_ROWS", 3)


@given(st.lists(st.sampled_from(["", " ", "a", "ab", "the ferry", "é", "x" * 80]), min_size=1, max_size=40))
@settings(max_examples=40, deadline=None)
def test_they_are_the_same_and_so_is_what_is_counted(letters_of, texts):
    model = CachedModel(letters_of())
    found = model.encode(StoredTexts(texts), Role.DOCUMENT)
    wanted = CachedModel(letters_of()).encode(texts, Role.DOCUMENT)
    assert np.array_equal(found, wanted)
    assert not found.flags.writeable
    [(stored, role)] = model.pop_requested_stored()
    distinct = list(dict.fromkeys(texts))
    assert role is Role.TEXT
    assert [texts[row] for row in stored.rows] == distinct
    assert stored.tokens.tolist() == [len(text) for text in distinct]
    assert stored.blank.tolist() == [not text.strip() for text in distinct]
    assert model.count_zero_embeddings([], [stored]) == sum(
        bool(text.strip()) and text == "é" for text in distinct
    )


@pytest.fixture(scope="module")
def letters_of():
    from conftest import LetterModel

    return LetterModel


def test_each_text_is_encoded_once_over_windows_and_calls(letters):
    model = CachedModel(letters)
    texts = StoredTexts([f"text {row % 7}" for row in range(40)])
    model.encode(texts)
    model.encode(texts, Role.DOCUMENT)
    assert sorted(text for text, _ in letters.encoded) == [f"text {row}" for row in range(7)]


@pytest.mark.kernels
def test_a_real_model_gives_the_same_bytes_with_a_cold_a_partly_warm_and_a_warm_cache(tiny, tmp_path):
    spec = ModelSpec("folder", str(tiny))
    texts = [f"the ferry number {row % 23} leaves at {row % 9}" for row in range(60)]
    wanted = CachedModel(LocatedFolder.at(tiny, spec, "tiny").load()).encode(texts)
    for known in ([], texts[:20], texts):
        model = LocatedFolder.at(tiny, spec, "tiny").load()
        cache = EmbeddingCache(tmp_path / f"cache{len(known)}", lambda _: None)
        first = CachedModel(model, cache)
        first.prefetch([(text, Role.TEXT) for text in known], lambda _: None)
        again = CachedModel(model, EmbeddingCache(cache.folder, lambda _: None))
        done: list[int] = []
        again.advance = done.append
        assert np.array_equal(again.encode(StoredTexts(texts)), wanted)
        assert sum(done) == len(texts)
        [(stored, _)] = again.pop_requested_stored()
        counted = model.count_tokens(list(dict.fromkeys(texts)))
        assert stored.tokens.tolist() == counted.tolist()
        third = CachedModel(None_encodes(model), EmbeddingCache(cache.folder, lambda _: None))
        assert np.array_equal(third.encode(StoredTexts(texts)), wanted)


def None_encodes(model):  # noqa: N802 - it reads as a name of a class
    class Silent:
        def __getattr__(self, name):
            if name in ("encode", "encode_and_count"):
                raise AssertionError("all is cached")
            return getattr(model, name)

    return Silent()


@pytest.mark.parametrize(
    "options", [{"truncate_dim": 8}, {"truncate_dim": 8, "normalize": True}, {"precision": "binary"}]
)
def test_settings_of_storage_give_what_they_give_in_memory(tiny, options):
    spec = ModelSpec("folder", str(tiny), settings=Settings(**options))
    source = LocatedFolder.at(tiny, ModelSpec("folder", str(tiny)), "tiny")
    model = StoredModel(source.load(), LocatedStored(source, spec))
    texts = [f"text {row}" for row in range(12)]
    assert np.array_equal(CachedModel(model).encode(StoredTexts(texts)), CachedModel(model).encode(texts))


def test_ranges_of_documents_that_stay_on_disk_are_refused(tiny):
    spec = ModelSpec("folder", str(tiny), settings=Settings(precision="int8"))
    source = LocatedFolder.at(tiny, ModelSpec("folder", str(tiny)), "tiny")
    model = CachedModel(StoredModel(source.load(), LocatedStored(source, spec)))
    with pytest.raises(HarnessError, match="takes ranges from all documents, and these stay on disk"):
        model.encode(StoredTexts(["a", "b"]))


def test_a_full_disk_is_told_before_anything_is_encoded(monkeypatch, tmp_path):
    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "posix_fallocate", full, raising=False)
    with pytest.raises(HarnessError, match=r"no room for embeddings of 1,000 texts, 1\.5 MiB: No space left"):
        mapped_array((1000, 384), tmp_path)
    assert list(tmp_path.iterdir()) == []
