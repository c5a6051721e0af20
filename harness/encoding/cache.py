"""Embedding cache: embeddings on disk, shared by tasks, runs and processes.

An embedding of a model that can be cached is, bit for bit, a function of its text and of what
`harness.encoding.cache_key` lists: it is batch-invariant. So it can be looked up text by text, and a run gets
the same bytes whether the cache is cold, warm, partly warm or off.

`<folder>/embeddings/<fingerprint>-<role>-<key>/` is a store: its `store.json` lists what it depends on, for
people, and segments (`harness.encoding.segment`) are added to it atomically. Writers need no coordination.
Problems with the disk are reported once, and cost time, never a result.
"""

from __future__ import annotations

import hashlib
import json
import secrets
import time
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from harness.encoding.cache_folder import SEGMENT, default_limit, evict, mark_used, shown_size
from harness.encoding.cache_key import cache_key
from harness.encoding.segment import CorruptSegmentError, Index, Segment, keys_of, write_segment
from harness.system.atomic import locked, remove_stale, write_atomic

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from harness.models.interface import Model, Role

_MOST_SEGMENTS = 64
"""Maximum number of small segments; more are merged."""
_LARGE = 256 << 20
"""Minimum bytes of a segment that is never merged: little would be gained for much writing."""
_ROWS_AT_ONCE = 8192
_LAST = (1 << 64) - 1
"""Maximum number of a segment: 16 hexadecimal digits."""


class EmbeddingCache:
    """Cache of a run: opens stores by model and role, and reports problems with the disk once.

    note: takes one sentence per problem.
    fresh: stores are written and not read.
    limit: maximum bytes of all stores, above which the least recently used segments are evicted; None for
    `default_limit`.
    """

    def __init__(
        self, folder: Path, note: Callable[[str], None], *, fresh: bool = False, limit: int | None = None
    ) -> None:
        self.folder, self.fresh = folder, fresh
        self.limit = default_limit(folder) if limit is None else limit
        self.writable = True
        self._note = note
        self._reported: set[str] = set()
        self._used: set[Path] = set()
        """Segments that this run wrote or read from."""

    def store(self, model: Model, role: Role, elsewhere: Mapping[str, Any] | None = None) -> CacheStore:
        """Return the store of a `cacheable` model.

        role: the one that `Model.same_as` gives. elsewhere: as for `cache_key`.
        """
        return CacheStore(self, cache_key(model, role, elsewhere))

    def report(self, problem: str) -> None:
        """Report a problem, once."""
        if problem not in self._reported:
            self._reported.add(problem)
            self._note(f"embedding cache: {problem}")

    def use(self, path: Path) -> None:
        """Mark a segment as used, once per run: it is not evicted first."""
        if path not in self._used:
            self._used.add(path)
            mark_used(path)

    def make_room(self) -> None:
        """Evict the least recently used segments if the stores are over the limit, and report that once.

        Raises OSError if the folder cannot be read or written.
        """
        evicted = evict(self.folder, self.limit, keep=self._used)
        if evicted:
            self.report(
                f"{self.folder} is over its limit of {shown_size(self.limit)}: "
                "the least recently used embeddings are removed (--cache-size SIZE)"
            )

    def give_up_writing(self, error: OSError) -> None:
        """Continue without writing, and report why."""
        self.writable = False
        self.report(
            f"{self.folder} cannot be written ({error.strerror or error}); the run continues without it"
        )


class CacheStore:
    """Embeddings of one model in one role; of two embeddings of a text the newer is used."""

    def __init__(self, cache: EmbeddingCache, described: dict[str, Any]) -> None:
        self._cache, self._described = cache, described
        self.dimensions: int = described["dimensions"]
        self.key = hashlib.sha256(json.dumps(described, sort_keys=True).encode()).hexdigest()
        name = f"{described['fingerprint'][:16]}-{described['role']}-{self.key[:12]}"
        self.folder = cache.folder / "embeddings" / name
        self._written: list[np.ndarray] = []
        """Keys that this run wrote to a fresh cache, where they replace older ones."""

    def find(self, texts: Sequence[str]) -> Iterator[tuple[np.ndarray, np.ndarray, np.ndarray]]:
        """Yield (embeddings, positions, rows) for each segment that has some of the texts.

        embeddings: a whole segment, (n, dimensions) float32, read-only; row `rows[i]` belongs to
        `texts[positions[i]]`. A text is found at most once. Nothing is found if the cache is fresh.
        """
        if self._cache.fresh or not self._segments:
            return
        keys, missing = keys_of(texts), np.arange(len(texts))
        for segment in list(self._segments):
            if not len(missing):
                return
            rows = segment.index.rows_of(keys[missing])
            hits = rows >= 0
            if hits.any() and self._is_intact(segment):
                self._cache.use(segment.path)
                yield segment.embeddings, missing[hits], rows[hits]
                missing = missing[~hits]

    def write(self, texts: Sequence[str], parts: Iterable[np.ndarray]) -> None:
        """Add a segment; parts: embeddings of `texts` in order, (len(texts), dimensions) in total."""
        if not self._cache.writable or not len(texts):
            return
        keys = keys_of(texts)
        before = list(self._segments) if self._cache.fresh else []
        try:
            self._describe()
            self._add(keys, parts)
            if self._cache.fresh:
                self._drop_replaced(before, keys)
            self._tidy()
            self._cache.make_room()
        except FileNotFoundError:
            self._cache.report(f"another process cleared {self.folder} while this run wrote to it")
        except OSError as error:
            self._cache.give_up_writing(error)

    @cached_property
    def _segments(self) -> list[Segment]:
        """Segments at the first read of the store, newest first."""
        return list(self._open(self._paths()))

    def _paths(self) -> list[Path]:
        """Return the files of segments, newest first; none if the folder cannot be read."""
        try:
            return sorted(
                (path for path in self.folder.iterdir() if SEGMENT.fullmatch(path.name)), reverse=True
            )
        except (FileNotFoundError, NotADirectoryError):
            return []
        except OSError as error:
            self._cache.report(f"{self.folder} cannot be read ({error.strerror})")
            return []

    def _open(self, paths: Iterable[Path]) -> Iterator[Segment]:
        """Open segments; damaged ones are removed, and unreadable ones left out."""
        for path in paths:
            try:
                yield Segment(path, self.key, self.dimensions)
            except CorruptSegmentError as reason:
                self._discard(path, reason)
            except FileNotFoundError:
                continue  # another process has merged it
            except OSError as error:
                self._cache.report(f"{path} cannot be read ({error.strerror}); its texts are encoded again")

    def _is_intact(self, segment: Segment) -> bool:
        """Verify a segment; remove a damaged one."""
        try:
            segment.verify()
        except CorruptSegmentError as reason:
            self._segments.remove(segment)
            self._discard(segment.path, reason)
            return False
        return True

    def _discard(self, path: Path, reason: CorruptSegmentError) -> None:
        """Report a damaged file and remove it."""
        self._cache.report(f"{path} is damaged ({reason}); its texts are encoded again")
        _remove([path])

    def _add(self, keys: np.ndarray, parts: Iterable[np.ndarray]) -> None:
        """Write a segment that is the newest, even if the clock was set back."""
        newest = next((int(path.name[:16], 16) for path in self._paths()), 0)
        # If a name already has the highest number, the clock's number is used: there is no larger one.
        number = newest + 1 if time.time_ns() <= newest < _LAST else time.time_ns()
        path = self.folder / f"{number:016x}-{secrets.token_hex(4)}.safetensors"
        write_segment(path, self.key, keys, parts, self.dimensions)
        self._cache.use(path)

    def _describe(self) -> None:
        """Make the folder and its `store.json`; one with another content is written again with a message."""
        path, text = self.folder / "store.json", json.dumps(self._described, indent=1) + "\n"
        try:
            if path.read_bytes() == text.encode():
                return
            self._cache.report(f"{path} was damaged; it is written again")
        except FileNotFoundError:
            pass
        write_atomic(path, [text.encode()])

    def _drop_replaced(self, before: Sequence[Segment], keys: np.ndarray) -> None:
        """Remove the older segments whose texts this run has all written again."""
        self._written.append(keys)
        written = Index(np.concatenate(self._written))
        replaced = [segment for segment in before if (written.rows_of(segment.index.keys) >= 0).all()]
        self._segments[:] = [segment for segment in before if segment not in replaced]
        _remove([segment.path for segment in replaced])

    def _tidy(self) -> None:
        """Merge small segments if there are too many, and remove stale temporary files."""
        remove_stale(self.folder)
        if len(self._small()) > _MOST_SEGMENTS:
            self._merge()

    def _small(self) -> list[Path]:
        return [path for path in self._paths() if _stat(path, "st_size") < _LARGE]

    def _merge(self) -> None:
        """Merge the small segments into one, unless another process does."""
        with locked(self.folder / ".lock", seconds=0) as held:
            if not held:
                return
            segments = []
            for segment in self._open(self._small()):
                try:
                    segment.verify()
                    segments.append(segment)
                except CorruptSegmentError as reason:
                    self._discard(segment.path, reason)
            if len(segments) > 1:
                self._write_merged(segments)

    def _write_merged(self, segments: Sequence[Segment]) -> None:
        """Replace segments by one that has each of their texts once; segments: newest first."""
        keys = np.concatenate([segment.index.keys for segment in segments])
        kept = _first_rows(keys)
        ends = np.cumsum([len(segment.index.keys) for segment in segments])

        def parts() -> Iterator[np.ndarray]:
            for segment, end in zip(segments, ends, strict=True):
                start = end - len(segment.index.keys)
                rows = kept[np.searchsorted(kept, start) : np.searchsorted(kept, end)] - start
                for at in range(0, len(rows), _ROWS_AT_ONCE):
                    yield segment.embeddings[rows[at : at + _ROWS_AT_ONCE]]

        self._add(keys[kept], parts())
        _remove([segment.path for segment in segments])


def _first_rows(keys: np.ndarray) -> np.ndarray:
    """Return the rows, ascending, at which a key occurs for the first time; keys: (n, 2)."""
    order = np.lexsort((keys[:, 1], keys[:, 0]))
    ordered = keys[order]
    repeated = np.zeros(len(keys), dtype=bool)
    repeated[1:] = (ordered[1:] == ordered[:-1]).all(axis=1)
    return np.sort(order[~repeated])


def _stat(path: Path, name: str) -> float:
    """Return a field of a file's `stat`; infinity if the file was just removed."""
    try:
        return float(getattr(path.stat(), name))
    except FileNotFoundError:
        return float("inf")


def _remove(paths: Iterable[Path]) -> None:
    for path in paths:
        try:
            path.unlink(missing_ok=True)
        except OSError:
            continue  # a read-only folder: the problem with the file was reported
