"""Produce a candidate: train beside its place, measure it, write down what it is made of, move it in."""

from __future__ import annotations

import contextlib
import datetime as dt
import errno
import json
import os
import shutil
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from harness.encoding.cached_model import CachedModel
from harness.errors import HarnessError
from harness.evaluation.card_writer import complete_card
from harness.evaluation.evaluate import LoadedTask, evaluate_task, load_task
from harness.system.atomic import write_atomic
from harness.system.environment import cores, current_environment, libraries
from harness.system.limits import read_json_file
from harness.tasks.interface import DataSource
from harness.training import rows as training_rows
from harness.training.curves import write_curves
from harness.training.interface import TrainingJob
from harness.training.lineage import Lineage, LoggedLoss, write_lineage
from harness.training.near_duplicates import text_hashes, write_signatures

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from harness.models.interface import LocatedModel
    from harness.results.records import Evaluation
    from harness.tasks.interface import Task
    from harness.training.check_input import LogEntry, Rows
    from harness.training.interface import Trainer, TrainingCallback, TrainingResult
    from harness.training.recipe import Recipe


_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EROFS}
"""What the system says of writing alone."""
_UNWRITABLE = {
    errno.EACCES, errno.EEXIST, errno.EIO, errno.EISDIR, errno.ELOOP, errno.ENAMETOOLONG, errno.ENOTDIR,
    errno.EPERM,
}  # fmt: skip
"""What it says of a place that cannot be written, and when reading too; all else is a fault of code."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingRun:
    """One candidate to be produced."""

    recipe: Recipe
    trainer: Trainer
    rows: Rows
    """Made sure of: `harness.training.rows.validate_rows`."""
    base: LocatedModel
    base_folder: Path
    base_name: str
    """What its card calls the base."""
    tasks: Sequence[Task]
    """Those of the recipe, in its order."""
    data: Path | None
    """The data folder that tasks read; None for the samples that plugins ship."""
    out: Path
    seed: int
    device: str
    resume: bool = False
    allowed: tuple[str, ...] = ()
    """Codes of findings that would have stopped it."""


@dataclass(frozen=True, slots=True)
class TrainedModel:
    """What came of it."""

    folder: Path
    lineage: Lineage
    evaluations: list[Evaluation]


def unfinished(out: Path) -> Path:
    """Where a training works until its candidate is whole."""
    return out.parent / f"{out.name}.unfinished"


def produce(production: TrainingRun, follower: TrainingCallback) -> TrainedModel:
    """Train, measure and describe a candidate; nothing is at its place before all of that is done.

    What an interruption leaves is in `unfinished(out)`, and is continued with `resume`.
    Raises HarnessError where the place is taken or cannot be written, or holds the beginnings of another
    training.
    """
    out, work = production.out, unfinished(production.out)
    if os.path.lexists(out):
        raise HarnessError(f"{out} exists already", hint="remove it, or pick another --out")
    with _writing(work), _alone(work):
        _begin(production, work)
        examined = [load_task(task, DataSource.of(task, production.data)) for task in production.tasks]
        _raise_first(examined)
        clock = _Clock(work / "seconds", follower)
        trained = production.trainer.train(_job(production, examined, work, clock))
        folder = work / "model"
        evaluations = _evaluate(folder, examined)
        lineage = _lineage(production, trained, clock.seconds)
        _describe(folder, production, lineage, trained.log, evaluations)
        folder.rename(out)
    shutil.rmtree(work, ignore_errors=True)
    return TrainedModel(out, lineage, evaluations)


def _begin(production: TrainingRun, work: Path) -> None:
    """Note what this training is, or make sure that it is the one whose beginnings are there."""
    identity = work / "training.json"
    own = json.loads(json.dumps(_identity(production)))
    if identity.is_file():
        _check_same(_read_identity(identity), own, production)
    else:
        write_atomic(identity, [json.dumps(own, indent=1).encode()])
    # A model that was saved, but not yet described and moved, is made again from the last checkpoint.
    shutil.rmtree(work / "model", ignore_errors=True)


def _read_identity(path: Path) -> Mapping[str, Any]:
    try:
        before = read_json_file(path)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        before = error
    if not isinstance(before, dict):
        raise HarnessError(
            f"{path} does not say what training is unfinished: it is damaged",
            hint=f"remove {path.parent} to begin anew",
        )
    return before


def _check_same(before: Mapping[str, Any], own: Mapping[str, Any], production: TrainingRun) -> None:
    work = unfinished(production.out)
    if not production.resume:
        raise HarnessError(
            f"an unfinished training is in {work}", hint="--resume continues it; remove it to begin anew"
        )
    changed = [name for name in own if before.get(name) != own[name]]
    if changed:
        raise HarnessError(
            f"the unfinished training in {work} is not the same: {', '.join(changed)} changed",
            hint="give what was given then, or remove the folder to begin anew",
        )


def _identity(production: TrainingRun) -> dict[str, Any]:
    return {
        "recipe": production.recipe.to_dict(),
        "base": production.base.fingerprint,
        "data": training_rows.digest(production.rows),
        "seed": production.seed,
        "device": production.device,
    }


@contextlib.contextmanager
def _writing(work: Path) -> Iterator[None]:
    """Make the folder to work in; what cannot be written is for the user to mend, whoever writes it."""
    try:
        work.mkdir(parents=True, exist_ok=True)
        yield
    except OSError as error:
        if error.errno not in (_FULL | _UNWRITABLE if _is_there(error, work) else _FULL):
            raise
        raise HarnessError(
            f"cannot train in {work}: {error.strerror}",
            exists=str(error.filename) if error.filename else None,
            hint="free the disk, or pick another --out; --resume continues what was begun",
        ) from error


def _is_there(error: OSError, work: Path) -> bool:
    """Whether an error may be of the folder to work in, of what is in it, or of a folder on the way to it."""
    if error.filename is None:
        return True
    place, work = Path(str(error.filename)).absolute(), work.absolute()
    return place.is_relative_to(work) or work.is_relative_to(place)


@contextlib.contextmanager
def _alone(work: Path) -> Iterator[None]:
    """Keep a second training out of the same folder."""
    from filelock import FileLock, Timeout

    try:
        with FileLock(work / "lock", timeout=0):
            yield
    except Timeout as error:
        raise HarnessError(
            f"another training works in {work}", hint="wait for it, or pick another --out"
        ) from error


def _raise_first(examined: Sequence[LoadedTask]) -> None:
    """Find out before training that a task cannot be read."""
    for one in examined:
        if one.error is not None:
            raise one.error


def _job(
    production: TrainingRun, examined: Sequence[LoadedTask], work: Path, follower: TrainingCallback
) -> TrainingJob:
    first = production.tasks[0] if production.tasks else None
    return TrainingJob(
        recipe=production.recipe,
        rows=production.rows,
        base=production.base_folder,
        base_name=production.base_name,
        seed=production.seed,
        device=production.device,
        threads=cores(),
        work=work,
        folder=work / "model",
        evaluate=lambda folder: scores(folder, examined),
        deciding=f"{first.name}_{first.metrics[0].name}" if first else "",
        follower=follower,
    )


def scores(folder: Path, examined: Sequence[LoadedTask]) -> dict[str, float]:
    """Score a model on tasks: `TASK_METRIC` → score, undefined ones left out."""
    return {
        f"{evaluation.examination.task}_{score.metric}": score.score
        for evaluation in _evaluate(folder, examined)
        for score in evaluation.scores
        if score.score is not None
    }


def _evaluate(folder: Path, examined: Sequence[LoadedTask]) -> list[Evaluation]:
    """Measure a saved model as `harness run` would, whether training goes on or is done."""
    if not examined:
        return []
    from harness.models.interface import ModelSpec
    from harness.models.sentence_transformer import LocatedFolder

    once = CachedModel(LocatedFolder.at(folder, ModelSpec("folder", str(folder)), folder.name).load())
    return [evaluate_task(once, one)[0] for one in examined]


def _lineage(production: TrainingRun, trained: TrainingResult, seconds: float) -> Lineage:
    environment = asdict(current_environment(""))
    environment.pop("libraries", None)
    texts = [text for cells in production.rows.texts.values() for text in cells]
    return Lineage(
        recipe=production.recipe.to_dict(),
        base=production.base_name,
        base_fingerprint=production.base.fingerprint,
        seed=production.seed,
        trainer=production.trainer.name,
        data=Path(production.rows.source).name,
        data_digest=training_rows.digest(production.rows),
        rows=len(production.rows),
        texts=text_hashes(texts),
        steps=trained.steps,
        seconds=round(seconds, 1),
        log=tuple(LoggedLoss(**_plain(entry)) for entry in trained.log),
        best_step=trained.best_step,
        dtype=trained.dtype,
        device=production.device,
        hardware=environment,
        libraries=libraries(),
        finished=dt.datetime.now(dt.UTC).isoformat(timespec="seconds"),
        findings=production.allowed,
    )


def _plain(entry: LogEntry) -> dict[str, Any]:
    return {name: getattr(entry, name) for name in ("step", "epoch", "loss", "learning_rate", "metrics")}


def _describe(
    folder: Path,
    production: TrainingRun,
    lineage: Lineage,
    log: Sequence[LogEntry],
    evaluations: Sequence[Evaluation],
) -> None:
    write_lineage(folder, lineage)
    write_signatures(folder, [text for cells in production.rows.texts.values() for text in cells])
    write_curves(folder, log)
    complete_card(folder, lineage, production.base_name, evaluations)


@dataclass
class _Clock:
    """Pass on what a follower is told, and keep the time of all sittings in a file."""

    path: Path
    follower: TrainingCallback
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
        self.follower.planned(steps)

    def advance(self, step: int, epoch: float) -> None:
        """Pass it on, and note the time every few seconds: a kill gives no warning."""
        self.follower.advance(step, epoch)
        if self.seconds - self._noted >= 5:
            self._noted = self.seconds
            self.path.write_text(f"{self._noted:.1f}")

    def log(self, entry: LogEntry) -> None:
        """Pass it on."""
        self.follower.log(entry)
