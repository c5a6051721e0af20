"""Retrieval: scores equal those of pytrec_eval, sentence-transformers and mteb; BEIR folders are read."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import pytrec_eval

from harness import DataSource, HarnessError, Role, Severity, load_model
from harness.authoring import Ranking, TaskDefinition
from harness.evaluation.evaluate import evaluate
from harness_retrieval.tasks import DEPTH, MEASURES, RETRIEVAL_KIND, retrieval_tasks

pytestmark = pytest.mark.kernels

TASKS = {task.name: task for task in retrieval_tasks()}
STATUTES = TASKS["aila-statutes"]
SAMPLE = DataSource("sample", STATUTES.sample)
NOWHERE = DataSource("sample", None)

CORPUS = [("d1", "Title", "body"), ("d2", "", "untitled"), ("d3", "", ""), ("d4", "Only a title", "")]
QUERIES = [("q1", "first"), ("q2", "second"), ("q3", "first")]


def user_task(path: Path, **options):
    return RETRIEVAL_KIND.build(TaskDefinition(name="mine", kind="retrieval", path=path, **options))


def beir(folder: Path, qrels, *, corpus=CORPUS, queries=QUERIES, split="test") -> Path:
    """Write a folder as BEIR does."""
    (folder / "qrels").mkdir(parents=True)
    documents = [{"_id": name, "title": title, "text": text} for name, title, text in corpus]
    questions = [{"_id": name, "text": text} for name, text in queries]
    for file, records in (("corpus", documents), ("queries", questions)):
        lines = [json.dumps(record, ensure_ascii=False) for record in records]
        (folder / f"{file}.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
    lines = ["query-id\tcorpus-id\tscore", *("\t".join(map(str, row)) for row in qrels)]
    (folder / "qrels" / f"{split}.tsv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return folder


def table(dataset, *columns):
    return list(zip(*(dataset[column] for column in columns), strict=True))


def scores(evaluation):
    return {score.metric: score.score for score in evaluation.scores}


@pytest.fixture(scope="module")
def lexical():
    return load_model("lexical")


@pytest.fixture(scope="module")
def raw_sample():
    """The sample as plain dicts, read without any code of ours: corpus, queries, qrels."""
    folder = STATUTES.sample / "aila-statutes"
    lines = {
        name: [
            json.loads(line) for line in (folder / f"{name}.jsonl").read_text(encoding="utf-8").splitlines()
        ]
        for name in ("corpus", "queries")
    }
    corpus = {row["_id"]: {"title": row["title"], "text": row["text"]} for row in lines["corpus"]}
    qrels: dict[str, dict[str, int]] = {}
    for line in (folder / "qrels" / "test.tsv").read_text(encoding="utf-8").splitlines()[1:]:
        query, document, score = line.split("\t")
        qrels.setdefault(query, {})[document] = int(score)
    return corpus, {row["_id"]: row["text"] for row in lines["queries"]}, qrels


# --- scores, against others ------------------------------------------------------------------------------


def test_scores_equal_pytrec_eval_on_the_same_rankings(letters, raw_sample):
    evaluation, predictions = evaluate(letters, STATUTES, SAMPLE)
    ranked = zip(predictions["ranked_ids"], predictions["ranked_scores"], strict=True)
    run = {
        query: dict(zip(ids, map(float, values), strict=True))
        for query, (ids, values) in zip(predictions["id"], ranked, strict=True)
    }
    measures = {"recall.1,5,10,100", "ndcg_cut.10", "map_cut.100", "recip_rank"}
    by_query = pytrec_eval.RelevanceEvaluator(raw_sample[2], measures).evaluate(run)
    names = {"ndcg_cut_10": "ndcg@10", "map_cut_100": "map@100"}
    names |= {f"recall_{k}": f"recall@{k}" for k in (1, 5, 10, 100)}
    for theirs, ours in names.items():
        expected = [by_query[query][theirs] for query in predictions["id"]]
        assert predictions[ours] == pytest.approx(expected, abs=1e-6), ours
        assert scores(evaluation)[ours] == pytest.approx(np.mean(expected), abs=1e-6)
    first = np.array([by_query[query]["recip_rank"] for query in predictions["id"]])
    assert predictions["mrr@10"] == pytest.approx(np.where(first >= 0.1, first, 0), abs=1e-6)


def test_scores_equal_the_evaluator_of_sentence_transformers(lexical, raw_sample):
    import torch
    from sentence_transformers.sentence_transformer.evaluation import InformationRetrievalEvaluator
    from sentence_transformers.util import cos_sim

    class AsSentenceTransformer:
        similarity_fn_name = "cosine"

        def encode_query(self, texts, **_):
            return torch.from_numpy(lexical.encode(texts))

        encode_document = encode_query

    corpus, queries, qrels = raw_sample
    relevant = {query: {name for name, score in judged.items() if score} for query, judged in qrels.items()}
    evaluator = InformationRetrievalEvaluator(
        queries,
        {name: f"{document['title']} {document['text']}" for name, document in corpus.items()},
        relevant,
        precision_recall_at_k=[1, 5, 10, 100],
        score_functions={"cosine": cos_sim},
    )
    theirs = evaluator.compute_all_metrics(AsSentenceTransformer())["cosine"]
    ours = scores(evaluate(lexical, STATUTES, SAMPLE)[0])
    assert ours == pytest.approx(
        {
            **{f"recall@{k}": theirs["recall@k"][k] for k in (1, 5, 10, 100)},
            "ndcg@10": theirs["ndcg@k"][10],
            "mrr@10": theirs["mrr@k"][10],
            # Its average precision divides by no more than k; no query here has more relevant documents.
            "map@100": theirs["map@k"][100],
        },
        abs=5e-6,  # two documents of nearly one similarity change places with the processor
    )


@pytest.mark.filterwarnings("default")
def test_scores_equal_a_run_of_mteb_from_the_same_files(lexical, raw_sample):
    import mteb
    from mteb.abstasks import AbsTaskRetrieval
    from mteb.abstasks.task_metadata import TaskMetadata

    from harness_mteb.encoder import Encoder

    class Statutes(AbsTaskRetrieval):
        metadata = TaskMetadata(
            name="Statutes",
            description="The sample.",
            dataset={"path": "local/statutes", "revision": "1"},
            type="Retrieval",
            category="t2t",
            modalities=["text"],
            eval_splits=["test"],
            eval_langs=["eng-Latn"],
            main_score="recall_at_10",
        )

        def load_data(self, *_, **__):
            corpus, queries, qrels = raw_sample
            self.corpus, self.queries, self.relevant_docs = (
                {"test": corpus},
                {"test": queries},
                {"test": qrels},
            )
            self.convert_v1_dataset_format_to_v2(num_proc=1)
            self.data_loaded = True

    result = mteb.evaluate(Encoder(lexical), Statutes(), cache=None, show_progress_bar=False)
    theirs = result.task_results[0].scores["test"][0]
    ours = scores(evaluate(lexical, STATUTES, SAMPLE)[0])
    expected = {name: theirs[name.replace("@", "_at_")] for name in MEASURES}
    # mteb rounds all but the reciprocal rank to five digits.
    assert ours == pytest.approx(expected, abs=5.1e-6)
    assert ours["mrr@10"] == pytest.approx(expected["mrr@10"], abs=1e-6)


def test_the_base_model_beats_the_lexical_floor_on_the_sample(minilm, lexical):
    (neural, _), (floor, _) = (evaluate(model, STATUTES, SAMPLE) for model in (minilm, lexical))
    assert floor.scores[0].high < neural.scores[0].low
    assert neural.scores[0].high < 1


# --- predictions -----------------------------------------------------------------------------------------


def test_recall_at_10_is_the_headline_and_every_metric_is_a_column(letters):
    dataset = STATUTES.load(SAMPLE)
    predictions = STATUTES.predict(letters, dataset)
    assert [metric.name for metric in STATUTES.metrics] == list(MEASURES)
    assert STATUTES.metrics[0].name == "recall@10"
    assert all(len(predictions[name]) == len(dataset) for name in MEASURES)


def test_every_metric_can_be_computed_again_from_the_predictions(letters):
    predictions = STATUTES.predict(letters, STATUTES.load(SAMPLE))
    assert {len(ids) for ids in predictions["ranked_ids"]} == {DEPTH}
    gold = zip(predictions["gold_ids"], predictions["gold_scores"], strict=True)
    relevance = [dict(zip(ids, values, strict=True)) for ids, values in gold]
    kept = ("ranked_ids", "ranked_scores", "tied_beyond", "gold_beyond")
    judged = Ranking(*(predictions[name] for name in kept)).judged(relevance)
    for name, measure in MEASURES.items():
        assert list(measure(judged)) == list(predictions[name])


def test_all_that_is_encoded_is_announced_with_its_role(letters):
    dataset = STATUTES.load(SAMPLE)
    STATUTES.predict(letters, dataset)
    assert set(letters.encoded) == set(STATUTES.texts(dataset))
    roles = dict(letters.encoded)
    assert roles[dataset["text"][0]] is Role.QUERY
    assert roles[dataset.tables["corpus"]["text"][0]] is Role.DOCUMENT


# --- BEIR folders ----------------------------------------------------------------------------------------


def test_a_document_is_its_title_a_space_and_its_text(tmp_path):
    dataset = user_task(beir(tmp_path / "b", [("q1", "d1", 1)])).load(NOWHERE)
    assert dict(table(dataset.tables["corpus"], "id", "text")) == {
        "d1": "Title body",
        "d2": "untitled",
        "d3": "",
        "d4": "Only a title",
    }


def test_empty_documents_stay_in_and_are_counted(tmp_path, letters):
    dataset = user_task(beir(tmp_path / "b", [("q1", "d3", 1)])).load(NOWHERE)
    assert [(finding.code, finding.severity) for finding in dataset.findings] == [
        ("empty-documents", Severity.NOTE)
    ]
    assert "1 of 4 documents is empty: d3" in dataset.findings[0].evidence
    assert "d3" in STATUTES.predict(letters, dataset)["ranked_ids"][0]


def test_the_queries_are_those_of_the_split_that_have_a_relevant_document(tmp_path):
    folder = beir(tmp_path / "b", [("q2", "d1", 0), ("q1", "d1", 2), ("q1", "d2", 0)], corpus=CORPUS[:2])
    dataset = user_task(folder).load(NOWHERE)
    assert table(dataset, "id", "text") == [("q1", "first")]
    assert table(dataset.tables["qrels"], "query", "document", "score") == [("q1", "d1", 2), ("q1", "d2", 0)]
    assert [(finding.code, finding.severity) for finding in dataset.findings] == [
        ("queries-without-relevant", Severity.WARNING)
    ]
    assert "1 of 2 judged queries has no relevant document and is dropped: q2" in dataset.findings[0].evidence


def test_queries_of_the_same_text_are_one_cluster(tmp_path):
    folder = beir(tmp_path / "b", [("q1", "d1", 1), ("q2", "d1", 1), ("q3", "d2", 1)])
    assert user_task(folder).load(NOWHERE)["cluster"] == ["q1", "q2", "q1"]


def test_the_definition_names_another_split(tmp_path):
    folder = beir(tmp_path / "b", [("q2", "d1", 1)], split="dev")
    task = user_task(folder, options={"split": "dev"}, tags=frozenset({"mine"}))
    assert task.splits.evaluated == "dev"
    assert task.tags == {"mine", "retrieval"}
    assert task.load(NOWHERE)["id"] == ["q2"]


def test_other_column_names_formats_and_templates(tmp_path):
    (tmp_path / "qrels").mkdir()
    (tmp_path / "corpus.csv").write_text("key,head,body\n1,A,x\n2,B,y\n")
    (tmp_path / "queries.json").write_text('[{"key": 1, "body": "which?"}]')
    (tmp_path / "qrels" / "test.csv").write_text("q,d,grade\n1,2,0.5\n")
    names = {"id": "key", "text": "body", "query": "q", "document": "d", "score": "grade"}
    templated = user_task(tmp_path, columns=names, templates={"document": "{head}:\n{body}"}).load(NOWHERE)
    assert templated.tables["corpus"]["text"] == ["A:\nx", "B:\ny"]
    titled = user_task(tmp_path, columns=names | {"title": "head"}).load(NOWHERE)
    assert titled.tables["corpus"]["text"] == ["A x", "B y"]
    assert table(titled, "id", "text") == [("1", "which?")]
    assert table(titled.tables["qrels"], "query", "document", "score") == [("1", "2", 0.5)]


@pytest.mark.parametrize(
    ("qrels", "options", "complaint"),
    [
        pytest.param(
            [("q9", "d1", 1), ("q8", "d1", 1)],
            {},
            "names 2 queries, and none of them exists: q9, q8",
            id="only unknown queries",
        ),
        pytest.param(
            [("q1", f"x{row}", 1) for row in range(5)],
            {},
            "names 5 documents, and none of them exists: x0, x1, x2, …",
            id="only unknown documents",
        ),
        pytest.param(
            [("q1", "d1", 1), ("q1", "d1", 0)], {}, "judged more than once .* d1 for q1", id="judged twice"
        ),
        pytest.param([("q1", "d1", 0)], {}, "no query has a relevant document", id="nothing relevant"),
        pytest.param([("q1", "d1", "high")], {}, "line 2: the score is not a number: 'high'", id="score"),
        pytest.param(
            [("q1", "d1", 1)],
            {"queries": [*QUERIES, ("q1", "again")]},
            "1 duplicate ids of different texts: q1",
            id="query ids",
        ),
        pytest.param(
            [("q1", "d1", 1)],
            {"corpus": [*CORPUS, *((name, title, f"{text}!") for name, title, text in CORPUS)]},
            "4 duplicate ids of different texts: d1, d2, d3, …",
            id="document ids",
        ),
        pytest.param([("q1", "d1", 1)], {"corpus": [(None, "", "x")]}, "row 1 .* is not a name", id="no id"),
        pytest.param(
            [("q1", "d1", 1)],
            {"corpus": [("d1", "", None)]},
            "1 row of column 'text' is not a text",
            id="no text",
        ),
    ],
)
def test_an_error_says_what_is_wrong_with_a_folder(tmp_path, qrels, options, complaint):
    with pytest.raises(HarnessError, match=complaint):
        user_task(beir(tmp_path / "b", qrels, **options)).load(NOWHERE)


def test_a_missing_split_is_an_error_that_names_the_existing_ones(tmp_path):
    folder = beir(tmp_path / "b", [("q1", "d1", 1)], split="train")
    with pytest.raises(HarnessError, match="no judgments of the split 'test' in") as error:
        user_task(folder).load(NOWHERE)
    assert error.value.exists == "splits: train"
    assert "split = 'train'" in str(error.value)


def test_a_folder_that_is_missing_is_an_error(tmp_path):
    with pytest.raises(HarnessError, match=r"no folder .*nowhere"):
        user_task(tmp_path / "nowhere").load(NOWHERE)


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        pytest.param({"columns": {"body": "x"}}, "no column .* 'body'", id="column"),
        pytest.param({"templates": {"text": "{a}"}}, "no template .* 'text'", id="template"),
        pytest.param({"options": {"splits": "dev"}}, "no option .* 'splits'", id="option"),
        pytest.param({"options": {"split": 3}}, "split must be a text, not 3", id="split"),
    ],
)
def test_a_definition_with_an_unknown_name_or_an_invalid_split_is_an_error(tmp_path, options, complaint):
    with pytest.raises(HarnessError, match=complaint):
        user_task(tmp_path, **options)


# --- limits ----------------------------------------------------------------------------------------------


def test_a_limited_set_has_the_judged_documents_and_ten_drawn_ones_per_query():
    whole = STATUTES.load(SAMPLE)
    part = STATUTES.limited(whole, 3)
    assert part["id"] == [name for name in whole["id"] if name in part["id"]]
    assert len(part) == 3
    qrels = set(table(part.tables["qrels"], "query", "document", "score"))
    assert qrels == {
        row for row in table(whole.tables["qrels"], "query", "document", "score") if row[0] in part["id"]
    }
    corpus, all_ids = part.tables["corpus"]["id"], whole.tables["corpus"]["id"]
    judged = {document for _, document, _ in qrels}
    drawn = set(whole.tables["corpus"].sample(30)["id"])
    assert len(drawn) == 30
    assert drawn != set(all_ids[:30])
    assert corpus == [name for name in all_ids if name in judged | drawn]


def test_all_judged_documents_are_kept_if_they_are_more_than_ten_per_query(tmp_path):
    corpus = [(f"d{row}", "", f"text {row}") for row in range(40)]
    folder = beir(tmp_path / "b", [("q1", f"d{row}", 1) for row in range(25)], corpus=corpus)
    task = user_task(folder)
    documents = task.limited(task.load(NOWHERE), 1).tables["corpus"]["id"]
    assert set(documents) > {f"d{row}" for row in range(25)}
    assert 25 < len(documents) <= 35


def test_a_limited_set_does_not_depend_on_order_and_grows_with_the_limit(tmp_path):
    corpus = [(f"d{row}", "", f"text {row}") for row in range(200)]
    queries = [(f"q{row}", f"question {row // 2}") for row in range(20)]  # two of each: a cluster
    qrels = [(f"q{row}", f"d{(7 * row) % 200}", 1) for row in range(20)]
    forward = user_task(beir(tmp_path / "a", qrels, corpus=corpus, queries=queries))
    backward = user_task(beir(tmp_path / "b", qrels[::-1], corpus=corpus[::-1], queries=queries[::-1]))
    parts = {limit: forward.limited(forward.load(NOWHERE), limit) for limit in (3, 6, 12)}
    other = backward.limited(backward.load(NOWHERE), 6)
    assert set(other["id"]) == set(parts[6]["id"])
    assert set(other.tables["corpus"]["id"]) == set(parts[6].tables["corpus"]["id"])
    assert [len(part) for part in parts.values()] == [2, 6, 12]
    for small, large in ((3, 6), (6, 12)):
        assert set(parts[small]["id"]) < set(parts[large]["id"])
        assert set(parts[small].tables["corpus"]["id"]) < set(parts[large].tables["corpus"]["id"])


def test_a_limit_beyond_the_set_changes_nothing():
    whole = STATUTES.load(SAMPLE)
    assert STATUTES.limited(whole, 1000).digest == whole.digest


# --- the tasks -------------------------------------------------------------------------------------------


def test_tasks_tags_and_samples():
    assert {name for name, task in TASKS.items() if "legal" in task.tags} == {
        "aila-statutes",
        "aila-casedocs",
    }
    assert all("retrieval" in task.tags for task in TASKS.values())
    assert [name for name, task in TASKS.items() if task.sample] == ["aila-statutes"]


def test_the_sample_has_at_least_the_promised_size():
    dataset = STATUTES.load(SAMPLE)
    assert len(dataset) >= 50
    assert len(dataset.tables["corpus"]) >= 150


def test_the_real_folders_are_read_whole(shared_data):
    read = {name: task.load(DataSource("files", shared_data)) for name, task in TASKS.items()}
    assert {name: (len(rows), len(rows.tables["corpus"])) for name, rows in read.items()} == {
        "scifact": (300, 5183),
        "cranfield": (225, 1400),
        "aila-statutes": (50, 197),
        "aila-casedocs": (50, 186),
    }
    cranfield = read["cranfield"].tables["qrels"]["score"]
    assert {score: cranfield.count(score) for score in set(cranfield)} == {
        4: 128,
        3: 387,
        2: 734,
        1: 363,
        0: 225,
    }
    assert [finding.code for finding in read["cranfield"].findings] == ["empty-documents"]
