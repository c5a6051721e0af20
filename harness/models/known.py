"""What a located model says of itself before it is loaded, by members that it may have."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.models.interface import ModelFacts

if TYPE_CHECKING:
    from harness.models.interface import LocatedModel


def is_identified(located: LocatedModel) -> bool:
    """Whether its fingerprint fixes what computes its embeddings: see `ModelFacts.identified`."""
    return bool(getattr(_source_of(located), "identified", True))


def is_remote(located: LocatedModel) -> bool:
    """Whether it says that texts are sent to another machine."""
    return bool(getattr(_source_of(located), "remote", False))


def known_dimensions(located: LocatedModel) -> int | None:
    """Return the dimensions of a model's full embeddings; None where they show only when it is loaded.

    A located model says them as `dimensions`, or has `facts` already, as one without weights does.
    """
    source = _source_of(located)
    dimensions = getattr(source, "dimensions", None)
    if isinstance(dimensions, int):
        return dimensions
    facts = getattr(source, "facts", None)
    return facts.dimensions if isinstance(facts, ModelFacts) else None


def probe(located: LocatedModel) -> None:
    """Let a model that can say so raise HarnessError where it cannot be used now: its server is off, …"""
    ask = getattr(_source_of(located), "probe", None)
    if callable(ask):
        ask()


def _source_of(located: LocatedModel) -> LocatedModel:
    """Return the model that encodes for a located one; imported late, since it imports numpy."""
    from harness.models.stored_model import source_of

    return source_of(located)
