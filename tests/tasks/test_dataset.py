"""Datasets are identified by their rows; predictions have one row per example."""

from __future__ import annotations

import hashlib
import json

import networkx as nx
import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from harness import Dataset, Finding, HarnessError, Predictions, Severity, read_rows
from harness.authoring import StoredTexts, connected_components
from harness.tasks import dataset as dataset_module

CELLS = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False), st.text("ab\n\"'", max_size=3)
)
COLUMNS = st.dictionaries(
    st.text('abc,:[]"', min_size=1, max_size=3),
    st.lists(CELLS, min_size=3, max_size=3),
    min_size=1,
    max_size=3,
)


# --- digests ----------------------------------------------------------------------------------------------


@given(columns=COLUMNS, tables=st.dictionaries(st.text("ab:", max_size=2), COLUMNS, max_size=2))
def test_equal_rows_have_equal_digests(columns, tables):
    def dataset(order):
        built = {name: Dataset(dict(order(table.items()))) for name, table in order(tables.items())}
        return Dataset(dict(order(columns.items())), built)

    assert dataset(list).digest == dataset(lambda items: list(items)[::-1]).digest


@given(columns=COLUMNS, data=st.data())
def test_a_changed_cell_changes_the_digest(columns, data):
    name = data.draw(st.sampled_from(sorted(columns)))
    row, cell = data.draw(st.integers(0, 2)), data.draw(CELLS)
    assume(repr(cell) != repr(columns[name][row]))
    changed = {**columns, name: [*columns[name][:row], cell, *columns[name][row + 1 :]]}
    assert Dataset(changed).digest != Dataset(columns).digest


@given(columns=COLUMNS, name=st.text("abc", min_size=1, max_size=4))
def test_a_renamed_column_changes_the_digest(columns, name):
    assume(name not in columns)
    first, *others = columns
    renamed = {name: columns[first], **{other: columns[other] for other in others}}
    assert Dataset(renamed).digest != Dataset(columns).digest


@given(columns=COLUMNS, order=st.permutations(range(3)))
def test_the_order_of_rows_is_part_of_the_digest(columns, order):
    columns = {**columns, "id": ["a", "b", "c"]}
    same = Dataset(columns).take(order).digest == Dataset(columns).digest
    assert same == (list(order) == [0, 1, 2])


@given(columns=COLUMNS, table=COLUMNS, other=COLUMNS)
def test_a_further_table_is_part_of_the_digest(columns, table, other):
    assume(repr(sorted(table.items())) != repr(sorted(other.items())))
    digests = {
        Dataset(columns).digest,
        Dataset(columns, {"corpus": Dataset(table)}).digest,
        Dataset(columns, {"corpus": Dataset(other)}).digest,
        Dataset(columns, {"train": Dataset(table)}).digest,
    }
    assert len(digests) == 4


def test_moving_text_between_cells_or_columns_changes_the_digest():
    digests = {
        Dataset(columns).digest
        for columns in (
            {"a": ["x", "y"], "b": ["z", "w"]},
            {"a": ["x", "y"], "b": ["zw", ""]},
            {"a": ["xy", ""], "b": ["z", "w"]},
            {"ab": ["x", "y"], "": ["z", "w"]},
            {"a": ['x", "y'], "b": ["z"]},
        )
    }
    assert len(digests) == 5


def test_findings_do_not_change_the_digest():
    finding = Finding("dropped-rows", Severity.NOTE, "2 rows dropped")
    assert Dataset({"a": ["x"]}, findings=(finding,)).digest == Dataset({"a": ["x"]}).digest


def test_numpy_columns_count_by_their_values():
    plain = Dataset({"gold": [1, 2], "score": [0.5, 1.5], "kept": [True, False], "row": [[1, 2], [3, 4]]})
    arrays = {"gold": np.array([1, 2]), "score": np.array([0.5, 1.5]), "kept": np.array([True, False])}
    assert Dataset({**arrays, "row": np.array([[1, 2], [3, 4]])}).digest == plain.digest
    assert (
        Dataset({**arrays, "row": [np.array([1, 2]), np.array([3, 4])]}).take([0, 1]).digest == plain.digest
    )


# --- validation ---------------------------------------------------------------------------------------


def test_rows_without_ids_are_numbered():
    assert Dataset({"a": ["x", "y"]})["id"] == ["0", "1"]


def test_duplicate_ids_are_counted_and_one_is_named():
    with pytest.raises(HarnessError, match=r"2 duplicate ids, such as 'q1'\n.*each must occur once"):
        Dataset({"id": ["q1", "q2", "q1", "q2", "q3"]})


def test_columns_of_unequal_length_are_named_with_their_lengths():
    with pytest.raises(HarnessError, match=r"unequal length: {'a': 2, 'b': 1}"):
        Dataset({"a": ["x", "y"], "b": ["z"]})


@pytest.mark.parametrize(("columns", "known"), [({}, "none"), ({"a": [], "b": []}, "a, b")])
def test_a_dataset_without_rows_is_an_error(columns, known):
    with pytest.raises(HarnessError, match=f"empty dataset: no rows\n  columns: {known}"):
        Dataset(columns)


@given(st.integers(1, 5), st.integers(1, 8))
def test_a_sample_keeps_ids_order_and_the_further_tables(rows, limit):
    corpus, finding = Dataset({"text": ["t"]}), Finding("noted", Severity.NOTE, "something")
    whole = Dataset({"a": [str(row) for row in range(rows)]}, {"corpus": corpus}, (finding,))
    sample = whole.sample(limit)
    assert len(sample) == min(rows, limit)
    assert list(sample["id"]) == sorted(sample["id"])
    assert all(whole["a"][int(name)] == cell for name, cell in zip(sample["id"], sample["a"], strict=True))
    assert (sample.tables, sample.findings) == ({"corpus": corpus}, (finding,))


# --- predictions ------------------------------------------------------------------------------------------


def test_predictions_show_the_texts_and_clusters_of_their_examples():
    finding, own = Finding("read", Severity.NOTE, "while reading"), Finding("seen", Severity.NOTE, "here")
    dataset = Dataset({"text": ["a", "b"], "cluster": ["c", "c"], "score": [1, 2]}, findings=(finding,))
    predictions = Predictions(
        dataset, gold=[1, 2], predicted=np.array([3.0, 4.0]), findings=[own], fitted={"t": 1}
    )
    assert set(predictions.columns) == {"id", "text", "cluster", "gold", "predicted"}
    assert (predictions.findings, predictions.fitted, len(predictions)) == ((finding, own), {"t": 1}, 2)


def test_a_column_that_does_not_have_one_row_per_example_is_an_error():
    with pytest.raises(HarnessError, match="column 'predicted' of Predictions has 3 rows, the dataset has 2"):
        Predictions(Dataset({"text": ["a", "b"]}), gold=[1, 2], predicted=[1, 2, 3])


# --- clusters ---------------------------------------------------------------------------------------------


@given(st.lists(st.tuples(st.sampled_from("abcdefgh"), st.sampled_from("abcdefgh")), max_size=12))
def test_pairs_are_in_one_cluster_exactly_when_a_chain_of_shared_texts_links_them(pairs):
    left, right = [pair[0] for pair in pairs], [pair[1] for pair in pairs]
    names = connected_components(left, right) if pairs else []
    component = {
        text: number
        for number, texts in enumerate(nx.connected_components(nx.Graph(pairs)))
        for text in texts
    }
    for i, name in enumerate(names):
        for j, other in enumerate(names):
            assert (name == other) == (component[left[i]] == component[left[j]])


def test_stsb_has_1179_clusters(shared_data):
    header = ("text1", "text2", "score")
    pairs = read_rows(shared_data / "stsb" / "stsb-en-test.csv", header, header=header)
    assert len(pairs["score"]) == 1379
    assert len(set(connected_components(pairs["text1"], pairs["text2"]))) == 1179


# --- texts on disk ----------------------------------------------------------------------------------------


@given(COLUMNS, st.integers(1, 4))
def test_a_digest_is_that_of_the_json_of_each_column(columns, at_once):
    kept, dataset_module._AT_ONCE = dataset_module._AT_ONCE, at_once
    try:
        columns = {"id": ["a", "b", "c"], **columns}
        expected = hashlib.sha256()
        for name in sorted(columns):
            expected.update(json.dumps([name, columns[name]], ensure_ascii=False).encode())
        assume(len(set(map(str, columns["id"]))) == 3)
        assert Dataset(columns).digest == expected.hexdigest()
    finally:
        dataset_module._AT_ONCE = kept


def test_texts_on_disk_are_a_column_that_is_never_listed(monkeypatch):
    texts = [f"text {row}, é" for row in range(9_000)]
    stored = StoredTexts(texts)
    listed = Dataset({"text": texts}, {"corpus": Dataset({"text": texts})})
    dataset = Dataset({"text": stored}, {"corpus": Dataset({"text": stored})})
    assert dataset["text"] is dataset.lent()["text"] is stored
    assert dataset.lent().tables["corpus"]["text"] is stored
    assert dataset.digest == listed.digest
    assert Predictions(dataset, predicted=texts)["text"] is stored
    rows = [3, 1, 8_999]
    assert type(dataset.take(rows)["text"]) is type(listed["text"])
    monkeypatch.setattr(dataset_module, "_MOST_LISTED", 2)
    assert isinstance(dataset.take(rows)["text"], StoredTexts)
    assert dataset.take(rows).digest == listed.take(rows).digest
