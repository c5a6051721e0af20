"""Cache key: everything that the bits of an embedding depend on, besides its text."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from harness.models.computation import computation

if TYPE_CHECKING:
    from collections.abc import Mapping

    from harness.models.interface import Model, Role

_FORMAT = 1
"""Version of the files of a store."""


def cacheable(model: Model) -> bool:
    """Whether embeddings are kept between runs: what computes them is identified, and they are worth keeping.

    Either a text has the same bits with any other texts, or each text is sent to another machine, where it
    takes longer and may cost money than bits are worth.
    """
    facts = model.facts
    return facts.identified and (facts.reproducible or facts.remote)


def cache_key(model: Model, role: Role, elsewhere: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """Return everything that the bits of an embedding depend on besides its text, as plain data.

    elsewhere: `computation` of the processes that encode; None where this one does.
    """
    facts, settings = model.facts, model.spec.settings
    return {
        "format": _FORMAT,
        "fingerprint": model.fingerprint,
        "role": str(role),
        "dimensions": facts.dimensions,
        "backend": facts.backend,
        "dtype": settings.dtype,
        "trust_remote_code": settings.trust_remote_code,
        # What this machine is moves nothing that another one computes.
        **({"remote": True} if facts.remote else elsewhere or computation(facts.device)),
    }
