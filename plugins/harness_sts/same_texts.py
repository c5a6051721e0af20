"""Pairs of one text: their similarity is exactly that of a text with itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np

    from harness import Model

_OF_ITSELF = {"cosine": 1.0, "euclidean": 0.0, "manhattan": 0.0}
"""Similarity of an embedding with itself; distances are negative. A dot product depends on the embedding."""
_ROUNDING = 1e-3
"""Maximum by which rounding lifts a similarity above that of an embedding with itself: generous."""


def similarities(
    model: Model, left: np.ndarray, right: np.ndarray, texts: Sequence[tuple[str, str]]
) -> np.ndarray:
    """Return the model's similarity of each pair: (n,) float; pairs of one text tie exactly.

    left, right: (n, d) embeddings of the two sides. texts: the two sides, (n,).
    As computed, the cosine of an embedding with itself differs from 1 in its last bits, by the embedding, and
    ranks would depend on rounding: SemEval 2012 has 61 such pairs. Two texts that the model does not tell
    apart, such as those that differ in case, are pairs of one text too. A cosine is at most 1; one far above
    shows that the model computes another function than its facts name, and all stay as computed.
    An embedding of zeros has no direction: its similarity stays as it is computed.
    """
    import numpy as np

    computed: np.ndarray = np.array(model.pairwise_similarity(left, right))
    if model.facts.similarity not in _OF_ITSELF:
        return computed
    exact = computed.dtype.type(_OF_ITSELF[model.facts.similarity])
    if (computed > exact + _ROUNDING).any():
        # A plugin's model whose similarity is not the one that its facts name.
        return computed
    same = np.array([one == other for one, other in texts], dtype=bool) | (left == right).all(axis=1)
    same &= left.any(axis=1)
    np.minimum(computed, exact, out=computed)
    computed[same] = exact
    return computed
