"""Files that travel with a job: what a unit needs is sent where it is not there, once, by its content."""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

_CHUNK = 32 << 20
"""Bytes of a piece of a file, as it is in the object store."""
_KEPT = 7 * 86_400
"""Seconds after which files that no job has used are removed from a machine."""
FOLDER = "job-files"
"""Below the cache's folder of a machine."""

Listing = tuple[tuple[str, int, int], ...]
"""Files of a path: name below it, empty for the path itself; size; time of last change in nanoseconds."""


@dataclass(frozen=True, slots=True)
class Content:
    """What is at a path, by its bytes."""

    path: str
    """As the user wrote it."""
    name: str
    """Last part of the path."""
    files: tuple[tuple[str, int, str], ...]
    """Name below the path, size, SHA-256."""

    @property
    def key(self) -> str:
        """A hash of it all."""
        return hashlib.sha256(repr((self.name, self.files)).encode()).hexdigest()[:32]


def absolute(path: str, folder: str) -> Path:
    """Return a path that a user wrote in a folder."""
    return Path(folder, Path(path).expanduser()) if not path.startswith("~") else Path(path).expanduser()


def listing(place: Path) -> Listing | None:
    """Return the files of a path, without reading them; None where there is nothing."""
    try:
        if place.is_file():
            found = [place]
        elif place.is_dir():
            found = sorted(file for file in place.rglob("*") if file.is_file())
        else:
            return None
        stats = [(file, file.stat()) for file in found]
    except OSError:
        return None
    return tuple((_below(file, place), stat.st_size, stat.st_mtime_ns) for file, stat in stats)


def content(path: str, place: Path, names: Iterable[str]) -> Content:
    """Return what is at a path, by the bytes of the files named; raises OSError where one is missing."""
    found = []
    for name in names:
        hashed, size = hashlib.sha256(), 0
        for piece in _pieces(place / name if name else place):
            hashed.update(piece)
            size += len(piece)
        found.append((name, size, hashed.hexdigest()))
    return Content(path, place.resolve().name, tuple(found))


class SentFiles:
    """What the driver has of files, for workers that do not: each piece is put into the object store once."""

    def __init__(self, folder: str, put: Callable[[bytes], Any]) -> None:
        self._folder, self._put = folder, put
        self._contents: dict[tuple[str, Listing], Content] = {}
        self._references: dict[str, list[list[Any]]] = {}

    def listings(self, paths: Sequence[str]) -> dict[str, Listing]:
        """Return the files of those paths that exist here."""
        found = {path: listing(absolute(path, self._folder)) for path in paths}
        return {path: files for path, files in found.items() if files is not None}

    def content(self, path: str) -> Content:
        """Return what is at a path; it is read once, as long as it is not changed."""
        place = absolute(path, self._folder)
        files = listing(place) or ()
        if (path, files) not in self._contents:
            self._contents[path, files] = content(path, place, [name for name, _, _ in files])
        return self._contents[path, files]

    def references(self, sent: Content) -> list[list[Any]]:
        """Return references to the pieces of each file."""
        if sent.key not in self._references:
            place = absolute(sent.path, self._folder)
            self._references[sent.key] = [
                [self._put(piece) for piece in _pieces(place / name if name else place)]
                for name, _, _ in sent.files
            ]
        return self._references[sent.key]


class PlacedFiles:
    """What a worker has of a job's files: at the driver's path, where that is the same here; else in a cache.

    cache: None for a temporary folder.
    """

    def __init__(self, folder: str, cache: Path | None) -> None:
        self._folder = folder
        self._cache = (cache or Path(tempfile.mkdtemp(prefix="harness-"))) / FOLDER
        self._places: dict[tuple[str, Listing], str] = {}
        """Path and its files, as the driver has them → where they are here."""

    def missing(self, listings: dict[str, Listing]) -> list[str]:
        """Return the paths whose files are not known to be here."""
        missing = []
        for path, files in listings.items():
            if (path, files) in self._places:
                continue
            if listing(absolute(path, self._folder)) == files:
                self._places[path, files] = path
            else:
                missing.append(path)
        return missing

    def places(self, listings: dict[str, Listing]) -> dict[str, str]:
        """Return where paths are here, those that are elsewhere than with the driver."""
        found = {path: self._places[path, files] for path, files in listings.items()}
        return {path: place for path, place in found.items() if place != path}

    def has(self, sent: Content, files: Listing) -> bool:
        """Whether a path's content is here, at the same path or in the cache."""
        place = absolute(sent.path, self._folder)
        here = listing(place)
        if here is not None and [(name, size) for name, size, _ in here] == [
            (name, size) for name, size, _ in sent.files
        ]:
            with suppress(OSError):
                if content(sent.path, place, [name for name, _, _ in here]).files == sent.files:
                    self._places[sent.path, files] = sent.path
                    return True
        cached = self._cache / sent.key / sent.name
        if not cached.exists():
            return False
        with suppress(OSError):
            os.utime(cached.parent)
        self._places[sent.path, files] = str(cached)
        return True

    def take(self, sent: Content, files: Listing, pieces: Iterable[Iterable[bytes]]) -> None:
        """Write files into the cache, all at once or not at all.

        Raises OSError where that fails, and ValueError for other bytes than were sent.
        """
        self._cache.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._remove_unused()
        made = Path(tempfile.mkdtemp(prefix=".", dir=self._cache))
        try:
            for (name, _, digest), parts in zip(sent.files, pieces, strict=True):
                place = made / sent.name / name if name else made / sent.name
                place.parent.mkdir(parents=True, exist_ok=True)
                hashed = hashlib.sha256()
                with place.open("xb") as file:
                    for part in parts:
                        hashed.update(part)
                        file.write(part)
                if hashed.hexdigest() != digest:
                    raise ValueError(f"{sent.path} was changed while it was sent: {name}")
            with suppress(OSError):  # another worker was faster
                made.rename(self._cache / sent.key)
        finally:
            shutil.rmtree(made, ignore_errors=True)
        self._places[sent.path, files] = str(self._cache / sent.key / sent.name)

    def keep(self, path: str, written: bytes) -> str:
        """Return where a single file is here, and write it into the cache where it is not."""
        place = absolute(path, self._folder)
        with suppress(OSError):
            if place.read_bytes() == written:
                return path
        sent = Content(path, place.name, (("", len(written), hashlib.sha256(written).hexdigest()),))
        if not self.has(sent, ()):
            self.take(sent, (), [[written]])
        return self._places[path, ()]

    def _remove_unused(self) -> None:
        for folder in self._cache.iterdir():
            with suppress(OSError):
                if time.time() - folder.stat().st_mtime > _KEPT:
                    shutil.rmtree(folder, ignore_errors=True)


def _below(file: Path, place: Path) -> str:
    return "" if file == place else file.relative_to(place).as_posix()


def _pieces(file: Path) -> Iterator[bytes]:
    with file.open("rb") as opened:
        while piece := opened.read(_CHUNK):
            yield piece
