"""Produce a candidate: train in a work folder, measure and describe the model, move it to its place."""

from __future__ import annotations

import contextlib
import datetime as dt
import json
import os
import shutil
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.encoding.cached_model import CachedModel
from harness.errors import Faults, HarnessError
from harness.evaluation.card_writer import complete_card
from harness.evaluation.evaluate import LoadedTask, evaluate_task, load_task
from harness.evaluation.trainer_code import run_trainer
from harness.evaluation.without_texts import withheld_reason
from harness.evaluation.work_folder import (
    check_identity,
    check_unfinished,
    is_of_training,
    open_work_folder,
    remove_work_folder,
    work_folder,
)
from harness.results.card_export import CARD
from harness.system.environment import cores, current_environment, libraries
from harness.tasks.interface import DataSource
from harness.training import rows as training_rows
from harness.training.curves import write_curves
from harness.training.interface import TrainingJob
from harness.training.lineage import Lineage, LoggedLoss, read_lineage, write_lineage
from harness.training.near_duplicates import text_hashes, write_signatures

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from harness.models.interface import LocatedModel
    from harness.results.records import Evaluation
    from harness.tasks.interface import DataChoice, Task
    from harness.training.check_input import LogEntry, Rows
    from harness.training.interface import Trainer, TrainingCallback, TrainingResult
    from harness.training.recipe import Recipe


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingRun:
    """The training of one candidate."""

    recipe: Recipe
    trainer: Trainer
    rows: Rows
    """Checked by `harness.training.rows.validate_rows`."""
    base: LocatedModel
    base_folder: Path
    base_name: str
    """Name of the base in the candidate's card."""
    tasks: Sequence[Task]
    """Those of the recipe, in its order."""
    data: DataChoice
    """The data folder that tasks read, "hub", or None for the samples that plugins ship."""
    out: Path
    seed: int
    device: str
    resume: bool = False
    allowed: tuple[str, ...] = ()
    """Codes of findings that do not stop it."""
    no_texts: bool = False
    """Whether to keep the training rows that a trainer shows out of the candidate's card."""
    threads: int | None = None
    """Maximum number of threads of the trainer; None for the processors that this process may use."""
    command: tuple[str, ...] | None = None
    """The words of the user's command; None for those that started this process."""
    digests: Mapping[str, str] = field(default_factory=dict)
    """Tasks → digest that their rows must have, where they were read before."""


@dataclass(frozen=True, slots=True)
class TrainedModel:
    """A candidate in its place."""

    folder: Path
    lineage: Lineage
    evaluations: list[Evaluation]


def produce(run: TrainingRun, callback: TrainingCallback) -> TrainedModel:
    """Train, measure and describe a candidate; `run.out` does not exist before all of that is done.

    What an interruption leaves is in `work_folder(run.out)`, and is continued with `resume`.
    Raises HarnessError where `run.out` exists or cannot be written, and where the work folder holds another
    unfinished training.
    """
    out, work = run.out, work_folder(run.out)
    _check_free(out)
    with open_work_folder(work):
        check_identity(work, _identity(run), resume=run.resume)
        folder = work / "model"
        # A model that was saved, but not yet described and moved, is made again from the last checkpoint.
        shutil.rmtree(folder, ignore_errors=True)
        tasks = read_tasks(run)
        clock = _Clock(work / "seconds", callback)
        trained = run_trainer(run.trainer, _job(run, tasks, work, clock), no_texts=run.no_texts)
        evaluations = _evaluate(folder, tasks)
        lineage = _lineage(run, trained, clock.seconds)
        _describe(folder, run, lineage, trained.log, evaluations)
        folder.rename(out)
    remove_work_folder(work)
    return TrainedModel(out, lineage, evaluations)


def check_place(run: TrainingRun, *, device: bool = True) -> None:
    """Raise HarnessError where `produce` would because of what is there; writes nothing.

    device: whether the one that `run` names is that of the training.
    """
    _check_free(run.out)
    identity = _identity(run)
    if not device:
        del identity["device"]
    check_unfinished(work_folder(run.out), identity, resume=run.resume)


def finished(run: TrainingRun) -> TrainedModel | None:
    """Return the candidate of a training that is in its place, measured again; None where none of it is.

    A process that is killed after the last rename leaves one that nobody was told of.
    """
    lineage = read_lineage(run.out) if run.out.is_dir() else None
    if lineage is None or _identity_of(lineage) != json.loads(json.dumps(_identity(run))):
        return None
    remove_leftovers(run.out)
    return TrainedModel(run.out, lineage, _evaluate(run.out, read_tasks(run)))


def _check_free(out: Path) -> None:
    if os.path.lexists(out):
        raise HarnessError(f"{out} exists already", hint="remove it, or pick another --out")


def remove_leftovers(out: Path) -> None:
    """Remove the work folder of a candidate that is in its place: a kill after the last rename leaves it.

    The folder of another training stays. Raises HarnessError where another process works in it.
    """
    work, lineage = work_folder(out), read_lineage(out)
    if lineage is None or not work.is_dir():
        return
    with open_work_folder(work):
        ours = is_of_training(work, _identity_of(lineage))
    if ours:
        remove_work_folder(work)


def _identity(run: TrainingRun) -> dict[str, Any]:
    return {
        "recipe": run.recipe.to_dict(),
        "base": run.base.fingerprint,
        "data": training_rows.digest(run.rows),
        "seed": run.seed,
        "device": run.device,
    }


def _identity_of(lineage: Lineage) -> dict[str, Any]:
    return {
        "recipe": lineage.recipe,
        "base": lineage.base_fingerprint,
        "data": lineage.data_digest,
        "seed": lineage.seed,
        "device": lineage.device,
    }


def read_tasks(run: TrainingRun) -> list[LoadedTask]:
    """Return the tasks of a training with their rows.

    Raises one HarnessError for all that cannot be read or have other rows than before, and what a plugin
    raised as it is.
    """
    tasks = [load_task(task, DataSource.of(task, run.data)) for task in run.tasks]
    faults = Faults()
    for loaded in tasks:
        digest = loaded.examination.digest
        if loaded.error is None and digest != run.digests.get(loaded.task.name, digest):
            message = f"task {loaded.task.name} has other rows where it is trained than where it was checked"
            hint = "the data folder must be the same for all workers, and stay as it is"
            faults.add(HarnessError(message, hint=hint, without_texts=message))
        if loaded.error is not None and run.no_texts:
            faults.add(HarnessError(withheld_reason(loaded.error)), f"task {loaded.task.name}")
        elif isinstance(loaded.error, HarnessError):
            faults.add(loaded.error, f"task {loaded.task.name}")
        elif loaded.error is not None:
            raise loaded.error
    faults.refuse()
    return tasks


def _job(
    run: TrainingRun, tasks: Sequence[LoadedTask], work: Path, callback: TrainingCallback
) -> TrainingJob:
    first = run.tasks[0] if run.tasks else None
    return TrainingJob(
        recipe=run.recipe,
        rows=run.rows,
        base=run.base_folder,
        base_name=run.base_name,
        seed=run.seed,
        device=run.device,
        threads=run.threads or cores(),
        work=work,
        folder=work / "model",
        evaluate=lambda folder: scores(folder, tasks),
        deciding=f"{first.name}_{first.metrics[0].name}" if first else "",
        follower=callback,
    )


def scores(folder: Path, tasks: Sequence[LoadedTask]) -> dict[str, float]:
    """Score a model on tasks: `TASK_METRIC` → score, without undefined ones."""
    return {
        f"{evaluation.examination.task}_{score.metric}": score.score
        for evaluation in _evaluate(folder, tasks)
        for score in evaluation.scores
        if score.score is not None
    }


def _evaluate(folder: Path, tasks: Sequence[LoadedTask]) -> list[Evaluation]:
    """Evaluate a saved model as `harness run` does."""
    if not tasks:
        return []
    model = load_saved(folder)
    return [evaluate_task(model, loaded)[0] for loaded in tasks]


def load_saved(folder: Path, device: str = "auto") -> CachedModel:
    """Load a model that was just saved, as `harness run` does; raises HarnessError as `LocatedFolder`."""
    from harness.models.interface import ModelSpec, Settings
    from harness.models.sentence_transformer import LocatedFolder
    from harness.models.stored_model import LocatedStored

    spec = ModelSpec("folder", str(folder), settings=Settings(device=device))
    return CachedModel(LocatedStored(LocatedFolder.at(folder, spec, folder.name), spec).load())


def _lineage(run: TrainingRun, trained: TrainingResult, seconds: float) -> Lineage:
    environment = asdict(current_environment(""))
    environment.pop("libraries", None)
    if run.command is not None:
        environment["command"] = list(run.command)
    texts = [text for cells in run.rows.texts.values() for text in cells]
    return Lineage(
        recipe=run.recipe.to_dict(),
        base=run.base_name,
        base_fingerprint=run.base.fingerprint,
        seed=run.seed,
        trainer=run.trainer.name,
        data=Path(run.rows.source).name,
        data_digest=training_rows.digest(run.rows),
        rows=len(run.rows),
        texts=text_hashes(texts),
        steps=trained.steps,
        seconds=round(seconds, 1),
        log=tuple(LoggedLoss(**_plain(entry)) for entry in trained.log),
        best_step=trained.best_step,
        dtype=trained.dtype,
        threads=run.threads or cores(),
        device=run.device,
        hardware=environment,
        libraries=libraries(),
        finished=dt.datetime.now(dt.UTC).isoformat(timespec="seconds"),
        findings=run.allowed,
    )


def _plain(entry: LogEntry) -> dict[str, Any]:
    return {name: getattr(entry, name) for name in ("step", "epoch", "loss", "learning_rate", "metrics")}


def _describe(
    folder: Path,
    run: TrainingRun,
    lineage: Lineage,
    log: Sequence[LogEntry],
    evaluations: Sequence[Evaluation],
) -> None:
    write_lineage(folder, lineage)
    write_signatures(folder, [text for cells in run.rows.texts.values() for text in cells])
    write_curves(folder, log)
    if run.no_texts:
        # The card that sentence-transformers writes shows some rows, in tables and as examples to try.
        (folder / CARD).unlink(missing_ok=True)
    complete_card(folder, lineage, run.base_name, evaluations)


@dataclass
class _Clock:
    """Pass on the callbacks of a training, and keep the seconds of all its sittings in a file."""

    path: Path
    callback: TrainingCallback
    before: float = 0.0
    _began: float = field(default_factory=time.monotonic)
    _noted: float = 0.0

    def __post_init__(self) -> None:
        with contextlib.suppress(OSError, ValueError):
            self.before = float(self.path.read_text())

    @property
    def seconds(self) -> float:
        """Wall time so far, of this sitting and of those before."""
        return self.before + time.monotonic() - self._began

    def planned(self, steps: int) -> None:
        """Pass it on."""
        self.callback.planned(steps)

    def advance(self, step: int, epoch: float) -> None:
        """Pass it on, and write the time every few seconds: a kill gives no warning."""
        self.callback.advance(step, epoch)
        if self.seconds - self._noted >= 5:
            self._noted = self.seconds
            self.path.write_text(f"{self._noted:.1f}")

    def log(self, entry: LogEntry) -> None:
        """Pass it on."""
        self.callback.log(entry)
