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
from harness.models.honored import load_located
from harness.models.missing import fingerprint_of
from harness.models.stored_model import by_encoding, source_of, view_of
from harness.tasks.interface import DataSource

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from harness.models.backends.threads import ThreadLayout
    from harness.models.interface import LocatedModel, Model, Role
    from harness.results.folder import Results
    from harness.results.records import Evaluation
    from harness.tasks.dataset import Predictions
    from harness.tasks.selection import Selected


TIMING = "throughput"
"""What `Progress.begin` gets as the task while a model is timed."""


@dataclass(frozen=True, kw_only=True)
class RunPlan:
    """What to evaluate."""

    models: Sequence[LocatedModel]
    tasks: Sequence[Selected]
    data: Path | None = None
    """The data folder; None for the samples that plugins ship."""
    limit: int | None = None
    fresh: bool = False
    """Compute again what is there already, cached embeddings included."""
    cache: Path | None = None
    """Folder of the embedding cache; None to keep no embeddings."""
    cache_size: int | None = None
    """Maximum bytes of the cache; None for its default."""
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
        raise HarnessError(
            "none of the selected tasks ships a sample",
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
        """Read the rows of every task; one without a sample that a tag selected is skipped with a message."""
        tasks = []
        for selected in self.plan.tasks:
            task, folder = selected.task, self.plan.data
            loaded = load_task(task, DataSource.of(task, folder), self.plan.limit)
            if isinstance(loaded.error, MissingDataError) and not selected.by_name and not folder:
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
        self.outcome.reused += 1
        self._finish(record, located, reused=True)
        return True

    def _read_record(self, located: LocatedModel, loaded: LoadedTask) -> Evaluation | None:
        try:
            return self.results.read((located.name, located.fingerprint), loaded.examination)
        except HarnessError as error:
            self.progress.note(f"computed again: {error.message}")
            return None

    def evaluate_model(self, located: LocatedModel, pending: list[LoadedTask]) -> None:
        """Load a model and evaluate it on the tasks that are left; failures become ERROR records."""
        self.evaluate_views([(located, pending)])

    def evaluate_views(self, pending: Sequence[tuple[LocatedModel, list[LoadedTask]]]) -> None:
        """Load the one model that encodes for all, and evaluate each on the tasks that are left to it."""
        try:
            model = load_located(source_of(pending[0][0]))
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
            self.fail(located, loaded, error)

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
        self, located: LocatedModel, loaded: LoadedTask, error: BaseException, trace: str | None = None
    ) -> None:
        """Write an ERROR record, with a traceback unless the error is a HarnessError."""
        evaluation = failure_record(located, loaded, error)
        if trace is None and not isinstance(error, HarnessError):
            trace = "".join(traceback.format_exception(error))
        self.results.write_error(evaluation, trace)
        self.keep(evaluation, reused=False)

    def keep(self, evaluation: Evaluation, *, reused: bool) -> None:
        """Add a record that is on disk to the outcome."""
        self.outcome.evaluations.append(evaluation)
        self.progress.end(evaluation, reused=reused)
