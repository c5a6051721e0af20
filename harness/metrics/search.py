"""Exact search in blocks: for each query, the rows of the documents that are most similar to it."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import numpy as np

from harness.errors import HarnessError
from harness.metrics.top_k import TopK, blocks
from harness.system.environment import cores

if TYPE_CHECKING:
    from collections.abc import Callable

    from harness.metrics.top_k import IdOrder
    from harness.models.interface import Model

_LARGE = 2**34
"""Multiplications from which a search is worth a matrix product of our own: it needs torch and a check."""
_MOST_WORKERS = 8
"""Parts of the documents that are searched at once; each has buffers of its own."""
_SHORTEST, _LONGEST = 1e-6, 1e18
"""Embeddings of a length between these have finite float32 products, and a direction."""


def search(
    model: Model,
    queries: np.ndarray,
    documents: np.ndarray,
    order: IdOrder,
    depth: int,
    *,
    ignored: np.ndarray,
    at_once: int,
) -> tuple[np.ndarray, np.ndarray]:
    """Find the rows of the best documents for each query, best first, and their scores.

    Both are (queries, depth), or less wide where fewer documents are searched. Equal scores: id, descending.
    ignored: rows, ascending, that are not searched; at_once: documents that are compared at once, at most.
    Raises HarnessError for similarities that are not finite.
    """
    depth = min(depth, len(documents) - len(ignored))
    product = _own_product(model, queries, documents)

    def best_of(part: slice) -> TopK:
        best = TopK(len(queries), depth, order)
        buffers = None if product is None else _Buffers(product, min(at_once, part.stop - part.start))
        for block in blocks(part, at_once):
            first, last = np.searchsorted(ignored, (block.start, block.stop))
            left_out = ignored[first:last] - block.start
            similarities = None if buffers is None else buffers.similarities(documents[block], left_out)
            if similarities is None:
                similarities = _similarities(model, queries, documents[block])
                # What the model gave may be a view, or locked.
                similarities = similarities.copy() if len(left_out) else similarities
            if len(left_out):
                similarities[:, left_out] = -np.inf
            best.add(block.start, similarities)
        return best

    whole = slice(0, len(documents))
    if product is None:
        return best_of(whole).ranked()
    return _search_parts(best_of, whole, at_once).ranked()


def _search_parts(best_of: Callable[[slice], TopK], whole: slice, at_once: int) -> TopK:
    """Search parts of the documents at once: what is not a matrix product uses one processor only."""
    import torch

    workers = min(_MOST_WORKERS, cores())
    parts = blocks(whole, max(at_once, -(-whole.stop // workers)))
    with ThreadPoolExecutor(
        workers, "search", initializer=torch.set_num_threads, initargs=(max(1, cores() // workers),)
    ) as pool:
        found = list(pool.map(best_of, parts))
    best = found[0]
    for other in found[1:]:
        best.merge(other)
    return best


def _similarities(model: Model, queries: np.ndarray, documents: np.ndarray) -> np.ndarray:
    similarities = np.asarray(model.similarity(queries, documents))
    if not np.isfinite(similarities).all():
        raise HarnessError(
            f"model {model.name} gave similarities that are NaN or infinite",
            hint="its similarity function may divide by the length of an embedding that is all zeros",
        )
    return similarities if similarities.dtype in (np.float32, np.float64) else similarities.astype(float)


class _Product:
    """Cosine or dot product of queries with documents."""

    def __init__(self, queries: np.ndarray, *, unit: bool) -> None:
        import torch

        self.unit = unit
        asked = torch.tensor(queries)
        self.queries = (torch.nn.functional.normalize(asked) if unit else asked).T.contiguous()
        """(dimensions, queries)."""


class _Buffers:
    """A product with some documents at a time, at most `rows`, in memory that is used again."""

    def __init__(self, product: _Product, rows: int) -> None:
        import torch

        self._product = product
        # One row per document, in torch's memory, which begins where cache lines do: else a third slower.
        self._copied = torch.empty(rows, product.queries.shape[0])
        self._scores = torch.empty(rows, product.queries.shape[1])

    def similarities(self, documents: np.ndarray, left_out: np.ndarray) -> np.ndarray | None:
        """(queries, documents), until the next call; None where the model must be asked.

        That is where some of the documents, other than those at `left_out`, have no direction (for
        the cosine), or are so long, or broken, that a product may not be finite.
        """
        import torch

        unit = self._product.unit
        # A copy, because embeddings may be locked, which torch does not take.
        rows, scores = self._copied[: len(documents)], self._scores[: len(documents)]
        np.copyto(rows.numpy(), documents)
        lengths = torch.linalg.vector_norm(rows, dim=1, keepdim=True)
        lengths[left_out] = 1
        if not ((lengths < _LONGEST) & (lengths > (_SHORTEST if unit else -1))).all():
            return None
        if unit:
            rows /= lengths
        similarities: np.ndarray = torch.mm(rows, self._product.queries, out=scores).T.numpy()
        return similarities


def _own_product(model: Model, queries: np.ndarray, documents: np.ndarray) -> _Product | None:
    """Return a product that stands for the model's similarity; None where there is none worth its while.

    Compared on a few queries and documents: what a model says of its similarity may not be all.
    """
    facts = getattr(model, "facts", None)  # the least model that can be searched with is a similarity
    narrow = queries.dtype == documents.dtype == np.float32
    if facts is None or facts.similarity not in ("cosine", "dot") or not narrow:
        return None
    if queries.size * len(documents) < _LARGE or not queries.size:
        return None
    unit = facts.similarity == "cosine"
    asked = _lengths(queries)
    few = np.append(np.linspace(0, len(queries) - 1, 8).astype(np.intp), asked.argmin())
    some = documents[np.linspace(0, len(documents) - 1, 256).astype(np.intp)]
    lengths = _lengths(some)
    usable = (lengths > _SHORTEST) & (lengths < _LONGEST)
    some, lengths = some[usable], lengths[usable]
    if not (asked < _LONGEST).all() or not len(some):
        return None
    expected = np.asarray(model.similarity(queries[few], some))
    nothing = np.empty(0, dtype=np.intp)
    found = _Buffers(_Product(queries[few], unit=unit), len(some)).similarities(some, nothing)
    scale = 1 if unit else asked[few][:, None] * lengths
    if expected.dtype != np.float32 or found is None or not (abs(found - expected) <= 1e-6 * scale).all():
        return None
    return _Product(queries, unit=unit)


def _lengths(embeddings: np.ndarray) -> np.ndarray:
    with np.errstate(over="ignore", invalid="ignore"):  # who asks looks at what comes out
        lengths: np.ndarray = np.linalg.norm(embeddings, axis=1)
    return lengths
