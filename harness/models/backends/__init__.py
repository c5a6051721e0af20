"""Backends: ways to run texts through a sentence-transformers model. Each is a file of this folder.

A backend cuts texts into batches and runs one batch at a time; which threads run them is not its business
(`harness.models.backends.threads`). `harness.models.backends.choose` takes the fastest that is proved equal
to sentence-transformers' own `encode` on the model at hand.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import numpy as np

    from harness.models.interface import Role

BACKENDS = ("packed", "batched", "plain", "openvino", "onnx")
"""Files of this folder that have an `open_backend(loaded)`."""


class UnsuitableBackendError(Exception):
    """Says in a few words why a backend cannot serve a model; another one then does."""


@dataclass(frozen=True, slots=True)
class Batch:
    """Texts that go through the model together."""

    rows: list[int]
    """Positions of the texts in what was asked for."""
    features: Any
    """What the backend's `run` takes."""
    padded: int | None = None
    """Tokens that the model computes for them, padding included; None if unknown."""


class Backend(Protocol):
    """A way to run texts through a model."""

    name: str
    parallel: bool
    """Whether several threads running batches side by side are any use; else one batch runs after another."""
    divisible: bool
    """Whether several threads may share the work of one batch."""

    def batches(self, texts: Sequence[str], role: Role) -> Iterator[Batch]:
        """Cut texts into batches that hold each of them once; lazily, so that tokenizing and running overlap."""
        ...

    def run(self, batch: Batch) -> np.ndarray:
        """Float32 embeddings of a batch, (len(batch.rows), full dimensions); from any thread."""
        ...

    def set_dtype(self, dtype: str) -> None:
        """Go on in a lower precision; raises UnsuitableBackendError for one that it does not have."""
        ...

    def make_batch_invariant(self) -> bool:
        """Choose shapes at which an embedding depends, bit for bit, on its text alone; say if it does."""
        ...
