"""Evaluate models on tasks, from models and rows to records on disk."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Protocol

from harness.encoding.cached_model import CachedModel
from harness.encoding.last_use import LastUse
from harness.encoding.text_embeddings import TextEmbeddings
from harness.evaluation.answers import announced_texts, texts_on_disk
from harness.evaluation.distribute import distribute, mixed
from harness.evaluation.evaluate import LoadedTask, evaluate_task
from harness.evaluation.preflight import prepare
from harness.evaluation.progress import Progress
from harness.evaluation.runner import Runner, RunOutcome, RunPlan
from harness.evaluation.throughput import measure
from harness.evaluation.without_texts import texts_left, without_texts
from harness.execution.dispatcher import ExecutorError
from harness.execution.distributed_model import DistributedModel
from harness.models.honor import load_located
from harness.models.known import is_remote
from harness.models.stored_model import by_encoding, source_of, view_of
from harness.system.plugin_code import error_sentence, plugin_code

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    from harness.evaluation.distribute import Distribution, Pending, Steps
    from harness.models.backends.threads import ThreadLayout
    from harness.models.interface import LocatedModel, Model, Role
    from harness.results.folder import ResultsFolder


TIMING = "throughput"
"""What `Progress.begin` gets as the task while a model is timed."""


class Evaluator(Protocol):
    """Evaluates a model on the tasks that are left, in this process or another, and writes their records."""

    def __call__(self, run: Runner, located: LocatedModel, pending: list[LoadedTask]) -> None:
        """Evaluate; failures become ERROR records."""
        ...


def run_plan(
    plan: RunPlan,
    results: ResultsFolder,
    progress: Progress | None = None,
    evaluator: Evaluator | None = None,
) -> RunOutcome:
    """Prepare a plan and evaluate it: see `prepare` and `evaluate_run`, which also say what is raised."""
    run = Runner(plan, results, progress or Progress())
    tasks = prepare(run)
    with run.telling():
        return evaluate_run(run, tasks, evaluator)


def evaluate_run(run: Runner, tasks: Sequence[LoadedTask], evaluator: Evaluator | None = None) -> RunOutcome:
    """Evaluate every model on every task; each finished pair is on disk before the next begins.

    tasks: as `prepare` returns them. evaluator: None to evaluate in this process, by the plan's executor.

    A pair whose record is there, with the same key, is not computed again. A task or model that
    fails becomes an ERROR record, and the others still finish.
    Raises HarnessError where results cannot be written, and where an executor has no workers.
    """
    plan, results = run.plan, run.results
    results.remove_stale()
    pending = (_pending(run, group, tasks) for group in by_encoding(plan.models))
    left = (each for each in pending if each)
    if evaluator is not None:
        for each in left:
            for located, own in each:
                evaluator(run, located, own)
    elif plan.execution is not None:
        distribute(run, plan.execution, list(left), evaluation_steps)
    else:
        for each in left:
            evaluate_views(run, each)
    order = {(located.name, located.fingerprint): at for at, located in enumerate(plan.models)}
    run.outcome.evaluations.sort(key=lambda evaluation: order.get(evaluation.model, len(order)))
    if plan.no_texts:
        run.outcome.problems += texts_left(results)
    return run.outcome


def _pending(run: Runner, group: Sequence[LocatedModel], tasks: Sequence[LoadedTask]) -> Pending:
    """Return the models of a group that have something left to do, with their tasks; others are reused."""
    pending = [(located, [loaded for loaded in tasks if not run.reuse(located, loaded)]) for located in group]
    return [(located, left) for located, left in pending if left or run.needs_timing(located)]


@dataclass
class _View:
    """A loaded model, the tasks that are left to it, and whether it was scored on any."""

    located: LocatedModel
    model: CachedModel
    left: list[LoadedTask]
    kinds: Collection[str] = ()
    """Processors that have encoded its texts, as far as they may be several: it grows."""
    scored: bool = False


def evaluate_views(run: Runner, pending: Pending) -> None:
    """Load the one model that encodes for all, and evaluate each on the tasks that are left to it.

    Failures become ERROR records.
    """
    for _ in evaluation_steps(run, pending, None):
        pass


def evaluation_steps(run: Runner, pending: Pending, distribution: Distribution | None) -> Steps:
    """Do what `evaluate_views` does, and yield where workers encode: other models can go on there.

    distribution: who encodes; None for this process, where nothing is yielded.
    """
    run.progress.stage(f"loading {pending[0][0].name}")
    try:
        source = source_of(pending[0][0])
        if distribution is None or is_remote(source):
            with plugin_code():
                model = load_located(source)
                embeddings = TextEmbeddings(model, run.cache)
        else:
            model, encoder = yield from distribution.load(source)
            with plugin_code():
                embeddings = TextEmbeddings(model, distribution.cache(run.cache), encoder)
    except ExecutorError:
        raise
    except Exception as error:  # noqa: BLE001 - a model may raise anything; others must finish
        for located, left in pending:
            _fail_all(run, located, left, error)
        return
    views = []
    for located, left in pending:
        try:
            with plugin_code():
                view = CachedModel(view_of(located, model, embeddings.encode), embeddings=embeddings)
                view.advance = run.progress.advance
                view.searcher = None if distribution is None else distribution.searcher
        except ExecutorError:
            raise
        except Exception as error:  # noqa: BLE001 - as above
            _fail_all(run, located, left, error)
        else:
            kinds = model.kinds if isinstance(model, DistributedModel) else ()
            views.append(_View(located, view, left, kinds))
    try:
        yield from _evaluate_all(run, views)
    finally:
        embeddings.save()
        _note_threads(run, model, views)
    timed = [view for view in views if view.scored or not view.left]
    if run.plan.throughput and timed:
        _measure_throughput(run, model, timed)


def _fail_all(run: Runner, located: LocatedModel, left: list[LoadedTask], error: Exception) -> None:
    for loaded in left:
        run.fail(located, loaded, error, of_rows=False)


def _evaluate_all(run: Runner, views: Sequence[_View]) -> Iterator[None]:
    """Evaluate all views on task after task, dropping embeddings after their last use.

    The remaining tasks announce their texts after the first task: a crash there costs no result.
    """
    # Tasks in the order of the plan; each is left to some of the views.
    tasks = {loaded.task.name: loaded for view in views for loaded in view.left}
    ordered = [tasks[each.task.name] for each in run.plan.tasks if each.task.name in tasks]
    uses = LastUse(())
    prefetch = _Prefetch(run, views[0].model, ordered[0]) if ordered else None
    try:
        for number, loaded in enumerate(ordered):
            current, later = prefetch, ordered[number + 1 :]
            while current is not None and not current.goes_on():
                yield
            # Workers encode the next task's texts while this one is scored here.
            prefetch = _Prefetch(run, views[0].model, later[0]) if later else None
            if prefetch is not None and current is not None and current.waited:
                prefetch.goes_on()
            for view in views:
                if any(loaded is one for one in view.left):
                    if view is not views[0]:
                        run.progress.begin(view.model.name, loaded.task.name, 0)
                    view.scored |= _evaluate(run, view, loaded, current.error if current else None)
            if later and not number:
                uses = LastUse((_needed_texts(run, views[0].model, one) for one in later), first=1)
            if later:
                views[0].model.forget(partial(uses.is_unused_after, number=number))
    finally:
        # After an interruption, too: what workers have done by now is kept.
        if prefetch is not None and prefetch.waited:
            with suppress(ExecutorError):
                prefetch.goes_on()


class _Prefetch:
    """The encoding of the texts that a task announces."""

    def __init__(self, run: Runner, model: CachedModel, loaded: LoadedTask) -> None:
        self._run, self._model, self._loaded = run, model, loaded
        self._steps: Iterator[None] | None = None
        self._ended = False
        self.waited = False
        """Whether workers encode."""
        self.error: Exception | None = None
        """What it raised."""

    def goes_on(self) -> bool:
        """Go on until workers are waited for; return whether it is at its end."""
        try:
            with plugin_code():
                if self._steps is None:
                    texts = _announced(self._run, self._model, self._loaded)
                    on_disk = texts_on_disk(self._loaded.dataset)
                    self._run.progress.begin(
                        self._model.name, self._loaded.task.name, self._model.distinct(texts) + on_disk
                    )
                    self._steps = self._model.prefetching(texts, self._run.progress.advance)
                self._ended = self._ended or next(self._steps, self) is self
        except ExecutorError:
            raise
        except Exception as error:  # noqa: BLE001 - a plugin may raise anything; the task becomes an ERROR
            self.error, self._ended = error, True
        self.waited |= not self._ended
        return self._ended


def _needed_texts(run: Runner, model: CachedModel, loaded: LoadedTask) -> set[tuple[str, Role]]:
    """Return the texts that a task announces; none where that raises, which its own turn will record."""
    try:
        with plugin_code():
            return {(text, model.same_as(role)) for text, role in _announced(run, model, loaded)}
    except Exception:  # noqa: BLE001 - a plugin may raise anything
        return set()


def _announced(run: Runner, model: CachedModel, loaded: LoadedTask) -> list[tuple[str, Role]]:
    """Return the texts that a task announces; none where its rows could not be read."""
    # The parent of an isolated process must know the task in case this ends the process.
    run.progress.begin(model.name, loaded.task.name, 0)
    return announced_texts(loaded.task, loaded.dataset) if loaded.dataset is not None else []


def _note_threads(run: Runner, model: Model, views: Sequence[_View]) -> None:
    """Note how a model used threads, which changes speeds and no score."""
    with suppress(Exception), plugin_code():
        threads: ThreadLayout | str | None = getattr(model, "threads", None)
        if threads is not None:
            how = threads if isinstance(threads, str) else f"{threads} {threads.how}"
            for view in views:
                run.outcome.threads[f"{view.model.name}~{view.model.fingerprint[:8]}"] = how


def _evaluate(run: Runner, view: _View, loaded: LoadedTask, error: Exception | None) -> bool:
    """Evaluate one task and write its record; return whether that succeeded.

    error: what the encoding of its texts raised.
    """
    try:
        if error is not None:
            raise error
        with plugin_code():
            evaluation, predictions = evaluate_task(view.model, loaded)
            if len(view.kinds) > 1:
                evaluation = replace(evaluation, findings=(*evaluation.findings, mixed(view.kinds)))
            if run.plan.no_texts:
                evaluation, predictions = without_texts(evaluation, predictions, loaded)
            run.results.write(evaluation, predictions)
    except ExecutorError:
        raise
    except Exception as raised:  # noqa: BLE001 - a plugin may raise anything; others must finish
        run.fail(view.located, loaded, raised, getattr(raised, "trace", None))
        return False
    run.finish(evaluation, view.located, reused=False)
    return True


def _measure_throughput(run: Runner, model: Model, timed: Sequence[_View]) -> None:
    """Time the model that encodes for some; where that fails, scores are kept and a message names it."""
    name = timed[0].model.name
    if model.facts.remote and not run.plan.time_remote:
        run.progress.note(
            f"{name} is not timed: it is on another machine, and its speed would be the network's"
            " (--throughput times it)"
        )
        return
    run.progress.begin(name, TIMING, 0)
    try:
        with plugin_code():
            speed = measure(model)
    except Exception as error:  # noqa: BLE001 - a model may raise anything
        run.progress.note(f"{name} could not be timed: {error_sentence(error)}")
    else:
        for view in timed:
            own = replace(speed, model=view.model.name, fingerprint=view.model.fingerprint)
            run.results.write_throughput(own)
