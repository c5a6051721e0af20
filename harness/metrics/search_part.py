"""Search a part of a corpus: plain data in, plain data out, so that any process can do it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

import numpy as np

from harness.metrics.top_k import IdOrder, TopK

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from harness.metrics.top_k import Best

SHORTEST, LONGEST = 1e-6, 1e18
"""Minimum and maximum length of embeddings whose float32 products are finite, and that have a direction."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchPart:
    """Queries, and a part of a corpus in which the best documents of each are wanted, by a product."""

    queries: np.ndarray = field(repr=False)
    """(q, dimensions) float32."""
    documents: np.ndarray = field(repr=False)
    """(n, dimensions) float32."""
    ids: Sequence[str] = field(repr=False)
    """(n,): of documents of equal scores, those come first whose ids come last."""
    unit: bool
    """Whether lengths do not count: cosine, not dot product."""
    depth: int
    blocks: Sequence[tuple[int, int]]
    """First and last row, exclusive, of documents that are compared at once.

    They do not depend on how a corpus is cut into parts, and so neither do the bits of a score.
    """
    ignored: np.ndarray = field(repr=False)
    """Rows, ascending, that are not searched."""
    weights: np.ndarray | None = field(repr=False)
    """(n,): how many documents each row counts for where ties are counted; 1 each if None."""
    watched: tuple[np.ndarray, np.ndarray] = field(repr=False)
    """Two (m,), query and row, rows ascending: pairs whose score is wanted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PartFound:
    """The best documents of a part; rows are counted from its first."""

    best: Best
    watched: np.ndarray
    """(m,) float; NaN in blocks that were left out."""
    left_out: Sequence[int]
    """Numbers of the blocks whose similarities the model itself must compute.

    There, a document that is searched has no direction (for the cosine), or is not finite, or so long that a
    product may not be.
    """


class PartSearcher(Protocol):
    """What searches parts, here or elsewhere."""

    def search(self, parts: Iterator[SearchPart]) -> Iterator[PartFound]:
        """Yield what `search_part` finds in each, in order."""
        ...


def search_part(part: SearchPart) -> PartFound:
    """Return the best documents of a part."""
    best = TopK(len(part.queries), part.depth, IdOrder(part.ids), weights=part.weights)
    most = max((stop - start for start, stop in part.blocks), default=1)
    buffers = Buffers(Product(part.queries, unit=part.unit), most)
    watched_queries, watched_rows = part.watched
    watched, without = np.full(len(watched_rows), np.nan), []
    for number, (start, stop) in enumerate(part.blocks):
        first, last = np.searchsorted(part.ignored, (start, stop))
        left_out = part.ignored[first:last] - start
        similarities = buffers.similarities(part.documents[start:stop], left_out)
        if similarities is None:
            without.append(number)
            continue
        of_block = slice(*np.searchsorted(watched_rows, (start, stop)))
        watched[of_block] = similarities[watched_queries[of_block], watched_rows[of_block] - start]
        if len(left_out):
            similarities[:, left_out] = -np.inf
        best.add(start, similarities)
    return PartFound(best=best.best(), watched=watched, left_out=without)


class Product:
    """Cosine or dot product of queries with documents."""

    def __init__(self, queries: np.ndarray, *, unit: bool) -> None:
        import torch

        self.unit = unit
        tensor = torch.tensor(queries)
        self.queries = (torch.nn.functional.normalize(tensor) if unit else tensor).T.contiguous()
        """(dimensions, queries)."""


class Buffers:
    """A product with at most `rows` documents at a time, in buffers that are reused."""

    def __init__(self, product: Product, rows: int) -> None:
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
        if not ((lengths < LONGEST) & (lengths > (SHORTEST if unit else -1))).all():
            return None
        if unit:
            rows /= lengths
        similarities: np.ndarray = torch.mm(rows, self._product.queries, out=scores).T.numpy()
        return similarities
