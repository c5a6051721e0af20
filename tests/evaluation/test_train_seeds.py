"""Seeds that workers train are those that this process trains, whoever ends on the way."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace

import pytest

from evaluation.seed_workers import STEPS, Follower, by_workers, quick_runs
from harness.errors import FaultsError, HarnessError
from harness.evaluation.produce import produce
from harness.evaluation.train_seeds import train_seeds
from harness.evaluation.work_folder import work_folder
from harness.system.work_unit import UnitProgress
from harness.training.lineage import read_lineage

VARYING = {"seconds", "finished", "hardware", "command"}
"""Fields of a lineage that differ from training to training, whoever trains."""


@pytest.fixture(autouse=True)
def no_pictures(monkeypatch):
    """Leave out what takes long and is not asked about: pictures of curves, plugins."""
    monkeypatch.setenv("HARNESS_PLUGINS", "sts")
    monkeypatch.setattr("harness.evaluation.produce.write_curves", lambda folder, log: None)


class Silent:
    """A callback of a training in this process."""

    def planned(self, steps): ...
    def advance(self, step, epoch): ...
    def log(self, entry): ...


def content(folder):
    """What a candidate holds, but for the time that it took."""
    found = {path.name: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    lineage = json.loads(found.pop("lineage.json"))
    return found, {name: value for name, value in lineage.items() if name not in VARYING}


def unseen(unit):
    """Let a worker look for the folder where it is not."""
    return replace(unit, mark=f"{unit.mark}-elsewhere", out=f"/nowhere/{unit.out}")


@pytest.mark.parametrize("change", [None, unseen], ids=["same folder", "another machine"])
def test_workers_write_what_this_process_writes_and_leave_nothing_beside_it(tmp_path, change):
    here, there = tmp_path / "here", tmp_path / "there"
    here.mkdir()
    there.mkdir()
    for run in quick_runs(here):
        produce(run, Silent())
    runs, follower = quick_runs(there), Follower()
    train_seeds(runs, by_workers(there, change=change), follower)
    for seed in (1, 2, 3):
        assert content(there / f"c-seed-{seed}") == content(here / f"c-seed-{seed}")
        assert follower.done[seed].lineage == read_lineage(there / f"c-seed-{seed}")
    left = {path.name for path in there.iterdir() if not path.name.startswith(("sitting", "__pycache__"))}
    assert left == {"base", "quick.py", "c-seed-1", "c-seed-2", "c-seed-3"}


def test_a_second_try_begins_where_the_first_has_ended(tmp_path):
    runs, opened = quick_runs(tmp_path, seeds=(2,)), []
    orders = tmp_path / "ends-2"
    orders.write_text("now")

    def end(number, outcome):
        orders.unlink(missing_ok=True)
        assert (number == 1) is (outcome.failure is not None)
        return number == 1

    train_seeds(runs, by_workers(tmp_path, end=end, opened=opened), Follower())
    assert opened[0].begun == [2, 2]
    assert (tmp_path / "sitting-of-2").read_text() == "from 2"
    assert read_lineage(tmp_path / "c-seed-2").steps == STEPS


def test_a_seed_whose_worker_ends_three_times_is_an_error_and_the_others_are_trained(tmp_path):
    runs, opened, follower = quick_runs(tmp_path), [], Follower()
    (tmp_path / "ends-2").write_text("now")
    plan = by_workers(tmp_path, end=lambda _n, outcome: outcome.failure is not None, opened=opened)
    with pytest.raises(
        HarnessError, match="seed 2: training quick, seed 2: its worker ended 3 times"
    ) as told:
        train_seeds(runs, plan, follower)
    assert "--resume" in str(told.value)
    assert sorted(opened[0].begun) == [1, 2, 2, 2, 3]
    assert (sorted(follower.done), list(follower.errors), len(follower.notes)) == ([1, 3], [2], 3)
    assert work_folder(runs[1].out).is_dir()
    assert not runs[1].out.exists()
    (tmp_path / "ends-2").unlink()
    train_seeds([replace(runs[1], resume=True)], by_workers(tmp_path), follower)
    assert (tmp_path / "sitting-of-2").read_text() == "from 2"


def test_all_seeds_that_fail_are_told_each_with_its_error(tmp_path):
    for seed in (1, 3):
        (tmp_path / f"ends-{seed}").write_text(f"of {seed}")
    with pytest.raises(FaultsError) as told:
        train_seeds(quick_runs(tmp_path), by_workers(tmp_path), Follower())
    assert "seed 1: trainer 'quick'" in str(told.value)
    assert "raised ValueError: of 3" in str(told.value)
    assert (tmp_path / "c-seed-2").is_dir()


def test_without_texts_the_error_of_a_trainer_is_not_quoted(tmp_path):
    (tmp_path / "ends-1").write_text("a secret text")
    with pytest.raises(HarnessError) as told:
        train_seeds(quick_runs(tmp_path, seeds=(1,), no_texts=True), by_workers(tmp_path), Follower())
    assert "raised ValueError" in str(told.value)
    assert "secret" not in str(told.value)


def test_a_candidate_whose_worker_ended_before_it_could_tell_is_not_trained_again(tmp_path):
    runs, opened, follower = quick_runs(tmp_path, seeds=(1,)), [], Follower()
    written = []

    def end(number, _outcome):
        written.append((tmp_path / "c-seed-1" / "lineage.json").stat().st_mtime_ns)
        work_folder(runs[0].out).mkdir(exist_ok=True)  # as a kill before the last step leaves it
        return number == 1

    train_seeds(runs, by_workers(tmp_path, end=end, opened=opened), follower)
    assert opened[0].begun == [1, 1]
    assert written[0] == written[1]
    assert follower.done[1].lineage.seed == 1


def test_nothing_is_trained_where_one_seed_has_no_place(tmp_path):
    runs, opened = quick_runs(tmp_path), []
    runs[1].out.mkdir()
    (tmp_path / "ends-3").write_text("now")
    with pytest.raises(HarnessError):
        train_seeds(runs[2:], by_workers(tmp_path), Follower())
    with pytest.raises(FaultsError) as told:
        train_seeds(runs, by_workers(tmp_path, opened=opened), Follower())
    assert "c-seed-2 exists already" in str(told.value)
    assert "an unfinished training is in" in str(told.value)
    assert (opened, (tmp_path / "c-seed-1").exists()) == ([], False)
    other = replace(runs[2], resume=True, rows=replace(runs[2].rows, labels=[0.0]))
    with pytest.raises(HarnessError, match="is not the same: data changed"):
        train_seeds([other], by_workers(tmp_path, opened=opened), Follower())
    assert opened == []


def test_all_seeds_are_trained_with_the_threads_of_the_smallest_worker(tmp_path, monkeypatch):
    monkeypatch.setattr("harness.evaluation.train_unit.cores", lambda: 8)
    follower = Follower()
    plan = by_workers(tmp_path, facts=lambda number: {"cores": 1 + number})
    train_seeds(quick_runs(tmp_path), plan, follower)
    assert follower.threads == 2
    assert {candidate.lineage.threads for candidate in follower.done.values()} == {2}


def test_workers_with_processors_of_several_kinds_are_refused_unless_that_is_allowed(tmp_path):
    def facts(number):
        return {"processor": f"kind {number}"}

    with pytest.raises(HarnessError, match="processors of several kinds") as told:
        train_seeds(quick_runs(tmp_path), by_workers(tmp_path, facts=facts), Follower())
    assert "kind 1" in str(told.value)
    assert "kind 2" in str(told.value)
    for folder in tmp_path.glob("c-seed-*"):
        shutil.rmtree(folder)
    follower = Follower()
    train_seeds(quick_runs(tmp_path), by_workers(tmp_path, facts=facts, mixed=True), follower)
    assert len(follower.done) == 3


def test_one_device_of_several_is_refused_where_each_worker_has_its_own(tmp_path):
    with pytest.raises(HarnessError, match="--device cuda:1 is one device"):
        train_seeds(quick_runs(tmp_path), by_workers(tmp_path, device="cuda:1"), Follower())


def test_a_base_that_was_changed_meanwhile_is_not_trained_from(tmp_path):
    def changed(unit):
        return replace(unit, base_fingerprint="0" * 64)

    with pytest.raises(HarnessError, match="model base is another one where it was to be loaded"):
        train_seeds(quick_runs(tmp_path, seeds=(1,)), by_workers(tmp_path, change=changed), Follower())


def test_a_task_with_other_rows_at_the_worker_is_refused(tmp_path):
    from harness.evaluation.produce import read_tasks
    from harness.plugins.loader import load_plugins

    tasks = load_plugins().tasks()
    (run,) = quick_runs(tmp_path, seeds=(1,), tasks=[tasks["stsb-dev"]])
    digest = read_tasks(run)[0].examination.digest
    assert read_tasks(replace(run, digests={"stsb-dev": digest}))
    with pytest.raises(HarnessError, match="task stsb-dev has other rows where it is trained"):
        read_tasks(replace(run, digests={"stsb-dev": "0" * 64}))


def test_how_far_a_seed_is_reaches_who_follows_it(tmp_path, monkeypatch):
    monkeypatch.setattr("harness.evaluation.train_unit._EVERY", 0.0)
    follower = Follower()
    train_seeds(quick_runs(tmp_path, seeds=(1,)), by_workers(tmp_path, hold=follower.seen), follower)
    assert set(follower.progress) == {(1, UnitProgress(done=STEPS, total=STEPS, remark="epoch 1.00"))}


@pytest.mark.parametrize(
    ("workers", "seeds", "asked"), [(None, 3, None), (8, 3, 3), (2, 3, 2), (None, 1, 1), (4, 1, 1)]
)
def test_no_more_workers_are_asked_for_than_seeds_of_the_command_also_where_few_are_left(
    tmp_path, workers, seeds, asked
):
    opened = []
    plan = by_workers(tmp_path, workers=workers, seeds=seeds, opened=opened, count=1)
    train_seeds(quick_runs(tmp_path, seeds=(1,)), plan, Follower())
    assert opened[0].asked == asked


def test_an_error_in_a_folder_that_nobody_sees_is_told_with_its_traceback(tmp_path):
    (tmp_path / "ends-1").write_text("a wrong row")
    with pytest.raises(HarnessError) as told:
        train_seeds(quick_runs(tmp_path, seeds=(1,)), by_workers(tmp_path, change=unseen), Follower())
    assert "raised ValueError: a wrong row" in told.value.message
    assert "raise ValueError(orders.read_text())" in str(told.value)
