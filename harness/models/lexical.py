"""Lexical baseline: hashed character n-grams, no weights. Every neural model must beat it."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from harness.models.interface import ModelFacts, ModelSpec, Role

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np

DIMENSIONS = 4096
_DEFINITION = f"character 3- to 5-grams within words, lower case, signed hashing into {DIMENSIONS}, L2, v1"


class LexicalModel:
    """Embed a text as its hashed character n-grams, by scikit-learn; there is nothing to load."""

    def __init__(self, spec: ModelSpec) -> None:
        self.spec = spec
        self.name = spec.name or "lexical"
        self.fingerprint = hashlib.sha256(_DEFINITION.encode()).hexdigest()
        self.facts = ModelFacts(
            dimensions=DIMENSIONS, similarity="cosine", parameters=0, size_bytes=0, backend="hashing"
        )

    def load(self) -> LexicalModel:
        """Return itself: there is nothing to load."""
        return self

    def encode(self, texts: Sequence[str], role: Role = Role.TEXT) -> np.ndarray:  # noqa: ARG002
        """Return one unit row per text, (len(texts), 4096) float32; all zeros for a text without n-grams."""
        import numpy as np
        from sklearn.feature_extraction.text import HashingVectorizer

        if not len(texts):
            return np.zeros((0, DIMENSIONS), dtype=np.float32)
        vectorizer = HashingVectorizer(
            analyzer="char_wb", ngram_range=(3, 5), n_features=DIMENSIONS, norm="l2", dtype=np.float32
        )
        embeddings: np.ndarray = vectorizer.transform(texts).toarray()
        return embeddings

    def similarity(self, a: np.ndarray, b: np.ndarray) -> np.ndarray:
        """Return cosine similarities: (n, m)."""
        similarity: np.ndarray = a @ b.T
        return similarity

    def pairwise_similarity(self, a: np.ndarray, b: np.ndarray) -> np.ndarray:
        """Return cosine similarities: (n,)."""
        import numpy as np

        similarity: np.ndarray = np.einsum("ij,ij->i", a, b)
        return similarity

    def count_tokens(self, texts: Sequence[str], role: Role = Role.TEXT) -> None:
        """Return None: it has neither tokens nor a limit."""

    def same_as(self, role: Role) -> Role:  # noqa: ARG002
        """Return TEXT: all roles are alike."""
        return Role.TEXT
