"""All models on all tasks: what is computed, what is kept, what a failure costs."""

from __future__ import annotations

import json
import sys
from dataclasses import replace

import numpy as np
import pytest
from conftest import LetterModel

from harness import Dataset, HarnessError, Predictions, Role, Settings, Task, mean_metric
from harness.authoring import AggregateTask, ModelScheme, ModelSpec
from harness.encoding.cached_model import CachedModel
from harness.encoding.text_embeddings import TextEmbeddings
from harness.evaluation.evaluate import evaluate
from harness.evaluation.progress import Progress
from harness.evaluation.run import run_plan
from harness.evaluation.runner import RunPlan
from harness.evaluation.throughput import measure
from harness.models.interface import ALL_SETTINGS
from harness.models.locate import locate_model
from harness.models.workload import workload
from harness.results.folder import ResultsFolder, seal
from harness.tasks.interface import DataSource
from harness.tasks.selection import SelectedTask

pytestmark = pytest.mark.kernels


class Twins(Task):
    """Is a text nearer to its twin than to another?"""

    kind = "twins"
    metrics = (mean_metric("accuracy", "correct"),)
    rows = (("abc", "abd", "xyz"), ("hello", "hallo", "quick"), ("one", "eno", "two"))

    def __init__(self, name="twins", rows=None):
        self.name = name
        self.rows = rows or self.rows

    def load(self, source):
        return Dataset(dict(zip(("text", "twin", "other"), zip(*self.rows, strict=True), strict=True)))

    def texts(self, dataset):
        return [(text, Role.TEXT) for column in ("text", "twin", "other") for text in dataset[column]]

    def predict(self, model, dataset):
        text, twin, other = (model.encode(dataset[name]) for name in ("text", "twin", "other"))
        correct = model.pairwise_similarity(text, twin) > model.pairwise_similarity(text, other)
        return Predictions(dataset, correct=correct.astype(float))


class Broken(Twins):
    """Its plugin has a bug."""

    def predict(self, model, dataset):
        raise KeyError("a bug")


class Undefined(Twins):
    """Its metric has no value."""

    def predict(self, model, dataset):
        return Predictions(dataset, correct=np.full(len(dataset), np.nan))


class NeedsData(Twins):
    """Reads a file."""

    def load(self, source):
        source.path("twins.csv")
        raise AssertionError("there is no such file")


class Elsewhere(AggregateTask):
    """Scored by another tool."""

    name, kind = "elsewhere", "elsewhere"

    def load(self, source):
        return Dataset({"id": ["all"]})

    def score(self, model, dataset):
        return {"main": 0.5, "other": float("nan")}


class Recorder(Progress):
    def __init__(self):
        self.ended, self.notes = [], []

    def end(self, evaluation, *, reused):
        self.ended.append(
            (evaluation.candidate.model, evaluation.examination.task, evaluation.status, reused)
        )

    def note(self, text):
        self.notes.append(text)


def plan(*tasks, models=None, by_name=True, keep_going=True, **options):
    return RunPlan(
        models=models or [LetterModel()],
        tasks=[SelectedTask(task, by_name) for task in tasks],
        keep_going=keep_going,
        **options,
    )


@pytest.fixture
def results(tmp_path):
    return ResultsFolder(tmp_path / "out")


def files(results):
    return {path: path.read_bytes() for path in results.root.rglob("*") if path.is_file()}


def test_a_score_comes_with_interval_examples_predictions_and_provenance(results):
    task = Twins(rows=[(f"ab{'c' * row}", f"abd{'c' * row}", "xyz") for row in range(10)])
    (found,) = run_plan(plan(task), results).evaluations
    (score,) = found.scores
    assert (score.metric, score.score, score.examples) == ("accuracy", 1.0, 10)
    assert (score.low, score.high) == pytest.approx((0.025**0.1, 1.0))
    assert found.examination.digest == task.load(None).digest
    assert found.candidate.fingerprint == LetterModel().fingerprint
    assert results.has_predictions(found)
    assert results.read(found.model, found.examination) == found


def test_every_text_is_encoded_once_over_all_tasks(results):
    model = LetterModel()
    run_plan(
        plan(Twins("one"), Twins("two", [*Twins.rows, ("abc", "hello", "new")]), models=[model]), results
    )
    texts = [text for text, _ in model.encoded]
    assert len(texts) == len(set(texts)) == 10


def test_no_more_is_held_after_a_task_than_those_after_it_announce(results, monkeypatch):
    left, forget = [], CachedModel.forget

    def forgetting(model, is_unused):
        forget(model, is_unused)
        left.append(sorted(model._embeddings._tables[Role.TEXT]._rows))

    monkeypatch.setattr(CachedModel, "forget", forgetting)
    rows = {"one": ("abc", "abd", "xyz"), "two": ("abc", "new", "hello"), "three": ("xyz", "new", "one")}
    run_plan(plan(*(Twins(name, [row]) for name, row in rows.items())), results)
    assert left == [["abc", "xyz"], ["new", "xyz"]]


def test_an_interruption_while_a_later_task_announces_costs_no_result(results):
    def interrupted(_):
        raise KeyboardInterrupt

    later = Twins("later")
    later.texts = interrupted
    with pytest.raises(KeyboardInterrupt):
        run_plan(plan(Twins("one"), later), results)
    assert [evaluation.examination.task for evaluation in results.evaluations()] == ["one"]


@pytest.mark.parametrize(
    "texts", [lambda _: 1 / 0, lambda _: sys.exit(0), lambda _: [[1, 2], 3], lambda _: 1]
)
def test_a_task_that_fails_to_announce_fails_alone_and_in_its_turn(results, texts):
    recorder, silent = Recorder(), Twins("silent")
    silent.texts = texts
    run_plan(plan(Twins("one"), silent, Twins("two")), results, recorder)
    assert [(task, status) for _, task, status, _ in recorder.ended] == [
        ("one", "ok"),
        ("silent", "error"),
        ("two", "ok"),
    ]


def test_a_record_does_not_depend_on_the_other_tasks_of_the_run(tmp_path):
    alone, among = ResultsFolder(tmp_path / "alone"), ResultsFolder(tmp_path / "among")
    run_plan(plan(Twins()), alone)
    run_plan(plan(Twins("other", [("a", "b", "abc")]), Twins(), Elsewhere()), among)
    (expected,) = alone.evaluations()
    assert expected in among.evaluations()


def test_the_second_run_computes_nothing_and_changes_no_byte(results):
    run_plan(plan(Twins(), Elsewhere()), results)
    before, model = files(results), LetterModel()
    outcome = run_plan(plan(Twins(), Elsewhere(), models=[model]), results)
    assert outcome.reused == 2
    assert model.encoded == []
    assert files(results) == before


@pytest.mark.parametrize(
    "changed",
    [
        pytest.param({"task": Twins(rows=[("abc", "abd", "xyz"), ("a", "b", "c")])}, id="a row"),
        pytest.param({"limit": 2}, id="the limit"),
        pytest.param({"fresh": True}, id="nothing, but asked to"),
        pytest.param({"fingerprint": "b" * 64}, id="the model"),
        pytest.param({"dtype": "bfloat16"}, id="a setting"),
        pytest.param({"version": 2}, id="the task's version"),
    ],
)
def test_a_changed_input_is_computed_again(results, changed):
    run_plan(plan(Twins()), results)
    task, model = changed.get("task", Twins()), LetterModel(fingerprint=changed.get("fingerprint", "a" * 64))
    task.version = changed.get("version", 1)
    settings = replace(model.spec.settings, dtype=changed.get("dtype", "float32"))
    model.spec, model.facts = (
        replace(model.spec, settings=settings),
        replace(model.facts, dtype=settings.dtype),
    )
    options = {name: changed[name] for name in ("limit", "fresh") if name in changed}
    assert run_plan(plan(task, models=[model], **options), results).reused == 0
    assert model.encoded


def test_a_model_is_timed_after_its_tasks_and_only_when_it_had_to_be_loaded(results):
    for times in (1, 0):
        model = LetterModel()
        run_plan(plan(Twins(), models=[model], throughput=True), results)
        assert len(results.throughputs()) == 1
        # A fast model's workload is repeated eight times, but for the round that finds that out. On a machine
        # with other work there are more rounds than five.
        rounds = len(results.throughputs()[0].seconds)
        assert len(model.encoded) == times * (9 + 64 * (1 + 8 + rounds * 8))


def test_a_model_that_failed_is_not_timed(results):
    run_plan(plan(Broken(), throughput=True), results)
    assert results.throughputs() == []


def test_a_model_on_another_machine_is_not_timed(results):
    model = LetterModel()
    model.facts = replace(model.facts, remote=True)
    run_plan(plan(Twins(), models=[model], throughput=True), results)
    assert results.throughputs() == []
    assert len(model.encoded) == 9
    run_plan(plan(Twins(), models=[model], throughput=True, time_remote=True), results)
    assert len(results.throughputs()) == 1


def test_a_model_on_another_machine_is_not_loaded_to_be_timed(results):
    model = LetterModel()
    model.facts, model.remote = replace(model.facts, remote=True), True
    run_plan(plan(Twins(), models=[model]), results)
    model.load = None
    assert run_plan(plan(Twins(), models=[model], throughput=True), results).reused == 1


def test_a_model_that_is_not_identified_is_evaluated_by_each_run(results):
    model = LetterModel()
    model.facts, model.identified = replace(model.facts, identified=False, reproducible=True), False
    for _ in range(2):
        outcome = run_plan(plan(Twins(), models=[model], cache=results.root / "cache"), results)
        assert not outcome.reused
        (record,) = outcome.evaluations
        assert not record.candidate.facts.identified
        assert [finding.code for finding in record.all_findings] == ["unidentified"]
    assert len(model.encoded) == 18
    assert not list(results.root.glob("cache/embeddings/*"))


def test_a_record_whose_predictions_are_gone_is_computed_again(results):
    (found,) = run_plan(plan(Twins()), results).evaluations
    results.predictions_path(found).unlink()
    assert run_plan(plan(Twins()), results).reused == 0


def test_a_record_with_the_predictions_of_another_run_is_computed_again(results):
    """A run that was cut off between its two files leaves new predictions beside an old record."""
    (found,) = run_plan(plan(Twins()), results).evaluations
    record = next(results.root.glob("records/*/twins.json"))
    old = record.read_bytes()
    run_plan(plan(Twins(rows=[("abc", "abd", "xyz"), ("a", "b", "c")])), results)
    record.write_bytes(old)
    assert results.read(found.model, found.examination) == found
    assert run_plan(plan(Twins()), results).reused == 0


def sealed_anew(path, change):
    content = json.loads(path.read_text())
    change(content)
    path.write_text(json.dumps({**content, "seal": seal(content)}))


FORGED = {
    "its metrics are accuracy_tuned": lambda content: content["scores"][0].update(metric="accuracy_tuned"),
    "its accuracy reads the mean of other": lambda content: content["scores"][0].update(columns=["other"]),
    "it names no predictions": lambda content: (
        content.update(predictions=None),
        content["scores"][0].update(columns=[], low=None, high=None),
    ),
    "was computed of predictions, and it names none": lambda content: content.update(predictions=None),
    "its kind is other": lambda content: content.update(kind="other"),
    "its content belongs in errors/": lambda content: content.update(status="error"),
}


@pytest.mark.parametrize("told", FORGED)
def test_a_record_that_its_task_cannot_have_given_is_computed_again_with_a_message(results, told):
    run_plan(plan(Twins()), results)
    before = files(results)
    (path,) = results.root.glob("records/*/*.json")
    sealed_anew(path, FORGED[told])
    recorder = Recorder()
    assert run_plan(plan(Twins()), results, recorder).reused == 0
    assert [told in note for note in recorder.notes] == [True]
    assert files(results) == before


def test_an_unreadable_record_is_computed_again_with_a_message(results):
    run_plan(plan(Twins()), results)
    (path,) = results.root.glob("records/*/twins.json")
    whole = path.read_bytes()
    path.write_bytes(whole[:-40])
    progress = Recorder()
    assert run_plan(plan(Twins()), results, progress).reused == 0
    assert "is not a readable record" in progress.notes[0]
    assert path.read_bytes() == whole


@pytest.mark.parametrize(
    ("task", "reason", "traced"),
    [
        pytest.param(Broken(), "KeyError: 'a bug'", True, id="a plugin that raises"),
        pytest.param(Undefined(), "accuracy is undefined", False, id="an undefined headline"),
        pytest.param(NeedsData(), "no sample is shipped", False, id="data that is not there"),
    ],
)
def test_one_task_that_fails_is_an_error_record_and_the_others_finish(results, task, reason, traced):
    task.name = "failing"
    outcome = run_plan(plan(task, Twins()), results)
    (failed,) = outcome.failed
    assert reason in failed.error
    assert results.trace_path(failed).is_file() is traced
    assert [evaluation.status for evaluation in outcome.evaluations] == ["error", "ok"]


def shuffled(dataset):
    return dataset.take([2, 0, 1])


def other_texts(dataset):
    return Dataset({**dataset.columns, "text": ["other", "texts", "here"]})


def one_id_less(dataset):
    return Dataset({"id": ["0", "1", "3"]})


def cut_column(dataset):
    made = Predictions(dataset, correct=[1.0] * 3)
    made.columns["correct"] = [1.0]
    return made


def without_id(dataset):
    made = Predictions(dataset, correct=[1.0] * 3)
    del made.columns["id"]
    return made


OTHER_ROWS = [lambda dataset: dataset.sample(2), shuffled, other_texts, one_id_less, cut_column, without_id]


@pytest.mark.parametrize("answer", OTHER_ROWS)
def test_predictions_of_other_rows_than_load_returned_are_an_error(results, answer):
    class Other(Twins):
        def predict(self, model, dataset):
            made = answer(dataset)
            return made if isinstance(made, Predictions) else Predictions(made, correct=[1.0] * len(made))

    (failed,) = run_plan(plan(Other()), results).failed
    assert failed.error.startswith("the predictions are not of the rows that load returned")
    assert not list(results.root.glob("errors/*/*.txt"))


def test_predictions_may_have_other_columns_of_the_same_rows(results):
    class Bare(Twins):
        def predict(self, model, dataset):
            return Predictions(
                Dataset({"id": dataset["id"], "note": ["x", "y", "z"]}), correct=[1.0, 0.0, 1.0]
            )

    assert run_plan(plan(Bare()), results).failed == []


def test_an_answer_that_is_no_predictions_is_an_error_in_one_sentence(results):
    class Loose(Twins):
        def predict(self, model, dataset):
            return {"correct": [1.0, 0.0, 1.0]}

    (failed,) = run_plan(plan(Loose()), results).failed
    assert failed.error == "predict returned a dict, not Predictions: one row of answers for each example"


def test_a_failed_task_is_tried_again_and_its_traceback_goes_when_it_succeeds(results):
    (failed,) = run_plan(plan(Broken()), results).failed
    outcome = run_plan(plan(Twins()), results)
    assert outcome.failed == []
    assert not results.trace_path(failed).exists()


def test_a_failure_keeps_the_earlier_result_and_ends_with_its_next_success(results):
    run_plan(plan(Twins()), results)
    run_plan(plan(Broken(rows=[("a", "b", "c")])), results)
    assert [evaluation.status for evaluation in results.evaluations()] == ["error"]
    assert run_plan(plan(Twins()), results).reused == 1
    assert [evaluation.status for evaluation in results.evaluations()] == ["ok"]


def test_a_change_in_our_own_scoring_or_in_a_tasks_options_recomputes(results, monkeypatch):
    run_plan(plan(Twins()), results)
    optioned = Twins()
    optioned.options = {"threshold": 2.0}
    assert run_plan(plan(optioned), results).reused == 0
    assert run_plan(plan(optioned), results).reused == 1
    monkeypatch.setattr("harness.evaluation.keys.scoring_hash", lambda: "changed")
    assert run_plan(plan(optioned), results).reused == 0


def test_another_version_of_ours_with_the_same_scoring_recomputes_nothing(results, monkeypatch):
    run_plan(plan(Twins()), results)
    monkeypatch.setattr("harness.system.environment.version", lambda: "9.9")
    assert run_plan(plan(Twins()), results).reused == 1


def test_a_model_that_cannot_be_loaded_fails_alone(results):
    bad, good = LetterModel("bad", "b" * 64), LetterModel("good")
    bad.load = lambda: (_ for _ in ()).throw(HarnessError("its weights are torn"))
    progress = Recorder()
    run_plan(plan(Twins(), models=[bad, good]), results, progress)
    assert progress.ended == [("bad", "twins", "error", False), ("good", "twins", "ok", False)]


def test_models_of_one_name_keep_their_scores_apart(results):
    class Reversed(LetterModel):
        def pairwise_similarity(self, a, b):
            return -super().pairwise_similarity(a, b)

        def similarity(self, a, b):
            return -super().similarity(a, b)

    models = [LetterModel("tiny", "a" * 64), Reversed("tiny", "b" * 64)]
    run_plan(plan(Twins(), models=models), results)
    assert [evaluation.scores[0].score for evaluation in results.evaluations()] == [1.0, 0.0]


def test_a_task_without_a_sample_is_skipped_with_a_message_when_a_tag_selected_it(results):
    progress = Recorder()
    needs = NeedsData("needs-data")
    outcome = run_plan(plan(needs, Twins(), by_name=False), results, progress)
    assert [evaluation.examination.task for evaluation in outcome.evaluations] == ["twins"]
    assert outcome.skipped == ["needs-data: no sample is shipped for this task"]
    assert progress.notes == ["skipped needs-data: no sample is shipped for this task"]


def test_a_run_without_work_is_an_error(results):
    with pytest.raises(HarnessError, match="none of the selected tasks ships a sample"):
        run_plan(plan(NeedsData(), by_name=False), results)


def test_data_missing_from_a_folder_is_a_failure_and_not_skipped(results, tmp_path):
    outcome = run_plan(plan(NeedsData(), by_name=False, data=tmp_path), results)
    assert "no twins.csv" in outcome.failed[0].error


def test_aggregates_have_scores_and_neither_intervals_nor_predictions(results):
    (found,) = run_plan(plan(Elsewhere()), results).evaluations
    assert [(score.metric, score.score, score.low) for score in found.scores] == [
        ("main", 0.5, None),
        ("other", None, None),
    ]
    assert found.predictions is None


@pytest.mark.parametrize(
    ("folder", "task", "expected"),
    [
        (False, "reads", "sample"),
        (True, "reads", "files"),
        (False, "brings", "own"),
        (True, "brings", "own"),
    ],
)
def test_a_record_has_the_source_of_the_rows(results, tmp_path, folder, task, expected):
    class Reads(Twins):
        sample = tmp_path

        def load(self, source):
            source.path("twins.csv")
            return super().load(source)

    (tmp_path / "twins.csv").touch()
    chosen = Reads() if task == "reads" else Twins()
    (found,) = run_plan(plan(chosen, data=tmp_path if folder else None), results).evaluations
    assert found.examination.data == expected


def test_truncated_texts_are_counted_over_what_a_task_encodes(results):
    long = "a" * 100
    (found,) = run_plan(plan(Twins(rows=[(long, "b" * 64, "c"), ("d", long, "e")])), results).evaluations
    cut = found.truncation
    assert (cut.texts, cut.truncated, cut.tokens, cut.lost) == (5, 1, 167, 36)
    assert "1 of 5 texts (20%)" in cut.finding.evidence


class Counts(LetterModel):
    """Counts tokens, and notes of which texts."""

    def __init__(self, max_tokens=64, *, known=True):
        super().__init__()
        self.facts, self.known, self.counted = replace(self.facts, max_tokens=max_tokens), known, []

    def count_tokens(self, texts, role=Role.TEXT):
        self.counted += texts
        return super().count_tokens(texts, role) if self.known else None


class AsksTheFirst(Twins):
    """Encodes one column of three, and answers with a column that is no text."""

    def __init__(self, rows=None, **brought):
        super().__init__(rows=rows)
        self.brought = brought

    def predict(self, model, dataset):
        model.encode(dataset["text"])
        odd = ["a word", None, ["a list"]]
        return Predictions(dataset, correct=np.ones(3), odd=odd, **self.brought)


def test_an_example_is_marked_if_one_of_its_texts_is_truncated():
    task = Twins(rows=[("b", "bb", "c"), ("d", "a" * 65, "e"), ("f", "ff", "a" * 64)])
    _, predictions = evaluate(LetterModel(), task, DataSource("sample", None))
    assert predictions["truncated"] == [False, True, False]


def test_only_requested_texts_count_as_truncated():
    shown, asked = "a" * 100, "b" * 100
    task = AsksTheFirst(rows=[("b", shown, "c"), (asked, "e", "e"), ("f", "g", "h")])
    _, predictions = evaluate(LetterModel(), task, DataSource("sample", None))
    assert predictions["truncated"] == [False, True, False]


def test_without_truncation_no_example_is_marked():
    _, predictions = evaluate(LetterModel(), Twins(), DataSource("sample", None))
    assert predictions["truncated"] == [False] * 3


@pytest.mark.parametrize(
    "model", [Counts(max_tokens=None), Counts(known=False)], ids=["no limit", "no count"]
)
def test_without_token_counts_truncation_is_unknown(model):
    found, predictions = evaluate(model, Twins(), DataSource("sample", None))
    assert "truncated" not in predictions
    assert found.truncation is None


def test_a_column_that_a_task_calls_truncated_is_left_alone():
    task = AsksTheFirst(truncated=["a", "b", "c"])
    _, predictions = evaluate(LetterModel(), task, DataSource("sample", None))
    assert predictions["truncated"] == ["a", "b", "c"]


def test_the_tokens_of_a_text_are_counted_once():
    model = Counts(max_tokens=2)
    evaluate(model, Twins(rows=[("abc", "abd", "abc"), ("abc", "x", "y")]), DataSource("sample", None))
    assert sorted(model.counted) == ["abc", "abd", "x", "y"]


# --- several ways to store one encoding -------------------------------------------------------------------


class Search(Twins):
    """Finds the document that a query is about; announces roles."""

    def texts(self, dataset):
        queries = [(text, Role.QUERY) for text in dataset["text"]]
        return [*queries, *((text, Role.DOCUMENT) for text in [*dataset["twin"], *dataset["other"]])]

    def predict(self, model, dataset):
        queries = model.encode(dataset["text"], Role.QUERY)
        documents = model.encode([*dataset["twin"], *dataset["other"]], Role.DOCUMENT)
        similarity = model.similarity(queries, documents)
        return Predictions(dataset, correct=similarity[:, 0].astype(float), all=similarity.tolist())


class Located:
    """A model as a scheme locates it; counts what is encoded, and how often it is loaded."""

    def __init__(self, spec):
        self.spec, self.name, self.fingerprint = spec, spec.name or "letters", "a" * 64
        self.model, self.loads = LetterModel(self.name, self.fingerprint), 0
        self.model.spec = spec

    def load(self):
        self.loads += 1
        return self.model


STORED = [(None, "float32"), (26, "float32"), (5, "float32"), (5, "int8"), (9, "uint8"), (None, "binary")]


def stored_models(*settings):
    """Located models that differ in how they are stored, and what they share."""
    made = []

    def locate(spec):
        made.append(Located(spec))
        return made[-1]

    scheme = {"letters": ModelScheme("letters", "", locate, ALL_SETTINGS)}
    specs = [
        ModelSpec("letters", "", settings=Settings(truncate_dim=size, precision=name))
        for size, name in settings
    ]
    return [locate_model(spec, scheme) for spec in specs], made


def lasting(results):
    parts = ("records", "predictions", "errors")
    return {
        path.relative_to(results.root): path.read_bytes()
        for part in parts
        for path in results.root.rglob(f"{part}/*/*")
    }


def test_many_dimensions_and_precisions_take_one_encoding(results):
    models, made = stored_models(*STORED)
    outcome = run_plan(plan(Twins("one"), Search("two"), models=models), results)
    encoded = [text for one in made for text, _ in one.model.encoded]
    measured = set(workload())
    assert sorted(text for text in encoded if text not in measured) == sorted(
        {t for row in Twins.rows for t in row}
    )
    assert len(encoded) == len(set(encoded))
    assert sum(one.loads for one in made) == 1
    assert [(each.candidate.model, each.examination.task) for each in outcome.evaluations] == [
        (name, task)
        for name in (
            "letters",
            "letters-26",
            "letters-5",
            "letters-5-int8",
            "letters-9-uint8",
            "letters-binary",
        )
        for task in ("one", "two")
    ]


@pytest.mark.slow
def test_a_result_is_bit_for_bit_that_of_a_run_at_its_dimension_alone(tmp_path):
    together, apart = ResultsFolder(tmp_path / "together"), ResultsFolder(tmp_path / "apart")
    tasks = Twins("one"), Search("two"), Search("three", [("abc", "zzz", "q"), ("b", "bb", "cab")])
    run_plan(plan(*tasks, models=stored_models(*STORED)[0]), together)
    for settings in STORED[::-1]:
        for task in tasks[::-1]:
            run_plan(plan(task, models=stored_models(settings)[0]), apart)
    assert lasting(together) == lasting(apart)
    assert len(lasting(together)) == 2 * 6 * 3
    assert not together.root.joinpath("errors").exists()


def test_only_what_is_missing_of_several_dimensions_is_computed(results):
    run_plan(plan(Twins("one"), models=stored_models(*STORED[2:4])[0]), results)
    models, made = stored_models(*STORED)
    outcome = run_plan(plan(Twins("one"), Twins("two", [("x", "xy", "z")]), models=models), results)
    assert outcome.reused == 2
    assert [each.candidate.model for each in outcome.evaluations] == [
        m.name for m in models for _ in range(2)
    ]
    assert not [text for one in made[1:] for text, _ in one.model.encoded]


def test_a_dimension_that_the_model_does_not_have_costs_that_one_alone(results):
    models, _ = stored_models((5, "float32"), (27, "float32"), (26, "float32"))
    outcome = run_plan(plan(Twins("one"), models=models), results)
    assert [each.status for each in outcome.evaluations] == ["ok", "error", "ok"]
    assert "invalid --truncate-dim 27: model letters has 26 dimensions" in outcome.failed[0].error


def test_a_model_that_cannot_be_loaded_fails_with_every_dimension(results):
    models, made = stored_models(*STORED[:3])
    for one in made:
        one.load = lambda: 1 / 0
    outcome = run_plan(plan(Twins("one"), models=models), results)
    assert [each.error for each in outcome.evaluations] == ["ZeroDivisionError: division by zero"] * 3


def test_int8_on_a_task_that_announces_nothing_is_an_error_that_says_so(results):
    silent = Twins("silent")
    silent.texts = lambda _: ()
    models, _ = stored_models((None, "int8"), (None, "binary"))
    outcome = run_plan(plan(silent, Elsewhere(), models=models), results)
    assert [each.status for each in outcome.evaluations] == ["error", "ok", "ok", "ok"]
    assert "none were announced" in outcome.failed[0].error


def test_no_more_is_held_for_several_dimensions_than_for_one(results, monkeypatch):
    held, forget = [], TextEmbeddings.forget

    def forgetting(embeddings, is_unused):
        forget(embeddings, is_unused)
        held.append(sorted(embeddings._tables[Role.TEXT]._rows))

    monkeypatch.setattr(TextEmbeddings, "forget", forgetting)
    rows = {"one": ("abc", "abd", "xyz"), "two": ("abc", "new", "hello"), "three": ("xyz", "new", "one")}
    tasks = [Twins(name, [row]) for name, row in rows.items()]
    run_plan(plan(*tasks, models=stored_models(*STORED[:3])[0]), results)
    assert held == [["abc", "xyz"], ["new", "xyz"]]


def test_a_model_is_timed_once_for_all_its_dimensions(results, monkeypatch):
    timed = []
    monkeypatch.setattr("harness.evaluation.run.measure", lambda model: timed.append(model) or measure(model))
    models, _ = stored_models(*STORED[:3])
    run_plan(plan(Twins("one"), models=models, throughput=True), results)
    assert len(timed) == 1
    speeds = results.throughputs()
    assert {(speed.model, speed.fingerprint) for speed in speeds} == {(m.name, m.fingerprint) for m in models}
    assert len({speed.texts_per_second for speed in speeds}) == 1
