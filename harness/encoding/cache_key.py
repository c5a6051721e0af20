"""Cache key: everything that the bits of an embedding depend on, besides its text."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from harness.models.computation import computation

if TYPE_CHECKING:
    from harness.models.interface import Model, Role

_FORMAT = 1
"""Version of the files of a store."""


def cacheable(model: Model) -> bool:
    """Whether a model says that its embeddings are batch-invariant: functions of their texts, bit for bit."""
    return model.facts.reproducible


def cache_key(model: Model, role: Role) -> dict[str, Any]:
    """Return everything that the bits of an embedding depend on besides its text, as plain data."""
    facts, settings = model.facts, model.spec.settings
    return {
        "format": _FORMAT,
        "fingerprint": model.fingerprint,
        "role": str(role),
        "dimensions": facts.dimensions,
        "backend": facts.backend,
        "dtype": settings.dtype,
        "trust_remote_code": settings.trust_remote_code,
        **computation(facts.device),
    }
