"""Status of a results folder: which requested results are done, which are left, and why."""

from __future__ import annotations

import os
from contextlib import ExitStack, chdir, contextmanager
from dataclasses import fields, replace
from pathlib import Path
from typing import TYPE_CHECKING

from harness.errors import HarnessError, MissingDataError
from harness.evaluation.evaluate import LoadedTask, load_task
from harness.evaluation.keys import code_summary, record_key
from harness.evaluation.result_status import PairStatus, RunStatus
from harness.evaluation.without_texts import withheld_reason
from harness.models.known import is_identified
from harness.models.locate import locate_model
from harness.models.missing_model import MissingModel
from harness.render import told_apart
from harness.results.code_changes import FEW, scoring_changes, task_changes
from harness.results.soundness import same_source_fault
from harness.system.paths import relative_to, user_path
from harness.system.plugin_code import error_text
from harness.tasks.interface import HUB, DataSource, read_choice
from harness.tasks.selection import select_tasks
from harness.tasks.task_file import read_task_file

if TYPE_CHECKING:
    from collections.abc import Collection, Hashable, Iterator, Sequence

    from harness.evaluation.journal import JournalEntry, RequestedModel, RequestedTask, RunRequest
    from harness.evaluation.result_status import State
    from harness.models.interface import LocatedModel, ModelSpec
    from harness.plugins.loader import Plugins
    from harness.results.folder import Identity, ResultsFolder
    from harness.results.records import Evaluation
    from harness.tasks.interface import Task

_LOST = "its predictions are missing, or are another run's"


def run_status(
    results: ResultsFolder, runs: Sequence[JournalEntry], plugins: Plugins, files: Collection[Path] = ()
) -> RunStatus:
    """Compare what runs requested, oldest first, with what a folder holds.

    Of one (model, task, data, limit) that several runs requested, the latest counts. Models are hashed and
    rows are read, as the same command would do first; no model is loaded. The root of `results` is absolute.

    plugins: those that the user chose. A plan may be a third party's: a plugin that it names is code, and is
    not loaded.
    files: the single files among them, resolved; a problem names those of a plan that are not among them.
    """
    latest: dict[Hashable, JournalEntry] = {}
    before: dict[Hashable, dict[Identity, None]] = {}
    for run, plan in _planned(runs):
        for model in plan.models:
            before.setdefault(_model_key(plan, model), {})[model.name, model.fingerprint] = None
            latest |= {_pair_key(plan, model, task): run for task in plan.tasks}
    status = RunStatus()
    pairs: dict[Path, PairStatus] = {}
    for run, plan in _planned(runs):
        wanted = [
            (model, task)
            for model in plan.models
            for task in plan.tasks
            if latest[_pair_key(plan, model, task)] is run
        ]
        if wanted:
            with _in_folder(plan, status):
                current = _CurrentState(plan, results, status, plugins)
                current.note_missing_plugins(files)
                for model, task in wanted:
                    known = [
                        identity for identity in before[_model_key(plan, model)] if identity[0] == model.name
                    ]
                    with status.noting_errors(f"{model.name} on {task.name}"):
                        if judged := current.judge(model, task, known):
                            slot, data, state, why = judged
                            pairs.pop(slot, None)
                            pairs[slot] = _pair(run, plan, model, task, data, state, why)
    status.pairs = sorted(
        pairs.values(), key=lambda pair: (pair.model, pair.task, pair.data, pair.limit or 0)
    )
    return status


def status_of_records(results: ResultsFolder, problems: list[str]) -> RunStatus:
    """List the records of a folder without plans of runs: what is missing cannot be known."""
    status = RunStatus(problems=["the runs here have no plan: what is missing cannot be determined"])
    for record in results.evaluations(problems):
        state, why = _record_state(results, record)
        status.pairs.append(
            PairStatus(
                model=record.candidate.model,
                task=record.examination.task,
                data=record.examination.data,
                limit=record.examination.limit,
                state=state,
                why=why,
                run="",
            )
        )
    return status


def _record_state(results: ResultsFolder, record: Evaluation) -> tuple[State, str]:
    if record.status == "broken":
        return "missing", _first_line(record.error or "")
    if record.status == "error":
        return "failed", _first_line(record.error or "")
    if not results.has_predictions(record):
        return "missing", _LOST
    return "unknown", "a record is there"


def _planned(runs: Sequence[JournalEntry]) -> Iterator[tuple[JournalEntry, RunRequest]]:
    return ((run, run.plan) for run in runs if run.plan is not None)


def _model_key(plan: RunRequest, model: RequestedModel) -> Hashable:
    """Return what distinguishes a model before it is located: its spec, relative to the run's folder."""
    spec = model.spec
    # No file is accessed: the path may not exist.
    folder = Path(plan.folder, os.path.expanduser(spec.location))  # noqa: PTH111
    where = folder if spec.scheme == "folder" else spec.location
    return spec.scheme, where, spec.name, spec.settings


def _pair_key(plan: RunRequest, model: RequestedModel, task: RequestedTask) -> Hashable:
    return _model_key(plan, model), task.name, plan.data, plan.limit


def _pair(
    run: JournalEntry,
    plan: RunRequest,
    model: RequestedModel,
    task: RequestedTask,
    data: str,
    state: State,
    why: str,
) -> PairStatus:
    return PairStatus(
        model=model.name,
        task=task.name,
        data=data,
        limit=plan.limit,
        state=state,
        why=why,
        run=run.name,
    )


@contextmanager
def _in_folder(plan: RunRequest, status: RunStatus) -> Iterator[None]:
    """Run the body in the folder of the command, to which its paths are relative."""
    folder = f"the folder {plan.folder}, in which a run was started"
    with ExitStack() as stack:
        with status.noting_errors(folder):
            if Path(plan.folder).is_dir():
                stack.enter_context(chdir(plan.folder))
                stack.enter_context(relative_to(Path.cwd()))
            else:
                status.problem(f"{folder}, does not exist")
        yield


class _CurrentState:
    """The models, tasks and rows of a plan as they are now, each read once."""

    def __init__(self, plan: RunRequest, results: ResultsFolder, status: RunStatus, plugins: Plugins) -> None:
        self.plan, self.results, self.status = plan, results, status
        self.schemes, self.task_schemes = plugins.model_schemes(), plugins.task_schemes()
        self.tasks = plugins.tasks()
        kinds = plugins.task_kinds()
        for name in plan.task_files:
            with status.noting_errors(f"the task file {name}"):
                self.tasks = {**read_task_file(Path(name), kinds), **self.tasks}
        self._located: dict[ModelSpec, LocatedModel] = {}
        self._loaded: dict[str, LoadedTask | str] = {}

    def note_missing_plugins(self, files: Collection[Path]) -> None:
        """Note plugin files of the plan that are not among the loaded ones."""
        for name in self.plan.plugins:
            with self.status.noting_errors(f"the plugin {name}"):
                file = user_path(name, Path(self.plan.folder)).resolve()
                if not file.is_file():
                    self.status.problem(f"the plugin {name} does not exist")
                elif file not in files:
                    self.status.problem(
                        f"a run used the plugin {file}; it is code, and is loaded only with --plugin {file}"
                    )

    def judge(
        self, model: RequestedModel, task: RequestedTask, known: Sequence[Identity]
    ) -> tuple[Path, str, State, str] | None:
        """Return where the record of a pair belongs, its data, state and why; None for a task that runs skip.

        known: names and fingerprints that the model had when runs began.
        """
        located, loaded = self.located(model.spec), self.loaded(task)
        data = self.plan.data or "sample"
        if isinstance(loaded, str):
            return self.results.root / model.name / task.name, data, "unknown", loaded
        if isinstance(loaded.error, MissingDataError) and not task.by_name and self.plan.data in (None, HUB):
            skipped = f"{task.name}: {loaded.error.message}"
            self.status.skipped += [] if skipped in self.status.skipped else [skipped]
            return None
        identity = located.name, located.fingerprint
        slot = self.results.slot(identity, loaded.examination)
        # A task file's rows are its own, wherever the others' come from.
        data = "own" if loaded.examination.data == "own" else data
        return (
            slot,
            data,
            *self._state(located, loaded, [earlier for earlier in known if earlier != identity]),
        )

    def _state(
        self, located: LocatedModel, loaded: LoadedTask, earlier: Sequence[Identity]
    ) -> tuple[State, str]:
        identity, examination = (located.name, located.fingerprint), loaded.examination
        try:
            failure = self.results.failure(identity, examination)
            record = self.results.read(identity, examination)
            old = [before for model in earlier if (before := self.results.read(model, examination))]
        except HarnessError as error:
            return "missing", error.message
        if failure is not None:
            return "failed", _first_line(failure.error or "")
        if isinstance(located, MissingModel):
            return "unknown", located.error.message
        if loaded.error is not None:
            reason = withheld_reason(loaded.error) if self.plan.no_texts else error_text(loaded.error)
            return "unknown", f"cannot read its rows: {_first_line(reason)}"
        if record is None:
            if not old:
                return "missing", ""
            then, now = told_apart(old[-1].candidate.fingerprint, located.fingerprint)
            return "stale", f"model: {then} / {now}"
        if record.key != record_key(located, examination):
            phrases = _changes(record, located, loaded)
            why = "; ".join(phrases)
            self.status.short[why] = tuple(_changes(record, located, loaded, most=FEW))
            return "stale", why
        if fault := same_source_fault(record, loaded.task):
            return "missing", f"the record does not hold: {fault}"
        if not self.results.has_predictions(record):
            return "missing", _LOST
        if self.plan.no_texts and not record.no_texts:
            return "stale", "it may hold texts, and the run has --no-texts"
        return "done", "" if is_identified(located) else "unidentified: each run computes it again"

    def located(self, spec: ModelSpec) -> LocatedModel:
        """Locate and hash a model as it is now."""
        if spec not in self._located:
            try:
                self._located[spec] = locate_model(spec, self.schemes)
            except HarnessError as error:
                self._located[spec] = MissingModel(spec, error)
        return self._located[spec]

    def loaded(self, task: RequestedTask) -> LoadedTask | str:
        """Read a task's rows as they are now; a sentence where there is no such task."""
        if task.name not in self._loaded:
            self._loaded[task.name] = self._load(task.name)
        return self._loaded[task.name]

    def _load(self, name: str) -> LoadedTask | str:
        try:
            (selected,) = select_tasks([name], self.tasks, self.task_schemes)
        except (HarnessError, ValueError):
            return "no plugin or task file has this task"
        task: Task = selected.task
        return load_task(task, DataSource.of(task, read_choice(self.plan.data)), self.plan.limit)


def _changes(
    record: Evaluation, located: LocatedModel, loaded: LoadedTask, *, most: int | None = None
) -> list[str]:
    """Name what a record's key depends on and has changed: before / now; most: as in `task_changes`."""
    examination = loaded.examination
    changes = replace(record.examination, source=examination.source).differences(examination)
    before, now = record.candidate.settings, located.spec.settings
    changes += [
        f"{column.name}: {getattr(before, column.name)} / {getattr(now, column.name)}"
        for column in fields(before)
        if getattr(before, column.name) != getattr(now, column.name)
    ]
    if record.code:
        code = code_summary(loaded.code)
        changes += [
            *task_changes(record.code, code, most=most),
            *scoring_changes(record.code, code, most=most),
        ]
    else:
        changes.append("an older harness computed it")
    # Nothing else is in a key.
    return changes or ["what the model was trained on changed"]


def _first_line(text: str) -> str:
    return next(iter(text.splitlines()), "")
