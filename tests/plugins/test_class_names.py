"""Clauses whose labels are classes with names (`ClassLabel` of `datasets`): the names count."""

from __future__ import annotations

import json

import pyarrow as pa
import pytest
from pyarrow import parquet

from harness import DataSource, HarnessError, read_rows
from harness.tasks.task_file import read_task_file
from harness_clauses.user_clauses import CLAUSES_KIND
from harness_triplet.tasks import _from_pairs

NOWHERE = DataSource("sample", None)


@pytest.fixture
def gold(tmp_path):
    """Write a parquet file whose label has classes of these names, and return the gold of its three rows."""

    def reading(names, line="", numbers=(0, 1, 0)):
        rows = [{"clause": f"c{row}", "hypothesis": "h", "label": label} for row, label in enumerate(numbers)]
        features = {"label": {"names": names, "_type": "ClassLabel"}}
        metadata = {"huggingface": json.dumps({"info": {"features": features}})}
        table = pa.Table.from_pylist(rows).replace_schema_metadata(metadata)
        parquet.write_table(table, tmp_path / "rows.parquet")
        (tmp_path / "t.toml").write_text(
            f'[tasks.own]\nkind = "clauses"\npath = "rows.parquet"\n{line}\n', encoding="utf-8"
        )
        (task,) = read_task_file(tmp_path / "t.toml", {"clauses": CLAUSES_KIND}).values()
        dataset = task.load(NOWHERE)
        assert [finding.code for finding in dataset.findings] == ["class-names"]
        return list(dataset["gold"])

    return reading


RTE = ["entailment", "not_entailment"]


@pytest.mark.parametrize(
    ("names", "line", "expected"),
    [
        (["entailment", "contradiction"], "", [1, 0, 1]),
        (["contradiction", "entailment"], "", [0, 1, 0]),
        (["Contradiction", "Entailment"], "", [0, 1, 0]),
        (["1", "0"], "", [1, 0, 1]),
        (RTE, 'labels = { entailment = "entailment", contradiction = "not_entailment" }', [1, 0, 1]),
        (RTE, "labels = { entailment = 0, contradiction = 1 }", [1, 0, 1]),
        (RTE, 'labels = { entailment = "0", contradiction = "1" }', [1, 0, 1]),
        (RTE, "labels = { entailment = 1, contradiction = 0 }", [0, 1, 0]),
        (RTE, 'labels = { entailment = 0, contradiction = "not_entailment" }', [1, 0, 1]),
        (["1", "0"], 'labels = { entailment = "0", contradiction = "1" }', [0, 1, 0]),
        (["1", "0"], "labels = { entailment = 0, contradiction = 1 }", [1, 0, 1]),
    ],
)
def test_a_class_counts_by_its_name_and_a_number_of_the_task_file_by_its_number(gold, names, line, expected):
    assert gold(names, line) == expected


@pytest.mark.parametrize(
    ("names", "written"),
    [
        (RTE, 'labels = { entailment = "entailment", contradiction = "not_entailment" }'),
        (["no", "yes"], 'labels = { entailment = "…", contradiction = "…" }'),
        (
            ["entailment", "neutral", "contradiction"],
            'labels = { entailment = "entailment", contradiction = "contradiction" }',
        ),
    ],
)
def test_names_that_do_not_say_which_is_meant_are_an_error_with_the_line_to_write(gold, names, written):
    with pytest.raises(HarnessError, match=r"row 2 has the label|row 1 has the label 'no'") as caught:
        gold(names)
    assert f"0 = {names[0]}, 1 = {names[1]}" in caught.value.exists
    assert written in caught.value.hint


@pytest.mark.parametrize("named", [True, False])
def test_snli_of_the_hub_gives_the_same_triplets_by_numbers_and_by_names(named, tmp_path):
    labels = [0, 2, 1, -1, 2, 0]
    rows = [{"premise": "p", "hypothesis": f"h{row}", "label": label} for row, label in enumerate(labels)]
    features = {"label": {"names": ["entailment", "neutral", "contradiction"], "_type": "ClassLabel"}}
    metadata = {"huggingface": json.dumps({"info": {"features": features}})} if named else None
    parquet.write_table(
        pa.Table.from_pylist(rows).replace_schema_metadata(metadata), tmp_path / "rows.parquet"
    )
    triplets = _from_pairs(read_rows(tmp_path / "rows.parquet", ("premise", "hypothesis", "label")))
    assert (triplets["positive"], triplets["negative"]) == (["h0", "h5"], ["h1", "h4"])
