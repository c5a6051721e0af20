"""Search in blocks against a brute-force sort: by score, then by document id, both descending."""

from __future__ import annotations

import pickle

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from sentence_transformers import util

from harness import HarnessError
from harness.authoring import ModelFacts, rank
from harness.metrics import copies as copying
from harness.metrics import ranking
from harness.metrics import search as searching
from harness.metrics import top_k as best
from harness.metrics.search_part import search_part

pytestmark = pytest.mark.kernels


class Dot:
    """Small integers, so that products are exact, and independent of the order of summation."""

    name = "dot"

    def __init__(self, dtype=np.float32) -> None:
        self.dtype = dtype

    def similarity(self, a, b):
        return (a @ b.T).astype(self.dtype)


@pytest.fixture
def cut(monkeypatch):
    def cut_into(queries: int, documents: int, room: int = 64) -> None:
        monkeypatch.setattr(ranking, "_QUERIES", queries)
        monkeypatch.setattr(ranking, "_DOCUMENTS", documents)
        monkeypatch.setattr(best, "_ROOM", room)

    return cut_into


def by_brute_force(queries, documents, ids, depth):
    """Sort Python tuples: (score, id) descending."""
    found = []
    for query in queries.tolist():
        scores = [sum(map(float.__mul__, query, document)) for document in documents.tolist()]
        found.append(sorted(zip(scores, ids, strict=True), reverse=True)[:depth])
    return [[name for _, name in row] for row in found], [[score for score, _ in row] for row in found]


@st.composite
def searches(draw):
    """Few dimensions and few values: ties and copies abound; as few as no query and one document."""
    dimensions, count = draw(st.integers(1, 3)), draw(st.integers(1, 40))
    value = st.integers(-2, 2).map(float)
    queries = draw(arrays(np.float32, (draw(st.integers(0, 5)), dimensions), elements=value))
    documents = draw(arrays(np.float32, (count, dimensions), elements=value))
    ids = draw(st.lists(st.text("aB1-é漢", min_size=1), min_size=count, max_size=count, unique=True))
    return queries, documents, ids, draw(st.integers(1, 50))


@given(searches(), st.integers(1, 6), st.integers(1, 45), st.integers(1, 8))
def test_search_equals_brute_force_for_any_blocks(search, queries_at_once, documents_at_once, room):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ranking, "_QUERIES", queries_at_once)
        patch.setattr(ranking, "_DOCUMENTS", documents_at_once)
        patch.setattr(best, "_ROOM", room)
        found = rank(Dot(), *search)
    ids, scores = by_brute_force(*search)
    assert found.ids == ids
    assert found.scores == scores


@pytest.mark.parametrize("order", ["rising", "falling", "shuffled", "all equal"])
@pytest.mark.parametrize("depth", [1, 10, 100])
def test_the_order_in_which_good_documents_come_does_not_matter(cut, order, depth):
    cut(3, 50, 5)
    values = np.arange(1000, dtype=np.float32)
    values = {
        "rising": values,
        "falling": values[::-1],
        "shuffled": np.random.default_rng(0).permutation(values),
        "all equal": values * 0,
    }[order]
    # The second column makes all embeddings different, and no score.
    documents = np.column_stack([values, np.arange(1000)]).astype(np.float32)
    ids = [f"{row:04}" for row in range(1000)]
    queries = np.array([[1, 0], [2, 0], [-1, 0], [0, 0]], dtype=np.float32)
    found = rank(Dot(), queries, documents, ids, depth)
    assert (found.ids, found.scores) == by_brute_force(queries, documents, ids, depth)


@pytest.mark.parametrize("dtype", [np.float64, np.float16, np.int64])
def test_scores_of_any_type_come_back_unchanged(cut, dtype):
    cut(2, 7)
    generator = np.random.default_rng(0)
    queries, documents = (generator.integers(-9, 9, (n, 5)).astype(np.float32) for n in (4, 60))
    ids = [str(row) for row in range(60)]
    found = rank(Dot(dtype), queries, documents, ids, 10)
    assert (found.ids, found.scores) == by_brute_force(queries, documents, ids, 10)


def test_scores_that_differ_only_beyond_float32_are_told_apart(cut):
    cut(1, 2)
    scores = 1 + np.arange(6) * 2.0**-40

    class Fine:
        name = "fine"

        def similarity(self, a, b):
            return np.broadcast_to(scores[b[:, 0].astype(int)], (len(a), len(b)))

    documents = np.arange(6, dtype=np.float32)[:, None]
    found = rank(Fine(), np.zeros((1, 1)), documents, ["f", "e", "d", "c", "b", "a"], 2)
    assert found.ids == [["a", "b"]]
    assert found.scores == [[scores[5], scores[4]]]


@pytest.mark.parametrize("dtype", [np.float64, np.float32, np.float16])
@pytest.mark.parametrize("dimensions", [1, 2, 3, 5, 8])
def test_exactly_the_copies_are_found_for_any_width_of_a_row(dtype, dimensions):
    generator = np.random.default_rng(dimensions)
    documents = generator.integers(0, 3, (200, dimensions)).astype(dtype)
    expected: dict[tuple, list[int]] = {}
    for row, values in enumerate(documents.tolist()):
        expected.setdefault(tuple(values), []).append(row)
    groups = sorted(group for group in expected.values() if len(group) > 1)
    assert sorted(copying.copies(documents)) == groups


def test_embeddings_that_share_a_hash_are_not_copies(monkeypatch):
    monkeypatch.setattr(
        copying,
        "_hashes",
        lambda documents, rows=None: np.zeros(len(documents if rows is None else rows), dtype=np.uint64),
    )
    documents = np.array([[1.0], [2.0], [1.0], [3.0]], dtype=np.float32)
    assert copying.copies(documents) == [[0, 2]]


def test_empty_queries_and_documents_are_not_an_error():
    nothing = np.empty((0, 3), dtype=np.float32)
    one = np.ones((1, 3), dtype=np.float32)
    assert rank(Dot(), nothing, one, ["a"], 5) == ranking.Ranking([], [], [])
    assert rank(Dot(), one, nothing, [], 5) == ranking.Ranking([[]], [[]], [0])


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_one_broken_similarity_anywhere_is_an_error(cut, value):
    cut(2, 4)
    documents = np.arange(10, dtype=np.float32)[:, None]

    class Broken:
        name = "broken"

        def similarity(self, a, b):
            return np.where((b[:, 0] == 3) & (a == 2), value, a * b[:, 0])

    queries = np.arange(3, dtype=np.float32)[:, None]
    with pytest.raises(HarnessError, match="broken gave similarities that are NaN or infinite"):
        rank(Broken(), queries, documents, [str(row) for row in range(10)], 2)


class Similar:
    """A model of many documents: what it says of itself, and what it does; counts what it was asked."""

    name = "similar"

    def __init__(self, similarity, dimensions, *, shift=0.0) -> None:
        self.facts = ModelFacts(dimensions=dimensions, similarity=similarity)
        self.shift, self.asked = shift, 0

    def similarity(self, a, b):
        self.asked += len(b)
        function = {"cosine": util.cos_sim, "dot": util.dot_score}[self.facts.similarity]
        return function(a, b).numpy() + np.float32(self.shift)


SAMPLE = 256
"""Documents whose similarity a model computes before our own product replaces it."""


@pytest.fixture
def worthwhile(monkeypatch):
    monkeypatch.setattr(searching, "_LARGE", 0)


@pytest.mark.slow
@given(searches(), st.integers(1, 6), st.integers(1, 45), st.integers(1, 8))
def test_our_own_dot_product_equals_brute_force_for_any_blocks(search, queries_at_once, at_once, room):
    model = Similar("dot", 3)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ranking, "_QUERIES", queries_at_once)
        patch.setattr(ranking, "_DOCUMENTS", at_once)
        patch.setattr(best, "_ROOM", room)
        patch.setattr(searching, "_LARGE", 0)
        found = rank(model, *search)
    assert (found.ids, found.scores) == by_brute_force(*search)


@pytest.mark.parametrize("kind", ["cosine", "dot"])
@pytest.mark.parametrize("size", [(1, 40, 4), (7, 1000, 33), (64, 3000, 384)])
def test_our_own_product_ranks_as_the_model_does(cut, monkeypatch, kind, size):
    cut(50, 512)
    count, documents_, dimensions = size
    generator = np.random.default_rng(0)
    queries, documents = (
        generator.standard_normal((n, dimensions), dtype=np.float32) for n in (count, documents_)
    )
    documents[:: documents_ // 20] = documents[0]  # copies
    queries[-1] = documents[1] = 0
    ids = [f"d{row}" for row in generator.permutation(documents_)]
    theirs = Similar(kind, dimensions)
    expected = rank(theirs, queries, documents, ids, 30)
    assert theirs.asked >= documents_
    monkeypatch.setattr(searching, "_LARGE", 0)
    ours = Similar(kind, dimensions)
    found = rank(ours, queries, documents, ids, 30)
    assert found.ids == expected.ids
    assert np.array(found.scores) == pytest.approx(np.array(expected.scores), rel=1e-6, abs=1e-6)


@pytest.mark.usefixtures("worthwhile")
@pytest.mark.parametrize("kind", ["cosine", "dot"])
def test_read_only_embeddings_are_searched_without_the_model(kind):
    documents = np.random.default_rng(0).standard_normal((9000, 8), dtype=np.float32)
    documents.flags.writeable = False
    model = Similar(kind, 8)
    rank(model, documents[:5], documents, [str(row) for row in range(9000)], 3)
    assert model.asked == SAMPLE


@pytest.mark.usefixtures("worthwhile")
def test_a_model_with_another_similarity_than_its_facts_say_computes_it_itself():
    documents = np.random.default_rng(0).standard_normal((500, 8), dtype=np.float32)
    model = Similar("cosine", 8, shift=0.01)
    found = rank(model, documents[:5], documents, [str(row) for row in range(500)], 3)
    assert model.asked == SAMPLE + 500
    assert [scores[0] for scores in found.scores] == pytest.approx([1.01] * 5, abs=1e-6)


@pytest.mark.usefixtures("worthwhile")
@pytest.mark.parametrize("kind", ["cosine", "dot"])
@pytest.mark.parametrize("value", [np.nan, np.inf])
@pytest.mark.parametrize("broken", ["query", "document"])
def test_a_broken_embedding_anywhere_is_an_error(cut, kind, value, broken):
    cut(1000, 100)
    generator = np.random.default_rng(0)
    queries, documents = (generator.standard_normal((n, 8), dtype=np.float32) for n in (20, 1000))
    (queries if broken == "query" else documents)[13, 3] = value
    with pytest.raises(HarnessError, match="similar gave similarities that are NaN or infinite"):
        rank(Similar(kind, 8), queries, documents, [str(row) for row in range(1000)], 2)


@pytest.mark.usefixtures("worthwhile")
def test_embeddings_whose_squared_lengths_overflow_are_left_to_the_model():
    documents = np.random.default_rng(0).standard_normal((1000, 8), dtype=np.float32)
    documents[[500, 999]] = documents[[0, 1]] * np.float32(1e30)
    documents[600] = documents[0] * np.float32(1e-30)
    model = Similar("cosine", 8)
    found = rank(model, documents[:1], documents, [f"{row:04}" for row in range(1000)], 1000)
    assert found.ids[0][0] == "0000"
    expected = util.cos_sim(documents[:1], documents).numpy()[0]
    assert sorted(found.scores[0]) == pytest.approx(sorted(expected.tolist()), abs=1e-6)


@pytest.mark.usefixtures("worthwhile")
@pytest.mark.parametrize("named", ["rising", "falling", "shuffled"])
def test_thousands_of_tied_documents_are_ordered_by_id(named):
    count = 20_000
    numbers = {
        "rising": np.arange(count),
        "falling": np.arange(count)[::-1],
        "shuffled": np.random.default_rng(0).permutation(count),
    }[named]
    ids = [f"{number:05}" for number in numbers]
    documents = np.zeros((count, 3), dtype=np.float32)
    documents[:, 1] = 1 + np.arange(count)  # no two are copies, and none is like a query
    documents[numbers == 7] = [5, 0, 0]
    queries = np.zeros((200, 3), dtype=np.float32)
    queries[:, 0] = 1 + np.arange(200)
    found = rank(Similar("cosine", 3), queries, documents, ids, 100)
    assert found.ids == [["00007", *(f"{number:05}" for number in range(19_999, 19_900, -1))]] * 200
    assert found.scores == [[1.0] + [0.0] * 99] * 200


@pytest.mark.usefixtures("worthwhile")
def test_similarities_of_a_model_are_not_overwritten(cut):
    cut(1000, 100)
    documents = np.random.default_rng(0).standard_normal((1000, 8), dtype=np.float32)
    documents[150] = 0  # this block is left to the model
    documents[160] = documents[170]

    class Locked(Similar):
        def similarity(self, a, b):
            found = super().similarity(a, b)
            found.flags.writeable = False
            return found

    model = Locked("cosine", 8)
    found = rank(model, documents[160:161], documents, [f"{row:04}" for row in range(1000)], 2)
    assert model.asked == SAMPLE + 100
    assert found.ids == [["0170", "0160"]]


class Elsewhere(Similar):
    """A model whose corpora are searched part by part, in another order than they come in."""

    def __init__(self, *arguments, **options):
        super().__init__(*arguments, **options)
        self.searcher = self
        self.parts = 0

    def search(self, parts):
        listed = [pickle.loads(pickle.dumps(part)) for part in parts]
        self.parts += len(listed)
        found = {number: search_part(listed[number]) for number in reversed(range(len(listed)))}
        yield from (found[number] for number in range(len(listed)))


@pytest.mark.usefixtures("worthwhile")
@pytest.mark.parametrize("kind", ["cosine", "dot"])
@pytest.mark.parametrize("each", [1, 3, 100])
@pytest.mark.parametrize("depth", [2, 150])
def test_a_corpus_that_is_searched_in_parts_gives_the_same_to_the_bit(cut, monkeypatch, kind, each, depth):
    """With ties, copies, documents without a direction, and parts with fewer documents than are wanted."""
    cut(30, 100)
    monkeypatch.setattr(searching, "_BLOCKS", each)
    generator = np.random.default_rng(7)
    documents = generator.standard_normal((1030, 24), dtype=np.float32)
    documents[400:600] = documents[3]
    documents[600:640] = np.round(documents[600:640])
    documents[700], documents[701] = 0, documents[12]
    queries = np.concatenate(
        [documents[[3, 12, 620, 701]], generator.standard_normal((40, 24), dtype=np.float32)]
    )
    ids = [f"{number:04}" for number in generator.permutation(1030)]
    relevance = [{ids[row]: 1.0, ids[3 * row]: 1.0, ids[410]: 1.0} for row in range(len(queries))]
    left_out = [ids[row] if row % 3 else None for row in range(len(queries))]
    asked = (queries, documents, ids, depth)
    here = rank(Similar(kind, 24), *asked, relevance=relevance, left_out=left_out)
    model = Elsewhere(kind, 24)
    assert rank(model, *asked, relevance=relevance, left_out=left_out) == here
    assert model.parts == 2 * -(-11 // each)
