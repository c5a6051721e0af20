"""Rank documents for queries: exact, in bounded memory, with what is needed to score ties."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from harness.metrics.copies import copies
from harness.metrics.judgments import Judged, TieOrder, judge, relevant_ids
from harness.metrics.search import Corpus, Found, search
from harness.metrics.top_k import IdOrder, blocks

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

    from harness.models.interface import Model

_QUERIES, _DOCUMENTS = 1024, 4096
"""Maximum queries and documents of a block of similarities: 1,024 × 4,096 floats are 16 MiB.

With fewer documents, normalizing the queries again for each block would take time; with more, a block
would not fit the processor's cache.
"""


@dataclass(frozen=True, slots=True)
class Ranking:
    """The best documents of every query, best first; equal scores are listed by id, descending."""

    ids: list[list[str]]
    scores: list[list[float]]
    tied_beyond: list[int] | None = None
    """Number of documents that are not listed and tie with the last one that is; None if there are none."""
    gold_beyond: list[list[str]] | None = None
    """Ids of the relevant ones among them; None where unknown."""

    def judged(self, relevance: Sequence[Mapping[str, float]], ties: TieOrder = TieOrder.EXPECTED) -> Judged:
        """Return the gains of the ranked documents; relevance: per query id → score, relevant if > 0.

        Raises ValueError if documents beyond the list tie with its last one, and it is not known which of
        them are relevant: `rank` wants `relevance`, too.
        """
        beyond = self.tied_beyond or [0] * len(self.ids)
        if any(beyond) and self.gold_beyond is None and ties is not TieOrder.TREC_EVAL:
            raise ValueError("documents beyond the ranking tie with its last one: give `rank` the relevance")
        gold = self.gold_beyond or [[] for _ in self.ids]
        return judge(self.ids, self.scores, relevance, beyond=beyond, gold_beyond=gold, ties=ties)


def rank(
    model: Model,
    queries: np.ndarray,
    documents: np.ndarray,
    ids: Sequence[str],
    depth: int,
    *,
    relevance: Sequence[Mapping[str, float]] | None = None,
    left_out: Sequence[str | None] | None = None,
) -> Ranking:
    """Return the best documents for each query by the model's own similarity: exact, in bounded memory.

    queries (q, dim), documents (n, dim): embeddings; ids: the documents' ids, unique.
    depth: number of documents to keep, at least 1. Equal scores are listed by document id, descending, as
    in trec_eval; documents with the same embedding always have equal scores.
    relevance: per query id → score; which relevant documents tie with the last one that is kept, but are
    not kept, is then known. left_out: per query the id of a document that is not to be found, or None.
    A large search by cosine or dot product, if `model.facts` names it, is computed here and not by the
    model: scores may differ by 1e-6 (times both lengths, for the dot product).
    Raises HarnessError for similarities that are not finite.
    """
    names = {name for scores in relevance or () for name in relevant_ids(scores)}
    names.update(name for name in left_out or () if name is not None)
    searched = _Searched(documents, ids, names)
    ranking = Ranking([], [], [], None if relevance is None else [])
    for block in blocks(slice(0, len(queries)), _QUERIES):
        asked = _Asked(
            model,
            queries[block],
            None if left_out is None else [searched.row_of(name) for name in left_out[block]],
            [searched.rows_of(relevant_ids(scores)) for scores in relevance[block]] if relevance else None,
        )
        searched.extend(ranking, asked, depth)
    return ranking


@dataclass(frozen=True, slots=True)
class _Asked:
    """A block of queries."""

    model: Model
    queries: np.ndarray
    left_out: Sequence[int] | None
    """Row of the document that each query must not find, or -1."""
    relevant: Sequence[Sequence[int]] | None
    """Rows of the relevant documents."""

    def watched(self) -> tuple[np.ndarray, np.ndarray]:
        """Return pairs whose score is needed, the left-out ones first: two (m,), query and row."""
        pairs = [(query, row) for query, row in enumerate(self.left_out or ()) if row >= 0]
        pairs += [(query, row) for query, rows in enumerate(self.relevant or ()) for row in rows]
        table = np.array(pairs, dtype=np.intp).reshape(-1, 2)
        return table[:, 0], table[:, 1]


class _Searched:
    """A corpus of which copies of a document are searched once, and all are found."""

    def __init__(self, documents: np.ndarray, ids: Sequence[str], names: Collection[str]) -> None:
        self._ids, order = ids, IdOrder(ids)
        self.rows = {name: row for row, name in enumerate(ids) if name in names} if names else {}
        """Rows of the documents whose score may be asked for, by id."""
        groups = [sorted(group, key=ids.__getitem__, reverse=True) for group in copies(documents)]
        self._groups = {group[0]: group for group in groups}
        """The row that is searched → rows of its copies, itself included, by id, descending."""
        self._first = {row: group[0] for group in groups for row in group}
        self._weights = np.ones(len(ids) if groups else 0, dtype=np.int64)
        self._weights[list(self._groups)] = [len(group) for group in groups]
        ignored = np.array(sorted(self._first.keys() - self._groups.keys()), dtype=np.intp)
        self._corpus = Corpus(documents, order, ignored, self._weights if groups else None)

    def row_of(self, name: str | None) -> int:
        """Return a document's row; -1 if there is none."""
        return -1 if name is None else self.rows.get(name, -1)

    def rows_of(self, names: Iterable[str]) -> list[int]:
        """Return the rows of those documents that exist."""
        return [self.rows[name] for name in names if name in self.rows]

    def extend(self, ranking: Ranking, asked: _Asked, depth: int) -> None:
        """Append the best documents of a block of queries to a ranking."""
        own = np.full(len(asked.queries), -1) if asked.left_out is None else np.array(asked.left_out, int)
        # One more is found, so that the depth is reached without the document that is left out.
        width = min(depth + bool((own >= 0).any()), len(self._ids))
        watched_queries, watched_rows = asked.watched()
        found = self._search(asked, width, watched_queries, watched_rows)
        rows, scores, ties = self._with_all_copies(found, width)
        own_scores = np.full(len(own), np.nan)
        of_own = slice(0, np.count_nonzero(own >= 0))
        own_scores[watched_queries[of_own]] = found.watched[of_own]
        rows, scores, lengths, last, beyond = _without(own, own_scores, rows, scores, ties, depth)
        listed = [row[:length] for row, length in zip(rows.tolist(), lengths.tolist(), strict=True)]
        ranking.ids.extend([self._ids[row] for row in best] for best in listed)
        ranking.scores.extend(
            row[:length] for row, length in zip(scores.tolist(), lengths.tolist(), strict=True)
        )
        if ranking.tied_beyond is not None:
            ranking.tied_beyond.extend(beyond.tolist())
        if ranking.gold_beyond is not None:
            gold: list[list[str]] = [[] for _ in listed]
            at_last = found.watched == last[watched_queries]
            at_last[of_own] = False
            for pair in np.flatnonzero(at_last & (beyond > 0)[watched_queries]).tolist():
                query, row = int(watched_queries[pair]), int(watched_rows[pair])
                if row not in listed[query] and row != own[query]:
                    gold[query].append(self._ids[row])
            ranking.gold_beyond.extend(gold)

    def _search(self, asked: _Asked, width: int, queries: np.ndarray, rows: np.ndarray) -> Found:
        """Search, and return the scores of the watched pairs in their order."""
        if self._first:
            rows = np.array([self._first.get(row, row) for row in rows.tolist()], dtype=np.intp)
        order = np.argsort(rows, kind="stable")
        watched = queries[order], rows[order]
        found = search(asked.model, asked.queries, self._corpus, width, watched=watched, at_once=_DOCUMENTS)
        scores = np.empty(len(order))
        scores[order] = found.watched
        return replace(found, watched=scores)

    def _with_all_copies(self, found: Found, width: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Insert the copies of found documents, with the same score: two (queries, width), and the ties.

        The result is exact: documents that outrank a document also outrank its copies.
        """
        rows, scores, ties = found.rows, found.scores, found.ties
        if not self._groups:
            return rows, scores, ties
        copied = np.isin(rows, list(self._groups)).any(axis=1)
        # Fewer than `width` were found only where all documents were found, copied ones included.
        all_rows, all_scores = (np.empty((len(rows), width), dtype=kept.dtype) for kept in (rows, scores))
        found_width = min(width, rows.shape[1])
        for whole, part in ((all_rows, rows), (all_scores, scores)):
            whole[~copied, :found_width] = part[~copied, :found_width]
        for query in np.flatnonzero(copied):
            groups = [self._groups.get(row, [row])[:width] for row in rows[query].tolist()]
            members = np.array([row for group in groups for row in group], dtype=np.intp)
            repeated = np.repeat(scores[query], [len(group) for group in groups])
            best = np.lexsort((-self._corpus.order.ranks_of(members), -repeated))[:width]
            all_rows[query], all_scores[query] = members[best], repeated[best]
            last = all_scores[query, -1]
            if last != scores[query, -1]:  # all documents of that score were found
                ties[query] = self._weights[rows[query, scores[query] == last]].sum()
        return all_rows, all_scores, ties


def _without(
    own: np.ndarray,
    own_scores: np.ndarray,
    rows: np.ndarray,
    scores: np.ndarray,
    ties: np.ndarray,
    depth: int,
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Take each query's own document out of what was found, and count the ties beyond the depth.

    own (queries,): a row, or -1; its score. ties: the number of documents whose score is the last one found.
    Return rows and scores, how many of them count, the last score that does (NaN if none), and how many
    further documents have it.
    """
    kept = rows != own[:, None]
    border = scores[:, -1:] if scores.shape[1] else np.full((len(scores), 1), np.nan)
    if not kept.all():
        order = np.argsort(~kept, axis=1, kind="stable")
        rows, scores, kept = (np.take_along_axis(table, order, axis=1) for table in (rows, scores, kept))
    lengths = np.minimum(depth, kept.sum(axis=1))
    listed = np.arange(scores.shape[1]) < lengths[:, None]
    padded = np.hstack([np.full((len(scores), 1), np.nan), scores])
    last = np.take_along_axis(padded, lengths[:, None], axis=1)
    tied = (scores == last) & kept
    total = np.where(last == border, (ties - (own_scores == last[:, 0]))[:, None], tied.sum(axis=1)[:, None])
    beyond = np.where(lengths > 0, total[:, 0] - (tied & listed).sum(axis=1), 0)
    return rows, scores, lengths, last[:, 0], beyond
