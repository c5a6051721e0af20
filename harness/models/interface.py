"""The contracts: what a model, a metric and a task are. Light to import: numpy only for the type checker."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import numpy as np


class Role(StrEnum):
    """What a text is to the model; it picks the prompt (and the route, in asymmetric models)."""

    TEXT = "text"
    QUERY = "query"
    DOCUMENT = "document"


# --- models ---------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """How a model is to be used, as the user asked for it; two settings never share a record."""

    device: str = "auto"
    """`auto`, `cpu`, `cuda`, `cuda:1` or `mps`."""
    dtype: str = "float32"
    """`float32`, `bfloat16`, `float16` (or `int8`, with a backend that has it): what is computed in.

    Embeddings are float32 always.
    """
    backend: str = "auto"
    """`auto` for the fastest that is proved equal to `encode`, or one of `models.backends` by name."""
    allow_deviation: bool = False
    """Accept a lower precision that moves embeddings by more than the tolerance."""
    truncate_dim: int | None = None
    """Keep the first dimensions only (Matryoshka models), normalized again where the model normalizes."""
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
    neighbors: float
    """Share of the ten nearest neighbors that stay the same, in [0, 1]."""


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
    backend: str = "plain"
    """The backend in use: see `harness.models.backends`."""
    reproducible: bool = False
    """Whether an embedding depends, bit for bit, on its text and the settings alone, in any company."""
    notes: tuple[str, ...] = ()
    """What a reader of its speed should know, such as why a faster backend was not taken."""
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
