"""Damaged files of a cache are found, and intact ones are not reported."""

from __future__ import annotations

import pytest

from encoding.test_cache import cut, files, flip, other_store
from encoding.test_cache_folder import write
from harness.encoding.cache_folder import find_corruption


def test_a_whole_cache_has_no_damage(tmp_path):
    write(tmp_path, "a", "b")
    write(tmp_path, "c")
    assert list(find_corruption(tmp_path)) == []


@pytest.mark.parametrize(
    ("harm", "reason"),
    [
        pytest.param(flip(600), "the checksum of its embeddings does not match", id="an embedding"),
        pytest.param(flip(-1), "the checksum of its texts does not match", id="a text's hash"),
        pytest.param(cut, "it is truncated", id="a byte less"),
        pytest.param(other_store, "it belongs to another store", id="foreign"),
    ],
)
def test_every_damaged_segment_is_found(harm, reason, tmp_path):
    whole, broken = write(tmp_path, "a", "b"), write(tmp_path, "c", "d")
    harm(broken)
    assert [(one.path, one.reason, one.removable) for one in find_corruption(tmp_path)] == [
        (broken, reason, True)
    ]
    assert whole.exists()


@pytest.mark.parametrize("content", [b"\xff", b"[]", b"{}", b'{"dimensions": 26}'])
def test_a_damaged_description_is_named_and_costs_no_segment(content, tmp_path):
    write(tmp_path, "a")
    (path,) = files(tmp_path, "store.json")
    path.write_bytes(content)
    assert [(one.path, one.removable) for one in find_corruption(tmp_path)] == [(path, False)]
