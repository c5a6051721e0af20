"""Backends: ways to run texts through a sentence-transformers model, one per file of this folder.

A backend cuts texts into batches and runs one batch at a time; `harness.models.backends.threads` spreads
batches over threads. `harness.models.backends.choose` takes the fastest backend that is proved equal to
sentence-transformers' own `encode` on the model at hand.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from harness.system.extras import require_extra

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    import numpy as np

    from harness.models.interface import Role

BACKENDS = ("packed", "batched", "plain", "openvino", "onnx")
"""Modules of this folder that define `open_backend(model)`."""

LIBRARIES = {"openvino": ("openvino",), "onnx": ("onnxruntime", "onnx", "onnxscript")}
"""Backend → the libraries that it needs besides torch, which the extra of its name installs."""


class UnsuitableBackendError(Exception):
    """A backend cannot serve a model; the message is a short reason, and another backend is used."""


def check_backend(name: str) -> None:
    """Raise HarnessError where a library of a backend is not installed; none is imported."""
    for library in LIBRARIES.get(name, ()):
        require_extra(library, name, f"backend {name}")


@dataclass(frozen=True, slots=True)
class Batch:
    """Texts that go through the model together."""

    rows: list[int]
    """Positions of the texts in the list that was passed to `batches`."""
    features: Any
    """Input of the backend's `run`."""
    padded: int | None = None
    """Tokens that the model computes for the texts, padding included; None if unknown."""
    tokens: list[int] | None = None
    """Tokens of each text before any cut, as `Model.count_tokens` has them; None where they are not known."""


class Backend(Protocol):
    """A way to run texts through a model."""

    name: str
    parallel: bool
    """Whether running batches in several threads at once is useful; else they run one by one."""
    divisible: bool
    """Whether several threads may share the work of one batch."""

    def batches(self, texts: Sequence[str], role: Role) -> Iterator[Batch]:
        """Yield batches that hold each text once; lazily, so that tokenizing and running overlap."""
        ...

    def run(self, batch: Batch) -> np.ndarray:
        """Return float32 embeddings of a batch, (len(batch.rows), dimensions); thread-safe."""
        ...

    def set_dtype(self, dtype: str) -> None:
        """Compute in a lower precision; raises UnsuitableBackendError for one that is not supported."""
        ...

    def make_batch_invariant(self) -> bool:
        """Choose shapes at which an embedding depends, bit for bit, on its text alone.

        Returns whether there are such shapes.
        """
        ...

    def shapes(self) -> dict[str, Any]:
        """Return what `make_batch_invariant` chose, as plain data."""
        ...

    def use_shapes(self, shapes: Mapping[str, Any]) -> None:
        """Take over what `shapes` returned for the same model on the same machine."""
        ...
