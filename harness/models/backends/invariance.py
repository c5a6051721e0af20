"""Batch invariance: whether an embedding is, bit for bit, a function of its text alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from harness.models.backends.trial import embed
from harness.system.environment import cores

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from harness.models.backends import Backend

_INVARIANCE_TEXTS = ("a", *(f"{'word ' * n}{n}" for n in (2, 5, 9, 14, 27, 60)))
"""Texts of about 130 tokens, which are encoded alone and in one batch."""

_LONG_TEXT = "word " * 200
"""A text whose attention is computed in blocks, which may depend on the number of threads."""


def is_batch_invariant(backend: Backend, dimensions: int) -> bool:
    """Check batch invariance: the same bits alone as with other texts, with one thread as with all.

    For a backend whose batches are not divisible, a batch gets one thread. This is a trial and not a proof
    for every shape; but a kernel that sums in another order for another shape shows in nearly every row.
    """
    counts = sorted({1, cores()} if backend.divisible else {1})
    return _is_same_with_threads(counts, lambda: _invariant_embeddings(backend, dimensions))


def is_thread_invariant(backend: Backend, dimensions: int) -> bool:
    """Check that a long text has the same bits with one thread as with all: attention is cut into blocks."""
    return _is_same_with_threads(sorted({1, cores()}), lambda: embed(backend, [_LONG_TEXT], dimensions))


def _is_same_with_threads(counts: Sequence[int], run: Callable[[], np.ndarray | None]) -> bool:
    """Check that `run` returns the same bits with each number of threads, and never None."""
    import torch

    before, expected = torch.get_num_threads(), None
    try:
        for threads in counts:
            torch.set_num_threads(threads)
            embeddings = run()
            if embeddings is None or (expected is not None and not np.array_equal(embeddings, expected)):
                return False
            expected = embeddings
    finally:
        torch.set_num_threads(before)
    return True


def _invariant_embeddings(backend: Backend, dimensions: int) -> np.ndarray | None:
    """Return the embeddings of texts that are the same alone as in a batch; None where they differ."""
    alone = np.concatenate([embed(backend, [text], dimensions) for text in _INVARIANCE_TEXTS])
    together = embed(backend, _INVARIANCE_TEXTS * 4, dimensions)
    return alone if np.array_equal(together, np.tile(alone, (4, 1))) else None
