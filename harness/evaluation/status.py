"""What is done of all that runs into a folder were asked for, what is left, and why."""

from __future__ import annotations

import os
from contextlib import ExitStack, chdir, contextmanager
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from harness.errors import HarnessError, MissingDataError
from harness.evaluation.evaluate import LoadedTask, load_task
from harness.evaluation.keys import code_summary, record_key
from harness.models.locate import locate_model
from harness.models.missing import MissingModel
from harness.results.code_changes import scoring_changes, task_changes
from harness.system.paths import user_path
from harness.tasks.interface import DataSource
from harness.tasks.selection import select_tasks
from harness.tasks.task_file import read_task_file

if TYPE_CHECKING:
    from collections.abc import Collection, Hashable, Iterator, Sequence

    from harness.evaluation.journal import JournalEntry, RequestedModel, RequestedTask, RunRequest
    from harness.models.interface import LocatedModel, ModelSpec
    from harness.plugins.loader import Plugins
    from harness.results.folder import Identity, Results
    from harness.results.records import Evaluation
    from harness.tasks.interface import Task

State = Literal["done", "failed", "missing", "stale", "unknown"]
_LOST = "its predictions are not there, or are another run's"
STATES: tuple[State, ...] = ("done", "failed", "missing", "stale", "unknown")


@dataclass(frozen=True, slots=True, kw_only=True)
class PairStatus:
    """A model on a task, as a run was asked for it, and what has come of it."""

    model: str
    task: str
    data: str
    """`sample`, or the data folder."""
    limit: int | None
    state: State
    """`unknown` where the model, the task or its data is no longer there to be asked."""
    why: str = ""
    """One phrase; empty when all is well, and for what has just not been done yet."""
    run: str
    """Name of the latest run that was asked for it."""


@dataclass
class RunStatus:
    """Every pair once, and what was found on the way."""

    pairs: list[PairStatus] = field(default_factory=list)
    skipped: list[str] = field(default_factory=list)
    """One sentence for each task that a tag selected and that ships no sample: it was never to be done."""
    problems: list[str] = field(default_factory=list)
    """One sentence for each plugin, task file or folder that is no longer as it was."""

    def problem(self, sentence: str) -> None:
        """Note a problem, once."""
        self.problems += [] if sentence in self.problems else [sentence]

    @contextmanager
    def telling(self, what: str) -> Iterator[None]:
        """Note as a problem why something cannot be looked at: a journal may name anything at all."""
        try:
            yield
        except HarnessError as error:
            self.problem(error.message)
        except (OSError, ValueError, RuntimeError) as error:
            reason = error.strerror if isinstance(error, OSError) else str(error)
            self.problem(f"{what} cannot be looked at: {reason}")

    def count(self, state: State) -> int:
        """How many pairs are in a state."""
        return sum(pair.state == state for pair in self.pairs)


def run_status(
    results: Results, runs: Sequence[JournalEntry], plugins: Plugins, files: Collection[Path] = ()
) -> RunStatus:
    """Hold what the plans of runs asked for, oldest first, against what a folder holds.

    Of one (model, task, data, limit) that several runs were asked for, the latest counts. Models are hashed
    and rows are read, as the same command would do first; none is loaded. The root of `results` is absolute.

    plugins: what is asked. A plan may be a stranger's: a plugin that it names is code, and is not loaded.
    files: the single files among them, resolved; a problem names those of a plan that are not.
    """
    latest: dict[Hashable, JournalEntry] = {}
    before: dict[Hashable, dict[Identity, None]] = {}
    for run, plan in _planned(runs):
        for model in plan.models:
            before.setdefault(_model_key(plan, model), {})[model.name, model.fingerprint] = None
            latest |= {_pair_key(plan, model, task): run for task in plan.tasks}
    found = RunStatus(problems=list(plugins.problems))
    pairs: dict[Path, PairStatus] = {}
    for run, plan in _planned(runs):
        wanted = [
            (model, task)
            for model in plan.models
            for task in plan.tasks
            if latest[_pair_key(plan, model, task)] is run
        ]
        if wanted:
            with _in_folder(plan, found):
                now = _CurrentState(plan, results, found, plugins)
                now.miss(files)
                for model, task in wanted:
                    known = [one for one in before[_model_key(plan, model)] if one[0] == model.name]
                    with found.telling(f"{model.name} on {task.name}"):
                        if judged := now.judge(model, task, known):
                            slot, state, why = judged
                            pairs.pop(slot, None)
                            pairs[slot] = _pair(run, plan, model, task, state, why)
    found.pairs = sorted(pairs.values(), key=lambda one: (one.model, one.task, one.data, one.limit or 0))
    return found


def status_of_records(results: Results, problems: list[str]) -> RunStatus:
    """List the records of a folder in which no run noted what it was asked for: no more can be known."""
    found = RunStatus(problems=["no run here noted what it was asked for: what is missing cannot be said"])
    for one in results.evaluations(problems):
        state, why = _record_state(results, one)
        found.pairs.append(
            PairStatus(
                model=one.candidate.model,
                task=one.examination.task,
                data=one.examination.data,
                limit=one.examination.limit,
                state=state,
                why=why,
                run="",
            )
        )
    return found


def _record_state(results: Results, one: Evaluation) -> tuple[State, str]:
    if one.status == "error":
        return "failed", _first_line(one.error or "")
    if not results.has_predictions(one):
        return "missing", _LOST
    return "unknown", "a record is there"


def _planned(runs: Sequence[JournalEntry]) -> Iterator[tuple[JournalEntry, RunRequest]]:
    return ((run, run.plan) for run in runs if run.plan is not None)


def _model_key(plan: RunRequest, model: RequestedModel) -> Hashable:
    """What tells a model from others before it is looked at: its words, and where they were said."""
    spec = model.spec
    # Whether anything can be there is asked later: here, words are held against words.
    folder = Path(plan.folder, os.path.expanduser(spec.location))  # noqa: PTH111
    where = folder if spec.scheme == "folder" else spec.location
    return spec.scheme, where, spec.name, spec.settings


def _pair_key(plan: RunRequest, model: RequestedModel, task: RequestedTask) -> Hashable:
    return _model_key(plan, model), task.name, plan.data, plan.limit


def _pair(
    run: JournalEntry, plan: RunRequest, model: RequestedModel, task: RequestedTask, state: State, why: str
) -> PairStatus:
    return PairStatus(
        model=model.name,
        task=task.name,
        data=plan.data or "sample",
        limit=plan.limit,
        state=state,
        why=why,
        run=run.name,
    )


@contextmanager
def _in_folder(plan: RunRequest, found: RunStatus) -> Iterator[None]:
    """Stand where a command was given: its words mean what they meant there."""
    where = f"the folder {plan.folder}, in which a run was started,"
    with ExitStack() as stack:
        with found.telling(where):
            if Path(plan.folder).is_dir():
                stack.enter_context(chdir(plan.folder))
            else:
                found.problem(f"{where} is not there")
        yield


class _CurrentState:
    """The models, tasks and rows of a plan as they are now, each looked at once."""

    def __init__(self, plan: RunRequest, results: Results, found: RunStatus, plugins: Plugins) -> None:
        self.plan, self.results, self.found = plan, results, found
        self.schemes, self.task_schemes = plugins.model_schemes(), plugins.task_schemes()
        self.tasks = plugins.tasks()
        kinds = plugins.task_kinds()
        for name in plan.task_files:
            with found.telling(f"the task file {name}"):
                self.tasks = {**read_task_file(Path(name), kinds), **self.tasks}
        self._located: dict[ModelSpec, LocatedModel] = {}
        self._examined: dict[str, LoadedTask | str] = {}

    def miss(self, files: Collection[Path]) -> None:
        """Say which plugin files of the plan are not among those that were loaded."""
        for name in self.plan.plugins:
            with self.found.telling(f"the plugin {name}"):
                file = user_path(name, Path(self.plan.folder)).resolve()
                if not file.is_file():
                    self.found.problem(f"the plugin {name} is not there")
                elif file not in files:
                    self.found.problem(
                        f"a run used the plugin {file}; it is code, and is asked with --plugin {file}"
                    )

    def judge(
        self, model: RequestedModel, task: RequestedTask, known: Sequence[Identity]
    ) -> tuple[Path, State, str] | None:
        """Say where the record of a pair belongs, and its state; None for what was never to be done.

        known: names and fingerprints that the model had when runs began.
        """
        located, examined = self.located(model.spec), self.examined(task)
        nowhere = self.results.root / model.name / task.name
        if isinstance(examined, str):
            return nowhere, "unknown", examined
        if isinstance(examined.error, MissingDataError) and not task.by_name and not self.plan.data:
            skipped = f"{task.name}: {examined.error.message}"
            self.found.skipped += [] if skipped in self.found.skipped else [skipped]
            return None
        identity = located.name, located.fingerprint
        slot = self.results.slot(identity, examined.examination)
        return slot, *self._state(located, examined, [one for one in known if one != identity])

    def _state(
        self, located: LocatedModel, examined: LoadedTask, earlier: Sequence[Identity]
    ) -> tuple[State, str]:
        identity, asked = (located.name, located.fingerprint), examined.examination
        try:
            failure = self.results.failure(identity, asked)
            found = self.results.read(identity, asked)
            old = [one for model in earlier if (one := self.results.read(model, asked))]
        except HarnessError as error:
            return "missing", error.message
        if failure is not None:
            return "failed", _first_line(failure.error or "")
        if isinstance(located, MissingModel):
            return "unknown", located.error.message
        if examined.error is not None:
            return "unknown", f"its rows cannot be read: {_first_line(str(examined.error))}"
        if found is None:
            now = located.fingerprint[:8]
            return (
                ("stale", f"model: {old[-1].candidate.fingerprint[:8]} / {now}") if old else ("missing", "")
            )
        if found.key != record_key(located, asked):
            return "stale", _changes(found, located, examined)
        if not self.results.has_predictions(found):
            return "missing", _LOST
        return "done", ""

    def located(self, spec: ModelSpec) -> LocatedModel:
        """Find and hash a model as it is now."""
        if spec not in self._located:
            try:
                self._located[spec] = locate_model(spec, self.schemes)
            except HarnessError as error:
                self._located[spec] = MissingModel(spec, error)
        return self._located[spec]

    def examined(self, task: RequestedTask) -> LoadedTask | str:
        """Read a task's rows as they are now; a sentence where there is no such task."""
        if task.name not in self._examined:
            self._examined[task.name] = self._examine(task.name)
        return self._examined[task.name]

    def _examine(self, name: str) -> LoadedTask | str:
        try:
            (selected,) = select_tasks([name], self.tasks, self.task_schemes)
        except (HarnessError, ValueError):
            return "no plugin or task file brings this task"
        task: Task = selected.task
        folder = Path(self.plan.data) if self.plan.data else None
        return load_task(task, DataSource.of(task, folder), self.plan.limit)


def _changes(found: Evaluation, located: LocatedModel, examined: LoadedTask) -> str:
    """Say what a record depends on that is not as it was: then / now."""
    asked = examined.examination
    told = replace(found.examination, source=asked.source).differences(asked)
    before, now = found.candidate.settings, located.spec.settings
    told += [
        f"{column.name}: {getattr(before, column.name)} / {getattr(now, column.name)}"
        for column in fields(before)
        if getattr(before, column.name) != getattr(now, column.name)
    ]
    if found.code:
        code = code_summary(examined.code)
        told += [*task_changes(found.code, code), *scoring_changes(found.code, code)]
    else:
        told.append("an older harness computed it")
    # Nothing else is in a key.
    return "; ".join(told) or "what the model was trained on changed"


def _first_line(text: str) -> str:
    return next(iter(text.splitlines()), "")
