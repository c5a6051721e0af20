"""The contract of trainers: from a job, a model folder."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from harness.training.check_input import LogEntry, Rows
    from harness.training.recipe import Recipe


class TrainingCallback(Protocol):
    """Whoever wants to see how a training goes."""

    def planned(self, steps: int) -> None:
        """Say how many steps there will be at most, once that is known."""
        ...

    def advance(self, step: int, epoch: float) -> None:
        """Say that a step is done."""
        ...

    def log(self, entry: LogEntry) -> None:
        """Say what was logged, or evaluated."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingJob:
    """One training: everything that a trainer needs, and where it may write."""

    recipe: Recipe
    rows: Rows
    """Checked: every text is a text, every label a finite number."""
    base: Path
    """Folder of the base model."""
    base_name: str
    """What a card should call the base: a hub id where it is one's published weights."""
    seed: int
    device: str
    threads: int
    """Processors that this process may use, a container's quota counted."""
    work: Path
    """Checkpoints go here; they survive a kill, and what is found here is continued."""
    folder: Path
    """Write the finished model here, as sentence-transformers loads it: nothing is there before."""
    evaluate: Callable[[Path], Mapping[str, float]]
    """Scores a saved model, a folder, on the recipe's tasks as the finished one: `TASK_METRIC` → score."""
    deciding: str = ""
    """The score that decides what is best: the first task's headline; empty without tasks."""
    follower: TrainingCallback


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingResult:
    """What came of a job."""

    log: tuple[LogEntry, ...]
    """Of the whole training, over all its sittings."""
    steps: int
    best_step: int | None = None
    dtype: str = "float32"
    """What was computed in."""


@dataclass(frozen=True, slots=True)
class Trainer:
    """A way to train, as a recipe's `trainer` names it."""

    name: str
    help: str
    """One line."""
    train: Callable[[TrainingJob], TrainingResult]
    """Train, from the last checkpoint in `job.work` where there is one, and write `job.folder`."""
