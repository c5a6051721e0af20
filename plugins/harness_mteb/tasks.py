"""Tasks that mteb runs and scores: aggregates as mteb stores them, without predictions."""

from __future__ import annotations

import hashlib
import json
import logging
import warnings
from collections.abc import Mapping
from contextlib import contextmanager
from copy import copy, deepcopy
from importlib.metadata import version
from inspect import isabstract
from operator import itemgetter
from typing import TYPE_CHECKING, Any

import datasets
import mteb
from mteb.abstasks import AbsTaskRetrieval
from mteb.abstasks.aggregated_task import AbsTaskAggregate
from mteb.get_tasks import TASK_LIST

from harness import Dataset, DataSource, Finding, HarnessError, Model, Severity, Splits
from harness.authoring import AggregateTask
from harness_mteb.encoder import Encoder

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import ModuleType

    from mteb import TaskResult
    from mteb.abstasks import AbsTask

DESCRIBING = {"main_score", "hf_subset", "languages", "mteb_version"}
"""Entries of mteb's scores that are not metrics of their own."""


class MTEBTask(AggregateTask):
    """A task of mteb, with mteb's own data, evaluation and scores.

    Raises HarnessError for averages of tasks, and for tasks with images or sound.
    """

    kind = "mteb"
    tags = frozenset({"mteb"})

    def __init__(self, task: AbsTask) -> None:
        self.name = f"mteb:{task.metadata.name}"
        self.splits = Splits("+".join(task.eval_splits))
        self._task = task
        if isinstance(task, AbsTaskAggregate):
            parts = [f"mteb:{part.metadata.name}" for part in task.tasks]
            raise HarnessError(
                f"{self.name} is an average of {len(parts)} tasks", hint=f"--tasks {','.join(parts)}"
            )
        foreign = sorted(set(task.modalities) - {"text"})
        if foreign:
            raise HarnessError(f"{self.name} needs {' and '.join(foreign)}: only texts can be encoded")

    def load(self, source: DataSource) -> Dataset:  # noqa: ARG002 - mteb's tasks bring their own data
        """Load the data as mteb does, from the hub or its cache; the rows stay with mteb's task.

        Returns what identifies the evaluation, with a hash of all loaded rows, as columns `id` and
        `value`: a changed row, revision or version of mteb changes the digest.
        Raises HarnessError for data that cannot be loaded.
        """
        task, metadata = self._task, self._task.metadata
        try:
            with _silence_mteb():
                task.load_data()
                if isinstance(task, AbsTaskRetrieval):
                    task.convert_v1_dataset_format_to_v2(num_proc=None)
        except (OSError, RuntimeError, ValueError, datasets.exceptions.DatasetsError) as error:
            raise HarnessError(
                f"the data of {self.name} cannot be loaded: {' '.join(str(error).split())}",
                exists=f"on the hub: {metadata.dataset['path']}, revision {metadata.revision}",
                hint="the first time needs the network (and HF_HUB_OFFLINE unset); later runs use the cache",
            ) from error
        facts = {
            "task": metadata.name,
            "dataset": json.dumps(metadata.dataset, sort_keys=True, default=str),
            "splits": json.dumps(list(task.eval_splits)),
            "subsets": json.dumps(list(task.hf_subsets)),
            "headline": metadata.main_score,
            "mteb": version("mteb"),
            "rows": _digest(task.dataset),
        }
        return Dataset({"id": list(facts), "value": list(facts.values())}, findings=tuple(_findings(task)))

    def score(self, model: Model, dataset: Dataset) -> Mapping[str, float]:  # noqa: ARG002 - mteb has the rows
        """Run the task and return every score that all its subsets have, by mteb's names, the headline first.

        Scores are averaged over splits and subsets as mteb averages its main score; NaN stays NaN.
        """
        task = copy(self._task)
        # Some tasks draw examples with these while they score: every model must get the same ones.
        task.rng_state, task.np_rng = deepcopy((task.rng_state, task.np_rng))
        with _silence_mteb():
            results = mteb.evaluate(
                Encoder(model), task, cache=None, co2_tracker=False, show_progress_bar=False
            )
        return _scores(results.task_results[0], task.metadata.main_score)

    def limited(self, dataset: Dataset, limit: int) -> Dataset:  # noqa: ARG002 - part of the contract
        """Raise HarnessError: mteb selects the examples."""
        raise HarnessError(
            f"{self.name} cannot be limited: mteb selects its examples", hint="leave out --limit"
        )


def resolve(name: str) -> MTEBTask:
    """Return mteb's task of this name; raises HarnessError for an unknown name."""
    known = {task.metadata.name for task in TASK_LIST}
    if name not in known:
        raise HarnessError.unknown("mteb task", name, known, hint="`mteb available-tasks` lists them")
    with _silence_mteb():
        return MTEBTask(mteb.get_task(name))


def tasks_of(module: ModuleType) -> list[MTEBTask]:
    """Return a task for each class of mteb's tasks that a module defines, by its `metadata`.

    A class without metadata of its own is a base of others. Raises HarnessError for a class that cannot be a
    task: one with a name of mteb's own, or of another class; an average; images or sound.
    """
    classes = dict.fromkeys(value for value in vars(module).values() if isinstance(value, type))
    kinds = [
        kind for kind in classes if issubclass(kind, mteb.AbsTask) and kind.__module__ == module.__name__
    ]
    known = {task.metadata.name for task in TASK_LIST}
    found: dict[str, MTEBTask] = {}
    for kind in kinds:
        if isabstract(kind) or not hasattr(kind, "metadata"):
            continue
        name = kind.metadata.name
        if name in known:
            raise HarnessError(f"{kind.__name__} is named {name!r}, as a task of mteb is: rename it")
        if name in found:
            raise HarnessError(f"two tasks of mteb are named {name!r}: rename one")
        found[name] = MTEBTask(kind())
    if kinds and not found:
        names = ", ".join(kind.__name__ for kind in kinds)
        raise HarnessError(f"{names} has no `metadata`: give it a mteb.TaskMetadata with a name")
    return [*found.values()]


def _scores(result: TaskResult, headline: str) -> dict[str, float]:
    parts = [part for split in result.scores.values() for part in split]
    names = [
        name
        for name in parts[0]
        if name not in DESCRIBING and all(isinstance(part.get(name), float) for part in parts)
    ]
    averages = {name: float(result.get_score(getter=itemgetter(name))) for name in names}
    return {headline: float(result.get_score()), **averages}


def _findings(task: AbsTask) -> Iterator[Finding]:
    """Return findings for what mteb would only log."""
    if later := task.superseded_by:
        yield Finding("superseded", Severity.NOTE, f"mteb supersedes it by {later}", f"--tasks mteb:{later}")
    if task.metadata.is_beta:
        yield Finding("beta", Severity.WARNING, "mteb calls it beta: its data may still change")


def _digest(data: object) -> str:
    """Hex SHA-256 of the rows that mteb loaded: `datasets.Dataset`s in nested dicts; row order counts."""
    digest = hashlib.sha256()
    for part in _canonical(data):
        digest.update(part.encode() + b"\n")
    return digest.hexdigest()


def _canonical(data: Any) -> Iterator[str]:  # noqa: ANN401 - a task may hold anything
    if isinstance(data, Mapping):
        for key in sorted(data, key=str):
            yield f"{json.dumps(str(key))}: {{"
            yield from _canonical(data[key])
            yield "}"
    elif isinstance(data, datasets.Dataset):
        for rows in data.with_format(None).iter(batch_size=1000):
            yield json.dumps(rows, sort_keys=True, default=str)
    else:
        yield json.dumps(data, sort_keys=True, default=str)


@contextmanager
def _silence_mteb() -> Iterator[None]:
    """Suppress mteb's log and warnings and the progress bars of `datasets`: we show progress ourselves."""
    log, bars = logging.getLogger("mteb"), not datasets.are_progress_bars_disabled()
    level = log.level
    log.setLevel(logging.ERROR)
    datasets.disable_progress_bars()
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", category=UserWarning, module="mteb")
            yield
    finally:
        log.setLevel(level)
        if bars:
            datasets.enable_progress_bars()
