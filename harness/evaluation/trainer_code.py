"""Run a trainer, and check what it leaves: its result, and the model in the folder that it was given."""

from __future__ import annotations

import traceback
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from harness.errors import HarnessError
from harness.evaluation.without_texts import withheld_reason, withheld_trace
from harness.evaluation.work_folder import is_unwritable
from harness.metrics.interface import number_fault
from harness.models.interface import ModelSpec
from harness.render import with_article
from harness.system.paths import shown_path
from harness.system.plugin_code import error_sentence, plugin_code, raised_by
from harness.system.source_place import file_of, place_of_error
from harness.training.check_input import LogEntry
from harness.training.interface import TrainingResult

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.training.interface import Trainer, TrainingJob

SHOWN = 1_500
"""Maximum characters of a traceback that are quoted."""
TRACE = "traceback.txt"
"""Name of the file in the work folder that holds what a trainer raised."""


def check_ready(trainer: Trainer) -> None:
    """Raise HarnessError where a trainer says that it cannot train here, or fails to say whether it can."""
    if trainer.ready is None:
        return
    try:
        with plugin_code():
            trainer.ready()
    except HarnessError:
        raise
    except Exception as error:  # noqa: BLE001 - third-party code may raise anything
        place = place_of_error(raised_by(error), file_of(trainer.ready))
        where = f" ({place})" if place else ""
        message = f"trainer {trainer.name!r}{where} raised {error_sentence(error)}, asked whether it is ready"
        raise HarnessError(message, hint=_HINT) from raised_by(error)


def run_trainer(trainer: Trainer, job: TrainingJob, *, no_texts: bool) -> TrainingResult:
    """Train, and return the result of a trainer that did what it must.

    Raises HarnessError for what it raises, whose traceback is kept in the work folder, for a result that is
    none, and for a folder without a model. An error of writing, such as a full disk, passes.
    """
    try:
        with plugin_code():
            result: object = trainer.train(job)
    except HarnessError as error:
        if not no_texts:
            raise
        raise HarnessError(f"trainer {trainer.name!r}: {withheld_reason(error)}") from None
    except Exception as error:
        if is_unwritable(error):
            raise
        raise _raised(trainer, job, error, no_texts=no_texts) from raised_by(error)
    if (fault := next(_result_faults(result), None)) is not None:
        raise HarnessError(f"trainer {trainer.name!r} returned {fault}", hint=_HINT)
    _check_folder(trainer, job)
    assert isinstance(result, TrainingResult)  # noqa: S101 - for the type checker
    return result


_HINT = "harness/training/interface.py says what a trainer gets and returns"


def _raised(trainer: Trainer, job: TrainingJob, error: Exception, *, no_texts: bool) -> HarnessError:
    """Return the error for what a trainer raised; its traceback goes to a file."""
    raised = raised_by(error)
    trace = withheld_trace(raised) if no_texts else "".join(traceback.format_exception(raised))
    path = job.work / TRACE
    path.write_text(trace, encoding="utf-8", errors="replace")
    place = place_of_error(raised, file_of(trainer.train))
    where = f" ({place})" if place else ""
    said = type(raised).__name__ if no_texts else error_sentence(error)
    return HarnessError(
        f"trainer {trainer.name!r}{where} raised {said}", hint=f"traceback: {shown_path(path)}"
    )


def _result_faults(result: object) -> Iterator[str]:
    """Yield what is wrong with a result; the first decides."""
    if not isinstance(result, TrainingResult):
        kind = "nothing (None)" if result is None else with_article(type(result).__name__)
        yield f"{kind}, not a TrainingResult"
        return
    log: object = result.log
    if not isinstance(log, tuple | list):
        yield f"a log that is {with_article(type(log).__name__)}, not a tuple of LogEntry"
        return
    for entry in log:
        if (fault := _entry_fault(entry)) is not None:
            yield f"a log with {fault}"
    for name in ("steps", "best_step"):
        value: Any = getattr(result, name)
        if (type(value) is not int or value < 0) and (value is not None or name == "steps"):
            yield f"{name}={value!r}: a whole number is wanted"
    if not isinstance(result.dtype, str) or not result.dtype:
        yield f"dtype={result.dtype!r}: the name of a type is wanted, such as float32"


def _entry_fault(entry: Any) -> str | None:  # noqa: ANN401 - a plugin may give anything
    """Return what is wrong with a line of the log; None if nothing is."""
    if not isinstance(entry, LogEntry):
        return f"{with_article(type(entry).__name__)}, which is not a LogEntry"
    metrics: Any = entry.metrics
    if not isinstance(metrics, Mapping) or not all(isinstance(name, str) for name in metrics):
        return f"metrics that are {metrics!r:.60}, not a dict of name → score"
    numbers = {"step": entry.step, "epoch": entry.epoch, **metrics}
    further = {"loss": entry.loss, "learning_rate": entry.learning_rate}
    numbers |= {name: value for name, value in further.items() if value is not None}
    for name, value in numbers.items():
        if (fault := number_fault(value)) is not None:
            return f"{name} that is {fault}, not a number"
    return None


def _check_folder(trainer: Trainer, job: TrainingJob) -> None:
    """Raise HarnessError unless the folder holds a model that can be loaded, as far as its files show."""
    from harness.models.sentence_transformer import LocatedFolder

    subject = f"trainer {trainer.name!r} wrote no model to job.folder"
    if job.folder.is_symlink() or not job.folder.is_dir():
        there = sorted(path.name for path in job.work.iterdir()) if job.work.is_dir() else []
        raise HarnessError(
            f"{subject}, which is {'a link' if job.folder.is_symlink() else 'not a folder'}",
            exists=f"in job.work: {', '.join(there[:20]) or 'nothing'}",
            hint="model.save_pretrained(str(job.folder))",
        )
    try:
        LocatedFolder.at(job.folder, ModelSpec("folder", str(job.folder)), job.folder.name)
    except HarnessError as error:
        raise HarnessError(f"{subject} that can be used: {error.message}", hint=error.hint) from error
