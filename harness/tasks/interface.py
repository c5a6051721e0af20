"""Interfaces of tasks, of kinds and schemes of tasks, and of their data sources."""

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
    """The split that is scored, and those that a task may fit on; the digest covers them all."""

    evaluated: str = "test"
    fitted_on: tuple[str, ...] = ()


class Task(ABC):
    """A dataset, a way to answer its questions with embeddings, and metrics of the answers.

    A subclass is small: it reads rows (`load`) and answers one row per example (`predict`). Scores,
    intervals, comparisons, caching, batching and timing are done elsewhere.
    """

    name: str
    kind: str
    version: int = 1
    """Increase it when the same rows would be answered or scored differently."""
    tags: frozenset[str] = frozenset()
    """Words that select the task: `--tasks legal`."""
    metrics: tuple[Metric, ...]
    """The first is the headline."""
    splits: Splits = Splits()
    sample: Path | None = None
    """Folder of the illustrative data that the plugin ships for this task; None if it ships none."""
    options: Mapping[str, Any] = MappingProxyType({})
    """What the answers depend on besides code and rows, such as a task file's options; plain data."""
    brought_by: str = ""
    """Name of the plugin's module that provided it, set when plugins are loaded: part of the task's code."""

    @abstractmethod
    def load(self, source: DataSource) -> Dataset:
        """Read the rows. Raises HarnessError for errors in the data that a user can correct."""

    def texts(self, dataset: Dataset) -> Iterable[tuple[str, Role]]:  # noqa: ARG002 - part of the contract
        """Announce everything that `predict` will encode, so that it can be encoded in few, full batches.

        Optional: other texts are encoded when `predict` asks for them. Called more than once, once before the
        task's turn: an embedding is kept until the last task that announces its text is done. The documents
        among them (all, where none is one) give the ranges of `--precision int8`, which needs them.
        """
        return ()

    @abstractmethod
    def predict(self, model: Model, dataset: Dataset) -> Predictions:
        """Return one row of answers per example; never aggregate."""

    def limited(self, dataset: Dataset, limit: int) -> Dataset:
        """Return the first `limit` examples, for a quick look that is not comparable with the full set."""
        return dataset.head(limit)


class AggregateTask(Task):
    """A task that another tool scores: aggregates without predictions, so without intervals or comparisons.

    `score` replaces `predict`; its first metric is the headline.
    """

    metrics: tuple[Metric, ...] = ()

    @abstractmethod
    def score(self, model: Model, dataset: Dataset) -> Mapping[str, float]:
        """Return metric → score, the headline first; NaN where undefined."""

    def predict(self, model: Model, dataset: Dataset) -> Predictions:  # noqa: ARG002 - as in Task
        """Raise TypeError: there are no predictions."""
        raise TypeError(f"{self.name} gives aggregate scores only")


@dataclass(frozen=True, slots=True)
class TaskScheme:
    """A prefix for tasks that are too many to list, such as `mteb:NAME`."""

    name: str
    """The prefix: the text before the colon in `--tasks`."""
    help: str
    """One line."""
    resolve: Callable[[str], Task]
    """Return the task of the name after the colon; raises HarnessError for an unknown name."""


@dataclass(frozen=True, slots=True)
class TaskDefinition:
    """A `[tasks.NAME]` table of a task file; the keys that all kinds share are validated."""

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
    """Options of this kind alone, such as `dev` and `train` files."""

    def allow(
        self, *, columns: Iterable[str] = (), templates: Iterable[str] = (), options: Iterable[str] = ()
    ) -> None:
        """Raise HarnessError for a column, template or option that the kind does not use."""
        for what, names, known in (
            ("column", self.columns, columns),
            ("template", self.templates, templates),
            ("option", self.options, options),
        ):
            for name in names:
                if name not in set(known):
                    raise HarnessError.unknown(f"{what} of kind {self.kind} (task {self.name})", name, known)


@dataclass(frozen=True, slots=True)
class TaskKind:
    """A kind that a task file may name: `kind = "sts"`."""

    name: str
    help: str
    """One line: which files and columns it reads."""
    build: Callable[[TaskDefinition], Task]
    """Return the task; raises HarnessError for an invalid definition."""


@dataclass(slots=True)
class DataSource:
    """Source of a task's data in this run; there is no fallback from one kind to the other."""

    kind: Literal["sample", "files"]
    root: Path | None
    """The folder that holds the data sets; None when the task ships no sample."""
    used: bool = False
    """Whether the task asked for a path; a task that did not has its own rows."""

    @classmethod
    def of(cls, task: Task, folder: Path | None) -> DataSource:
        """Return the data folder as a source or, without one, the sample that the task's plugin ships."""
        return cls("files", folder) if folder is not None else cls("sample", task.sample)

    def path(self, *alternatives: str) -> Path:
        """Return the first of the alternatives that exists below the root.

        Raises MissingDataError that names the alternatives, the existing entries, and what to do.
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
