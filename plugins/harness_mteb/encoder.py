"""One of our models behind mteb's interface."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from mteb.models import ModelMeta

from harness import Role

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from mteb.types import Array, PromptType

    from harness import Model


class Encoder:
    """mteb's `EncoderProtocol` around a `Model`, which keeps its own prompts, batches and similarity.

    mteb's choice of a prompt by task is ignored: the text's role picks the prompt, as everywhere in harness.
    """

    def __init__(self, model: Model) -> None:
        self._model = model
        self.mteb_model_meta = ModelMeta.create_empty(
            {"name": f"harness/{model.name}", "revision": model.fingerprint}
        )

    def encode(
        self, inputs: Iterable[Mapping[str, Any]], *, prompt_type: PromptType | None = None, **_: object
    ) -> np.ndarray:
        """Encode all batches at once: one float32 row per text, (n, dimensions), in input order."""
        texts = [text for batch in inputs for text in batch["text"]]
        return self._model.encode(texts, Role(prompt_type or Role.TEXT))

    def similarity(self, embeddings1: Array, embeddings2: Array) -> torch.Tensor:
        """Return the similarity of every row with every row, (n, m); a single embedding counts as one row.

        A tensor, as from mteb's own models: mteb takes `float` of a (1, 1) one, which numpy refuses.
        """
        return torch.as_tensor(self._model.similarity(*_rows(embeddings1, embeddings2)))

    def similarity_pairwise(self, embeddings1: Array, embeddings2: Array) -> torch.Tensor:
        """Return the similarity of row i with row i, (n,)."""
        return torch.as_tensor(self._model.pairwise_similarity(*_rows(embeddings1, embeddings2)))


def _rows(*embeddings: Array) -> Iterator[np.ndarray]:
    """Yield each array or tensor as float rows of numpy, (n, dimensions)."""
    return (np.atleast_2d(np.asarray(each)) for each in embeddings)
