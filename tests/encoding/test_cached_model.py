"""One embedding per text: encoded once, held once, validated."""

from __future__ import annotations

import itertools
import tracemalloc
import weakref
from dataclasses import replace

import numpy as np
import pytest
import torch
from conftest import LetterModel
from hypothesis import given
from hypothesis import strategies as st
from sentence_transformers.util import quantize_embeddings

from harness import HarnessError, Role, Settings, Severity
from harness.authoring import ModelSpec
from harness.encoding.cached_model import CachedModel
from harness.encoding.shards import _CHUNK, chunks
from harness.encoding.table import EmbeddingTable
from harness.encoding.text_embeddings import TextEmbeddings
from harness.models.stored_model import LocatedStored, StoredModel

pytestmark = pytest.mark.kernels


@given(st.lists(st.integers(0, 3000), max_size=300))
def test_chunks_hold_each_text_once_shortest_first_and_are_as_large_as_allowed(lengths):
    found = list(chunks(["x" * length for length in lengths]))
    positions = [position for chunk in found for position in chunk]
    assert sorted(positions) == list(range(len(lengths)))
    assert all(chunk == sorted(chunk) for chunk in found)
    sizes = [[min(lengths[position], 1200) for position in chunk] for chunk in found]
    for chunk, following in itertools.pairwise(sizes):
        assert max(chunk) <= min(following)
        assert sum(chunk) <= _CHUNK < sum(chunk) + min(following)


def test_each_text_is_encoded_once_over_all_calls_and_roles_that_are_alike(letters):
    model = CachedModel(letters)
    model.prefetch([("a", Role.TEXT), ("b", Role.QUERY), ("a", Role.DOCUMENT)], lambda _: None)
    model.encode(["a", "c", "a"])
    model.encode(["c", "b"], Role.DOCUMENT)
    assert sorted(letters.encoded) == [("a", "text"), ("b", "text"), ("c", "text")]


def test_roles_that_differ_for_the_model_are_encoded_apart(letters):
    letters.same_as = lambda role: role
    model = CachedModel(letters)
    model.encode(["a"], Role.QUERY)
    model.encode(["a"], Role.DOCUMENT)
    assert letters.encoded == [("a", "query"), ("a", "document")]


def test_rows_come_back_in_the_order_of_the_request(letters):
    found = CachedModel(letters).encode(["b", "a", "b"])
    assert found.tolist() == letters.encode(["b", "a", "b"]).tolist()


def test_texts_in_the_order_announced_are_not_copied(letters):
    model, texts = CachedModel(letters), ["ccc", "a", "bb", "a", "dddd"]
    model.prefetch([(text, Role.TEXT) for text in texts], lambda _: None)
    first, again = model.encode(["ccc", "a", "bb"]), model.encode(["ccc", "a", "bb"])
    assert np.shares_memory(first, again)
    assert first.tolist() == letters.encode(["ccc", "a", "bb"]).tolist()


def test_a_caller_that_changes_embeddings_changes_no_others(letters):
    model, expected = CachedModel(letters), letters.encode(["a", "b", "c"])
    for texts in (["a", "b", "c"], ["c", "a"]):
        found = model.encode(texts)
        try:
            found += 1
        except ValueError as refused:
            assert "read-only" in str(refused)
    assert model.encode(["a", "b", "c"]).tolist() == expected.tolist()


@given(st.lists(st.lists(st.text("abc", max_size=3), max_size=6), max_size=8), st.integers(1, 9))
def test_rows_are_right_for_any_layout_in_blocks(calls, rows_per_block):
    model = CachedModel(LetterModel())
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("harness.encoding.table._BLOCK", rows_per_block * 4 * 26)
        patched.setattr("harness.encoding.table._ROWS_AT_ONCE", 2)
        for texts in calls:
            assert model.encode(texts).tolist() == LetterModel().encode(texts).tolist()


@given(
    st.lists(
        st.tuples(st.booleans(), st.lists(st.text("abc", max_size=3), min_size=1, max_size=6)), max_size=9
    ),
    st.integers(1, 9),
)
def test_only_forgotten_texts_are_encoded_again(calls, rows_per_block):
    letters, held = LetterModel(), set()
    model = CachedModel(letters)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("harness.encoding.table._BLOCK", rows_per_block * 4 * 26)
        for forget, texts in calls:
            if forget:
                model.forget(lambda text, _, gone=tuple(texts): text in gone)
                held -= set(texts)
            else:
                letters.encoded.clear()
                assert model.encode(texts).tolist() == LetterModel().encode(texts).tolist()
                assert {text for text, _ in letters.encoded} == set(texts) - held
                held |= set(texts)


def test_returned_embeddings_outlive_forgetting_their_texts(letters):
    model = CachedModel(letters)
    returned = model.encode(["a", "bb"])
    model.forget(lambda *_: True)
    model.encode(["c", "d"])
    assert returned.tolist() == letters.encode(["a", "bb"]).tolist()


def wide():
    """Return a model that says that it has 1024 dimensions."""
    model = LetterModel()
    model.facts = replace(model.facts, dimensions=1024)
    return model


@pytest.mark.parametrize("shared", [[], ["a text of all tasks"]])
def test_many_tasks_take_no_more_memory_than_two(shared):
    model, peaks = CachedModel(wide()), []
    model._model.encode = lambda texts, _: np.resize(np.arange(7, dtype=np.float32), (len(texts), 1024))
    tracemalloc.start()
    try:
        for task in range(12):
            own = [f"{task}: {number}" for number in range(3000)]
            model.prefetch([(text, Role.TEXT) for text in own + shared], lambda _: None)
            model.forget(lambda text, _: text not in shared)
            peaks.append(tracemalloc.get_traced_memory()[1])
    finally:
        tracemalloc.stop()
    assert peaks[-1] <= 1.01 * peaks[1]


def test_a_model_that_changes_its_dimensions_is_refused(letters):
    model, whole = CachedModel(letters), letters.encode
    model.encode(["a"])
    letters.encode = lambda texts, role: whole(texts, role)[:, :25]
    with pytest.raises(HarnessError, match="returned embeddings of 25 dimensions: its facts say 26"):
        model.encode(["b"])


@pytest.mark.parametrize(("reversed_order", "most"), [(False, 1.3), (True, 2.3)])
def test_embeddings_are_held_once_and_copied_once_for_another_order(reversed_order, most):
    model, texts = CachedModel(wide()), [f"{n:x} {'word ' * 40}" for n in range(20_000)]
    known = np.random.default_rng(0).standard_normal((1000, 1024), dtype=np.float32)
    model._model.encode = lambda texts, role: known[np.arange(len(texts)) % 1000]
    tracemalloc.start()
    try:
        model.prefetch([(text, Role.TEXT) for text in texts], lambda _: None)
        size = model.encode(texts[::-1] if reversed_order else texts).nbytes
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < most * size


def test_no_texts_give_no_rows_of_the_right_width(letters):
    assert CachedModel(letters).encode([]).shape == (0, 26)


def test_requested_texts_are_returned_once(letters):
    model = CachedModel(letters)
    model.prefetch([("only announced", Role.TEXT)], lambda _: None)
    model.encode(["a", "a", "b"])
    assert model.pop_requested() == [("a", Role.TEXT), ("b", Role.TEXT)]
    assert model.pop_requested() == []


def test_progress_counts_every_distinct_text_once(letters):
    model, steps = CachedModel(letters), []
    texts = [("ab"[n % 2] * (n % 400), Role.TEXT) for n in range(1000)]
    model.prefetch(texts, steps.append)
    assert sum(steps) == model.distinct(texts) == 400


@pytest.mark.parametrize(
    ("broken", "message"),
    [
        pytest.param(lambda rows: rows * np.nan, "NaN or infinite embeddings for 9 of 9", id="NaN"),
        pytest.param(lambda rows: rows[:4], r"shape \(4, 26\) for 9 texts", id="too few rows"),
        pytest.param(lambda rows: rows.sum(axis=1), r"shape \(9,\) for 9 texts", id="one dimension"),
        pytest.param(lambda rows: rows * 0 + 1, "all of 9 different texts the same", id="all equal"),
        pytest.param(lambda rows: 1 + rows * 3e-7, "all of 9 different texts the same", id="all near"),
    ],
)
def test_embeddings_that_no_score_can_come_from_are_refused(letters, broken, message):
    whole = letters.encode
    letters.encode = lambda texts, role: broken(whole(texts, role))
    with pytest.raises(HarnessError, match=message):
        CachedModel(letters).encode(list("abcdefghi"))


@pytest.mark.parametrize(
    ("other", "told"),
    [
        (lambda rows: rows.astype(float), "of type float64, not float32"),
        (lambda rows: rows.astype(np.float16), "of type float16, not float32"),
        (lambda rows: rows.tolist(), "returned a list, not an array"),
        (torch.from_numpy, "returned a Tensor, not an array"),
        (np.ma.masked_array, "returned a MaskedArray, not an array"),
        (lambda rows: None, r"returned nothing \(None\), not an array"),
    ],
)
def test_embeddings_are_float32_arrays_since_only_the_plugin_knows_what_may_be_rounded(letters, other, told):
    whole = letters.encode
    letters.encode = lambda texts, role: other(whole(texts, role))
    with pytest.raises(HarnessError, match=told):
        CachedModel(letters).encode(["a", "b"])


def test_embeddings_may_be_views_that_cannot_be_written_to(letters):
    whole, expected = letters.encode, letters.encode(["ab", "b"]).tolist()

    def turned(texts, role):
        rows = np.repeat(np.asfortranarray(whole(texts, role)), 2, axis=1)[:, ::2]
        rows.flags.writeable = False
        return rows

    letters.encode = turned
    assert CachedModel(letters).encode(["ab", "b"]).tolist() == expected


@pytest.mark.parametrize("counts", [lambda n: np.ones(n + 1, int), np.ones, lambda n: [-1] * n])
def test_token_counts_are_one_whole_number_for_each_text(letters, counts):
    letters.count_tokens = lambda texts, role: counts(len(texts))
    with pytest.raises(HarnessError, match=r"^count_tokens of model letters returned "):
        CachedModel(letters).count_tokens(["a", "b"])


def test_token_counts_in_a_list_are_taken_as_they_are(letters):
    letters.count_tokens = lambda texts, role: [len(text) for text in texts]
    assert CachedModel(letters).count_tokens(["a", "bcd"]).tolist() == [1, 3]


@pytest.mark.parametrize("first", ["similarity", "pairwise_similarity"])
def test_two_ways_to_compare_that_disagree_are_refused_whichever_is_asked(letters, first):
    letters.pairwise_similarity = lambda a, b: np.full(len(a), 0.25)
    model = CachedModel(letters)
    rows = model.encode(["a", "b", "c"])
    with pytest.raises(HarnessError, match=r"^pairwise_similarity of model letters says 0\.2500 where "):
        getattr(model, first)(rows, rows)


def test_embeddings_that_differ_by_more_than_rounding_are_accepted(letters):
    whole = letters.encode
    letters.encode = lambda texts, role: 1 + whole(texts, role) * 1e-3
    assert len(CachedModel(letters).encode(list("abcdefghi"))) == 9


@pytest.mark.parametrize(("dtype", "helps"), [("float16", True), ("bfloat16", True), ("float32", False)])
def test_another_dtype_is_advised_only_where_there_is_a_wider_one(letters, dtype, helps):
    letters.spec = ModelSpec("letters", "", settings=Settings(dtype=dtype))
    letters.encode = lambda texts, role: np.full((len(texts), 26), np.nan, dtype=np.float32)
    with pytest.raises(HarnessError) as error:
        CachedModel(letters).encode(["a"])
    assert ("try --dtype float32" in str(error.value)) == helps


def test_a_similarity_that_is_not_finite_is_refused(letters):
    letters.pairwise_similarity = lambda a, b: np.array([0.5, np.nan])
    model = CachedModel(letters)
    with pytest.raises(HarnessError, match="gives 1 of 2 pairs a similarity that is not finite"):
        model.pairwise_similarity(model.encode(["a", "b"]), model.encode(["c", "d"]))


def test_a_block_with_one_remaining_text_is_freed_and_the_text_is_kept():
    table, rows = EmbeddingTable(), np.arange(100)
    table.fill(table.reserve(100, 3) + rows, [str(row) for row in rows], np.repeat(rows[:, None], 3, axis=1))
    block = weakref.ref(table._blocks[0])
    table = table.without([str(row) for row in rows if row != 7])
    assert block() is None
    assert table.embeddings_of(["7"]).tolist() == [[7.0, 7.0, 7.0]]


def test_a_segment_of_the_cache_is_freed_with_its_last_text(letters):
    table, segment = EmbeddingTable(), np.ones((2, 26), dtype=np.float32)
    table.adopt(segment, ["a", "b"], np.arange(2))
    alive, segment = weakref.ref(segment), None
    table = table.without(["a"])
    assert alive() is not None
    table = table.without(["b"])
    assert alive() is None


# --- stored embeddings ------------------------------------------------------------------------------------


def stored(letters, **settings):
    """A view of a model as it is stored with these settings."""
    as_asked = LetterModel("stored", "b" * 64)
    as_asked.spec = ModelSpec("letters", "", "stored", Settings(**settings))
    return StoredModel(letters, as_asked)


DOCUMENTS = [(text, Role.DOCUMENT) for text in ("aaa", "aaabbb", "b")]
QUERIES = [(text, Role.QUERY) for text in ("aaaaaaaaa", "zz")]


def test_views_of_one_model_encode_each_text_once(letters):
    embeddings = TextEmbeddings(letters)
    views = [CachedModel(stored(letters, truncate_dim=size), embeddings=embeddings) for size in (2, 3, 26)]
    full = CachedModel(letters, embeddings=embeddings)
    for view in [full, *views]:
        view.prefetch([("abc", Role.TEXT)], lambda _: None)
    found = [view.encode(["abc", "cab", "zz"]) for view in [*views, full]]
    assert sorted(letters.encoded) == [("abc", "text"), ("cab", "text"), ("zz", "text")]
    assert [rows.tolist() for rows in found] == [found[-1][:, :size].tolist() for size in (2, 3, 26, 26)]
    assert all(np.shares_memory(view.encode(["abc", "cab"]), full.encode(["abc", "cab"])) for view in views)


def test_texts_are_requested_of_each_view_apart(letters):
    embeddings = TextEmbeddings(letters)
    one, two = (CachedModel(stored(letters, truncate_dim=2), embeddings=embeddings) for _ in range(2))
    one.encode(["a"])
    two.encode(["b"])
    assert (one.pop_requested(), two.pop_requested()) == ([("a", "text")], [("b", "text")])


@pytest.mark.parametrize("precision", ["int8", "uint8"])
@pytest.mark.parametrize("announced", [DOCUMENTS + QUERIES, QUERIES + DOCUMENTS[::-1]])
def test_ranges_come_from_the_documents_that_a_task_announces(letters, precision, announced):
    model = CachedModel(stored(letters, truncate_dim=2, precision=precision))
    model.calibrate(announced)
    documents, queries = (LetterModel().encode([text for text, _ in some]) for some in (DOCUMENTS, QUERIES))
    expected = quantize_embeddings(queries[:, :2], precision, calibration_embeddings=documents[:, :2])
    assert model.encode([text for text, _ in QUERIES], Role.QUERY).tolist() == expected.tolist()


def test_ranges_come_from_all_texts_where_none_is_a_document(letters):
    model = CachedModel(stored(letters, truncate_dim=2, precision="int8"))
    model.calibrate([(text, Role.TEXT) for text, _ in DOCUMENTS + QUERIES])
    every = LetterModel().encode([text for text, _ in DOCUMENTS + QUERIES])[:, :2]
    assert model.encode(["aaa"]).tolist() == quantize_embeddings(every, "int8")[:1].tolist()


def test_ranges_of_one_task_are_not_used_for_another(letters):
    model = CachedModel(stored(letters, truncate_dim=2, precision="int8"))
    model.calibrate(DOCUMENTS)
    model.encode(["a"])
    model.calibrate([])
    with pytest.raises(HarnessError, match="none were announced"):
        model.encode(["a"])


def test_few_texts_for_ranges_are_a_finding(letters):
    many = [("ab" * (number % 7) + "x" * number, Role.TEXT) for number in range(100)]
    int8, binary = (CachedModel(stored(letters, precision=name)) for name in ("int8", "binary"))
    (finding,) = int8.calibrate(many[1:])
    assert (finding.code, finding.severity) == ("few-to-calibrate", Severity.NOTE)
    assert finding.evidence == "the ranges of int8 come from 99 texts"
    assert int8.calibrate(many) == binary.calibrate(many[:2]) == []


def test_zeros_are_counted_among_the_dimensions_that_are_kept(letters):
    texts = [("zzz", Role.TEXT), ("abc", Role.TEXT), (" ", Role.TEXT)]
    for precision, count in (("float32", 1), ("binary", 1)):
        model = CachedModel(stored(letters, truncate_dim=3, precision=precision))
        assert model.count_zero_embeddings(texts) == count
    assert CachedModel(letters).count_zero_embeddings(texts) == 0


def test_embeddings_of_other_dimensions_than_the_facts_say_are_refused(letters):
    letters.facts = replace(letters.facts, dimensions=27)
    with pytest.raises(HarnessError, match="returned embeddings of 26 dimensions: its facts say 27"):
        CachedModel(letters).encode(["a", "b"])


@pytest.mark.parametrize("same", [None, "foo", 3])
def test_a_role_that_is_encoded_as_no_role_is_refused(letters, same):
    letters.same_as = lambda _role: same
    with pytest.raises(HarnessError, match=f"is encoded as {same!r}: same_as returns a Role"):
        CachedModel(letters)


WRONG_PAIRS = {
    "three": lambda a, b: (a * b).sum(axis=1)[:3],
    "all with all": lambda a, b: a @ b.T,
    "a column": lambda a, b: (a * b).sum(axis=1, keepdims=True),
    "one": lambda a, b: 0.5,
    "nothing": lambda a, b: None,
    "words": lambda a, b: ["near"] * len(a),
}


@pytest.mark.parametrize("wrong", WRONG_PAIRS)
def test_similarities_that_are_not_one_per_pair_are_refused(letters, wrong):
    letters.pairwise_similarity = WRONG_PAIRS[wrong]
    model = CachedModel(letters)
    rows = model.encode(["a", "b", "c", "d", "e"])
    with pytest.raises(HarnessError, match=r"^pairwise_similarity of model letters .*of shape \(5,\)"):
        model.pairwise_similarity(rows, rows)


@pytest.mark.parametrize("wrong", [lambda a, b: a.sum(axis=1), lambda a, b: b @ a.T])
def test_similarities_that_are_not_one_for_each_two_are_refused(letters, wrong):
    letters.similarity = wrong
    model = CachedModel(letters)
    with pytest.raises(HarnessError, match=r"^similarity of model letters .*numbers of shape \(2, 3\)"):
        model.similarity(model.encode(["a", "b", "c"])[:2], model.encode(["a", "b", "c"]))


def test_a_similarity_whose_name_is_unknown_is_the_models_own(letters):
    letters.facts = replace(letters.facts, similarity="foo")
    letters.similarity = lambda a, b: np.full((len(a), len(b)), 7.0)
    letters.pairwise_similarity = lambda a, b: np.full(len(a), 7.0)
    spec = replace(letters.spec, settings=Settings(truncate_dim=5))
    model = CachedModel(StoredModel(letters, LocatedStored(letters, spec)))
    rows = model.encode(["a", "b"])
    assert model.pairwise_similarity(rows, rows).tolist() == [7.0, 7.0]
