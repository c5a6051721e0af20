"""A model behind a server: what is known of it, and its embeddings."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from harness import Role
from harness.authoring import ModelFacts
from harness_remote.address import read_address
from harness_remote.client import EmbeddingClient
from harness_remote.settings import key_for, read_limits

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np

    from harness.authoring import ModelSpec

_VERSION = 1
"""Raise it when the same server would get other texts."""
_TRIAL = "Which text is this?"
_PRODUCTS = ("cosine", "dot")
"""Similarities that need no torch, which takes seconds to import."""
_TRIES = 3
"""Maximum attempts of the first request: a server that is off is told soon."""


@dataclass
class LocatedRemote:
    """A model on a server, which was not asked yet."""

    spec: ModelSpec
    name: str
    fingerprint: str
    identified: bool
    """Whether the user declared a revision: a server can exchange a model under its name."""
    client: EmbeddingClient = field(repr=False)
    remote: bool = True

    @classmethod
    def at(cls, spec: ModelSpec) -> LocatedRemote:
        """Locate a model; no server is asked. Raises HarnessError for what is not an address."""
        address, settings = read_address(spec.scheme, spec.location), spec.settings
        name = spec.name or address.short_name
        parts = [_VERSION, address.base, address.parameters, address.model, settings.revision]
        moving = [*parts, settings.prompts, settings.similarity]
        return cls(
            spec=spec,
            name=name,
            fingerprint=hashlib.sha256(json.dumps(moving).encode()).hexdigest(),
            identified=settings.revision is not None,
            client=EmbeddingClient(name, address, key_for(address), read_limits(spec.threads)),
        )

    def probe(self) -> None:
        """Ask for one text, once, in both formats; raises HarnessError where that fails."""
        if not self.client.dimensions:
            self.client.try_out(_TRIAL, attempts=_TRIES)

    def load(self) -> RemoteModel:
        """Return the model; raises HarnessError as `probe` does."""
        self.probe()
        return RemoteModel(self)


class RemoteModel:
    """A model that a server computes; nothing promises the same bits twice."""

    def __init__(self, located: LocatedRemote) -> None:
        self.name, self.fingerprint, self.spec = located.name, located.fingerprint, located.spec
        self._client, settings = located.client, located.spec.settings
        self._prompts = dict(settings.prompts)
        asked, answering = self._client.address.model, self._client.answering
        notes = [self._client.note] if self._client.note else []
        if answering not in ("", asked):
            notes.append(f"asked for {asked}, the server answers with {answering}")
        self.facts = ModelFacts(
            dimensions=self._client.dimensions,
            similarity=settings.similarity or "cosine",
            device="remote",
            backend="http",
            remote=True,
            identified=located.identified,
            notes=tuple(notes),
        )

    def encode(self, texts: Sequence[str], role: Role = Role.TEXT) -> np.ndarray:
        """Return one float32 row per text, (len(texts), dimensions); its role's prompt is put before each.

        Raises HarnessError as `EmbeddingClient.embed` does.
        """
        import numpy as np

        if not len(texts):
            return np.zeros((0, self.facts.dimensions), dtype=np.float32)
        prompt = self._prompts.get(role, "")
        return self._client.embed([f"{prompt}{text}" for text in texts])

    def similarity(self, a: np.ndarray, b: np.ndarray) -> np.ndarray:
        """Return the similarity of every row of `a` with every row of `b`: (n, m)."""
        if self.facts.similarity in _PRODUCTS:
            product: np.ndarray = self._compared(a) @ self._compared(b).T
            return product
        from sentence_transformers import SimilarityFunction

        found: np.ndarray = SimilarityFunction.to_similarity_fn(self.facts.similarity)(a, b).numpy()
        return found

    def pairwise_similarity(self, a: np.ndarray, b: np.ndarray) -> np.ndarray:
        """Return the similarity of row i of `a` with row i of `b`: (n,)."""
        import numpy as np

        if self.facts.similarity in _PRODUCTS:
            product: np.ndarray = np.einsum("ij,ij->i", self._compared(a), self._compared(b))
            return product
        from sentence_transformers import SimilarityFunction

        found: np.ndarray = SimilarityFunction.to_similarity_pairwise_fn(self.facts.similarity)(a, b).numpy()
        return found

    def _compared(self, rows: np.ndarray) -> np.ndarray:
        """Return rows whose products are the similarity: of length 1 for cosine."""
        import numpy as np

        if self.facts.similarity == "dot":
            return rows
        unit: np.ndarray = rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-12)
        return unit

    def count_tokens(self, texts: Sequence[str], role: Role = Role.TEXT) -> None:
        """Return None: a server does not say."""

    def same_as(self, role: Role) -> Role:
        """Return the first role with the same prompt."""
        prompt = self._prompts.get(role, "")
        return next(each for each in Role if self._prompts.get(each, "") == prompt)
