"""Train several seeds at once, each by a worker."""

from __future__ import annotations

import sys
import time
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from harness.errors import Faults, HarnessError
from harness.evaluation.candidate_files import place_files
from harness.evaluation.produce import TrainedModel, check_place, read_tasks
from harness.evaluation.trainer_code import SHOWN
from harness.evaluation.work_folder import check_writes, work_folder
from harness.evaluation.workers import open_workers
from harness.execution.dispatcher import UnitError
from harness.execution.units import TrainUnit
from harness.system.atomic import remove_stale, temporary_name
from harness.system.redact import redact
from harness.training.lineage import read_lineage

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from harness.evaluation.execution_plan import ExecutionPlan
    from harness.evaluation.produce import TrainingRun
    from harness.execution.dispatcher import Dispatcher, Ticket
    from harness.execution.units import Trained
    from harness.system.work_unit import UnitProgress, WorkerFacts

_PATIENCE = 60.0
"""Seconds that workers have to start, once the first of them has."""


class SeedsFollower(Protocol):
    """Receives the progress of several trainings."""

    def started(self, workers: int, threads: int) -> None:
        """Receive how many workers there are, and with how many threads each trains."""
        ...

    def advance(self, run: TrainingRun, progress: UnitProgress | None, *, begun: bool) -> None:
        """Receive how far a training is; None where it has not said so."""
        ...

    def trained(self, run: TrainingRun, candidate: TrainedModel) -> None:
        """Receive a candidate that is in its place."""
        ...

    def failed(self, run: TrainingRun, error: HarnessError) -> None:
        """Receive the error of a training that has ended without a candidate."""
        ...

    def note(self, text: str) -> None:
        """Receive a sentence, such as on a worker that ended."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class SeedsPlan:
    """By whom seeds are trained, and what workers need besides the trainings."""

    execution: ExecutionPlan
    device: str
    """As the user gave it: a worker may have others than this process."""
    task_files: tuple[str, ...] = ()
    seeds: int
    """How many the command names, finished ones included: a resumed one is to have as many threads."""


def train_seeds(runs: Sequence[TrainingRun], plan: SeedsPlan, follower: SeedsFollower) -> None:
    """Train all, as many at once as there are workers; one that fails costs the others nothing.

    Raises HarnessError before anything is trained where one of them cannot begin, and for all that failed
    at the end.
    """
    check_seeds(runs, plan)
    digests = {loaded.task.name: loaded.examination.digest for loaded in read_tasks(runs[0])}
    execution = plan.execution
    workers = execution.request.workers
    if workers is not None or plan.seeds == 1:  # more than seeds would have less each, and no work
        request = replace(execution.request, workers=min(workers or 1, plan.seeds))
        execution = replace(execution, request=request)
    with _mark(runs[0].out.parent) as mark, open_workers(execution, follower.note) as dispatcher:
        threads = min(worker.cores for worker in _started(dispatcher))
        follower.started(dispatcher.size, threads)
        units = (_unit(run, plan, digests, str(mark), threads) for run in runs)
        _follow(dict(zip(map(dispatcher.submit, units), runs, strict=True)), dispatcher, execution, follower)


def check_seeds(runs: Sequence[TrainingRun], plan: SeedsPlan | None = None) -> None:
    """Raise HarnessError for all trainings that could not begin; nothing is spent before."""
    faults = Faults()
    if plan is not None and plan.device.partition(":")[2]:
        faults.add(
            HarnessError(
                f"--device {plan.device} is one device, and workers have one each",
                hint="--device cuda, or --executor local",
            )
        )
    for run in runs:
        faults.attempt(lambda run=run: check_place(run, device=plan is None))  # type: ignore[misc]
    faults.refuse()


@contextmanager
def _mark(folder: Path) -> Iterator[Path]:
    """Make a file by which a worker sees that it has the same folder; it is gone behind the body."""
    with check_writes(folder):
        remove_stale(folder)  # of commands that were killed
        path = folder / temporary_name("workers")
        path.touch()
    try:
        yield path
    finally:
        path.unlink(missing_ok=True)


def _started(dispatcher: Dispatcher) -> Sequence[WorkerFacts]:
    """Wait for all workers, or some time after the first, and return those that have started.

    Where they have unlike numbers of processors, each is to train with the threads of the smallest: else a
    candidate would depend on who trains it.
    """
    since, seen = None, dispatcher.events
    while len(ready := dispatcher.ready) < dispatcher.size:
        since = since or (time.monotonic() if ready else None)
        if since is not None and time.monotonic() - since > _PATIENCE:
            break
        seen = dispatcher.wait(seen, 1.0)
    return ready


def _unit(
    run: TrainingRun, plan: SeedsPlan, digests: Mapping[str, str], mark: str, threads: int
) -> TrainUnit:
    return TrainUnit(
        recipe=run.recipe,
        rows=run.rows,
        base=run.base.spec,
        base_fingerprint=run.base.fingerprint,
        base_name=run.base_name,
        tasks=digests,
        task_files=plan.task_files,
        data=run.data,
        out=str(run.out),
        mark=mark,
        seed=run.seed,
        device=plan.device,
        threads=threads,
        command=(Path(sys.argv[0]).name, *map(redact, sys.argv[1:])),
        allowed=run.allowed,
        no_texts=run.no_texts,
    )


def _follow(
    waiting: dict[Ticket, TrainingRun], dispatcher: Dispatcher, plan: ExecutionPlan, follower: SeedsFollower
) -> None:
    """Wait until all have ended; raises HarnessError for all that failed."""
    faults = Faults()
    while waiting:
        seen = dispatcher.events
        _check_processors(dispatcher.ready, plan)
        for ticket in [ticket for ticket in waiting if ticket.done]:
            run = waiting.pop(ticket)
            try:
                follower.trained(run, _candidate(run, ticket))
            except HarnessError as error:
                faults.add(error, f"seed {run.seed}")
                follower.failed(run, error)
        for ticket, run in waiting.items():
            follower.advance(run, ticket.progress, begun=ticket.tries > 0)
        if waiting:
            dispatcher.wait(seen)
    faults.refuse(hint="the same command with --resume trains these alone, from where they were")


def _check_processors(workers: Sequence[WorkerFacts], plan: ExecutionPlan) -> None:
    """Raise HarnessError for workers with several kinds of processors, unless that is allowed."""
    kinds = {worker.processor: worker.place for worker in workers}
    if len(kinds) > 1 and not plan.mixed:
        raise HarnessError(
            "workers have processors of several kinds: seeds would differ by who trains them",
            exists="\n".join(f"{place}: {kind or 'unknown'}" for kind, place in kinds.items()),
            hint="take workers of one kind; with --allow processor each lineage says which it was",
        )


def _candidate(run: TrainingRun, ticket: Ticket) -> TrainedModel:
    """Return what a worker trained, moved to its place where the worker does not see that."""
    try:
        trained: Trained = ticket.take()
    except UnitError as error:
        raise HarnessError(str(error), exists=error.trace.strip()[-SHOWN:]) from error
    if trained.files is not None:
        place_files(run.out, trained.files)
    lineage = read_lineage(run.out)
    if lineage is None:
        raise HarnessError(f"{run.out} is not there, although a worker has trained it")
    return TrainedModel(run.out, lineage, list(trained.evaluations))


def unfinished(runs: Sequence[TrainingRun]) -> list[Path]:
    """Return the work folders of trainings that an interruption has left."""
    return [work for run in runs if (work := work_folder(run.out)).is_dir()]
