"""Find the relevant documents of a query in a corpus."""

from __future__ import annotations

from operator import methodcaller
from pathlib import Path
from typing import TYPE_CHECKING

from harness import Dataset, DataSource, Model, Predictions, Role, Splits, Task, mean_metric
from harness.authoring import HubDataset, TaskDefinition, TaskKind, rank
from harness_retrieval.beir import NAMES, BeirFolder
from harness_retrieval.options import KEYS, read_options

if TYPE_CHECKING:
    from collections.abc import Iterable

DEPTH = 100
"""Documents kept of every ranking; metrics need no more."""

MEASURES = {
    "recall@10": methodcaller("recall", 10),
    "recall@1": methodcaller("recall", 1),
    "recall@5": methodcaller("recall", 5),
    "recall@100": methodcaller("recall", 100),
    "ndcg@10": methodcaller("ndcg", 10),
    "mrr@10": methodcaller("reciprocal_rank", 10),
    "map@100": methodcaller("average_precision", 100),
}
"""Metric → the method of a judged ranking that computes it for every query; the first is the headline."""

_CORPUS_PER_QUERY = 10
"""Documents per query in the corpus of a limited task."""


class Retrieval(Task):
    """Queries, a corpus, and judgments of which document is relevant to which query."""

    kind = "retrieval"
    metrics = tuple(mean_metric(name) for name in MEASURES)

    def texts(self, dataset: Dataset) -> Iterable[tuple[str, Role]]:
        """Announce all queries and the whole corpus."""
        yield from ((text, Role.QUERY) for text in dataset["text"])
        yield from ((text, Role.DOCUMENT) for text in dataset.tables["corpus"]["text"])

    def predict(self, model: Model, dataset: Dataset) -> Predictions:
        """Rank the corpus for every query by the model's own similarity.

        Besides a column for each metric, `ranked_ids` and `ranked_scores` have the best documents and
        `gold_ids` and `gold_scores` the judged ones: every metric can be computed again from these.
        """
        corpus, judged = dataset.tables["corpus"], _judged(dataset)
        queries = model.encode(dataset["text"], Role.QUERY)
        documents = model.encode(corpus["text"], Role.DOCUMENT)
        ranking = rank(model, queries, documents, corpus["id"], DEPTH)
        judged_ranking = ranking.judged(judged)
        return Predictions(
            dataset,
            ranked_ids=ranking.ids,
            ranked_scores=ranking.scores,
            gold_ids=[list(scores) for scores in judged],
            gold_scores=[list(scores.values()) for scores in judged],
            **{name: measure(judged_ranking) for name, measure in MEASURES.items()},
        )

    def limited(self, dataset: Dataset, limit: int) -> Dataset:
        """Return the first queries, their judged documents, and the first further documents.

        The corpus then has 10 documents per query, or the judged ones if those are more.
        """
        queries, corpus, qrels = dataset.head(limit), dataset.tables["corpus"], dataset.tables["qrels"]
        ids = set(queries["id"])
        kept_qrels = [row for row, query in enumerate(qrels["query"]) if query in ids]
        judged = {qrels["document"][row] for row in kept_qrels}
        room = _CORPUS_PER_QUERY * limit - len(judged)
        others = [row for row, name in enumerate(corpus["id"]) if name not in judged][: max(room, 0)]
        kept = sorted([*others, *(row for row, name in enumerate(corpus["id"]) if name in judged)])
        tables = {"corpus": corpus.take(kept), "qrels": qrels.take(kept_qrels)}
        return Dataset(queries.columns, tables, queries.findings)


class BeirRetrieval(Retrieval):
    """A BEIR folder below the data folder, or a dataset of the hub."""

    def __init__(
        self,
        name: str,
        *,
        tags: Iterable[str] = (),
        sample: Path | None = None,
        hub: HubDataset | None = None,
    ) -> None:
        self.name, self.tags, self.sample = name, frozenset({"retrieval", *tags}), sample
        self.hub = hub

    def load(self, source: DataSource) -> Dataset:
        """Read the folder that has the task's name, or the dataset's."""
        return BeirFolder(source.path(self.name), self.splits.evaluated).read()


class UserRetrieval(Retrieval):
    """A user's folder, in BEIR's layout or another that `harness_retrieval.layout` knows."""

    def __init__(self, definition: TaskDefinition) -> None:
        definition.allow(columns=NAMES, templates=("document", "query"), options=KEYS)
        options = read_options(definition)
        self.name, self.tags = definition.name, definition.tags | {"retrieval"}
        self.splits = Splits(options.get("split", "test"))
        self._definition, self._options = definition, options

    def load(self, source: DataSource) -> Dataset:  # noqa: ARG002 - the task file names the folder
        """Read the folder with the definition's split, column names, templates and options."""
        definition = self._definition
        return BeirFolder(
            definition.path, columns=definition.columns, templates=definition.templates, **self._options
        ).read()


def retrieval_tasks() -> list[Task]:
    """Return the test splits of SciFact, Cranfield, and AILA's statutes and prior cases.

    The hub's revisions are those that mteb 2.26 reads. Its AILA statutes are 82 of our 197: those that are
    relevant to some query.
    """
    scifact = HubDataset("mteb/scifact", "d56462d0e63a25450459c4f213e49ffdb866f7f9")
    statutes = HubDataset("mteb/AILA_statutes", "ebfcd844eadd3d667efa3c57fc5c8c87f5c2867e")
    casedocs = HubDataset("mteb/AILA_casedocs", "4106e6bcc72e0698d714ea8b101355e3e238431a")
    sample = Path(__file__).parent / "sample"
    return [
        BeirRetrieval("scifact", hub=scifact),
        BeirRetrieval("cranfield"),
        BeirRetrieval("aila-statutes", tags={"legal"}, sample=sample, hub=statutes),
        BeirRetrieval("aila-casedocs", tags={"legal"}, hub=casedocs),
    ]


def _judged(dataset: Dataset) -> list[dict[str, float]]:
    """Return document id → score for every query."""
    qrels = dataset.tables["qrels"]
    judged: dict[str, dict[str, float]] = {query: {} for query in dataset["id"]}
    for query, document, score in zip(qrels["query"], qrels["document"], qrels["score"], strict=True):
        judged[query][document] = score
    return list(judged.values())


RETRIEVAL_KIND = TaskKind(
    "retrieval",
    "a folder as BEIR, the hub, TREC or MS MARCO lay it out: corpus, queries, qrels of a split ('test')",
    UserRetrieval,
    folder=True,
)
