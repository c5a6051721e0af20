"""Contracts of models: settings, facts, and how they are found. Light: numpy only for the type checker."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Protocol

from harness.finding import Finding, Severity

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import numpy as np


class Role(StrEnum):
    """Role of a text, which selects the prompt (and the route, in asymmetric models)."""

    TEXT = "text"
    QUERY = "query"
    DOCUMENT = "document"


PROOFS = "proofs"
"""Folder within the embedding cache: what was found of models when they were loaded."""

UNIDENTIFIED = Finding(
    "unidentified",
    Severity.NOTE,
    "nothing fixes what computes its embeddings: every run encodes again, keeps none, and no gate is decided",
    "declare a revision: --revision NAME, or ,revision=NAME behind the model",
)
"""Finding of each model whose fingerprint does not identify it: see `ModelFacts.identified`."""

DTYPES = ("float32", "bfloat16", "float16", "int8")
"""Names of the types that embeddings can be computed in; `int8` with a backend that has it."""

SIMILARITIES = ("cosine", "dot", "euclidean", "manhattan")
"""Names of the similarity functions of sentence-transformers; of the last two, minus the distance."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """How a model is used, as the user requested it; two settings never share a record."""

    device: str = "auto"
    """`auto`, `cpu`, `cuda`, `cuda:1` or `mps`."""
    dtype: str = "float32"
    """`float32`, `bfloat16`, `float16` (or `int8`, with a backend that has it): the type that is computed in.

    Embeddings are always float32.
    """
    backend: str = "auto"
    """`auto` for the fastest that is proved equal to `encode`, or one of `models.backends` by name."""
    allow_deviation: bool = False
    """Accept a lower precision that moves embeddings by more than the tolerance."""
    truncate_dim: int | None = None
    """Keep only the first dimensions (Matryoshka models); the configuration's `truncate_dim` when None.

    Cut after all modules and not normalized again, as in sentence-transformers: cosine similarity does not
    depend on it, the others do. See `normalize`.
    """
    normalize: bool = False
    """Scale embeddings to length 1, after `truncate_dim`: `normalize_embeddings=True` of `encode`."""
    precision: str = "float32"
    """How embeddings are stored: one of `models.storage.PRECISIONS`, as sentence-transformers quantizes them.

    Not the precision that is computed in, which is `dtype`.
    """
    similarity: str | None = None
    """One of `SIMILARITIES`; the model's own when None. Bits are compared by Hamming distance."""
    max_seq_length: int | None = None
    """Tokens after which a text is cut; the model's own limit when None."""
    prompts: tuple[tuple[str, str], ...] = ()
    """(role, prompt) pairs that replace the model's own prompts, sorted by role.

    Without one, a role has the prompt that `encode`, `encode_query` or `encode_document` chooses for it.
    """
    allow_pickle: bool = False
    """Accept weights that are not safetensors: loading them can run code of their author."""
    trust_remote_code: bool = False
    """Run Python code that is part of the model's folder."""
    revision: str | None = None
    """Version of a model, where a name is all that is known of it: of one on the hub, the one to use; of a
    server's, the one that the user declares it to be."""


PERMISSIONS = frozenset({"device", "allow_pickle", "trust_remote_code", "allow_deviation"})
"""Settings that demand nothing of an embedding: where it is computed, and what is accepted to get it."""
ALL_SETTINGS = frozenset(setting.name for setting in fields(Settings))
"""Names of all settings: what a model of sentence-transformers honors."""


def changed_settings(settings: Settings) -> dict[str, Any]:
    """Return the settings that are not at their default, by name, as plain data.

    Hashes are made of these alone, so that a setting which is added later changes no older hash.
    """
    return {
        setting.name: getattr(settings, setting.name)
        for setting in fields(settings)
        if getattr(settings, setting.name) != setting.default
    }


@dataclass(frozen=True, slots=True)
class ModelSpec:
    """Plain, picklable data from which any process loads the same model."""

    scheme: str
    """Name of the model scheme that loads it: `folder`, `hub`, `minilm`, `lexical`, …"""
    location: str
    """Where the scheme finds it: a path, a hub id, or empty."""
    name: str = ""
    """Display name that the user gave (`NAME=PATH`); empty for an automatic one."""
    settings: Settings = field(default_factory=Settings)
    threads: str = "auto"
    """Threads to encode with, `N` or `WxT`; not a setting, since it changes no embedding."""
    proofs: str = field(default="", repr=False, compare=False)
    """Folder that keeps what was found of it when it was loaded before; empty to try it every time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Deviation:
    """How far a lower precision moves embeddings from float32, on the texts of `models.workload`.

    Of quantized embeddings: 1 − cosine of what can be restored from them, neighbors by what is stored.
    """

    texts: int
    largest: float
    """Largest 1 − cosine, in [0, 2]; also over the trial at load, which has every role and length."""
    p99: float
    """Its 99th percentile."""
    neighbors: float
    """Share of the ten nearest neighbors that stay the same, in [0, 1]."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelFacts:
    """Properties of a model that readers need besides its scores; None where unknown."""

    dimensions: int
    """Length of an embedding, after truncation."""
    similarity: str
    """The similarity function in use: `cosine`, `dot`, `euclidean` or `manhattan`; `hamming` of bits."""
    dtype: str = "float32"
    """The type that embeddings are computed in, named as in `Settings.dtype`."""
    parameters: int | None = None
    max_tokens: int | None = None
    """Tokens after which a text is cut; None when there is no limit, or a server does not say."""
    size_bytes: int | None = None
    """Size of the weights on disk."""
    device: str = "cpu"
    """The device in use: `cpu`, `cuda`, `mps`; `remote` for another machine's."""
    backend: str = "plain"
    """The backend in use: see `harness.models.backends`."""
    reproducible: bool = False
    """Whether embeddings are batch-invariant: the same, bit for bit, with any other texts."""
    remote: bool = False
    """Whether texts are sent to another machine, so that `harness run` times it only where that is asked."""
    identified: bool = True
    """Whether the fingerprint fixes what computes the embeddings: by content, or by a declared revision.

    Results of a model that is not identified are computed again by every run, and decide no gate.
    """
    notes: tuple[str, ...] = ()
    """Remarks on how it is used, such as why a faster backend was not taken."""
    deviation: Deviation | None = None
    """How far the type that it computes in moves embeddings; None in float32."""
    quantization: Deviation | None = None
    """How far storing them in a lower precision moves embeddings; None where they are stored in float32."""
    findings: tuple[Finding, ...] = ()
    """What is doubtful about the model itself, whatever it is asked: they concern each of its scores."""

    @property
    def all_findings(self) -> tuple[Finding, ...]:
        """Its findings, with that of a model that is not identified."""
        return self.findings if self.identified else (*self.findings, UNIDENTIFIED)


class Model(Protocol):
    """Anything that turns texts into embeddings, and knows how its embeddings are compared."""

    name: str
    """Display name."""
    fingerprint: str
    """Hex digest that changes whenever its embeddings would (weights, tokenizer, modules, settings)."""
    spec: ModelSpec
    facts: ModelFacts

    def encode(self, texts: Sequence[str], role: Role = Role.TEXT) -> np.ndarray:
        """Return one float32 row per text, (len(texts), dimensions), in order; (0, dimensions) for none."""
        ...

    def similarity(self, a: np.ndarray, b: np.ndarray) -> np.ndarray:
        """Return the similarity of every row of `a` with every row of `b`: (n, m) float; higher is closer."""
        ...

    def pairwise_similarity(self, a: np.ndarray, b: np.ndarray) -> np.ndarray:
        """Return the similarity of row i of `a` with row i of `b`: (n,) float; higher is closer."""
        ...

    def count_tokens(self, texts: Sequence[str], role: Role = Role.TEXT) -> np.ndarray | None:
        """Return the tokens of each text before any cut, prompt and special tokens included.

        Shape (n,); None if unknown.
        """
        ...

    def same_as(self, role: Role) -> Role:
        """Return a role that is encoded exactly like this one, so that a text is not encoded under both."""
        ...


class CountingModel(Model, Protocol):
    """A model that tokenizes each text once: `encode` counts tokens on the way."""

    def encode_and_count(self, texts: Sequence[str], role: Role = Role.TEXT) -> tuple[np.ndarray, np.ndarray]:
        """Return what `encode` and `count_tokens` do, the latter -1 where a text was not counted."""
        ...


class LocatedModel(Protocol):
    """A model that was found and fingerprinted, but whose weights are not in memory yet.

    It may say more before it is loaded; `models.known` asks for it:

    | member | what it is |
    |---|---|
    | `dimensions` | length of its full embeddings |
    | `identified`, `remote` | as in `ModelFacts`, where they are not the default |
    | `probe()` | raise HarnessError where it cannot be used now; asked before a run writes anything |
    """

    @property
    def name(self) -> str:
        """Display name."""
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
        """Load the weights: takes seconds, and imports torch where the model needs it."""
        ...


@dataclass(frozen=True, slots=True)
class ModelScheme:
    """A way to find models, such as `minilm` or `mteb:NAME`, as `harness list models` shows it."""

    name: str
    """Name in `--model`, before the colon or alone."""
    help: str
    """One line."""
    locate: Callable[[ModelSpec], LocatedModel]
    """Find and fingerprint, without loading; raises HarnessError for what does not exist.

    The spec has no settings of storage (`models.storage.STORED`): they are applied to what the model encodes.
    """
    honors: frozenset[str] = frozenset()
    """Names of the fields of `Settings` that its models honor, besides `PERMISSIONS`.

    A user who sets another one gets an error, and no score that ignores it. Those of storage are honored for
    a model; it names them where they make sense of its embeddings, such as dimensions in an order.
    """
