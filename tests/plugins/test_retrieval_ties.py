"""Retrieval does not depend on ids and row order: ties, copies of documents, documents that are the query."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import pytrec_eval
from conftest import LetterModel
from hypothesis import given, settings
from hypothesis import strategies as st

from harness import Dataset, DataSource, HarnessError, Role, Severity
from harness.authoring import Ranking, TaskDefinition, TieOrder
from harness.encoding.validate import encode_checked
from harness.evaluation.evaluate import evaluate
from harness_retrieval.copies import Identical
from harness_retrieval.tasks import MEASURES, RETRIEVAL_KIND, Retrieval

pytestmark = pytest.mark.kernels

NOWHERE = DataSource("sample", None)
TOPICS = (
    "leases and rent", "theft of cattle", "ship insurance", "patent licence", "divorce settlement",
    "water rights", "railway accident", "custody of children", "forged banknotes", "boundary walls",
    "fishing quotas", "tax on salt",
)  # fmt: skip


class Searched(Retrieval):
    """Retrieval over rows that are at hand."""

    name = "searched"

    def __init__(self, dataset, **options):
        self.dataset = dataset
        for name, value in options.items():
            setattr(self, name, value)

    def load(self, source):
        return self.answerable(self.dataset)


def rows(corpus, queries, qrels, bodies=None):
    """Return a dataset; corpus, queries: id → text; qrels: (query, document, score)."""
    documents = {"id": list(corpus), "text": list(corpus.values())}
    if bodies is not None:
        documents["body"] = bodies
    query, document, score = zip(*qrels, strict=True)
    return Dataset(
        {"id": list(queries), "text": list(queries.values())},
        {
            "corpus": Dataset(documents),
            "qrels": Dataset({"query": list(query), "document": list(document), "score": list(score)}),
        },
    )


def questions(prefix):
    return {f"{prefix}{row}": f"What was decided about {topic}?" for row, topic in enumerate(TOPICS)}


def answered(model, dataset, **options):
    """Return scores, findings by code, and predictions."""
    evaluation, predictions = evaluate(model, Searched(dataset, **options), NOWHERE)
    return (
        {score.metric: score.score for score in evaluation.scores},
        {finding.code: finding for finding in evaluation.findings},
        predictions,
    )


# --- one text under two ids ------------------------------------------------------------------------------


def twice(relevant, other):
    """Return rulings, each under two ids, of which the relevant one is judged."""
    rulings = [f"A ruling about {topic} in the northern district." for topic in TOPICS]
    corpus = {f"{prefix}{row:02}": text for prefix in (relevant, other) for row, text in enumerate(rulings)}
    qrels = [(f"q{row}", f"{relevant}{row:02}", 1) for row in range(len(TOPICS))]
    return rows(corpus, questions("q"), qrels)


@pytest.mark.slow
@pytest.mark.parametrize("ids", [("c1_", "c2_"), ("c2_", "c1_")], ids=["judged id first", "judged id last"])
def test_one_text_under_two_ids_scores_the_same_whichever_is_judged(minilm, ids):
    scores, findings, _ = answered(minilm, twice(*ids))
    assert scores["recall@1"] == 0.5
    assert scores["mrr@10"] == scores["map@100"] == 0.75
    assert scores["ndcg@10"] == pytest.approx((1 + 1 / np.log2(3)) / 2)
    assert scores["recall@10"] == 1
    shared, tied = findings["duplicate-documents"], findings["tied-documents"]
    assert shared.severity is Severity.WARNING
    assert "24 of 24 documents share their text with another (12 texts" in shared.evidence
    assert "12 of 12 queries depend on it" in shared.evidence
    assert "12 of 12 queries depend on the order of documents with equal scores" in tied.evidence
    assert "recall@10 does not; recall@1 would lie between 0.0000 and 1.0000, and is 0.5000" in tied.evidence
    assert "for 12 because documents have the same text" in tied.evidence


@pytest.mark.parametrize(("ids", "recall"), [(("c1_", "c2_"), 0), (("c2_", "c1_"), 1)])
def test_with_trec_evals_order_ids_decide_as_they_do_there(minilm, ids, recall):
    scores, findings, _ = answered(minilm, twice(*ids), ties=TieOrder.TREC_EVAL)
    assert scores["recall@1"] == recall
    assert "(ids decide, as in trec_eval)" in findings["tied-documents"].evidence


def test_copies_that_no_judgment_tells_apart_are_a_note():
    corpus = {"a": "leases", "b": "leases", "c": "theft"}
    both = rows(corpus, {"q": "leases"}, [("q", "a", 1), ("q", "b", 1)])
    _, findings, _ = answered(LetterModel(), both)
    assert findings["duplicate-documents"].severity is Severity.NOTE
    assert "2 of 3 documents share their text" in findings["duplicate-documents"].evidence
    assert "tied-documents" not in findings


# --- texts that the model cuts ---------------------------------------------------------------------------

PREAMBLE = "This licence agreement is made between the parties named below. " * 30


class ShortSighted(LetterModel):
    """Reads 64 letters of a text."""

    def encode(self, texts, role=None):
        return super().encode([text[:64] for text in texts])


def cut(relevant, others):
    """Return thirty documents that differ at their ends only, one of which answers every query."""
    names = [*(f"{others}{row:02}" for row in range(29)), f"{relevant}07"]
    corpus = {name: f"{PREAMBLE}Subject {row}." for row, name in enumerate(names)}
    qrels = [(f"q{row}", f"{relevant}07", 1) for row in range(len(TOPICS))]
    return rows(corpus, questions("q"), qrels)


@pytest.mark.slow
@pytest.mark.parametrize("names", [("z", "a"), ("a", "z")])
def test_documents_that_are_equal_within_the_window_tie_whatever_their_ids(minilm, names):
    scores, findings, _ = answered(minilm, cut(*names))
    assert scores["recall@10"] == pytest.approx(10 / 30)
    assert scores["recall@1"] == pytest.approx(1 / 30)
    tied = findings["tied-documents"]
    assert tied.severity is Severity.WARNING
    assert "recall@10 would lie between 0.0000 and 1.0000, and is 0.3333 (the mean" in tied.evidence
    assert "for 12 because texts are the same after the model cut them at 256 tokens" in tied.evidence
    assert not any("collapse" in finding.evidence + finding.code for finding in findings.values())


def test_a_corpus_of_cut_texts_is_not_a_collapsed_model():
    scores, findings, _ = answered(ShortSighted(), cut("a", "z"))
    assert scores["recall@10"] == pytest.approx(10 / 30)
    assert "cut them at 64 tokens" in findings["tied-documents"].evidence


def test_a_model_with_one_embedding_for_short_texts_too_has_collapsed():
    class Same(LetterModel):
        def encode(self, texts, role=None):
            return np.ones((len(texts), 26), dtype=np.float32)

    with pytest.raises(HarnessError, match="all of 30 different texts the same embedding") as error:
        encode_checked(Same(), cut("a", "z").tables["corpus"]["text"], Role.DOCUMENT)
    assert "collapsed" in str(error.value)


@pytest.mark.parametrize(
    ("corpus", "why"),
    [
        pytest.param(
            {"a": "tin", "b": "nit"}, "the model gives different texts the same embedding", id="text"
        ),
        pytest.param(
            {"a": "xx", "b": "yy"}, "different embeddings have the same similarity", id="similarity"
        ),
        pytest.param({"a": "tin" * 40, "b": "nit" * 40}, "cut them at 64 tokens", id="cut"),
    ],
)
def test_the_finding_says_why_documents_tie(corpus, why):
    dataset = rows({**corpus, "c": "house"}, {"q": "tin"}, [("q", "a", 1)])
    _, findings, _ = answered(LetterModel(), dataset)
    assert "1 of 1 queries depend" in findings["tied-documents"].evidence
    assert why in findings["tied-documents"].evidence.partition("for 1 because ")[2]


# --- a document that is the query ------------------------------------------------------------------------


def self_found(extra=(), texts=None, bodies=None):
    """Return a corpus that has the queries, under the same ids, and a ruling about each."""
    queries = questions("a")
    own = texts or queries
    corpus = own | {f"b{row}": f"A ruling about {topic}." for row, topic in enumerate(TOPICS)}
    qrels = [*((f"a{row}", f"b{row}", 1) for row in range(len(TOPICS))), *extra]
    return rows(corpus, queries, qrels, bodies)


def test_a_document_that_is_the_query_is_left_out_of_its_ranking_and_counted(minilm):
    scores, findings, predictions = answered(minilm, self_found())
    assert scores["recall@1"] == scores["mrr@10"] == 1
    assert findings["query-is-document"].severity is Severity.NOTE
    assert "12 of 12 queries are documents themselves" in findings["query-is-document"].evidence
    for query, ranked in zip(predictions["id"], predictions["ranked_ids"], strict=True):
        assert query not in ranked
        assert len(ranked) == 23


def test_a_key_keeps_the_document_that_is_the_query(minilm):
    scores, findings, _ = answered(minilm, self_found(), identical=Identical.KEEP)
    assert scores["recall@1"] == 0
    assert scores["mrr@10"] == 0.5
    assert "query-is-document" not in findings
    assert "12 of 12 queries have the text of a document" in findings["query-text-is-document"].evidence


def test_ids_that_collide_by_chance_leave_nothing_out_unless_a_key_says_so():
    other = {f"a{row}": f"Of {topic}, in short" for row, topic in enumerate(TOPICS)}
    dataset = self_found(texts=other)
    _, findings, predictions = answered(LetterModel(), dataset)
    assert "query-is-document" not in findings
    assert {len(ranked) for ranked in predictions["ranked_ids"]} == {24}
    _, findings, predictions = answered(LetterModel(), dataset, identical=Identical.DROP)
    assert "12 of 12 queries are documents themselves" in findings["query-is-document"].evidence
    assert {len(ranked) for ranked in predictions["ranked_ids"]} == {23}


def test_the_text_without_its_title_is_compared_too():
    queries = questions("a")
    titled = {name: f"A title {text}" for name, text in queries.items()}
    bodies = [*queries.values(), *(f"A ruling about {topic}." for topic in TOPICS)]
    _, findings, _ = answered(LetterModel(), self_found(texts=titled, bodies=bodies))
    assert "12 of 12 queries are documents themselves" in findings["query-is-document"].evidence


def test_a_query_that_is_judged_relevant_to_itself_can_still_reach_a_recall_of_one(minilm):
    scores, findings, predictions = answered(minilm, self_found(extra=[("a0", "a0", 1), ("a1", "a1", 2)]))
    assert scores["recall@1"] == scores["ndcg@10"] == 1
    assert "2 of which are judged for themselves" in findings["query-is-document"].evidence
    assert predictions["gold_ids"][0] == ["b0"]


def test_a_query_with_no_relevant_document_but_itself_is_dropped_and_counted():
    dataset = rows({"q": "tin", "d": "nit"}, {"q": "tin", "p": "in"}, [("q", "q", 1), ("p", "d", 1)])
    _, findings, predictions = answered(LetterModel(), dataset)
    assert predictions["id"] == ["p"]
    assert "1 of 2 queries have no relevant document but themselves" in (
        findings["queries-without-relevant"].evidence
    )
    with pytest.raises(HarnessError, match="1 of 1 queries have no relevant document but themselves"):
        Searched(rows({"q": "tin"}, {"q": "tin"}, [("q", "q", 1)])).load(NOWHERE)
    kept, _, _ = answered(LetterModel(), dataset, identical=Identical.KEEP)
    assert kept["recall@5"] == 1
    assert kept["recall@1"] == 0.5  # the letters of "tin", "nit" and "in" point the same way


def test_a_copy_of_the_query_under_another_id_stays_in_the_ranking():
    dataset = rows({"q": "tin", "copy": "tin", "d": "sin"}, {"q": "tin"}, [("q", "d", 1)])
    _, findings, predictions = answered(LetterModel(), dataset)
    assert predictions["ranked_ids"] == [["copy", "d"]]
    assert "1 of 1 queries have the text of a document" in findings["query-text-is-document"].evidence


# --- against pytrec_eval, and by renaming ------------------------------------------------------------------


@st.composite
def collections(draw):
    """Words of few letters, so that documents tie, are copies, and are queries."""
    word = st.text("abc", min_size=1, max_size=3)
    corpus = {f"d{row}": text for row, text in enumerate(draw(st.lists(word, min_size=2, max_size=120)))}
    queries = {f"d{row}": draw(word) for row in range(draw(st.integers(1, 4)))}
    names = st.sampled_from(sorted(corpus))
    judged = {query: draw(st.dictionaries(names, st.integers(0, 3), min_size=1)) for query in queries}
    for query, scores in judged.items():
        scores[draw(names.filter(lambda name, query=query: name != query))] = 1
    return corpus, queries, judged


def as_rows(corpus, queries, judged):
    qrels = [(query, *pair) for query, scores in judged.items() for pair in scores.items()]
    return rows(corpus, queries, qrels)


@pytest.mark.slow
@settings(max_examples=60, deadline=None)
@given(collections())
def test_trec_evals_order_with_identical_documents_kept_equals_pytrec_eval(collection):
    corpus, queries, judged = collection
    model = LetterModel()
    options = {"ties": TieOrder.TREC_EVAL, "identical": Identical.KEEP}
    _, _, predictions = answered(model, as_rows(*collection), **options)
    # Copies tie to the bit here, as they do in a search.
    texts = sorted(set(corpus.values()))
    table = model.similarity(model.encode(list(queries.values())), model.encode(texts))
    column = {text: at for at, text in enumerate(texts)}
    run = {
        query: {name: float(table[row, column[text]]) for name, text in corpus.items()}
        for row, query in enumerate(queries)
    }
    listed = zip(predictions["id"], predictions["ranked_ids"], predictions["ranked_scores"], strict=True)
    for query, ids, scores in listed:
        assert [run[query][name] for name in ids] == pytest.approx(scores, abs=1e-6)
        run[query].update(zip(ids, map(float, scores), strict=True))  # to the bit as they were compared
    measures = {"recall.1,5,10,100", "ndcg_cut.10", "map_cut.100", "recip_rank"}
    by_query = pytrec_eval.RelevanceEvaluator(judged, measures).evaluate(run)
    names = {"ndcg_cut_10": "ndcg@10", "map_cut_100": "map@100"}
    names |= {f"recall_{k}": f"recall@{k}" for k in (1, 5, 10, 100)}
    for theirs, ours in names.items():
        expected = [by_query[query][theirs] for query in queries]
        assert list(predictions[ours]) == pytest.approx(expected, abs=1e-9), ours
    first = np.array([by_query[query]["recip_rank"] for query in queries])
    assert list(predictions["mrr@10"]) == pytest.approx(np.where(first >= 0.1, first, 0), abs=1e-9)


@pytest.mark.slow
@settings(max_examples=60, deadline=None)
@given(collections(), st.randoms(use_true_random=False))
def test_no_score_moves_when_ids_are_renamed_and_documents_reordered(collection, random):
    corpus, queries, judged = collection
    renamed = dict(zip(corpus, random.sample([f"x{row}" for row in range(999)], len(corpus)), strict=True))
    order = random.sample(sorted(corpus), len(corpus))
    named = {name: renamed.get(name, f"q{name}") for name in {*corpus, *queries}}
    again = (
        {named[name]: corpus[name] for name in order},
        {named[query]: text for query, text in queries.items()},
        {named[query]: {named[name]: score for name, score in judged[query].items()} for query in queries},
    )
    before, after = (answered(LetterModel(), as_rows(*each))[0] for each in (collection, again))
    for name in MEASURES:
        assert before[name] == pytest.approx(after[name], abs=1e-12), name


@pytest.mark.parametrize("ties", [TieOrder.EXPECTED, TieOrder.TREC_EVAL])
def test_every_metric_can_be_computed_again_from_predictions_with_ties_beyond_the_depth(ties):
    corpus = {f"d{row:03}": "tin" if row % 2 else "nit" for row in range(300)}
    dataset = rows(corpus, {"q": "in"}, [("q", "d000", 1), ("q", "d299", 2), ("q", "d150", 1)])
    _, findings, predictions = answered(LetterModel(), dataset, ties=ties)
    assert list(predictions["tied_beyond"]) == [200]
    assert "300 of 300 documents share their text" in findings["duplicate-documents"].evidence
    gold = dict(zip(predictions["gold_ids"][0], predictions["gold_scores"][0], strict=True))
    kept = ("ranked_ids", "ranked_scores", "tied_beyond", "gold_beyond")
    judged = Ranking(*(list(predictions[name]) for name in kept)).judged([gold], ties)
    for name, measure in MEASURES.items():
        assert list(measure(judged)) == list(predictions[name])
    assert predictions["recall@100"][0] == pytest.approx(1 / 3)


# --- keys of a task file -----------------------------------------------------------------------------------


def folder(path: Path) -> Path:
    (path / "qrels").mkdir(parents=True)
    (path / "corpus.jsonl").write_text(json.dumps({"_id": "d", "text": "tin"}) + "\n")
    (path / "queries.jsonl").write_text(json.dumps({"_id": "q", "text": "tin"}) + "\n")
    (path / "qrels" / "test.tsv").write_text("query-id\tcorpus-id\tscore\nq\td\t1\n")
    return path


def test_a_task_file_says_how_ties_and_identical_documents_count(tmp_path):
    definition = TaskDefinition(name="mine", kind="retrieval", path=folder(tmp_path / "b"))
    task = RETRIEVAL_KIND.build(definition)
    assert (task.ties, task.identical) == ("expected", "auto")
    options = {"ties": "trec_eval", "identical": "keep"}
    task = RETRIEVAL_KIND.build(replace(definition, options=options))
    assert (task.ties, task.identical) == ("trec_eval", "keep")


@pytest.mark.parametrize(("option", "value"), [("ties", "best"), ("ties", 1), ("identical", "yes")])
def test_an_unknown_order_of_ties_is_an_error_that_names_the_known_ones(tmp_path, option, value):
    definition = TaskDefinition(name="mine", kind="retrieval", path=tmp_path, options={option: value})
    with pytest.raises(HarnessError, match=f"{option} must be .*, not {value!r}") as error:
        RETRIEVAL_KIND.build(definition)
    assert ("'expected' or 'trec_eval'" if option == "ties" else "'auto', 'drop' or 'keep'") in str(
        error.value
    )
