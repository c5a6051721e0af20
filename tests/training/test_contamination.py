"""Examples of a task that were trained on, and single texts."""

from __future__ import annotations

import os

import pytest

from harness.finding import Severity
from harness.tasks.dataset import Dataset
from harness.training.contamination import find_contamination, read_training_texts, trained_on_texts
from harness.training.lineage import NAME, Lineage, write_lineage
from harness.training.near_duplicates import SIGNATURES, text_hashes, write_signatures
from training.test_near_duplicates import changed, sentences

TEXTS = sentences(200, words=20, seed=3)


def pairs(count=100, **columns) -> Dataset:
    """A task of pairs, whose texts are all different ones."""
    return Dataset(
        {"text1": TEXTS[:count], "text2": TEXTS[100 : 100 + count], "score": [0.5] * count, **columns}
    )


def found(texts, dataset, name="t"):
    return list(find_contamination(trained_on_texts(texts), dataset, name))


@pytest.mark.parametrize(
    ("seen", "severity", "share"),
    [(1, Severity.WARNING, "1.0%"), (19, Severity.WARNING, "19.0%"), (20, Severity.ERROR, "20.0%")],
)
def test_it_is_an_error_where_a_fifth_of_the_examples_were_trained_on(seen, severity, share):
    (finding,) = found([*TEXTS[:seen], *TEXTS[100 : 100 + seen]], pairs())
    assert (finding.code, finding.severity) == ("train-test-overlap", severity)
    assert f"in {seen} of 100 examples of t ({share})" in finding.evidence
    assert TEXTS[0][:40] in finding.evidence


def test_equal_and_near_texts_are_counted_apart():
    train = [TEXTS[0].upper(), TEXTS[100] + "!", TEXTS[1], changed(TEXTS[101], 1)]
    (finding,) = found(train, pairs())
    assert "in 2 of 100 examples" in finding.evidence
    assert "1 with equal texts, 1 with near-duplicates" in finding.evidence


def test_a_training_on_other_texts_leaks_nothing():
    assert found(sentences(100, words=20, seed=4), pairs()) == []


def test_one_side_of_most_pairs_is_a_warning_and_of_few_a_note():
    (few,) = found(TEXTS[:10], pairs())
    (most,) = found(TEXTS[:60], pairs())
    assert (few.code, few.severity) == ("shared-texts", Severity.NOTE)
    assert (most.code, most.severity) == ("shared-texts", Severity.WARNING)
    assert "text1 of 60 of 100 examples (100 different ones)" in most.evidence


def test_fixed_hypotheses_that_were_trained_on_are_a_note():
    hypotheses = sentences(4, seed=5)
    dataset = Dataset({"clause": TEXTS, "hypothesis": hypotheses * 50})
    (finding,) = found(hypotheses, dataset)
    assert (finding.code, finding.severity) == ("shared-texts", Severity.NOTE)
    assert "hypothesis of 200 of 200 examples (4 different ones)" in finding.evidence


def test_examples_that_consist_of_a_fixed_hypothesis_alone_are_not_leaked_by_it():
    hypotheses = sentences(4, seed=5)
    (finding,) = found(hypotheses, Dataset({"hypothesis": hypotheses * 50}))
    assert finding.code == "shared-texts"


def test_queries_that_were_trained_on_are_leaked_and_documents_alone_are_a_note():
    corpus = Dataset({"id": [f"d{row}" for row in range(100)], "text": TEXTS[100:]})
    dataset = Dataset({"text": TEXTS[:50]}, {"corpus": corpus})
    (documents,) = found(TEXTS[100:130], dataset)
    assert (documents.code, documents.severity) == ("shared-texts", Severity.NOTE)
    assert "text of 30 of 100 rows of corpus" in documents.evidence
    (queries,) = found(TEXTS[:50], dataset)
    assert (queries.code, queries.severity) == ("train-test-overlap", Severity.ERROR)


def test_names_of_classes_and_ids_are_not_texts():
    ids, classes = [f"c{row % 7}" for row in range(100)], ["yes", "no"] * 50
    (finding,) = found(TEXTS, pairs(label=classes, cluster=ids))
    assert finding.code == "train-test-overlap"
    assert "in 100 of 100 examples" in finding.evidence


def test_a_blank_side_is_never_taken_for_one_that_was_trained_on():
    dataset = Dataset({"text1": TEXTS[:10], "text2": [*TEXTS[100:109], " "]})
    (finding,) = found([*TEXTS, " ", ""], dataset)
    assert "in 9 of 10 examples" in finding.evidence


# --- what a candidate's folder says -----------------------------------------------------------------------


def made(texts) -> Lineage:
    return Lineage(
        recipe={}, base="b", base_fingerprint="f", seed=1, trainer="t", data="d.csv", data_digest="0",
        rows=1, texts=text_hashes(texts), steps=1, seconds=1.0,
    )  # fmt: skip


def test_a_folder_without_lineage_was_trained_on_nothing_known(tmp_path):
    assert read_training_texts(tmp_path) is None


def test_without_signatures_only_equal_texts_are_found_and_that_is_said(tmp_path):
    write_lineage(tmp_path, made([TEXTS[0], TEXTS[100], TEXTS[1], changed(TEXTS[101], 1)]))
    (finding,) = find_contamination(read_training_texts(tmp_path), pairs(), "t")
    assert "in 1 of 100 examples" in finding.evidence
    assert "near-duplicates were not looked for" in finding.evidence


def test_with_signatures_near_texts_are_found_too(tmp_path):
    train = [TEXTS[0], TEXTS[100], TEXTS[1], changed(TEXTS[101], 1)]
    write_lineage(tmp_path, made(train))
    write_signatures(tmp_path, train)
    (finding,) = find_contamination(read_training_texts(tmp_path), pairs(), "t")
    assert "in 2 of 100 examples" in finding.evidence
    assert "not looked for" not in finding.evidence


def test_the_digest_follows_the_texts_and_nothing_else(tmp_path):
    digests = []
    for number, (texts, signed) in enumerate([(["a"], False), (["a"], True), (["b"], True), (["a"], False)]):
        folder = tmp_path / str(number)
        folder.mkdir()
        write_lineage(folder, made(texts))
        if signed:
            write_signatures(folder, texts)
        digests.append(read_training_texts(folder).digest)
    assert digests[0] == digests[3]
    assert len(set(digests)) == 3


def test_a_lineage_that_was_written_anew_is_read_anew(tmp_path):
    write_lineage(tmp_path, made(["a"]))
    before = read_training_texts(tmp_path).digest
    write_lineage(tmp_path, made(["b"]))
    os.utime(tmp_path / NAME, ns=(1, 1))
    assert read_training_texts(tmp_path).digest != before


@pytest.mark.parametrize("broken", [NAME, SIGNATURES])
def test_what_cannot_be_read_is_a_finding_not_a_crash(tmp_path, broken):
    write_lineage(tmp_path, made(["a"]))
    (tmp_path / broken).write_bytes(b"{")
    (finding,) = find_contamination(read_training_texts(tmp_path), pairs(), "t")
    assert (finding.code, finding.severity) == ("lineage-unreadable", Severity.WARNING)
    assert broken in finding.evidence


def test_a_lineage_that_is_too_large_is_a_finding_and_not_read(tmp_path):
    with (tmp_path / NAME).open("wb") as file:
        file.truncate(2**40)  # a terabyte of nothing, which takes no room
    known = read_training_texts(tmp_path)
    assert "HARNESS_MAX_RECORD_BYTES" not in known.unreadable
    assert "bytes of JSON, where the limit is" in known.unreadable


def test_a_lineage_without_read_permission_is_a_finding(tmp_path):
    (tmp_path / NAME).symlink_to("/proc/self/mem")  # a file to the last, until it is read; to root as well
    assert "cannot be read" in read_training_texts(tmp_path).unreadable


def test_the_digest_of_what_cannot_be_read_is_the_same_wherever_it_lies(tmp_path):
    digests = set()
    for name in ("one", "other"):
        (tmp_path / name).mkdir()
        (tmp_path / name / NAME).write_bytes(b"{")
        digests.add(read_training_texts(tmp_path / name).digest)
    assert len(digests) == 1
