"""Texts on disk are a sequence like any other."""

from __future__ import annotations

import tempfile
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from harness.system import stored_texts
from harness.system.stored_texts import StoredTexts


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
