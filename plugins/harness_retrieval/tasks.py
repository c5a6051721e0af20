"""Find the relevant documents of a query in a corpus."""

from __future__ import annotations

from operator import methodcaller
from pathlib import Path
from typing import TYPE_CHECKING

from harness import Dataset, DataSource, HarnessError, Model, Predictions, Role, Splits, Task, mean_metric
from harness.authoring import TaskDefinition, TaskKind, rank
from harness_retrieval.beir import NAMES, BeirFolder

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

_DRAWN_PER_QUERY = 10
"""Documents per query that are drawn into the corpus of a limited task, besides the judged ones."""


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
        """Return a sample of the queries, their judged documents, and a sample of the corpus.

        The sample of the corpus has 10 documents per query of the limit; judged ones may be among them.
        """
        queries, corpus, qrels = dataset.sample(limit), dataset.tables["corpus"], dataset.tables["qrels"]
        ids = set(queries["id"])
        kept_qrels = [row for row, query in enumerate(qrels["query"]) if query in ids]
        kept = {qrels["document"][row] for row in kept_qrels}
        kept |= set(corpus.sample(_DRAWN_PER_QUERY * limit)["id"])
        documents = [row for row, name in enumerate(corpus["id"]) if name in kept]
        tables = {"corpus": corpus.take(documents), "qrels": qrels.take(kept_qrels)}
        return Dataset(queries.columns, tables, queries.findings)


class BeirRetrieval(Retrieval):
    """A BEIR folder below the data folder."""

    def __init__(self, name: str, *, tags: Iterable[str] = (), sample: Path | None = None) -> None:
        self.name, self.tags, self.sample = name, frozenset({"retrieval", *tags}), sample

    def load(self, source: DataSource) -> Dataset:
        """Read the folder that has the task's name."""
        return BeirFolder(source.path(self.name), self.splits.evaluated).read()


class UserRetrieval(Retrieval):
    """A user's BEIR folder."""

    def __init__(self, definition: TaskDefinition) -> None:
        definition.allow(columns=(*NAMES, "title"), templates=("document", "query"), options=("split",))
        split = definition.options.get("split", "test")
        if not isinstance(split, str):
            raise HarnessError(
                f"task {definition.name}: split is not a text: {split!r}",
                hint="split = 'dev' reads qrels/dev.tsv",
            )
        self.name, self.tags, self.splits = definition.name, definition.tags | {"retrieval"}, Splits(split)
        self._folder = BeirFolder(definition.path, split, definition.columns, definition.templates)

    def load(self, source: DataSource) -> Dataset:  # noqa: ARG002 - the task file names the folder
        """Read the folder with the definition's split, column names and templates."""
        return self._folder.read()


def retrieval_tasks() -> list[Task]:
    """Return the test splits of SciFact, Cranfield, and AILA's statutes and prior cases."""
    return [
        BeirRetrieval("scifact"),
        BeirRetrieval("cranfield"),
        BeirRetrieval("aila-statutes", tags={"legal"}, sample=Path(__file__).parent / "sample"),
        BeirRetrieval("aila-casedocs", tags={"legal"}),
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
    "a BEIR folder: corpus.jsonl, queries.jsonl, qrels/SPLIT.tsv; split = 'test' if not given",
    UserRetrieval,
)
