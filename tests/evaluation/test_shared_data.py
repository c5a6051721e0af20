"""A score does not depend on the models that were asked before: no task can change what they share."""

from __future__ import annotations

import heapq

import numpy as np
import pytest
from conftest import LetterModel

from harness import Dataset, Predictions, Role, Task, mean_metric
from harness.encoding.cached_model import CachedModel
from harness.evaluation.run import run_plan
from harness.evaluation.runner import RunPlan
from harness.results.folder import ResultsFolder
from harness.tasks.selection import SelectedTask


class Careless(Task):
    """Does something to its rows or embeddings after it has answered."""

    name, kind, metrics = "careless", "careless", (mean_metric("accuracy", "correct"),)

    def __init__(self, change, announced=True):
        self.change, self.announced = change, announced

    def load(self, source):
        texts = [f"{'abcdefgh'[number % 8]} number {number}" for number in range(40)]
        return Dataset({"a": texts, "gold": [number % 2 for number in range(40)]})

    def texts(self, dataset):
        return [(text, Role.TEXT) for text in dataset["a"]] if self.announced else []

    def predict(self, model, dataset):
        embeddings = model.encode(dataset["a"])
        correct = [
            float((row[0] > 0) == bool(gold)) for row, gold in zip(embeddings, dataset["gold"], strict=True)
        ]
        self.change(dataset, embeddings)
        return Predictions(dataset, correct=correct)


def zero(_dataset, embeddings):
    embeddings[:] = 0


def zero_by_force(_dataset, embeddings):
    owner = embeddings.base if embeddings.base is not None else embeddings
    owner.flags.writeable = True
    owner[:] = 0


CHANGES = {
    "sorts gold": lambda dataset, _: dataset["gold"].sort(),
    "drops a column": lambda dataset, _: dataset.columns.pop("gold"),
    "replaces a column": lambda dataset, _: dataset.columns.update(gold=[0] * 40),
    "adds a table": lambda dataset, _: dataset.tables.update(other=dataset),
    "writes embeddings": zero,
    "writes embeddings by force": zero_by_force,
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_a_task_that_changes_what_models_share_fails_for_each_of_them_alike(change, tmp_path):
    models = [LetterModel("one"), LetterModel("two", "b" * 64)]
    plan = RunPlan(models=models, tasks=[SelectedTask(Careless(change), True)])
    found = run_plan(plan, ResultsFolder(tmp_path)).evaluations
    assert [evaluation.status for evaluation in found] == ["error", "error"]
    assert found[0].error == found[1].error


def test_the_error_names_the_column_and_what_to_do(tmp_path):
    plan = RunPlan(models=[LetterModel()], tasks=[SelectedTask(Careless(CHANGES["sorts gold"]), True)])
    (found,) = run_plan(plan, ResultsFolder(tmp_path)).evaluations
    assert "column 'gold' of the dataset cannot be changed" in found.error
    assert "sorted(values)" in found.error


def test_embeddings_that_are_copies_may_be_changed_and_nobody_else_sees_it():
    model = CachedModel(LetterModel())
    first = model.encode(["a", "b", "c"])
    copies = model.encode(["c", "a"])
    copies[:] = 0
    assert np.array_equal(model.encode(["a", "b", "c"]), first)
    assert model.encode(["c"]).any()


def test_embeddings_that_were_not_announced_are_safe_too(tmp_path):
    plan = RunPlan(
        models=[LetterModel()], tasks=[SelectedTask(Careless(zero_by_force, announced=False), True)]
    )
    (found,) = run_plan(plan, ResultsFolder(tmp_path)).evaluations
    assert found.status == "error"


def test_a_heap_made_of_a_copy_is_fine_and_of_a_column_changes_no_other_models_rows(tmp_path):
    """The C code of heapq changes any list without asking it: each `predict` has its own."""
    models = [LetterModel("one"), LetterModel("two", "b" * 64)]
    task = Careless(lambda dataset, _: heapq.heapify(dataset["gold"]))
    found = run_plan(
        RunPlan(models=models, tasks=[SelectedTask(task, True)]), ResultsFolder(tmp_path)
    ).evaluations
    assert found[0].scores == found[1].scores


def test_a_model_that_sorts_the_texts_it_gets_is_refused(tmp_path):
    class Sorting(LetterModel):
        def encode(self, texts, role=Role.TEXT):
            texts.sort(key=len)
            return super().encode(texts, role)

    plan = RunPlan(models=[Sorting()], tasks=[SelectedTask(Careless(lambda *_: None), True)])
    (found,) = run_plan(plan, ResultsFolder(tmp_path)).evaluations
    assert "the list of texts cannot be changed" in found.error
