"""Fingerprints: what embeddings depend on, and nothing else of a folder."""

import json

import pytest

from harness.models.fingerprint import fingerprint_folder


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "config.json").write_text('{"model_type": "bert"}')
    write(tmp_path, None, None)
    return tmp_path


def write(folder, truncation, padding, **more):
    content = {"version": "1.0", "truncation": truncation, "padding": padding, "added_tokens": [], **more}
    (folder / "tokenizer.json").write_text(json.dumps(content, indent=2))


PADDING = {"strategy": "BatchLongest", "direction": "Right", "pad_id": 0, "pad_token": "[PAD]"}
TRUNCATION = {"direction": "Right", "max_length": 64, "strategy": "LongestFirst", "stride": 0}


def test_how_a_tokenizer_padded_its_last_texts_is_not_part_of_a_model(folder):
    before = fingerprint_folder(folder)
    write(folder, TRUNCATION, PADDING)
    assert fingerprint_folder(folder) == before
    write(folder, {"max_length": 128, "strategy": "LongestFirst", "stride": 0}, None)
    assert fingerprint_folder(folder) == before


def test_the_side_and_the_vocabulary_of_a_tokenizer_are_part_of_a_model(folder):
    before = fingerprint_folder(folder)
    write(folder, {**TRUNCATION, "direction": "Left"}, None)
    left = fingerprint_folder(folder)
    write(folder, TRUNCATION, None, model={"vocab": {"a": 1}})
    assert len({before, left, fingerprint_folder(folder)}) == 3


def test_a_tokenizer_of_a_static_embedding_cuts_as_its_file_says(folder):
    (folder / "config.json").unlink()
    before = fingerprint_folder(folder)
    write(folder, TRUNCATION, None)
    assert fingerprint_folder(folder) != before


@pytest.mark.parametrize("content", [b"{", b"\xff", b'{"truncation": [1]}', b"[" * 100_000, b""])
def test_a_broken_tokenizer_is_hashed_as_it_is(folder, content):
    (folder / "tokenizer.json").write_bytes(content)
    assert len(fingerprint_folder(folder)) == 64
