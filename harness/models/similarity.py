"""Similarity functions of sentence-transformers, by their names: `models.interface.SIMILARITIES`."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np


def similarity(name: str, a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Return the similarity of every row of `a` with every row of `b`: (n, m) float32."""
    from sentence_transformers import SimilarityFunction

    found: np.ndarray = SimilarityFunction.to_similarity_fn(name)(a, b).numpy()
    return found


def pairwise_similarity(name: str, a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Return the similarity of row i of `a` with row i of `b`: (n,) float32."""
    from sentence_transformers import SimilarityFunction

    found: np.ndarray = SimilarityFunction.to_similarity_pairwise_fn(name)(a, b).numpy()
    return found
