"""Evaluate several models at once, where workers encode: while one waits, another is scored."""

from __future__ import annotations

import math
import time
from collections import deque
from typing import TYPE_CHECKING

from harness.evaluation.execution_plan import RunUnits
from harness.evaluation.workers import open_workers
from harness.execution.distributed_model import (
    DistributedEncoder,
    DistributedModel,
    DistributedSearcher,
    unit_of,
)
from harness.finding import Finding, Severity
from harness.models.in_memory import refuse_in_memory
from harness.system.plugin_code import plugin_code

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Generator, Sequence

    from harness.encoding.cache import EmbeddingCache
    from harness.evaluation.evaluate import LoadedTask
    from harness.evaluation.execution_plan import ExecutionPlan
    from harness.evaluation.runner import Runner
    from harness.execution.dispatcher import Dispatcher
    from harness.models.interface import LocatedModel

    Pending = Sequence[tuple[LocatedModel, list[LoadedTask]]]
    """Models that share an encoding, each with the tasks that are left to it."""
    Steps = Generator[None, None, None]
    """The evaluation of one `Pending`: yields where it waits for workers."""
    Evaluate = Callable[[Runner, Pending, "Distribution"], Steps]


class Distribution:
    """Loads models where workers encode with them."""

    def __init__(self, dispatcher: Dispatcher, *, mixed: bool) -> None:
        self.dispatcher, self._mixed = dispatcher, mixed
        self.searcher = DistributedSearcher(dispatcher)

    def load(
        self, located: LocatedModel
    ) -> Generator[None, None, tuple[DistributedModel, DistributedEncoder]]:
        """Return a model that a worker has loaded, and its encoder; yields until it has.

        Raises what the loading raises, and HarnessError for a model that is in this process alone.
        """
        refuse_in_memory(located)
        ticket = self.dispatcher.submit(unit_of(located, "description"))
        while not ticket.done:
            yield
        with plugin_code():
            model = DistributedModel(located, self.dispatcher, ticket.take(), mixed=self._mixed)
        return model, DistributedEncoder(model, self.dispatcher)

    def cache(self, cache: EmbeddingCache | None) -> EmbeddingCache | None:
        """Return the run's cache; None where bits depend on who encodes."""
        return None if self._mixed else cache


def distribute(run: Runner, plan: ExecutionPlan, groups: Sequence[Pending], evaluate: Evaluate) -> None:
    """Evaluate groups of models by workers, as many at once as keep these busy.

    evaluate: begins one. Raises HarnessError where there are no workers, or they have other versions.
    """
    if not groups:
        return
    run.progress.stage(f"starting workers ({plan.executor.name})")
    with open_workers(plan, run.progress.note) as dispatcher:
        shown = _Shown(run, dispatcher, plan.executor.name)
        distribution = Distribution(dispatcher, mixed=plan.mixed)
        waiting = deque(groups)
        open_: list[Steps] = []
        try:
            while waiting or open_:
                seen, began = dispatcher.events, len(open_)
                if waiting and (not open_ or dispatcher.wants_more):
                    open_.append(evaluate(run, waiting.popleft(), distribution))
                open_ = [each for each in open_ if next(each, _END) is not _END]
                shown.update(every=_EVERY)
                if len(open_) == began:  # none was begun, and none has ended
                    dispatcher.wait(seen)
        finally:
            for each in open_:
                each.close()
            shown.update()


def mixed(processors: Collection[str]) -> Finding:
    """Return the finding of a result whose texts were encoded on several kinds of processors."""
    return Finding(
        "mixed-processors",
        Severity.WARNING,
        f"texts were encoded on {len(processors)} kinds of processors: {', '.join(sorted(processors))}",
        "embeddings differ by rounding between them; leave out --allow processor for the same bytes",
    )


_END = object()
_EVERY = 0.2, 5.0
"""Seconds after which the progress, and the journal, say again what workers did."""


class _Shown:
    """What the progress and the journal of a run say of workers."""

    def __init__(self, run: Runner, dispatcher: Dispatcher, executor: str) -> None:
        self._run, self._dispatcher, self._executor = run, dispatcher, executor
        self._told = self._written = -math.inf
        self.update()

    def update(self, *, every: tuple[float, float] = (0.0, 0.0)) -> None:
        """Say how many units are done and left; every: seconds at least, for progress and for the journal."""
        now, dispatcher = time.monotonic(), self._dispatcher
        counts, left = dispatcher.counts, dispatcher.left
        if now - self._told >= every[0]:
            self._told = now
            self._run.progress.units(counts.done, left, len(dispatcher.ready), dispatcher.size)
        if now - self._written >= every[1]:
            self._written = now
            self._run.tell_units(
                RunUnits(
                    executor=self._executor,
                    workers=dispatcher.size,
                    done=counts.done,
                    left=left,
                    repeated=counts.repeated,
                    ended=counts.ended,
                )
            )
