"""Writes small retrieval data in the layouts in which it is published, and reads it."""

from __future__ import annotations

import json
from pathlib import Path

from harness import DataSource
from harness.authoring import TaskDefinition
from harness_retrieval.tasks import RETRIEVAL_KIND

NOWHERE = DataSource("sample", None)
DOCUMENTS = {
    f"d{row}": f"a ruling about {word}" for row, word in enumerate(["rent", "theft", "ships", "wages"])
}
QUERIES = {f"q{row}": f"what about {word}?" for row, word in enumerate(["rent", "theft", "ships", "wages"])}
QRELS = [("q0", "d0", 1), ("q1", "d1", 2), ("q2", "d2", 1), ("q3", "d3", 1)]
TREC = [(query, 0, document, score) for query, document, score in QRELS]
HEADER = "query-id\tcorpus-id\tscore\n"


def lines(*rows, separator="\t"):
    return "".join(separator.join(map(str, row)) + "\n" for row in rows)


def jsonl(**texts):
    return "".join(json.dumps({"_id": name, "text": text}) + "\n" for name, text in texts.items())


def folder(root: Path, **files: str) -> Path:
    """Write files below a folder; BEIR's corpus and queries where the files have none. `__` is a `/`."""
    files = {name.replace("__", "/"): content for name, content in files.items()}
    beir = {"corpus.jsonl": jsonl(**DOCUMENTS), "queries.jsonl": jsonl(**QUERIES)}
    for name, content in ({**beir, **files}).items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content, encoding="utf-8")
    return root


def load(path: Path, *, columns=None, **options):
    definition = TaskDefinition(
        name="mine", kind="retrieval", path=path, columns=columns or {}, options=options
    )
    return RETRIEVAL_KIND.build(definition).load(NOWHERE)


def qrels(dataset):
    table = dataset.tables["qrels"]
    return list(zip(table["query"], table["document"], table["score"], strict=True))


def codes(dataset):
    return [finding.code for finding in dataset.findings]


def write_parquet(path: Path, **columns) -> None:
    import pyarrow as pa
    from pyarrow import parquet

    path.parent.mkdir(parents=True, exist_ok=True)
    parquet.write_table(pa.table(columns), path)


def hub_layout(root: Path, *, corpus: str, queries: str, judgments: str, key: str = "_id") -> Path:
    """Write the parquet files of a copy of a hub dataset, the corpus in two shards."""
    names = list(DOCUMENTS)
    for shard in range(2):
        part = names[2 * shard : 2 * shard + 2]
        file = root / f"{corpus}-0000{shard}-of-00002.parquet"
        write_parquet(file, **{key: part, "title": [""] * 2, "text": [DOCUMENTS[name] for name in part]})
    write_parquet(
        root / f"{queries}-00000-of-00001.parquet", **{key: list(QUERIES), "text": list(QUERIES.values())}
    )
    query, document, score = zip(*QRELS, strict=True)
    columns = {"query-id": query, "corpus-id": document, "score": score}
    write_parquet(root / f"{judgments}-00000-of-00001.parquet", **columns)
    return root
