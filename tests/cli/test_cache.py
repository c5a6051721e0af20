"""`harness cache`: what is kept, whether it is sound, and removing it."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

from harness import Role
from harness.encoding.cache import EmbeddingCache


@pytest.fixture
def kept():
    """Two models' embeddings in the folder `kept`; returns the segments."""
    from encoding.test_cache import CacheableModel

    for letter in "ab":
        store = EmbeddingCache(Path("kept"), print).store(CacheableModel(fingerprint=letter * 64), Role.TEXT)
        store.write(["one", "two"], [np.ones((2, 26), np.float32)])
    return sorted(Path("kept").glob("*/*/*.safetensors"))


def test_info_shows_what_is_kept_and_the_limit(harness, kept):
    answer = harness("cache", "info", "kept")
    assert answer.code == 0
    rows = [line.split()[:5] for line in answer.out.splitlines() if "text" in line and "texts" not in line]
    assert rows == [[letter * 16, "text", "2", "752", "B"] for letter in "ab"]
    assert "kept: 1.5 KiB of at most " in answer.out


def test_info_as_json_holds_the_same(harness, kept, document, monkeypatch):
    monkeypatch.setenv("HARNESS_CACHE_SIZE", "1GiB")
    found = document("cache", harness("cache", "info", "kept", "--json"))
    assert (found["bytes"], found["limit"]) == (1504, 1 << 30)
    assert [(store["fingerprint"], store["texts"], store["segments"]) for store in found["stores"]] == [
        ("a" * 16, 2, 1),
        ("b" * 16, 2, 1),
    ]


def test_an_empty_cache_is_reported_as_empty(harness):
    assert ": 0 B of at most" in harness("cache", "info").out
    assert harness("cache", "verify").code == 0
    assert "nothing to remove" in harness("cache", "clear").out


def test_verify_finds_damage_and_removes_it_on_request(harness, kept):
    assert harness("cache", "verify", "kept").code == 0
    content = bytearray(kept[0].read_bytes())
    content[600] ^= 1
    kept[0].write_bytes(content)
    (kept[0].parent / "mine.txt").write_text("mine")
    answer = harness("cache", "verify", "kept")
    assert answer.code == 2
    assert f"DAMAGED {kept[0]}: the checksum of its embeddings does not match\n" in answer.out
    assert f"not ours: {kept[0].parent}/mine.txt" in answer.out
    assert kept[0].exists()
    assert "; removed" in harness("cache", "verify", "kept", "--remove").out
    assert not kept[0].exists()
    assert harness("cache", "verify", "kept").code == 0


def test_clear_asks_before_it_removes(harness, kept):
    answer = harness("cache", "clear", "kept")
    assert answer.code == 2
    assert "this would remove 2 stores, 1.5 KiB" in answer.err
    assert harness("cache", "clear", "kept", "--yes").out == "removed 1.5 KiB from kept\n"
    assert list(Path("kept/embeddings").iterdir()) == []


@pytest.mark.parametrize("prefix", ["b", "b" * 16, "b" * 64])
def test_clear_can_be_limited_to_one_model(prefix, harness, kept):
    assert harness("cache", "clear", "kept", "--model", prefix, "--yes").code == 0
    assert [path.exists() for path in kept] == [True, False]


def test_clear_can_be_limited_to_old_stores(harness, kept):
    os.utime(kept[0], (0, 0))
    assert harness("cache", "clear", "kept", "--older-than", "30d", "--yes").code == 0
    assert [path.exists() for path in kept] == [False, True]


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (("info", "none"), "no folder none"),
        (("clear", "--older-than", "soon"), "invalid age 'soon' for --older-than"),
    ],
)
def test_an_unknown_folder_and_an_invalid_age_are_refused(words, reason, harness):
    answer = harness("cache", *words)
    assert (answer.code, reason in answer.err) == (2, True)


def test_a_run_refuses_an_invalid_size(run):
    answer = run("--cache-size", "much")
    assert answer.code == 2
    assert "invalid size 'much' for --cache-size" in answer.err


def test_the_configuration_can_limit_the_cache(run):
    Path("harness.toml").write_text('cache-size = "lots"\n')
    answer = run()
    assert "invalid size 'lots' for cache-size" in answer.err
    Path("harness.toml").write_text('cache-size = "2GiB"\n')
    assert run().code == 0


@pytest.mark.slow
def test_what_was_found_of_a_model_is_kept_with_the_embeddings_and_cleared(run, harness, tiny, monkeypatch):
    for words in (("--no-cache",), ("--cache", "c", "--fresh")):
        assert run(*words, model=tiny).code == 0
        assert not Path("c", "proofs").exists()
    assert run("--cache", "c", model=tiny, out="again").code == 0
    (proof,) = Path("c", "proofs").iterdir()
    said = harness("cache", "clear", "c", "--model", proof.name[:16], "--yes").out
    assert ", and what was found of 1 model, from c" in said
    assert not proof.exists()
