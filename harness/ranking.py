"""Exact search in blocks, and per-query metrics of the ranked list, vectorised over queries."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from harness.interfaces import Model

_QUERIES, _DOCUMENTS = 256, 16_384
"""One block of similarities is at most 256 × 16,384 floats (16 MiB), whatever the corpus."""


@dataclass(frozen=True, slots=True)
class Ranking:
    """The best documents of every query, best first."""

    ids: list[list[str]]
    scores: list[list[float]]

    def judged(self, relevance: Sequence[Mapping[str, float]]) -> Judged:
        """Hold the ranking against relevance: for each query, document id → score; relevant means > 0."""
        depth = max((len(ids) for ids in self.ids), default=0)
        gains, best = np.zeros((len(self.ids), depth)), np.zeros((len(self.ids), depth))
        for row, (ids, judged) in enumerate(zip(self.ids, relevance, strict=True)):
            gains[row, : len(ids)] = [max(judged.get(name, 0), 0) for name in ids]
            ideal = sorted((score for score in judged.values() if score > 0), reverse=True)[:depth]
            best[row, : len(ideal)] = ideal
        relevant = np.array([sum(score > 0 for score in judged.values()) for judged in relevance])
        return Judged(gains, best, relevant)


@dataclass(frozen=True, slots=True)
class Judged:
    """Gains of ranked documents; each metric is (queries,) in [0, 1], NaN for a query with nothing relevant.

    Definitions and ties are trec_eval's (https://github.com/usnistgov/trec_eval).
    """

    gains: np.ndarray
    """(queries, depth): the relevance of each ranked document, 0 where not relevant."""
    best: np.ndarray
    """(queries, depth): the same for the best possible ranking."""
    relevant: np.ndarray
    """(queries,): how many documents are relevant."""

    def recall(self, k: int) -> np.ndarray:
        """Share of the relevant documents that are among the first k."""
        return self._per_relevant((self.gains[:, :k] > 0).sum(axis=1))

    def ndcg(self, k: int) -> np.ndarray:
        """Normalised discounted cumulative gain of the first k, with linear gains.

        Source: Järvelin and Kekäläinen (2002), "Cumulated gain-based evaluation of IR techniques".
        """
        discount = 1 / np.log2(np.arange(2, min(k, self.gains.shape[1]) + 2))
        reached = (self.gains[:, :k] * discount).sum(axis=1)
        possible = (self.best[:, :k] * discount).sum(axis=1)
        return np.where(self.relevant > 0, reached / np.where(possible > 0, possible, 1), np.nan)

    def reciprocal_rank(self, k: int) -> np.ndarray:
        """1 / rank of the first relevant document, 0 where there is none among the first k."""
        hits = self.gains[:, :k] > 0
        ranks = np.where(hits.any(axis=1), 1 / (hits.argmax(axis=1) + 1), 0)
        return np.where(self.relevant > 0, ranks, np.nan)

    def average_precision(self, k: int) -> np.ndarray:
        """Precision at each relevant document among the first k, summed, over all relevant documents."""
        hits = self.gains[:, :k] > 0
        precision = np.cumsum(hits, axis=1) / np.arange(1, hits.shape[1] + 1)
        return self._per_relevant((precision * hits).sum(axis=1))

    def _per_relevant(self, found: np.ndarray) -> np.ndarray:
        return np.where(self.relevant > 0, found / np.maximum(self.relevant, 1), np.nan)


def rank(model: Model, queries: np.ndarray, documents: np.ndarray, ids: Sequence[str], depth: int) -> Ranking:
    """Rank documents for each query by the model's own similarity: exact, in blocks of bounded memory.

    queries (q, dim), documents (n, dim): embeddings; ids: the documents' names, unique.
    depth: how many documents to keep. Equal scores are broken by document id, descending, as
    trec_eval does.
    """
    # In this order, of two documents with the same score the earlier one ranks first.
    order = sorted(range(len(ids)), key=lambda row: ids[row], reverse=True)
    names = np.array([ids[row] for row in order], dtype=object)
    ordered = documents[order]
    ranked_ids, ranked_scores = [], []
    for start in range(0, len(queries), _QUERIES):
        block = queries[start : start + _QUERIES]
        rows, scores = _search(model, block, ordered, depth)
        ranked_ids += [names[row].tolist() for row in rows]
        ranked_scores += [score.tolist() for score in scores]
    return Ranking(ranked_ids, ranked_scores)


def _search(
    model: Model, queries: np.ndarray, documents: np.ndarray, depth: int
) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """Find the best rows of `documents` for each query, merging block after block."""
    rows = [np.empty(0, dtype=np.intp) for _ in queries]
    scores = [np.empty(0, dtype=np.float32) for _ in queries]
    for start in range(0, len(documents), _DOCUMENTS):
        similarity = model.similarity(queries, documents[start : start + _DOCUMENTS])
        for query, row in enumerate(similarity):
            # What was found in earlier blocks stands first, so that it wins ties.
            candidates = np.concatenate([scores[query], row])
            names = np.concatenate([rows[query], np.arange(start, start + len(row))])
            best = _best(candidates, depth)
            rows[query], scores[query] = names[best], candidates[best]
    return rows, scores


def _best(scores: np.ndarray, depth: int) -> np.ndarray:
    """Positions of the `depth` highest scores, highest first, the earlier first among equals."""
    if len(scores) > depth:
        bound = np.partition(scores, len(scores) - depth)[len(scores) - depth]
        kept = np.flatnonzero(scores >= bound)
        return kept[np.argsort(-scores[kept], kind="stable")][:depth]
    return np.argsort(-scores, kind="stable")
