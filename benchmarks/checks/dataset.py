"""`DataSet`: clean training rows with the recipe that they are for, and the input of checks made of them."""

from __future__ import annotations

import hashlib
import math
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np

from harness.checks import check_input_from_recipe
from harness.checks.tokens import token_counter
from harness.training.check_input import CheckInput, Rows
from harness.training.recipe import Data, Loss, Recipe, Schedule

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path
    from typing import Any

    from harness.models.interface import Model
    from harness.tasks.dataset import Dataset

HALVES = ("thresholds", "reported")
"""Thresholds may be set on the first half of the data sets; the second one is reported."""


ENOUGH_STEPS = 150
"""Optimizer steps of a clean training."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DataSet:
    """Rows without a seeded fault, and how they are trained on."""

    name: str
    rows: Rows
    loss: Loss
    batch_size: int = 16
    base: str = "minilm"
    epochs: float | None = None
    """Planned epochs; None: enough for the optimizer steps that a training needs."""
    directed: bool = False
    """Whether the two texts of a pair differ in kind, such as question and document."""
    prefixes: tuple[str, ...] = ()
    """Prefixes that the base needs, one per text column; the clean texts have them."""
    max_tokens: int | None = None
    """train.max_seq_length of the recipe."""
    test: Mapping[str, Dataset] = field(default_factory=dict)
    """Data sets of evaluated tasks, by task name."""
    half: str = HALVES[0]
    only_clean: bool = False
    """Whether no fault is put into it: it was added to see that nothing is said of it."""

    @property
    def kind(self) -> str:
        """Kind of the rows, one of ROW_KINDS."""
        return self.rows.kind

    def with_rows(
        self, texts: Mapping[str, Sequence[Any]] | None = None, labels: Sequence[Any] | None = None
    ) -> DataSet:
        """Return the data set with other texts or labels."""
        rows = replace(
            self.rows,
            texts=self.rows.texts if texts is None else texts,
            labels=self.rows.labels if labels is None else labels,
        )
        return replace(self, rows=rows)

    def first(self, count: int | None) -> DataSet:
        """Return the data set with so many of its rows, spread evenly; all for None."""
        if count is None or count >= len(self.rows):
            return self
        step = len(self.rows) / count
        rows = [int(step * place) for place in range(count)]
        labels = self.rows.labels
        return self.with_rows(
            {name: [cells[row] for row in rows] for name, cells in self.rows.texts.items()},
            None if labels is None else [labels[row] for row in rows],
        )

    def recipe(self) -> Recipe:
        """Return the recipe that the rows are for."""
        return Recipe(
            name=self.name,
            base=self.base,
            data=Data(kind=self.rows.kind),  # type: ignore[arg-type] # one of ROW_KINDS
            loss=self.loss,
            train=Schedule(
                batch_size=self.batch_size,
                epochs=self.epochs or max(1, math.ceil(ENOUGH_STEPS * self.batch_size / len(self.rows))),
                max_seq_length=self.max_tokens,
                batch_sampler="group-by-label" if self.kind == "labeled-texts" else "default",
            ),
        )

    def check_input(self, base: Callable[[], Model] | None, folder: Path | None = None) -> CheckInput:
        """Return the input of checks, as `harness check RECIPE --data FILE` makes it."""
        made = check_input_from_recipe(self.recipe(), self.rows, base, folder)
        return replace(made, datasets=(lambda: self.test) if self.test else None)

    def bare_input(self, base: Callable[[], Model] | None, folder: Path | None = None) -> CheckInput:
        """Return the input of checks without a recipe, as `harness check DATA --kind KIND --base BASE`."""
        return CheckInput(
            path=self.name,
            what="dataset",
            size=len(self.rows),
            rows=self.rows,
            base=base,
            tokens=token_counter(folder),
            datasets=(lambda: self.test) if self.test else None,
        )


def generator_of(*names: object) -> np.random.Generator:
    """Return a generator of random numbers that depends on the names alone."""
    digest = hashlib.sha256("\0".join(map(str, names)).encode()).digest()
    return np.random.default_rng(list(digest))


@dataclass(frozen=True, slots=True)
class Source:
    """A data set before it is read: its half is known although its files may be missing."""

    name: str
    kind: str
    build: Callable[[Path | None], DataSet | None]
    """Takes the folder of the real data; None where that is needed and missing."""


def half_of(source: Source, sources: Sequence[Source]) -> str:
    """Return the half of a data set: of each kind of rows, in turn for thresholds and to be reported."""
    same = [other.name for other in sources if other.kind == source.kind]
    return HALVES[same.index(source.name) % 2]
