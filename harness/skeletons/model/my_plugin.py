"""A model that counts words: no weights, no network."""

from __future__ import annotations

import hashlib
import re
import zlib
from typing import TYPE_CHECKING

import numpy as np

from harness import HarnessError, Role, hookimpl
from harness.authoring import ModelFacts, ModelScheme

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harness.authoring import ModelSpec

DIMENSIONS = 1024
DEFINITION = f"counts of lower-case words, hashed into {DIMENSIONS} dimensions, length 1, version 1"
"""Change it whenever an embedding changes: the fingerprint, and the key of each result, are made of it."""


class MyPlugin:
    """A located model and the loaded one at once, as there is nothing to load."""

    def __init__(self, spec: ModelSpec) -> None:
        if spec.location:
            raise HarnessError(
                f"model my-plugin:{spec.location} does not exist", hint="write my-plugin alone"
            )
        self.spec = spec
        self.name = spec.name or "my-plugin"
        self.fingerprint = hashlib.sha256(DEFINITION.encode()).hexdigest()
        # Embeddings do not depend on the other texts, so they are the same in every run, bit for bit.
        self.facts = ModelFacts(dimensions=DIMENSIONS, similarity="cosine", reproducible=True)

    def load(self) -> MyPlugin:
        """Return itself. A model with weights loads them here, and no earlier."""
        return self

    def encode(self, texts: Sequence[str], role: Role = Role.TEXT) -> np.ndarray:  # noqa: ARG002 - roles are alike
        """Return one row per text, (len(texts), DIMENSIONS) float32; zeros for a text without words."""
        counts = np.zeros((len(texts), DIMENSIONS), dtype=np.float32)
        for number, text in enumerate(texts):
            for word in re.findall(r"\w+", text.lower()):
                # Not `hash`, which differs from process to process.
                counts[number, zlib.crc32(word.encode()) % DIMENSIONS] += 1
        return counts / np.maximum(np.linalg.norm(counts, axis=1, keepdims=True), 1e-12)

    def similarity(self, a: np.ndarray, b: np.ndarray) -> np.ndarray:
        """Return the cosine of every row of `a` with every row of `b`: (n, m)."""
        return a @ b.T

    def pairwise_similarity(self, a: np.ndarray, b: np.ndarray) -> np.ndarray:
        """Return the cosine of row i of `a` with row i of `b`: (n,)."""
        return np.einsum("ij,ij->i", a, b)

    def count_tokens(self, texts: Sequence[str], role: Role = Role.TEXT) -> np.ndarray | None:  # noqa: ARG002
        """Return None: no text is ever cut, so tokens do not count."""
        return None

    def same_as(self, role: Role) -> Role:  # noqa: ARG002 - as above
        """Return TEXT: queries and documents are encoded like any text, and a text is encoded once."""
        return Role.TEXT


@hookimpl
def harness_model_schemes() -> list[ModelScheme]:
    """Return the kinds of model that this plugin can find."""
    # The last argument names the settings that the model honors; others, such as --truncate-dim, are refused.
    return [ModelScheme("my-plugin", "counts of words: no weights, no network", MyPlugin, frozenset())]
