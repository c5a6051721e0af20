"""Tasks from Python: by name, and of rows in memory."""

from pathlib import Path

import pytest

import harness
from tests.api.models import ROWS


def test_tasks_are_found_by_name_and_tag():
    assert harness.get_task("stsb").name == "stsb"
    assert [task.name for task in harness.get_tasks("sts")] == ["stsb", "stsb-dev"]
    assert {"stsb", "scifact"} <= {task.name for task in harness.get_tasks()}
    with pytest.raises(harness.HarnessError, match="did you mean: stsb"):
        harness.get_task("stbs")
    with pytest.raises(harness.HarnessError, match="no task or tag named 'stss'"):
        harness.get_tasks(["stss"])


def test_a_data_frame_is_rows_too():
    import pandas as pd

    by_frame = harness.make_task("pairs", "sts", pd.DataFrame(ROWS))
    by_dict = harness.make_task("pairs", "sts", ROWS)
    results = [harness.evaluate("lexical", task) for task in (by_frame, by_dict)]
    assert results[0]["lexical", "pairs"].record.key == results[1]["lexical", "pairs"].record.key


def test_columns_of_other_names_are_mapped_as_in_a_task_file():
    rows = {"left": ROWS["text1"], "right": ROWS["text2"], "gold": ROWS["score"]}
    task = harness.make_task(
        "pairs", "sts", rows, columns={"text1": "left", "text2": "right", "score": "gold"}, tags=["mine"]
    )
    assert task.tags == {"mine", "sts"}
    assert 0 < len(harness.evaluate("lexical", task)["lexical", "pairs"].predictions) == len(ROWS["score"])


def test_rows_to_tune_on_are_rows_in_memory():
    labels = ["entailment" if score > 2 else "contradiction" for score in ROWS["score"]]
    rows = {"clause": ROWS["text1"], "hypothesis": ROWS["text2"], "label": labels}
    task = harness.make_task("clauses-of-mine", "clauses", rows, dev=rows)
    assert "accuracy" in harness.evaluate("lexical", task)["lexical", "clauses-of-mine"].scores


def test_a_corpus_its_queries_and_judgments_are_rows_in_memory():
    tables = {
        "corpus": {"_id": ["a", "b"], "text": ["a dog runs", "rain falls"]},
        "queries": {"_id": ["q"], "text": ["the dog runs fast"]},
        "qrels": {"query-id": ["q"], "corpus-id": ["a"], "score": [1]},
    }
    task = harness.make_task("small", "retrieval", tables)
    assert harness.evaluate("lexical", task)["lexical", "small"].scores["recall@1"].score == 1.0


@pytest.mark.parametrize(
    ("arguments", "options", "message"),
    [
        (("pairs", "stss", ROWS), {}, "did you mean: sts"),
        (("pairs", "sts", [1, 2]), {}, "rows must be a dict of column → values, or a DataFrame, not list"),
        (
            ("pairs", "sts", {"text1": ["a"], "text2": ["b"]}),
            {},
            "no column 'score'|no column score",
        ),
        (("pairs", "sts", {**ROWS, "score": 3}), {}, "column 'score' of rows is int, not a list of values"),
        (("pairs", "sts", {**ROWS, "text1": [b"a"] * 12}), {}, "a cell of column 'text1' is bytes"),
        ((3, "sts", ROWS), {}, "the name of a task is a text, not int"),
        (("pairs", ["sts"], ROWS), {}, "the kind of a task is a text, not list"),
        (("small", "retrieval", {"../evil": {"a": [1]}}), {}, "no table of this kind named '../evil'"),
        (("pairs", "sts", {**ROWS, "id": ["a"]}), {}, "columns of rows have unequal lengths"),
        (("pairs", "sts", ROWS), {"splitt": "test"}, "no option of kind sts"),
        (("pa,irs", "sts", ROWS), {}, "the name holds a comma"),
    ],
)
def test_what_cannot_be_a_task_is_said(arguments, options, message):
    with pytest.raises(harness.HarnessError, match=message):
        harness.make_task(*arguments, **options)


def test_errors_of_rows_in_memory_name_no_file():
    with pytest.raises(harness.HarnessError) as caught:
        harness.make_task("pairs", "sts", {"left": ["a"], "text2": ["b"], "score": [1.0]})
    assert "harness-rows" not in str(caught.value)
    assert "task file" not in str(caught.value)


def test_missing_values_dates_and_decimals_of_frames_are_cells():
    import datetime as dt
    import decimal

    import pandas as pd

    frame = pd.DataFrame(ROWS).convert_dtypes()
    frame["score"] = [decimal.Decimal("1.5"), *ROWS["score"][1:]]
    frame["when"] = [dt.datetime(2026, 1, 2, tzinfo=dt.UTC)] * len(frame)
    frame["note"] = pd.array([pd.NA] * len(frame), dtype="string")
    result = harness.evaluate("lexical", harness.make_task("pairs", "sts", frame))["lexical", "pairs"]
    assert result.predictions.gold[0] == 1.5
    with pytest.raises(harness.HarnessError, match="two columns named a"):
        harness.make_task("pairs", "sts", pd.DataFrame([[1, 2]], columns=["a", "a"]))


def test_a_failed_task_leaves_no_folder(tmp_path, monkeypatch):
    import tempfile

    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    for rows in ({"text1": ["a"]}, {**ROWS, "score": ["x"] * 12}, 3):
        with pytest.raises(harness.HarnessError):
            harness.make_task("pairs", "sts", rows)
    assert not list(tmp_path.iterdir())


def test_a_copy_of_a_task_keeps_its_rows():
    import copy

    task = harness.make_task("pairs", "sts", ROWS)
    copied = copy.deepcopy(copy.copy(task))
    del task
    assert harness.evaluate("lexical", copied)["lexical", "pairs"].error is None


def test_tasks_say_what_they_are():
    assert repr(harness.get_task("stsb")) == "<Task stsb: sts, test>"


def test_the_files_of_rows_are_gone_with_their_task(tmp_path, monkeypatch):
    import tempfile

    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    task = harness.make_task("pairs", "sts", ROWS)
    assert list(Path(tmp_path).iterdir())
    del task
    assert not list(Path(tmp_path).iterdir())
