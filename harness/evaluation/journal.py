"""The journal of a run: what was requested, written before the work begins, and how the run ended."""

from __future__ import annotations

from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field, replace
from typing import TYPE_CHECKING, Any, Literal

import msgspec

from harness.errors import HarnessError
from harness.evaluation.execution_plan import RunUnits  # noqa: TC001 - msgspec reads annotations
from harness.models.in_memory import requested_spec
from harness.models.interface import ModelSpec  # noqa: TC001 - msgspec reads annotations
from harness.system.atomic import is_gone, this_process
from harness.system.limits import read_json_file
from harness.system.paths import start_folder
from harness.system.plugin_code import error_text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from harness.evaluation.runner import RunPlan
    from harness.results.folder import ResultsFolder


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestedModel:
    """A model as it was requested, and as it was when the run began."""

    spec: ModelSpec
    name: str
    fingerprint: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestedTask:
    """A task, and whether its own name selected it; one that a tag selects may lack a sample."""

    name: str
    by_name: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class RunRequest:
    """What a command requested: every model on every task. Paths are absolute or relative to `folder`."""

    folder: str
    """The folder in which the command was given."""
    models: tuple[RequestedModel, ...]
    tasks: tuple[RequestedTask, ...]
    plugins: tuple[str, ...] = ()
    task_files: tuple[str, ...] = ()
    data: str | None = None
    """The data folder, absolute; `hub`; None for samples."""
    limit: int | None = None
    no_texts: bool = False
    """Whether texts of rows are kept out of the results."""

    @classmethod
    def of(
        cls, plan: RunPlan, *, plugins: tuple[str, ...] = (), task_files: tuple[str, ...] = ()
    ) -> RunRequest:
        """Return a plan of a command in the current folder as plain data."""
        models = [
            RequestedModel(spec=requested_spec(model), name=model.name, fingerprint=model.fingerprint)
            for model in plan.models
        ]
        return cls(
            folder=str(start_folder()),
            models=tuple(models),
            tasks=tuple(
                RequestedTask(name=selected.task.name, by_name=selected.by_name) for selected in plan.tasks
            ),
            plugins=plugins,
            task_files=task_files,
            data=str(plan.data) if plan.data else None,
            limit=plan.limit,
            no_texts=plan.no_texts,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class JournalEntry:
    """What a file of `runs/` says about its run."""

    name: str = ""
    """The file's, without its suffix."""
    started: str
    command: tuple[str, ...]
    state: Literal["running", "finished", "interrupted", "failed", "killed", "unknown"] = "unknown"
    """`killed` where the file says `running` and the process is gone; `unknown` before there were plans."""
    process: str = ""
    plan: RunRequest | None = None
    error: str | None = None
    harness: str = ""
    """Version."""
    python: str = ""
    platform: str = ""
    processor: str = ""
    cores: int | None = None
    git_commit: str | None = None
    libraries: dict[str, str] = field(default_factory=dict)
    units: RunUnits | None = None
    """What workers did; None where texts were encoded in the run's own process."""


class Journal:
    """What a run did so far, for its journal."""

    def __init__(self, write: Callable[[], None]) -> None:
        self.did: dict[str, Any] = {}
        self._write = write

    def note(self, did: Mapping[str, Any]) -> None:
        """Add what the run did; it is written when the run ends."""
        self.did.update(did)

    def write(self, did: Mapping[str, Any]) -> None:
        """Add what the run did, and write it while it is running; nothing where that fails."""
        self.note(did)
        with suppress(HarnessError):
            self._write()


@contextmanager
def keep_journal(
    results: ResultsFolder, name: str, plan: RunRequest, head: dict[str, Any]
) -> Iterator[Journal]:
    """Write a run's journal before the body begins and again when it ends, however it ends.

    head: further fields that are known before. Yields what takes what the run did. A process that is killed
    leaves the last that was written: it says `running`, and which process ran.
    Raises HarnessError where it cannot be written.
    """
    known = {**head, "plan": asdict(plan), "process": this_process()}

    def write(state: str, **more: Any) -> None:  # noqa: ANN401 - further fields
        results.write_run(name, {**known, "state": state, **more, **journal.did})

    journal = Journal(lambda: write("running"))
    write("running")
    try:
        yield journal
    except BaseException as error:
        reason = {"error": _reason(error, plan)} if isinstance(error, Exception) else {}
        with suppress(HarnessError):  # the user sees what ended the run, not that it could not be noted
            write("failed" if reason else "interrupted", **reason)
        raise
    write("finished")


def _reason(error: Exception, plan: RunRequest) -> str:
    kind = type(error).__name__
    # A HarnessError that ends a run is not of a row: those become ERROR records.
    return kind if plan.no_texts and not isinstance(error, HarnessError) else f"{kind}: {error_text(error)}"


def read_runs(results: ResultsFolder, unreadable: list[str]) -> list[JournalEntry]:
    """Read the journals of a results folder, oldest first.

    unreadable: takes one sentence for each file that is not a journal, or if they cannot be listed.
    """
    runs = []
    for path in results.run_paths(unreadable):
        try:
            run = msgspec.convert(read_json_file(path), JournalEntry)
        except (HarnessError, msgspec.DecodeError, UnicodeDecodeError, OSError) as error:
            unreadable.append(f"{path} is not the journal of a run: {error}")
        else:
            killed = run.state == "running" and is_gone(run.process)
            runs.append(replace(run, name=path.stem, state="killed" if killed else run.state))
    return sorted(runs, key=lambda run: (run.started, run.name))
