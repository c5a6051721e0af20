"""Every kind of text task that mteb has: a tiny one of each runs, with the scores of mteb's own run."""

from __future__ import annotations

import pytest

from harness.models.locate import locate_model, parse_model
from harness.plugins.loader import load_plugins
from plugins.test_mteb import few_rows, local_task, mtebs_own, retrieval_rows, scored, splits

ANIMALS = ["a dog runs", "the dog sleeps", "a dog barks", "dogs run home"]
HOUSES = ["a house burns", "the old house", "a house of stone", "houses by the sea"]
LABELED = {"text": ANIMALS + HOUSES, "label": [0] * 4 + [1] * 4}


def halves(**columns):
    """The same rows to learn from and to be scored on."""
    rows = splits(**columns)
    rows["train"] = rows["test"]
    return rows


def summaries():
    return splits(
        text=["a dog runs home and sleeps", "the old house burns by the sea"],
        human_summaries=[["a dog sleeps", "the dog runs"], ["a house burns"]],
        machine_summaries=[
            ["dogs", "a dog sleeps at home", "the sea"],
            ["a cat", "an old house", "it burns"],
        ],
        relevance=[[2.0, 5.0, 1.0], [1.0, 3.0, 5.0]],
    )


def reranked():
    rows = retrieval_rows()
    tables = rows["default"]["test"]
    tables["top_ranked"] = {query: list(tables["corpus"]["id"]) for query in tables["queries"]["id"]}
    return rows


def instructed():
    rows = retrieval_rows()
    tables = rows["default"]["test"]
    tables["queries"] = tables["queries"].add_column("instruction", ["find it"] * len(tables["queries"]))
    return rows


def clusters():
    import datasets

    legacy = datasets.Dataset.from_dict({"sentences": [LABELED["text"]], "labels": [LABELED["label"]]})
    return datasets.DatasetDict({"test": legacy})


FEW = {"n_experiments": 2, "samples_per_label": 2}
KINDS = {
    "bitext": ("BitextMining", lambda: splits(sentence1=ANIMALS, sentence2=HOUSES), "f1", {}),
    "classification": ("Classification", lambda: halves(**LABELED), "accuracy", FEW),
    "several labels": (
        "MultilabelClassification",
        lambda: halves(
            text=[f"{text} {n}" for n in range(4) for text in LABELED["text"]],
            label=([[0]] * 4 + [[1]] * 4) * 4,
        ),
        "accuracy",
        {"n_experiments": 2, "samples_per_label": 8},
    ),
    "clustering": (
        "Clustering",
        lambda: splits(sentences=LABELED["text"], labels=LABELED["label"]),
        "v_measure",
        {"max_fraction_of_documents_to_embed": None, "max_document_to_embed": 8},
    ),
    "clusters as lists": ("ClusteringLegacy", clusters, "v_measure", {"type": "Clustering"}),
    "pairs": (
        "PairClassification",
        lambda: splits(sentence1=ANIMALS, sentence2=HOUSES, labels=[0, 1, 0, 1]),
        "max_ap",
        {},
    ),
    "regression": (
        "Regression",
        lambda: halves(text=LABELED["text"], value=[float(n) for n in range(8)]),
        "kendalltau",
        {"n_experiments": 2},
    ),
    "retrieval": ("Retrieval", retrieval_rows, "ndcg_at_10", {}),
    "reranking": ("Retrieval", reranked, "map_at_1000", {"type": "Reranking"}),
    "instructions": ("Retrieval", instructed, "ndcg_at_10", {"type": "InstructionRetrieval"}),
    "sts": ("STS", few_rows, "cosine_spearman", {}),
    "summaries": (
        "Summarization",
        summaries,
        "cosine_spearman",
        {"min_score": 0, "max_score": 5},
    ),
    "zero-shot": (
        "ZeroShotClassification",
        lambda: splits(text=LABELED["text"], label=LABELED["label"]),
        "accuracy",
        {"input_column_name": "text", "modalities": ["text"], "category": "t2t",
         "get_candidate_labels": lambda self: ["an animal", "a house"]},
    ),
}  # fmt: skip


def tiny_task(name):
    kind, rows, headline, options = KINDS[name]
    return local_task(kind, rows, **{"main_score": headline, "type": kind} | options)


@pytest.fixture(scope="module")
def model(tiny):
    schemes = load_plugins().model_schemes()
    return locate_model(parse_model(str(tiny), schemes), schemes).load()


QUICK = ("retrieval", "sts", "classification", "pairs")
"""Kinds of the default suite; the others take as long again."""


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.UndefinedMetricWarning")
@pytest.mark.filterwarnings("ignore:To copy construct from a tensor")  # mteb's own run
@pytest.mark.parametrize(
    "name", [one if one in QUICK else pytest.param(one, marks=pytest.mark.slow) for one in KINDS]
)
def test_a_task_of_every_kind_has_the_scores_of_mtebs_own_run(name, model, tiny):
    ours, theirs = scored(model, tiny_task(name)), mtebs_own(tiny, tiny_task(name))
    assert next(iter(ours)) == KINDS[name][2]
    assert len(ours) > (1 if name != "bitext" else 0)
    assert ours == pytest.approx({metric: theirs[metric] for metric in ours}, abs=1e-5, nan_ok=True)


def test_the_tiny_tasks_are_of_all_kinds_that_mtebs_text_tasks_have():
    from mteb.abstasks.aggregated_task import AbsTaskAggregate
    from mteb.get_tasks import TASK_LIST

    ours = {base for name in KINDS for base in type(tiny_task(name)).__mro__} | {AbsTaskAggregate}
    texts = [kind for kind in TASK_LIST if {*kind.metadata.modalities} == {"text"}]
    kinds = {
        next(base for base in kind.__mro__ if base.__module__.startswith("mteb.abstasks")) for kind in texts
    }
    assert kinds <= ours, "a kind of text task without a tiny one in KINDS"
