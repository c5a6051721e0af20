"""A run whose texts are encoded by workers gives what a run in one process gives."""

from __future__ import annotations

import dataclasses
import time

import numpy as np
import pytest
from conftest import build_model
from execution.workers import FakeWorkers, real_workers

from harness import HarnessError
from harness.encoding import shards
from harness.evaluation.execution_plan import ExecutionPlan
from harness.evaluation.journal import read_runs
from harness.evaluation.progress import Progress
from harness.evaluation.publish_run import publish_run
from harness.evaluation.runner import RunPlan
from harness.execution.units import SearchUnit
from harness.models.interface import ModelSpec, Settings
from harness.models.locate import locate_model
from harness.plugins.executor import Executor, ExecutorRequest
from harness.plugins.loader import load_plugins
from harness.results.folder import ResultsFolder
from harness.system.work_unit import WorkerSetup
from harness.tasks.selection import select_tasks

REQUEST = ExecutorRequest(setup=WorkerSetup(folder="."))
TASKS = ("stsb", "penal-triplets", "aila-statutes")


@pytest.fixture(scope="module")
def models(tmp_path_factory):
    folder = tmp_path_factory.mktemp("spread")
    return [build_model(folder / f"m{number}", seed=number) for number in range(3)]


@pytest.fixture
def small_shards(monkeypatch):
    """So few texts to a chunk that samples make a dozen units."""
    monkeypatch.setattr(shards, "_CHUNK", 4_000)


def plan(models, workers=None, *, settings=None, tasks=TASKS, **changes):
    plugins = load_plugins()
    specs = [ModelSpec("folder", str(folder), settings=settings or Settings()) for folder in models]
    execution = None
    if workers is not None:
        execution = ExecutionPlan(executor=Executor("fake", "", lambda _: workers), request=REQUEST)
    return RunPlan(
        models=[locate_model(spec, plugins.model_schemes()) for spec in specs],
        tasks=select_tasks(tasks, plugins.tasks(), plugins.task_schemes()),
        execution=execution,
        **changes,
    )


def evaluate(out, *args, progress=None, **changes):
    """Run, and return the outcome and every file but the journals."""
    results = ResultsFolder(out)
    outcome = publish_run(plan(*args, **changes), results, progress or Progress())
    files = {
        path.relative_to(out).as_posix(): path.read_bytes()
        for path in out.rglob("*")
        if path.is_file() and "runs" not in path.relative_to(out).parts
    }
    return outcome, files


@pytest.mark.kernels
@pytest.mark.usefixtures("small_shards")
@pytest.mark.parametrize(
    "count", [pytest.param(1, marks=pytest.mark.slow), 2, pytest.param(4, marks=pytest.mark.slow)]
)
def test_any_number_of_workers_gives_the_same_bytes(tmp_path, models, count):
    _, wanted = evaluate(tmp_path / "local", models)
    workers = real_workers(tmp_path, count, end_after={4, 9} if count > 1 else ())
    outcome, files = evaluate(tmp_path / "spread", models, workers)
    assert not outcome.failed
    assert len(workers.did) > 12
    assert files == wanted


@pytest.mark.kernels
def test_a_large_search_is_spread_and_gives_the_same_bytes(tmp_path, models, monkeypatch):
    monkeypatch.setattr("harness.metrics.search._LARGE", 1)
    monkeypatch.setattr("harness.metrics.search._BLOCKS", 1)
    monkeypatch.setattr("harness.metrics.ranking._DOCUMENTS", 40)
    _, wanted = evaluate(tmp_path / "local", models[:1], tasks=["aila-statutes"])
    workers = real_workers(tmp_path, 2, end_after={5})
    outcome, files = evaluate(tmp_path / "spread", models[:1], workers, tasks=["aila-statutes"])
    assert not outcome.failed
    assert sum(isinstance(unit, SearchUnit) for _, unit in workers.did) > 3
    assert files == wanted


@pytest.mark.usefixtures("small_shards")
def test_texts_are_encoded_once_whatever_ends_and_are_in_the_cache_when_their_unit_is_done(tmp_path, models):
    workers = real_workers(tmp_path, 2, end_after={6})
    _, wanted = evaluate(tmp_path / "first", models[:1], workers, cache=tmp_path / "cache")
    encoded = [text for _, unit in workers.did if unit.want == "embeddings" for text in unit.texts]
    lost = [unit for number, (_, unit) in enumerate(workers.did) if number == 6]
    assert len(encoded) == len(set(encoded)) + len(lost[0].texts)
    again = real_workers(tmp_path, 2)
    _, files = evaluate(tmp_path / "second", models[:1], again, cache=tmp_path / "cache")
    assert files == wanted
    assert [unit.want for _, unit in again.did if unit.want == "embeddings"] == []


@pytest.mark.usefixtures("small_shards")
def test_several_models_are_evaluated_at_once(tmp_path, models):
    workers = real_workers(tmp_path, 2)
    evaluate(tmp_path / "out", models, workers)
    groups = [unit.group for _, unit in workers.did[:4]]
    assert len(set(groups)) > 1, "one model after the other"


def test_a_unit_that_no_worker_survives_is_an_error_and_the_rest_is_scored(tmp_path, models):
    inner = real_workers(tmp_path, 2)

    def do(name, unit):
        return None if unit.name == "m1" and unit.want == "embeddings" else inner._do(name, unit)

    outcome, _ = evaluate(tmp_path / "out", models[:2], FakeWorkers(2, do))
    assert {(one.candidate.model, one.status) for one in outcome.evaluations} == {
        ("m0", "ok"),
        ("m1", "error"),
    }
    assert all("its worker ended 3 times (killed by SIGKILL)" in one.error for one in outcome.failed)
    assert {one.examination.task for one in outcome.failed} == set(TASKS)


def test_views_of_one_model_share_what_workers_encode(tmp_path, models):
    specs = [Settings(), Settings(truncate_dim=8), Settings(precision="binary")]
    plugins = load_plugins()
    located = [
        locate_model(ModelSpec("folder", str(models[0]), settings=one), plugins.model_schemes())
        for one in specs
    ]
    tasks = select_tasks(["stsb"], plugins.tasks(), plugins.task_schemes())
    workers = real_workers(tmp_path, 2)
    execution = ExecutionPlan(executor=Executor("fake", "", lambda _: workers), request=REQUEST)
    spread = publish_run(
        RunPlan(models=located, tasks=tasks, execution=execution), ResultsFolder(tmp_path / "a"), Progress()
    )
    local = publish_run(RunPlan(models=located, tasks=tasks), ResultsFolder(tmp_path / "b"), Progress())
    assert spread.evaluations == local.evaluations
    assert len({unit.group for _, unit in workers.did}) == 1


def test_a_model_that_changed_is_refused_by_its_worker(tmp_path):
    folder = build_model(tmp_path / "m", seed=5)
    workers = real_workers(tmp_path, 1)
    made = plan([folder], workers, tasks=["stsb"])
    build_model(tmp_path / "other", seed=6)
    (folder / "model.safetensors").write_bytes((tmp_path / "other" / "model.safetensors").read_bytes())
    outcome = publish_run(made, ResultsFolder(tmp_path / "out"), Progress())
    assert "is another one where it was to be loaded" in outcome.failed[0].error


@pytest.mark.usefixtures("small_shards")
def test_a_worker_that_computes_otherwise_is_refused_unless_that_is_allowed(tmp_path, models):
    inner = real_workers(tmp_path, 2)

    def do(name, unit):
        outcome = inner._do(name, unit)
        if name != "w2" or outcome.result is None:
            return outcome
        there = dataclasses.replace(
            outcome.result.model, computation={**outcome.result.model.computation, "processor": "Z80"}
        )
        return dataclasses.replace(outcome, result=dataclasses.replace(outcome.result, model=there))

    allowed = plan(models[:1], FakeWorkers(2, do))
    allowed = dataclasses.replace(allowed, execution=dataclasses.replace(allowed.execution, mixed=True))
    found = publish_run(allowed, ResultsFolder(tmp_path / "mixed"), Progress())
    assert not found.failed
    said = [one for record in found.evaluations for one in record.findings if one.code == "mixed-processors"]
    assert said
    assert "Z80" in said[0].evidence

    outcome, _ = evaluate(tmp_path / "out", models[:1], FakeWorkers(2, do))
    assert len(outcome.failed) >= 1
    assert "workers load m0 differently: processor" in outcome.failed[0].error
    assert "Z80" in outcome.failed[0].error


def test_the_journal_and_the_progress_say_what_workers_did(tmp_path, models):
    class Told(Progress):
        said: list[tuple[int, ...]] = []  # noqa: RUF012 - one for the test

        def units(self, *counts):
            self.said.append(counts)

    evaluate(tmp_path / "out", models[:1], real_workers(tmp_path, 2, end_after={1}), progress=Told())
    run = read_runs(ResultsFolder(tmp_path / "out"), [])[0]
    assert (run.units.executor, run.units.workers, run.units.left) == ("fake", 2, 0)
    assert run.units.done == Told.said[-1][0] > 3
    assert str(run.units).endswith("1 begun again, 1 worker lost")


def test_an_interruption_closes_the_workers_and_keeps_what_was_encoded(tmp_path, models):
    inner = real_workers(tmp_path, 1)

    class Interrupt(Progress):
        def end(self, evaluation, *, reused):
            time.sleep(0.5)  # what has been handed in is done
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        evaluate(tmp_path / "out", models[:1], inner, progress=Interrupt(), cache=tmp_path / "cache")
    assert inner.closed
    done = [unit.texts for _, unit in inner.did if unit.want == "embeddings"]
    again = real_workers(tmp_path, 1)
    evaluate(tmp_path / "out", models[:1], again, cache=tmp_path / "cache")
    anew = {text for _, unit in again.did if unit.want == "embeddings" for text in unit.texts}
    assert sum(not anew.isdisjoint(texts) for texts in done) <= 1 < len(done), "more than the unit in flight"


def test_an_executor_that_fails_ends_the_run_and_writes_no_error_records(tmp_path, models):
    class Broken(FakeWorkers):
        def wait(self, seconds):
            raise OSError("the cluster is gone")

    with pytest.raises(HarnessError, match="executor fake failed: OSError: the cluster is gone"):
        evaluate(tmp_path / "out", models[:1], Broken(1))
    assert not (tmp_path / "out" / "errors").exists()


@pytest.mark.parametrize("opened", [None, 3, ValueError("no room")])
def test_an_executor_that_opens_no_workers_is_named(tmp_path, models, opened):
    def open_(_request):
        if isinstance(opened, Exception):
            raise opened
        return opened

    made = dataclasses.replace(
        plan(models[:1]), execution=ExecutionPlan(executor=Executor("odd", "", open_), request=REQUEST)
    )
    with pytest.raises(HarnessError, match="executor odd cannot start workers"):
        publish_run(made, ResultsFolder(tmp_path / "out"), Progress())


@pytest.mark.usefixtures("small_shards")
@pytest.mark.parametrize(
    ("lie", "told"),
    [
        ({"embeddings": np.zeros((1, 32), np.float32)}, r"embeddings of shape \(1, 32\)"),
        ({"embeddings": np.zeros((1, 32))}, "no float32 array"),
    ],
)
def test_what_is_not_what_was_asked_for_ends_the_run_and_is_not_cached(tmp_path, models, lie, told):
    inner = real_workers(tmp_path, 1)

    def do(name, unit):
        outcome = inner._do(name, unit)
        if unit.want != "embeddings":
            return outcome
        return dataclasses.replace(outcome, result=dataclasses.replace(outcome.result, **lie))

    with pytest.raises(HarnessError, match=told):
        evaluate(tmp_path / "out", models[:1], FakeWorkers(1, do), cache=tmp_path / "cache")
    assert not list((tmp_path / "cache").rglob("*.safetensors"))
