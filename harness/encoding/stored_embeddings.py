"""Embeddings of texts that stay on disk, in a file too: neither is ever in memory as a whole."""

from __future__ import annotations

import os
import tempfile
from collections import deque
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from harness.encoding.cache_folder import shown_size
from harness.encoding.segment import keys_of
from harness.errors import HarnessError
from harness.system.read_only import read_only

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from harness.encoding.cache import CacheStore
    from harness.encoding.shards import Encoder
    from harness.models.interface import Role
    from harness.system.stored_texts import StoredTexts

    CountTokens = Callable[[Sequence[str]], np.ndarray | None]

_WINDOW = 50_000
"""Texts that are looked up, and handed to the encoder, at once."""
_OPEN = 2
"""Windows of which texts are in memory: while the last texts of one are encoded, the next one begins."""
_ROWS = 8192
"""Rows that are copied at once."""


@dataclass(frozen=True, slots=True)
class StoredEmbeddings:
    """The embeddings of stored texts, and what is counted of the distinct ones."""

    embeddings: np.ndarray
    """(n, dimensions) float32, read-only: pages of a file, which vanishes with it."""
    rows: np.ndarray
    """(d,): the first row of each distinct text."""
    keys: np.ndarray
    """(d, 2): hashes of the distinct texts, as in `segment.keys_of`."""
    blank: np.ndarray
    """(d,) bool: which of them are white space alone."""
    tokens: np.ndarray | None
    """(d,): tokens of the distinct texts before any cut; None if unknown."""

    def parts(self) -> Iterator[np.ndarray]:
        """Yield the embeddings of the distinct texts that are not blank, some at a time."""
        rows = self.rows[~self.blank]
        for start in range(0, len(rows), _ROWS):
            yield self.embeddings[rows[start : start + _ROWS]]


@dataclass
class StoredEncoding:
    """Encodes stored texts, each once, into a file.

    store: takes what is encoded, and gives what an earlier run encoded; None without a cache.
    folder: takes the file; None for that of temporary files. count_tokens: asked for texts whose embeddings
    are cached. advance: gets how many more texts are done.
    """

    texts: StoredTexts
    role: Role
    encoder: Encoder
    store: CacheStore | None
    folder: Path | None
    count_tokens: CountTokens
    advance: Callable[[int], None]
    _embeddings: np.ndarray = field(init=False)
    _tokens: np.ndarray = field(init=False)
    _unknown: bool = False

    def run(self, dimensions: int) -> StoredEmbeddings:
        """Return the embeddings; raises HarnessError where the disk is full, and as the encoder does."""
        keys, blank = self._read()
        first = _first_rows(keys)
        is_first = first == np.arange(len(first))
        distinct = np.flatnonzero(is_first)
        self._embeddings = mapped_array((len(keys), dimensions), self.folder)
        self._tokens = np.full(len(keys), -1, dtype=np.int64)
        self._encode(is_first)
        copies = np.flatnonzero(~is_first)
        for start in range(0, len(copies), _ROWS):
            rows = copies[start : start + _ROWS]
            self._embeddings[rows] = self._embeddings[first[rows]]
        return StoredEmbeddings(
            embeddings=read_only(self._embeddings),
            rows=distinct,
            keys=keys[distinct],
            blank=blank[distinct],
            tokens=None if self._unknown else self._tokens[distinct],
        )

    def _read(self) -> tuple[np.ndarray, np.ndarray]:
        """Return the hashes of all texts, (n, 2), and which of these are blank, (n,)."""
        keys = np.empty((len(self.texts), 2), dtype=np.uint64)
        blank = np.zeros(len(self.texts), dtype=bool)
        for start in range(0, len(self.texts), _WINDOW):
            part = self.texts[start : start + _WINDOW]
            keys[start : start + len(part)] = keys_of(part)
            blank[start : start + len(part)] = [not text.strip() for text in part]
        return keys, blank

    def _encode(self, is_first: np.ndarray) -> None:
        """Encode the texts that are the first of their kind: (n,) bool."""
        starts = deque(range(0, len(is_first), _WINDOW))
        windows: list[Iterator[None]] = []
        while starts or windows:
            while starts and len(windows) < _OPEN:
                windows.append(self._window(starts.popleft(), is_first))
            going_on = [window for window in windows if next(window, self) is not self]
            if len(going_on) == len(windows):
                self.encoder.wait()
            windows = going_on

    def _window(self, start: int, is_first: np.ndarray) -> Iterator[None]:
        """Take what is cached of a window's texts, and encode the others; yields where others do it."""
        texts = self.texts[start : start + _WINDOW]
        own = np.flatnonzero(is_first[start : start + _WINDOW])
        distinct = [texts[row] for row in own.tolist()]
        missing = np.ones(len(own), dtype=bool)
        if self.store is not None:
            for embeddings, positions, rows in self.store.find(distinct):
                self._embeddings[start + own[positions]] = embeddings[rows]
                missing[positions] = False
        self._count(start + own[~missing], [distinct[at] for at in np.flatnonzero(~missing).tolist()])
        self.advance(len(texts) - int(missing.sum()))
        wanted = [distinct[at] for at in np.flatnonzero(missing).tolist()]
        for shard in self.encoder.encode(wanted, self.role):
            if shard is None:
                yield
                continue
            rows = start + own[missing][shard.positions]
            self._embeddings[rows] = shard.embeddings
            part = [wanted[at] for at in shard.positions.tolist()]
            if self.store is not None:
                self.store.write(part, [shard.embeddings])
            tokens = np.full(len(rows), -1) if shard.tokens is None else shard.tokens
            self._tokens[rows] = tokens
            uncounted = np.flatnonzero(tokens < 0)
            self._count(rows[uncounted], [part[at] for at in uncounted.tolist()])
            self.advance(len(part))

    def _count(self, rows: np.ndarray, texts: Sequence[str]) -> None:
        if not len(texts) or self._unknown:
            return
        tokens = self.count_tokens(texts)
        if tokens is None:
            self._unknown = True
        else:
            self._tokens[rows] = tokens


def mapped_array(shape: tuple[int, int], folder: Path | None) -> np.ndarray:
    """Return a float32 array in a file that vanishes with it; raises HarnessError where the disk is full."""
    size = 4 * shape[0] * shape[1]
    try:
        if folder is not None:
            folder.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(prefix="harness-embeddings-", dir=folder)
        try:
            # A page that finds no room on the disk later would end the process.
            if hasattr(os, "posix_fallocate"):
                os.posix_fallocate(handle, 0, max(size, 1))
            return np.memmap(name, dtype=np.float32, mode="r+", shape=shape)
        finally:
            os.close(handle)
            Path(name).unlink()
    except OSError as error:
        raise HarnessError(
            f"no room for embeddings of {shape[0]:,} texts, {shown_size(size)}: {error.strerror or error}",
            hint="they are written where the cache is (--cache DIR), or, without one, where temporary files"
            " are (TMPDIR)",
        ) from error


def _first_rows(keys: np.ndarray) -> np.ndarray:
    """Return for each row the first one with the same key: (n, 2) → (n,)."""
    order = np.lexsort((keys[:, 1], keys[:, 0]))  # of equal keys, the first row is first
    ordered = keys[order]
    begins = np.ones(len(keys), dtype=bool)
    begins[1:] = (ordered[1:] != ordered[:-1]).any(axis=1)
    first = np.empty(len(keys), dtype=np.intp)
    first[order] = order[np.maximum.accumulate(np.where(begins, np.arange(len(keys)), 0))]
    return first
