"""Callbacks for the trainer: report progress, save checkpoints, stop early."""

# ruff: noqa: ANN401, ARG002, D102 - the methods and their parameters are those of transformers

from __future__ import annotations

import signal
import threading
import time
from typing import TYPE_CHECKING, Any, Self

from transformers import TrainerCallback

from harness.training import LogEntry

if TYPE_CHECKING:
    from collections.abc import Mapping
    from types import FrameType

    from transformers import TrainerControl, TrainerState, TrainingArguments

    from harness.training import TrainingCallback

SAVE_EVERY = 60.0
"""Minimum seconds between checkpoints, which a kill can lose."""
SHARE = 0.02
"""Maximum share of the training time for saving checkpoints."""


class ProgressCallback(TrainerCallback):
    """Report steps, losses and evaluations."""

    def __init__(self, follower: TrainingCallback) -> None:
        self._follower = follower

    def on_train_begin(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        self._follower.planned(state.max_steps)

    def on_step_end(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        self._follower.advance(state.global_step, float(state.epoch or 0))

    def on_log(
        self,
        args: TrainingArguments,
        state: TrainerState,
        control: TrainerControl,
        logs: Mapping[str, float] | None = None,
        **kwargs: Any,
    ) -> None:
        if entry := log_entry({**(logs or {}), "step": state.global_step, "epoch": state.epoch or 0}):
            self._follower.log(entry)


class CheckpointCallback(TrainerCallback):
    """Save checkpoints every SAVE_EVERY seconds, or less often if saving is slow."""

    def __init__(self) -> None:
        self._every, self._last, self._started = SAVE_EVERY, time.monotonic(), 0.0

    def on_step_end(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        if time.monotonic() - self._last >= self._every:
            control.should_save = True
        self._started = time.monotonic()

    def on_evaluate(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        # An evaluation between a step and its checkpoint is not a part of the cost of the checkpoint.
        self._started = time.monotonic()

    def on_save(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        self._last = time.monotonic()
        self._every = max(self._every, (self._last - self._started) / SHARE)


class StopCallback(TrainerCallback):
    """Stop early: after a number of epochs, or with a checkpoint when the user interrupts."""

    def __init__(self, after: float | None) -> None:
        self._after = after
        self.interrupted: int | None = None
        """The signal that was received; None without one."""

    def __enter__(self) -> Self:
        self._previous = {}
        if threading.current_thread() is threading.main_thread():
            for number in (signal.SIGINT, signal.SIGTERM):
                if signal.getsignal(number) is not signal.SIG_IGN:
                    self._previous[number] = signal.signal(number, self._interrupt)
        return self

    def __exit__(self, *_: object) -> None:
        self._restore()

    def raise_again(self) -> None:
        """Raise the received signal again, after restoring its handler; KeyboardInterrupt if that returns."""
        if self.interrupted is not None:
            self._restore()
            signal.raise_signal(self.interrupted)
            raise KeyboardInterrupt

    def _restore(self) -> None:
        for number, handler in self._previous.items():
            signal.signal(number, handler)

    def _interrupt(self, number: int, frame: FrameType | None) -> None:
        """Stop after this step; on the second signal, stop at once."""
        self.raise_again()
        self.interrupted = number

    def on_step_end(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        if self.interrupted is not None:
            control.should_save = control.should_training_stop = True
        # Epochs are sums of fractions: the last step of an epoch may end slightly before it.
        if self._after is not None and (state.epoch or 0) >= self._after - 1e-6:
            control.should_training_stop = True

    def on_epoch_end(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        if self.interrupted is not None:
            # The epoch has not ended: what is saved now would not be a step of the training, and be measured.
            control.should_save = control.should_evaluate = False


def log_entry(logs: Mapping[str, Any]) -> LogEntry | None:
    """Convert a line of the trainer's log; None without a loss or a metric."""
    metrics = {
        name.removeprefix("eval_"): float(value)
        for name, value in sorted(logs.items())  # a checkpoint has them sorted: after a resume as without one
        if name.startswith("eval_") and not name.endswith(("_runtime", "_per_second"))
    }
    loss = logs.get("loss")
    if loss is None and not metrics:
        return None
    rate = logs.get("learning_rate")
    return LogEntry(
        epoch=float(logs["epoch"]),
        step=int(logs["step"]),
        loss=None if loss is None else float(loss),
        metrics=metrics,
        learning_rate=None if rate is None else float(rate),
    )
