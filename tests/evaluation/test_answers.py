"""What a task gives is checked where it enters, and the error says what came and what is wanted."""

from __future__ import annotations

import math
import re

import numpy as np
import pytest
from conftest import LetterModel

from harness import Dataset, HarnessError, Metric, Predictions, Role, Task, mean_metric
from harness.authoring import AggregateTask
from harness.encoding.cached_model import CachedModel
from harness.evaluation.answers import announced_texts, check_dataset
from harness.evaluation.evaluate import evaluate
from harness.finding import Finding, Severity
from harness.metrics.interface import compute_score
from harness.results.prediction_files import to_parquet
from harness.stats.resamples import resampled_scores
from harness.system.plugin_code import PluginError, raised_by
from harness.tasks.interface import DataSource

CORRECT = [1.0, 0.0, 1.0, 0.0]


class Answer(Task):
    """Answers with the columns that it is given."""

    name, kind, metrics = "answer", "answer", (mean_metric("accuracy", "correct"),)

    def __init__(self, predict=None, **columns):
        self._predict, self._columns = predict, {"correct": CORRECT, **columns}

    def load(self, source):
        return Dataset({"text": ["d", "a", "c", "b"]})

    def predict(self, model, dataset):
        if self._predict:
            return self._predict(model, dataset)
        return Predictions(dataset, **self._columns)


def evaluated(task):
    return evaluate(LetterModel(), task, DataSource("sample", None))


# --- rows -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("columns", "told"),
    [
        ([{"text": "a"}], "Dataset of a list, not of a dict"),
        ({"text": "abcd"}, "column 'text' of Dataset is a str, not a list or an array"),
        ({"text": {"a", "b"}}, "column 'text' of Dataset is a set, not a list or an array"),
        (
            {"text": (text for text in "ab")},
            "column 'text' of Dataset is a generator, not a list or an array",
        ),
        ({"text": np.array(1)}, "column 'text' of Dataset is an array without dimensions"),
        ({1: ["a"]}, "a column of Dataset has the name 1, not a text"),
        ({"text": ["a", "b"], "label": [1]}, "columns of unequal length: {'text': 2, 'label': 1}"),
        ({"id": ["x", "x"]}, "1 duplicate id, such as 'x'"),
        ({"id": [["x"], ["y"]]}, "the id in row 0 of the dataset is a list: a text or a whole number"),
        ({"id": ["x", None]}, "the id in row 1 of the dataset is a NoneType"),
        ({"id": [0.5]}, "the id in row 0 of the dataset is a float"),
    ],
)
def test_a_dataset_of_what_is_no_column_says_which(columns, told):
    with pytest.raises(HarnessError, match=f"^{re.escape(told)}"):
        Dataset(columns)


@pytest.mark.parametrize("column", [["a", "b"], ("a", "b"), np.array([1, 2]), range(2)])
def test_a_list_a_tuple_an_array_and_a_range_are_columns(column):
    assert len(check_dataset(Dataset({"column": column}))) == 2


@pytest.mark.parametrize(
    ("dataset", "told"),
    [
        (None, "load returned nothing (None), not a Dataset"),
        ([1], "load returned a list, not a Dataset"),
        (Dataset({"a": [{1}]}), "column 'a' of the dataset holds a set"),
        (Dataset({"a": [b"x"]}), "column 'a' of the dataset holds a bytes"),
        (Dataset({"a": [[object()]]}), "column 'a' of the dataset holds what is not plain data"),
        (Dataset({"a": ["\ud800"]}), "column 'a' of the dataset holds what is not plain data"),
        (Dataset({"a": [1]}, findings=("bad",)), "findings of the dataset has 'bad', which is not a Finding"),
    ],
)
def test_what_load_returns_is_a_dataset_of_plain_cells(dataset, told):
    with pytest.raises(HarnessError, match=f"^{re.escape(told)}"):
        check_dataset(dataset)


def test_tables_of_a_dataset_are_datasets():
    with pytest.raises(HarnessError, match="table 'corpus' of Dataset is a list, not a Dataset"):
        Dataset({"a": [1]}, tables={"corpus": [1]})


# --- texts ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given", "told"),
    [
        (["ab", "cd"], "texts gave 'ab', a str, not a text and its Role"),
        ([("a", "passage")], "texts gave ('a', 'passage'), a tuple, not a text and its Role"),
        ([(1, Role.TEXT)], "texts gave (1, <Role.TEXT: 'text'>), a tuple, not a text and its Role"),
        (None, "texts returned nothing (None)"),
        ("abc", "texts returned 'abc', a str"),
    ],
)
def test_announced_texts_are_pairs_of_a_text_and_a_role(given, told):
    task = Answer()
    task.texts = lambda _: given
    with pytest.raises(HarnessError, match=f"^{re.escape(told)}"):
        announced_texts(task, task.load(None))


def test_a_role_may_be_given_by_its_name():
    task = Answer()
    task.texts = lambda dataset: ((text, "query") for text in dataset["text"])
    assert announced_texts(task, task.load(None))[0] == ("d", Role.QUERY)


@pytest.mark.parametrize(
    ("texts", "role", "told"),
    [
        ("a text", Role.TEXT, "encode got a single text, not a list of texts"),
        (["a", None], Role.TEXT, "encode got a NoneType in position 1, not a text"),
        ([1], Role.TEXT, "encode got an int in position 0, not a text"),
        (None, Role.TEXT, "encode got a NoneType, not a list of texts"),
        (["a"], "passage", "encode got 'passage' as its role"),
    ],
)
def test_what_is_encoded_is_a_list_of_texts_in_a_role(texts, role, told):
    with pytest.raises(HarnessError, match=f"^{re.escape(told)}"):
        CachedModel(LetterModel()).encode(texts, role)


def test_texts_to_encode_may_come_from_anything_that_can_be_iterated():
    model = CachedModel(LetterModel())
    wanted = model.encode(["a", "bb"])
    assert (model.encode(text for text in ("a", "bb")) == wanted).all()
    assert (model.encode(np.array(["a", "bb"])) == wanted).all()


def test_a_model_gets_plain_texts_also_of_an_array_of_numpy():
    letters = LetterModel()
    CachedModel(letters).encode(np.array(["a", "bb"]))
    task = Answer()
    task.texts = lambda _: [(text, "query") for text in np.array(["a", "bb"])]
    announced = announced_texts(task, task.load(None))
    assert {type(text) for text, _ in (*letters.encoded, *announced)} == {str}


# --- predictions ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("columns", "told"),
    [
        ({"correct": 1.0}, "column 'correct' of Predictions is a float, not a list or an array"),
        ({"x": "abcd"}, "column 'x' of Predictions is a str, not a list or an array"),
        ({"x": [1]}, "column 'x' of Predictions has 1 rows, the dataset has 4"),
        ({"x": [object()] * 4}, "column 'x' of the predictions holds an object"),
        ({"x": [{"a": 1}] * 4}, "column 'x' of the predictions holds a dict"),
        ({"x": [10**30] * 4}, "column 'x' of the predictions holds a whole number of more than 64 bits"),
        (
            {"x": np.full(4, 2**64 - 1, np.uint64)},
            "column 'x' of the predictions holds whole numbers of more",
        ),
        ({"x": np.ones(4) * 1j}, "column 'x' of the predictions holds complex128"),
        ({"x": np.ones(4, "datetime64[D]")}, "column 'x' of the predictions holds datetime64[D]"),
        ({"x": [["\ud800"]] * 4}, "column 'x' of the predictions holds what is not plain data"),
        ({"findings": ["bad"]}, "findings of Predictions has 'bad', which is not a Finding"),
        ({"fitted": {"t": object()}}, "fitted=['t'] of Predictions is not plain data"),
    ],
)
def test_predictions_are_one_plain_cell_for_each_example(columns, told):
    with pytest.raises(HarnessError, match=f"^{re.escape(told)}"):
        evaluated(Answer(**columns))


@pytest.mark.parametrize("mixed", [["a", 1, "b", 2], [True, 1, False, 0], [["a", 1]] * 4])
def test_a_column_of_several_kinds_is_named_when_it_is_written(mixed):
    with pytest.raises(HarnessError, match=r"^column 'x' of the predictions cannot be written: "):
        to_parquet(Predictions(Dataset({"a": [1, 2, 3, 4]}), x=mixed), "hash")


def test_lists_numpy_numbers_and_missing_cells_are_plain_data():
    further = {
        "ranked": [["a"], [], ["b", "c"], ["d"]],
        "gap": [None, 1.0, 2.0, None],
        "wide": np.ones((4, 3)),
    }
    finding = Finding("found", Severity.NOTE, "seen")
    task = Answer(**further, fitted={"threshold": np.float32(0.5)}, findings=[finding])
    evaluation, predictions = evaluated(task)
    assert evaluation.scores[0].score == 0.5
    assert to_parquet(predictions, "hash")


@pytest.mark.parametrize(
    ("answered", "told"),
    [
        (None, "predict returned nothing (None), not Predictions"),
        (0.75, "predict returned 0.75, a float, not Predictions"),
        ({"correct": CORRECT}, "predict returned a dict, not Predictions"),
    ],
)
def test_what_predict_returns_is_predictions(answered, told):
    with pytest.raises(HarnessError, match=f"^{re.escape(told)}"):
        evaluated(Answer(lambda _model, _dataset: answered))


@pytest.mark.parametrize("column", ["id", "text"])
def test_a_task_that_sorts_its_rows_in_compiled_code_answers_for_other_rows(column):
    def careless(_model, dataset):
        list.sort(dataset[column], reverse=column == "id")
        return Predictions(dataset, correct=CORRECT)

    with pytest.raises(HarnessError, match="the predictions are not of the rows that load returned"):
        evaluated(Answer(careless))


# --- metrics ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "told"),
    [
        ("0.5", "metric x returned '0.5', a str: one number is wanted"),
        (None, "metric x returned nothing (None): one number is wanted"),
        (True, "metric x returned 'True', a bool: one number is wanted"),
        (1j, "metric x returned '1j', a complex: one number is wanted"),
        (np.ones(1), "metric x returned an array of shape (1,): one number is wanted"),
        ([0.5], "metric x returned '[0.5]', a list: one number is wanted"),
    ],
)
def test_a_metric_returns_one_number(value, told):
    with pytest.raises(HarnessError, match=f"^{re.escape(told)}"):
        compute_score(Metric("x", lambda _: value), [np.ones(3)])


@pytest.mark.parametrize("value", [1, 0.5, np.float32(0.5), np.int64(1), np.array(0.5), math.nan])
def test_any_real_number_is_a_score(value):
    score = compute_score(Metric("x", lambda _: value), [np.ones(3)])
    assert type(score) is float
    assert score == value or math.isnan(value)


def test_what_a_metric_raises_names_the_metric_and_keeps_its_cause():
    def broken(_column):
        return 1 / 0

    with pytest.raises(PluginError, match=r"^metric x raised ZeroDivisionError: division by zero$") as caught:
        compute_score(Metric("x", broken), [np.ones(3)])
    assert isinstance(raised_by(caught.value), ZeroDivisionError)


def test_a_metric_that_sorts_its_columns_changes_nobody_elses():
    column = np.array([3.0, 1.0, 2.0])

    def sorts(values, *_counts):
        values.sort()
        return np.array([values[0]]) if _counts else values[0]

    assert compute_score(Metric("x", sorts), [column]) == 1.0
    assert resampled_scores(Metric("x", sorts, resample=sorts), [column], np.ones((1, 3))).tolist() == [1.0]
    assert column.tolist() == [3.0, 1.0, 2.0]


@pytest.mark.parametrize("answer", [1.0, np.ones((2, 1)), ["a", "b"]])
def test_resamples_have_one_score_for_each(answer):
    metric = Metric("x", np.mean, resample=lambda _column, _counts: answer)
    with pytest.raises(HarnessError, match=r"^resample of metric x returned .* numbers of shape \(2,\)"):
        resampled_scores(metric, [np.ones(3)], np.ones((2, 3)))


def test_a_metric_names_columns_that_predict_gives():
    task = Answer()
    task.metrics = (Metric("accuracy", np.mean, columns=("corect",)),)
    with pytest.raises(
        HarnessError, match=r"^metric accuracy reads the column corect, which predict does not"
    ):
        evaluated(task)


@pytest.mark.parametrize("missing", [math.nan, math.inf, None])
def test_an_undefined_headline_names_the_first_row_that_is_no_number(missing):
    what = "infinite" if missing == math.inf else "undefined"
    told = f"accuracy is {what} on these 4 examples: column 'correct' has 1 that are NaN, infinite or None"
    with pytest.raises(HarnessError, match=rf"^{told}, the first in row 2 \(id 2\)"):
        evaluated(Answer(correct=[1.0, 0.0, missing, 0.0]))


def test_a_further_metric_that_is_infinite_is_said_to_be_and_costs_no_result():
    task = Answer()
    task.metrics = (*task.metrics, Metric("ratio", lambda _: math.inf, columns=("correct",)))
    evaluation, _ = evaluated(task)
    assert [score.score for score in evaluation.scores] == [0.5, None]
    assert [finding.evidence for finding in evaluation.findings] == ["ratio is infinite on these 4 examples"]


def test_a_score_beyond_the_bounds_that_its_metric_says_is_refused():
    task = Answer()
    task.metrics = (mean_metric("accuracy", "correct", bounds=(0, 0.5)),)
    with pytest.raises(HarnessError, match=r"^metric accuracy has the value 1, and its bounds say between 0"):
        evaluated(task)
    percent = Metric("percent", lambda *_: 50.0, bounds=(0, 1))
    with pytest.raises(HarnessError, match=r"^metric percent returned 50, and its bounds say between 0 and"):
        compute_score(percent, [np.zeros(2), np.zeros(2)])
    assert compute_score(Metric("m", lambda *_: 1 + 1e-12, bounds=(0, 1)), [np.zeros(2)]) == 1.0


class Whole(AggregateTask):
    """Answers with what it is given."""

    name, kind = "whole", "whole"

    def __init__(self, answer):
        self._answer = answer

    def load(self, source):
        return Dataset({"text": ["a"]})

    def score(self, model, dataset):
        return self._answer


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        (None, "score returned nothing (None), not a dict of metric → score"),
        ({"x": "1"}, "score of whole gives x as '1', a str: one number is wanted"),
        ({1: 1.0}, "score of whole names a metric 1, not a text"),
    ],
)
def test_aggregate_scores_are_numbers_by_name(answer, told):
    with pytest.raises(HarnessError, match=f"^{re.escape(told)}"):
        evaluated(Whole(answer))


def test_aggregate_scores_of_numpy_are_numbers_too():
    assert evaluated(Whole({"x": np.float32(0.5)}))[0].scores[0].score == 0.5
