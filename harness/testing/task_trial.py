"""A task on trial: its rows and answers, each computed once, for the rules to look at."""

from __future__ import annotations

import copy
from functools import cached_property
from typing import TYPE_CHECKING, Any

from harness.results.records import column_hash, plain_values
from harness.system.plugin_code import plugin_code
from harness.tasks.dataset import Dataset, Predictions
from harness.tasks.interface import AggregateTask, DataSource
from harness.testing.small_model import SmallModel
from harness.testing.watched_model import WatchedModel

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from harness.tasks.interface import Task

    Columns = Mapping[str, Any]


class TaskTrial:
    """A task, its rows and its answers with two small models.

    Rules share what is computed here; each attribute raises what the task raises.
    """

    def __init__(self, task: Task, data: Path | None) -> None:
        self.task, self.data = task, data
        self.other = _copied(task)
        """The same task, for another order of models; the same object where it cannot be copied."""
        self.first, self.second = SmallModel(0), SmallModel(1)

    @property
    def source(self) -> DataSource:
        """A new source of the task's rows."""
        return DataSource.of(self.task, self.data)

    @cached_property
    def dataset(self) -> Dataset:
        """The rows that `load` returns."""
        return self.task.load(self.source)

    @property
    def private(self) -> list[str]:
        """The texts of its rows."""
        tables = (self.dataset, *self.dataset.tables.values())
        cells = (cell for table in tables for name in table.columns for cell in table[name])
        return [cell for cell in cells if isinstance(cell, str)]

    @cached_property
    def watched(self) -> WatchedModel:
        """The first model, after `answers`."""
        return WatchedModel(self.first)

    @cached_property
    def lent(self) -> Dataset:
        """The rows that `predict` gets for `answers`."""
        return self.dataset.lent()

    @cached_property
    def answers(self) -> Any:  # noqa: ANN401 - what the task returns
        """The first model's answers: `Predictions`, or scores of an `AggregateTask`."""
        return self.ask(self.task, self.watched, self.lent)

    @cached_property
    def again(self) -> Any:  # noqa: ANN401 - what the task returns
        """The first model's answers to the same rows, once more."""
        assert self.answers is not None  # noqa: S101 - they come first
        return self.ask(self.task, WatchedModel(self.first))

    def ask(self, task: Task, model: Any, dataset: Dataset | None = None) -> Any:  # noqa: ANN401
        """Return a model's answers to the rows, or to those that are given."""
        rows = self.dataset.lent() if dataset is None else dataset
        with plugin_code():
            return task.score(model, rows) if isinstance(task, AggregateTask) else task.predict(model, rows)


def _copied(task: Task) -> Task:
    try:
        return copy.deepcopy(task)
    except Exception:  # noqa: BLE001 - an object of any library may refuse it
        return task


def difference(before: Any, after: Any) -> str:  # noqa: ANN401 - Predictions, or scores
    """Return how two answers differ, such as `column 'predicted' in 3 of 40 rows`; empty if they do not."""
    if isinstance(before, Predictions) and isinstance(after, Predictions):
        if before.columns.keys() != after.columns.keys():
            return f"columns {', '.join(before.columns)}, then {', '.join(after.columns)}"
        for name in before.columns:
            if found := _column_difference(name, before[name], after[name]):
                return found
        return "" if before.fitted == after.fitted else f"fitted {before.fitted}, then {after.fitted}"
    return "" if repr(before) == repr(after) else f"{before!r}, then {after!r}"


def _column_difference(name: str, before: Any, after: Any) -> str:  # noqa: ANN401 - of any type
    if column_hash(before) == column_hash(after):
        return ""
    old, new = plain_values(before), plain_values(after)
    rows = [row for row, cells in enumerate(zip(old, new, strict=True)) if repr(cells[0]) != repr(cells[1])]
    first = f", such as {old[rows[0]]!r}, then {new[rows[0]]!r}" if rows else ""
    return f"column {name!r} in {len(rows)} of {len(old)} rows{first}"
