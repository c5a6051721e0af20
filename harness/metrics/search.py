"""Exact search in blocks: for each query, the rows of the documents that are most similar to it."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from harness.errors import HarnessError
from harness.metrics.search_part import LONGEST, SHORTEST, Buffers, Product, SearchPart, search_part
from harness.metrics.top_k import TopK, blocks
from harness.system.environment import cores

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from harness.metrics.search_part import PartFound, PartSearcher
    from harness.metrics.top_k import IdOrder
    from harness.models.interface import Model

_LARGE = 2**34
"""Minimum multiplications of a search for which our own matrix product pays: it needs torch and a check."""
_MOST_WORKERS = 8
"""Maximum parts of the documents that are searched at once; each has its own buffers."""
_BLOCKS = 8
"""Blocks of a part that is searched elsewhere: 32,768 documents of 384 dimensions are 48 MiB."""


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
    depth = min(depth, len(corpus.documents) - len(corpus.ignored))
    unit = _own_product(model, queries, corpus.documents)
    searched = _Search(
        model, queries, corpus, depth, watched, list(blocks(slice(0, len(corpus.documents)), at_once))
    )
    return searched.by_model() if unit is None else searched.by_parts(unit=unit)


@dataclass(frozen=True, slots=True)
class _Search:
    """A search; blocks: the documents that are compared at once."""

    model: Model
    queries: np.ndarray
    corpus: Corpus
    depth: int
    watched: tuple[np.ndarray, np.ndarray]
    blocks: Sequence[slice]

    def by_model(self) -> Found:
        """Search by the model's own similarity."""
        best = TopK(len(self.queries), self.depth, self.corpus.order, weights=self.corpus.weights)
        watched = np.full(len(self.watched[1]), np.nan)
        for block in self.blocks:
            self._add_by_model(block, best, watched)
        return Found(*best.ranked(), watched)

    def by_parts(self, *, unit: bool) -> Found:
        """Search parts by our own product, in threads or wherever the model has parts searched."""
        best = TopK(len(self.queries), self.depth, self.corpus.order, weights=self.corpus.weights)
        watched = np.full(len(self.watched[1]), np.nan)
        searcher: PartSearcher | None = getattr(self.model, "searcher", None)
        # Threads get a part each, since all but the product is slower at a part's beginning.
        each = _BLOCKS if searcher is not None else -(-len(self.blocks) // min(_MOST_WORKERS, cores()))
        runs = [self.blocks[at : at + each] for at in range(0, len(self.blocks), each)]
        parts = (self._part(run, unit=unit) for run in runs)
        for run, found in zip(runs, (searcher or _Threads()).search(parts), strict=True):
            best.merge(found.best, run[0].start)
            watched[self._watched_in(slice(run[0].start, run[-1].stop))] = found.watched
            for number in found.left_out:
                self._add_by_model(run[number], best, watched)
        return Found(*best.ranked(), watched)

    def _part(self, run: Sequence[slice], *, unit: bool) -> SearchPart:
        """Return adjacent blocks as a corpus of their own."""
        corpus, whole = self.corpus, slice(run[0].start, run[-1].stop)
        first, last = np.searchsorted(corpus.ignored, (whole.start, whole.stop))
        watched = self._watched_in(whole)
        return SearchPart(
            queries=self.queries,
            documents=corpus.documents[whole],
            ids=corpus.order.ids[whole],
            unit=unit,
            depth=self.depth,
            blocks=[(block.start - whole.start, block.stop - whole.start) for block in run],
            ignored=corpus.ignored[first:last] - whole.start,
            weights=None if corpus.weights is None else corpus.weights[whole],
            watched=(self.watched[0][watched], self.watched[1][watched] - whole.start),
        )

    def _watched_in(self, rows: slice) -> slice:
        return slice(*np.searchsorted(self.watched[1], (rows.start, rows.stop)))

    def _add_by_model(self, block: slice, best: TopK, watched: np.ndarray) -> None:
        first, last = np.searchsorted(self.corpus.ignored, (block.start, block.stop))
        left_out = self.corpus.ignored[first:last] - block.start
        similarities = _similarities(self.model, self.queries, self.corpus.documents[block])
        # The model may return a view, or a read-only array.
        similarities = similarities.copy() if len(left_out) else similarities
        of_block = self._watched_in(block)
        watched[of_block] = similarities[self.watched[0][of_block], self.watched[1][of_block] - block.start]
        if len(left_out):
            similarities[:, left_out] = -np.inf
        best.add(block.start, similarities)


class _Threads:
    """Search parts in threads: all but the matrix product uses one processor only."""

    def search(self, parts: Iterator[SearchPart]) -> Iterator[PartFound]:
        """Yield what is found in each part, in order."""
        import torch

        workers = min(_MOST_WORKERS, cores())
        with ThreadPoolExecutor(
            workers, "search", initializer=torch.set_num_threads, initargs=(max(1, cores() // workers),)
        ) as pool:
            yield from pool.map(search_part, parts)


def _similarities(model: Model, queries: np.ndarray, documents: np.ndarray) -> np.ndarray:
    similarities = np.asarray(model.similarity(queries, documents))
    if not np.isfinite(similarities).all():
        raise HarnessError(
            f"model {model.name} gave similarities that are NaN or infinite",
            hint="its similarity function may divide by the length of an embedding that is all zeros",
        )
    return similarities if similarities.dtype in (np.float32, np.float64) else similarities.astype(float)


def _own_product(model: Model, queries: np.ndarray, documents: np.ndarray) -> bool | None:
    """Return whether a product of unit vectors equals the model's similarity, or one of whole ones does.

    None if none does, or the search is small.

    It is compared on a few queries and documents: `model.facts` may not say all about the similarity.
    """
    facts = getattr(model, "facts", None)  # a model for a search needs a similarity only
    narrow = queries.dtype == documents.dtype == np.float32
    if facts is None or facts.similarity not in ("cosine", "dot") or not narrow:
        return None
    if queries.size * len(documents) < _LARGE or not queries.size:
        return None
    unit: bool = facts.similarity == "cosine"
    query_lengths = _lengths(queries)
    few = np.append(np.linspace(0, len(queries) - 1, 8).astype(np.intp), query_lengths.argmin())
    sample = documents[np.linspace(0, len(documents) - 1, 256).astype(np.intp)]
    lengths = _lengths(sample)
    usable = (lengths > SHORTEST) & (lengths < LONGEST)
    sample, lengths = sample[usable], lengths[usable]
    if not (query_lengths < LONGEST).all() or not len(sample):
        return None
    expected = np.asarray(model.similarity(queries[few], sample))
    nothing = np.empty(0, dtype=np.intp)
    own = Buffers(Product(queries[few], unit=unit), len(sample)).similarities(sample, nothing)
    scale = 1 if unit else query_lengths[few][:, None] * lengths
    if expected.dtype != np.float32 or own is None or not (abs(own - expected) <= 1e-6 * scale).all():
        return None
    return unit


def _lengths(embeddings: np.ndarray) -> np.ndarray:
    with np.errstate(over="ignore", invalid="ignore"):  # callers check the lengths
        lengths: np.ndarray = np.linalg.norm(embeddings, axis=1)
    return lengths
