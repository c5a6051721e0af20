"""When a checkpoint is saved, and which lines of the log are kept."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from harness_train import callbacks


@pytest.fixture
def clock(monkeypatch):
    """A clock that stands still unless told."""
    now = SimpleNamespace(time=0.0)
    monkeypatch.setattr(callbacks.time, "monotonic", lambda: now.time)
    return now


def saved(saving, clock, seconds, step=1.0, evaluation=0.0, cost=0.5):
    """The times at which checkpoints were written in so many seconds of steps."""
    times, control = [], SimpleNamespace(should_save=False)
    while clock.time < seconds:
        clock.time += step
        saving.on_step_end(None, None, control)
        if control.should_save:
            clock.time += evaluation
            saving.on_evaluate(None, None, control)
            clock.time += cost
            saving.on_save(None, None, control)
            times.append(clock.time)
            control.should_save = False
    return times


def test_a_checkpoint_is_written_about_every_minute(clock):
    times = saved(callbacks.CheckpointCallback(), clock, 600)
    assert len(times) == 9


def test_saving_takes_at_most_a_fiftieth_of_the_time_where_it_is_slow(clock):
    times = saved(callbacks.CheckpointCallback(), clock, 10_000, cost=10)
    assert 10 * len(times) <= 10_000 / 50


def test_an_evaluation_is_not_taken_for_the_cost_of_a_checkpoint(clock):
    assert len(saved(callbacks.CheckpointCallback(), clock, 1_000, evaluation=30)) >= 10


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ({"loss": 0.5, "learning_rate": 1e-5, "step": 3, "epoch": 0.1}, (3, 0.5, {}, 1e-5)),
        ({"eval_stsb_pearson": 0.8, "eval_runtime": 3, "eval_samples_per_second": 0.0, "step": 9, "epoch": 1},
         (9, None, {"stsb_pearson": 0.8}, None)),
    ],
)  # fmt: skip
def test_a_line_of_the_log_keeps_the_loss_and_the_scores(line, expected):
    entry = callbacks.log_entry(line)
    assert (entry.step, entry.loss, entry.metrics, entry.learning_rate) == expected


def test_a_line_about_speed_alone_is_not_kept():
    assert callbacks.log_entry({"train_runtime": 3.0, "train_loss": 0.5, "step": 9, "epoch": 1}) is None
