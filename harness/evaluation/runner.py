"""A run: what it is asked, what it keeps and reuses, and the records of what failed."""

from __future__ import annotations

import traceback
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Literal

from harness.encoding.cache import EmbeddingCache
from harness.errors import HarnessError, MissingDataError
from harness.evaluation.evaluate import LoadedTask, failure_record, load_task
from harness.evaluation.keys import record_key
from harness.evaluation.listeners import Listeners
from harness.evaluation.without_texts import frames_only, withheld_reason, withheld_trace, without_texts
from harness.models.known import is_identified, is_remote
from harness.models.missing_model import fingerprint_of
from harness.results.prediction_files import read_predictions
from harness.results.records import content_hash
from harness.results.soundness import same_source_fault
from harness.system.plugin_code import raised_by
from harness.tasks.interface import HUB, DataSource

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from harness.evaluation.execution_plan import ExecutionPlan, RunUnits
    from harness.evaluation.progress import Progress
    from harness.models.interface import LocatedModel
    from harness.plugins.loader import Plugins
    from harness.plugins.tracker import Tracker
    from harness.results.folder import ResultsFolder
    from harness.results.records import Evaluation
    from harness.tasks.interface import DataChoice
    from harness.tasks.selection import SelectedTask
    from harness.tasks.suites import Suite


@dataclass(frozen=True, kw_only=True)
class RunPlan:
    """What to evaluate."""

    models: Sequence[LocatedModel]
    tasks: Sequence[SelectedTask]
    suites: Sequence[Suite] = ()
    """Suites that selected tasks: rows other than those that they were frozen with are refused."""
    data: DataChoice = None
    """The data folder; "hub" for the homes of tasks there; None for the samples that plugins ship."""
    limit: int | None = None
    fresh: bool = False
    """Compute again what is there already, cached embeddings included."""
    cache: Path | None = None
    """Folder of the embedding cache; None to keep no embeddings."""
    cache_size: int | None = None
    """Maximum bytes of the cache; None for its default."""
    no_texts: bool = False
    """Keep the texts of rows out of results, and remove those that are there: see `without_texts`."""
    throughput: bool = False
    """Time each model that had to be loaded, after its tasks, and those that never were timed."""
    time_remote: bool = False
    """With `throughput`, time models on other machines, too: a speed that is the network's."""
    keep_going: bool = False
    """Evaluate the rest where something would fail: see `preflight.prepare`."""
    faults: Sequence[HarnessError] = ()
    """What the plan lacks of what was asked, such as a task that does not exist."""
    plugins: Plugins | None = None
    """Plugins whose `harness_record` is told of each record; None to tell none."""
    trackers: Sequence[Tracker] = ()
    """Get each record: `--track`."""
    execution: ExecutionPlan | None = None
    """By which workers texts are encoded; None for this process."""


@dataclass
class RunOutcome:
    """The result of a plan."""

    evaluations: list[Evaluation] = field(default_factory=list)
    reused: int = 0
    threads: dict[str, str] = field(default_factory=dict)
    """How each model that was loaded used threads, if it says so."""
    skipped: list[str] = field(default_factory=list)
    """One sentence for each task that a tag selected and that has no sample."""
    problems: list[str] = field(default_factory=list)
    """One sentence for each thing found wrong in the results folder."""
    raised: list[BaseException] = field(default_factory=list, repr=False)
    """What the failures raised, with their tracebacks; not those of other processes."""
    untold: list[str] = field(default_factory=list)
    """One sentence for each hook or tracker that could not take a record; they are in `problems`, too."""

    @property
    def failed(self) -> list[Evaluation]:
        """The ERROR records."""
        return [evaluation for evaluation in self.evaluations if evaluation.status == "error"]


@dataclass
class Runner:
    """One run of a plan, with its outcome so far."""

    plan: RunPlan
    results: ResultsFolder
    progress: Progress
    outcome: RunOutcome = field(default_factory=RunOutcome)
    cache: EmbeddingCache | None = None
    tell_units: Callable[[RunUnits], None] = lambda _: None
    """Takes what workers have done, now and then, and at the end."""
    listeners: Listeners = field(init=False)
    _reusable: dict[tuple[str, str, str], Evaluation | None] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.listeners = Listeners(self.results, self.plan.plugins, self.plan.trackers)
        if self.plan.cache is not None:
            self.cache = EmbeddingCache(
                self.plan.cache, self.progress.note, fresh=self.plan.fresh, limit=self.plan.cache_size
            )

    @contextmanager
    def telling(self) -> Iterator[None]:
        """End the runs of trackers after the body, however it ends; the outcome gets what they raised."""
        status: Literal["finished", "failed", "interrupted"] = "finished"
        try:
            yield
        except BaseException as error:
            status = "failed" if isinstance(error, Exception) else "interrupted"
            raise
        finally:
            self.listeners.close(status)
            self.outcome.untold = self.listeners.problems
            self.outcome.problems += self.listeners.problems

    def read_tasks(self) -> list[LoadedTask]:
        """Read the rows of every task.

        One that a tag selected and that has no sample, or no home on the hub, is skipped with a message.
        """
        tasks = []
        for number, selected in enumerate(self.plan.tasks, start=1):
            task, data = selected.task, self.plan.data
            self.progress.stage(f"reading {task.name}, task {number} of {len(self.plan.tasks)}")
            loaded = load_task(task, DataSource.of(task, data), self.plan.limit)
            if isinstance(loaded.error, MissingDataError) and not selected.by_name and data in (None, HUB):
                self.outcome.skipped.append(f"{task.name}: {loaded.error.message}")
                self.progress.note(f"skipped {task.name}: {loaded.error.message}")
            else:
                tasks.append(loaded)
        self.progress.expect(len(tasks) * len(self.plan.models))
        return tasks

    def reusable(self, located: LocatedModel, loaded: LoadedTask) -> Evaluation | None:
        """Return the record that is there, if its key is the same and its predictions are there too.

        It is looked for once: a later record of the same run is not. A model that is not identified has none.
        """
        pair = located.name, located.fingerprint, loaded.task.name
        if pair not in self._reusable:
            self._reusable[pair] = None if self.plan.fresh else self._find_reusable(located, loaded)
        return self._reusable[pair]

    def _find_reusable(self, located: LocatedModel, loaded: LoadedTask) -> Evaluation | None:
        record = self._read_record(located, loaded) if is_identified(located) else None
        if record is None or record.status != "ok" or record.key != record_key(located, loaded.examination):
            return None
        if fault := same_source_fault(record, loaded.task):
            self.progress.note(f"computed again: {located.name} on {loaded.task.name}: {fault}")
            return None
        return record if self.results.has_predictions(record) else None

    def reuse(self, located: LocatedModel, loaded: LoadedTask) -> bool:
        """Keep the `reusable` record if there is one, without texts where the plan keeps them out."""
        record = self.reusable(located, loaded)
        if record is None:
            return False
        if self.plan.no_texts and not record.no_texts:
            try:
                record = self._remove_texts(record, loaded)
            except HarnessError as error:
                self.progress.note(f"computed again: {error.message}")
                return False
        self.outcome.reused += 1
        self.finish(record, located, reused=True)
        return True

    def _read_record(self, located: LocatedModel, loaded: LoadedTask) -> Evaluation | None:
        try:
            return self.results.read((located.name, located.fingerprint), loaded.examination)
        except HarnessError as error:
            self.progress.note(f"computed again: {error.message}")
            return None

    def _remove_texts(self, record: Evaluation, loaded: LoadedTask) -> Evaluation:
        """Write a record and its predictions again, without texts.

        Raises HarnessError for predictions that cannot be read or are not their record's.
        """
        found = None
        if record.predictions is not None:
            found, _ = read_predictions(self.results.predictions_path(record))
            if content_hash(found) != record.predictions:
                raise HarnessError(f"the predictions of {loaded.task.name} are not those of their record")
        bare, predictions = without_texts(record, found, loaded)
        self.results.write(bare, predictions)
        self.progress.note(f"texts removed: {bare.candidate.model} on {loaded.task.name}")
        return bare

    def needs_timing(self, located: LocatedModel) -> bool:
        """Whether a model without tasks left has yet to be timed."""
        if not self.plan.throughput or (is_remote(located) and not self.plan.time_remote):
            return False
        return not self.results.has_throughput((located.name, located.fingerprint))

    def finish(self, evaluation: Evaluation, located: LocatedModel, *, reused: bool) -> None:
        """Keep a success and delete earlier failures, also those of a model that could not be located."""
        self.results.forget_failure(evaluation)
        missing = replace(evaluation.candidate, fingerprint=fingerprint_of(located.spec))
        self.results.forget_failure(replace(evaluation, candidate=missing))
        self.keep(evaluation, reused=reused)

    def fail(
        self,
        located: LocatedModel,
        loaded: LoadedTask,
        error: Exception,
        trace: str | None = None,
        *,
        of_rows: bool = True,
    ) -> None:
        """Write an ERROR record, with a traceback unless the error is a HarnessError.

        trace: what a process wrote before it ended. of_rows: whether rows had been read, so that the message
        may quote them.
        """
        self.outcome.raised.append(raised_by(error))
        evaluation, no_texts = failure_record(located, loaded, error), self.plan.no_texts
        if no_texts:
            reason = withheld_reason(error) if of_rows else evaluation.error
            evaluation = replace(evaluation, error=reason, no_texts=True)
        if trace is not None:
            trace = frames_only(trace) if no_texts else trace
        elif not isinstance(error, HarnessError):
            raised = raised_by(error)
            withheld = no_texts and of_rows
            trace = withheld_trace(raised) if withheld else "".join(traceback.format_exception(raised))
        self.results.write_error(evaluation, trace)
        self.keep(evaluation, reused=False)

    def keep(self, evaluation: Evaluation, *, reused: bool) -> None:
        """Add a record that is on disk to the outcome, and tell of it."""
        self.outcome.evaluations.append(evaluation)
        self.progress.end(evaluation, reused=reused)
        self.listeners.tell(evaluation, reused=reused)
