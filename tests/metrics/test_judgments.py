"""Expected values over the orders of tied documents, against an enumeration of all orders."""

from __future__ import annotations

import math
from itertools import permutations, product
from statistics import fmean

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from harness.authoring import Ranking, TieOrder, rank
from harness.metrics import ranking, top_k
from harness.metrics import search as searching

pytestmark = pytest.mark.kernels

METRICS = {
    "recall@1": lambda judged: judged.recall(1),
    "recall@3": lambda judged: judged.recall(3),
    "ndcg@3": lambda judged: judged.ndcg(3),
    "ndcg@10": lambda judged: judged.ndcg(10),
    "mrr@2": lambda judged: judged.reciprocal_rank(2),
    "mrr@10": lambda judged: judged.reciprocal_rank(10),
    "map@4": lambda judged: judged.average_precision(4),
    "map@100": lambda judged: judged.average_precision(100),
}


class Dot:
    """Small integers, so that products are exact."""

    name = "dot"

    def similarity(self, a, b):
        return a @ b.T


def one_order(gains, depth):
    """Return the metrics of a list in one order, in plain Python."""
    total, listed = sum(gain > 0 for gain in gains), gains[:depth]
    hits = [place for place, gain in enumerate(listed, 1) if gain > 0]

    def dcg(values, k):
        return sum(gain / math.log2(place + 1) for place, gain in enumerate(values[:k], 1))

    return {
        **{f"recall@{k}": sum(place <= k for place in hits) / total for k in (1, 3)},
        **{f"ndcg@{k}": dcg(listed, k) / dcg(sorted(gains, reverse=True), k) for k in (3, 10)},
        **{f"mrr@{k}": max((1 / place for place in hits if place <= k), default=0) for k in (2, 10)},
        **{
            f"map@{k}": sum(found / place for found, place in enumerate(hits, 1) if place <= k) / total
            for k in (4, 100)
        },
    }


def by_enumeration(groups, depth):
    """Return the mean, least and greatest of each metric over all orders; groups: gains, best score first.

    Each order of gains comes from the same number of orders of documents.
    """
    orders = product(*(set(permutations(group)) for group in groups))
    found = [one_order([gain for group in order for gain in group], depth) for order in orders]
    values = {name: [metrics[name] for metrics in found] for name in METRICS}
    return {name: (fmean(each), min(each), max(each)) for name, each in values.items()}


@st.composite
def tied_groups(draw):
    """Up to three scores, of one to four documents each, some of them relevant, and graded."""
    group = st.lists(st.sampled_from([0, 0, 0, 1, 1, 3]), min_size=1, max_size=4)
    groups = draw(st.lists(group, min_size=1, max_size=3))
    groups = groups if any(map(any, groups)) else [[1, 0], *groups[1:]]
    return groups, draw(st.integers(1, 1 + sum(map(len, groups))))


def ranked(groups, depth, names=None, order=None):
    """Rank the documents of groups through a search, with names and in an order of rows that are given."""
    gains = [gain for group in groups for gain in group]
    scores = [len(groups) - place for place, group in enumerate(groups) for _ in group]
    names = names or [f"d{row}" for row in range(len(gains))]
    order = range(len(gains)) if order is None else order
    documents = np.eye(len(gains), dtype=np.float32)[list(order)]
    relevance = [dict(zip(names, gains, strict=True))]
    query = np.array([scores], dtype=np.float32)
    found = rank(Dot(), query, documents, [names[row] for row in order], depth, relevance=relevance)
    return found, relevance


@settings(max_examples=80, deadline=None)
@given(tied_groups())
def test_each_metric_is_its_mean_over_all_orders_of_tied_documents(case):
    groups, depth = case
    found, relevance = ranked(groups, depth)
    expected = by_enumeration(groups, depth)
    for ties, column in ((TieOrder.EXPECTED, 0), (TieOrder.WORST, 1), (TieOrder.BEST, 2)):
        judged = found.judged(relevance, ties)
        for name, metric in METRICS.items():
            assert metric(judged)[0] == pytest.approx(expected[name][column], abs=1e-12), (ties, name)


@settings(max_examples=50, deadline=None)
@given(tied_groups(), st.randoms(use_true_random=False))
def test_no_score_moves_when_ids_are_renamed_and_rows_are_shuffled(case, random):
    groups, depth = case
    count = sum(map(len, groups))
    before = ranked(groups, depth)
    names = random.sample([f"{letter}{number}" for letter in "aZé漢" for number in range(count)], count)
    after = ranked(groups, depth, names, random.sample(range(count), count))
    for name, metric in METRICS.items():
        values = [metric(found.judged(relevance))[0] for found, relevance in (before, after)]
        assert values[0] == pytest.approx(values[1], abs=1e-14), name


def test_a_known_case_of_mcsherry_and_najork():
    """One relevant document among two that tie at ranks 1 and 2."""
    judged = Ranking([["a", "b", "c"]], [[1.0, 1.0, 0.5]]).judged([{"b": 1}])
    assert judged.recall(1)[0] == 0.5
    assert judged.reciprocal_rank(10)[0] == 0.75
    assert judged.average_precision(100)[0] == 0.75
    assert judged.ndcg(10)[0] == pytest.approx((1 + 1 / np.log2(3)) / 2)


@pytest.mark.parametrize("k", [1, 3, 7, 10])
def test_a_group_that_is_found_whole_counts_exactly(k):
    ids = [str(row) for row in range(k)]
    judged = Ranking([ids], [[0.0] * k]).judged([{"0": 1}])
    assert judged.recall(k)[0] == 1
    assert judged.recall(10)[0] == 1


@pytest.mark.parametrize("ties", TieOrder)
def test_tied_documents_of_one_gain_score_as_without_a_tie_to_the_bit(ties):
    ids = [str(row) for row in range(30)]
    gains = dict.fromkeys(ids, 0.1)
    tied = Ranking([ids], [[1.0] * 30]).judged([gains], ties)
    untied = Ranking([ids], [[float(-row) for row in range(30)]]).judged([gains], ties)
    for metric in METRICS.values():
        assert metric(tied)[0] == metric(untied)[0]


def test_ten_thousand_tied_documents_count_beyond_the_depth():
    # No two embeddings are the same, and all have the similarity 0.
    documents = np.zeros((10_000, 2), dtype=np.float32)
    documents[:, 1] = 1 + np.arange(10_000)
    ids = [f"{row:05}" for row in range(10_000)]
    relevance = [{"00000": 1, "09999": 1, "05000": 1}, {"00001": 2}]
    queries = np.array([[1, 0], [2, 0]], dtype=np.float32)
    found = rank(Dot(), queries, documents, ids, 100, relevance=relevance)
    assert found.tied_beyond == [9900, 9900]
    assert [sorted(names) for names in found.gold_beyond] == [["00000", "05000"], ["00001"]]
    judged = found.judged(relevance)
    assert judged.recall(10).tolist() == pytest.approx([0.001, 0.001])
    assert judged.recall(100).tolist() == pytest.approx([0.01, 0.01])
    harmonic = sum(1 / rank_ for rank_ in range(1, 11))
    assert judged.reciprocal_rank(10)[1] == pytest.approx(harmonic / 10_000)


def test_a_hundred_thousand_copies_are_counted_and_not_listed():
    documents = np.ones((100_000, 2), dtype=np.float32)
    documents[7] = 2
    ids = [f"{row:06}" for row in range(100_000)]
    relevance = [{"000007": 1, "000001": 1}, {"000002": 1}] * 50
    queries = np.ones((100, 2), dtype=np.float32)
    found = rank(Dot(), queries, documents, ids, 10, relevance=relevance)
    assert found.ids[0] == ["000007", *(f"{row:06}" for row in range(99_999, 99_990, -1))]
    assert found.tied_beyond == [99_990] * 100
    assert found.gold_beyond[:2] == [["000001"], ["000002"]]
    assert found.judged(relevance).recall(10)[1] == pytest.approx(9 / 99_999)


@st.composite
def searches(draw):
    """Few dimensions and values, so that ties and copies abound."""
    dimensions, count = draw(st.integers(1, 3)), draw(st.integers(1, 40))
    value = st.integers(-2, 2).map(float)
    queries = draw(arrays(np.float32, (draw(st.integers(1, 5)), dimensions), elements=value))
    documents = draw(arrays(np.float32, (count, dimensions), elements=value))
    ids = [f"d{row:02}" for row in range(count)]
    relevance = [draw(st.dictionaries(st.sampled_from(ids), st.integers(-1, 2))) for _ in queries]
    own = [draw(st.one_of(st.none(), st.sampled_from(ids))) for _ in queries]
    return (queries, documents, ids, draw(st.integers(1, 45))), relevance, own


class Described(Dot):
    """A dot product that facts name, so that it is computed by our own code, in threads."""

    class facts:  # noqa: N801 - an attribute of a model
        similarity = "dot"


@pytest.mark.slow
@settings(deadline=None)
@given(searches(), st.integers(1, 4), st.integers(1, 45), st.integers(1, 8), st.booleans())
def test_ties_beyond_the_depth_are_counted_exactly_for_any_blocks(search, at_once, wide, room, own_product):
    (queries, documents, ids, depth), relevance, own = search
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ranking, "_QUERIES", at_once)
        patch.setattr(ranking, "_DOCUMENTS", wide)
        patch.setattr(top_k, "_ROOM", room)
        patch.setattr(searching, "_LARGE", 0)
        model = Described() if own_product else Dot()
        found = rank(model, queries, documents, ids, depth, relevance=relevance, left_out=own)
    for query, values in enumerate(queries @ documents.T):
        pairs = [pair for pair in zip(values.tolist(), ids, strict=True) if pair[1] != own[query]]
        pairs.sort(reverse=True)
        listed, others = pairs[:depth], pairs[depth:]
        beyond = [name for score, name in others if score == listed[-1][0]]
        assert found.ids[query] == [name for _, name in listed]
        assert found.scores[query] == [score for score, _ in listed]
        assert found.tied_beyond[query] == len(beyond)
        gold = [name for name in beyond if relevance[query].get(name, 0) > 0]
        assert sorted(found.gold_beyond[query]) == sorted(gold)


def test_ties_beyond_the_depth_without_relevance_are_an_error_and_not_a_guess():
    documents = np.zeros((3, 2), dtype=np.float32)
    documents[:, 1] = [1, 2, 3]
    found = rank(Dot(), np.ones((1, 2), dtype=np.float32) * [1, 0], documents, ["a", "b", "c"], 2)
    with pytest.raises(ValueError, match="give `rank` the relevance"):
        found.judged([{"a": 1}])
    assert found.judged([{"a": 1}], TieOrder.TREC_EVAL).recall(2)[0] == 0
