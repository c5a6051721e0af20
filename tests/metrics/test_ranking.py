"""Exact search, and the metrics of a ranked list, against pytrec_eval and brute force."""

from __future__ import annotations

import math

import numpy as np
import pytest
import pytrec_eval
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.distance import cdist

from harness import HarnessError
from harness.authoring import Ranking, TieOrder, rank
from harness.metrics import ranking

pytestmark = pytest.mark.kernels

MEASURES = {"recall.1,5,10,100", "ndcg_cut.10", "map_cut.100", "recip_rank"}

REFERENCES = {
    "cos_sim": lambda a, b: 1 - cdist(a, b, "cosine"),
    "dot_score": lambda a, b: a @ b.T,
    "euclidean_sim": lambda a, b: -cdist(a, b, "euclidean"),
    "manhattan_sim": lambda a, b: -cdist(a, b, "cityblock"),
}


class SimilarBy:
    """As much of a model as a search needs; notes the shapes of the blocks it was given."""

    name = "similar-by"

    def __init__(self, function) -> None:
        self.function, self.shapes = function, []

    def similarity(self, a, b):
        self.shapes.append((len(a), len(b)))
        return np.asarray(self.function(a, b))


DOT = SimilarBy(lambda a, b: a @ b.T)


def rank_table(scores, ids, depth=100, **known):
    """Rank by a table of scores: unit vectors as documents make the dot product the score itself."""
    table = np.array(scores, dtype=np.float32)
    return rank(DOT, table, np.eye(len(ids), dtype=np.float32), ids, depth, **known)


def sentence_transformers_function(name):
    from sentence_transformers import util

    return SimilarBy(lambda a, b: getattr(util, name)(a, b).numpy())


@st.composite
def judged_searches(draw):
    """Few distinct scores, so that ties abound; graded judgments, some of them of no interest."""
    ids = draw(st.lists(st.text("aB1-é漢", min_size=1, max_size=3), min_size=1, max_size=24, unique=True))
    queries = draw(st.integers(1, 3))
    row = st.lists(st.integers(-2, 3), min_size=len(ids), max_size=len(ids))
    scores = [[value / 2 for value in draw(row)] for _ in range(queries)]
    grades = st.dictionaries(st.sampled_from(ids), st.integers(-1, 3))
    return ids, scores, [draw(grades) for _ in range(queries)]


def by_pytrec_eval(ids, scores, relevance):
    """Per query, our metric name → trec_eval's value."""
    run = {str(query): dict(zip(ids, row, strict=True)) for query, row in enumerate(scores)}
    qrels = {str(query): judged for query, judged in enumerate(relevance)}
    found = pytrec_eval.RelevanceEvaluator(qrels, MEASURES).evaluate(run)
    for values in found.values():
        values["mrr_10"] = values["recip_rank"] if values["recip_rank"] >= 0.1 else 0
    return [found[str(query)] for query in range(len(scores))]


@settings(max_examples=300, deadline=None)
@given(judged_searches())
def test_metrics_and_order_are_those_of_trec_eval_also_with_ties_and_grades(search):
    ids, scores, relevance = search
    judged = rank_table(scores, ids).judged(relevance, TieOrder.TREC_EVAL)
    ours = {
        "ndcg_cut_10": judged.ndcg(10),
        "mrr_10": judged.reciprocal_rank(10),
        "map_cut_100": judged.average_precision(100),
        **{f"recall_{k}": judged.recall(k) for k in (1, 5, 10, 100)},
    }
    relevant = [any(score > 0 for score in judgments.values()) for judgments in relevance]
    known = [(query, judgments) for query, judgments in enumerate(relevance) if relevant[query]]
    expected = by_pytrec_eval(ids, [scores[query] for query, _ in known], [judged for _, judged in known])
    for name, values in ours.items():
        assert [math.isnan(value) for value in values] == [not there for there in relevant]
        theirs = [values_of_query[name] for values_of_query in expected]
        assert values[relevant] == pytest.approx(theirs, abs=1e-9), name


@settings(max_examples=100, deadline=None)
@given(st.lists(st.integers(0, 3), min_size=1, max_size=30).filter(any), st.integers(1, 40))
def test_the_best_possible_ranking_scores_exactly_one(grades, k):
    ids = [str(row) for row in range(len(grades))]
    judged = rank_table([grades], ids).judged([dict(zip(ids, grades, strict=True))])
    assert judged.ndcg(k)[0] == 1
    assert judged.reciprocal_rank(k)[0] == 1


def test_a_short_ranking_is_scored_against_all_relevant_documents():
    judged = Ranking([["a"]], [[1.0]]).judged([{"a": 1, "b": 1, "c": 1}])
    assert judged.ndcg(10)[0] == pytest.approx(1 / (1 + 1 / np.log2(3) + 1 / np.log2(4)))
    assert judged.average_precision(100)[0] == judged.recall(10)[0] == pytest.approx(1 / 3)


def test_a_ranking_of_nothing_finds_nothing():
    judged = Ranking([[]], [[]]).judged([{"a": 1}])
    assert [judged.recall(1)[0], judged.ndcg(10)[0], judged.reciprocal_rank(10)[0]] == [0, 0, 0]


def test_equal_scores_are_broken_by_document_id_descending():
    ranking_ = rank_table([[1, 2, 1, 2, 1]], ["d10", "d2", "d9", "D", "é"])
    assert ranking_.ids == [["d2", "D", "é", "d9", "d10"]]
    assert ranking_.scores == [[2, 2, 1, 1, 1]]


def test_all_documents_are_kept_if_the_depth_is_larger():
    assert rank_table([[1, 2]], ["a", "b"], depth=5).ids == [["b", "a"]]


@pytest.mark.parametrize("blocks", [(1, 1), (2, 3), (7, 16), (1000, 11)])
def test_blocks_do_not_change_the_ranking(monkeypatch, blocks):
    random = np.random.default_rng(0)
    queries, documents = (random.integers(-2, 3, (n, 4)).astype(np.float32) for n in (9, 200))
    ids = [f"d{row}" for row in random.permutation(200)]
    whole = rank(DOT, queries, documents, ids, 20)
    monkeypatch.setattr(ranking, "_QUERIES", blocks[0])
    monkeypatch.setattr(ranking, "_DOCUMENTS", blocks[1])
    model = SimilarBy(DOT.function)
    assert rank(model, queries, documents, ids, 20) == whole
    for sizes, most in zip(zip(*model.shapes, strict=True), blocks, strict=True):
        assert max(sizes) <= most
        assert max(sizes) - min(sizes) <= 1


@pytest.mark.parametrize("blocks", [(256, 16_384), (30, 100)])
@pytest.mark.parametrize("function", REFERENCES)
def test_search_is_exact_for_every_similarity_function(monkeypatch, function, blocks):
    monkeypatch.setattr(ranking, "_QUERIES", blocks[0])
    monkeypatch.setattr(ranking, "_DOCUMENTS", blocks[1])
    random = np.random.default_rng(1)
    queries, documents = (random.normal(size=(n, 16)).astype(np.float32) for n in (40, 1001))
    ids = [str(row) for row in range(1001)]
    found = rank(sentence_transformers_function(function), queries, documents, ids, 25)
    expected = REFERENCES[function](queries.astype(float), documents.astype(float))
    best = np.argsort(-expected, axis=1)[:, :25]
    assert found.ids == [[ids[row] for row in rows] for rows in best]
    assert np.array(found.scores) == pytest.approx(np.take_along_axis(expected, best, axis=1), abs=1e-4)


@pytest.mark.parametrize("function", REFERENCES)
def test_copies_of_a_document_tie_at_any_position(monkeypatch, function):
    # Matrix kernels round columns at the edge of a product differently: small products have many of those.
    monkeypatch.setattr(ranking, "_QUERIES", 1)
    monkeypatch.setattr(ranking, "_DOCUMENTS", 7)
    random = np.random.default_rng(2)
    documents = random.normal(size=(300, 384)).astype(np.float32)
    copies = random.permutation(300)[:100]
    documents[copies] = documents[copies[0]]
    queries = (documents[copies[0]] + random.normal(size=(20, 384)) / 10).astype(np.float32)
    ids = [f"d{row:03}" for row in range(300)]
    found = rank(sentence_transformers_function(function), queries, documents, ids, 30)
    assert found.ids == [sorted((ids[row] for row in copies), reverse=True)[:30]] * 20
    assert [len(set(scores)) for scores in found.scores] == [1] * 20


def test_a_similarity_that_is_not_a_number_is_an_error():
    model = SimilarBy(lambda a, b: np.full((len(a), len(b)), np.nan))
    with pytest.raises(HarnessError, match="similar-by gave similarities that are NaN"):
        rank(model, np.zeros((1, 2)), np.zeros((3, 2)), ["a", "b", "c"], 2)


def test_gains_are_at_the_ranks_of_relevant_documents_and_zero_elsewhere():
    found = Ranking([["c", "a", "b"], ["b"]], [[3.0, 2.0, 1.0], [1.0]])
    judged = found.judged([{"a": 2, "b": -1, "c": 0.5, "d": 1}, {}])
    assert judged.gains.tolist() == [[0.5, 2, 0], [0, 0, 0]]
    assert judged.best.tolist() == [[2, 1, 0.5], [0, 0, 0]]
    assert judged.relevant.tolist() == [3, 0]
