"""Embeddings of a run's texts by one loaded model: each encoded once, in full, and cached on disk."""

from __future__ import annotations

import time
from collections import defaultdict
from typing import TYPE_CHECKING

import numpy as np

from harness.encoding.cache_key import cacheable
from harness.encoding.shards import LocalEncoder
from harness.encoding.stored_embeddings import StoredEmbeddings, StoredEncoding
from harness.encoding.table import EmbeddingTable
from harness.encoding.validate import same_role, tokens_checked
from harness.models.interface import Role
from harness.system.stored_texts import StoredTexts

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from harness.encoding.cache import CacheStore, EmbeddingCache
    from harness.encoding.shards import Encoder
    from harness.models.interface import Model

_SECONDS_UNSAVED = 20.0
"""Maximum seconds of encoding that an interruption loses, with an embedding cache."""
_TEXTS_UNSAVED = 50_000
"""Maximum texts that an interruption loses."""


class TextEmbeddings:
    """Embeddings of texts by role, encoded when they are first requested; shared by all views of a model.

    With a cache on disk, texts that an earlier run encoded are not encoded again; new embeddings are saved
    there after each `prefetch`, during long ones, and by `save`.
    encoder: None to encode by the model, in this thread.
    Raises HarnessError for embeddings that are not finite, not one per text, or all equal.
    """

    def __init__(
        self, model: Model, cache: EmbeddingCache | None = None, encoder: Encoder | None = None
    ) -> None:
        self._model = model
        self._encoder = encoder or LocalEncoder(model)
        # One call per role, and not one per text of a corpus.
        self._alike = {role: same_role(model, role) for role in Role}
        self._tables: dict[Role, EmbeddingTable] = defaultdict(EmbeddingTable)
        self._stores: dict[Role, CacheStore] = {}
        if cache is not None and cacheable(model):
            elsewhere = self._encoder.computation
            self._stores = {role: cache.store(model, role, elsewhere) for role in set(self._alike.values())}
        self._unsaved: dict[Role, list[str]] = defaultdict(list)
        self._asked: set[tuple[str, Role]] = set()
        """Texts that are being encoded elsewhere."""
        self._saved = time.monotonic()
        self.spool = cache.folder / "spool" if cache is not None else None
        """Folder of files of embeddings that are too many for memory; None for that of temporary files."""
        self._of_stored: dict[tuple[int, Role], tuple[StoredTexts, StoredEmbeddings]] = {}
        """By the id of the texts, which are held so that no others get it."""

    def encode(self, texts: Sequence[str], role: Role = Role.TEXT) -> np.ndarray:
        """Return one float32 row per text, in input order; known texts are not encoded again.

        The array may be a read-only view: copy it before changing it.
        """
        role = self._alike[role]
        if isinstance(texts, StoredTexts):
            return self.of_stored(texts, role).embeddings
        if not len(texts):
            dimensions = self._tables[role].width or self._model.facts.dimensions
            return np.zeros((0, dimensions), dtype=np.float32)
        self._complete(dict.fromkeys(texts), role)
        return self._tables[role].embeddings_of(texts)

    def of_stored(
        self, texts: StoredTexts, role: Role, advance: Callable[[int], None] = lambda _: None
    ) -> StoredEmbeddings:
        """Return the embeddings of texts that stay on disk; they are held until `forget`.

        Raises HarnessError where the disk is full.
        """
        role = self._alike[role]
        key = id(texts), role
        if key not in self._of_stored:
            encoding = StoredEncoding(
                texts=texts,
                role=role,
                encoder=self._encoder,
                store=self._stores.get(role),
                folder=self.spool,
                count_tokens=lambda some: self._counted(some, role),
                advance=advance,
            )
            self._of_stored[key] = texts, encoding.run(self._model.facts.dimensions)
        return self._of_stored[key][1]

    def parts(self, texts: Sequence[str], role: Role) -> Iterator[np.ndarray]:
        """Yield the embeddings of texts, in order, some at a time."""
        role = self._alike[role]
        self._complete(dict.fromkeys(texts), role)
        table = self._tables[role]
        yield from table.parts(table.rows_of(texts))

    def prefetch(self, texts: Iterable[tuple[str, Role]], advance: Callable[[int], None]) -> None:
        """Encode announced texts in full batches; `advance` gets how many more texts are done."""
        for _ in self.prefetching(texts, advance):
            self._encoder.wait()

    def prefetching(
        self, texts: Iterable[tuple[str, Role]], advance: Callable[[int], None]
    ) -> Iterator[None]:
        """Do what `prefetch` does, and yield where others encode: work of another kind can go on there.

        What another one that is not at its end encodes is left to it.
        """
        by_role: dict[Role, dict[str, None]] = defaultdict(dict)
        for text, role in texts:
            by_role[self._alike[role]][text] = None
        try:
            for role, distinct in by_role.items():
                yield from self._completing(distinct, role, advance)
        finally:
            self.save()  # finished embeddings are saved, even after an interruption

    def save(self) -> None:
        """Write new embeddings to the cache on disk; does nothing without a cache or a writable disk."""
        for role, texts in self._unsaved.items():
            table, store = self._tables[role], self._stores[role]
            if texts and table.width == store.dimensions:
                # In the order of rows, in which they will probably be requested again.
                rows = table.rows_of(texts)
                order = np.argsort(rows)
                store.write([texts[at] for at in order], table.parts(rows[order]))
        self._unsaved.clear()
        self._saved = time.monotonic()

    def forget(self, is_unused: Callable[[str, Role], bool]) -> None:
        """Drop the embeddings of unused texts; if one is requested nonetheless, it is encoded again.

        is_unused: gets each text that is held, and the role that `Model.same_as` gives.
        """
        self.save()
        self._of_stored.clear()
        for role, table in self._tables.items():
            self._tables[role] = table.without([text for text in table if is_unused(text, role)])

    def distinct(self, texts: Iterable[tuple[str, Role]]) -> int:
        """Return the number of distinct embeddings that texts need."""
        return len({(text, self._alike[role]) for text, role in texts})

    def count_tokens(self, texts: Sequence[str], role: Role) -> np.ndarray | None:
        """Return the tokens of each text before any cut, (n,); None if unknown; raises as `tokens_checked`.

        Only texts that were not counted when they were encoded, or before, are tokenized for it.
        """
        table = self._tables[self._alike[role]]
        tokens = table.tokens_of(texts)
        unknown = np.flatnonzero(tokens < 0)
        if len(unknown) or not len(texts):
            counted = self._counted([texts[at] for at in unknown.tolist()], role)
            if counted is None:
                return None
            tokens[unknown] = counted
            held = [at for at in unknown.tolist() if texts[at] in table]
            table.note_tokens(table.rows_of([texts[at] for at in held]), tokens[held])
        return tokens

    def _counted(self, texts: Sequence[str], role: Role) -> np.ndarray | None:
        return tokens_checked(self._model, self._model.count_tokens(texts, role), len(texts))

    def same_as(self, role: Role) -> Role:
        """Return the one role for all that the model treats alike."""
        return self._alike[role]

    def _complete(self, distinct: dict[str, None], role: Role) -> None:
        """Load embeddings from the cache, and encode those that it does not have."""
        for _ in self._encoding(self._recall(distinct, role), role, lambda _: None):
            self._encoder.wait()

    def _completing(
        self, distinct: dict[str, None], role: Role, advance: Callable[[int], None]
    ) -> Iterator[None]:
        missing = [text for text in self._recall(distinct, role) if (text, role) not in self._asked]
        advance(len(distinct) - len(missing))
        asked: set[tuple[str, Role]] = set()
        try:
            for _ in self._encoding(missing, role, advance):
                if not asked:
                    asked = {(text, role) for text in missing}
                    self._asked |= asked
                yield
        finally:
            self._asked -= asked

    def _recall(self, texts: Iterable[str], role: Role) -> list[str]:
        """Load embeddings from the cache, and return the texts that it does not have."""
        table, store = self._tables[role], self._stores.get(role)
        missing = [text for text in texts if text not in table]
        if store is None or not missing:
            return missing
        for embeddings, positions, rows in store.find(missing):
            table.adopt(embeddings, [missing[at] for at in positions], rows)
        return [text for text in missing if text not in table]

    def _encoding(self, texts: Sequence[str], role: Role, advance: Callable[[int], None]) -> Iterator[None]:
        """Encode texts, and yield where others do it; their rows are in the order of `texts`."""
        reserved, first = None, 0
        for shard in self._encoder.encode(texts, role):
            if shard is None:
                yield
                continue
            table = self._tables[role]
            if table is not reserved:  # embeddings may have been dropped while others encoded
                reserved, first = table, table.reserve(len(texts), shard.embeddings.shape[1])
            rows = first + shard.positions
            part = [texts[at] for at in shard.positions.tolist()]
            table.fill(rows, part, shard.embeddings)
            if shard.tokens is not None:
                table.note_tokens(rows, shard.tokens)
            if role in self._stores:
                self._unsaved[role] += part
                self._save_now_and_then()
            advance(len(part))

    def _save_now_and_then(self) -> None:
        if self._encoder.computation is not None:  # what another process has done is not to be done again
            self.save()
            return
        unsaved = sum(map(len, self._unsaved.values()))
        if unsaved >= _TEXTS_UNSAVED or time.monotonic() - self._saved > _SECONDS_UNSAVED:
            self.save()
