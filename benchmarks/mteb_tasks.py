"""The suite as tasks of mteb, whose rows are in memory: nothing is fetched, nothing is cached."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

    from benchmarks.suite import Pair, Suite

_MAIN = {"STS": "cosine_spearman", "PairClassification": "max_ap", "Retrieval": "ndcg_at_10"}


def tasks_of(suite: Suite) -> list[Any]:
    """Make two STS tasks, a pair classification and a retrieval, under the names in the task file."""
    import datasets

    def table(**columns: Sequence[Any]) -> datasets.Dataset:
        return datasets.Dataset.from_dict(columns)

    def pairs(part: Sequence[Pair]) -> dict[str, list[str]]:
        return {"sentence1": [pair.left for pair in part], "sentence2": [pair.right for pair in part]}

    sts = {"suite-stsb-dev": suite.stsb_dev, "suite-stsb-test": suite.stsb_test}
    tables = {
        name: ("STS", table(**pairs(part), score=[pair.gold for pair in part])) for name, part in sts.items()
    }
    labels = [int(pair.gold) for pair in suite.pairs]
    tables["suite-pairs"] = ("PairClassification", table(**pairs(suite.pairs), labels=labels))
    tasks = [_task(name, kind, datasets.DatasetDict(test=rows)) for name, (kind, rows) in tables.items()]
    names, texts = list(suite.documents), list(suite.documents.values())
    retrieval = {
        "corpus": table(id=names, text=texts, title=[""] * len(names)),
        "queries": table(id=list(suite.queries), text=list(suite.queries.values())),
        "relevant_docs": {query: dict.fromkeys(ids, 1) for query, ids in suite.relevant.items()},
        "top_ranked": None,
    }
    return [*tasks, _task("suite-spans", "Retrieval", {"default": {"test": retrieval}})]


def _task(name: str, kind: str, rows: object) -> Any:  # noqa: ANN401 - mteb's classes are found by name
    import mteb.abstasks
    from mteb.abstasks.task_metadata import TaskMetadata

    fields: dict[str, Any] = {
        "name": name,
        "description": "rows of the suite",
        "type": kind,
        "main_score": _MAIN[kind],
        "dataset": {"path": "local", "revision": "v1"},
        "eval_splits": ["test"],
        "eval_langs": ["eng-Latn"],
    }
    described = TaskMetadata(**fields)
    made = type(name, (getattr(mteb.abstasks, f"AbsTask{kind}"),), {"metadata": described})()
    # Rows that are there before mteb looks are neither loaded nor dropped by it, in any round.
    made.dataset, made.data_loaded = rows, True
    return made
