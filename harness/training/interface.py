"""The interface of trainers: a job in, a model folder out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from harness.training.check_input import LogEntry, Rows
    from harness.training.recipe import Recipe


class TrainingCallback(Protocol):
    """Receives the progress of a training."""

    def planned(self, steps: int) -> None:
        """Receive the maximum number of steps, once it is known."""
        ...

    def advance(self, step: int, epoch: float) -> None:
        """Receive the end of a step."""
        ...

    def log(self, entry: LogEntry) -> None:
        """Receive a line of the log, or an evaluation."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingJob:
    """One training: everything that a trainer needs, and the folders that it may write."""

    recipe: Recipe
    rows: Rows
    """Validated: every text is a string, every label a finite number."""
    base: Path
    """Folder of the base model."""
    base_name: str
    """Name of the base for the card: its hub id for published weights."""
    seed: int
    device: str
    threads: int
    """Processors that this process may use, within the quota of its container."""
    work: Path
    """Folder for checkpoints, which survive a kill; a training continues from the last one here."""
    folder: Path
    """Folder for the finished model, as sentence-transformers loads it; does not exist before."""
    evaluate: Callable[[Path], Mapping[str, float]]
    """Scores a saved model, by its folder, on the recipe's tasks: `TASK_METRIC` → score."""
    deciding: str = ""
    """The score that decides which checkpoint is best: the first task's headline; empty without tasks."""
    follower: TrainingCallback


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingResult:
    """Result of a training job."""

    log: tuple[LogEntry, ...]
    """Log of the whole training, over all resumed runs."""
    steps: int
    best_step: int | None = None
    dtype: str = "float32"
    """Data type of the computation."""


@dataclass(frozen=True, slots=True)
class Trainer:
    """A trainer, as a recipe's `trainer` names it."""

    name: str
    help: str
    """One line."""
    train: Callable[[TrainingJob], TrainingResult]
    """Trains, from the last checkpoint in `job.work` if there is one, and writes `job.folder`."""
    ready: Callable[[], None] | None = None
    """Raises HarnessError where it cannot train on this machine, as for a library that is missing. It is
    called before anything is spent, and must be quick; None where nothing can be missing."""
