"""What lies in a folder of cached embeddings: how much, last used when, and what may go.

A segment is used when it is written and when a run takes something from it, and its modification time says
when. A time that lies ahead counts as now, and where times cannot be set (a shared cache that may only be
read) nothing is removed either. Links are never followed, and files that are not ours are never touched.
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

from harness.system.atomic import locked
from harness.system.paths import user_path

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator


SEGMENT = re.compile(r"[0-9a-f]{16}-[0-9a-f]{8}\.safetensors")
_STORE = re.compile(r"(?P<fingerprint>.{1,16})-(?P<role>[a-z]+)-[0-9a-f]{12}")
_ABOUT = ("store.json", ".lock")
"""What else is ours in a store."""
_LIMIT = 20 << 30
_SHARE = 10


def default_folder(configured: str | None = None) -> Path | None:
    """Where embeddings are kept, unless a command says otherwise; None where there is no home.

    The first there is: `$HARNESS_CACHE`, what is configured, `harness` in `$XDG_CACHE_HOME` or in `~/.cache`.
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
    """A segment as the file system knows it."""

    path: Path
    bytes: int
    used: float
    """When a run last wrote it or took something from it, in seconds since 1970; never ahead of now."""


@dataclass(frozen=True, slots=True)
class StoreOnDisk:
    """The embeddings of one model in one role, as they lie on the disk."""

    folder: Path
    fingerprint: str
    """The first characters of the model's."""
    role: str
    segments: tuple[StoredSegment, ...]
    foreign: tuple[Path, ...]
    """Files that are not ours."""

    @property
    def bytes(self) -> int:
        """Bytes of all segments."""
        return sum(one.bytes for one in self.segments)

    @property
    def used(self) -> float:
        """When any of it was last used; 0 where there is nothing."""
        return max((one.used for one in self.segments), default=0.0)

    @property
    def texts(self) -> int | None:
        """Embeddings that are kept, those of a text in two segments twice; None where nobody can know."""
        described = self.described()
        if described is None:
            return None
        return sum(_rows(one.bytes, described["dimensions"]) for one in self.segments)

    def described(self) -> dict[str, Any] | None:
        """What the embeddings depend on; None where `store.json` is damaged or missing."""
        try:
            told = json.loads((self.folder / "store.json").read_bytes())
        except (OSError, ValueError, RecursionError):
            return None
        sound = isinstance(told, dict) and isinstance(told.get("dimensions"), int)
        return told if sound else None


def stores(folder: Path) -> list[StoreOnDisk]:
    """All stores of a cache, by name; none where there is no cache.

    Raises OSError where a folder of it cannot be read.
    """
    return [
        _store(entry, found["fingerprint"], found["role"])
        for entry in sorted(_entries(folder / "embeddings"), key=lambda entry: entry.name)
        if (found := _STORE.fullmatch(entry.name)) and entry.is_dir(follow_symlinks=False)
    ]


def mark_used(path: Path) -> None:
    """Note that something is used now; nothing where the folder may only be read."""
    with suppress(OSError):
        os.utime(path)


def evict(folder: Path, limit: int, *, keep: Collection[Path]) -> list[StoredSegment]:
    """Remove the segments that were used least recently until at most `limit` bytes are left.

    A process that has one of them mapped keeps what it has. Nothing is done while another process evicts.
    keep: segments that stay, whatever their size. Returns what was removed.
    Raises OSError where a folder cannot be read or the lock cannot be made.
    """
    found = _segments(folder)
    if sum(one.bytes for one in found) <= limit:
        return []
    with locked(folder / "embeddings" / ".lock", seconds=0) as alone:
        if not alone:
            return []
        found = _segments(folder)  # another process may have made room meanwhile
        over = sum(one.bytes for one in found) - limit
        gone = []
        for one in sorted(found, key=lambda one: (one.used, one.path.name)):
            if over > 0 and one.path not in keep and _remove(one.path):
                over -= one.bytes
                gone.append(one)
        return gone


def clear(found: Iterable[StoreOnDisk]) -> int:
    """Remove stores, and return the bytes freed; what is not ours stays, and its folder with it."""
    freed = 0
    for store in found:
        freed += sum(one.bytes for one in store.segments if _remove(one.path))
        if not any(SEGMENT.fullmatch(entry.name) for entry in _entries(store.folder)):
            for name in _ABOUT:
                _remove(store.folder / name)
            with suppress(OSError):
                store.folder.rmdir()
    return freed


def default_limit(folder: Path) -> int:
    """Bytes that a cache may take unless told otherwise: 20 GiB, or a tenth of a smaller disk."""
    try:
        there = next((path for path in (folder, *folder.absolute().parents) if path.is_dir()), None)
        return min(_LIMIT, shutil.disk_usage(there or folder).total // _SHARE)
    except OSError:
        return _LIMIT


def shown_size(size: float) -> str:
    """Write a number of bytes for people: `1.5 GiB`."""
    for unit in ("B", "KiB", "MiB", "GiB"):
        if size < 1024:
            return f"{size:.0f} B" if unit == "B" else f"{size:.1f} {unit}"
        size /= 1024
    return f"{size:.1f} TiB"


def _segments(folder: Path) -> list[StoredSegment]:
    return [one for store in stores(folder) for one in store.segments]


def _store(place: os.DirEntry[str], fingerprint: str, role: str) -> StoreOnDisk:
    segments, foreign = [], []
    for entry in _entries(place.path):
        try:
            if SEGMENT.fullmatch(entry.name) and entry.is_file(follow_symlinks=False):
                facts = entry.stat(follow_symlinks=False)
                segments.append(
                    StoredSegment(Path(entry.path), facts.st_size, min(facts.st_mtime, time.time()))
                )
            elif entry.name not in _ABOUT and not entry.name.endswith(".tmp"):
                foreign.append(Path(entry.path))
        except FileNotFoundError:
            continue  # another process has just removed it
    return StoreOnDisk(Path(place.path), fingerprint, role, tuple(segments), tuple(sorted(foreign)))


def _entries(folder: Path | str) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as entries:
            return list(entries)
    except (FileNotFoundError, NotADirectoryError):
        return []


def _rows(size: int, dimensions: int) -> int:
    """Rows of a segment of so many bytes, as `harness.encoding.segment` lays them out; reading none of it."""
    return max(0, size - 512) // (4 * dimensions + 16)


def _remove(path: Path) -> bool:
    """Remove a file; whether that went well."""
    try:
        path.unlink()
    except OSError:
        return False
    return True


@dataclass(frozen=True, slots=True)
class Corruption:
    """A file that is not what it should be."""

    path: Path
    reason: str
    store: str
    """Name of the store's folder."""
    removable: bool = True
    """Whether a run is better off without it."""


def find_corruption(folder: Path) -> Iterator[Corruption]:
    """Read every segment of a cache, compare its checksums, and yield what is damaged.

    Raises OSError where a folder cannot be read.
    """
    for store in stores(folder):
        yield from _find_in_store(store)


def _find_in_store(store: StoreOnDisk) -> Iterator[Corruption]:
    from harness.encoding.segment import CorruptSegmentError, Segment

    described, name = store.described(), store.folder.name
    key = hashlib.sha256(json.dumps(described, sort_keys=True).encode()).hexdigest()
    if described is None or not name.endswith(f"-{key[:12]}"):
        # Its segments may be whole: the next run of this model writes the file anew, and takes them.
        if store.segments:
            path = store.folder / "store.json"
            yield Corruption(
                path, "damaged or missing: its segments cannot be verified", name, removable=False
            )
        return
    for one in store.segments:
        try:
            Segment(one.path, key, described["dimensions"]).verify()
        except CorruptSegmentError as reason:
            yield Corruption(one.path, str(reason), name)
        except FileNotFoundError:
            continue  # another process has just removed it
        except OSError as error:
            yield Corruption(one.path, f"cannot be read ({error.strerror})", name, removable=False)
