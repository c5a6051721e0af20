"""Find the relevant documents of a query in a corpus."""

from __future__ import annotations

from operator import methodcaller
from pathlib import Path
from typing import TYPE_CHECKING

from harness import (
    Dataset,
    DataSource,
    Finding,
    HarnessError,
    Model,
    Predictions,
    Role,
    Severity,
    Splits,
    Task,
    mean_metric,
)
from harness.authoring import (
    HubDataset,
    RankedTexts,
    StoredTexts,
    TaskDefinition,
    TaskKind,
    TieOrder,
    find_tie_order,
    rank,
)
from harness_retrieval.beir import NAMES, BeirFolder
from harness_retrieval.copies import Identical, find_duplicates, find_identical, own_documents, without_own
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

_DRAWN_PER_QUERY = 10
"""Documents per query that are drawn into the corpus of a limited task, besides the judged ones."""


class Retrieval(Task):
    """Queries, a corpus, and judgments of which document is relevant to which query."""

    kind = "retrieval"
    metrics = tuple(mean_metric(name, bounds=(0, 1)) for name in MEASURES)
    ties: TieOrder = TieOrder.EXPECTED
    """How documents of equal scores count: by the mean over all their orders, or in trec_eval's order."""
    identical: Identical = Identical.AUTO
    """Which documents are left out of the ranking of a query that they are."""

    def texts(self, dataset: Dataset) -> Iterable[tuple[str, Role]]:
        """Announce all queries and the corpus; one that is on disk is encoded when `predict` asks for it."""
        yield from ((text, Role.QUERY) for text in dataset["text"])
        documents = dataset.tables["corpus"]["text"]
        if not isinstance(documents, StoredTexts):
            yield from ((text, Role.DOCUMENT) for text in documents)

    def predict(self, model: Model, dataset: Dataset) -> Predictions:
        """Rank the corpus for every query by the model's own similarity.

        Besides a column for each metric, `ranked_ids` and `ranked_scores` have the best documents and
        `gold_ids` and `gold_scores` the judged ones; `tied_beyond` counts the documents that are not
        ranked and tie with the last one that is, and `gold_beyond` has the relevant ones among them:
        every metric can be computed again from these.
        """
        corpus, own = dataset.tables["corpus"], own_documents(dataset, self.identical)
        all_judged = _judged(dataset)
        judged = without_own(all_judged, own)
        queries = model.encode(dataset["text"], Role.QUERY)
        documents = model.encode(corpus["text"], Role.DOCUMENT)
        ranking = rank(model, queries, documents, corpus["id"], DEPTH, relevance=judged, left_out=own)
        judged_ranking = ranking.judged(judged, self.ties)
        ranked = RankedTexts(corpus["id"], corpus["text"], documents)
        return Predictions(
            dataset,
            findings=(
                *find_identical(dataset, own, all_judged),
                *find_duplicates(dataset, judged, own),
                *find_tie_order(model, ranking, judged, ranked, MEASURES, role=Role.DOCUMENT, ties=self.ties),
            ),
            ranked_ids=ranking.ids,
            ranked_scores=ranking.scores,
            gold_ids=[list(scores) for scores in judged],
            gold_scores=[list(scores.values()) for scores in judged],
            tied_beyond=ranking.tied_beyond or [],
            gold_beyond=ranking.gold_beyond or [],
            **{name: measure(judged_ranking) for name, measure in MEASURES.items()},
        )

    def answerable(self, dataset: Dataset) -> Dataset:
        """Drop queries whose only relevant document is themselves, and is left out; a finding counts them.

        Raises HarnessError if no query is left.
        """
        judged = without_own(_judged(dataset), own_documents(dataset, self.identical))
        kept = [row for row, scores in enumerate(judged) if any(score > 0 for score in scores.values())]
        if len(kept) == len(dataset):
            return dataset
        dropped = (
            f"{len(dataset) - len(kept)} of {len(dataset)} queries have no relevant document but themselves"
        )
        if not kept:
            raise HarnessError(
                f"{dropped}, which are left out", hint="identical = 'keep' in a task file ranks them"
            )
        finding = Finding(
            "queries-without-relevant",
            Severity.WARNING,
            f"{dropped}, which are left out, and are dropped",
            "identical = 'keep' in a task file ranks them",
        )
        names, qrels = {dataset["id"][row] for row in kept}, dataset.tables["qrels"]
        tables = {
            **dataset.tables,
            "qrels": qrels.take([row for row, query in enumerate(qrels["query"]) if query in names]),
        }
        return Dataset(dataset.take(kept).columns, tables, (*dataset.findings, finding))

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
        return self.answerable(BeirFolder(source.path(self.name), self.splits.evaluated).read())


class UserRetrieval(Retrieval):
    """A user's folder, in BEIR's layout or another that `harness_retrieval.layout` knows."""

    def __init__(self, definition: TaskDefinition) -> None:
        definition.allow(columns=NAMES, templates=("document", "query"), options=KEYS)
        options = read_options(definition)
        self.name, self.tags = definition.name, definition.tags | {"retrieval"}
        self.splits = Splits(options.get("split", "test"))
        self.ties = TieOrder(options.pop("ties", TieOrder.EXPECTED))
        self.identical = Identical(options.pop("identical", Identical.AUTO))
        self._definition, self._options = definition, options

    def load(self, source: DataSource) -> Dataset:  # noqa: ARG002 - the task file names the folder
        """Read the folder with the definition's split, column names, templates and options."""
        definition = self._definition
        folder = BeirFolder(
            definition.path, columns=definition.columns, templates=definition.templates, **self._options
        )
        return self.answerable(folder.read())


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
