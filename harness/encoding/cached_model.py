"""The model that tasks get: embeddings that are encoded once, as the model's settings store them."""

from __future__ import annotations

import itertools
from collections import defaultdict
from typing import TYPE_CHECKING

from harness.encoding.stored_embeddings import mapped_array
from harness.encoding.text_embeddings import TextEmbeddings
from harness.encoding.validate import (
    check_pairs,
    role_checked,
    similarities_checked,
    texts_checked,
)
from harness.errors import HarnessError
from harness.finding import Finding, Severity
from harness.models.interface import Role
from harness.models.stored_model import StoredModel
from harness.system.read_only import read_only
from harness.system.stored_texts import StoredTexts

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    import numpy as np

    from harness.encoding.cache import EmbeddingCache
    from harness.encoding.stored_embeddings import StoredEmbeddings
    from harness.models.interface import Model

_AT_ONCE = 8192
"""Embeddings on disk that are quantized at once."""
_FEW = 100
"""Texts below which ranges are doubtful: sentence-transformers warns there."""


class CachedModel:
    """A model around a model that encodes each text once per role, and records which were requested.

    embeddings: those of the model, or of the one that a `StoredModel` is a view of; several views may share
    them. None to make them, with the cache on disk, if any.
    Raises HarnessError for embeddings that are not finite, not one per text, or all equal.
    """

    def __init__(
        self, model: Model, cache: EmbeddingCache | None = None, embeddings: TextEmbeddings | None = None
    ) -> None:
        self.name, self.fingerprint = model.name, model.fingerprint
        self.spec, self.facts = model.spec, model.facts
        self._model = model
        self._stored = model if isinstance(model, StoredModel) else None
        self._embeddings = embeddings or TextEmbeddings(self._stored.source if self._stored else model, cache)
        self._requested: dict[Role, dict[str, None]] = defaultdict(dict)
        self._requested_stored: dict[tuple[int, Role], StoredEmbeddings] = {}
        self._pairs_agree = False
        self.searcher: object | None = None
        """A `metrics.search_part.PartSearcher` for large corpora; None for threads of this process."""
        self.advance: Callable[[int], None] = lambda _: None
        """Gets how many more texts are done of those that stay on disk."""

    def encode(self, texts: Sequence[str], role: Role = Role.TEXT) -> np.ndarray:
        """Return one float32 row per text, in input order; known texts are not encoded again.

        The array may be a read-only view: copy it before changing it.
        Raises HarnessError for what is no list of texts, such as a single text, and for what is no role.
        """
        texts, role = texts_checked(texts), role_checked(role)
        if isinstance(texts, StoredTexts):
            return self._encode_stored(texts, role)
        self._requested[self.same_as(role)].update(dict.fromkeys(texts))
        embeddings = self._embeddings.encode(texts, role)
        return self._stored.stored(embeddings) if self._stored else embeddings

    def _encode_stored(self, texts: StoredTexts, role: Role) -> np.ndarray:
        """Return embeddings of texts that stay on disk: pages of a file."""
        if self.needs_ranges:
            raise HarnessError(
                f"--precision {self.spec.settings.precision} takes ranges from all documents, and these stay"
                " on disk",
                hint="--precision binary needs no ranges",
            )
        found = self._embeddings.of_stored(texts, role, self.advance)
        self._requested_stored[id(texts), self.same_as(role)] = found
        return self._stored_in_file(found.embeddings) if self._stored else found.embeddings

    def _stored_in_file(self, embeddings: np.ndarray) -> np.ndarray:
        """Return embeddings on disk as the settings store them: a view if they are only cut, else a file."""
        assert self._stored is not None  # noqa: S101 - asked before
        if self.spec.settings.precision == "float32" and not self.spec.settings.normalize:
            return self._stored.stored(embeddings)
        first = self._stored.stored(embeddings[:1])
        kept = mapped_array((len(embeddings), first.shape[1]), self._embeddings.spool)
        for start in range(0, len(embeddings), _AT_ONCE):
            kept[start : start + _AT_ONCE] = self._stored.stored(embeddings[start : start + _AT_ONCE])
        return read_only(kept)

    @property
    def needs_ranges(self) -> bool:
        """Whether it stores embeddings in a precision that needs the ranges of `calibrate`."""
        return self._stored is not None and self._stored.needs_ranges

    def calibrate(self, announced: Iterable[tuple[str, Role]]) -> list[Finding]:
        """Take the ranges that int8 and uint8 need from a task's documents, or say that they are few.

        announced: the task's texts, of which the distinct documents count, or all where none is a document.
        So ranges depend on the task and the model alone. Does nothing for other precisions.
        """
        if self._stored is None or not self._stored.needs_ranges:
            return []
        texts = dict.fromkeys((text, role) for text, role in announced)
        documents = [text for text, role in texts if role is Role.DOCUMENT]
        counted = {Role.DOCUMENT: documents} if documents else _by_role(texts)
        self._stored.calibrate(
            part for role, some in counted.items() for part in self._embeddings.parts(some, role)
        )
        count = sum(map(len, counted.values()))
        if not 0 < count < _FEW:
            return []
        evidence = f"the ranges of {self.spec.settings.precision} come from {count} texts"
        return [Finding("few-to-calibrate", Severity.NOTE, evidence, f"{_FEW} or more give stable ranges")]

    def prefetch(self, texts: Iterable[tuple[str, Role]], advance: Callable[[int], None]) -> None:
        """Encode announced texts in full batches; `advance` gets how many more texts are done."""
        self._embeddings.prefetch(texts, advance)

    def prefetching(
        self, texts: Iterable[tuple[str, Role]], advance: Callable[[int], None]
    ) -> Iterator[None]:
        """Do what `prefetch` does, and yield where others encode: see `TextEmbeddings.prefetching`."""
        return self._embeddings.prefetching(texts, advance)

    def save(self) -> None:
        """Write new embeddings to the cache on disk; does nothing without a cache or a writable disk."""
        self._embeddings.save()

    def forget(self, is_unused: Callable[[str, Role], bool]) -> None:
        """Drop the embeddings of unused texts: see `TextEmbeddings.forget`."""
        self._embeddings.forget(is_unused)

    def distinct(self, texts: Iterable[tuple[str, Role]]) -> int:
        """Return the number of distinct embeddings that texts need."""
        return self._embeddings.distinct(texts)

    def pop_requested(self) -> list[tuple[str, Role]]:
        """Return the distinct texts requested since the last call, and reset them; not those on disk."""
        requested = [(text, role) for role, texts in self._requested.items() for text in texts]
        self._requested.clear()
        return requested

    def pop_requested_stored(self) -> list[tuple[StoredEmbeddings, Role]]:
        """Return the texts on disk that were requested since the last call, and reset them."""
        requested = [(found, role) for (_, role), found in self._requested_stored.items()]
        self._requested_stored.clear()
        return requested

    def count_zero_embeddings(
        self,
        requested: Iterable[tuple[str, Role]],
        stored: Iterable[StoredEmbeddings] = (),
    ) -> int:
        """Return how many of the requested texts that are not blank have an embedding of zeros.

        Those count that a shorter embedding keeps, before they are quantized.
        """
        cut = self._stored.cut if self._stored else lambda part: part
        by_role = _by_role((text, role) for text, role in requested if text.strip())
        parts = (part for role, texts in by_role.items() for part in self._embeddings.parts(texts, role))
        of_stored = (part for found in stored for part in found.parts())
        return sum(int((~cut(part).any(axis=1)).sum()) for part in itertools.chain(parts, of_stored))

    def similarity(self, a: np.ndarray, b: np.ndarray) -> np.ndarray:
        """Return the model's own similarity, (n, m); raises HarnessError for another shape."""
        found = similarities_checked(self._model, self._model.similarity(a, b), (len(a), len(b)))
        self._check_pairs(a, b)
        return found

    def pairwise_similarity(self, a: np.ndarray, b: np.ndarray) -> np.ndarray:
        """Return the model's own similarity, (n,); raises HarnessError unless all are there and finite."""
        found = similarities_checked(self._model, self._model.pairwise_similarity(a, b), (len(a),))
        self._check_pairs(a, b)
        return found

    def count_tokens(self, texts: Sequence[str], role: Role = Role.TEXT) -> np.ndarray | None:
        """Return the tokens of each text before truncation; None if unknown; raises as `tokens_checked`."""
        return self._embeddings.count_tokens(texts, role)

    def same_as(self, role: Role) -> Role:
        """Return the one role for all that the model treats alike."""
        return self._embeddings.same_as(role)

    def _check_pairs(self, a: np.ndarray, b: np.ndarray) -> None:
        """Ask once whether both ways to compare embeddings agree: a task may take either."""
        if not self._pairs_agree:
            check_pairs(self._model, a, b)
            self._pairs_agree = bool(len(a) and len(b))


def _by_role(texts: Iterable[tuple[str, Role]]) -> dict[Role, list[str]]:
    by_role: dict[Role, list[str]] = defaultdict(list)
    for text, role in texts:
        by_role[role].append(text)
    return by_role
