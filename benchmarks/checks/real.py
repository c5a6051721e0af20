"""Data sets of published rows: the samples of our plugins, and files in the folder of the real data.

Each takes that folder, and returns None where it is needed and missing.
"""

# ruff: noqa: ARG001 - every source is read from the folder of the data

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.checks.dataset import DataSet, generator_of
from benchmarks.checks.generated import (
    BATCH_HARD,
    CONTRASTIVE,
    COSINE,
    MNRL,
    ONLINE,
    TRIPLET,
    labeled,
    pairs_of,
    triplets_of,
)
from harness.training.check_input import Rows

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from harness.training.recipe import Loss

PLUGINS = Path(__file__).parents[2] / "plugins"
LEGAL = PLUGINS / "harness_triplet/sample/legal-triplets"
CLAUSES = PLUGINS / "harness_clauses/sample/contract-nli"
STATUTES = PLUGINS / "harness_retrieval/sample/aila-statutes"
STSB = PLUGINS / "harness_sts/sample/stsb"


def _lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]


def _csv(path: Path) -> list[list[str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.reader(file))


def _drawn(rows: Sequence[Any], count: int, *names: str) -> list[Any]:
    """Draw rows, in their order."""
    chosen = generator_of(*names).permutation(len(rows))[:count]
    return [rows[index] for index in sorted(chosen)]


def _distinct(rows: Sequence[Any], key: Callable[[Any], Any]) -> list[Any]:
    """Keep the first row of each key."""
    first: dict[Any, Any] = {}
    for row in rows:
        first.setdefault(key(row), row)
    return list(first.values())


def stsb(
    name: str, file: str, first: int, last: int, count: int, loss: Loss
) -> Callable[[Path | None], DataSet | None]:
    """Return the reader of a part of STS-B, its scores divided by five."""

    def read(root: Path | None) -> DataSet | None:
        if root is None or not (path := root / "stsb" / file).is_file():
            return None
        lines = _distinct(_csv(path)[first:last], lambda row: (row[0], row[1]))
        rows = [(row[0], row[1], float(row[2]) / 5) for row in _drawn(lines, count, name)]
        return DataSet(name=name, rows=labeled("scored-pairs", rows), loss=loss)

    return read


def sample_stsb(name: str) -> Callable[[Path | None], DataSet | None]:
    """Return the reader of the sample of our plugin, both files."""

    def read(root: Path | None) -> DataSet | None:
        lines = [*_csv(STSB / "stsb-en-test.csv"), *_csv(STSB / "stsb-en-dev.csv")]
        rows = [(row[0], row[1], float(row[2]) / 5) for row in lines]
        return DataSet(name=name, rows=labeled("scored-pairs", rows), loss=COSINE)

    return read


def snli_pairs(name: str, count: int, loss: Loss, first: int = 0) -> Callable[[Path | None], DataSet | None]:
    """Return the reader of SNLI's pairs: entailed 1, contradicted 0."""

    def read(root: Path | None) -> DataSet | None:
        if root is None or not (path := root / "snli" / "snli-dev.jsonl").is_file():
            return None
        value = {"entailment": 1, "contradiction": 0}
        rows = [
            (row["sentence1"], row["sentence2"], value[row["gold_label"]])
            for row in _lines(path)[first : first + 3 * count]
            if row["gold_label"] in value
        ]
        rows = _distinct(rows, lambda row: row[:2])
        return DataSet(name=name, rows=labeled("labeled-pairs", _drawn(rows, count, name)), loss=loss)

    return read


def snli_triplets(name: str, count: int, loss: Loss) -> Callable[[Path | None], DataSet | None]:
    """Return the reader of SNLI's triplets."""

    def read(root: Path | None) -> DataSet | None:
        if root is None or not (path := root / "snli" / "triplets-dev.jsonl").is_file():
            return None
        rows = [(row["anchor"], row["positive"], row["negative"]) for row in _lines(path)]
        return DataSet(name=name, rows=triplets_of(_drawn(rows, count, name)), loss=loss)

    return read


def contract_nli(name: str, count: int) -> Callable[[Path | None], DataSet | None]:
    """Return the reader of ContractNLI's training pairs: entailed 1, contradicted 0; hypotheses recur."""

    def read(root: Path | None) -> DataSet | None:
        if root is None or not (path := root / "contract-nli" / "train-pairs.csv").is_file():
            return None
        # In this file 0 means entailment, 1 contradiction and 2 neutral.
        rows = [
            (row[0], row[1], {"0": 1, "1": 0}[row[5]]) for row in _csv(path)[1:] if row[5] in "01" and row[0]
        ]
        rows = _distinct(rows, lambda row: row[:2])
        return DataSet(
            name=name,
            rows=labeled("labeled-pairs", _drawn(rows, count, name)),
            loss=CONTRASTIVE,
            directed=True,
        )

    return read


def sample_clauses(name: str) -> Callable[[Path | None], DataSet | None]:
    """Return the reader of our sample of clauses with hypotheses: entailed 1, contradicted 0."""

    def read(root: Path | None) -> DataSet | None:
        rows = []
        for text, hypothesis, choice, _ in _clauses():
            rows.append((text, hypothesis, int(choice == "Entailment")))
        rows = _distinct(rows, lambda row: row[:2])
        return DataSet(name=name, rows=labeled("labeled-pairs", rows), loss=ONLINE, directed=True)

    return read


def sample_clause_topics(name: str) -> Callable[[Path | None], DataSet | None]:
    """Return the reader of our sample of clauses as texts, labelled with their hypothesis."""

    def read(root: Path | None) -> DataSet | None:
        rows = _distinct([(text, topic) for text, _, _, topic in _clauses()], lambda row: row[0])
        return DataSet(name=name, rows=_texts(rows), loss=BATCH_HARD)

    return read


def _clauses() -> list[tuple[str, str, str, str]]:
    """Return evidence, hypothesis, choice and the hypothesis's id, of all three files."""
    found = []
    for file in ("train.json", "dev.json", "test.json"):
        content = json.loads((CLAUSES / file).read_text(encoding="utf-8"))
        for document in content["documents"]:
            for topic, answer in document["annotation_sets"][0]["annotations"].items():
                spans = [document["text"][slice(*document["spans"][span])] for span in answer["spans"]]
                text = " ".join(" ".join(spans).split())
                if text and answer["choice"] != "NotMentioned":
                    found.append((text, content["labels"][topic]["hypothesis"], answer["choice"], topic))
    return found


def contract_topics(name: str, count: int) -> Callable[[Path | None], DataSet | None]:
    """Return the reader of ContractNLI's evidence, labelled with the hypothesis that it bears on."""

    def read(root: Path | None) -> DataSet | None:
        if root is None or not (path := root / "contract-nli" / "train-pairs.csv").is_file():
            return None
        rows = _distinct(
            [(row[0], row[1]) for row in _csv(path)[1:] if row[5] in "01" and row[0]], lambda row: row[0]
        )
        return DataSet(name=name, rows=_texts(_drawn(rows, count, name)), loss=BATCH_HARD)

    return read


def _texts(rows: Sequence[tuple[str, str]]) -> Rows:
    texts, labels = zip(*rows, strict=True)
    return Rows(kind="labeled-texts", texts={"text": list(texts)}, labels=list(labels))


def titles(name: str, corpus: str, count: int, words: int = 0) -> Callable[[Path | None], DataSet | None]:
    """Return the reader of a corpus as pairs of title and text, cut to so many words."""

    def read(root: Path | None) -> DataSet | None:
        if root is None or not (path := root / corpus / "corpus.jsonl").is_file():
            return None
        rows = [
            (row["title"], " ".join(row["text"].split()[:words]) if words else row["text"])
            for row in _lines(path)
            if row["title"].strip() and row["text"].strip()
        ]
        rows = _distinct(_distinct(rows, lambda row: row[0]), lambda row: row[1])
        left, right = zip(*_drawn(rows, count, name), strict=True)
        return DataSet(name=name, rows=pairs_of(left, right), loss=MNRL, directed=True)

    return read


def queries(name: str, corpus: str, split: str, count: int) -> Callable[[Path | None], DataSet | None]:
    """Return the reader of queries with a relevant document each, of which no document recurs."""

    def read(root: Path | None) -> DataSet | None:
        folder = (root or Path()) / corpus
        if root is None or not folder.is_dir():
            return None
        return DataSet(name=name, rows=_relevant(folder, split, count, name), loss=MNRL, directed=True)

    return read


def _relevant(folder: Path, split: str, count: int, name: str) -> Rows:
    documents = {
        row["_id"]: f"{row['title']} {row['text']}".strip() for row in _lines(folder / "corpus.jsonl")
    }
    asked = {row["_id"]: row["text"] for row in _lines(folder / "queries.jsonl")}
    judged = (folder / "qrels" / f"{split}.tsv").read_text(encoding="utf-8").splitlines()[1:]
    rows = [line.split("\t")[:2] for line in judged if int(line.split("\t")[2]) > 0]
    rows = _distinct(_distinct(rows, lambda row: row[0]), lambda row: row[1])
    kept = [(asked[query], documents[document]) for query, document in rows if documents[document]]
    left, right = zip(*_drawn(kept, count, name), strict=True)
    return pairs_of(left, right)


def sample_titles(name: str) -> Callable[[Path | None], DataSet | None]:
    """Return the reader of our sample of statutes as pairs of title and text."""

    def read(root: Path | None) -> DataSet | None:
        rows = _distinct(
            [(row["title"], row["text"]) for row in _lines(STATUTES / "corpus.jsonl")], lambda row: row[0]
        )
        left, right = zip(*rows, strict=True)
        return DataSet(name=name, rows=pairs_of(left, right), loss=MNRL, directed=True)

    return read


def legal_triplets(
    name: str, file: str | None, loss: Loss = TRIPLET
) -> Callable[[Path | None], DataSet | None]:
    """Return the reader of triplets of facts and statutes; None: the sample of our plugin."""

    def read(root: Path | None) -> DataSet | None:
        path = LEGAL / "ipc-illustrations.jsonl"
        if file is not None:
            if root is None or not (root / "legal-triplets" / file).is_file():
                return None
            path = root / "legal-triplets" / file
        rows = [(row["anchor"], row["positive"], row["negative"]) for row in _lines(path)]
        return DataSet(name=name, rows=triplets_of(rows), loss=loss, directed=True)

    return read
