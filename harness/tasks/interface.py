"""The contracts of tasks: a dataset, a way to answer, metrics."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Literal

from harness.errors import HarnessError, MissingDataError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from pathlib import Path

    from harness.metrics.interface import Metric
    from harness.models.interface import Model, Role
    from harness.tasks.dataset import Dataset, Predictions


@dataclass(frozen=True, slots=True)
class Splits:
    """Which split is scored, and which ones a task may fit on; the digest covers them all."""

    evaluated: str = "test"
    fitted_on: tuple[str, ...] = ()


class Task(ABC):
    """A dataset, a way to answer its questions with embeddings, and metrics of the answers.

    A subclass is small: it reads rows (`load`) and answers one row per example (`predict`). Scores,
    intervals, comparisons, caching, batching and timing are not its business.
    """

    name: str
    kind: str
    version: int = 1
    """Raise it when the same rows would be answered or scored differently."""
    tags: frozenset[str] = frozenset()
    """Words that select the task: `--tasks legal`."""
    metrics: tuple[Metric, ...]
    """The first is the headline."""
    splits: Splits = Splits()
    sample: Path | None = None
    """Folder of the illustrative data that the plugin ships, if it ships some for this task."""
    options: Mapping[str, Any] = MappingProxyType({})
    """What the answers depend on besides code and rows, such as a task file's options; plain data."""
    brought_by: str = ""
    """Name of the plugin's module that brought it, as whoever loads plugins sets it: part of its code."""

    @abstractmethod
    def load(self, source: DataSource) -> Dataset:
        """Read the rows. Raises HarnessError for data that a user can put right."""

    def texts(self, dataset: Dataset) -> Iterable[tuple[str, Role]]:  # noqa: ARG002 - part of the contract
        """Everything that `predict` will encode, so that it can be encoded in few, full batches.

        Optional: what is not announced here is encoded when `predict` asks for it. It is asked twice: before
        the task's turn too, for an embedding is held while a task that announces its text is left.
        """
        return ()

    @abstractmethod
    def predict(self, model: Model, dataset: Dataset) -> Predictions:
        """Answer every example; never aggregate."""

    def limited(self, dataset: Dataset, limit: int) -> Dataset:
        """Return the first `limit` examples, for a quick look that is not comparable with the full set."""
        return dataset.head(limit)


class AggregateTask(Task):
    """A task that another tool scores: aggregates without predictions, so without intervals or comparisons.

    `score` stands in place of `predict`; its first metric is the headline.
    """

    metrics: tuple[Metric, ...] = ()

    @abstractmethod
    def score(self, model: Model, dataset: Dataset) -> Mapping[str, float]:
        """Return metric → score, the headline first; NaN where undefined."""

    def predict(self, model: Model, dataset: Dataset) -> Predictions:  # noqa: ARG002 - as in Task
        """There are no predictions; raises TypeError."""
        raise TypeError(f"{self.name} gives aggregate scores only")


@dataclass(frozen=True, slots=True)
class TaskScheme:
    """A prefix of task names that are too many to list, such as `mteb:NAME`."""

    name: str
    """What stands in `--tasks` before the colon."""
    help: str
    """One line."""
    resolve: Callable[[str], Task]
    """Make the task of a name after the colon; raises HarnessError where there is none."""


@dataclass(frozen=True, slots=True)
class TaskDefinition:
    """One `[tasks.NAME]` table of a task file, checked for its general part."""

    name: str
    kind: str
    path: Path
    """Absolute, or relative to the task file's folder."""
    tags: frozenset[str] = frozenset()
    columns: Mapping[str, str] = field(default_factory=dict)
    """Our name of a column → the file's name of it."""
    templates: Mapping[str, str] = field(default_factory=dict)
    """Our name of a text column → a template over the record's fields, such as "{title} — {text}"."""
    options: Mapping[str, Any] = field(default_factory=dict)
    """What only this kind knows, such as `dev` and `train` files."""

    def allow(
        self, *, columns: Iterable[str] = (), templates: Iterable[str] = (), options: Iterable[str] = ()
    ) -> None:
        """Raise HarnessError for a column, template or option that the kind has no use for."""
        for what, given, known in (
            ("column", self.columns, columns),
            ("template", self.templates, templates),
            ("option", self.options, options),
        ):
            for name in given:
                if name not in set(known):
                    raise HarnessError.unknown(f"{what} of kind {self.kind} (task {self.name})", name, known)


@dataclass(frozen=True, slots=True)
class TaskKind:
    """A kind that a task file may name: `kind = "sts"`."""

    name: str
    help: str
    """One line: which files and columns it reads."""
    build: Callable[[TaskDefinition], Task]
    """Make the task; raises HarnessError for a definition that is not right."""


@dataclass(slots=True)
class DataSource:
    """Where a task's data comes from in this run; there is no falling back from one to another."""

    kind: Literal["sample", "files"]
    root: Path | None
    """The folder that holds the data sets; None when the task ships no sample."""
    used: bool = False
    """Whether the task asked for a path; one that did not brings rows of its own."""

    @classmethod
    def of(cls, task: Task, folder: Path | None) -> DataSource:
        """A data folder or, without one, the sample that a task's plugin ships."""
        return cls("files", folder) if folder is not None else cls("sample", task.sample)

    def path(self, *alternatives: str) -> Path:
        """Return the first of the alternatives that exists below the root.

        Raises MissingDataError, naming what was looked for, what exists, and what to do.
        """
        self.used = True
        if self.root is None:
            raise MissingDataError(
                "no sample is shipped for this task",
                hint="give the real data: --data DIR (docs/data.md says where each set comes from)",
            )
        for alternative in alternatives:
            if (self.root / alternative).exists():
                return self.root / alternative
        present = sorted(entry.name for entry in self.root.iterdir()) if self.root.is_dir() else []
        raise MissingDataError(
            f"no {' or '.join(alternatives)} in {self.root}",
            exists=f"there: {', '.join(present[:20]) or 'nothing'}{' …' if len(present) > 20 else ''}",
            hint="docs/data.md shows the layout of a data folder",
        )
