"""Read a folder in BEIR's layout: corpus, queries, and judgments of documents for queries.

Source: Thakur et al. (2021), "BEIR: A heterogeneous benchmark for zero-shot evaluation of information
retrieval models"; https://github.com/beir-cellar/beir.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from itertools import islice
from typing import TYPE_CHECKING, Any

from harness import Dataset, Finding, HarnessError, Severity, read_rows
from harness.authoring import as_floats, as_ids, as_texts

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

    Judgments = dict[str, dict[str, float]]

NAMES = {"id": "_id", "text": "text", "query": "query-id", "document": "corpus-id", "score": "score"}
"""Our name of a column → BEIR's; `title` has the same name, and is optional."""
ENDINGS = ("jsonl", "tsv", "json", "csv", "parquet")
"""Endings of the three files, by precedence; BEIR's own are jsonl for texts, tsv for judgments."""
_LAYOUT = "a BEIR folder holds corpus.jsonl, queries.jsonl and qrels/SPLIT.tsv"


@dataclass(frozen=True)
class BeirFolder:
    """A folder, its judged split, and how its records are read."""

    path: Path
    split: str = "test"
    columns: Mapping[str, str] = field(default_factory=dict)
    """Our name of a column (a key of NAMES, or `title`) → the files' name, if that is not BEIR's."""
    templates: Mapping[str, str] = field(default_factory=dict)
    """Templates of `document` and `query`, if their text is not made as BEIR makes it."""

    def read(self) -> Dataset:
        """Read the split's queries (id, text, cluster), with the tables `corpus` and `qrels`.

        corpus: (id, text); the text of a document with a title is title + space + text.
        qrels: (query, document, score); relevant means score > 0.
        Queries of the split without a relevant document are dropped, and counted in a finding; the others
        keep the order of the file. Queries of the same text are one cluster.
        Raises HarnessError for missing or unreadable files, duplicate ids, and judgments that repeat or
        name a query or document that does not exist.
        """
        documents, queries = self._documents(), self._queries()
        judgments = self._judgments(documents, queries)
        relevant = {
            query for query, judged in judgments.items() if any(score > 0 for score in judged.values())
        }
        if not relevant:
            raise HarnessError(
                f"{self._file(f'qrels/{self.split}')}: no query has a relevant document",
                hint="relevant means score > 0",
            )
        kept = [query for query in queries if query in relevant]
        return Dataset(
            {
                "id": kept,
                "text": [queries[query] for query in kept],
                "cluster": _clusters_by_text(kept, queries),
            },
            {
                "corpus": Dataset({"id": list(documents), "text": list(documents.values())}),
                "qrels": _table((query, *pair) for query in kept for pair in judgments[query].items()),
            },
            tuple(self._findings(documents, judgments.keys() - relevant, len(judgments))),
        )

    def _documents(self) -> dict[str, str]:
        """Read the corpus: id → text, in file order."""
        path = self._file("corpus")
        rows = self._rows(path, "document", *({"title"} & self.columns.keys()))
        bodies = as_texts(rows["text"], "text", path)
        if "document" not in self.templates:
            titles = as_texts([title or "" for title in rows.get("title", [""] * len(bodies))], "title", path)
            bodies = [f"{title} {body}".strip() for title, body in zip(titles, bodies, strict=True)]
        return _by_id(rows["id"], bodies, path)

    def _queries(self) -> dict[str, str]:
        """Read the queries of all splits: id → text, in file order."""
        path = self._file("queries")
        rows = self._rows(path, "query")
        return _by_id(rows["id"], as_texts(rows["text"], "text", path), path)

    def _rows(self, path: Path, template: str, *further: str) -> dict[str, list[Any]]:
        templates = {"text": self.templates[template]} if template in self.templates else {}
        columns = self._columns("id", "text", *further)
        return read_rows(path, columns, optional=("title",), templates=templates)

    def _judgments(self, documents: Mapping[str, str], queries: Mapping[str, str]) -> Judgments:
        """Read query → document → score, and check that queries and documents exist."""
        path = self._file(f"qrels/{self.split}")
        columns = self._columns("query", "document", "score")
        rows = read_rows(path, columns)
        query_ids, document_ids = (
            as_ids(rows[column], columns[column], path) for column in ("query", "document")
        )
        pairs = list(zip(query_ids, document_ids, strict=True))
        _check_known("queries", query_ids, queries, path)
        _check_known("documents", document_ids, documents, path)
        repeated = [pair for pair, count in Counter(pairs).items() if count > 1]
        if repeated:
            raise HarnessError(
                f"{path}: {len(repeated)} documents are judged more than once for a query:"
                f" {_first_few(f'{document} for {query}' for query, document in repeated)}",
                hint="keep one judgment of each",
            )
        judgments: Judgments = {}
        scores = as_floats(rows["score"], columns["score"], path)
        for (query, document), score in zip(pairs, scores, strict=True):
            judgments.setdefault(query, {})[document] = score
        return judgments

    def _columns(self, *wanted: str) -> dict[str, str]:
        return {name: self.columns.get(name, NAMES.get(name, name)) for name in wanted}

    def _file(self, stem: str) -> Path:
        """Return the file of a name without ending; raises HarnessError that says which files exist."""
        candidates = [self.path / f"{stem}.{ending}" for ending in ENDINGS]
        for candidate in candidates:
            if candidate.is_file():
                return candidate
        folder = candidates[0].parent
        present = sorted(entry.name for entry in folder.iterdir()) if folder.is_dir() else []
        raise HarnessError(
            f"no file {stem} in {self.path}" if folder.is_dir() else f"no folder {folder}",
            exists=f"there: {_first_few(present, 20)}" if present else None,
            hint=_LAYOUT,
        )

    def _findings(
        self, documents: Mapping[str, str], unanswered: Iterable[str], queries: int
    ) -> Iterable[Finding]:
        dropped, empty = sorted(unanswered), [name for name, text in documents.items() if not text]
        if dropped:
            yield Finding(
                "queries-without-relevant",
                Severity.WARNING,
                f"{len(dropped)} of {queries} judged queries have no relevant document and are dropped:"
                f" {_first_few(dropped)}",
                "relevant means score > 0; metrics are undefined without a relevant document",
            )
        if empty:
            yield Finding(
                "empty-documents",
                Severity.NOTE,
                f"{len(empty)} of {len(documents)} documents are empty: {_first_few(empty)}",
                "they are searched too; remove them from the corpus if they are errors",
            )


def _by_id(ids: Sequence[Any], values: Sequence[str], path: Path) -> dict[str, str]:
    named = as_ids(ids, "id", path)
    repeated = [name for name, count in Counter(named).items() if count > 1]
    if repeated:
        raise HarnessError(
            f"{path}: {len(repeated)} duplicate ids: {_first_few(repeated)}", hint="each must occur once"
        )
    return dict(zip(named, values, strict=True))


def _check_known(what: str, named: Sequence[str], known: Mapping[str, str], path: Path) -> None:
    unknown = [name for name in dict.fromkeys(named) if name not in known]
    if unknown:
        raise HarnessError(
            f"{path} names {len(unknown)} {what} that do not exist: {_first_few(unknown)}",
            exists=f"{len(known)} {what}, such as {_first_few(known)}",
            hint=f"remove these judgments, or add the missing {what}",
        )


def _table(rows: Iterable[tuple[str, str, float]]) -> Dataset:
    query, document, score = zip(*rows, strict=True)
    return Dataset({"query": list(query), "document": list(document), "score": list(score)})


def _clusters_by_text(ids: Sequence[str], texts_by_id: Mapping[str, str]) -> list[str]:
    """Return each query's cluster: the id of the first query of the same text."""
    first: dict[str, str] = {}
    return [first.setdefault(texts_by_id[name], name) for name in ids]


def _first_few(items: Iterable[str], most: int = 3) -> str:
    shown = list(islice(items, most + 1))
    return ", ".join(shown[:most]) + (", …" if len(shown) > most else "")
