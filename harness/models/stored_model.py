"""A model whose embeddings are used as users store them: cut to their first dimensions, then quantized.

Storing comes after encoding, and outside of what encodes: whatever the model, embeddings are encoded and
cached in full, and each setting of storage is a view of them. So several of them take one encoding.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from harness.errors import HarnessError
from harness.models.backends.precision import deviation
from harness.models.interface import SIMILARITIES, Role
from harness.models.quantize import (
    BINARY,
    CALIBRATED,
    hamming_similarity,
    pairwise_hamming_similarity,
    quantized,
    ranges_of,
    restored,
)
from harness.models.similarity import pairwise_similarity, similarity
from harness.models.storage import storage_settings, stored_fingerprint, stored_name
from harness.models.workload import workload

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from harness.models.interface import Deviation, LocatedModel, Model, ModelFacts, ModelSpec

    Encode = Callable[[Sequence[str], Role], np.ndarray]

_HAMMING, _OWN = "hamming", ""


@dataclass(frozen=True)
class LocatedStored:
    """A located model with settings of storage."""

    source: LocatedModel
    """The same model without them, which encodes."""
    spec: ModelSpec

    @property
    def name(self) -> str:
        """The name that the user gave, else the model's own with the settings: `minilm-128-int8`."""
        return self.spec.name or stored_name(self.source.name, self.spec.settings)

    @property
    def fingerprint(self) -> str:
        """Hex digest of the model's fingerprint and the settings of storage."""
        # Without such settings it is cut as its own configuration says, which is part of its content.
        return stored_fingerprint(self.source.fingerprint, self.spec.settings)

    def load(self) -> StoredModel:
        """Load the model that encodes; raises HarnessError as that and `StoredModel` do."""
        return StoredModel(self.source.load(), self)


def source_of(located: LocatedModel) -> LocatedModel:
    """Return the model that encodes for a located one: itself where it has no settings of storage."""
    return located.source if isinstance(located, LocatedStored) else located


def more_dimensions_error(wanted: int, name: str, full: int) -> HarnessError:
    """Return the error for more dimensions than a model has."""
    return HarnessError(f"invalid --truncate-dim {wanted}: model {name} has {full} dimensions")


def by_encoding(models: Sequence[LocatedModel]) -> list[list[LocatedModel]]:
    """Return groups of the models that share an encoding, in the order of the first of each."""
    groups: dict[tuple[object, ...], list[LocatedModel]] = {}
    for located in models:
        source, spec = source_of(located), source_of(located).spec
        # Not their name: it says nothing of what is encoded.
        key = source.fingerprint, spec.scheme, spec.location, spec.settings, spec.threads
        groups.setdefault(key, []).append(located)
    return list(groups.values())


def view_of(located: LocatedModel, loaded: Model, encode: Encode) -> Model:
    """Return a located model, given its `source_of`, loaded; raises HarnessError as `StoredModel` does."""
    if located is source_of(located) and located.spec == loaded.spec:
        return loaded
    return StoredModel(loaded, located, encode)


class StoredModel:
    """A model around a model that returns embeddings as they are stored, as float32, and compares them so.

    | precision | what `encode` returns | similarity |
    |---|---|---|
    | float32 | the first dimensions | the model's function |
    | int8, uint8 | the codes | the model's function, of the codes |
    | binary, ubinary | 1 and −1 for the bits | 1 − 2 × Hamming distance / dimensions |

    encode: what measures of the precision's deviation are encoded with; `source.encode` if None.
    Raises HarnessError for more dimensions than the model has.
    """

    def __init__(self, source: Model, located: LocatedModel, encode: Encode | None = None) -> None:
        self.name, self.fingerprint, self.spec = located.name, located.fingerprint, located.spec
        self.source = source
        """The model in full, which encodes."""
        settings, full = self.spec.settings, source.facts.dimensions
        if settings.truncate_dim is not None and not 0 < settings.truncate_dim <= full:
            raise more_dimensions_error(settings.truncate_dim, source.name, full)
        self._dimensions = settings.truncate_dim or min(full, _configured(located) or full)
        self._precision, self._normalize = settings.precision, settings.normalize
        self._ranges: np.ndarray | None = None
        self._function = source.facts.similarity if storage_settings(settings) else _OWN
        if self._precision in BINARY:
            self._function = _HAMMING
        self.facts = self._facts(encode or source.encode)

    def encode(self, texts: Sequence[str], role: Role = Role.TEXT) -> np.ndarray:
        """Return one row per text, (len(texts), dimensions) float32; raises HarnessError as `stored` does."""
        return self.stored(self.source.encode(texts, role))

    def stored(self, embeddings: np.ndarray) -> np.ndarray:
        """Return what is stored of full embeddings, (n, dimensions) float32; a view of them in float32.

        Raises HarnessError for int8 and uint8 without ranges.
        """
        kept = self.cut(embeddings)
        if self._precision == "float32" or not len(kept):
            return kept
        if self.needs_ranges and self._ranges is None:
            raise HarnessError(
                f"--precision {self._precision} takes the range of each dimension from a task's documents,"
                " and none were announced",
                hint="a task announces its texts in `Task.texts`; from Python: model.calibrate([embeddings]);"
                " --precision binary needs no ranges",
            )
        return quantized(kept, self._precision, self._ranges)

    def cut(self, embeddings: np.ndarray) -> np.ndarray:
        """Return the kept dimensions of full embeddings, a view; with `normalize` of length 1."""
        kept = embeddings[:, : self._dimensions]
        if not self._normalize:
            return kept
        unit: np.ndarray = kept / np.maximum(np.linalg.norm(kept, axis=1, keepdims=True), 1e-12)
        return unit

    @property
    def needs_ranges(self) -> bool:
        """Whether its precision needs the ranges of `calibrate`."""
        return self._precision in CALIBRATED

    def calibrate(self, parts: Iterable[np.ndarray]) -> None:
        """Take the range of each dimension from full embeddings, in parts; without a row there are none."""
        self._ranges = ranges_of(self.cut(part) for part in parts)

    def similarity(self, a: np.ndarray, b: np.ndarray) -> np.ndarray:
        """Return similarities of stored embeddings: (n, m) float32."""
        return _similarity(self.source, self._function, a, b)

    def pairwise_similarity(self, a: np.ndarray, b: np.ndarray) -> np.ndarray:
        """Return similarities of row i of `a` with row i of `b`: (n,) float32."""
        return _pairwise_similarity(self.source, self._function, a, b)

    def count_tokens(self, texts: Sequence[str], role: Role = Role.TEXT) -> np.ndarray | None:
        """Return the tokens of each text before any cut; None if unknown."""
        return self.source.count_tokens(texts, role)

    def same_as(self, role: Role) -> Role:
        """Return a role that the model encodes exactly like this one."""
        return self.source.same_as(role)

    def _facts(self, encode: Encode) -> ModelFacts:
        facts, full = self.source.facts, self.source.facts.dimensions
        whole = self.spec.settings.truncate_dim == full
        return replace(
            facts,
            dimensions=self._dimensions,
            similarity=self._function or facts.similarity,
            quantization=None if self._precision == "float32" else self._deviation(encode),
            notes=(*facts.notes, *([f"--truncate-dim {full} keeps all its dimensions"] if whole else [])),
        )

    def _deviation(self, encode: Encode) -> Deviation:
        """Measure what the precision loses of the same dimensions in float32, with ranges of these texts."""
        exact = self.cut(encode(workload(), Role.TEXT))
        ranges = ranges_of([exact])
        codes = quantized(exact, self._precision, ranges)
        own = self.source.facts.similarity
        near = _similarity(self.source, own, exact, exact), self.similarity(codes, codes)
        return deviation(exact, restored(codes, self._precision, ranges), near)


def _configured(located: LocatedModel) -> int | None:
    """Return the dimensions that a model's own configuration keeps; None for all."""
    dimensions: int | None = getattr(source_of(located), "truncate_dim", None)
    return dimensions


def _similarity(source: Model, function: str, a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Return similarities by a function's name, (n, m); the model's own where it has another."""
    if function == _HAMMING:
        return hamming_similarity(a, b)
    if function not in SIMILARITIES:
        return source.similarity(a, b)
    # Not the model's own: it may rely on lengths of 1, which embeddings no longer have.
    return similarity(function, a, b)


def _pairwise_similarity(source: Model, function: str, a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Return similarities of row i of `a` with row i of `b` by a function's name, (n,)."""
    if function == _HAMMING:
        return pairwise_hamming_similarity(a, b)
    if function not in SIMILARITIES:
        return source.pairwise_similarity(a, b)
    return pairwise_similarity(function, a, b)
