"""Try a trainer: does it keep the rules of trainers?"""

from __future__ import annotations

import shutil
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from harness.errors import HarnessError
from harness.models.interface import ModelSpec
from harness.system.plugin_code import raised_by
from harness.system.read_only import FrozenError
from harness.testing.rules import Rule, attribute_faults, find_failures, raise_failures
from harness.testing.trainer_trial import SEED, StoppedError, TrainerTrial, hashes
from harness.training.check_input import LogEntry
from harness.training.interface import Trainer, TrainingResult

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy as np

    from harness.training.check_input import Rows
    from harness.training.recipe import Recipe

_SAME = 1e-5
"""Maximum difference of an embedding's values between two models that are to be the same."""


def check_trainer(
    trainer: Trainer, *, recipe: Recipe | None = None, rows: Rows | None = None, base: Path | None = None
) -> None:
    """Return if a trainer keeps all rules: it trains a small model six times, for a few steps.

    recipe: what to train; pairs with MultipleNegativesRankingLoss if None.
    rows: training rows that fit the recipe, 24 pairs if None.
    base: folder of the model that training starts from; that of `build_small_model` if None.
    Raises one AssertionError with a sentence for each rule that it breaks.
    """
    failures = trainer_failures(trainer, recipe=recipe, rows=rows, base=base)
    raise_failures(f"trainer {getattr(trainer, 'name', trainer)!r}", failures)


def trainer_failures(
    trainer: Trainer, *, recipe: Recipe | None = None, rows: Rows | None = None, base: Path | None = None
) -> list[str]:
    """Return a sentence for each rule that a trainer breaks, `RULE: …`; an empty list if it keeps all."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        trial = TrainerTrial(trainer, Path(folder).resolve(), recipe, rows, base)
        return [str(failure) for failure in find_failures(STAGES, trial)]


def _attributes(trial: TrainerTrial) -> Iterator[str]:
    yield from attribute_faults(trial.trainer, Trainer)
    if callable(ready := getattr(trial.trainer, "ready", None)):
        try:
            ready()
        except HarnessError as error:
            yield f"it is not ready here: {error.message}"


def _trains(trial: TrainerTrial) -> Iterator[str]:
    training = trial.plain
    result = training.result
    if not isinstance(result, TrainingResult):
        yield f"train returns a {type(result).__name__}, not a TrainingResult"
    elif not isinstance(result.steps, int) or result.steps < 1:
        yield f"the result says {result.steps!r} steps: a whole number from 1 on is wanted"
    elif strange := [entry for entry in result.log if not isinstance(entry, LogEntry)]:
        yield f"the log holds {str(strange[0])[:60]!r}, which is not a LogEntry"
    elif not any(entry.loss is not None for entry in result.log):
        yield "the log has no line with a loss: how the training went cannot be seen"
    elif not training.job.folder.is_dir():
        yield "there is no folder at job.folder after the training"


def _loads(trial: TrainerTrial) -> Iterator[str]:
    import numpy as np

    from harness.models.sentence_transformer import LocatedFolder

    folder = trial.plain.job.folder
    try:
        LocatedFolder.at(folder, ModelSpec("folder", str(folder)), "trained").load()
    except HarnessError as error:
        yield f"`harness run` cannot load the trained folder: {error.message}"
    else:
        if not np.isfinite(trial.embeddings(folder)).all():
            yield "the trained model's embeddings are not finite"


def _learns(trial: TrainerTrial) -> Iterator[str]:
    if _same(trial.embeddings(trial.base), trial.embeddings(trial.plain.job.folder)):
        yield "the trained model has the embeddings of its base: nothing was trained, or the base was saved"


def _same_seed(trial: TrainerTrial) -> Iterator[str]:
    if found := _unlike(trial, trial.train("again").job.folder):
        yield f"the same recipe, rows and seed give another model: {found}; draw with job.seed"


def _other_seed(trial: TrainerTrial) -> Iterator[str]:
    folder = trial.train("other-seed", seed=SEED + 1).job.folder
    if _same(trial.embeddings(trial.plain.job.folder), trial.embeddings(folder)):
        yield (
            f"seeds {SEED} and {SEED + 1} give the same model: --seeds shows no spread; take what is drawn,"
            " such as the order of the rows, from job.seed"
        )


def _base(trial: TrainerTrial) -> Iterator[str]:
    before, _ = trial.before
    trial.plain  # noqa: B018 - it is trained once
    now = hashes(trial.base)
    if changed := sorted(name for name in {*before, *now} if before.get(name) != now.get(name)):
        yield f"the training changes its base: {changed[0]} in job.base; write to job.folder"


def _rows(trial: TrainerTrial) -> Iterator[str]:
    """Find changed rows. Columns refuse it, but not to compiled code."""
    _, before = trial.before
    try:
        trial.plain  # noqa: B018 - it is trained once
    except Exception as error:  # noqa: BLE001 - the next rule says what it raises
        if isinstance(raised_by(error), FrozenError):
            yield f"the training changes job.rows: {raised_by(error)}"
        return
    if repr(trial.rows) != before:
        yield "the training changes job.rows, from which the lineage is made: work on a copy"


def _folders(trial: TrainerTrial) -> Iterator[str]:
    if stray := trial.plain.stray:
        yield f"it writes {stray[0]} outside of job.work and job.folder"


def _follower(trial: TrainerTrial) -> Iterator[str]:
    training = trial.plain
    planned, steps = training.follower.planned_steps, training.follower.steps
    if len(planned) != 1:
        yield f"it calls job.follower.planned {len(planned)} times: once is wanted, before the first step"
    elif not steps or steps != sorted(set(steps)):
        yield f"it calls job.follower.advance with the steps {steps}: each once, in order, is wanted"
    elif steps[-1] != training.result.steps or steps[-1] > planned[0]:
        yield (
            f"it plans {planned[0]} steps, reports {steps[-1]} as the last one, and the result says"
            f" {training.result.steps}"
        )
    elif not training.follower.entries:
        yield "it calls job.follower.log with no line: nobody sees the loss while it trains"


def _evaluates(trial: TrainerTrial) -> Iterator[str]:
    try:
        training = trial.train("scored", scored=True)
    except HarnessError:
        return  # it refuses such a recipe, and says so
    if not training.evaluated:
        yield "the recipe names a task, and job.evaluate is not called: call it, or refuse evaluation.tasks"
        return
    without = [folder for folder, there in training.evaluated if not there]
    if without:
        yield f"job.evaluate is called with {Path(without[0]).name!r}, where no model was saved before"
    elif not any(training.job.deciding in entry.metrics for entry in training.result.log):
        yield f"the scores that job.evaluate returned are in no line of the log: {training.job.deciding}"


def _resumes(trial: TrainerTrial) -> Iterator[str]:
    """Find a training that is another one after an interruption, whether or not it keeps checkpoints."""
    steps = trial.plain.result.steps
    with suppress(StoppedError):
        trial.train("resumed", stop_at=max(1, (2 * steps) // 3))
    shutil.rmtree(trial.root / "resumed" / "model", ignore_errors=True)
    resumed = trial.train("resumed")
    if found := _unlike(trial, resumed.job.folder):
        yield f"interrupted and continued, the same training gives another model: {found}"
    elif resumed.result.steps != steps:
        yield f"interrupted and continued, the result says {resumed.result.steps} steps, not {steps}"


def _unlike(trial: TrainerTrial, folder: Path) -> str:
    """Return how far a model is from the plain training's; empty where they are the same."""
    import numpy as np

    wanted, found = trial.embeddings(trial.plain.job.folder), trial.embeddings(folder)
    if wanted.shape != found.shape:
        return f"{found.shape[1]} dimensions, not {wanted.shape[1]}"
    return "" if _same(wanted, found) else f"embeddings differ by up to {np.abs(wanted - found).max():.1e}"


def _same(a: np.ndarray, b: np.ndarray) -> bool:
    import numpy as np

    return a.shape == b.shape and bool(np.abs(a - b).max() <= _SAME)


STAGES = (
    (Rule("attributes", "has a name, a line of help and a function", _attributes),),
    (Rule("rows", "does not change the rows", _rows),),
    (Rule("trains", "returns a TrainingResult with its log, and writes job.folder", _trains),),
    (Rule("loads", "writes a folder that `harness run` loads", _loads),),
    (Rule("learns", "changes the embeddings of its base", _learns),),
    (Rule("same-seed", "trains the same model from the same recipe, rows and seed", _same_seed),),
    (
        Rule("other-seed", "trains another model from another seed", _other_seed),
        Rule("base", "leaves the files of its base alone", _base),
        Rule("folders", "writes to job.work and job.folder alone", _folders),
        Rule("follower", "reports its plan, each step and its log", _follower),
        Rule("evaluates", "scores saved models where the recipe names tasks, or refuses it", _evaluates),
        Rule("resumes", "gives the same model after an interruption", _resumes),
    ),
)
"""Rules of trainers."""
