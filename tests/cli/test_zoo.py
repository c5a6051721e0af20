"""Through the command line, every model scores as sentence-transformers and pytrec_eval score it."""

from __future__ import annotations

import csv
import json
import math
import random

import numpy as np
import pytest
import pytrec_eval
from scipy.stats import pearsonr, spearmanr
from sentence_transformers.sentence_transformer.evaluation import EmbeddingSimilarityEvaluator
from zoo import WORDS, ZOO
from zoo_folders import FOLDERS, load_original

from harness.models import loading

EVERYTHING = {**ZOO, **FOLDERS}
QUICK = (
    "version-1", "version-3", "plain", "model2vec", "model2vec-quantized", "adapter", "matryoshka", "float16",
    "sharded", "asym", "bert-max", "bert-prompts-excluded", "router", "words",
)  # fmt: skip
"""Those of the default run: each kind of folder, pooling, route and prompt once."""
DEPENDS_ON_BATCH = {"bert-convolution"}
"""Models whose own embeddings depend on what is encoded with them: evaluators, too, disagree on these."""
TREC = {"recall@10": "recall_10", "ndcg@10": "ndcg_cut_10", "map@100": "map_cut_100"}
TASKS = """
[tasks.pairs]
kind = "sts"
path = "pairs.csv"

[tasks.search]
kind = "retrieval"
path = "search"
ties = "trec_eval"
identical = "keep"
"""


def texts(count: int, seed: int) -> list[str]:
    """Return texts of 3 to 20 words, all different."""
    draw = random.Random(seed)
    made: dict[str, None] = {}
    while len(made) < count:
        made[" ".join(draw.choices(WORDS, k=draw.randint(3, 20)))] = None
    return list(made)


def make_pairs(seed: int = 1) -> tuple[list[str], list[str], list[float]]:
    """Return pairs that share some words, with ratings that are all different and partly follow from it."""
    draw, left = random.Random(seed), texts(60, seed)
    right = []
    for text in left:
        words = text.split()
        kept = draw.sample(words, k=draw.randint(0, len(words)))
        right.append(" ".join([*kept, *draw.choices(WORDS, k=4)]))
    shares = [len({*a.split()} & {*b.split()}) / len({*a.split()}) for a, b in zip(left, right, strict=True)]
    return left, right, [round(share + draw.random(), 9) for share in shares]


def make_search(seed: int = 2) -> tuple[dict[str, str], dict[str, str], dict[str, dict[str, int]]]:
    """Return queries, documents, and judgements: two or three documents per query, some grown from it."""
    draw = random.Random(seed)
    documents = {f"d{number}": text for number, text in enumerate(texts(80, seed))}
    queries, judged = {}, {}
    for number, (key, text) in enumerate(draw.sample(sorted(documents.items()), 20)):
        words = text.split()
        queries[f"q{number}"] = " ".join([*words[: len(words) // 2], "notice", *draw.choices(WORDS, k=2)])
        judged[f"q{number}"] = {key: 1, **dict.fromkeys(draw.sample(sorted(documents), 2), 1)}
    return queries, documents, judged


@pytest.fixture
def data(tmp_path):
    """Write both tasks; return the path of the task file."""
    with (tmp_path / "pairs.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["text1", "text2", "score"])
        writer.writerows(zip(*make_pairs(), strict=True))
    queries, documents, judged = make_search()
    (tmp_path / "search" / "qrels").mkdir(parents=True)
    for name, rows in (("corpus", documents), ("queries", queries)):
        lines = [json.dumps({"_id": key, "title": "", "text": text}) for key, text in rows.items()]
        (tmp_path / "search" / f"{name}.jsonl").write_text("\n".join(lines) + "\n")
    lines = [f"{query}\t{key}\t{grade}" for query, keys in judged.items() for key, grade in keys.items()]
    (tmp_path / "search" / "qrels" / "test.tsv").write_text("\n".join(["query-id\tcorpus-id\tscore", *lines]))
    (tmp_path / "tasks.toml").write_text(TASKS)
    return tmp_path / "tasks.toml"


def run(harness, data, folders) -> dict[tuple[str, str], dict[str, float]]:
    """Return the scores of a run: (model, task) → metric → score."""
    models = [word for name, folder in folders.items() for word in ("--model", f"{name}={folder}")]
    answer = harness(
        "run", *models, "--task-file", data, "--tasks", "pairs,search", "--no-cache", "--no-throughput",
        "--threads", "1x1", "--out", data.parent / "out",
    )  # fmt: skip
    assert answer.code == 0, answer.err
    scores: dict[tuple[str, str], dict[str, float]] = {}
    with (data.parent / "out" / "leaderboard.csv").open(newline="") as file:
        for row in csv.DictReader(file):
            scores.setdefault((row["model"], row["task"]), {})[row["metric"]] = float(row["score"])
    return scores


def expected_of_pairs(model) -> tuple[dict[str, float], dict[str, float]]:
    """Return sentence-transformers' own scores, and those of gold in another order."""
    left, right, gold = make_pairs()
    evaluator = EmbeddingSimilarityEvaluator(left, right, gold)
    own = {key.rpartition("_")[0]: score for key, score in evaluator(model).items()}
    similar = np.asarray(model.similarity_pairwise(model.encode(left), model.encode(right)))
    expected = {"spearman": spearmanr(gold, similar)[0], "pearson": pearsonr(gold, similar)[0]}
    assert math.isclose(own["spearman"], expected["spearman"], abs_tol=1e-6)
    shuffled = random.Random(3).sample(gold, len(gold))
    return expected, {"spearman": spearmanr(shuffled, similar)[0], "pearson": pearsonr(shuffled, similar)[0]}


def expected_of_search(model) -> tuple[dict[str, float], dict[str, float]]:
    """Return trec_eval's scores of sentence-transformers' embeddings, and with judgements moved by one."""
    queries, documents, judged = make_search()
    asked, found = model.encode_query([*queries.values()]), model.encode_document([*documents.values()])
    similar = np.asarray(model.similarity(asked, found))
    ranked = {
        query: dict(zip(documents, map(float, row), strict=True))
        for query, row in zip(queries, similar, strict=True)
    }
    keys = list(judged)
    moved = {query: judged[keys[index - 1]] for index, query in enumerate(keys)}
    return tuple(  # type: ignore[return-value]
        {
            metric: float(np.mean([row[name] for row in rows.values()]))
            for rows in [pytrec_eval.RelevanceEvaluator(gold, set(TREC.values())).evaluate(ranked)]
            for metric, name in TREC.items()
        }
        for gold in (judged, moved)
    )


def assert_scores_equal(harness, data, folders) -> None:
    scores = run(harness, data, folders)
    for name, folder in folders.items():
        original = load_original(folder)
        for task, expect in (("pairs", expected_of_pairs), ("search", expected_of_search)):
            expected, shuffled = expect(original)
            ours = {metric: scores[name, task][metric] for metric in expected}
            assert ours == pytest.approx(expected, rel=0, abs=1e-5), (name, task)
            assert all(abs(expected[metric] - shuffled[metric]) > 1e-3 for metric in expected), (name, task)


@pytest.fixture
def folders(tmp_path_factory, monkeypatch):
    """Build models of the zoo."""
    monkeypatch.setenv("HARNESS_PLUGINS", "sts,retrieval")
    root = tmp_path_factory.mktemp("zoo")
    return lambda names: {name: EVERYTHING[name](root / name / name) for name in names}


@pytest.mark.kernels
def test_a_model_of_each_kind_scores_as_sentence_transformers_and_trec_eval(harness, data, folders):
    pytest.importorskip("peft", reason="needs the extra `adapters`")
    assert_scores_equal(harness, data, folders(QUICK))


@pytest.mark.slow
@pytest.mark.kernels
def test_every_model_of_the_zoo_scores_as_sentence_transformers_and_trec_eval(harness, data, folders):
    pytest.importorskip("peft", reason="needs the extra `adapters`")
    assert_scores_equal(
        harness, data, folders([name for name in EVERYTHING if name not in {*QUICK, *DEPENDS_ON_BATCH}])
    )


def test_a_model_that_is_overwritten_during_a_run_is_an_error_and_enters_no_cache(
    harness, data, folders, monkeypatch
):
    folder = folders(["bert", "bert-cls"])
    open_model = loading._open

    def overwritten(opened, *rest, **options):
        model = open_model(opened, *rest, **options)
        if opened.name == "bert":
            file = folder["bert"] / "model.safetensors"
            file.write_bytes((folder["bert-cls"] / "model.safetensors").read_bytes()[:-1] + b"\x3c")
        return model

    monkeypatch.setattr(loading, "_open", overwritten)
    cache = data.parent / "cache"
    answer = harness(
        "run", "--model", folder["bert"], "--model", folder["bert-cls"], "--task-file", data,
        "--tasks", "pairs", "--cache", cache, "--no-throughput", "--threads", "1x1",
        "--out", data.parent / "out",
    )  # fmt: skip
    assert answer.code == 2
    assert "ERROR bert · pairs: model bert was changed while it was loaded" in answer.err
    with (data.parent / "out" / "leaderboard.csv").open(newline="") as file:
        assert {row["model"] for row in csv.DictReader(file) if row["score"]} == {"bert-cls"}
    stores = [
        path for path in (cache / "embeddings").rglob("*") if path.is_file() and path.stat().st_size > 1000
    ]
    assert len(stores) == 1, "only the other model's embeddings are kept"


def test_what_is_assumed_about_a_model_is_below_the_table_once_and_in_each_record(harness, data, folders):
    folder = folders(["plain"])["plain"]
    answer = harness(
        "run", "--model", folder, "--task-file", data, "--tasks", "pairs,search", "--no-cache",
        "--no-throughput", "--threads", "1x1", "--out", data.parent / "out",
    )  # fmt: skip
    assert answer.code == 0
    assert answer.out.count("no modules.json says how embeddings are made") == 1
    records = [json.loads(file.read_text()) for file in (data.parent / "out" / "records").rglob("*.json")]
    assert len(records) == 2
    findings = [record["candidate"]["facts"]["findings"] for record in records]
    assert [finding["code"] for (finding,) in findings] == ["assumed-pooling"] * 2
