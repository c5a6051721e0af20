"""Settings of storage: what they are called, and what an embedding takes."""

from __future__ import annotations

from dataclasses import fields

import pytest

from harness import Settings
from harness.models.storage import STORED, embedding_bytes, encoding_settings, storage_settings, stored_name

OTHER = Settings(dtype="bfloat16", max_seq_length=16)


@pytest.mark.parametrize(
    ("precision", "dimensions", "expected"),
    [
        ("float32", 384, 1536), ("int8", 384, 384), ("uint8", 384, 384), ("binary", 384, 48),
        ("ubinary", 384, 48), ("binary", 12, 2), ("float32", 128, 512),
    ],
)  # fmt: skip
def test_a_stored_embedding_takes_the_bytes_that_numpy_says(precision, dimensions, expected):
    import numpy as np
    from sentence_transformers.util import quantize_embeddings

    assert embedding_bytes(dimensions, precision) == expected
    stored = quantize_embeddings(np.eye(2, dimensions, dtype=np.float32), precision)
    assert stored.nbytes == 2 * expected


def test_the_settings_of_storage_are_those_that_leave_encoding_as_it_is():
    stored = Settings(truncate_dim=8, precision="int8", dtype="bfloat16", max_seq_length=16)
    assert encoding_settings(stored) == OTHER
    assert storage_settings(stored) == {"truncate_dim": 8, "precision": "int8"}
    assert storage_settings(OTHER) == {}
    assert set(STORED) < {field.name for field in fields(Settings)}


@pytest.mark.parametrize(
    ("settings", "name"),
    [
        (OTHER, "m"),
        (Settings(truncate_dim=128), "m-128"),
        (Settings(precision="binary"), "m-binary"),
        (Settings(truncate_dim=128, precision="int8"), "m-128-int8"),
    ],
)
def test_a_name_says_how_embeddings_are_stored(settings, name):
    assert stored_name("m", settings) == name
