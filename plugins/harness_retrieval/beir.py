"""Read a folder of corpus, queries, and judgments of documents for queries, as it is published.

Source: Thakur et al. (2021), "BEIR: A heterogeneous benchmark for zero-shot evaluation of information
retrieval models"; https://github.com/beir-cellar/beir.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from harness import Dataset, Finding, HarnessError, Severity
from harness.authoring import plural, verb
from harness_retrieval.judgments import JudgmentFiles
from harness_retrieval.large_texts import are_large, read_large_texts
from harness_retrieval.layout import Layout, first_few
from harness_retrieval.texts import TextFiles

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence
    from pathlib import Path

    from harness_retrieval.judgments import Judgments
    from harness_retrieval.texts import Texts

NAMES = ("id", "text", "title", "query", "document", "score")
"""Our names of the columns: of the corpus and the queries the first three, of the judgments the others."""
MissingDocuments = Literal["unreachable", "drop"]
"""What judgments of documents that the corpus lacks count as: relevant, and never found; or nothing."""


@dataclass(frozen=True)
class BeirFolder:
    """A folder, its judged split, and how its records are read."""

    path: Path
    split: str = "test"
    columns: Mapping[str, str] = field(default_factory=dict)
    """Our name of a column (of NAMES) → the files' name, if that is not BEIR's."""
    templates: Mapping[str, str] = field(default_factory=dict)
    """Templates of `document` and `query`, if their text is not made as BEIR makes it."""
    header: bool | None = None
    """Whether tsv, csv and txt files have a header; None where their first line says."""
    missing_documents: MissingDocuments = "unreachable"
    config: str = ""
    """The hub's name of one of several corpora in a folder: see `Layout.prefix`."""

    def read(self) -> Dataset:
        """Read the split's queries (id, text, cluster), with the tables `corpus` and `qrels`.

        corpus: (id, text); the text of a document with a title is title + space + text. Where any document
        has a title, the column `body` has the texts without it.
        qrels: (query, document, score); relevant means score > 0. A document that the corpus lacks stays in
        where it counts as unreachable.
        Queries of the split without a relevant document are dropped, and counted in a finding; the others
        keep the order of the file. Queries of the same text are one cluster.
        Raises HarnessError for missing or unreadable files, one id of different texts, contradicting
        judgments, and judgments of which none names a query and a document that exist.
        """
        layout = Layout(self.path, self.split, self.config)
        documents, queries = self._texts(layout.corpus(), "document"), self._texts(layout.queries(), "query")
        files = JudgmentFiles(layout.judgments(), self.columns, self.header)
        read, findings = files.read()
        texts_by_id = dict(zip(queries.ids, queries.texts, strict=True))
        judgments, unknown = self._known(read, documents.ids, texts_by_id, files.paths[0])
        answered = [name for name in queries.ids if _relevant(judgments.get(name, {}))]
        if not answered:
            raise HarnessError(
                f"{files.paths[0]}: no query has a relevant document", hint="relevant means score > 0"
            )
        corpus = {"id": documents.ids, "text": documents.texts}
        if documents.bodies:
            corpus["body"] = documents.bodies
        dropped = [name for name in judgments if not _relevant(judgments[name])]
        return Dataset(
            {
                "id": answered,
                "text": [texts_by_id[name] for name in answered],
                "cluster": _clusters_by_text(answered, texts_by_id),
            },
            {
                "corpus": Dataset(corpus),
                "qrels": _table((query, *pair) for query in answered for pair in judgments[query].items()),
            },
            (
                *layout.findings(),
                *findings,
                *unknown,
                *documents.findings,
                *queries.findings,
                *_without_relevant(dropped, len(judgments)),
                *_empty(documents),
            ),
        )

    def _texts(self, paths: Sequence[Path], what: str) -> Texts:
        files = TextFiles(paths, what, self.columns, self.templates.get(what), self.header)
        return read_large_texts(files) if what == "document" and are_large(paths) else files.read()

    def _known(
        self, judgments: Judgments, documents: Sequence[str], queries: Collection[str], path: Path
    ) -> tuple[Judgments, list[Finding]]:
        """Leave out what names an unknown query or, if they are dropped, an unknown document; say so.

        documents, queries: their ids.
        Raises HarnessError where nothing is left, or no relevant document is in the corpus: other ids.
        """
        unknown = [query for query in judgments if query not in queries]
        if len(unknown) == len(judgments):
            raise _other_ids(path, "queries", unknown, queries)
        judged = {query: scores for query, scores in judgments.items() if query in queries}
        named = dict.fromkeys(document for scores in judged.values() for document in scores)
        known = {document for document in documents if document in named}
        missing = [document for document in named if document not in known]
        if len(missing) == len(named):
            raise _other_ids(path, "documents", missing, documents)
        absent = frozenset(missing)
        affected = [
            (document, score > 0)
            for scores in judged.values()
            for document, score in scores.items()
            if document in absent
        ]
        if self.missing_documents == "drop":
            judged = {
                query: {document: score for document, score in scores.items() if document not in absent}
                for query, scores in judged.items()
            }
        findings = [*_unknown_queries(unknown, judgments)]
        if affected:
            findings.append(_missing(missing, affected, self.missing_documents))
        return judged, findings


def _relevant(scores: Mapping[str, float]) -> bool:
    return any(score > 0 for score in scores.values())


def _other_ids(path: Path, what: str, named: Sequence[str], known: Collection[str]) -> HarnessError:
    return HarnessError(
        f"{path} names {len(named)} {what}, and none of them exists: {first_few(named)}",
        exists=f"{len(known)} {what}, such as {first_few(known)}",
        hint="do the files belong together, and are ids written alike in both?",
    )


def _unknown_queries(unknown: Sequence[str], judgments: Judgments) -> Iterable[Finding]:
    if unknown:
        yield Finding(
            "unknown-queries",
            Severity.WARNING,
            f"{len(unknown)} of {plural(len(judgments), 'judged query', 'judged queries')}"
            f" {verb(len(unknown), 'is not among the queries, and is', 'are not among the queries, and are')}"
            " left out:"
            f" {first_few(unknown)}",
            "add them to the queries, or remove their judgments",
        )


def _missing(
    missing: Sequence[str], affected: Sequence[tuple[str, bool]], treated: MissingDocuments
) -> Finding:
    relevant = sum(positive for _, positive in affected)
    unreachable = treated == "unreachable"
    consequence = (
        f"{relevant} of them count as relevant documents that cannot be found, as published scores do"
        if unreachable
        else f"they are dropped, {relevant} relevant ones among them: scores are higher than published ones"
    )
    other = "drop" if unreachable else "unreachable"
    return Finding(
        "missing-documents",
        Severity.WARNING,
        f"{plural(len(affected), 'judgment')} {verb(len(affected), 'names', 'name')}"
        f" {plural(len(missing), 'document')} that {verb(len(missing), 'is', 'are')} not in the corpus"
        f" ({first_few(missing)}); {consequence}",
        f"add the documents; missing-documents = {other!r} in a task file treats them otherwise",
    )


def _without_relevant(dropped: Sequence[str], queries: int) -> Iterable[Finding]:
    if dropped:
        yield Finding(
            "queries-without-relevant",
            Severity.WARNING,
            f"{len(dropped)} of {plural(queries, 'judged query', 'judged queries')}"
            f" {verb(len(dropped), 'has no relevant document and is', 'have no relevant document and are')}"
            f" dropped: {first_few(sorted(dropped))}",
            "relevant means score > 0; metrics are undefined without a relevant document",
        )


def _empty(documents: Texts) -> Iterable[Finding]:
    empty = [name for name, text in zip(documents.ids, documents.texts, strict=True) if not text]
    if empty:
        yield Finding(
            "empty-documents",
            Severity.NOTE,
            f"{len(empty)} of {plural(len(documents.ids), 'document')} {verb(len(empty), 'is', 'are')} empty:"
            f" {first_few(empty)}",
            "they are searched too; remove them from the corpus if they are errors",
        )


def _table(rows: Iterable[tuple[str, str, float]]) -> Dataset:
    query, document, score = zip(*rows, strict=True)
    return Dataset({"query": list(query), "document": list(document), "score": list(score)})


def _clusters_by_text(ids: Sequence[str], texts_by_id: Mapping[str, str]) -> list[str]:
    """Return each query's cluster: the id of the first query of the same text."""
    first: dict[str, str] = {}
    return [first.setdefault(texts_by_id[name], name) for name in ids]
