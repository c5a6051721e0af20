"""Retrieval data is read in the layouts that the hub has: parquet in shards, folders of datasets."""

from __future__ import annotations

import bz2
import gzip
import lzma

import pytest

from harness import HarnessError
from plugins.published import (
    DOCUMENTS,
    QRELS,
    QUERIES,
    TREC,
    codes,
    folder,
    hub_layout,
    lines,
    load,
    qrels,
)


def test_a_missing_shard_is_an_error(tmp_path):
    path = hub_layout(tmp_path, corpus="corpus/corpus", queries="queries/queries", judgments="data/test")
    (path / "corpus/corpus-00001-of-00002.parquet").unlink()
    with pytest.raises(HarnessError, match=r"of 2 files such as corpus-00000-of-00002\.parquet there are 1"):
        load(path)


@pytest.mark.parametrize("open_compressed", [gzip.open, bz2.open, lzma.open])
def test_compressed_files_are_read(tmp_path, open_compressed):
    path = folder(tmp_path, **{"qrels/test.tsv": lines(*TREC)})
    ending = {gzip.open: "gz", bz2.open: "bz2", lzma.open: "xz"}[open_compressed]
    for name in ("corpus.jsonl", "queries.jsonl", "qrels/test.tsv"):
        with open_compressed(path / f"{name}.{ending}", "wb") as file:
            file.write((path / name).read_bytes())
        (path / name).unlink()
    dataset = load(path)
    assert dataset.tables["corpus"]["id"] == list(DOCUMENTS)
    assert qrels(dataset) == QRELS


def test_folders_that_datasets_saved_are_read(tmp_path):
    import datasets

    query, document, score = zip(*QRELS, strict=True)
    for name, columns in {
        "corpus": {"_id": list(DOCUMENTS), "text": list(DOCUMENTS.values())},
        "queries": {"_id": list(QUERIES), "text": list(QUERIES.values())},
        "qrels/test": {"query-id": query, "corpus-id": document, "score": score},
    }.items():
        datasets.Dataset.from_dict(columns).save_to_disk(tmp_path / name)
    dataset = load(tmp_path)
    assert dataset.tables["corpus"]["id"] == list(DOCUMENTS)
    assert dataset["id"] == list(QUERIES)
    assert qrels(dataset) == QRELS


@pytest.mark.parametrize(
    ("corpus", "queries", "judgments"),
    [
        ("corpus/corpus", "queries/queries", "data/test"),
        ("corpus/corpus", "queries/queries", "qrels/test"),
        ("corpus/corpus", "queries/queries", "default/test"),
        ("corpus/test", "queries/test", "qrels/test"),
    ],
)
@pytest.mark.parametrize("key", ["_id", "id"])
def test_a_copy_of_a_hub_dataset_is_read_with_all_shards(tmp_path, corpus, queries, judgments, key):
    dataset = load(hub_layout(tmp_path, corpus=corpus, queries=queries, judgments=judgments, key=key))
    assert dataset["id"] == list(QUERIES)
    assert dataset.tables["corpus"]["id"] == list(DOCUMENTS)
    assert qrels(dataset) == QRELS
    assert codes(dataset) == []


@pytest.mark.parametrize("between", ["-", "/"])
def test_one_of_several_corpora_is_named_by_config(tmp_path, between):
    for language in ("en", "de"):
        hub_layout(
            tmp_path,
            corpus=f"{language}{between}corpus/test",
            queries=f"{language}{between}queries/test",
            judgments=f"{language}{between}qrels/test",
        )
    assert load(tmp_path, config="de")["id"] == list(QUERIES)
    with pytest.raises(HarnessError, match="no file fr-corpus"):
        load(tmp_path, config="fr")


def test_a_missing_split_names_those_of_all_layouts(tmp_path):
    path = hub_layout(tmp_path, corpus="corpus/corpus", queries="queries/queries", judgments="data/test")
    (path / "qrels.train.txt").write_text(lines(*TREC))
    (path / "validation.qrels").write_text(lines(*TREC))
    with pytest.raises(HarnessError, match="no judgments of the split 'dev'") as error:
        load(path, split="dev")
    assert error.value.exists == "splits: test, train, validation"
