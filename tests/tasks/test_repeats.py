"""Rows that a file has several times: each counts unless a task file says otherwise, with a finding."""

from __future__ import annotations

import json

import pytest

from harness import DataSource, HarnessError, Severity
from harness.evaluation.evaluate import evaluate
from harness.tasks.repeats import merge_repeated
from harness.tasks.task_file import read_task_file
from harness_clauses.user_clauses import CLAUSES_KIND
from harness_sts.tasks import STS_KIND
from harness_triplet.tasks import TRIPLET_KIND

KINDS = {kind.name: kind for kind in (STS_KIND, TRIPLET_KIND, CLAUSES_KIND)}
NOWHERE = DataSource("sample", None)
WORDS = ("abc", "abd", "xyz", "axz", "bbc", "cab", "zzz", "acd", "bxy", "aab")
ROWS = {
    "sts": [
        {"text1": word, "text2": WORDS[-1 - place], "score": (7 * place) % 5}
        for place, word in enumerate(WORDS)
    ],
    "triplet": [
        {"anchor": word, "positive": WORDS[place - 1], "negative": WORDS[place - 3]}
        for place, word in enumerate(WORDS)
    ],
    "clauses": [
        {"clause": word, "hypothesis": WORDS[place - 2], "label": place * place % 3 % 2}
        for place, word in enumerate(WORDS)
    ],
}


@pytest.fixture
def task(tmp_path):
    def building(kind, rows, line=""):
        (tmp_path / "rows.jsonl").write_text("".join(f"{json.dumps(row)}\n" for row in rows))
        (tmp_path / "t.toml").write_text(f'[tasks.own]\nkind = "{kind}"\npath = "rows.jsonl"\n{line}\n')
        (own,) = read_task_file(tmp_path / "t.toml", KINDS).values()
        return own

    return building


@pytest.mark.parametrize("kind", ROWS)
def test_copies_of_a_row_count_and_are_said_and_do_not_move_the_score_where_they_are_dropped(
    kind, task, letters
):
    rows = ROWS[kind]
    once, _ = evaluate(letters, task(kind, rows), NOWHERE)
    copied = [*rows, *[rows[2]] * 40]
    kept, predictions = evaluate(letters, task(kind, copied), NOWHERE)
    assert len(predictions) == 50
    assert kept.scores[0].score != once.scores[0].score
    (finding,) = [one for one in predictions.findings if one.code == "repeated-rows"]
    assert finding.severity == Severity.WARNING
    assert finding.evidence.startswith("40 of 50 rows are copies of others")
    assert "10 are distinct" in finding.evidence
    dropped, predictions = evaluate(letters, task(kind, copied, 'repeated = "drop"'), NOWHERE)
    assert len(predictions) == 10
    assert dropped.scores == once.scores
    (finding,) = [one for one in predictions.findings if one.code == "repeated-rows"]
    assert (finding.severity, "10 are left" in finding.evidence) == (Severity.NOTE, True)


@pytest.mark.parametrize("kind", ROWS)
def test_rows_without_copies_are_the_same_dataset_with_and_without_the_key(kind, task):
    first = task(kind, ROWS[kind]).load(NOWHERE)
    copied = task(kind, [*ROWS[kind], ROWS[kind][0]], 'repeated = "drop"').load(NOWHERE)
    assert first.digest == copied.digest
    assert "repeated-rows" not in [finding.code for finding in first.findings]


def test_rows_that_differ_in_a_label_or_a_cluster_are_no_copies():
    columns = {"id": ["1", "2", "3", "4"], "text": ["a", "a", "a", "a"], "cluster": ["x", "x", "y", "x"]}
    kept, (finding,) = merge_repeated(columns, "drop")
    assert kept == {"id": ["1", "3"], "text": ["a", "a"], "cluster": ["x", "y"]}
    assert finding.evidence.startswith("2 of 4 rows")
    assert merge_repeated({"text": ["a", "a"], "score": [1.0, 2.0]})[1] == ()


def test_a_few_copies_as_published_sets_have_them_are_a_note():
    _, (finding,) = merge_repeated({"text": [*map(str, range(100)), "7"]})
    assert finding.severity == Severity.NOTE
    _, (finding,) = merge_repeated({"text": [*map(str, range(98)), "7"]})
    assert finding.severity == Severity.WARNING


def test_another_word_for_repeated_is_an_error(task):
    with pytest.raises(HarnessError, match="repeated"):
        task("sts", ROWS["sts"], 'repeated = "merge"')
    with pytest.raises(HarnessError, match="value of repeated"):
        merge_repeated({"text": ["a"]}, "merge")
