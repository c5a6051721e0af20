"""Suites in a comparison: which results, rows and metrics count."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

from harness.render import plural, told_apart

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from harness.comparison.sources import ModelResults, Slot
    from harness.results.prediction_files import TaskResult
    from harness.tasks.suites import Suite


def without_other_rows(
    slots: Iterable[Slot], baseline: ModelResults, suites: Sequence[Suite]
) -> Iterator[Slot]:
    """Yield the slots without those on other rows of a task of which the frozen rows are there too.

    A folder may hold a task's results on its sample and on its full data: a suite has one of them.
    """
    frozen = {(task, digest) for suite in suites for task, digest in suite.digests.items()}
    has_frozen = {slot[0] for slot, result in baseline.answered.items() if _rows(result) in frozen}
    for slot in slots:
        if slot[0] not in has_frozen or _rows(baseline.answered[slot]) in frozen:
            yield slot


def _rows(result: TaskResult) -> tuple[str, str]:
    examination = result.evaluation.examination
    return examination.task, examination.digest


def changed_rows(
    names: Sequence[str], results: Sequence[TaskResult | None], suites: Sequence[Suite]
) -> list[str]:
    """Return a sentence for each model whose rows are not those that a suite was frozen with."""
    examined = [
        (name, result.evaluation.examination)
        for name, result in zip(names, results, strict=True)
        if result is not None and result.evaluation.status == "ok"
    ]
    sentences = []
    for suite, (name, examination) in itertools.product(suites, examined):
        frozen = suite.digests.get(examination.task, examination.digest)
        if frozen != examination.digest:
            own, expected = told_apart(examination.digest, frozen)
            sentences.append(
                f"{examination.task} of {name} has rows of digest {own} ({examination.origin});"
                f" {suite} was frozen with {expected}"
            )
    return sentences


def metrics_of(task: str, suites: Sequence[Suite]) -> tuple[str, ...]:
    """Return the metrics of a task that suites count, the headline first; empty for its own headline."""
    return tuple(dict.fromkeys(metric for suite in suites for metric in suite.metrics.get(task, ())))


def suite_notes(suites: Sequence[Suite]) -> Iterator[str]:
    """Yield what a suite holds fixed: a sentence each."""
    for suite in suites:
        tasks = f"{plural(len(suite.tasks), 'task')}, the rows of {len(suite.digests) or 'none'} frozen"
        metrics = [
            f"{task} by {', '.join(suite.metrics[task])}" for task in suite.tasks if task in suite.metrics
        ]
        yield "; ".join([f"{suite}: {tasks}", *metrics])
