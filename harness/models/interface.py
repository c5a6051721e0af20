"""The contracts: what a model, a metric and a task are. Light to import: numpy only for the type checker."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Protocol

from harness.errors import HarnessError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from pathlib import Path

    import numpy as np

    from harness.tasks.dataset import Dataset, Predictions
    from harness.tasks.readers import DataSource


class Role(StrEnum):
    """What a text is to the model; it picks the prompt (and the route, in asymmetric models)."""

    TEXT = "text"
    QUERY = "query"
    DOCUMENT = "document"


class Severity(StrEnum):
    """How much a finding matters: an error makes the score meaningless, a warning makes it doubtful."""

    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"


@dataclass(frozen=True, slots=True)
class Finding:
    """Something wrong or doubtful that a task or a check saw."""

    code: str
    """Stable kebab-case name, such as `labels-inverted`."""
    severity: Severity
    evidence: str
    """One sentence with the figures that show it."""
    remedy: str = ""
    """One sentence that says what to do."""


# --- models ---------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """How a model is to be used, as the user asked for it; two settings never share a record."""

    device: str = "auto"
    """`auto`, `cpu`, `cuda`, `cuda:1` or `mps`."""
    dtype: str = "float32"
    """`float32`, `bfloat16`, `float16` (or `int8`, with an encoder that has it): what is computed in.

    Embeddings are float32 always.
    """
    encoder: str = "auto"
    """`auto` for the fastest that is proved equal to `encode`, or one of `models.backends` by name."""
    allow_deviation: bool = False
    """Accept a lower precision that moves embeddings by more than the tolerance."""
    truncate_dim: int | None = None
    """Keep the first dimensions only (Matryoshka models), normalised again where the model normalises."""
    max_seq_length: int | None = None
    """Tokens after which a text is cut; the model's own limit when None."""
    prompts: tuple[tuple[str, str], ...] = ()
    """(role, prompt) pairs that replace the model's own prompts, sorted by role."""
    allow_pickle: bool = False
    """Accept weights that are not safetensors: loading them can run code of whoever made them."""
    trust_remote_code: bool = False
    """Run Python code that the model's folder brings."""


@dataclass(frozen=True, slots=True)
class ModelSpec:
    """Plain, picklable data from which any process loads the same model."""

    scheme: str
    """Name of the model scheme that loads it: `folder`, `hub`, `minilm`, `lexical`, …"""
    location: str
    """What the scheme needs to find it: a path, a hub id, or nothing."""
    name: str = ""
    """The display name that the user gave (`NAME=PATH`); empty when it is to be automatic."""
    settings: Settings = field(default_factory=Settings)
    threads: str = "auto"
    """Threads to encode with, `N` or `WxT`; no setting, since it moves no embedding."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Deviation:
    """How far a lower precision moves embeddings from float32, on the fixed workload."""

    texts: int
    largest: float
    """Largest 1 − cosine, in [0, 2]."""
    p99: float
    """Its 99th percentile."""
    neighbours: float
    """Share of the ten nearest neighbours that stay the same, in [0, 1]."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelFacts:
    """What people ask of a model before they ask for its scores; None where unknown."""

    dimensions: int
    """Length of an embedding, after truncation."""
    similarity: str
    """Its own similarity function: `cosine`, `dot`, `euclidean` or `manhattan`."""
    parameters: int | None = None
    max_tokens: int | None = None
    """Tokens after which a text is cut; None when there is no limit."""
    size_bytes: int | None = None
    """Size of the weights on disk."""
    device: str = "cpu"
    """The device in use: `cpu`, `cuda`, `mps`."""
    encoder: str = "plain"
    """The encoder in use: see `harness.models.backends`."""
    reproducible: bool = False
    """Whether an embedding depends, bit for bit, on its text and the settings alone, in any company."""
    notes: tuple[str, ...] = ()
    """What a reader of its speed should know, such as why a faster encoder was not taken."""
    deviation: Deviation | None = None
    """How far its precision moves embeddings; None in float32."""


class Model(Protocol):
    """Anything that turns texts into embeddings, and knows how its embeddings are compared."""

    name: str
    """What people call it."""
    fingerprint: str
    """Hex digest that changes whenever its embeddings would (weights, tokenizer, modules, settings)."""
    spec: ModelSpec
    facts: ModelFacts

    def encode(self, texts: Sequence[str], role: Role = Role.TEXT) -> np.ndarray:
        """One float32 row per text, (len(texts), dimensions), in input order; (0, dimensions) for none."""
        ...

    def similarity(self, a: np.ndarray, b: np.ndarray) -> np.ndarray:
        """Similarity of every row of `a` with every row of `b`: (n, m) float; higher is more similar."""
        ...

    def pairwise_similarity(self, a: np.ndarray, b: np.ndarray) -> np.ndarray:
        """Similarity of row i of `a` with row i of `b`: (n,) float; higher is more similar."""
        ...

    def count_tokens(self, texts: Sequence[str], role: Role = Role.TEXT) -> np.ndarray | None:
        """Tokens of each text before any cut, prompt and special tokens included: (n,); None if unknown."""
        ...

    def same_as(self, role: Role) -> Role:
        """A role that this model treats exactly alike, so that a text is not encoded under both."""
        ...


class LocatedModel(Protocol):
    """A model that was found and fingerprinted, but whose weights are not in memory yet."""

    @property
    def name(self) -> str:
        """What people call it."""
        ...

    @property
    def fingerprint(self) -> str:
        """Hex digest that changes whenever its embeddings would."""
        ...

    @property
    def spec(self) -> ModelSpec:
        """Data from which it can be located again."""
        ...

    def load(self) -> Model:
        """Load it: seconds, and imports torch where the model needs it."""
        ...


@dataclass(frozen=True, slots=True)
class ModelScheme:
    """A way to find models, such as `minilm` or `mteb:NAME`, as `harness list models` shows it."""

    name: str
    """What stands in `--model` before the colon, or alone."""
    help: str
    """One line."""
    locate: Callable[[ModelSpec], LocatedModel]
    """Find and fingerprint, without loading; raises HarnessError for what does not exist."""


# --- tasks ----------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Metric:
    """A name and a pure function of columns of `Predictions`; higher is better."""

    name: str
    """The field's standard name, such as `spearman` or `recall@10`."""
    compute: Callable[..., float]
    """Arrays in, one float out; NaN where undefined, never an exception for data."""
    columns: tuple[str, ...] = ("gold", "predicted")
    """Names of the columns that `compute` is given, in this order."""
    where: str | None = None
    """Name of a boolean column; rows that are false there do not count."""
    per_example: bool = False
    """True when the score is the mean of one value per example, the first of `columns`."""
    resample: Callable[..., np.ndarray] | None = None
    """The score of many resamples at once, for speed: (*columns, counts (B, n)) → (B,)."""


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
