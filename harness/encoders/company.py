"""Whether an embedding depends on its text alone, or also on what is encoded with it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from harness.models.interface import Role
from harness.system.environment import cores

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from harness.models.backends import Encoder

_COMPANY = ("a", *(f"{'word ' * n}{n}" for n in (2, 5, 9, 14, 27, 60)))
"""Texts of about 130 tokens."""
_LONG = "word " * 200
"""A text whose attention is computed in blocks, which threads may cut in another way."""


def embed(encoder: Encoder, texts: Sequence[str], dimensions: int, role: Role = Role.TEXT) -> np.ndarray:
    """Run all jobs one after another: (n, dimensions) float32."""
    embeddings = np.empty((len(texts), dimensions), dtype=np.float32)
    for job in encoder.jobs(texts, role):
        embeddings[job.rows] = encoder.run(job)
    return embeddings


def is_indifferent_to_company(encoder: Encoder, dimensions: int) -> bool:
    """Whether texts have the same bits alone as anywhere among others, with one thread as with all.

    For an encoder whose jobs are not divisible, one thread is all that a job gets. A trial and no proof for
    every shape there is; but a kernel that sums in another order for another shape shows in nearly every row.
    """
    counts = sorted({1, cores()} if encoder.divisible else {1})
    return _same_with_threads(counts, lambda: _in_company(encoder, dimensions))


def is_indifferent_to_threads(encoder: Encoder, dimensions: int) -> bool:
    """Whether a long text has the same bits with one thread as with all: attention is cut into blocks."""
    return _same_with_threads(sorted({1, cores()}), lambda: embed(encoder, [_LONG], dimensions))


def _same_with_threads(counts: Sequence[int], run: Callable[[], np.ndarray | None]) -> bool:
    """Whether `run` gives the same bits with each number of threads, and never None."""
    import torch

    before, expected = torch.get_num_threads(), None
    try:
        for threads in counts:
            torch.set_num_threads(threads)
            found = run()
            if found is None or (expected is not None and not np.array_equal(found, expected)):
                return False
            expected = found
    finally:
        torch.set_num_threads(before)
    return True


def _in_company(encoder: Encoder, dimensions: int) -> np.ndarray | None:
    """Embeddings of texts that are the same alone as among others; None where they are not."""
    alone = np.concatenate([embed(encoder, [text], dimensions) for text in _COMPANY])
    together = embed(encoder, _COMPANY * 4, dimensions)
    return alone if np.array_equal(together, np.tile(alone, (4, 1))) else None
