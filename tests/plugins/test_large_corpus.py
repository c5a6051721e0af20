"""A large corpus, whose texts stay on disk, gives what a small one gives: rows, findings, scores, errors."""

from __future__ import annotations

import json
import random
import subprocess
import sys

import pytest

from harness import HarnessError, Role
from harness.authoring import StoredTexts
from harness.evaluation.evaluate import evaluate
from harness.report.documents import _documents_of
from harness.system import text_file
from harness_retrieval import large_texts
from harness_retrieval.tasks import UserRetrieval
from plugins.published import (
    DOCUMENTS,
    HEADER,
    NOWHERE,
    QRELS,
    QUERIES,
    TREC,
    folder,
    hub_layout,
    jsonl,
    lines,
    load,
)

SIZES = ("LARGE", "LARGE_COMPRESSED")


@pytest.fixture
def small_pieces(monkeypatch):
    monkeypatch.setattr(text_file, "_BYTES_AT_ONCE", 64)


def is_stored(dataset) -> bool:
    return isinstance(dataset.tables["corpus"]["text"], StoredTexts)


def outcome(path, **options):
    """Return what is read of a folder, or the error."""
    try:
        return load(path, **options)
    except HarnessError as error:
        return str(error)


def both(monkeypatch, path, **options):
    """Return what is read of a folder with texts in memory, and on disk, and check that it is the same."""
    found = []
    for size in (2**60, -1):
        for name in SIZES:
            monkeypatch.setattr(large_texts, name, size)
        found.append(outcome(path, **options))
    small, large = found
    if isinstance(small, str):
        assert large == small
    else:
        assert not is_stored(small)
        assert is_stored(large)
        assert large.digest == small.digest
        assert large.findings == small.findings
        corpora = [dict(dataset.tables["corpus"].columns) for dataset in found]
        assert corpora[1] == corpora[0]
        assert list(corpora[1]) == list(corpora[0])
    return small, large


TITLED = [("id", "title", "text"), *((name, "t", text) for name, text in DOCUMENTS.items())]
HALVES = [dict([*DOCUMENTS.items()][start : start + 2]) for start in (0, 2)]
LAYOUTS = {
    "BEIR": {"qrels/test.tsv": HEADER + lines(*QRELS)},
    "without a header": {"qrels/test.tsv": lines(*QRELS)},
    "a list": {"corpus.json": json.dumps([{"id": key, "text": text} for key, text in DOCUMENTS.items()])},
    "tsv": {"corpus.tsv": lines(*TITLED)},
    "csv": {"corpus.csv": lines(("_id", "text"), *DOCUMENTS.items(), separator=",")},
    "MS MARCO": {"collection.tsv": lines(*DOCUMENTS.items())},
    "a header in a collection": {"collection.tsv": lines(("pid", "passage"), *DOCUMENTS.items())},
    "shards": {f"corpus/corpus-0000{part}-of-00002.jsonl": jsonl(**half) for part, half in enumerate(HALVES)},
}


@pytest.mark.parametrize("layout", LAYOUTS)
def test_every_layout_is_read_alike(tmp_path, monkeypatch, small_pieces, layout):
    files = {"qrels/test.tsv": HEADER + lines(*QRELS), **LAYOUTS[layout]}
    path = folder(tmp_path, **files)
    if not layout.startswith(("BEIR", "without")):
        (path / "corpus.jsonl").unlink()
    small, _ = both(monkeypatch, path)
    assert small.tables["corpus"]["id"] == list(DOCUMENTS)


def test_shards_of_parquet_are_read_alike(tmp_path, monkeypatch):
    names = {"corpus": "corpus/corpus", "queries": "queries/queries", "judgments": "data/test"}
    both(monkeypatch, hub_layout(tmp_path, **names))
    both(monkeypatch, hub_layout(tmp_path / "id", **names, key="id"))


def random_folder(root, draw):
    """Write a corpus of odd rows: copies, conflicts, titles, blanks, and now and then what is refused."""
    words = ["rent", "theft ", " ships", "wages", "", "é"]
    rows = []
    for _ in range(draw.randrange(1, 12)):
        row = {"_id": f"d{draw.randrange(9)}", "text": draw.choice(words)}
        if draw.random() < 0.3:
            row["title"] = draw.choice(["", None, "Law", "Law"])
        if draw.random() < 0.15:
            row["text"] = "same"
        if draw.random() < 0.04:
            row["text"] = draw.choice([None, 3, {"a": 1}])
        if draw.random() < 0.04:
            row["_id"] = draw.choice([None, "", 7, 1.5])
        if draw.random() < 0.1:
            row["id"] = row.pop("_id")
        if draw.random() < 0.02:
            del row["text"]
        rows.append(json.dumps(row) + "\n")
        if draw.random() < 0.2:
            rows.append(rows[-1])
    if draw.random() < 0.03:
        rows.append("{]\n")
    judged = [
        (f"q{draw.randrange(4)}", f"d{draw.randrange(11)}", draw.choice([0, 1, 1, 2])) for _ in range(9)
    ]
    queries = QUERIES | ({"d3": " ships"} if draw.random() < 0.5 else {})
    judged = list({pair[:2]: pair for pair in [*judged, ("d3", "d3", 1)]}.values())
    files = {"corpus.jsonl": "".join(rows), "queries.jsonl": jsonl(**queries)}
    if draw.random() < 0.3:
        middle = len(rows) // 2
        files["corpus/part-1.jsonl"] = "".join(rows[:middle])
        files["corpus/part-2.jsonl"] = "".join(rows[middle:])
    path = folder(root, **files, **{"qrels/test.tsv": HEADER + lines(*judged)})
    if "corpus/part-1.jsonl" in files:
        (path / "corpus.jsonl").unlink()
    return path


def test_random_folders_are_read_alike(tmp_path, monkeypatch, small_pieces):
    errors, codes = set(), set()
    for seed in range(300):
        draw = random.Random(seed)
        path = random_folder(tmp_path / str(seed), draw)
        options = {"missing-documents": "drop"} if draw.random() < 0.2 else {}
        small, _ = both(monkeypatch, path, **options)
        if isinstance(small, str):
            errors.update(
                word for word in ("duplicate ids", "not a name", "not texts", "a record") if word in small
            )
        else:
            codes.update(finding.code for finding in small.findings)
    assert errors == {"duplicate ids", "not a name", "not texts", "a record"}
    assert {"repeated-documents", "empty-documents", "missing-documents"} <= codes


@pytest.mark.parametrize("template", [None, "{text} ({_id})"])
def test_scores_and_findings_are_the_same(tmp_path, monkeypatch, letters, template):
    copies = {"d4": DOCUMENTS["d0"], "q1": QUERIES["q1"], "d5": QUERIES["q2"]}
    path = folder(tmp_path, **{"corpus.jsonl": jsonl(**DOCUMENTS, **copies), "test.qrels": lines(*TREC)})
    records = []
    for size in (2**60, -1):
        for name in SIZES:
            monkeypatch.setattr(large_texts, name, size)
        task = _task(path, template)
        evaluation, predictions = evaluate(letters, task, NOWHERE)
        records.append(
            (evaluation.scores, evaluation.findings, evaluation.predictions, evaluation.examination)
        )
        assert is_stored(predictions.rows) is (size < 0)
    assert records[0] == records[1]
    assert "duplicate-documents" in {finding.code for finding in records[0][1]} or template


def _task(path, template=None):
    from harness.authoring import TaskDefinition

    templates = {"document": template} if template else {}
    return UserRetrieval(TaskDefinition(name="mine", kind="retrieval", path=path, templates=templates))


def test_a_sample_is_the_same_and_in_memory(tmp_path, monkeypatch):
    corpus = {f"d{row}": f"text {row % 150}" for row in range(200)}
    path = folder(tmp_path, **{"corpus.jsonl": jsonl(**corpus), "test.qrels": lines(*TREC)})
    small, large = both(monkeypatch, path)
    task = _task(path)
    for limit in (1, 2, 4):
        samples = [task.limited(dataset, limit) for dataset in (small, large)]
        assert samples[1].digest == samples[0].digest
        assert not is_stored(samples[1])
        assert len(samples[0].tables["corpus"]) < 80


def test_a_corpus_on_disk_is_not_announced(tmp_path, monkeypatch):
    path = folder(tmp_path, **{"test.qrels": lines(*TREC)})
    small, large = both(monkeypatch, path)
    task = _task(path)
    assert [role for _, role in task.texts(large)] == [Role.QUERY] * 4
    assert [role for _, role in task.texts(small)] == [Role.QUERY] * 4 + [Role.DOCUMENT] * 4


def test_a_report_reads_the_documents_that_it_shows(tmp_path, monkeypatch):
    _, large = both(monkeypatch, folder(tmp_path, **{"test.qrels": lines(*TREC)}))
    documents = _documents_of(large).texts
    assert dict(documents) == DOCUMENTS
    assert documents["d2"] == DOCUMENTS["d2"]
    assert "q0" not in documents


def test_a_full_disk_is_an_error_that_names_the_folder(tmp_path, monkeypatch):
    path = folder(tmp_path, **{"test.qrels": lines(*TREC)})
    for name in SIZES:
        monkeypatch.setattr(large_texts, name, -1)

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("harness.system.stored_texts.StoredTextsWriter._flush", full)
    with pytest.raises(HarnessError, match="No space left on device") as error:
        load(path)
    assert "TMPDIR=DIR" in str(error.value)


def test_sizes_count_over_all_shards_and_parquet_is_compressed(tmp_path, monkeypatch):
    for name in ("a.jsonl", "b.jsonl", "c.parquet", "d.jsonl.gz"):
        (tmp_path / name).write_bytes(b"x" * 10)
    monkeypatch.setattr(large_texts, "LARGE", 19)
    monkeypatch.setattr(large_texts, "LARGE_COMPRESSED", 19)
    sizes = {
        names: large_texts.are_large([tmp_path / name for name in names.split()])
        for names in ("a.jsonl", "a.jsonl b.jsonl", "a.jsonl c.parquet", "c.parquet d.jsonl.gz", ".")
    }
    assert list(sizes.values()) == [False, True, False, True, True]


MEASURE = """
import json, resource, sys
from pathlib import Path
from harness import DataSource
from harness_retrieval import large_texts
from harness_retrieval.beir import BeirFolder
from harness_retrieval.copies import Identical, find_duplicates, find_identical, own_documents

def anonymous():
    status = Path("/proc/self/status").read_text()
    return int(status.partition("RssAnon:")[2].split()[0]) * 1024

import pyarrow, pyarrow.parquet, numpy
large_texts.LARGE = int(sys.argv[2])
before, peak = anonymous(), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
dataset = BeirFolder(Path(sys.argv[1])).read()
read = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 - peak
dataset.digest
own = own_documents(dataset, Identical.AUTO)
judged = [{} for _ in own]
findings = [*find_identical(dataset, own, judged), *find_duplicates(dataset, judged, own)]
sample = dataset.tables["corpus"].sample(100)
after = anonymous() - before
rows = len(dataset.tables["corpus"])
print(json.dumps({"read": read, "kept": after, "rows": rows, "digest": dataset.digest}))
"""


def measured(path, threshold):
    command = [sys.executable, "-c", MEASURE, str(path), str(threshold)]
    return json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


@pytest.mark.slow
def test_memory_grows_by_the_ids_and_not_by_the_texts(tmp_path):
    """200,000 documents of 1,000 characters: 200 MB of texts."""
    (tmp_path / "corpus.jsonl").write_text(
        "".join(
            json.dumps({"_id": f"d{row}", "text": f"{row} " * (1000 // len(f"{row} "))}) + "\n"
            for row in range(200_000)
        )
    )
    (tmp_path / "queries.jsonl").write_text(jsonl(**QUERIES))
    (tmp_path / "test.qrels").write_text(lines(*TREC))
    large = measured(tmp_path, -1)
    assert large["rows"] == 200_000
    assert large["read"] < 80 * 2**20
    assert large["kept"] < 80 * 2**20
    small = measured(tmp_path, 2**60)
    assert small["digest"] == large["digest"]
    assert small["read"] > 4 * large["read"]
