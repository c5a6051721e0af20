"""How embeddings are stored after encoding: which settings say so, names, bytes. Imports no numpy."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from typing import TYPE_CHECKING

from harness.models.interface import Settings

if TYPE_CHECKING:
    from typing import Any

PRECISIONS = ("float32", "int8", "uint8", "binary", "ubinary")
"""Precisions of sentence-transformers' `quantize_embeddings`."""

STORED = ("truncate_dim", "normalize", "precision")
"""Settings that are applied after encoding: models that differ in these alone share one encoding."""


def encoding_settings(settings: Settings) -> Settings:
    """Return the settings without those of storage: what texts are encoded with."""
    plain = Settings()
    return replace(
        settings,
        truncate_dim=plain.truncate_dim,
        normalize=plain.normalize,
        precision=plain.precision,
    )


def storage_settings(settings: Settings) -> dict[str, Any]:
    """Return the settings of storage that are not the default: name → value."""
    plain = encoding_settings(settings)
    return {
        name: getattr(settings, name) for name in STORED if getattr(settings, name) != getattr(plain, name)
    }


def stored_fingerprint(fingerprint: str, settings: Settings) -> str:
    """Return the fingerprint of a model that is stored by these settings. fingerprint: of its encoding."""
    stored = storage_settings(settings)
    if not stored:
        return fingerprint
    return hashlib.sha256(f"{fingerprint}\n{json.dumps(stored, sort_keys=True)}".encode()).hexdigest()


def stored_name(name: str, settings: Settings) -> str:
    """Return a model's name with how its embeddings are stored: `minilm-128-int8`."""
    stored = storage_settings(settings)
    return "-".join([name, *(str(stored[part]) for part in ("truncate_dim", "precision") if part in stored)])


def embedding_bytes(dimensions: int, precision: str) -> int:
    """Return the bytes of a stored embedding, without an index: 1,536 for 384 dimensions in float32."""
    if precision in ("binary", "ubinary"):
        return -(-dimensions // 8)
    return dimensions if precision in ("int8", "uint8") else 4 * dimensions
