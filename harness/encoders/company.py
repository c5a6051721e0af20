"""Whether an embedding depends on its text alone, or also on what is encoded with it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from harness.environment import cores
from harness.interfaces import Role

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harness.encoders import Encoder

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
    import torch

    before, expected = torch.get_num_threads(), None
    try:
        for threads in sorted({1, cores()} if encoder.divisible else {1}):
            torch.set_num_threads(threads)
            alone = np.concatenate([embed(encoder, [text], dimensions) for text in (*_COMPANY, _LONG)])
            together = embed(encoder, _COMPANY * 4, dimensions)
            expected = alone if expected is None else expected
            if not np.array_equal(alone, expected):
                return False
            if not np.array_equal(together, np.tile(alone[: len(_COMPANY)], (4, 1))):
                return False
    finally:
        torch.set_num_threads(before)
    return True
