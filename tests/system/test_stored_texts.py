"""Texts on disk are a sequence like any other."""

from __future__ import annotations

import tempfile
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from harness.system import stored_texts
from harness.system.stored_texts import StoredTexts, StoredTextsWriter


@given(
    st.lists(st.text(), max_size=50), st.integers(-60, 60), st.integers(-60, 60), st.sampled_from([1, 2, -1])
)
@settings(max_examples=60, deadline=None)
def test_they_are_what_a_list_of_them_is(texts, start, stop, step):
    texts = [text.encode(errors="replace").decode() for text in texts]
    kept, stored_texts._AT_ONCE = stored_texts._AT_ONCE, 7
    try:
        stored = StoredTexts(iter(texts))
        assert list(stored) == texts
        assert (len(stored), stored == texts, stored == [*texts, "x"]) == (len(texts), True, False)
        assert stored[start:stop:step] == texts[start:stop:step]
        assert [stored[row] for row in range(-len(texts), len(texts))] == [*texts, *texts]
    finally:
        stored_texts._AT_ONCE = kept


def test_no_file_is_left(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    stored = StoredTexts(["a", "b"])
    assert list(tmp_path.iterdir()) == []
    assert stored[1] == "b"
    folder = tmp_path / "there"
    folder.mkdir()
    assert StoredTexts(["c"], Path(folder))[0] == "c"


def test_pieces_that_are_written_one_after_the_other_are_one_sequence(tmp_path, monkeypatch):
    monkeypatch.setattr(stored_texts, "_CHARACTERS_AT_ONCE", 10)
    with StoredTextsWriter(tmp_path) as writer:
        writer.extend(["a" * 9, "b"])
        writer.extend([])
        writer.extend(iter("cd"))
        stored = writer.close()
    assert list(tmp_path.iterdir()) == []
    assert stored == ["a" * 9, "b", "c", "d"]
    assert stored.take([3, 0, 3]) == ["d", "a" * 9, "d"]


def test_a_writer_that_is_left_early_leaves_no_file(tmp_path):
    with StoredTextsWriter(tmp_path) as writer:
        writer.extend(["a"])
    assert list(tmp_path.iterdir()) == []


def test_pages_that_were_given_back_are_read_again(monkeypatch):
    monkeypatch.setattr(stored_texts, "_BYTES_HELD", 1)
    texts = [f"text {row}" for row in range(10_000)]
    stored = StoredTexts(texts)
    assert list(stored) == list(stored) == texts
    assert stored[5_000] == texts[5_000]
