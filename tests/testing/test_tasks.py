"""The kit for tasks: each rule has a task that breaks it and no other; our own tasks keep all."""

from __future__ import annotations

import heapq
import itertools
import os
import socket
import sys
from contextlib import suppress
from pathlib import Path
from types import MappingProxyType

import numpy as np
import pytest
import torch

from harness import Dataset, Finding, Metric, Predictions, Role, Severity, Task, mean_metric
from harness.authoring import AggregateTask
from harness.plugins.loader import load_plugins
from harness.testing import check_task, no_network, task_failures
from harness.testing.rules import wanted
from harness.testing.tasks import AGGREGATE_STAGES, STAGES

ROWS = 24
THINGS = ("ferry", "bill", "garden", "printer", "letter", "dog", "train", "roof")
COUNTER = itertools.count()


def spread(near):
    return float(np.std(near)) if len(near) > 1 else float("nan")


class Sound(Task):
    name, kind, tags = "sound", "sound", frozenset({"sound"})
    metrics = (mean_metric("accuracy", "correct"), Metric("spread", spread, columns=("near",)))

    def load(self, source):
        return Dataset(self.columns())

    def columns(self):
        things = [f"{THINGS[row % 8]} number {row}" for row in range(ROWS)]
        return {
            "question": [f"where is the {thing}" for thing in things],
            "answer": [f"the {thing} is here" for thing in things],
            "other": [f"it rains on day {row}" for row in range(ROWS)],
        }

    def texts(self, dataset):
        yield from ((text, Role.QUERY) for text in dataset["question"])
        yield from ((text, Role.DOCUMENT) for name in ("answer", "other") for text in dataset[name])

    def predict(self, model, dataset):
        near, far = self.similarities(model, dataset)
        return Predictions(dataset, near=near, correct=near > far)

    def similarities(self, model, dataset):
        question = model.encode(dataset["question"], Role.QUERY)
        answer, other = (model.encode(dataset[name], Role.DOCUMENT) for name in ("answer", "other"))
        return model.pairwise_similarity(question, answer), model.pairwise_similarity(question, other)


class TwoMetricsOfOneName(Sound):
    metrics = (mean_metric("accuracy", "correct"), mean_metric("accuracy", "near"))


class OptionsThatAreNotData(Sound):
    options = MappingProxyType({"key": object()})


class LoadsADict(Sound):
    def load(self, source):
        return self.columns()


class HasNoSample(Sound):
    def load(self, source):
        source.path("rows.csv")


class LoadRaises(Sound):
    def load(self, source):
        raise KeyError("no column")


class OtherOrderEachTime(Sound):
    def columns(self):
        turned = next(COUNTER) % ROWS
        return {name: [*cells[turned:], *cells[:turned]] for name, cells in super().columns().items()}


class OneCluster(Sound):
    def columns(self):
        return {**super().columns(), "cluster": ["all"] * ROWS}


class ClusterMissing(Sound):
    def columns(self):
        return {**super().columns(), "cluster": [None, *map(str, range(1, ROWS))]}


class SharesTexts(Sound):
    def columns(self):
        return {**super().columns(), "other": ["it rains"] * ROWS}


class CutsClusters(Sound):
    def columns(self):
        return {**super().columns(), "cluster": [f"c{row // 4}" for row in range(ROWS)]}

    def limited(self, dataset, limit):
        return dataset.take(range(min(limit, len(dataset))))


class DrawsItsSample(Sound):
    def limited(self, dataset, limit):
        rows = np.random.default_rng().permutation(len(dataset))
        return dataset.take(sorted(int(row) for row in rows[: max(1, limit)]))


class RenumbersItsSample(Sound):
    def limited(self, dataset, limit):
        some = dataset.sample(limit)
        return Dataset({**some.columns, "id": [f"new {row}" for row in range(len(some))]})


class SortsItsRows(Sound):
    def predict(self, model, dataset):
        dataset["question"].sort()
        return super().predict(model, dataset)


class HeapOfItsRows(Sound):
    def predict(self, model, dataset):
        answers = super().predict(model, dataset)
        heapq.heapify(dataset["other"])
        heapq.heappush(dataset["other"], heapq.heappop(dataset["other"]))
        return answers


class NormalizesInPlace(Sound):
    def similarities(self, model, dataset):
        question = model.encode(dataset["question"], Role.QUERY)
        question *= 2
        answer, other = (model.encode(dataset[name], Role.DOCUMENT) for name in ("answer", "other"))
        return model.pairwise_similarity(question, answer), model.pairwise_similarity(question, other)


class ReturnsAFloat(Sound):
    def predict(self, model, dataset):
        return float(self.similarities(model, dataset)[0].mean())


class AnswersBackwards(Sound):
    def predict(self, model, dataset):
        return super().predict(model, dataset.take(range(len(dataset))[::-1]))


class AnswersOtherRows(Sound):
    def predict(self, model, dataset):
        changed = {**dataset.columns, "answer": [text.upper() for text in dataset["answer"]]}
        near, far = self.similarities(model, dataset)
        return Predictions(Dataset(changed), near=near, correct=near > far)


class MetricWithoutItsColumn(Sound):
    metrics = (*Sound.metrics, mean_metric("recall", "recall_at_1"))


class DrawsAnswers(Sound):
    def predict(self, model, dataset):
        near, far = self.similarities(model, dataset)
        return Predictions(dataset, near=near + np.random.default_rng().random(ROWS), correct=near > far)


class NaNInARow(Sound):
    def predict(self, model, dataset):
        near, far = self.similarities(model, dataset)
        return Predictions(dataset, near=[float("nan"), *near[1:]], correct=near > far)


class DividesByLength(Sound):
    def similarities(self, model, dataset):
        question = model.encode(dataset["question"], Role.QUERY)
        answer, other = (model.encode(dataset[name], Role.DOCUMENT) for name in ("answer", "other"))
        with np.errstate(invalid="ignore"):
            question = question / np.linalg.norm(question, axis=1, keepdims=True)
        return (question * answer).sum(axis=1), (question * other).sum(axis=1)


class MetricReturnsNothing(Sound):
    metrics = (*Sound.metrics, Metric("nothing", lambda near: None, columns=("near",)))


class MetricIsNaN(Sound):
    metrics = (*Sound.metrics, Metric("nan", lambda near: float("nan"), columns=("near",)))


def sorting(near):
    near.sort()
    return spread(near)


class MetricSortsItsColumn(Sound):
    metrics = (*Sound.metrics, Metric("sorting", sorting, columns=("near",)))


class MetricOfTheFirstRow(Sound):
    metrics = (
        *Sound.metrics,
        Metric("first", lambda near: near[0] if len(near) else np.nan, columns=("near",)),
    )


class MetricDividesByZero(Sound):
    metrics = (*Sound.metrics, Metric("mean", lambda near: sum(near.tolist()) / len(near), columns=("near",)))


class MetricOfNothingIsOne(Sound):
    metrics = (
        *Sound.metrics,
        Metric("one", lambda near: spread(near) if len(near) else 1.0, columns=("near",)),
    )


class ResamplesOtherwise(Sound):
    metrics = (
        *Sound.metrics,
        Metric("twice", spread, columns=("near",), resample=lambda near, counts: np.full(len(counts), 0.5)),
    )


class EncodesAsAnUnknownWord(Sound):
    def texts(self, dataset):
        yield from ((text, Role.TEXT) for text in dataset["question"])
        yield from ((text, Role.DOCUMENT) for name in ("answer", "other") for text in dataset[name])

    def similarities(self, model, dataset):
        question = model.encode(dataset["question"], "passage")
        answer, other = (model.encode(dataset[name], Role.DOCUMENT) for name in ("answer", "other"))
        return model.pairwise_similarity(question, answer), model.pairwise_similarity(question, other)


class AnnouncesNothing(Sound):
    def texts(self, dataset):
        return ()


class AnnouncesAnotherRole(Sound):
    def texts(self, dataset):
        return [(text, Role.TEXT) for name in ("question", "answer", "other") for text in dataset[name]]


class AnnouncesTooMuch(Sound):
    def texts(self, dataset):
        return [*super().texts(dataset), ("never encoded", Role.DOCUMENT)]


class AnnouncesTextsAlone(Sound):
    def texts(self, dataset):
        return dataset["question"]


class AnnouncesOnce(Sound):
    def __init__(self):
        self._announced = None

    def texts(self, dataset):
        self._announced = self._announced or super().texts(dataset)
        return self._announced

    def __deepcopy__(self, memory):
        return type(self)()


class KeepsTheFirstThreshold(Sound):
    threshold = None

    def predict(self, model, dataset):
        near, _ = self.similarities(model, dataset)
        if self.threshold is None:
            self.threshold = float(np.median(near))
        return Predictions(dataset, near=near, correct=near > self.threshold)


class AnswersOfTwoTypes(Sound):
    def predict(self, model, dataset):
        near, far = self.similarities(model, dataset)
        return Predictions(dataset, near=near, correct=near > far, label=["a", 1] * (len(dataset) // 2))


class FittedNumpy(Sound):
    def predict(self, model, dataset):
        near, far = self.similarities(model, dataset)
        return Predictions(dataset, near=near, correct=near > far, fitted={"threshold": near.mean()})


class FindingWithoutRemedy(Sound):
    def load(self, source):
        return Dataset(self.columns(), findings=(Finding("odd-rows", Severity.NOTE, "2 rows are odd"),))


def fragile(near):
    if 1 < len(near) < ROWS:
        raise ValueError("too few")
    return spread(near)


class MetricThatNeedsAllRows(Sound):
    metrics = (*Sound.metrics, Metric("fragile", fragile, columns=("near",)))


class WantsTheNetwork(Sound):
    def predict(self, model, dataset):
        with suppress(OSError):
            socket.create_connection(("kit.invalid", 80))
        return super().predict(model, dataset)


class PrintsATextOfARow(Sound):
    def predict(self, model, dataset):
        os.write(1, f"row 3: {dataset['question'][3]}\n".encode())
        return super().predict(model, dataset)


class ClosesItsOutput(Sound):
    def predict(self, model, dataset):
        sys.stdout.close()
        return super().predict(model, dataset)


class ScoresInPercent(Sound):
    metrics = (*Sound.metrics, Metric("share", lambda near: 100.0, columns=("near",), bounds=(0, 1)))


class ScoresWithoutEnd(Sound):
    metrics = (*Sound.metrics, Metric("ratio", lambda near: float("inf"), columns=("near",)))


class ScoresATensor(Sound):
    metrics = (*Sound.metrics, Metric("tensor", lambda near: torch.tensor(0.5), columns=("near",)))


BROKEN = [
    ("attributes", TwoMetricsOfOneName, "with more than one metric 'accuracy'"),
    ("attributes", OptionsThatAreNotData, "not plain data"),
    ("load", LoadsADict, "load returns a dict, not a Dataset"),
    ("load", HasNoSample, "there is no data to try it with"),
    ("load", LoadRaises, "it raises KeyError: 'no column' (test_tasks.py, line "),
    ("same-rows", OtherOrderEachTime, "column 'question' differs"),
    ("clusters", OneCluster, "one value in all 24 rows"),
    ("clusters", ClusterMissing, "no value in 1 of 24 rows"),
    ("clusters", SharesTexts, "24 of 24 examples share a text of column 'other'"),
    ("limited", CutsClusters, "limited(1) cuts clusters: it has 1 of their 4 examples"),
    ("limited", DrawsItsSample, "other rows when it is called again"),
    ("limited", RenumbersItsSample, "returns the id 'new 0'"),
    ("inputs", SortsItsRows, "column 'question' of the dataset cannot be changed"),
    ("inputs", HeapOfItsRows, "predict changes column 'other' of its rows"),
    ("inputs", NormalizesInPlace, "predict changes the embeddings"),
    ("answers", ReturnsAFloat, "predict returns a float, not Predictions"),
    ("answers", AnswersBackwards, "other ids, or in another order"),
    ("answers", AnswersOtherRows, "another column 'answer'"),
    ("metric-columns", MetricWithoutItsColumn, "metric 'recall' reads the column 'recall_at_1'"),
    ("twice", DrawsAnswers, "column 'near' in 24 of 24 rows"),
    ("finite", NaNInARow, "column 'near' has nan in 1 of 24 rows"),
    (
        "finite",
        DividesByLength,
        "with a model that gives a text an embedding of zeros, column 'near' has nan",
    ),
    ("metrics-defined", MetricReturnsNothing, "metric 'nothing' returns nothing (None)"),
    ("metrics-defined", MetricIsNaN, "metric 'nan' is NaN on these 24 examples"),
    ("metrics-defined", ScoresWithoutEnd, "metric 'ratio' is infinite on these 24 examples"),
    ("metrics-defined", ScoresATensor, "returns 'tensor(0.5000)', a Tensor: one number is wanted"),
    ("metrics-defined", ScoresInPercent, "share returned 100, and its bounds say between 0 and 1"),
    ("metrics-pure", MetricSortsItsColumn, "metric 'sorting' changes its column 'near'"),
    ("metrics-pure", MetricOfTheFirstRow, "metric 'first' depends on the order of the rows"),
    ("metrics-undefined", MetricDividesByZero, "metric 'mean' raises ZeroDivisionError"),
    ("metrics-undefined", MetricOfNothingIsOne, "metric 'one' is 1 for no examples"),
    ("metrics-resample", ResamplesOtherwise, "resample of 'twice' is 0.500000"),
    ("encodes", EncodesAsAnUnknownWord, "the role 'passage': Role.TEXT, Role.QUERY, Role.DOCUMENT exist"),
    ("texts", AnnouncesNothing, "72 of 72 texts that texts does not announce"),
    ("texts", AnnouncesAnotherRole, "as query (announced as text)"),
    ("texts", AnnouncesTooMuch, "announces 1 texts that predict does not encode, such as 'never encoded'"),
    ("texts", AnnouncesTextsAlone, "a str, not a text and its Role (texts() yields pairs"),
    ("texts", AnnouncesOnce, "other texts when it is asked again"),
    ("models", KeepsTheFirstThreshold, "a model gets other answers after another one"),
    ("stored", AnswersOfTwoTypes, "its predictions cannot be written"),
    ("stored", FittedNumpy, "fitted is not plain data"),
    ("findings", FindingWithoutRemedy, "'odd-rows' has no remedy"),
    ("evaluates", MetricThatNeedsAllRows, "it raises ValueError: too few"),
    ("network", WantsTheNetwork, "it wants to reach kit.invalid"),
    ("streams", ClosesItsOutput, "it closes sys.stdout: other code prints there, too"),
    ("prints", PrintsATextOfARow, "it prints 'where is the printer number 3', a text of its rows"),
]


def test_a_sound_task_keeps_all_rules():
    check_task(Sound())


@pytest.mark.parametrize(
    ("rule", "broken", "says"), [pytest.param(*one, id=one[1].__name__) for one in BROKEN]
)
def test_a_task_that_breaks_one_rule_is_found_by_this_rule_alone(rule, broken, says):
    (sentence,) = task_failures(broken())
    assert sentence.startswith(f"{rule}: ")
    assert says in sentence


def test_every_rule_of_tasks_has_a_task_that_breaks_it():
    assert {rule for rule, *_ in BROKEN} == set(wanted(STAGES))
    assert set(wanted(AGGREGATE_STAGES)) - set(wanted(STAGES)) == {"scores"}


def test_roles_may_be_given_by_their_names_as_in_a_run():
    class ByName(Sound):
        def texts(self, dataset):
            return [(text, str(role)) for text, role in super().texts(dataset)]

        def similarities(self, model, dataset):
            question = model.encode(dataset["question"], "query")
            answer, other = (model.encode(dataset[name], "document") for name in ("answer", "other"))
            return model.pairwise_similarity(question, answer), model.pairwise_similarity(question, other)

    assert task_failures(ByName()) == []


def test_an_assertion_has_one_line_for_each_broken_rule():
    class Two(AnnouncesNothing, FindingWithoutRemedy):
        pass

    with pytest.raises(
        AssertionError, match=r"task 'sound' does not do what docs/plugins/testing\.md"
    ) as raised:
        check_task(Two())
    _, *lines = str(raised.value).splitlines()
    assert [line.partition(":")[0] for line in lines] == ["- texts", "- findings"]


class Whole(AggregateTask):
    name, kind, tags = "whole", "whole", frozenset({"whole"})

    def load(self, source):
        return Dataset({"text": [f"text {row}" for row in range(8)]})

    def score(self, model, dataset):
        return {"mean": float(model.encode(dataset["text"]).mean())}


class WholeWithoutScores(Whole):
    def score(self, model, dataset):
        return {}


def test_a_task_that_another_tool_scores_is_tried_by_its_scores():
    assert task_failures(Whole()) == []
    (sentence,) = task_failures(WholeWithoutScores())
    assert sentence.startswith("scores: score returns {}")


@pytest.mark.parametrize("name", ["stsb-dev", "penal-triplets"])
def test_our_own_tasks_keep_all_rules(name):
    check_task(load_plugins().tasks()[name])


@pytest.mark.slow
def test_all_of_our_own_tasks_with_a_sample_keep_all_rules():
    tasks = [task for task in load_plugins().tasks().values() if task.sample is not None]
    assert len(tasks) >= 7
    assert {task.name: task_failures(task) for task in tasks} == {task.name: [] for task in tasks}


def test_the_guard_of_the_network_names_the_hosts_and_leaves_this_machine_in_reach():
    wanted_host = pytest.raises(AssertionError, match=r"the network was wanted: kit\.invalid")
    with wanted_host, no_network(), pytest.raises(ConnectionRefusedError, match="a test reaches no network"):
        socket.create_connection(("kit.invalid", 80))
    with socket.create_server(("127.0.0.1", 0)) as server, no_network():
        socket.create_connection(server.getsockname()).close()


def test_a_data_folder_that_a_task_writes_to_is_found(tmp_path):
    class Writes(Sound):
        def load(self, source):
            (source.root / "rows.cache").write_text("x")
            return super().load(source)

    (sentence,) = task_failures(Writes(), Path(tmp_path))
    assert sentence.startswith("load: load writes to the folder of its data: ")
