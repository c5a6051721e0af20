"""Evaluate models on tasks: the one path from a model and a dataset to records on disk."""

from __future__ import annotations

import traceback
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING, Protocol

from harness.encoding.cache import EmbeddingCache
from harness.encoding.cached_model import CachedModel
from harness.encoding.liveness import Liveness
from harness.errors import HarnessError, MissingDataError
from harness.evaluation.evaluate import LoadedTask, evaluate_task, failure_record, load_task
from harness.evaluation.keys import record_key
from harness.evaluation.throughput import measure
from harness.models.missing import fingerprint_of
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
"""What a model is doing when it is timed, where else the name of a task stands."""


class Progress(Protocol):
    """Whoever wants to see what is going on; silent by default."""

    def begin(self, model: str, task: str, texts: int) -> None:
        """Say that a model starts on a task for which it has `texts` texts to encode."""
        ...

    def advance(self, texts: int) -> None:
        """Say that so many more texts are encoded."""
        ...

    def end(self, evaluation: Evaluation, *, reused: bool) -> None:
        """Say that a record is on disk: computed, or found there."""
        ...

    def note(self, text: str) -> None:
        """Say something that a reader of the scores should know."""
        ...


class Silent:
    """A watcher that shows nothing."""

    def begin(self, model: str, task: str, texts: int) -> None:
        """Show nothing."""

    def advance(self, texts: int) -> None:
        """Show nothing."""

    def end(self, evaluation: Evaluation, *, reused: bool) -> None:
        """Show nothing."""

    def note(self, text: str) -> None:
        """Show nothing."""


@dataclass(frozen=True, kw_only=True)
class RunPlan:
    """What to evaluate."""

    models: Sequence[LocatedModel]
    tasks: Sequence[Selected]
    data: Path | None = None
    """The data folder; None for the samples that plugins ship."""
    limit: int | None = None
    fresh: bool = False
    """Compute again what is already there, embeddings included."""
    cache: Path | None = None
    """Folder of the embedding cache; None for none."""
    cache_size: int | None = None
    """Bytes that it may take; None for its default."""
    throughput: bool = False
    """Time each model that had to be loaded, after its tasks, and those that never were timed."""


@dataclass
class RunOutcome:
    """What came of a plan."""

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
    """Evaluates a model on the tasks that are left, here or elsewhere, and leaves records of them."""

    def __call__(self, run: Runner, located: LocatedModel, pending: list[LoadedTask]) -> None:
        """Evaluate; what goes wrong is recorded."""
        ...


def run_plan(
    plan: RunPlan, results: Results, watcher: Progress | None = None, evaluator: Evaluator | None = None
) -> RunOutcome:
    """Evaluate every model on every task; each finished pair is on disk before the next begins.

    evaluator: evaluates in this process where it is None.

    A pair whose record is there, with the same key, is not computed again. A task or model that
    fails becomes an ERROR record, and the others still finish.
    Raises HarnessError where there is nothing to evaluate or results cannot be written.
    """
    run = Runner(plan, results, watcher or Silent())
    results.remove_stale()
    examined = run.read_tasks()
    if plan.tasks and not examined:
        raise HarnessError(
            "none of the selected tasks ships a sample",
            exists="\n".join(run.outcome.skipped),
            hint="give the real data: --data DIR (docs/data.md)",
        )
    evaluate = evaluator or Runner.evaluate_model
    for located in plan.models:
        pending = [one for one in examined if not run.reuse(located, one)]
        if pending or run.wants_time(located):
            evaluate(run, located, pending)
    return run.outcome


@dataclass
class Runner:
    """One call of `run_plan`: what it works on, and what has come of it so far."""

    plan: RunPlan
    results: Results
    watcher: Progress
    outcome: RunOutcome = field(default_factory=RunOutcome)
    cache: EmbeddingCache | None = None

    def __post_init__(self) -> None:
        if self.plan.cache is not None:
            self.cache = EmbeddingCache(
                self.plan.cache, self.watcher.note, fresh=self.plan.fresh, limit=self.plan.cache_size
            )

    def read_tasks(self) -> list[LoadedTask]:
        """Read the rows of every task; one that a tag selected and that has no sample is skipped, aloud."""
        examined = []
        for selected in self.plan.tasks:
            task, folder = selected.task, self.plan.data
            one = load_task(task, DataSource.of(task, folder), self.plan.limit)
            if isinstance(one.error, MissingDataError) and not selected.by_name and not folder:
                self.outcome.skipped.append(f"{task.name}: {one.error.message}")
                self.watcher.note(f"skipped {task.name}: {one.error.message}")
            else:
                examined.append(one)
        return examined

    def reuse(self, located: LocatedModel, examined: LoadedTask) -> bool:
        """Take the record that is there, if it answers the same question and its predictions are there."""
        found = None if self.plan.fresh else self._found(located, examined)
        if found is None or found.status != "ok" or found.key != record_key(located, examined.examination):
            return False
        if not self.results.has_predictions(found):
            return False
        self.outcome.reused += 1
        self._finish(found, located, reused=True)
        return True

    def _found(self, located: LocatedModel, examined: LoadedTask) -> Evaluation | None:
        try:
            return self.results.read((located.name, located.fingerprint), examined.examination)
        except HarnessError as error:
            self.watcher.note(f"computed again: {error.message}")
            return None

    def evaluate_model(self, located: LocatedModel, pending: list[LoadedTask]) -> None:
        """Load a model and let it answer the tasks that are left; what goes wrong is recorded."""
        try:
            loaded = located.load()
        except (Exception, SystemExit) as error:  # noqa: BLE001 - a model may raise anything; others must finish
            for examined in pending:
                self.fail(located, examined, error)
            return
        model = CachedModel(loaded, self.cache)
        try:
            scored = self._evaluate_all(located, model, pending)
        finally:
            model.save()
            self._note_threads(loaded)
        if self.plan.throughput and (scored or not pending):
            self._time(loaded)

    def _evaluate_all(self, located: LocatedModel, model: CachedModel, pending: list[LoadedTask]) -> bool:
        """Evaluate task after task, and hold no text that none of those left needs; whether any went well.

        What is left is asked when the first task is done: what ends the process then has cost no result.
        """
        scored, uses = False, Liveness(())
        for number, examined in enumerate(pending):
            scored |= self._evaluate(located, model, examined)
            left = pending[number + 1 :]
            if left and not number:
                uses = Liveness((self._needs(model, one) for one in left), first=1)
            if left:
                model.forget(partial(uses.is_over, number=number))
        return scored

    def _needs(self, model: CachedModel, examined: LoadedTask) -> set[tuple[str, Role]]:
        """What a task announces; nothing where that fails, which is recorded when its turn has come."""
        try:
            return {(text, model.same_as(role)) for text, role in self._announced(model, examined)}
        except (Exception, SystemExit):  # noqa: BLE001 - a plugin may raise anything
            return set()

    def _announced(self, model: CachedModel, examined: LoadedTask) -> list[tuple[str, Role]]:
        """What a task announces that it will encode; nothing where its rows could not be read."""
        # Should that end the process, whoever watches it knows in which task.
        self.watcher.begin(model.name, examined.task.name, 0)
        return list(examined.task.texts(examined.dataset)) if examined.dataset is not None else []

    def _note_threads(self, loaded: Model) -> None:
        """Keep how a model used threads: it moves speeds, and no score."""
        threads: ThreadLayout | None = getattr(loaded, "threads", None)
        if threads is not None:
            self.outcome.threads[f"{loaded.name}~{loaded.fingerprint[:8]}"] = f"{threads} {threads.how}"

    def wants_time(self, located: LocatedModel) -> bool:
        """Whether a model whose results were all there is still to be timed."""
        return self.plan.throughput and not self.results.has_throughput((located.name, located.fingerprint))

    def _evaluate(self, located: LocatedModel, model: CachedModel, examined: LoadedTask) -> bool:
        """Answer, score and write; whether that went well."""
        try:
            evaluation, predictions = self._answer(model, examined)
            self.results.write(evaluation, predictions)
        except (Exception, SystemExit) as error:  # noqa: BLE001 - a plugin may raise anything; others must finish
            self.fail(located, examined, error)
            return False
        self._finish(evaluation, located, reused=False)
        return True

    def _finish(self, evaluation: Evaluation, located: LocatedModel, *, reused: bool) -> None:
        """Keep a success; what failed before is over, also when the model could not even be located then."""
        self.results.forget_failure(evaluation)
        asked_for = replace(evaluation.candidate, fingerprint=fingerprint_of(located.spec))
        self.results.forget_failure(replace(evaluation, candidate=asked_for))
        self.keep(evaluation, reused=reused)

    def _time(self, model: Model) -> None:
        """Time a model; one that cannot be timed is named, and its scores stand."""
        self.watcher.begin(model.name, TIMING, 0)
        try:
            speed = measure(model)
        except Exception as error:  # noqa: BLE001 - a model may raise anything
            self.watcher.note(f"{model.name} could not be timed: {type(error).__name__}: {error}")
        else:
            self.results.write_throughput(speed)

    def _answer(self, model: CachedModel, examined: LoadedTask) -> tuple[Evaluation, Predictions | None]:
        texts = self._announced(model, examined)
        self.watcher.begin(model.name, examined.task.name, model.distinct(texts))
        model.prefetch(texts, self.watcher.advance)
        return evaluate_task(model, examined)

    def fail(
        self, located: LocatedModel, examined: LoadedTask, error: BaseException, trace: str | None = None
    ) -> None:
        """Record a failure: its reason, and for what is not a user's error its traceback."""
        evaluation = failure_record(located, examined, error)
        if trace is None and not isinstance(error, HarnessError):
            trace = "".join(traceback.format_exception(error))
        self.results.write_error(evaluation, trace)
        self.keep(evaluation, reused=False)

    def keep(self, evaluation: Evaluation, *, reused: bool) -> None:
        """Take note of a record that is on disk."""
        self.outcome.evaluations.append(evaluation)
        self.watcher.end(evaluation, reused=reused)
