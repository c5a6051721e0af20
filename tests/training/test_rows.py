"""Training rows are read as the recipe says, the same from every format."""

from __future__ import annotations

import csv
import json
import math
from dataclasses import replace

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyarrow import parquet

from harness import HarnessError
from harness.errors import MissingDataError
from harness.training.recipe import Data
from harness.training.rows import digest, read_training_rows, rows_path, validate_rows

RECORDS = [
    {"clause": "It shall.", "hypothesis": "It may.", "label": 0, "split": "a"},
    {"clause": "It shall not.", "hypothesis": "It may.", "label": 1, "split": "a"},
    {"clause": "Whatever.", "hypothesis": "It may.", "label": 2, "split": "b"},
    {"clause": "It shall.", "hypothesis": "It may.", "label": 0, "split": "b"},
]
COLUMNS = {"text1": "clause", "text2": "hypothesis"}
LABELED = Data(kind="labeled-pairs", columns=COLUMNS)


def write(path, records):
    if path.suffix == ".csv":
        with path.open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, list(records[0]))
            writer.writeheader()
            writer.writerows(records)
    elif path.suffix == ".jsonl":
        path.write_text("".join(f"{json.dumps(record)}\n" for record in records), encoding="utf-8")
    else:
        parquet.write_table(pa.Table.from_pylist(records), path)
    return path


@pytest.fixture
def clauses(tmp_path):
    return write(tmp_path / "clauses.jsonl", RECORDS)


@pytest.mark.parametrize("ending", ["csv", "jsonl", "parquet"])
def test_the_format_of_the_file_makes_no_difference(ending, tmp_path):
    data = replace(LABELED, labels={"0": 1, "1": 0}, only={"split": "a"})
    rows = read_training_rows(data, write(tmp_path / f"rows.{ending}", RECORDS))
    assert rows.texts == {"text1": ["It shall.", "It shall not."], "text2": ["It may.", "It may."]}
    assert rows.labels == [1, 0]
    assert rows.left_out == 2
    assert list(rows.texts) == ["text1", "text2"], "the loss takes columns by their order"


@pytest.mark.parametrize(
    ("zero", "one"), [("0", "1"), ("0.0", "1.0"), ("-0", "1e0")], ids=["whole", "decimal", "odd"]
)
@pytest.mark.parametrize("cast", [int, float, str])
def test_a_label_matches_in_every_notation(zero, one, cast, tmp_path):
    records = [{**record, "label": cast(record["label"])} for record in RECORDS[:2]]
    data = replace(LABELED, labels={zero: 1, one: 0})
    assert read_training_rows(data, write(tmp_path / "rows.jsonl", records)).labels == [1, 0]


@pytest.mark.parametrize("cast", [int, str])
@pytest.mark.parametrize("first", [1234567, 12345678901234567])
def test_long_numbers_that_differ_in_the_last_digit_stay_different(first, cast, tmp_path):
    records = [{"text1": f"{n}", "text2": "x", "id": cast(n)} for n in (first, first + 1)]
    data = Data(kind="pairs", only={"id": first})
    assert read_training_rows(data, write(tmp_path / "rows.jsonl", records)).texts["text1"] == [f"{first}"]


def test_labels_may_be_words(tmp_path):
    records = [{**RECORDS[0], "label": word} for word in ("Entailment", "NotMentioned", "Contradiction")]
    data = replace(LABELED, labels={"Entailment": 1, "Contradiction": 0})
    rows = read_training_rows(data, write(tmp_path / "rows.csv", records))
    assert (rows.labels, rows.left_out) == ([1, 0], 1)


def test_rows_are_taken_in_the_order_only_labels_distinct_limit(clauses):
    data = replace(LABELED, labels={"0": 1, "1": 0})
    rows = read_training_rows(replace(data, distinct=True), clauses)
    assert (len(rows), rows.left_out, rows.repeated) == (2, 1, 1)
    one = read_training_rows(replace(data, distinct=True, limit=1), clauses)
    assert (one.texts["text1"], one.left_out, one.repeated) == (["It shall."], 1, 1)
    last = read_training_rows(replace(data, only={"split": "b"}, limit=1), clauses)
    assert (last.texts["text1"], last.labels) == (["It shall."], [1])


def test_one_pair_with_two_labels_is_not_a_repetition(tmp_path):
    records = [{**RECORDS[0], "label": label} for label in (0, 1, 0)]
    rows = read_training_rows(replace(LABELED, distinct=True), write(tmp_path / "rows.jsonl", records))
    assert (rows.labels, rows.repeated) == ([0, 1], 1)


def test_a_condition_may_be_on_a_column_that_the_loss_takes_too(clauses):
    data = replace(LABELED, only={"label": 1})
    assert read_training_rows(data, clauses).labels == [1]
    swapped = Data(
        kind="pairs", columns={"text1": "hypothesis", "text2": "clause"}, only={"clause": "Whatever."}
    )
    assert read_training_rows(swapped, clauses).texts == {"text1": ["It may."], "text2": ["Whatever."]}


def test_a_condition_is_on_the_file_s_column_though_ours_has_its_name(tmp_path):
    path = write(tmp_path / "rows.jsonl", [{"text1": "a", "text2": "x"}, {"text1": "b", "text2": "y"}])
    data = Data(kind="pairs", columns={"text1": "text2", "text2": "text1"}, only={"text1": "b"})
    assert read_training_rows(data, path).texts == {"text1": ["y"], "text2": ["b"]}


def test_the_error_for_no_rows_lists_the_values_of_the_file(clauses):
    data = replace(LABELED, labels={"yes": 1, "no": 0}, only={"split": "a"})
    with pytest.raises(HarnessError) as caught:
        read_training_rows(data, clauses)
    assert caught.value.message == f"{clauses}: the recipe selects no row"
    assert caught.value.exists.splitlines() == [
        "data.only.split selects: 'a'; the file has: a, b",
        "data.labels selects: yes, no; the file has: 0, 1, 2",
    ]


def test_a_column_that_is_not_there_is_named(clauses):
    with pytest.raises(HarnessError, match=r"no column 'premise'\n  found: clause, hypothesis, label, split"):
        read_training_rows(Data(kind="pairs", columns={"text1": "premise", "text2": "clause"}), clauses)


@given(st.lists(st.floats(0, 5), min_size=1, max_size=8), st.floats(-3, 0), st.floats(5, 9))
def test_scores_become_a_share_of_their_range(tmp_path_factory, scores, low, high):
    path = tmp_path_factory.mktemp("scores") / "rows.csv"
    write(path, [{"text1": "a", "text2": "b", "score": repr(score)} for score in scores])
    found = read_training_rows(Data(kind="scored-pairs", score_range=(low, high)), path).labels
    assert found == [(score - low) / (high - low) for score in scores]
    assert all(0 <= share <= 1 for share in found)


def test_a_file_without_a_header_is_read_by_the_names_that_the_recipe_gives(shared_data):
    data = Data(kind="scored-pairs", header=("text1", "text2", "score"), score_range=(0, 5))
    rows = validate_rows(read_training_rows(data, shared_data / "stsb" / "stsb-en-train.csv"))
    assert len(rows) == 5749
    assert rows.texts["text1"][1] == "A man is playing a large flute."
    assert rows.labels[:2] == [1.0, 0.76]
    assert (min(rows.labels), max(rows.labels)) == (0, 1)


def test_records_become_texts_by_a_template(tmp_path):
    record = {"title": "Exams", "text": "Bring a pen."}
    pair = {"record1": record, "record2": {**record, "title": "Fees"}, "label": 1}
    path = write(tmp_path / "rows.jsonl", [pair, {**pair, "label": 0}])
    templates = {"text1": "{record1.title}", "text2": "{record2.title}\n{record2.text}"}
    rows = read_training_rows(Data(kind="pairs", templates=templates, only={"label": 1}), path)
    assert rows.texts == {"text1": ["Exams"], "text2": ["Fees\nBring a pen."]}


def test_reading_does_not_validate_and_validate_rows_does(tmp_path):
    records = [{"text1": {"a": 1}, "text2": None, "score": "high"}]
    rows = read_training_rows(Data(kind="scored-pairs"), write(tmp_path / "rows.jsonl", records))
    assert rows.texts == {"text1": [{"a": 1}], "text2": [None]}
    assert rows.labels == ["high"]
    with pytest.raises(HarnessError, match="row 1 of column 'text1' is a record"):
        validate_rows(rows)
    with pytest.raises(HarnessError, match="1 row of column 'text2' is not a text"):
        validate_rows(replace(rows, texts={"text1": ["a"], "text2": [None]}))
    with pytest.raises(HarnessError, match="row 1 of column 'score' is not a number: 'high'"):
        validate_rows(replace(rows, texts={"text1": ["a"], "text2": ["b"]}))
    for odd in (math.nan, math.inf, None):
        with pytest.raises(HarnessError, match="is not a number"):
            validate_rows(replace(rows, texts={"text1": ["a"], "text2": ["b"]}, labels=[odd]))


@pytest.mark.parametrize("labels", [["b", "a", "b"], [7, 3, 7], [7.0, 3.0, 7.0]])
def test_classes_are_numbered_in_the_order_of_their_names(labels, tmp_path):
    records = [{"text": str(number), "label": label} for number, label in enumerate(labels)]
    path = write(tmp_path / "rows.parquet", records)
    assert validate_rows(read_training_rows(Data(kind="labeled-texts"), path)).labels == [1, 0, 1]


def test_classes_may_be_joined_by_the_label_map(tmp_path):
    records = [{"text": "t", "label": label} for label in ("cat", "dog", "oak", "fir")]
    data = Data(kind="labeled-texts", labels={"cat": 0, "dog": 0, "oak": 1})
    rows = validate_rows(read_training_rows(data, write(tmp_path / "rows.csv", records)))
    assert (rows.labels, rows.left_out) == ([0, 0, 1], 1)


@given(st.lists(st.tuples(st.text(max_size=3), st.text(max_size=3), st.floats(0, 1)), min_size=1, max_size=5))
def test_the_digest_is_of_what_the_loss_takes_in_its_order(pairs):
    left, right, labels = (list(column) for column in zip(*pairs, strict=True))
    from harness.training import Rows

    rows = Rows(kind="scored-pairs", texts={"text1": left, "text2": right}, labels=labels, source="a.csv")
    assert digest(rows) == digest(replace(rows, source="b.csv", left_out=3))
    others = [
        replace(rows, texts={"text1": right, "text2": left}),
        replace(rows, labels=[label + 1 for label in labels]),
        replace(rows, texts={"text1": left[::-1], "text2": right[::-1]}, labels=labels[::-1]),
        replace(rows, kind="labeled-pairs"),
    ]
    for other in others:
        same = (other.kind, other.texts, other.labels) == (rows.kind, rows.texts, rows.labels)
        assert (digest(other) == digest(rows)) == same


# --- where the file is ----------------------------------------------------------------------------------


def test_rows_lie_below_the_data_folder_or_beside_the_recipe_or_are_the_file_named(tmp_path):
    home, root = tmp_path / "home", tmp_path / "data"
    for folder in (home, root):
        (folder / "set").mkdir(parents=True)
        (folder / "set" / "rows.csv").touch()
    below, beside = Data(kind="pairs", path="set/rows.csv"), Data(kind="pairs", path="./set/rows.csv")
    own = home / "set" / "rows.csv"
    assert rows_path(below, root, str(home)) == root / "set" / "rows.csv"
    assert rows_path(below, None, str(home)) == own
    assert rows_path(beside, root, str(home)) == own
    assert rows_path(Data(kind="pairs", path="../home/set/rows.csv"), root, str(home)).samefile(own)
    assert rows_path(Data(kind="pairs", path=str(own)), root) == own
    assert rows_path(below, own, "") == own
    assert rows_path(Data(kind="pairs"), own, "") == own


@pytest.mark.parametrize(
    ("path", "root", "said"),
    [
        (None, ".", "does not name the file of its rows\n  hint: --data FILE"),
        ("rows.csv", None, "needs rows.csv, which is not there"),
        ("./rows.csv", ".", "needs ./rows.csv, which is not there"),
        ("rows.csv", ".", "no rows.csv in .*\n  in .*: other.csv\n  hint: --data FILE"),
        ("set/rows.csv", ".", "no set/rows.csv in .*\n  in .*set: nothing"),
        ("rows.csv", "absent", "no rows.csv in .*absent\n  in .*absent: nothing"),
    ],
)
def test_the_error_for_missing_rows_names_the_option(path, root, said, tmp_path):
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "other.csv").touch()
    with pytest.raises(HarnessError, match=said) as caught:
        rows_path(Data(kind="pairs", path=path), root and tmp_path / "data" / root, str(tmp_path))
    assert path is None or isinstance(caught.value, MissingDataError)
