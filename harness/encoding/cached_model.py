"""Encode each text once over all tasks of a run, and check what comes back."""

from __future__ import annotations

import time
from collections import defaultdict
from typing import TYPE_CHECKING

import numpy as np

from harness.encoding.cache_key import cacheable
from harness.encoding.table import EmbeddingTable
from harness.encoding.validate import encode_checked
from harness.errors import HarnessError
from harness.models.interface import Role

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from harness.encoding.cache import CacheStore, EmbeddingCache
    from harness.models.interface import Model

_CHUNK = 120_000
"""Characters handed to a model at once while prefetching: few batches part-filled, progress still seen."""
_LONGEST = 1_200
"""Characters that a text counts at most: models cut what is longer."""
_SECONDS_UNSAVED = 20.0
_TEXTS_UNSAVED = 50_000
"""What an interruption costs at most, when there is an embedding cache."""


class CachedModel:
    """A model around a model that encodes each text once per role, and checks what comes back.

    With a cache on disk, a text that was encoded by an earlier run is not encoded either, and what is encoded
    is kept there: after each `prefetch`, during long ones, and by `save`.
    It also notes which texts were asked for, so that a task's truncated texts can be counted.
    Raises HarnessError for embeddings that are not finite, not one per text, or all equal.
    """

    def __init__(self, model: Model, cache: EmbeddingCache | None = None) -> None:
        self.name, self.fingerprint = model.name, model.fingerprint
        self.spec, self.facts = model.spec, model.facts
        self._model = model
        # Asked once: there is one answer per role, and a corpus has a text per document.
        self._alike = {role: model.same_as(role) for role in Role}
        self._tables: dict[Role, EmbeddingTable] = defaultdict(EmbeddingTable)
        self._asked: dict[Role, dict[str, None]] = defaultdict(dict)
        self._stores: dict[Role, CacheStore] = {}
        if cache is not None and cacheable(model):
            self._stores = {role: cache.store(model, role) for role in set(self._alike.values())}
        self._unsaved: dict[Role, list[str]] = defaultdict(list)
        self._saved = time.monotonic()

    def encode(self, texts: Sequence[str], role: Role = Role.TEXT) -> np.ndarray:
        """One float32 row per text, in input order; texts met before are not encoded again.

        The array may be a view that refuses to be written to: copy it before changing it.
        """
        role = self._alike[role]
        if not len(texts):
            return self._model.encode([], role)
        distinct = dict.fromkeys(texts)
        self._asked[role].update(distinct)
        missing = self._recall(distinct, role)
        self._encode(missing, _chunks(missing), role)
        return self._tables[role].embeddings_of(texts)

    def prefetch(self, texts: Iterable[tuple[str, Role]], advance: Callable[[int], None]) -> None:
        """Encode announced texts in full batches; `advance` is told how many texts were done."""
        by_role: dict[Role, dict[str, None]] = defaultdict(dict)
        for text, role in texts:
            by_role[self._alike[role]][text] = None
        try:
            for role, distinct in by_role.items():
                missing = self._recall(distinct, role)
                advance(len(distinct) - len(missing))
                self._encode(missing, _chunks(missing), role, advance)
        finally:
            self.save()  # what is finished is kept, whatever cut the rest off

    def save(self) -> None:
        """Keep on disk what is not there yet; nothing without a cache, or where the disk refuses."""
        for role, texts in self._unsaved.items():
            table, store = self._tables[role], self._stores[role]
            if texts and table.width == store.dimensions:
                # In the order of rows, in which they are probably asked for again.
                rows = table.rows_of(texts)
                order = np.argsort(rows)
                store.write([texts[at] for at in order], table.parts(rows[order]))
        self._unsaved.clear()
        self._saved = time.monotonic()

    def forget(self, is_unused: Callable[[str, Role], bool]) -> None:
        """Let go of the embeddings of texts that are over; one that is asked for all the same is made again.

        is_unused: is asked for each text that is held, and the role that stands for all that are the same.
        """
        self.save()
        for role, table in self._tables.items():
            self._tables[role] = table.without([text for text in table if is_unused(text, role)])

    def distinct(self, texts: Iterable[tuple[str, Role]]) -> int:
        """How many different embeddings the given texts need."""
        return len({(text, self._alike[role]) for text, role in texts})

    def pop_requested(self) -> list[tuple[str, Role]]:
        """Return the distinct texts asked for since the last call, and forget them."""
        asked = [(text, role) for role, texts in self._asked.items() for text in texts]
        self._asked.clear()
        return asked

    def count_zero_embeddings(self, asked: Iterable[tuple[str, Role]]) -> int:
        """How many of the texts asked for, blank ones aside, have an embedding of zeros, like no other."""
        by_role: dict[Role, list[str]] = defaultdict(list)
        for text, role in asked:
            if text.strip():
                by_role[role].append(text)
        tables = ((self._tables[role], texts) for role, texts in by_role.items())
        parts = (part for table, texts in tables for part in table.parts(table.rows_of(texts)))
        return sum(int((~part.any(axis=1)).sum()) for part in parts)

    def similarity(self, a: np.ndarray, b: np.ndarray) -> np.ndarray:
        """The model's own similarity, (n, m)."""
        return self._model.similarity(a, b)

    def pairwise_similarity(self, a: np.ndarray, b: np.ndarray) -> np.ndarray:
        """The model's own similarity, (n,); raises HarnessError where it is not finite."""
        similarity = self._model.pairwise_similarity(a, b)
        if not np.isfinite(similarity).all():
            broken = int((~np.isfinite(similarity)).sum())
            raise HarnessError(
                f"model {self.name} gives {broken} of {len(similarity)} pairs no finite similarity"
            )
        return similarity

    def count_tokens(self, texts: Sequence[str], role: Role = Role.TEXT) -> np.ndarray | None:
        """Tokens of each text before any cut; None if unknown."""
        return self._model.count_tokens(texts, role)

    def same_as(self, role: Role) -> Role:
        """The role that the model treats alike."""
        return self._alike[role]

    def _recall(self, texts: Iterable[str], role: Role) -> list[str]:
        """Take what the cache has, and return the texts that it does not have."""
        table, store = self._tables[role], self._stores.get(role)
        missing = [text for text in texts if text not in table]
        if store is None or not missing:
            return missing
        for embeddings, positions, rows in store.find(missing):
            table.adopt(embeddings, [missing[at] for at in positions], rows)
        return [text for text in missing if text not in table]

    def _encode(
        self,
        texts: Sequence[str],
        chunks: Iterable[Sequence[int]],
        role: Role,
        advance: Callable[[int], None] = lambda _: None,
    ) -> None:
        """Encode texts in chunks of their positions; their rows are in the order of `texts`."""
        table, first = self._tables[role], None
        for positions in chunks:
            chunk = [texts[at] for at in positions]
            embeddings = encode_checked(self._model, chunk, role)
            if first is None:
                first = table.reserve(len(texts), embeddings.shape[1])
            table.fill(first + np.asarray(positions), chunk, embeddings)
            if role in self._stores:
                self._unsaved[role] += chunk
                self._save_now_and_then()
            advance(len(chunk))

    def _save_now_and_then(self) -> None:
        unsaved = sum(map(len, self._unsaved.values()))
        if unsaved >= _TEXTS_UNSAVED or time.monotonic() - self._saved > _SECONDS_UNSAVED:
            self.save()


def _chunks(texts: Sequence[str]) -> Iterator[list[int]]:
    """Cut texts into chunks of at most `_CHUNK` characters, the shortest in the first; yields positions.

    No text counts more than `_LONGEST`.
    """
    chunk: list[int] = []
    characters = 0
    for position in sorted(range(len(texts)), key=lambda position: len(texts[position])):
        counted = min(len(texts[position]), _LONGEST)
        if characters + counted > _CHUNK:
            yield sorted(chunk)
            chunk, characters = [], 0
        chunk.append(position)
        characters += counted
    if chunk:
        yield sorted(chunk)
