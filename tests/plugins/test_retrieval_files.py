"""Retrieval data is read as it is published (BEIR, TREC, MS MARCO, the hub), and what is odd is said."""

from __future__ import annotations

import json

import numpy as np
import pytest
import pytrec_eval

from harness import HarnessError, Severity
from harness.authoring import TaskDefinition
from harness.evaluation.evaluate import evaluate
from harness_retrieval import beir
from harness_retrieval.tasks import RETRIEVAL_KIND
from plugins.published import (
    DOCUMENTS,
    HEADER,
    NOWHERE,
    QRELS,
    QUERIES,
    TREC,
    codes,
    folder,
    jsonl,
    lines,
    load,
    qrels,
)

# --- headers ---------------------------------------------------------------------------------------------


def test_judgments_without_a_header_are_all_read_and_that_is_said(tmp_path):
    dataset = load(folder(tmp_path, **{"qrels/test.tsv": lines(*QRELS)}))
    assert qrels(dataset) == QRELS
    assert codes(dataset) == ["no-header"]
    assert "first line of test.tsv is a number" in dataset.findings[0].evidence


def test_columns_that_take_the_first_judgment_for_a_header_lose_no_judgment(tmp_path):
    path = folder(tmp_path, **{"qrels/test.tsv": lines(*QRELS)})
    assert qrels(load(path, columns={"query": "q0", "document": "d0", "score": "1"})) == QRELS


def test_the_hint_for_unknown_names_of_columns_leads_to_all_judgments(tmp_path):
    path = folder(tmp_path, **{"qrels/test.tsv": "q0\td0\tyes\n" + lines(*QRELS[1:])})
    with pytest.raises(HarnessError, match="no column 'query-id', 'corpus-id', 'score'") as error:
        load(path)
    assert "header = false if the first line is a judgment" in str(error.value)
    with pytest.raises(HarnessError, match="line 1: the score is not a number: 'yes'"):
        load(path, header=False)


def test_a_header_of_numbers_is_a_header_where_the_task_file_says_so(tmp_path):
    path = folder(tmp_path, **{"qrels/test.tsv": "1\t2\t3\n" + lines(*QRELS)})
    dataset = load(path, columns={"query": "1", "document": "2", "score": "3"}, header=True)
    assert qrels(dataset) == QRELS
    assert codes(dataset) == []


def test_header_false_is_no_finding(tmp_path):
    path = folder(tmp_path, **{"qrels/test.tsv": lines(*QRELS)})
    assert codes(load(path, header=False)) == []


def test_columns_of_judgments_may_be_in_any_order(tmp_path):
    text = "score\tcorpus-id\tquery-id\n" + lines(
        *((score, document, query) for query, document, score in QRELS)
    )
    assert qrels(load(folder(tmp_path, **{"qrels/test.tsv": text}))) == QRELS


def test_a_corpus_without_a_header_is_read_whole_or_refused_with_the_way_on(tmp_path):
    path = folder(tmp_path, **{"corpus.tsv": lines(*DOCUMENTS.items()), "qrels/test.tsv": lines(*QRELS)})
    (path / "corpus.jsonl").unlink()
    with pytest.raises(HarnessError, match="has no column") as error:
        load(path)
    assert "header = false in a task file if the first line is a row" in str(error.value)
    dataset = load(path, header=False)
    assert dict(zip(*(dataset.tables["corpus"][name] for name in ("id", "text")), strict=True)) == DOCUMENTS


# --- TREC and MS MARCO -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name",
    ["qrels/test.txt", "qrels.test.txt", "test.qrels", "qrels/test.tsv", "qrels.test.tsv", "qrels.txt"],
)
@pytest.mark.parametrize("separator", ["\t", " ", "   "])
def test_trecs_four_columns_are_read(tmp_path, name, separator):
    dataset = load(folder(tmp_path, **{name: lines(*TREC, separator=separator)}))
    assert qrels(dataset) == QRELS
    assert codes(dataset) == []


def test_judgments_of_trec_with_a_header_are_read_by_name(tmp_path):
    text = "query_id iteration doc_id relevance\n" + lines(*TREC, separator=" ")
    assert qrels(load(folder(tmp_path, **{"qrels/test.txt": text}))) == QRELS


def test_negative_judgments_are_not_relevant(tmp_path):
    dataset = load(folder(tmp_path, **{"test.qrels": lines(*TREC, ("q0", 0, "d3", -2), separator=" ")}))
    assert ("q0", "d3", -2.0) in qrels(dataset)


def test_a_folder_of_ms_marco_is_read(tmp_path):
    files = {
        "collection.tsv": lines(*DOCUMENTS.items()),
        "queries.dev.tsv": lines(*QUERIES.items()),
        "qrels.dev.small.tsv": lines(*TREC),
    }
    path = folder(tmp_path, **files)
    for name in ("corpus.jsonl", "queries.jsonl"):
        (path / name).unlink()
    dataset = load(path, split="dev")
    assert dataset["text"] == list(QUERIES.values())
    assert dataset.tables["corpus"]["text"] == list(DOCUMENTS.values())
    assert qrels(dataset) == QRELS
    assert codes(dataset) == ["no-header"] * 2


def test_a_header_in_a_collection_is_not_a_document(tmp_path):
    path = folder(
        tmp_path,
        **{"collection.tsv": "pid\tpassage\n" + lines(*DOCUMENTS.items()), "test.qrels": lines(*TREC)},
    )
    (path / "corpus.jsonl").unlink()
    assert load(path).tables["corpus"]["id"] == list(DOCUMENTS)


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        pytest.param("q0 0 d0 1\nq1 0 d1\n", "line 2 has 3 cells, not 4", id="cells"),
        pytest.param("q0 0 d0 1\n\nq1 0 d1 x\n", "line 3: the score is not a number: 'x'", id="score"),
        pytest.param("q0 1\n", "no header, and its first line 2 cells", id="two columns"),
        pytest.param("q0\td0\t1\n\td1\t1\n", "line 2 has an empty id", id="id"),
        pytest.param("\n", "no rows", id="empty"),
    ],
)
def test_an_error_names_the_line_of_a_judgment(tmp_path, text, complaint):
    with pytest.raises(HarnessError, match=complaint):
        load(folder(tmp_path, **{"qrels/test.txt": text}))


# --- documents and queries that are not there -------------------------------------------------------------

DANGLING = [*QRELS, ("q3", "d3b", 1), ("q2", "d9", 0)]


def test_documents_that_are_not_there_count_as_pytrec_eval_counts_them(tmp_path, letters):
    path = folder(tmp_path, **{"qrels/test.tsv": HEADER + lines(*DANGLING)})
    task = RETRIEVAL_KIND.build(TaskDefinition(name="mine", kind="retrieval", path=path))
    _, predictions = evaluate(letters, task, NOWHERE)
    ranked = zip(predictions["ranked_ids"], predictions["ranked_scores"], strict=True)
    run = {
        query: dict(zip(ids, map(float, values), strict=True))
        for query, (ids, values) in zip(predictions["id"], ranked, strict=True)
    }
    judged = {}
    for query, document, score in DANGLING:
        judged.setdefault(query, {})[document] = score
    theirs = pytrec_eval.RelevanceEvaluator(judged, {"recall.10", "ndcg_cut.10", "map_cut.100"}).evaluate(run)
    for their_name, our_name in (
        ("recall_10", "recall@10"),
        ("ndcg_cut_10", "ndcg@10"),
        ("map_cut_100", "map@100"),
    ):
        expected = [theirs[query][their_name] for query in predictions["id"]]
        assert predictions[our_name] == pytest.approx(expected, abs=1e-6)
    assert np.mean(predictions["recall@10"]) == pytest.approx((3 + 1 / 2) / 4)


def test_a_finding_counts_documents_that_are_not_there(tmp_path):
    dataset = load(folder(tmp_path, **{"qrels/test.tsv": HEADER + lines(*DANGLING)}))
    (finding,) = dataset.findings
    assert (finding.code, finding.severity) == ("missing-documents", Severity.WARNING)
    assert (
        "2 judgments name 2 documents that are not in the corpus (d9, d3b); 1 of them count"
        in finding.evidence
    )
    assert "missing-documents = 'drop'" in finding.remedy


def test_documents_that_are_not_there_may_be_dropped(tmp_path):
    path = folder(tmp_path, **{"qrels/test.tsv": HEADER + lines(*DANGLING)})
    dataset = load(path, **{"missing-documents": "drop"})
    assert qrels(dataset) == QRELS
    assert "they are dropped, 1 relevant ones" in dataset.findings[0].evidence


def test_a_query_whose_documents_are_all_missing_is_dropped_with_them(tmp_path):
    path = folder(tmp_path, **{"qrels/test.tsv": HEADER + lines(*QRELS[:3], ("q3", "d3b", 1))})
    assert load(path)["id"] == list(QUERIES)
    dropped = load(path, **{"missing-documents": "drop"})
    assert dropped["id"] == ["q0", "q1", "q2"]
    assert codes(dropped) == ["missing-documents", "queries-without-relevant"]


def test_queries_that_are_not_there_are_left_out_and_counted(tmp_path):
    dataset = load(folder(tmp_path, **{"qrels/test.tsv": HEADER + lines(*QRELS, ("q7", "d0", 1))}))
    assert qrels(dataset) == QRELS
    assert codes(dataset) == ["unknown-queries"]
    assert "1 of 5 judged queries is not among the queries, and is left out: q7" in (
        dataset.findings[0].evidence
    )


# --- repetitions -----------------------------------------------------------------------------------------


def test_identical_repetitions_are_merged_and_counted(tmp_path):
    path = folder(
        tmp_path,
        **{
            "qrels/test.tsv": HEADER + lines(*QRELS, QRELS[3]),
            "corpus.jsonl": jsonl(**DOCUMENTS) + jsonl(d1=DOCUMENTS["d1"]),
            "queries.jsonl": jsonl(**QUERIES) + jsonl(q2=QUERIES["q2"]),
        },
    )
    dataset = load(path)
    assert qrels(dataset) == QRELS
    assert dataset.tables["corpus"]["id"] == list(DOCUMENTS)
    assert dataset["id"] == list(QUERIES)
    assert codes(dataset) == ["repeated-judgments", "repeated-documents", "repeated-queries"]
    assert (
        "1 of 5 judgments repeat another, and are merged with it: d3 for q3" in dataset.findings[0].evidence
    )


# --- titles ----------------------------------------------------------------------------------------------


def test_bodies_are_there_only_where_a_document_has_a_title(tmp_path):
    titled = [
        {"_id": name, "title": "T" if name == "d1" else "", "text": text} for name, text in DOCUMENTS.items()
    ]
    corpus = "".join(json.dumps(record) + "\n" for record in titled)
    path = folder(tmp_path, **{"corpus.jsonl": corpus, "qrels/test.tsv": HEADER + lines(*QRELS)})
    table = load(path).tables["corpus"]
    assert table["body"] == list(DOCUMENTS.values())
    assert table["text"][1] == f"T {DOCUMENTS['d1']}"
    folder(path, **{"corpus.jsonl": jsonl(**DOCUMENTS)})
    assert "body" not in load(path).tables["corpus"]


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        ({"header": "no"}, "header must be true or false, not 'no'"),
        ({"missing-documents": "keep"}, "missing-documents must be 'unreachable' or 'drop', not 'keep'"),
        ({"config": 1}, "config must be a text, not 1"),
    ],
)
def test_an_invalid_option_is_an_error_that_says_what_it_does(tmp_path, options, complaint):
    with pytest.raises(HarnessError, match=complaint):
        load(tmp_path, **options)


@pytest.mark.parametrize(
    ("read", "beside"),
    [
        ("corpus.jsonl", "corpus.tsv"),
        ("corpus.jsonl", "corpus.jsonl.gz"),
        ("corpus.jsonl", "collection.tsv"),
        ("queries.jsonl", "queries.test.tsv"),
        ("qrels/test.tsv", "qrels/test.txt"),
        ("qrels/test.tsv", "qrels/test.tsv.gz"),
    ],
)
def test_a_file_beside_the_one_that_is_read_is_named(read, beside, tmp_path):
    path = folder(tmp_path, **{"qrels/test.tsv": HEADER + lines(*QRELS)})
    assert codes(load(path)) == []
    (path / beside).write_text("another\tfile\t1\n")
    (finding,) = load(path).findings
    assert (finding.code, finding.severity) == ("other-files", Severity.WARNING)
    assert finding.evidence == f"{read} was read, and not what is beside it: {beside}"


def test_a_corpus_in_parts_of_which_one_is_missing_is_a_finding(tmp_path):
    path = folder(tmp_path, **{"qrels/test.tsv": HEADER + lines(*QRELS)})
    rows = (path / "corpus.jsonl").read_text().splitlines(keepends=True)
    (path / "corpus.jsonl").unlink()
    (path / "corpus").mkdir()
    (path / "corpus" / "part-1.jsonl").write_text("".join(rows[:1]))
    (path / "corpus" / "part-3.jsonl").write_text("".join(rows[1:]))
    (finding,) = load(path).findings
    assert (finding.code, "part-2.jsonl" in finding.evidence) == ("missing-parts", True)


def test_one_judgment_of_one_document_is_named_in_the_singular():
    finding = beir._missing(["d9"], [("d9", True)], "unreachable")
    assert finding.evidence.startswith("1 judgment names 1 document that is not in the corpus (d9);")
