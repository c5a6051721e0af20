"""Kinds of units of work, as plain data, and what they return."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from harness.models.interface import Role
from harness.render import plural

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import numpy as np

    from harness.metrics.search_part import SearchPart
    from harness.models.interface import ModelFacts, ModelSpec


@dataclass(frozen=True, slots=True, kw_only=True)
class EncodeUnit:
    """Encode a shard of texts by one model."""

    spec: ModelSpec
    """Settings of storage left out: embeddings are encoded in full."""
    name: str
    """Display name of the model."""
    fingerprint: str
    """A worker refuses a model that has another one."""
    want: Literal["description", "embeddings", "tokens"] = "embeddings"
    """`tokens` alone where embeddings are cached already; `description` to load the model."""
    role: Role = Role.TEXT
    texts: Sequence[str] = field(default=(), repr=False)

    @property
    def group(self) -> str:
        """Units of one model, as it is set."""
        return f"{self.fingerprint} {self.spec.scheme} {self.spec.location} {self.spec.settings}"

    @property
    def what(self) -> str:
        """What is done, for people."""
        if self.want == "description":
            return f"loading {self.name}"
        done = "encoding" if self.want == "embeddings" else "counting tokens of"
        return f"{done} {plural(len(self.texts), 'text')} with {self.name}"


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchUnit:
    """Search a part of a corpus; returns a `PartFound`."""

    part: SearchPart
    group: str = ""
    """None: it needs no model, and leaves the one that is loaded."""

    @property
    def what(self) -> str:
        """What is done, for people."""
        return f"searching {plural(len(self.part.documents), 'document')}"


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelDescription:
    """A loaded model, without its weights: what has to be the same on every worker."""

    facts: ModelFacts
    alike: Mapping[Role, Role]
    """Role → the one for all that the model encodes alike."""
    computation: Mapping[str, Any]
    """What the bits of its embeddings depend on besides the model and the text: `models.computation`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Encoded:
    """What an `EncodeUnit` returns."""

    model: ModelDescription
    threads: str
    """How the worker uses threads, in words; empty where the model does not say."""
    embeddings: np.ndarray | None = None
    """(len(texts), dimensions) float32."""
    tokens: np.ndarray | None = None
    """(len(texts),): tokens before any cut, -1 where they were not counted; None if unknown."""
