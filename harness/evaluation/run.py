"""Evaluate models on tasks, from models and rows to records on disk."""

from __future__ import annotations

import traceback
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING, Protocol

from harness.encoding.cache import EmbeddingCache
from harness.encoding.cached_model import CachedModel
from harness.encoding.last_use import LastUse
from harness.encoding.text_embeddings import TextEmbeddings
from harness.errors import HarnessError, MissingDataError
from harness.evaluation.evaluate import LoadedTask, evaluate_task, failure_record, load_task
from harness.evaluation.keys import record_key
from harness.evaluation.progress import Progress
from harness.evaluation.throughput import measure
from harness.evaluation.without_texts import (
    frames_only,
    texts_left,
    withheld_reason,
    withheld_trace,
    without_texts,
)
from harness.models.missing import fingerprint_of
from harness.models.stored_model import by_encoding, source_of, view_of
from harness.results.prediction_files import read_predictions
from harness.results.records import content_hash
from harness.tasks.interface import HUB, DataSource

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from harness.models.backends.threads import ThreadLayout
    from harness.models.interface import LocatedModel, Model, Role
    from harness.results.folder import Results
    from harness.results.records import Evaluation
    from harness.tasks.dataset import Predictions
    from harness.tasks.interface import DataChoice
    from harness.tasks.selection import Selected


TIMING = "throughput"
"""What `Progress.begin` gets as the task while a model is timed."""


@dataclass(frozen=True, kw_only=True)
class RunPlan:
    """What to evaluate."""

    models: Sequence[LocatedModel]
    tasks: Sequence[Selected]
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

    @property
    def failed(self) -> list[Evaluation]:
        """The ERROR records."""
        return [evaluation for evaluation in self.evaluations if evaluation.status == "error"]


class Evaluator(Protocol):
    """Evaluates a model on the tasks that are left, in this process or another, and writes their records."""

    def __call__(self, run: Runner, located: LocatedModel, pending: list[LoadedTask]) -> None:
        """Evaluate; failures become ERROR records."""
        ...


def run_plan(
    plan: RunPlan, results: Results, progress: Progress | None = None, evaluator: Evaluator | None = None
) -> RunOutcome:
    """Evaluate every model on every task; each finished pair is on disk before the next begins.

    evaluator: None to evaluate in this process.

    A pair whose record is there, with the same key, is not computed again. A task or model that
    fails becomes an ERROR record, and the others still finish.
    Raises HarnessError where there is nothing to evaluate or results cannot be written.
    """
    run = Runner(plan, results, progress or Progress())
    results.remove_stale()
    tasks = run.read_tasks()
    if plan.tasks and not tasks:
        lacking = "has a home on the hub" if plan.data == HUB else "ships a sample"
        raise HarnessError(
            f"none of the selected tasks {lacking}",
            exists="\n".join(run.outcome.skipped),
            hint="give the real data: --data DIR (docs/data.md)",
        )
    for group in by_encoding(plan.models):
        pending = [
            (located, [loaded for loaded in tasks if not run.reuse(located, loaded)]) for located in group
        ]
        pending = [(located, left) for located, left in pending if left or run.needs_timing(located)]
        if evaluator is None and pending:
            run.evaluate_views(pending)
        elif evaluator is not None:
            for located, left in pending:
                evaluator(run, located, left)
    order = {(located.name, located.fingerprint): at for at, located in enumerate(plan.models)}
    run.outcome.evaluations.sort(key=lambda evaluation: order.get(evaluation.model, len(order)))
    if plan.no_texts:
        run.outcome.problems += texts_left(results)
    return run.outcome


@dataclass
class _View:
    """A loaded model, the tasks that are left to it, and whether it was scored on any."""

    located: LocatedModel
    model: CachedModel
    left: list[LoadedTask]
    scored: bool = False


@dataclass
class Runner:
    """One call of `run_plan`, with its outcome so far."""

    plan: RunPlan
    results: Results
    progress: Progress
    outcome: RunOutcome = field(default_factory=RunOutcome)
    cache: EmbeddingCache | None = None

    def __post_init__(self) -> None:
        if self.plan.cache is not None:
            self.cache = EmbeddingCache(
                self.plan.cache, self.progress.note, fresh=self.plan.fresh, limit=self.plan.cache_size
            )

    def read_tasks(self) -> list[LoadedTask]:
        """Read the rows of every task.

        One that a tag selected and that has no sample, or no home on the hub, is skipped with a message.
        """
        tasks = []
        for selected in self.plan.tasks:
            task, data = selected.task, self.plan.data
            loaded = load_task(task, DataSource.of(task, data), self.plan.limit)
            if isinstance(loaded.error, MissingDataError) and not selected.by_name and data in (None, HUB):
                self.outcome.skipped.append(f"{task.name}: {loaded.error.message}")
                self.progress.note(f"skipped {task.name}: {loaded.error.message}")
            else:
                tasks.append(loaded)
        return tasks

    def reuse(self, located: LocatedModel, loaded: LoadedTask) -> bool:
        """Keep the record that is there, if its key is the same and its predictions are there too."""
        record = None if self.plan.fresh else self._read_record(located, loaded)
        if record is None or record.status != "ok" or record.key != record_key(located, loaded.examination):
            return False
        if not self.results.has_predictions(record):
            return False
        if self.plan.no_texts and not record.no_texts:
            try:
                record = self._remove_texts(record, loaded)
            except HarnessError as error:
                self.progress.note(f"computed again: {error.message}")
                return False
        self.outcome.reused += 1
        self._finish(record, located, reused=True)
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

    def evaluate_model(self, located: LocatedModel, pending: list[LoadedTask]) -> None:
        """Load a model and evaluate it on the tasks that are left; failures become ERROR records."""
        self.evaluate_views([(located, pending)])

    def evaluate_views(self, pending: Sequence[tuple[LocatedModel, list[LoadedTask]]]) -> None:
        """Load the one model that encodes for all, and evaluate each on the tasks that are left to it."""
        try:
            model = source_of(pending[0][0]).load()
            embeddings = TextEmbeddings(model, self.cache)
        except (Exception, SystemExit) as error:  # noqa: BLE001 - a model may raise anything; others must finish
            for located, left in pending:
                self._fail_all(located, left, error)
            return
        views = []
        for located, left in pending:
            try:
                view = CachedModel(view_of(located, model, embeddings.encode), embeddings=embeddings)
            except (Exception, SystemExit) as error:  # noqa: BLE001
                self._fail_all(located, left, error)
            else:
                views.append(_View(located, view, left))
        try:
            self._evaluate_all(views)
        finally:
            embeddings.save()
            self._note_threads(model, views)
        timed = [view.located for view in views if view.scored or not view.left]
        if self.plan.throughput and timed:
            self._measure_throughput(model, timed)

    def _fail_all(self, located: LocatedModel, left: list[LoadedTask], error: BaseException) -> None:
        for loaded in left:
            self.fail(located, loaded, error, of_rows=False)

    def _evaluate_all(self, views: Sequence[_View]) -> None:
        """Evaluate all views on task after task, dropping embeddings after their last use.

        The remaining tasks announce their texts after the first task: a crash there costs no result.
        """
        # Tasks in the order of the plan; each is left to some of the views.
        tasks = {loaded.task.name: loaded for view in views for loaded in view.left}
        ordered = [tasks[each.task.name] for each in self.plan.tasks if each.task.name in tasks]
        uses = LastUse(())
        for number, loaded in enumerate(ordered):
            for view in views:
                if any(loaded is one for one in view.left):
                    view.scored |= self._evaluate(view.located, view.model, loaded)
            later = ordered[number + 1 :]
            if later and not number:
                uses = LastUse((self._needed_texts(views[0].model, one) for one in later), first=1)
            if later:
                views[0].model.forget(partial(uses.is_unused_after, number=number))

    def _needed_texts(self, model: CachedModel, loaded: LoadedTask) -> set[tuple[str, Role]]:
        """Return the texts that a task announces; none where that raises, which its own turn will record."""
        try:
            return {(text, model.same_as(role)) for text, role in self._announced(model, loaded)}
        except (Exception, SystemExit):  # noqa: BLE001 - a plugin may raise anything
            return set()

    def _announced(self, model: CachedModel, loaded: LoadedTask) -> list[tuple[str, Role]]:
        """Return the texts that a task announces; none where its rows could not be read."""
        # The parent of an isolated process must know the task in case this ends the process.
        self.progress.begin(model.name, loaded.task.name, 0)
        return list(loaded.task.texts(loaded.dataset)) if loaded.dataset is not None else []

    def _note_threads(self, model: Model, views: Sequence[_View]) -> None:
        """Note how a model used threads, which changes speeds and no score."""
        threads: ThreadLayout | None = getattr(model, "threads", None)
        if threads is None:
            return
        for located in (view.located for view in views):
            self.outcome.threads[f"{located.name}~{located.fingerprint[:8]}"] = f"{threads} {threads.how}"

    def needs_timing(self, located: LocatedModel) -> bool:
        """Whether a model without tasks left has yet to be timed."""
        return self.plan.throughput and not self.results.has_throughput((located.name, located.fingerprint))

    def _evaluate(self, located: LocatedModel, model: CachedModel, loaded: LoadedTask) -> bool:
        """Evaluate one task and write its record; return whether that succeeded."""
        try:
            evaluation, predictions = self._score(model, loaded)
            if self.plan.no_texts:
                evaluation, predictions = without_texts(evaluation, predictions, loaded)
            self.results.write(evaluation, predictions)
        except (Exception, SystemExit) as error:  # noqa: BLE001 - a plugin may raise anything; others must finish
            self.fail(located, loaded, error)
            return False
        self._finish(evaluation, located, reused=False)
        return True

    def _finish(self, evaluation: Evaluation, located: LocatedModel, *, reused: bool) -> None:
        """Keep a success and delete earlier failures, also those of a model that could not be located."""
        self.results.forget_failure(evaluation)
        missing = replace(evaluation.candidate, fingerprint=fingerprint_of(located.spec))
        self.results.forget_failure(replace(evaluation, candidate=missing))
        self.keep(evaluation, reused=reused)

    def _measure_throughput(self, model: Model, timed: Sequence[LocatedModel]) -> None:
        """Time the model that encodes for some; where that fails, scores are kept and a message names it."""
        self.progress.begin(timed[0].name, TIMING, 0)
        try:
            speed = measure(model)
        except Exception as error:  # noqa: BLE001 - a model may raise anything
            self.progress.note(f"{timed[0].name} could not be timed: {type(error).__name__}: {error}")
        else:
            for located in timed:
                own = replace(speed, model=located.name, fingerprint=located.fingerprint)
                self.results.write_throughput(own)

    def _score(self, model: CachedModel, loaded: LoadedTask) -> tuple[Evaluation, Predictions | None]:
        texts = self._announced(model, loaded)
        self.progress.begin(model.name, loaded.task.name, model.distinct(texts))
        model.prefetch(texts, self.progress.advance)
        return evaluate_task(model, loaded)

    def fail(
        self,
        located: LocatedModel,
        loaded: LoadedTask,
        error: BaseException,
        trace: str | None = None,
        *,
        of_rows: bool = True,
    ) -> None:
        """Write an ERROR record, with a traceback unless the error is a HarnessError.

        trace: what a process wrote before it ended. of_rows: whether rows had been read, so that the message
        may quote them.
        """
        evaluation, no_texts = failure_record(located, loaded, error), self.plan.no_texts
        if no_texts:
            reason = withheld_reason(error) if of_rows else evaluation.error
            evaluation = replace(evaluation, error=reason, no_texts=True)
        if trace is not None:
            trace = frames_only(trace) if no_texts else trace
        elif not isinstance(error, HarnessError):
            withheld = no_texts and of_rows
            trace = withheld_trace(error) if withheld else "".join(traceback.format_exception(error))
        self.results.write_error(evaluation, trace)
        self.keep(evaluation, reused=False)

    def keep(self, evaluation: Evaluation, *, reused: bool) -> None:
        """Add a record that is on disk to the outcome."""
        self.outcome.evaluations.append(evaluation)
        self.progress.end(evaluation, reused=reused)
