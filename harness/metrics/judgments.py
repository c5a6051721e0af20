"""Metrics of ranked lists of judged documents, with ties by their expected value over all orders.

Source of the expected values: McSherry and Najork (2008), "Computing information retrieval performance
measures efficiently in the presence of tied scores". Where no documents tie, and with trec_eval's order,
the metrics are trec_eval's (https://github.com/usnistgov/trec_eval).
"""

from __future__ import annotations

import math
from dataclasses import dataclass, fields, replace
from enum import StrEnum
from itertools import chain
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence


class TieOrder(StrEnum):
    """Order of documents that have the same score."""

    EXPECTED = "expected"
    """All orders, equally likely: a metric is its mean over them, and no id decides."""
    TREC_EVAL = "trec_eval"
    """By id, descending, as trec_eval has it."""
    BEST = "best"
    """The relevant ones first."""
    WORST = "worst"
    """The relevant ones last."""


@dataclass(frozen=True, slots=True)
class Group:
    """Documents of one score of one query that are not all equally relevant."""

    row: int
    listed: slice
    size: int
    """Documents of this score, those beyond the list included."""
    gains: list[float]
    """Gains of the relevant ones, ascending."""


@dataclass(frozen=True, slots=True)
class Judged:
    """Gains of ranked documents; metrics are (queries,) in [0, 1], NaN for a query with nothing relevant."""

    gains: np.ndarray
    """(queries, depth): relevance of each ranked document, 0 if not relevant."""
    lengths: np.ndarray
    """(queries,): how many of them were ranked."""
    best: np.ndarray
    """(queries, maximum of `relevant`): the same for the best possible ranking of all documents."""
    relevant: np.ndarray
    """(queries,): number of relevant documents."""
    groups: Sequence[Group] = ()
    """Tied documents whose order matters; not looked for in trec_eval's order."""
    tied: Tied | None = None
    """What all their orders give on average; None where one order counts, or none matters."""

    def recall(self, k: int) -> np.ndarray:
        """Return the share of the relevant documents that are among the first k."""
        hits = self.gains[:, :k] > 0
        if self.tied is None:
            return self._per_relevant(hits.sum(axis=1))
        # Groups above the last rank count whole, so that their sum is exact.
        ranked = np.minimum(k, self.lengths)
        at = self.tied.at_ranks(np.maximum(ranked, 1)[:, None])
        found = at.hits_above + at.relevant * ((at.offset + 1) / at.size)
        return self._per_relevant(np.where(ranked > 0, found[:, 0], 0))

    def ndcg(self, k: int) -> np.ndarray:
        """Return the normalized discounted cumulative gain of the first k, with linear gains.

        Source: Järvelin and Kekäläinen (2002), "Cumulated gain-based evaluation of IR techniques".
        """
        gains = self.gains if self.tied is None else self.tied.gain
        gain, possible = _discounted(gains[:, :k]), _discounted(self.best[:, :k])
        # A mean over orders is rounded, and could exceed the best by a bit.
        gain = np.minimum(gain, possible)
        return np.where(self.relevant > 0, gain / np.where(possible > 0, possible, 1), np.nan)

    def reciprocal_rank(self, k: int) -> np.ndarray:
        """Return 1 / rank of the first relevant document, 0 if none is among the first k."""
        if self.tied is None:
            hits = self.gains[:, :k] > 0
            ranks = np.where(hits.any(axis=1), 1 / (hits.argmax(axis=1) + 1), 0)
            return np.where(self.relevant > 0, ranks, np.nan)
        tied = self.tied.at_ranks(_first_ranks(self.gains, k))
        left = tied.size - tied.offset
        # The chance that a document is relevant if none before it is, and that none before it is.
        chance = np.minimum(tied.relevant / left, 1)
        none = np.cumprod(np.hstack([np.ones((len(chance), 1)), 1 - chance]), axis=1)[:, :-1]
        ranks = (none * chance / np.arange(1, chance.shape[1] + 1)).sum(axis=1)
        return np.where(self.relevant > 0, ranks, np.nan)

    def average_precision(self, k: int) -> np.ndarray:
        """Return the summed precision at each relevant document of the first k, over all relevant ones."""
        if self.tied is None:
            hits = self.gains[:, :k] > 0
            precision = np.cumsum(hits, axis=1) / np.arange(1, hits.shape[1] + 1)
            return self._per_relevant((precision * hits).sum(axis=1))
        tied = self.tied.at_ranks(_first_ranks(self.gains, k))
        # Given a relevant document of a group, each document before it in the group is one of the
        # others, of which relevant − 1 of size − 1 are relevant.
        before = tied.offset * (tied.relevant - 1) / np.maximum(tied.size - 1, 1)
        precision = (tied.hits_above + 1 + before) / np.arange(1, before.shape[1] + 1)
        return self._per_relevant((precision * (tied.relevant / tied.size)).sum(axis=1))

    def _per_relevant(self, sums: np.ndarray) -> np.ndarray:
        return np.where(self.relevant > 0, sums / np.maximum(self.relevant, 1), np.nan)


@dataclass(frozen=True, slots=True)
class Tied:
    """The group of tied documents at each rank: arrays of (queries, depth).

    A document whose place among the tied ones changes nothing is a group of its own.
    """

    size: np.ndarray
    """Documents in the group, those beyond the depth included."""
    relevant: np.ndarray
    """Relevant documents in the group."""
    offset: np.ndarray
    """Ranks of the group before this one."""
    hits_above: np.ndarray
    """Relevant documents in groups above this one."""
    gain: np.ndarray
    """Mean gain of the group."""

    def at_ranks(self, ranks: np.ndarray) -> Tied:
        """Return the groups at some ranks of each query: (queries, m) from 1."""
        columns = (getattr(self, column.name) for column in fields(self))
        return Tied(*(np.take_along_axis(column, ranks - 1, axis=1) for column in columns))


def judge(
    ids: Sequence[Sequence[str]],
    scores: Sequence[Sequence[float]],
    relevance: Sequence[Mapping[str, float]],
    *,
    beyond: Sequence[int],
    gold_beyond: Sequence[Sequence[str]],
    ties: TieOrder,
) -> Judged:
    """Return the gains of ranked documents; relevance: per query id → score, relevant if > 0.

    ids, scores: per query, best first. beyond: how many further documents tie with the last one;
    gold_beyond: the ids of the relevant ones among them.
    """
    positive = [{name: scores[name] for name in relevant_ids(scores)} for scores in relevance]
    lengths = np.array([len(names) for names in ids], dtype=np.intp)
    gains = np.zeros((len(ids), max(1, lengths.max(initial=0))))
    for row, (names, judged) in enumerate(zip(ids, positive, strict=True)):
        for name in judged.keys() & names:
            gains[row, names.index(name)] = judged[name]
    best = _padded([sorted(judged.values(), reverse=True) for judged in positive], 0)
    relevant = np.array([len(judged) for judged in positive], dtype=np.intp)
    listed = Judged(gains, lengths, best, relevant)
    if ties is TieOrder.TREC_EVAL:
        return listed
    further = [
        sorted(judged[name] for name in names if name in judged)
        for judged, names in zip(positive, gold_beyond, strict=True)
    ]
    groups = list(_mixed_groups(_padded(scores, np.nan), listed, beyond, further))
    listed = replace(listed, groups=groups)
    if groups and ties is TieOrder.EXPECTED:
        return replace(listed, tied=_all_orders(gains, groups))
    for group in groups:
        zeros = [0.0] * (group.size - len(group.gains))
        ordered = [*group.gains[::-1], *zeros] if ties is TieOrder.BEST else [*zeros, *group.gains]
        gains[group.row, group.listed] = ordered[: group.listed.stop - group.listed.start]
    return listed


def relevant_ids(relevance: Mapping[str, float]) -> list[str]:
    """Return the ids whose score is above 0."""
    return [name for name, score in relevance.items() if score > 0]


def _mixed_groups(
    scores: np.ndarray, listed: Judged, beyond: Sequence[int], further: Sequence[list[float]]
) -> Iterator[Group]:
    """Yield the groups of tied documents whose order changes a metric.

    scores: (queries, depth), NaN after the list; further: gains of relevant documents beyond the list.
    """
    hits = listed.gains > 0
    equal = scores[:, 1:] == scores[:, :-1]
    with_neighbor = hits[:, 1:] & equal
    with_neighbor |= hits[:, :-1] & equal
    # Few queries are looked at one by one: those where a relevant document may tie.
    for row in np.flatnonzero(with_neighbor.any(axis=1) | (np.asarray(beyond, dtype=np.intp) > 0)).tolist():
        length = int(listed.lengths[row])
        starts = np.flatnonzero(np.r_[True, ~equal[row, : length - 1]])
        for start, stop in zip(starts.tolist(), [*starts[1:].tolist(), length], strict=True):
            more, gains_beyond = (beyond[row], further[row]) if stop == length else (0, [])
            gains = listed.gains[row, start:stop]
            positive = sorted([*gains[gains > 0].tolist(), *gains_beyond])
            size = stop - start + more
            if positive and (len(positive) < size or positive[0] < positive[-1]):
                yield Group(row, slice(start, stop), size, positive)


def _all_orders(gains: np.ndarray, groups: Sequence[Group]) -> Tied:
    hits = (gains > 0).astype(float)
    tied = Tied(np.ones_like(hits), hits, np.zeros_like(hits), np.cumsum(hits, axis=1) - hits, gains.copy())
    for group in groups:
        at = group.row, group.listed
        tied.hits_above[at] = tied.hits_above[group.row, group.listed.start]
        tied.size[at], tied.relevant[at] = group.size, len(group.gains)
        tied.offset[at] = np.arange(group.listed.stop - group.listed.start)
        tied.gain[at] = math.fsum(group.gains) / group.size
    return tied


def _first_ranks(gains: np.ndarray, k: int) -> np.ndarray:
    """Return the first ranks, at most k, of every query."""
    return np.broadcast_to(np.arange(1, min(k, gains.shape[1]) + 1), (len(gains), min(k, gains.shape[1])))


def _padded(rows: Sequence[Sequence[float]], filler: float) -> np.ndarray:
    """Return a matrix of rows of unequal length, padded, with at least one column."""
    lengths = np.array([len(row) for row in rows], dtype=np.intp)
    matrix = np.full((len(rows), max(1, lengths.max(initial=0))), filler, dtype=float)
    matrix[np.arange(matrix.shape[1]) < lengths[:, None]] = np.fromiter(chain.from_iterable(rows), float)
    return matrix


def _discounted(gains: np.ndarray) -> np.ndarray:
    # Added one after another, so that trailing zeros change nothing and the best ranking scores exactly 1.
    sums: np.ndarray = np.cumsum(gains / np.log2(np.arange(2, gains.shape[1] + 2)), axis=1)[:, -1]
    return sums
