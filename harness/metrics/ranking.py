"""Rank documents for queries, and per-query metrics of the ranked list, vectorized over queries."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from itertools import chain
from typing import TYPE_CHECKING

import numpy as np

from harness.metrics.search import search
from harness.metrics.top_k import IdOrder, blocks

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from harness.models.interface import Model

_QUERIES, _DOCUMENTS = 1024, 4096
"""Maximum queries and documents of a block of similarities: 1,024 × 4,096 floats are 16 MiB.

With fewer documents, normalizing the queries again for each block would take time; with more, a block
would not fit the processor's cache.
"""
_HASHED = 1024
"""Maximum documents that are hashed at once."""
_PREFIX = 64
"""Bytes of a row that distinguish nearly all documents that are not copies."""


@dataclass(frozen=True, slots=True)
class Ranking:
    """The best documents of every query, best first."""

    ids: list[list[str]]
    scores: list[list[float]]

    def judged(self, relevance: Sequence[Mapping[str, float]]) -> Judged:
        """Return the gains of the ranked documents; relevance: per query id → score, relevant if > 0."""
        positive = [{name: score for name, score in scores.items() if score > 0} for scores in relevance]
        gains = np.zeros((len(self.ids), max(1, max(map(len, self.ids), default=0))))
        for row, (ids, scores) in enumerate(zip(self.ids, positive, strict=True)):
            for name in scores.keys() & ids:
                gains[row, ids.index(name)] = scores[name]
        best = [sorted(scores.values(), reverse=True) for scores in positive]
        return Judged(gains, _padded(best), np.array([len(scores) for scores in positive]))


@dataclass(frozen=True, slots=True)
class Judged:
    """Gains of ranked documents; each metric is (queries,) in [0, 1], NaN for a query with nothing relevant.

    Definitions and ties are trec_eval's (https://github.com/usnistgov/trec_eval).
    """

    gains: np.ndarray
    """(queries, depth): relevance of each ranked document, 0 if not relevant."""
    best: np.ndarray
    """(queries, maximum of `relevant`): the same for the best possible ranking of all documents."""
    relevant: np.ndarray
    """(queries,): number of relevant documents."""

    def recall(self, k: int) -> np.ndarray:
        """Return the share of the relevant documents that are among the first k."""
        return self._per_relevant((self.gains[:, :k] > 0).sum(axis=1))

    def ndcg(self, k: int) -> np.ndarray:
        """Return the normalized discounted cumulative gain of the first k, with linear gains.

        Source: Järvelin and Kekäläinen (2002), "Cumulated gain-based evaluation of IR techniques".
        """
        gain, possible = _discounted(self.gains[:, :k]), _discounted(self.best[:, :k])
        return np.where(self.relevant > 0, gain / np.where(possible > 0, possible, 1), np.nan)

    def reciprocal_rank(self, k: int) -> np.ndarray:
        """Return 1 / rank of the first relevant document, 0 if none is among the first k."""
        hits = self.gains[:, :k] > 0
        ranks = np.where(hits.any(axis=1), 1 / (hits.argmax(axis=1) + 1), 0)
        return np.where(self.relevant > 0, ranks, np.nan)

    def average_precision(self, k: int) -> np.ndarray:
        """Return the summed precision at each relevant document of the first k, over all relevant ones."""
        hits = self.gains[:, :k] > 0
        precision = np.cumsum(hits, axis=1) / np.arange(1, hits.shape[1] + 1)
        return self._per_relevant((precision * hits).sum(axis=1))

    def _per_relevant(self, sums: np.ndarray) -> np.ndarray:
        return np.where(self.relevant > 0, sums / np.maximum(self.relevant, 1), np.nan)


def rank(model: Model, queries: np.ndarray, documents: np.ndarray, ids: Sequence[str], depth: int) -> Ranking:
    """Return the best documents for each query by the model's own similarity: exact, in bounded memory.

    queries (q, dim), documents (n, dim): embeddings; ids: the documents' ids, unique.
    depth: number of documents to keep, at least 1. Equal scores are ordered by document id, descending,
    as in trec_eval; documents with the same embedding always have equal scores.
    A large search by cosine or dot product, if `model.facts` names it, is computed here and not by the
    model: scores may differ by 1e-6 (times both lengths, for the dot product).
    Raises HarnessError for similarities that are not finite.
    """
    order = IdOrder(ids)
    copies = [sorted(group, key=ids.__getitem__, reverse=True) for group in _copies(documents)]
    ignored = np.array(sorted(row for group in copies for row in group[1:]), dtype=np.intp)
    groups = {group[0]: group[:depth] for group in copies}
    ranking = Ranking([], [])
    for block in blocks(slice(0, len(queries)), _QUERIES):
        rows, scores = search(
            model, queries[block], documents, order, depth, ignored=ignored, at_once=_DOCUMENTS
        )
        if groups:
            rows, scores = _with_all_copies(groups, rows, scores, order, width=min(depth, len(ids)))
        ranking.ids.extend([ids[row] for row in best] for best in rows.tolist())
        ranking.scores.extend(scores.tolist())
    return ranking


def _padded(rows: list[list[float]]) -> np.ndarray:
    """Return a matrix of rows of unequal length, padded with zeros, with at least one column."""
    lengths = np.array([len(row) for row in rows], dtype=np.intp)
    matrix = np.zeros((len(rows), max(1, lengths.max(initial=0))))
    matrix[np.arange(matrix.shape[1]) < lengths[:, None]] = np.fromiter(chain.from_iterable(rows), float)
    return matrix


def _discounted(gains: np.ndarray) -> np.ndarray:
    # Added one after another, so that trailing zeros change nothing and the best ranking scores exactly 1.
    sums: np.ndarray = np.cumsum(gains / np.log2(np.arange(2, gains.shape[1] + 2)), axis=1)[:, -1]
    return sums


def _copies(documents: np.ndarray) -> list[list[int]]:
    """Return groups of rows that have the same embedding: two or more each, ascending.

    Matrix kernels round the columns of one product differently, so that two copies of a document
    would not tie; only one of a group is searched.
    """
    rows = _repeated(_hashes(documents[:, : max(1, _PREFIX // documents.dtype.itemsize)]))
    rows = rows[_repeated(_hashes(documents, rows))]
    groups: dict[bytes, list[int]] = {}
    for row in rows.tolist():
        content = np.ascontiguousarray(documents[row]).data
        groups.setdefault(hashlib.blake2b(content, digest_size=16).digest(), []).append(row)
    return [group for group in groups.values() if len(group) > 1]


def _repeated(values: np.ndarray) -> np.ndarray:
    """Return the positions, ascending, of values that occur more than once."""
    order = np.argsort(values)
    equal = np.flatnonzero(np.diff(values[order]) == 0)
    return np.unique(order[np.concatenate([equal, equal + 1])])


def _hashes(documents: np.ndarray, rows: np.ndarray | None = None) -> np.ndarray:
    """Return cheap (n,) hashes of the bytes of all or some rows; different rows rarely have the same.

    Sums of integers modulo 2^64 do not depend on the order, unlike sums of floats.
    """
    width = documents.dtype.itemsize * documents.shape[1]
    factors = np.random.default_rng(0).integers(2**64, size=-(-width // 8), dtype=np.uint64) | np.uint64(1)
    hashes = np.empty(len(documents) if rows is None else len(rows), dtype=np.uint64)
    for block in blocks(slice(0, len(hashes)), _HASHED):
        content = np.ascontiguousarray(documents[block if rows is None else rows[block]]).view(np.uint8)
        if width % 8:
            content = np.pad(content, ((0, 0), (0, -width % 8)))
        hashes[block] = content.view(np.uint64) @ factors
    return hashes


def _with_all_copies(
    groups: Mapping[int, list[int]], rows: np.ndarray, scores: np.ndarray, order: IdOrder, *, width: int
) -> tuple[np.ndarray, np.ndarray]:
    """Insert the copies of found documents, with the same score: two (queries, width).

    groups: the row that was searched → rows of its copies, itself included, by id, descending.
    The result is exact: documents that outrank a document also outrank its copies.
    """
    copied = np.isin(rows, list(groups)).any(axis=1)
    # Fewer than `width` were found only where all documents were found, copied ones included.
    all_rows, all_scores = (np.empty((len(rows), width), dtype=kept.dtype) for kept in (rows, scores))
    all_rows[~copied, : rows.shape[1]], all_scores[~copied, : rows.shape[1]] = rows[~copied], scores[~copied]
    for query in np.flatnonzero(copied):
        expanded = [groups.get(row, [row]) for row in rows[query].tolist()]
        members = np.array([row for group in expanded for row in group], dtype=np.intp)
        repeated = np.repeat(scores[query], [len(group) for group in expanded])
        best = np.lexsort((-order.ranks_of(members), -repeated))[:width]
        all_rows[query], all_scores[query] = members[best], repeated[best]
    return all_rows, all_scores
