"""Exact search in blocks, and per-query metrics of the ranked list, vectorised over queries."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from harness.errors import HarnessError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

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
        positive = [{name: score for name, score in judged.items() if score > 0} for judged in relevance]
        ranked = zip(self.ids, positive, strict=True)
        gains = [[judged.get(name, 0) for name in ids] for ids, judged in ranked]
        best = [sorted(judged.values(), reverse=True) for judged in positive]
        return Judged(_filled(gains), _filled(best), np.array([len(judged) for judged in positive]))


@dataclass(frozen=True, slots=True)
class Judged:
    """Gains of ranked documents; each metric is (queries,) in [0, 1], NaN for a query with nothing relevant.

    Definitions and ties are trec_eval's (https://github.com/usnistgov/trec_eval).
    """

    gains: np.ndarray
    """(queries, depth): the relevance of each ranked document, 0 where not relevant."""
    best: np.ndarray
    """(queries, most relevant): the same for the best possible ranking, to its end."""
    relevant: np.ndarray
    """(queries,): how many documents are relevant."""

    def recall(self, k: int) -> np.ndarray:
        """Share of the relevant documents that are among the first k."""
        return self._per_relevant((self.gains[:, :k] > 0).sum(axis=1))

    def ndcg(self, k: int) -> np.ndarray:
        """Normalised discounted cumulative gain of the first k, with linear gains.

        Source: Järvelin and Kekäläinen (2002), "Cumulated gain-based evaluation of IR techniques".
        """
        reached, possible = _discounted(self.gains[:, :k]), _discounted(self.best[:, :k])
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
    depth: how many documents to keep, at least 1. Equal scores are broken by document id, descending,
    as trec_eval does; documents with the same embedding always have equal scores.
    Raises HarnessError for similarities that are not finite.
    """
    # In this order, of two documents with the same score the earlier one ranks first.
    order = sorted(range(len(ids)), key=ids.__getitem__, reverse=True)
    groups = _alike(documents, order, depth)
    found, scores = _search(model, queries, documents, [order[group[0]] for group in groups], depth)
    if len(groups) < len(order):
        found, scores = _with_all_members(groups, found, scores, depth)
    names = np.array([ids[row] for row in order], dtype=object)
    return Ranking([names[places].tolist() for places in found], [row.tolist() for row in scores])


def _filled(rows: list[list[float]]) -> np.ndarray:
    """Make a matrix of rows of unequal length, at least one column wide, filled with zeros."""
    matrix = np.zeros((len(rows), max([1, *map(len, rows)])))
    for row, values in enumerate(rows):
        matrix[row, : len(values)] = values
    return matrix


def _discounted(gains: np.ndarray) -> np.ndarray:
    # Added one after another, so that trailing zeros change nothing and the best ranking has exactly 1.
    sums: np.ndarray = np.cumsum(gains / np.log2(np.arange(2, gains.shape[1] + 2)), axis=1)[:, -1]
    return sums


def _alike(documents: np.ndarray, order: Sequence[int], depth: int) -> list[list[int]]:
    """Group the places in `order` whose documents have the same embedding: first places, ascending.

    Matrix kernels round the columns of one product differently, so that two copies of a document
    would not tie; only one of them is searched for. More than `depth` of a group never matter.
    """
    groups: dict[bytes, list[int]] = {}
    for place, row in enumerate(order):
        content = hashlib.blake2b(np.ascontiguousarray(documents[row]).data, digest_size=16).digest()
        group = groups.setdefault(content, [])
        if len(group) < depth:
            group.append(place)
    return list(groups.values())


def _search(
    model: Model, queries: np.ndarray, documents: np.ndarray, rows: Sequence[int], depth: int
) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """Find the places in `rows` of the best documents for each query, merging block after block."""
    found = [np.empty(0, dtype=np.intp) for _ in queries]
    scores = [np.empty(0, dtype=np.float32) for _ in queries]
    for block in _blocks(len(rows), _DOCUMENTS):
        searched = documents[rows[block]]
        for asked in _blocks(len(queries), _QUERIES):
            similarities = _similarities(model, queries[asked], searched)
            for query, row in enumerate(similarities, asked.start):
                # What was found in earlier blocks wins ties, so that only what is better can enter.
                full = len(scores[query]) == depth
                fresh = np.flatnonzero(row > scores[query][-1]) if full else np.arange(len(row))
                candidates = np.concatenate([scores[query], row[fresh]])
                best = _best(candidates, depth)
                scores[query] = candidates[best]
                found[query] = np.concatenate([found[query], block.start + fresh])[best]
    return found, scores


def _blocks(total: int, most: int) -> Iterator[slice]:
    """Cut into parts of nearly equal size: some similarities (torch.cdist) compute small ones differently."""
    parts = -(-total // most)
    for part in range(parts):
        yield slice(total * part // parts, total * (part + 1) // parts)


def _similarities(model: Model, queries: np.ndarray, documents: np.ndarray) -> np.ndarray:
    similarities = np.asarray(model.similarity(queries, documents))
    if not np.isfinite(similarities).all():
        raise HarnessError(
            f"model {model.name} gave similarities that are NaN or infinite",
            hint="its similarity function may divide by the length of an embedding that is all zeros",
        )
    return similarities


def _best(scores: np.ndarray, depth: int) -> np.ndarray:
    """Positions of the `depth` highest scores, highest first, the earlier first among equals."""
    if len(scores) > depth:
        bound = np.partition(scores, len(scores) - depth)[len(scores) - depth]
        kept = np.flatnonzero(scores >= bound)
        return kept[np.argsort(-scores[kept], kind="stable")][:depth]
    return np.argsort(-scores, kind="stable")


def _with_all_members(
    groups: list[list[int]], found: list[np.ndarray], scores: list[np.ndarray], depth: int
) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """Put every member of a found group in its place, with the group's score.

    That finds the best documents: whatever keeps a group out of the best `depth` also keeps its members out.
    """
    all_found, all_scores = [], []
    for row, values in zip(found, scores, strict=True):
        members = [groups[group] for group in row]
        places = np.array([place for group in members for place in group], dtype=np.intp)
        repeated = np.repeat(values, [len(group) for group in members])
        best = np.lexsort((places, -repeated))[:depth]
        all_found.append(places[best])
        all_scores.append(repeated[best])
    return all_found, all_scores
