"""The inside of a worker that trains: one `TrainUnit` becomes the candidate that this process would make."""

from __future__ import annotations

import tempfile
import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from harness.errors import HarnessError
from harness.evaluation.candidate_files import file_parts
from harness.evaluation.produce import TrainingRun, finished, produce
from harness.evaluation.trainer_code import SHOWN, TRACE, check_ready
from harness.evaluation.without_texts import withheld_reason
from harness.evaluation.work_folder import work_folder
from harness.execution.unit_runner import locate_same
from harness.execution.units import Trained
from harness.models.devices import device_of
from harness.plugins.loader import load_plugins
from harness.plugins.selection import all_tasks
from harness.system.environment import cores
from harness.system.paths import user_path
from harness.system.work_unit import UnitProgress
from harness.training.curves import check_curves

if TYPE_CHECKING:
    from collections.abc import Callable

    from harness.evaluation.produce import TrainedModel
    from harness.execution.units import TrainUnit
    from harness.system.work_unit import WorkerSetup
    from harness.training.check_input import LogEntry
    from harness.training.interface import TrainingCallback

    Tell = Callable[[UnitProgress], None]

_EVERY = 0.5
"""Minimum seconds between two tellings of progress."""


def train(unit: TrainUnit, setup: WorkerSetup, tell: Tell) -> Trained:
    """Train, and return what was measured; the candidate is in its place where this worker sees that.

    What an earlier try left there is continued. Raises HarnessError as `produce` does, and for a base, a
    plugin or rows that are not those of the command.
    """
    try:
        return _train(unit, setup, tell)
    except HarnessError:
        raise
    except Exception as error:
        if not unit.no_texts:
            raise
        raise HarnessError(withheld_reason(error)) from None


def _train(unit: TrainUnit, setup: WorkerSetup, tell: Tell) -> Trained:
    run, follower = training_run(unit, setup), _Teller(tell)
    if Path(unit.mark).exists():
        candidate = finished(run) or produce(run, follower)
        return Trained(evaluations=tuple(candidate.evaluations))
    with tempfile.TemporaryDirectory(prefix="harness-training-") as folder:
        candidate = _elsewhere(replace(run, out=Path(folder) / run.out.name), follower)
        return Trained(evaluations=tuple(candidate.evaluations), files=tuple(file_parts(candidate.folder)))


def _elsewhere(run: TrainingRun, follower: TrainingCallback) -> TrainedModel:
    """Produce a candidate in a temporary folder; an error quotes the traceback, which is lost with it."""
    try:
        return produce(run, follower)
    except HarnessError as error:
        trace = work_folder(run.out) / TRACE
        if not trace.is_file():
            raise
        raise HarnessError(
            error.message, exists=trace.read_text(encoding="utf-8")[-SHOWN:]
        ) from error.__cause__


def training_run(unit: TrainUnit, setup: WorkerSetup) -> TrainingRun:
    """Return the training that the command would do itself; raises HarnessError for what is missing here."""
    plugins = load_plugins([user_path(file) for file in setup.plugin_files])
    trainers, recipe = plugins.trainers(), unit.recipe
    if recipe.trainer not in trainers:
        raise HarnessError.unknown(f"trainer ({recipe.name})", recipe.trainer, trainers)
    check_ready(trainers[recipe.trainer])
    check_curves()
    base = locate_same(unit.base, unit.base_name, unit.base_fingerprint, plugins)
    folder = getattr(base, "folder", None)
    if not isinstance(folder, Path):
        raise HarnessError(f"{base.name} has no weights that could be trained")
    tasks = all_tasks(plugins, [user_path(file) for file in unit.task_files]) if unit.tasks else {}
    if missing := [name for name in unit.tasks if name not in tasks]:
        raise HarnessError.unknown(f"task (recipe {recipe.name})", missing[0], tasks)
    return TrainingRun(
        recipe=recipe,
        trainer=trainers[recipe.trainer],
        rows=unit.rows,
        base=base,
        base_folder=folder,
        base_name=unit.base_name,
        tasks=[tasks[name] for name in unit.tasks],
        data=unit.data,
        out=Path(unit.out),
        seed=unit.seed,
        device=device_of(unit.device),
        resume=True,  # the command has looked: what is there now, a worker that ended has left
        allowed=unit.allowed,
        no_texts=unit.no_texts,
        threads=min(unit.threads, cores()),
        command=unit.command,
        digests=unit.tasks,
    )


class _Teller:
    """Tells the steps of a training, and the newest loss and scores, once in a while."""

    def __init__(self, tell: Tell) -> None:
        self._tell, self._at = tell, 0.0
        self._total: int | None = None
        self._newest: dict[str, str] = {}

    def planned(self, steps: int) -> None:
        """Take note of how many steps there will be."""
        self._total = steps

    def advance(self, step: int, epoch: float) -> None:
        """Tell how far it is."""
        now = time.monotonic()
        if now - self._at < _EVERY:
            return
        self._at = now
        remark = "  ".join([f"epoch {epoch:.2f}", *self._newest.values()])
        self._tell(UnitProgress(done=step, total=self._total, remark=remark))

    def log(self, entry: LogEntry) -> None:
        """Keep the newest loss, and the first score of an evaluation."""
        if entry.loss is not None:
            self._newest["loss"] = f"loss {entry.loss:.4f}"
        for name, value in entry.metrics.items():
            self._newest["score"] = f"{name} {value:.4f}"
            break
