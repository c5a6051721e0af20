"""A trainer on trial: trains a small model in a temporary folder, once for each question."""

from __future__ import annotations

import contextlib
import hashlib
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.system.plugin_code import plugin_code
from harness.testing.check_inputs import clean_rows
from harness.testing.model_trial import TEXTS
from harness.testing.small_model import build_small_model
from harness.training.interface import TrainingJob
from harness.training.recipe import Data, EvaluationSchedule, Loss, Recipe, Schedule

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    import numpy as np

    from harness.training.check_input import LogEntry, Rows
    from harness.training.interface import Trainer

_ROWS = 24
_BATCH = 8
SEED = 7
TASK = "kit"
"""Name of the task that the recipe with an evaluation names, and `deciding`'s score after it."""
_SCORE = f"{TASK}_accuracy"


class StoppedError(Exception):
    """Ends a training in the middle, as a kill does."""


@dataclass
class Follower:
    """A `TrainingCallback` that keeps what it gets; raises StoppedError at a step, if one is given."""

    stop_at: int | None = None
    planned_steps: list[Any] = field(default_factory=list)
    steps: list[Any] = field(default_factory=list)
    entries: list[Any] = field(default_factory=list)

    def planned(self, steps: int) -> None:
        """Keep the maximum number of steps."""
        self.planned_steps.append(steps)

    def advance(self, step: int, epoch: float) -> None:  # noqa: ARG002 - part of the contract
        """Keep the step; raise StoppedError where training is to end."""
        self.steps.append(step)
        if self.stop_at is not None and step >= self.stop_at:
            raise StoppedError

    def log(self, entry: LogEntry) -> None:
        """Keep a line of the log."""
        self.entries.append(entry)


@dataclass
class Training:
    """What one training did."""

    job: TrainingJob
    follower: Follower
    result: Any = None
    evaluated: list[Any] = field(default_factory=list)
    """What `evaluate` was called with, and whether a model was there."""
    stray: list[str] = field(default_factory=list)
    """Files outside of the job's folders."""


class TrainerTrial:
    """A trainer with what it trains on; each training is made once."""

    def __init__(
        self, trainer: Trainer, root: Path, recipe: Recipe | None, rows: Rows | None, base: Path | None
    ) -> None:
        self.trainer, self.root = trainer, root
        self.recipe = recipe or Recipe(
            name="kit",
            base="small",
            data=Data(kind="pairs", path="pairs.csv"),
            loss=Loss(name="MultipleNegativesRankingLoss"),
            train=Schedule(batch_size=_BATCH, epochs=2.0, learning_rate=1e-2),
        )
        self.rows = rows or _pairs()
        self._base = base

    @property
    def private(self) -> list[str]:
        """The texts of its rows."""
        return [cell for column in self.rows.texts.values() for cell in column if isinstance(cell, str)]

    @cached_property
    def base(self) -> Path:
        """The folder that training starts from."""
        return self._base or build_small_model(self.root / "base")

    @cached_property
    def before(self) -> tuple[dict[str, str], str]:
        """The base's files and the rows, as they were before the first training."""
        return hashes(self.base), repr(self.rows)

    @cached_property
    def plain(self) -> Training:
        """A training."""
        return self.train("plain")

    def train(
        self, name: str, *, seed: int = SEED, scored: bool = False, stop_at: int | None = None
    ) -> Training:
        """Train in a folder of a name; in one that was used before, from what `job.work` holds."""
        assert self.before  # noqa: S101 - taken before anything is trained
        here, elsewhere = self.root / name, self.root / f"{name}-elsewhere"
        for folder in (here / "work", elsewhere):
            folder.mkdir(parents=True, exist_ok=True)
        evaluation = EvaluationSchedule(tasks=(TASK,) if scored else ())
        recipe = replace(self.recipe, train=replace(self.recipe.train, seed=seed), evaluation=evaluation)
        follower = Follower(stop_at)
        evaluated: list[Any] = []

        def evaluate(folder: Path) -> Mapping[str, float]:
            evaluated.append((folder, (Path(folder) / "modules.json").is_file()))
            return {_SCORE: 0.5}

        job = TrainingJob(
            recipe=recipe,
            rows=self.rows,
            base=self.base,
            base_name="small",
            seed=seed,
            device="cpu",
            threads=1,
            work=here / "work",
            folder=here / "model",
            evaluate=evaluate,
            deciding=_SCORE if scored else "",
            follower=follower,
        )
        training = Training(job, follower, evaluated=evaluated)
        with plugin_code(), contextlib.chdir(elsewhere):
            training.result = self.trainer.train(job)
        training.stray = [str(path.relative_to(elsewhere)) for path in elsewhere.rglob("*")]
        training.stray += [path.name for path in here.iterdir() if path.name not in ("work", "model")]
        return training

    def embeddings(self, folder: Path) -> np.ndarray:
        """Return the embeddings that a saved model gives a few texts, as sentence-transformers loads it."""
        from sentence_transformers import SentenceTransformer

        model = SentenceTransformer(str(folder), device="cpu", local_files_only=True)
        embeddings: np.ndarray = model.encode(list(TEXTS), show_progress_bar=False)
        return embeddings


def _pairs() -> Rows:
    rows = clean_rows().rows
    assert rows is not None  # noqa: S101 - made with rows
    return replace(rows, texts={name: list(cells[:_ROWS]) for name, cells in rows.texts.items()})


def hashes(folder: Path) -> dict[str, str]:
    """Return path → SHA-256 of all files below a folder."""
    return dict(_hashes(folder))


def _hashes(folder: Path) -> Iterator[tuple[str, str]]:
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            yield str(path.relative_to(folder)), hashlib.sha256(path.read_bytes()).hexdigest()
