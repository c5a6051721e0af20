"""Sentence-transformers' own `encode`: for every model, and the reference for the other backends."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from harness.models.backends import Batch, UnsuitableBackendError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    import numpy as np

    from harness.models.backends.backend_model import BackendModel
    from harness.models.interface import Role


_TEXTS_PER_BATCH = 256


class Plain:
    """Run sentence-transformers' own `encode` on a few hundred texts of about one length at a time.

    Where the model depends on its batch, `encode` gets a batch size of 1: no text sees another, or padding.
    """

    name = "plain"
    parallel = False
    divisible = True

    def __init__(self, model: BackendModel) -> None:
        self._model = model

    def batches(self, texts: Sequence[str], role: Role) -> Iterator[Batch]:
        """Yield batches, shortest texts first; several, since an interruption waits for one of them."""
        order = sorted(range(len(texts)), key=lambda row: len(texts[row]))
        for start in range(0, len(order), _TEXTS_PER_BATCH):
            rows = order[start : start + _TEXTS_PER_BATCH]
            yield Batch(rows, ([texts[row] for row in rows], role))

    def run(self, batch: Batch) -> np.ndarray:
        """Return float32 embeddings, (n, dimensions)."""
        texts, role = batch.features
        return self._model.encode(texts, role)

    def set_dtype(self, dtype: str) -> None:
        """Convert the weights."""
        convert_weights(self._model, dtype)

    def make_batch_invariant(self) -> bool:
        """Return False: an embedding depends, by about 1e-7, on the other texts of its batch."""
        return False

    def shapes(self) -> dict[str, Any]:
        """Return nothing: `encode` chooses its own."""
        return {}

    def use_shapes(self, shapes: Mapping[str, Any]) -> None:
        """Do nothing, as there are none."""


def convert_weights(model: BackendModel, dtype: str) -> None:
    """Convert the weights of a torch model.

    Raises UnsuitableBackendError for a type that torch cannot compute in.
    """
    import torch

    if dtype not in ("bfloat16", "float16"):
        raise UnsuitableBackendError(f"torch does not encode in {dtype}: --backend onnx does")
    model.sentence_transformer.to(getattr(torch, dtype))


open_backend = Plain
