"""The embedding cache: embeddings on disk, shared by tasks, runs and processes.

An embedding of a model that can be cached is, bit for bit, a function of its text and of what
`harness.encoding.cache_key` names, in whatever company it was encoded. So it can be looked up text by
text, and a run comes to the same bytes whether the cache is cold, warm, partly warm or off.

`<folder>/embeddings/<fingerprint>-<role>-<key>/` is a store: `store.json` says to people what it depends on,
and segments (`harness.encoding.segment`) are added to it, each whole or not at all. Writers need not know
of each other. Whatever is wrong with the disk is said once, and costs time, never a result.
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
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from pathlib import Path

    from harness.models.interface import Model, Role

_MOST_SEGMENTS = 64
_LARGE = 256 << 20
"""Bytes from which on a segment is left as it is: merging it would be writing for little."""
_ROWS_AT_ONCE = 8192
_LAST = (1 << 64) - 1


class EmbeddingCache:
    """The cache of a run: opens the store of a model and role, and says once what is wrong with the disk.

    note: takes one sentence for each thing that is wrong.
    fresh: stores are written and not read.
    limit: bytes of all stores from which on those used least recently go; None for `default_limit`.
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
        """Segments that this run wrote or took something from."""

    def store(self, model: Model, role: Role) -> CacheStore:
        """The store of a model that is `cacheable`, in a role that stands for all that are the same as it."""
        return CacheStore(self, cache_key(model, role))

    def report(self, problem: str) -> None:
        """Say what is wrong, once."""
        if problem not in self._reported:
            self._reported.add(problem)
            self._note(f"embedding cache: {problem}")

    def use(self, path: Path) -> None:
        """Note that a segment is used, once a run: it is not among those that go first."""
        if path not in self._used:
            self._used.add(path)
            mark_used(path)

    def make_room(self) -> None:
        """Remove what was used least recently where the stores have outgrown the limit, and say so once.

        Raises OSError where the folder cannot be read or written.
        """
        gone = evict(self.folder, self.limit, keep=self._used)
        if gone:
            self.report(
                f"{self.folder} may take {shown_size(self.limit)}: what was used least recently is removed "
                "(--cache-size SIZE)"
            )

    def give_up_writing(self, error: OSError) -> None:
        """Go on without writing."""
        self.writable = False
        self.report(f"{self.folder} cannot be written ({error.strerror or error}); the run goes on without")


class CacheStore:
    """Embeddings of one model in one role; of two embeddings of a text the newer one counts."""

    def __init__(self, cache: EmbeddingCache, described: dict[str, Any]) -> None:
        self._cache, self._described = cache, described
        self.dimensions: int = described["dimensions"]
        self.key = hashlib.sha256(json.dumps(described, sort_keys=True).encode()).hexdigest()
        name = f"{described['fingerprint'][:16]}-{described['role']}-{self.key[:12]}"
        self.folder = cache.folder / "embeddings" / name
        self._written: list[np.ndarray] = []
        """Keys written by this run, kept where they replace older ones."""

    def find(self, texts: Sequence[str]) -> Iterator[tuple[np.ndarray, np.ndarray, np.ndarray]]:
        """Yield (embeddings, positions, rows) for each segment that has some of the texts.

        embeddings: a whole segment, (n, dimensions) float32, for reading only; row `rows[i]` belongs to
        `texts[positions[i]]`. A text is found once at most. Nothing is found where the cache is fresh.
        """
        if self._cache.fresh or not self._segments:
            return
        keys, left = keys_of(texts), np.arange(len(texts))
        for segment in list(self._segments):
            if not len(left):
                return
            rows = segment.index.rows_of(keys[left])
            there = rows >= 0
            if there.any() and self._is_sound(segment):
                self._cache.use(segment.path)
                yield segment.embeddings, left[there], rows[there]
                left = left[~there]

    def write(self, texts: Sequence[str], parts: Iterable[np.ndarray]) -> None:
        """Add a segment; parts: the embeddings of `texts` in order, (len(texts), dimensions) in all."""
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
        except OSError as error:
            self._cache.give_up_writing(error)

    @cached_property
    def _segments(self) -> list[Segment]:
        """The segments that were there when the store was first read, newest first."""
        return list(self._opened(self._paths()))

    def _paths(self) -> list[Path]:
        """Files of segments, newest first; none where the folder cannot be read."""
        try:
            return sorted(
                (path for path in self.folder.iterdir() if SEGMENT.fullmatch(path.name)), reverse=True
            )
        except (FileNotFoundError, NotADirectoryError):
            return []
        except OSError as error:
            self._cache.report(f"{self.folder} cannot be read ({error.strerror})")
            return []

    def _opened(self, paths: Iterable[Path]) -> Iterator[Segment]:
        for path in paths:
            try:
                yield Segment(path, self.key, self.dimensions)
            except CorruptSegmentError as reason:
                self._discard(path, reason)
            except FileNotFoundError:
                continue  # another process has just merged it
            except OSError as error:
                self._cache.report(f"{path} cannot be read ({error.strerror}); its texts are encoded again")

    def _is_sound(self, segment: Segment) -> bool:
        """Verify a segment; one that is damaged is no longer one of ours."""
        try:
            segment.verify()
        except CorruptSegmentError as reason:
            self._segments.remove(segment)
            self._discard(segment.path, reason)
            return False
        return True

    def _discard(self, path: Path, reason: CorruptSegmentError) -> None:
        """Say what is wrong with a file and remove it, so that it is said once."""
        self._cache.report(f"{path} is damaged ({reason}); its texts are encoded again")
        _remove([path])

    def _add(self, keys: np.ndarray, parts: Iterable[np.ndarray]) -> None:
        """Write a segment that counts as the newest, also where the clock was put back."""
        newest = next((int(path.name[:16], 16) for path in self._paths()), 0)
        # A name with the highest number there is must not stop all others: then the clock's has to do.
        number = newest + 1 if time.time_ns() <= newest < _LAST else time.time_ns()
        path = self.folder / f"{number:016x}-{secrets.token_hex(4)}.safetensors"
        write_segment(path, self.key, keys, parts, self.dimensions)
        self._cache.use(path)

    def _describe(self) -> None:
        """Make the folder and its `store.json`; one that says something else is put right, aloud."""
        path, text = self.folder / "store.json", json.dumps(self._described, indent=1) + "\n"
        try:
            if path.read_bytes() == text.encode():
                return
            self._cache.report(f"{path} was damaged; it is written again")
        except FileNotFoundError:
            pass
        write_atomic(path, [text.encode()])

    def _drop_replaced(self, before: Sequence[Segment], keys: np.ndarray) -> None:
        """Remove those of the segments before this run whose texts have all been written anew."""
        self._written.append(keys)
        anew = Index(np.concatenate(self._written))
        replaced = [one for one in before if (anew.rows_of(one.index.keys) >= 0).all()]
        self._segments[:] = [one for one in before if one not in replaced]
        _remove([one.path for one in replaced])

    def _tidy(self) -> None:
        """Merge segments where they have become many, and remove what dead processes left half-written."""
        remove_stale(self.folder)
        if len(self._small()) > _MOST_SEGMENTS:
            self._merge()

    def _small(self) -> list[Path]:
        return [path for path in self._paths() if _stat(path, "st_size") < _LARGE]

    def _merge(self) -> None:
        """Write the small segments as one, unless another process is doing so."""
        with locked(self.folder / ".lock", seconds=0) as alone:
            if not alone:
                return
            segments = []
            for segment in self._opened(self._small()):
                try:
                    segment.verify()
                    segments.append(segment)
                except CorruptSegmentError as reason:
                    self._discard(segment.path, reason)
            if len(segments) > 1:
                self._write_merged(segments)

    def _write_merged(self, segments: Sequence[Segment]) -> None:
        """Write one segment of several, each text once, and remove them; segments: newest first."""
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
    """Rows at which a key stands for the first time, ascending; keys: (n, 2)."""
    order = np.lexsort((keys[:, 1], keys[:, 0]))
    ordered = keys[order]
    again = np.zeros(len(keys), dtype=bool)
    again[1:] = (ordered[1:] == ordered[:-1]).all(axis=1)
    return np.sort(order[~again])


def _stat(path: Path, name: str) -> float:
    """A figure of a file's; infinity for one that has just gone."""
    try:
        return float(getattr(path.stat(), name))
    except FileNotFoundError:
        return float("inf")


def _remove(paths: Iterable[Path]) -> None:
    for path in paths:
        try:
            path.unlink(missing_ok=True)
        except OSError:
            continue  # a folder that may not be written: what is wrong with the file was said
