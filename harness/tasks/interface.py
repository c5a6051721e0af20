"""Interfaces of tasks, of kinds and schemes of tasks, and of their data sources."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Literal

from harness.errors import Faults, HarnessError, MissingDataError
from harness.system.toml_file import type_fault
from harness.tasks.readers import read_rows

if TYPE_CHECKING:
    import re
    from collections.abc import Callable, Iterable, Sequence
    from types import ModuleType

    from harness.finding import Finding
    from harness.metrics.interface import Metric
    from harness.models.interface import Model, Role
    from harness.tasks.dataset import Dataset, Predictions
    from harness.tasks.hub import HubDataset
    from harness.tasks.readers import Columns

    DataChoice = Path | Literal["hub"] | None
    """`--data`: a folder, the hub, or None for the samples."""

HUB: Literal["hub"] = "hub"
"""The word of `--data` for the homes of tasks on the hub."""


def read_choice(text: str | None) -> DataChoice:
    """Return a choice of data that was written as text: a folder's path, `hub`, or None for the samples."""
    if text is None:
        return None
    return HUB if text == HUB else Path(text)


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
    hub: HubDataset | None = None
    """Where the data is on the hub, for `--data hub`; None if it is not there."""
    options: Mapping[str, Any] = MappingProxyType({})
    """What the answers depend on besides code and rows, such as a task file's options; plain data."""
    brought_by: str = ""
    """Name of the plugin's module that provided it, set when plugins are loaded: part of the task's code."""

    def __repr__(self) -> str:
        name, kind = getattr(self, "name", "?"), getattr(self, "kind", "?")
        return f"<Task {name}: {kind}, {self.splits.evaluated}>"

    @abstractmethod
    def load(self, source: DataSource) -> Dataset:
        """Read the rows. Raises HarnessError for errors in the data that a user can correct."""

    def texts(self, dataset: Dataset) -> Iterable[tuple[str, Role]]:  # noqa: ARG002 - part of the contract
        """Announce everything that `predict` will encode, so that it can be encoded in few, full batches.

        Optional: other texts are encoded when `predict` asks for them. Called more than once, once before the
        task's turn: an embedding is kept until the last task that announces its text is done. The documents
        among them (all, where none is one) give the ranges of `--precision int8`, which needs them.
        Texts that stay on disk (`StoredTexts`) are not announced: they are never all in memory.
        """
        return ()

    @abstractmethod
    def predict(self, model: Model, dataset: Dataset) -> Predictions:
        """Return one row of answers per example; never aggregate."""

    def limited(self, dataset: Dataset, limit: int) -> Dataset:
        """Return a sample of whole clusters, for a quick look that is not comparable with the full set.

        At most `limit` examples, but at least one cluster; the same ones whatever the order of the rows.
        """
        return dataset.sample(limit)


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
    defined_in: Callable[[ModuleType], Iterable[Task]] | None = None
    """Return the tasks that a single file defines as classes of the other library, each named `PREFIX:NAME`.

    Called for every `--plugin FILE.py` that defines a class; such a file needs no hook. Raises HarnessError
    for what cannot be a task. None where the other library's tasks are no classes.
    """


_GENERAL_KEYS = ("kind", "path", "tags", "columns", "templates")
"""Keys of every kind."""
_READING_KEYS = ("header", "quoting", "delimiter", "missing", "split")
"""Keys of kinds that read files of rows; those of `harness.tasks.readers.Reading`."""


@dataclass(frozen=True, slots=True)
class TaskOption:
    """A key of a kind of task, beside those that all kinds share."""

    type: Any
    """Type of its values: `str`, also for a path, `bool`, `Literal["keep", "drop"]`, `dict[str, str]`, …"""
    help: str
    """One sentence: what it does."""


@dataclass(frozen=True, slots=True)
class TaskDefinition:
    """A `[tasks.NAME]` table of a task file; the keys that all kinds share are validated."""

    name: str
    kind: str
    path: Path
    """Absolute, or relative to the task file's folder; the first, if there are several."""
    tags: frozenset[str] = frozenset()
    columns: Mapping[str, Any] = field(default_factory=dict)
    """Our name of a column → the file's name of it; or its position from 1, in a file without a header."""
    templates: Mapping[str, str] = field(default_factory=dict)
    """Our name of a text column → a template over the record's fields, such as "{title} — {text}"."""
    options: Mapping[str, Any] = field(default_factory=dict)
    """Options of this kind alone, such as `dev` and `train` files, and how files of rows are read."""
    paths: tuple[Path, ...] = ()
    """All paths and patterns of files, if there are several."""
    hub: HubDataset | None = None
    """The dataset of the hub that `path = "hub:ORG/NAME"` names. A kind needs not look at it: when rows are
    loaded, it is built again, with the `path` at which they are on this machine."""

    def allow(
        self,
        *,
        columns: Iterable[str] = (),
        templates: Iterable[str] = (),
        options: Iterable[str] | Mapping[str, TaskOption] = (),
        rows: bool = False,
    ) -> None:
        """Raise HarnessError that names each column, template and option that the kind does not use.

        options: names; or name → its `TaskOption`, and a value of another type is an error too.
        rows: whether the kind reads files of rows with `read_rows`: one or several, and with its options; and
            heeds `repeated`, as `merge_repeated` does.
        `harness schema tasks` asks for the same by `build`, so that editors know the keys of a kind.
        """
        faults = Faults()
        further = (*_GENERAL_KEYS, *((*_READING_KEYS, "repeated") if rows else ()))
        for what, names, known in (
            ("column", self.columns, columns),
            ("template", self.templates, templates),
            ("option", self.options, (*options, *further)),
        ):
            known_names = set(known)
            for name in names:
                if name not in known_names:
                    subject = f"{what} of kind {self.kind} (task {self.name})"
                    faults.add(HarnessError.unknown(subject, name, known_names))
        where = f"[tasks.{self.name}]: kind {self.kind}"
        for name, option in options.items() if isinstance(options, Mapping) else ():
            value = _as_written(self.options.get(name))
            if value is not None and (fault := type_fault(value, option.type)):
                faults.add(HarnessError(f"[tasks.{self.name}]: {name} {fault}", hint=option.help))
        if len(self.paths) > 1 and not rows:
            faults.add(HarnessError(f"{where} takes one path, not {len(self.paths)}"))
        if not rows and any(isinstance(column, int) for column in self.columns.values()):
            faults.add(HarnessError(f"{where} takes names of columns, not positions"))
        faults.refuse()

    def read_rows(
        self,
        required: Sequence[str],
        *,
        optional: Sequence[str | re.Pattern[str]] = (),
        numbers: Sequence[str] = (),
        filled: Sequence[str] = (),
        file: Path | None = None,
    ) -> Columns:
        """Read the files of rows with the definition's columns, templates and options.

        required, optional, numbers, filled: names of columns; see `harness.read_rows`.
        file: a file to read instead, such as one to fit on; it has no split.
        """
        from harness.tasks.readers import read_rows

        names = [name for name in optional if isinstance(name, str)]
        mapped = {name: self.columns[name] for name in names if name in self.columns}
        columns = {name: self.columns.get(name, name) for name in required} | mapped
        how = {key: self.options[key] for key in _READING_KEYS if key in self.options}
        if file is not None:
            how.pop("split", None)
        paths = file or self.paths or self.path
        return read_rows(
            paths, columns, optional=optional, templates=self.templates, numbers=numbers, filled=filled, **how
        )


def _as_written(value: Any) -> Any:  # noqa: ANN401 - any value of TOML
    """Return the value of an option as the file has it: paths were made of texts."""
    if isinstance(value, tuple):
        return [_as_written(inner) for inner in value]
    return str(value) if isinstance(value, Path) else value


@dataclass(frozen=True, slots=True)
class TaskKind:
    """A kind that a task file may name: `kind = "sts"`."""

    name: str
    help: str
    """One line: which files and columns it reads."""
    build: Callable[[TaskDefinition], Task]
    """Return the task, without a look at its data; raises HarnessError for an invalid definition."""
    folder: bool = False
    """Whether a path is always a folder of several tables, such as a corpus with its queries."""


@dataclass(slots=True)
class DataSource:
    """Source of a task's data in this run; there is no fallback from one kind to another."""

    kind: Literal["sample", "files", "hub"]
    root: Path | None
    """The folder that holds the data sets; None when the task ships no sample, and for the hub."""
    hub: HubDataset | None = None
    """The task's home on the hub; None where it has none, or the source is another."""
    split: str = "test"
    """The split that the task evaluates."""
    used: bool = False
    """Whether the task asked for data; a task that did not has its own rows."""

    @classmethod
    def of(cls, task: Task, data: DataChoice) -> DataSource:
        """Return the source of a task's data.

        data: the data folder, "hub" for the dataset that the task declares, or None for the sample that its
        plugin ships. A task whose task file names a dataset of the hub reads that one.
        """
        if task.hub is not None and task.hub.only:
            return cls("hub", None, task.hub, task.splits.evaluated, used=True)
        if data == HUB:
            return cls("hub", None, task.hub, task.splits.evaluated)
        if data is not None:
            return cls("files", data)
        return cls("sample", task.sample)

    @property
    def name(self) -> str:
        """ORG/NAME@COMMIT of a dataset of the hub; empty for other sources."""
        return self._hub().name if self.kind == HUB and self.hub is not None else ""

    def path(self, *alternatives: str) -> Path:
        """Return the first of the alternatives that exists below the root; for the hub, the dataset's folder.

        Raises MissingDataError that names the alternatives, the existing entries, and what to do, and
        HarnessError where the hub's dataset is neither in its cache nor within reach.
        """
        self.used = True
        if self.kind == HUB:
            return self._hub().folder()
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

    def rows(
        self, *alternatives: str, columns: Sequence[str], header: Sequence[str] | None = None
    ) -> Columns:
        """Read named columns of a table, as `read_rows` does.

        alternatives: files below the root, of which the first that exists is read. Of the hub's dataset, the
        split and the columns are read that the task declares.
        header: names of the columns of the files, if they have no header line; the hub's tables have names.
        Raises HarnessError as `path` and `read_rows` do.
        """
        if self.kind != HUB:
            return read_rows(self.path(*alternatives), columns, header=header)
        self.used = True
        dataset = self._hub()
        named = {name: dataset.columns.get(name, name) for name in columns}
        return read_rows(dataset.files(dataset.split or self.split), named)

    def findings(self) -> tuple[Finding, ...]:
        """Return what a reader of the score must know of the source."""
        return self.hub.findings() if self.kind == HUB and self.used and self.hub is not None else ()

    def _hub(self) -> HubDataset:
        if self.hub is None:
            raise MissingDataError(
                "this task has no home on the hub",
                hint="give its data: --data DIR (docs/data.md says where each set comes from)",
            )
        return self.hub
