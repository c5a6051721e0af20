"""A trainer that raises, returns no result or leaves no model costs its candidate, with a sentence."""

from __future__ import annotations

import errno
import json
from pathlib import Path

import pytest

from harness import HarnessError
from harness.evaluation.trainer_code import TRACE, check_ready, run_trainer
from harness.system.read_only import FrozenError
from harness.training import LogEntry, Trainer, TrainingJob, TrainingResult
from harness.training.check_input import Rows

LOG = (LogEntry(epoch=1.0, step=1, loss=0.5, metrics={"stsb-dev_spearman": 0.8}),)
RESULT = TrainingResult(log=LOG, steps=1)


def write_model(folder):
    """Write what a folder of a model has at least, as far as its files show."""
    folder.mkdir()
    (folder / "config.json").write_text(json.dumps({"model_type": "bert", "vocab_size": 3}))
    (folder / "tokenizer.json").write_text(json.dumps({"model": {"vocab": {"a": 0, "b": 1, "c": 2}}}))
    (folder / "model.safetensors").write_bytes((2).to_bytes(8, "little") + b"{}")


@pytest.fixture
def train(tmp_path):
    """Run a trainer of a function; it gets a job with two rows."""
    rows = Rows(kind="pairs", texts={"text1": ["b", "a"], "text2": ["c", "d"]}, labels=[1.0, 0.0])

    def training(function, **how):
        job = TrainingJob(
            recipe=None, rows=rows, base=tmp_path, base_name="base", seed=1, device="cpu", threads=1,
            work=tmp_path, folder=tmp_path / "model", evaluate=dict, follower=None,
        )  # fmt: skip
        return run_trainer(Trainer("mine", "mine", function), job, **{"no_texts": False, **how})

    return training


def test_what_a_trainer_raises_when_asked_whether_it_is_ready_is_an_error_with_its_place():
    def ready():
        return {}["missing"]

    with pytest.raises(
        HarnessError, match=r"trainer 'mine' \(.*test_trainer_code.py, line \d+\) raised KeyError"
    ):
        check_ready(Trainer("mine", "mine", print, ready))
    check_ready(Trainer("mine", "mine", print, print))
    check_ready(Trainer("mine", "mine", print))


def test_a_trainer_that_writes_a_model_and_returns_a_result_is_fine(train):
    def sound(job):
        write_model(job.folder)
        return RESULT

    assert train(sound) is RESULT


@pytest.mark.parametrize(
    ("result", "told"),
    [
        (None, "returned nothing (None), not a TrainingResult"),
        ({"steps": 1}, "returned a dict, not a TrainingResult"),
        (TrainingResult(log=None, steps=1), "returned a log that is a NoneType, not a tuple of LogEntry"),
        (TrainingResult(log=("x",), steps=1), "returned a log with a str, which is not a LogEntry"),
        (
            TrainingResult(log=(LogEntry(epoch=1, step=1, loss="0.5"),), steps=1),
            "returned a log with loss that is '0.5', a str, not a number",
        ),
        (
            TrainingResult(log=(LogEntry(epoch=1, step=1, metrics={"a": None}),), steps=1),
            "returned a log with a that is nothing (None), not a number",
        ),
        (TrainingResult(log=LOG, steps="7"), "returned steps='7': a whole number is wanted"),
        (TrainingResult(log=LOG, steps=1, best_step=0.5), "returned best_step=0.5: a whole number is wanted"),
        (TrainingResult(log=LOG, steps=1, dtype=None), "returned dtype=None: the name of a type is wanted"),
    ],
)
def test_what_a_trainer_returns_is_a_result(result, told, train):
    with pytest.raises(HarnessError) as caught:
        train(lambda _job: result)
    assert caught.value.message.startswith(f"trainer 'mine' {told}")


def elsewhere(job):
    write_model(job.work / "mine")


def linked(job):
    write_model(job.work / "mine")
    job.folder.symlink_to(job.work / "mine")


def without_weights(job):
    write_model(job.folder)
    (job.folder / "model.safetensors").unlink()


@pytest.mark.parametrize(
    ("write", "told"),
    [
        (elsewhere, "wrote no model to job.folder, which is not a folder\n  in job.work: mine"),
        (linked, "wrote no model to job.folder, which is a link"),
        (lambda job: job.folder.mkdir(), "wrote no model to job.folder that can be used: "),
        (without_weights, "wrote no model to job.folder that can be used: "),
    ],
)
def test_a_trainer_leaves_a_whole_model_in_the_folder_that_it_was_given(write, told, train):
    def careless(job):
        write(job)
        return RESULT

    with pytest.raises(HarnessError) as caught:
        train(careless)
    assert str(caught.value).startswith(f"trainer 'mine' {told}")


def test_what_a_trainer_raises_is_an_error_with_its_place_and_a_traceback_on_disk(train, tmp_path):
    def broken(_job):
        raise KeyError("a secret text")

    with pytest.raises(HarnessError) as caught:
        train(broken)
    place = f"{__file__}, line {broken.__code__.co_firstlineno + 1}"
    assert caught.value.message == f"trainer 'mine' ({place}) raised KeyError: 'a secret text'"
    assert "raise KeyError" in (tmp_path / TRACE).read_text()
    with pytest.raises(HarnessError):
        train(broken, no_texts=True)
    assert "a secret text" not in (tmp_path / TRACE).read_text().replace(
        'raise KeyError("a secret text")', ""
    )


def test_a_trainer_that_exits_is_an_error_and_not_a_success(train):
    def leaves(_job):
        raise SystemExit(0)

    with pytest.raises(HarnessError, match=r"^trainer 'mine' .*raised SystemExit: 0"):
        train(leaves)


def test_a_full_disk_is_no_fault_of_a_trainer(train):
    def full(_job):
        raise OSError(errno.ENOSPC, "No space left on device")

    with pytest.raises(OSError, match="No space left"):
        train(full)
    with pytest.raises(HarnessError, match="raised FileNotFoundError"):
        train(lambda _job: Path("nowhere-at-all").read_text())


@pytest.mark.parametrize(
    "change",
    [
        lambda rows: rows.texts["text1"].sort(),
        lambda rows: rows.labels.append(1.0),
        lambda rows: rows.texts.clear(),
    ],
)
def test_a_trainer_cannot_change_the_rows_that_other_seeds_are_trained_on(change, train):
    def careless(job):
        with pytest.raises(FrozenError, match="cannot be changed, others get it too"):
            change(job.rows)
        write_model(job.folder)
        return RESULT

    assert train(careless) is RESULT
