"""A folder of cached embeddings: measure it, evict, clear, and find corruption.

A segment is used when a run writes it or reads from it; its modification time is the last use. A time in the
future counts as now. In a read-only cache times cannot be set, but then nothing is removed either. Links are
never followed, and files that are not ours are never touched.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.models.interface import PROOFS
from harness.system.atomic import locked, remove_stale, temporary_name
from harness.system.paths import user_path
from harness.system.signals import defer_signals

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator


SEGMENT = re.compile(r"[0-9a-f]{16}-[0-9a-f]{8}\.safetensors")
_STORE = re.compile(r"(?P<fingerprint>.{1,16})-(?P<role>[a-z]+)-[0-9a-f]{12}")
_PROOF = re.compile(r"(?P<fingerprint>[0-9a-f]{16})-[0-9a-f]{12}\.json")
_ABOUT = ("store.json", ".lock")
"""Other files of ours in a store."""
_LIMIT = 20 << 30
"""Maximum bytes of a cache by default."""
_SHARE = 10
"""Divisor that gives the maximum on a smaller disk: a tenth of it."""


def default_folder(configured: str | None = None) -> Path | None:
    """Return the default folder of the cache; None if the home directory cannot be determined.

    Precedence: `$HARNESS_CACHE`, `configured`, `harness` in `$XDG_CACHE_HOME`, `harness` in `~/.cache`.
    """
    if own := os.environ.get("HARNESS_CACHE") or configured:
        return user_path(own)
    caches = os.environ.get("XDG_CACHE_HOME", "")
    if Path(caches).is_absolute():
        return Path(caches) / "harness"
    try:
        return Path.home() / ".cache" / "harness"
    except RuntimeError:
        return None


@dataclass(frozen=True, slots=True)
class StoredSegment:
    """Path, size and last use of a segment."""

    path: Path
    bytes: int
    used: float
    """Time of last use, in seconds since 1970; never in the future."""


@dataclass(frozen=True, slots=True)
class StoreOnDisk:
    """Files of one model in one role."""

    folder: Path
    fingerprint: str
    """First characters of the model's fingerprint."""
    role: str
    segments: tuple[StoredSegment, ...]
    foreign: tuple[Path, ...]
    """Files that are not ours."""

    @property
    def bytes(self) -> int:
        """Bytes of all segments."""
        return sum(segment.bytes for segment in self.segments)

    @property
    def used(self) -> float:
        """Time of the last use of a segment; 0 if there is none."""
        return max((segment.used for segment in self.segments), default=0.0)

    @property
    def texts(self) -> int | None:
        """Number of embeddings, a text in two segments counted twice; None if `store.json` is damaged."""
        described = self.described()
        if described is None:
            return None
        return sum(_rows(segment.bytes, described["dimensions"]) for segment in self.segments)

    def described(self) -> dict[str, Any] | None:
        """Return what the embeddings depend on; None if `store.json` is damaged or missing."""
        try:
            content = json.loads((self.folder / "store.json").read_bytes())
        except (OSError, ValueError, RecursionError):
            return None
        intact = isinstance(content, dict) and isinstance(content.get("dimensions"), int)
        return content if intact else None


def stores(folder: Path) -> list[StoreOnDisk]:
    """Return all stores of a cache, sorted by name; none if there is no cache.

    Raises OSError if one of its folders cannot be read.
    """
    return [
        _store(entry, match["fingerprint"], match["role"])
        for entry in sorted(_entries(folder / "embeddings"), key=lambda entry: entry.name)
        if (match := _STORE.fullmatch(entry.name)) and entry.is_dir(follow_symlinks=False)
    ]


def proofs(folder: Path) -> list[StoredSegment]:
    """Return the files in which a cache keeps what was found of models when they were loaded.

    Their names begin with the first 16 characters of a model's fingerprint.
    """
    return [
        StoredSegment(Path(entry.path), entry.stat().st_size, entry.stat().st_mtime)
        for entry in sorted(_entries(folder / PROOFS), key=lambda entry: entry.name)
        if _PROOF.fullmatch(entry.name) and entry.is_file(follow_symlinks=False)
    ]


def mark_used(path: Path) -> None:
    """Set the last use of a segment to now; does nothing in a read-only folder."""
    with suppress(OSError):
        os.utime(path)


def evict(folder: Path, limit: int, *, keep: Collection[Path]) -> list[StoredSegment]:
    """Remove the least recently used segments until at most `limit` bytes are left; return those removed.

    A process that has one of them mapped keeps its content. Does nothing while another process evicts.
    keep: segments that are never removed.
    Raises OSError if a folder cannot be read or the lock cannot be made.
    """
    finish_clearing(folder)
    segments = _segments(folder)
    if sum(segment.bytes for segment in segments) <= limit:
        return []
    with locked(folder / "embeddings" / ".lock", seconds=0) as held:
        if not held:
            return []
        segments = _segments(folder)  # another process may have evicted some meanwhile
        excess = sum(segment.bytes for segment in segments) - limit
        removed = []
        for segment in sorted(segments, key=lambda segment: (segment.used, segment.path.name)):
            if excess > 0 and segment.path not in keep and _remove(segment.path):
                excess -= segment.bytes
                removed.append(segment)
        return removed


def clear(selected: Iterable[StoreOnDisk]) -> int:
    """Remove stores, and return the bytes freed; files that are not ours stay, and their folder too."""
    freed = 0
    for store in selected:
        freed += sum(segment.bytes for segment in store.segments if _remove(segment.path))
        if all(_is_ours(entry) for entry in _entries(store.folder)):
            _remove_folder(store.folder)
    return freed


def finish_clearing(folder: Path) -> None:
    """Remove what is left in a cache of stores that a killed process was clearing."""
    remove_stale(folder / "embeddings")


def _remove_folder(folder: Path) -> None:
    """Rename a store, and then remove it.

    A run may be writing there: its segment is in a store that has a `store.json`, or nowhere.
    """
    renamed = folder.with_name(temporary_name(folder.name))
    with defer_signals(), suppress(OSError):
        folder.rename(renamed)
        shutil.rmtree(renamed, ignore_errors=True)


def default_limit(folder: Path) -> int:
    """Return the maximum bytes of a cache by default: 20 GiB, or a tenth of a smaller disk."""
    try:
        existing = next((path for path in (folder, *folder.absolute().parents) if path.is_dir()), folder)
        return min(_LIMIT, shutil.disk_usage(existing).total // _SHARE)
    except OSError:
        return _LIMIT


def shown_size(size: float) -> str:
    """Return a number of bytes as text, such as `1.5 GiB`."""
    for unit in ("B", "KiB", "MiB", "GiB"):
        if size < 1024:
            return f"{size:.0f} B" if unit == "B" else f"{size:.1f} {unit}"
        size /= 1024
    return f"{size:.1f} TiB"


def _segments(folder: Path) -> list[StoredSegment]:
    return [segment for store in stores(folder) for segment in store.segments]


def _store(folder: os.DirEntry[str], fingerprint: str, role: str) -> StoreOnDisk:
    segments, foreign = [], []
    for entry in _entries(folder.path):
        try:
            if SEGMENT.fullmatch(entry.name) and entry.is_file(follow_symlinks=False):
                facts = entry.stat(follow_symlinks=False)
                segments.append(
                    StoredSegment(Path(entry.path), facts.st_size, min(facts.st_mtime, time.time()))
                )
            elif not _is_ours(entry):
                foreign.append(Path(entry.path))
        except FileNotFoundError:
            continue  # another process has removed it
    return StoreOnDisk(Path(folder.path), fingerprint, role, tuple(segments), tuple(sorted(foreign)))


def _is_ours(entry: os.DirEntry[str]) -> bool:
    if SEGMENT.fullmatch(entry.name):
        return entry.is_file(follow_symlinks=False)
    return entry.name in _ABOUT or entry.name.endswith(".tmp")


def _entries(folder: Path | str) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as entries:
            return list(entries)
    except (FileNotFoundError, NotADirectoryError):
        return []


def _rows(size: int, dimensions: int) -> int:
    """Return the rows of a segment from its size, without reading it; see `harness.encoding.segment`."""
    return max(0, size - 512) // (4 * dimensions + 16)


def _remove(path: Path) -> bool:
    """Remove a file; return whether that succeeded."""
    try:
        path.unlink()
    except OSError:
        return False
    return True


@dataclass(frozen=True, slots=True)
class Corruption:
    """A damaged file of a cache."""

    path: Path
    reason: str
    store: str
    """Name of the store's folder."""
    removable: bool = True
    """Whether removing it helps."""


def find_corruption(folder: Path) -> Iterator[Corruption]:
    """Read every segment of a cache, compare its checksums, and yield the damaged files.

    Raises OSError if a folder cannot be read.
    """
    for store in stores(folder):
        yield from _find_in_store(store)


def _find_in_store(store: StoreOnDisk) -> Iterator[Corruption]:
    from harness.encoding.segment import CorruptSegmentError, Segment

    described, name = store.described(), store.folder.name
    key = hashlib.sha256(json.dumps(described, sort_keys=True).encode()).hexdigest()
    if described is None or not name.endswith(f"-{key[:12]}"):
        # Its segments may be intact: the next run of this model writes the file again, and uses them.
        if store.segments:
            path = store.folder / "store.json"
            yield Corruption(
                path, "damaged or missing: its segments cannot be verified", name, removable=False
            )
        return
    for segment in store.segments:
        try:
            Segment(segment.path, key, described["dimensions"]).verify()
        except CorruptSegmentError as reason:
            yield Corruption(segment.path, str(reason), name)
        except FileNotFoundError:
            continue  # another process has removed it
        except OSError as error:
            yield Corruption(segment.path, f"cannot be read ({error.strerror})", name, removable=False)
