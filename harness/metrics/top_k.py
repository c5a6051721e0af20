"""Best k documents of each query, collected over blocks of documents."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_ROOM = 256
"""Documents that can be buffered for a query before a compaction; more if `depth` is larger."""
_SORTED = 2**18
"""Maximum scores that are compacted at once: few enough for the processor's cache."""


class IdOrder:
    """Order of document ids, computed only where scores tie: sorting all can take as long as a search."""

    def __init__(self, ids: Sequence[str]) -> None:
        self.ids = ids

    @cached_property
    def ranks(self) -> np.ndarray:
        """(n,) int32: the number of ids before each document's own."""
        ranks = np.empty(len(self.ids), dtype=np.int32)
        ranks[sorted(range(len(self.ids)), key=self.ids.__getitem__)] = np.arange(len(ranks))
        return ranks

    def ranks_of(self, rows: np.ndarray) -> np.ndarray:
        """Return (m,) integers in the same order as the ids of the given rows."""
        if "ranks" in self.__dict__:
            ranks: np.ndarray = self.ranks[rows]
            return ranks
        distinct, at = np.unique(rows, return_inverse=True)
        named = [self.ids[row] for row in distinct.tolist()]
        ranks = np.empty(len(named), dtype=np.int32)
        ranks[sorted(range(len(named)), key=named.__getitem__)] = np.arange(len(named))
        return ranks[at]


def blocks(whole: slice, most: int) -> Iterator[slice]:
    """Yield parts of nearly equal size: some similarities (torch.cdist) compute small ones differently."""
    total = whole.stop - whole.start
    parts = -(-total // most)
    for part in range(parts):
        yield slice(whole.start + total * part // parts, whole.start + total * (part + 1) // parts)


@dataclass(frozen=True, slots=True)
class Best:
    """What a `TopK` has collected, as plain data; rows as it counts them."""

    scores: np.ndarray
    """(queries, m), −inf where there are fewer than m."""
    rows: np.ndarray
    """(queries, m)."""
    bound: np.ndarray
    """(queries, 1): the worst score of the best."""
    dropped: np.ndarray
    """(queries,): weight of the documents whose score is the bound, and that are not among them."""


class TopK:
    """Best k documents so far of each query; of tied ones, those whose ids come last.

    A document enters if it reaches its query's bound: the worst score that the last compaction kept. Soon
    few do, so they are appended to a buffer until one query's is full. As long as there is room, all
    documents that tie with the worst are kept; only then are ids compared, and those that are not kept
    are counted. A bound only rises, so a document of the final bound's score was never dropped before.
    """

    def __init__(
        self, queries: int, depth: int, order: IdOrder, *, weights: np.ndarray | None = None
    ) -> None:
        """weights: (n,) how many documents each row counts for among the tied ones; 1 each if None."""
        self._depth, self._order, self._weights = depth, order, weights
        self._room = max(depth, _ROOM)
        shape = queries, depth + self._room
        self._scores = np.full(shape, -np.inf)
        self._rows = np.zeros(shape, dtype=np.intp)
        self._filled = np.zeros(queries, dtype=np.intp)
        self._bound = np.full((queries, 1), -np.inf)
        self._crowded = False
        self._last = np.full((queries, 1), -1, dtype=np.int32)
        """Rank of the id after which documents at the bound enter."""
        self._dropped = np.zeros(queries, dtype=np.int64)
        """Weight of the documents whose score is the bound, and that were not kept."""
        self._enters = np.empty(0, dtype=bool)

    def add(self, start: int, similarities: np.ndarray) -> None:
        """Add the next documents from row `start`, (queries, documents), which were not added before.

        float32 or float64; a document with −inf is never found.
        """
        enters, dropped = self._entering(start, similarities)
        if np.count_nonzero(enters) > self._scores.size:
            self._compact(start, similarities)
            return
        query, column = _where(enters)
        scores = similarities[query, column]
        before = self._bound[:, 0].copy()
        if not self._fits(query):
            self._compact()
            enters_still = scores >= self._bound[query, 0]
            query, column, scores = query[enters_still], column[enters_still], scores[enters_still]
        if self._fits(query):
            self._append(query, scores, start + column)
            self._dropped += np.where(self._bound[:, 0] == before, dropped, 0)
        else:
            self._compact(start, similarities)  # sees, and counts, the whole block

    def best(self) -> Best:
        """Return what was collected."""
        self._compact()
        used = self._filled.max(initial=0)
        return Best(
            self._scores[:, :used].copy(),
            self._rows[:, :used].copy(),
            self._bound.copy(),
            self._dropped.copy(),
        )

    def merge(self, other: Best, start: int) -> None:
        """Add the best of another over other documents; start: the row of this that its row 0 is."""
        self._compact()
        used = self._filled.max(initial=0)
        bound = np.maximum(self._bound, other.bound)
        self._dropped = self._dropped_at(bound) + np.where(other.bound[:, 0] == bound[:, 0], other.dropped, 0)
        self._bound = bound
        self._scores = np.hstack([self._scores[:, :used], other.scores])
        self._rows = np.hstack([self._rows[:, :used], other.rows + start])
        lacking = self._depth + self._room - self._scores.shape[1]
        if lacking > 0:
            self._scores = np.pad(self._scores, ((0, 0), (0, lacking)), constant_values=-np.inf)
            self._rows = np.pad(self._rows, ((0, 0), (0, lacking)))
        self._filled = np.full(len(self._scores), self._scores.shape[1])
        for part in blocks(slice(0, len(self._scores)), max(1, _SORTED // self._scores.shape[1])):
            self._keep(part, self._scores[part], self._rows[part])

    def ranked(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return rows and scores of the best, best first, (queries, depth), and the ties with the last.

        The ties are the summed weights, (queries,), of all documents whose score is that of the last one
        of the best, kept or not.
        """
        self._compact()
        used = self._filled.max(initial=0)
        rows, scores = self._rows[:, :used], self._scores[:, :used]
        ranks = np.zeros_like(rows)
        tied = _tied(scores)
        ranks[tied] = self._order.ranks_of(rows[tied])
        at_bound = (scores == self._bound) & (scores > -np.inf)
        ties = self._dropped + self._weight(at_bound, rows)
        best = np.lexsort((-ranks, -scores), axis=1)[:, : self._depth]
        return np.take_along_axis(rows, best, axis=1), np.take_along_axis(scores, best, axis=1), ties

    def _entering(self, start: int, similarities: np.ndarray) -> tuple[np.ndarray, np.ndarray | int]:
        """Return which documents reach their query's bound, (queries, documents) bool.

        Also return the weight, (queries,), of those that tie with the bound and whose ids come too early.
        """
        by_document = similarities.flags.f_contiguous
        # Scores are kept as float64, which holds all narrower ones; comparing in that is slower.
        # The lowest finite number as the first bound keeps −inf out.
        bound = np.maximum(self._bound, np.finfo(similarities.dtype).min).astype(similarities.dtype)
        if self._enters.size < similarities.size:
            self._enters = np.empty(similarities.size, dtype=bool)
        enters = self._enters[: similarities.size]
        enters = (
            enters.reshape(similarities.shape[::-1]).T if by_document else enters.reshape(similarities.shape)
        )
        np.greater_equal(similarities, bound, out=enters)
        if not self._crowded:
            return enters, 0
        block = slice(start, start + similarities.shape[1])
        late = (similarities == bound) & (self._order.ranks[block] <= self._last)
        enters &= ~late
        weights = None if self._weights is None else self._weights[block]
        return enters, np.count_nonzero(late, axis=1) if weights is None else late @ weights

    def _weight(self, chosen: np.ndarray, rows: np.ndarray) -> np.ndarray:
        """Sum the weights of the chosen documents: (queries, m) bool, (queries, m) → (queries,)."""
        weights = chosen if self._weights is None else chosen * self._weights[rows]
        total: np.ndarray = weights.sum(axis=1, dtype=np.int64)
        return total

    def _dropped_at(self, bound: np.ndarray) -> np.ndarray:
        """Return the weight of the dropped documents that tie with a bound, which may have risen."""
        return np.where(self._bound[:, 0] == bound[:, 0], self._dropped, 0)

    def _fits(self, query: np.ndarray) -> bool:
        fresh = np.bincount(query, minlength=len(self._filled))
        return bool((self._filled + fresh).max(initial=0) <= self._scores.shape[1])

    def _append(self, query: np.ndarray, scores: np.ndarray, rows: np.ndarray) -> None:
        fresh = np.bincount(query, minlength=len(self._filled))
        # The documents of one query are adjacent, so their slots are counted from its first.
        begins = np.cumsum(fresh) - fresh
        slots = (self._filled - begins)[query] + np.arange(len(query))
        self._scores[query, slots] = scores
        self._rows[query, slots] = rows
        self._filled += fresh

    def _compact(self, start: int = 0, similarities: np.ndarray | None = None) -> None:
        """Keep only the best of the buffer and of the given block: a few queries at once."""
        width = self._scores.shape[1] + (0 if similarities is None else similarities.shape[1])
        for part in blocks(slice(0, len(self._scores)), max(1, _SORTED // width)):
            scores, rows = self._scores[part], self._rows[part]
            if similarities is not None:
                added = np.ascontiguousarray(similarities[part])
                fresh = np.broadcast_to(np.arange(start, start + added.shape[1]), added.shape)
                if self._filled[part].any() or added.shape[1] < self._depth:
                    added, fresh = np.hstack([scores, added]), np.hstack([rows, fresh])
                scores, rows = added, fresh
            self._keep(part, scores, rows)

    def _keep(self, part: slice, scores: np.ndarray, rows: np.ndarray) -> None:
        """Set the buffer of some queries to the best of scores, with ties as long as there is room."""
        cut = np.partition(scores, -self._depth, axis=1)[:, -self._depth, None]
        kept = (scores >= cut) & (scores > -np.inf)
        self._dropped[part][self._bound[part, 0] != cut[:, 0]] = 0
        self._bound[part], self._last[part] = cut, -1
        if kept.sum(axis=1).max(initial=0) > self._depth + self._room // 2:
            self._crowded = True
            tied = kept & (scores == cut)
            kept, self._last[part] = self._best_with_ties(scores, rows, cut)
            self._dropped[part] += self._weight(tied & ~kept, rows)
        query, column = np.nonzero(kept)
        best_scores, best_rows = scores[query, column], rows[query, column]
        self._scores[part], self._filled[part] = -np.inf, 0
        self._append(part.start + query, best_scores, best_rows)

    def _best_with_ties(
        self, scores: np.ndarray, rows: np.ndarray, cut: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return which scores are best, at most `depth` per row, and the lowest id rank kept at the cut."""
        above = scores > cut
        tied = (scores == cut) & (scores > -np.inf)
        ranks = np.where(tied, self._order.ranks[rows], np.int32(-1))
        missing = self._depth - above.sum(axis=1, keepdims=True)
        first = np.take_along_axis(np.sort(ranks, axis=1), ranks.shape[1] - missing, axis=1)
        return above | (tied & (ranks >= first)), first


def _where(enters: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return rows, ascending, and columns of all true values, in either memory order."""
    if enters.flags.c_contiguous:
        query, column = np.divmod(np.flatnonzero(enters), enters.shape[1])
        return query, column
    column, query = np.divmod(np.flatnonzero(enters.T), enters.shape[0])
    order = np.argsort(query, kind="stable")
    return query[order], column[order]


def _tied(scores: np.ndarray) -> np.ndarray:
    """Return which finite scores occur more than once in their row."""
    order = np.argsort(scores, axis=1)
    ordered = np.take_along_axis(scores, order, axis=1)
    equal = (ordered[:, 1:] == ordered[:, :-1]) & np.isfinite(ordered[:, 1:])
    tied = np.zeros(scores.shape, dtype=bool)
    tied[:, 1:] |= equal
    tied[:, :-1] |= equal
    unsorted = np.empty_like(tied)
    np.put_along_axis(unsorted, order, tied, axis=1)
    return unsorted
