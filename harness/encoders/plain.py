"""Sentence-transformers' own `encode`: for every model, and the reference for the other encoders."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.encoders import Job, Unsuitable

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import numpy as np

    from harness.encoders.loaded import Loaded
    from harness.interfaces import Role


class Plain:
    """One job of all texts, in batches as sentence-transformers makes them."""

    name = "plain"
    parallel = False
    divisible = True

    def __init__(self, loaded: Loaded) -> None:
        self._loaded = loaded

    def jobs(self, texts: Sequence[str], role: Role) -> Iterator[Job]:
        """All texts in one job."""
        yield Job(list(range(len(texts))), (texts, role))

    def run(self, job: Job) -> np.ndarray:
        """Float32 embeddings, (n, full dimensions)."""
        texts, role = job.features
        return self._loaded.encode(texts, role)

    def lower(self, dtype: str) -> None:
        """Convert the weights."""
        lower_weights(self._loaded, dtype)

    def settle(self) -> None:
        """Nothing to choose: an embedding depends, by about 1e-7, on the texts around it."""


def lower_weights(loaded: Loaded, dtype: str) -> None:
    """Convert the weights of a torch model; raises Unsuitable for a type that torch cannot compute in."""
    import torch

    if dtype not in ("bfloat16", "float16"):
        raise Unsuitable(f"torch does not encode in {dtype}: --encoder onnx does")
    loaded.model.to(getattr(torch, dtype))


open_encoder = Plain
