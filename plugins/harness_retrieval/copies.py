"""Find documents that are the query itself, and documents that share a text."""

from __future__ import annotations

from collections import Counter
from enum import StrEnum
from itertools import islice
from typing import TYPE_CHECKING

from harness import Finding, Severity
from harness_retrieval.texts import text_hash

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from harness import Dataset

    Judgments = Sequence[Mapping[str, float]]


class Identical(StrEnum):
    """What to do with a document that is the query itself: the key `identical` of a task file."""

    AUTO = "auto"
    """It is left out of the query's ranking if id and text are the query's."""
    DROP = "drop"
    """It is left out if its id is the query's, whatever its text: BEIR's `ignore_identical_ids`."""
    KEEP = "keep"
    """It is ranked like any other."""


def own_documents(dataset: Dataset, identical: Identical) -> list[str | None]:
    """Return for each query the id of the document to leave out of its ranking, or None.

    The text of a document is compared with its title and without, ignoring white space at both ends.
    Published scores of ArguAna and Quora leave such documents out by their ids. BEIR and mteb do so for a
    list of data sets, because ids also collide by chance: Cranfield's, CISI's and Vaswani's queries and
    documents are both numbered from 1.
    """
    if identical is Identical.KEEP:
        return [None] * len(dataset)
    same = _texts_of_same_id(dataset)
    return [
        name if name in same and (identical is Identical.DROP or text.strip() in same[name]) else None
        for name, text in zip(dataset["id"], dataset["text"], strict=True)
    ]


def without_own(judged: Judgments, own: Sequence[str | None]) -> list[dict[str, float]]:
    """Return judgments without those of the documents that are left out.

    A query may be judged relevant to itself. BEIR and mteb take such a document out of the results only,
    and no ranking of theirs could reach a recall of 1; here it counts as not judged, in the ranking as in
    the denominators. The published data sets have no such judgment, so published scores are the same.
    """
    return [
        {name: score for name, score in scores.items() if name != left_out}
        for scores, left_out in zip(judged, own, strict=True)
    ]


def find_identical(dataset: Dataset, own: Sequence[str | None], judged: Judgments) -> Iterator[Finding]:
    """Yield a note on the documents that are left out, and on queries that are a document by text alone."""
    left_out = [name for name in own if name is not None]
    to_itself = sum(name in scores for name, scores in zip(own, judged, strict=True) if name is not None)
    if left_out:
        counted = (
            f", {to_itself} of which are judged for themselves, which does not count" if to_itself else ""
        )
        yield Finding(
            "query-is-document",
            Severity.NOTE,
            f"{len(left_out)} of {len(dataset)} queries are documents themselves, each left out of its own"
            f" ranking: {_first_few(left_out)}{counted}",
            "as published scores do; identical = 'keep' in a task file ranks them",
        )
    corpus = dataset.tables["corpus"]
    texts = {text.strip() for text in dataset["text"]}
    ids_by_text: dict[str, list[str]] = {}
    for name, text in zip(corpus["id"], corpus["text"], strict=True):
        if text.strip() in texts:
            ids_by_text.setdefault(text.strip(), []).append(name)
    ranked = [
        query
        for query, text, name, scores in zip(dataset["id"], dataset["text"], own, judged, strict=True)
        if any(other != name and scores.get(other, 0) <= 0 for other in ids_by_text.get(text.strip(), ()))
    ]
    if ranked:
        yield Finding(
            "query-text-is-document",
            Severity.NOTE,
            f"{len(ranked)} of {len(dataset)} queries have the text of a document that is ranked, and not"
            f" relevant to them: {_first_few(ranked)}",
            "a document is left out of a query's ranking where id and text are the same",
        )


def find_duplicates(dataset: Dataset, judged: Judgments, own: Sequence[str | None]) -> Iterator[Finding]:
    """Yield a finding if documents share a text: how many do, and how many queries depend on it."""
    corpus = dataset.tables["corpus"]
    copies = _copies(corpus["id"], corpus["text"])
    if not copies:
        return
    shared = Counter(copies.values())
    dependent = sum(
        _tells_copies_apart(scores, copies, shared, left_out)
        for scores, left_out in zip(judged, own, strict=True)
    )
    first = next(iter(shared))
    example = _first_few(name for name, text in copies.items() if text == first)
    yield Finding(
        "duplicate-documents",
        Severity.WARNING if dependent else Severity.NOTE,
        f"{len(copies)} of {len(corpus)} documents share their text with another"
        f" ({len(shared)} texts, such as the documents {example});"
        f" {dependent} of {len(dataset)} queries depend on it: of documents of one text, some are judged"
        " otherwise",
        "merge documents of the same text, and their judgments: no model can tell them apart, and they tie",
    )


def _copies(ids: Sequence[str], texts: Sequence[str]) -> dict[str, bytes]:
    """Return id → hash of the text of the documents that share theirs, in order.

    Texts may be on disk: of each, eight bytes are in memory, and more of those that may be copies.
    """
    import numpy as np

    starts = np.fromiter(map(hash, texts), np.int64, len(texts))  # equal texts have equal ones
    starts.sort()
    repeated = set(starts[1:][starts[1:] == starts[:-1]].tolist())
    if not repeated:
        return {}
    pairs = zip(ids, texts, strict=True)
    hashes = {name: text_hash(text) for name, text in pairs if hash(text) in repeated}
    counts = Counter(hashes.values())
    return {name: found for name, found in hashes.items() if counts[found] > 1}


def _tells_copies_apart(
    scores: Mapping[str, float],
    text_by_id: Mapping[str, bytes],
    shared: Mapping[bytes, int],
    left_out: str | None,
) -> bool:
    """Whether, of the documents of one text, some are relevant to a query and others not, or less.

    text_by_id: hashes of the texts of documents that share theirs; shared: hash → number of documents.
    """
    gains: dict[bytes, list[float]] = {}
    for name, score in scores.items():
        if score > 0 and name in text_by_id:
            gains.setdefault(text_by_id[name], []).append(score)
    own = text_by_id.get(left_out or "")
    return any(
        len(found) < shared[text] - (text == own) or min(found) < max(found) for text, found in gains.items()
    )


def _texts_of_same_id(dataset: Dataset) -> dict[str, set[str]]:
    """Return id → texts, with and without the title, of the documents that have a query's id."""
    queries, corpus = set(dataset["id"]), dataset.tables["corpus"]
    texts = corpus["text"]
    bodies = corpus.columns.get("body", texts)
    rows = [(row, name) for row, name in enumerate(corpus["id"]) if name in queries]
    return {name: {texts[row].strip(), (bodies[row] or "").strip()} for row, name in rows}


def _first_few(items: Iterable[str], most: int = 3) -> str:
    shown = list(islice(items, most + 1))
    return ", ".join(shown[:most]) + (", …" if len(shown) > most else "")
