"""A model in training, as tasks see one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness import ModelFacts, ModelSpec, Role

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from sentence_transformers import SentenceTransformer


class LiveModel:
    """Answers tasks with the weights of this moment: it has no content to be known by, and no cache."""

    def __init__(self, model: SentenceTransformer) -> None:
        self._model = model
        self.name, self.fingerprint, self.spec = "in training", "", ModelSpec("live", "")
        self.facts = ModelFacts(
            dimensions=model.get_embedding_dimension() or 0,
            similarity=str(model.similarity_fn_name),
            device=model.device.type,
        )

    def encode(self, texts: Sequence[str], role: Role = Role.TEXT) -> np.ndarray:
        """One float32 row per text, (len(texts), dimensions), in input order."""
        import numpy as np

        if not len(texts):
            return np.zeros((0, self.facts.dimensions), dtype=np.float32)
        encode = {Role.QUERY: self._model.encode_query, Role.DOCUMENT: self._model.encode_document}.get(
            role, self._model.encode
        )
        return encode(list(texts), show_progress_bar=False).astype(np.float32)

    def similarity(self, a: np.ndarray, b: np.ndarray) -> np.ndarray:
        """The model's own similarity function: (n, m) float32."""
        return self._model.similarity(a, b).numpy()

    def pairwise_similarity(self, a: np.ndarray, b: np.ndarray) -> np.ndarray:
        """The model's own similarity function: (n,) float32."""
        return self._model.similarity_pairwise(a, b).numpy()

    def count_tokens(self, texts: Sequence[str], role: Role = Role.TEXT) -> np.ndarray | None:  # noqa: ARG002
        """Unknown: what is cut is counted when the finished candidate is evaluated."""
        return None

    def same_as(self, role: Role) -> Role:
        """Each role is encoded on its own."""
        return role
