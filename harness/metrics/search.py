"""Exact search in blocks: for each query, the rows of the documents that are most similar to it."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
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
"""Minimum multiplications of a search for which our own matrix product pays: it needs torch and a check."""
_MOST_WORKERS = 8
"""Maximum parts of the documents that are searched at once; each has its own buffers."""
_SHORTEST, _LONGEST = 1e-6, 1e18
"""Minimum and maximum length of embeddings whose float32 products are finite, and that have a direction."""


@dataclass(frozen=True, slots=True)
class Corpus:
    """Documents to search."""

    documents: np.ndarray
    """(n, dimensions): embeddings."""
    order: IdOrder
    ignored: np.ndarray
    """Rows, ascending, that are not searched."""
    weights: np.ndarray | None = None
    """(n,): how many documents each row counts for where ties are counted; 1 each if None."""


@dataclass(frozen=True, slots=True)
class Found:
    """The best documents of each query."""

    rows: np.ndarray
    """(queries, depth), best first, or less wide if fewer documents are searched."""
    scores: np.ndarray
    """The same shape."""
    ties: np.ndarray
    """(queries,): weight of all documents whose score is that of the last one found, found or not."""
    watched: np.ndarray
    """(m,) float: scores of the watched pairs."""


def search(
    model: Model,
    queries: np.ndarray,
    corpus: Corpus,
    depth: int,
    *,
    watched: tuple[np.ndarray, np.ndarray],
    at_once: int,
) -> Found:
    """Return the best documents for each query. Equal scores: id, descending.

    watched: two (m,), query and row of document, rows ascending: pairs whose score is wanted, to the bit
    as it was compared. at_once: maximum documents that are compared at once.
    Raises HarnessError for similarities that are not finite.
    """
    documents, ignored = corpus.documents, corpus.ignored
    depth = min(depth, len(documents) - len(ignored))
    product = _own_product(model, queries, documents)
    watched_queries, watched_rows = watched
    watched_scores = np.full(len(watched_rows), np.nan)

    def best_of(part: slice) -> TopK:
        best = TopK(len(queries), depth, corpus.order, weights=corpus.weights)
        buffers = None if product is None else _Buffers(product, min(at_once, part.stop - part.start))
        for block in blocks(part, at_once):
            first, last = np.searchsorted(ignored, (block.start, block.stop))
            left_out = ignored[first:last] - block.start
            similarities = None if buffers is None else buffers.similarities(documents[block], left_out)
            if similarities is None:
                similarities = _similarities(model, queries, documents[block])
                # The model may return a view, or a read-only array.
                similarities = similarities.copy() if len(left_out) else similarities
            of_block = slice(*np.searchsorted(watched_rows, (block.start, block.stop)))
            watched_scores[of_block] = similarities[
                watched_queries[of_block], watched_rows[of_block] - block.start
            ]
            if len(left_out):
                similarities[:, left_out] = -np.inf
            best.add(block.start, similarities)
        return best

    whole = slice(0, len(documents))
    best = best_of(whole) if product is None else _search_parts(best_of, whole, at_once)
    return Found(*best.ranked(), watched_scores)


def _search_parts(best_of: Callable[[slice], TopK], whole: slice, at_once: int) -> TopK:
    """Search parts of the documents in threads: all but the matrix product uses one processor only."""
    import torch

    workers = min(_MOST_WORKERS, cores())
    parts = blocks(whole, max(at_once, -(-whole.stop // workers)))
    with ThreadPoolExecutor(
        workers, "search", initializer=torch.set_num_threads, initargs=(max(1, cores() // workers),)
    ) as pool:
        partial = list(pool.map(best_of, parts))
    best = partial[0]
    for other in partial[1:]:
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
        tensor = torch.tensor(queries)
        self.queries = (torch.nn.functional.normalize(tensor) if unit else tensor).T.contiguous()
        """(dimensions, queries)."""


class _Buffers:
    """A product with at most `rows` documents at a time, in buffers that are reused."""

    def __init__(self, product: _Product, rows: int) -> None:
        import torch

        self._product = product
        # One row per document, in torch's memory, which is aligned to cache lines: a third faster.
        self._copied = torch.empty(rows, product.queries.shape[0])
        self._scores = torch.empty(rows, product.queries.shape[1])

    def similarities(self, documents: np.ndarray, left_out: np.ndarray) -> np.ndarray | None:
        """Return (queries, documents), valid until the next call; None if the model must compute them.

        None if some documents, other than those at `left_out`, have no direction (for the cosine), or
        are not finite, or so long that a product may not be finite.
        """
        import torch

        unit = self._product.unit
        # A copy, because torch takes no read-only arrays.
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
    """Return a product that equals the model's similarity; None if none does, or the search is small.

    It is compared on a few queries and documents: `model.facts` may not say all about the similarity.
    """
    facts = getattr(model, "facts", None)  # a model for a search needs a similarity only
    narrow = queries.dtype == documents.dtype == np.float32
    if facts is None or facts.similarity not in ("cosine", "dot") or not narrow:
        return None
    if queries.size * len(documents) < _LARGE or not queries.size:
        return None
    unit = facts.similarity == "cosine"
    query_lengths = _lengths(queries)
    few = np.append(np.linspace(0, len(queries) - 1, 8).astype(np.intp), query_lengths.argmin())
    sample = documents[np.linspace(0, len(documents) - 1, 256).astype(np.intp)]
    lengths = _lengths(sample)
    usable = (lengths > _SHORTEST) & (lengths < _LONGEST)
    sample, lengths = sample[usable], lengths[usable]
    if not (query_lengths < _LONGEST).all() or not len(sample):
        return None
    expected = np.asarray(model.similarity(queries[few], sample))
    nothing = np.empty(0, dtype=np.intp)
    own = _Buffers(_Product(queries[few], unit=unit), len(sample)).similarities(sample, nothing)
    scale = 1 if unit else query_lengths[few][:, None] * lengths
    if expected.dtype != np.float32 or own is None or not (abs(own - expected) <= 1e-6 * scale).all():
        return None
    return _Product(queries, unit=unit)


def _lengths(embeddings: np.ndarray) -> np.ndarray:
    with np.errstate(over="ignore", invalid="ignore"):  # callers check the lengths
        lengths: np.ndarray = np.linalg.norm(embeddings, axis=1)
    return lengths
