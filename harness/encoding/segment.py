"""Segments: files of embeddings that are written once, atomically, and never changed.

A segment is a safetensors file of two tensors: `embeddings` (n, dimensions) float32, and `texts` (n, 16)
bytes, the hash of each row's text. Its metadata has the key of its store, and the CRC-32 of each tensor.
The header has a fixed size, so that rows are aligned and the checksums can be written last.
"""

from __future__ import annotations

import json
import mmap
import os
import zlib
from hashlib import blake2b
from typing import TYPE_CHECKING, Any

import numpy as np

from harness.system.atomic import write_atomic

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

_HEADER = 512
"""Bytes before the first row."""
_LENGTH = 8
"""Bytes of the header's length, which come first."""
_KEY = 16
"""Bytes of a text's hash."""


class CorruptSegmentError(Exception):
    """Reason why a file is not an intact segment of the store, in a few words."""


def keys_of(texts: Sequence[str]) -> np.ndarray:
    """Return hashes of texts, which are not written to disk themselves: (n, 2) unsigned 64-bit integers."""
    joined = b"".join(
        blake2b(text.encode("utf-8", "surrogatepass"), digest_size=_KEY).digest() for text in texts
    )
    return np.frombuffer(joined, dtype="<u8").reshape(-1, 2)


class Index:
    """Finds the row of a key.

    Two keys whose first halves are equal may hide each other, which costs encoding a text again.
    """

    def __init__(self, keys: np.ndarray) -> None:
        self.keys = keys
        self._order = np.argsort(keys[:, 0], kind="stable")
        self._sorted = keys[self._order, 0]

    def rows_of(self, keys: np.ndarray) -> np.ndarray:
        """Return the row of each key, (n,); -1 for a missing one."""
        if not len(self.keys):
            return np.full(len(keys), -1)
        at = np.searchsorted(self._sorted, keys[:, 0]).clip(max=len(self.keys) - 1)
        rows = self._order[at]
        return np.where((self.keys[rows] == keys).all(axis=1), rows, -1)


class Segment:
    """A segment, mapped into memory.

    Header and hashes of texts are verified here, embeddings when they are first needed (`verify`).
    Raises CorruptSegmentError for a file that is not an intact segment of this store, and OSError if it
    cannot be read.
    """

    def __init__(self, path: Path, store: str, dimensions: int) -> None:
        self.path = path
        mapped = _map(path)
        rows, sums = _read_header(mapped, store, dimensions)
        end = _HEADER + 4 * rows * dimensions
        self.index = Index(np.frombuffer(mapped, "<u8", 2 * rows, end).reshape(rows, 2))
        self.embeddings = np.frombuffer(mapped, "<f4", rows * dimensions, _HEADER).reshape(rows, dimensions)
        """(n, dimensions) float32; read-only."""
        self._sum, self._verified = sums[0], False
        if _crc(self.index.keys) != sums[1]:
            raise CorruptSegmentError("the checksum of its texts does not match")

    def verify(self) -> None:
        """Compare the embeddings with their checksum, once; raises CorruptSegmentError if they changed."""
        if not self._verified and _crc(self.embeddings) != self._sum:
            raise CorruptSegmentError("the checksum of its embeddings does not match")
        self._verified = True


def write_segment(
    path: Path, store: str, keys: np.ndarray, parts: Iterable[np.ndarray], dimensions: int
) -> None:
    """Write a segment of the rows in `parts`, (len(keys), dimensions) in total.

    Raises FileNotFoundError if its folder was removed meanwhile, and OSError if the disk is full or the
    folder cannot be written.
    """

    def content() -> Iterator[bytes | memoryview]:
        checksum = 0
        yield bytes(_HEADER)
        for part in parts:
            rows = np.ascontiguousarray(part, dtype="<f4")
            checksum = zlib.crc32(_bytes(rows), checksum)
            yield _bytes(rows)
        yield _bytes(np.ascontiguousarray(keys))
        yield _header(len(keys), dimensions, store, (checksum, _crc(keys)))

    # The folder is not made here: without its `store.json`, a segment cannot be verified.
    write_atomic(path, content(), header_last=True, make_folder=False)


def _map(path: Path) -> mmap.mmap:
    with path.open("rb") as file:
        if os.fstat(file.fileno()).st_size < _HEADER:
            raise CorruptSegmentError("it is too short")
        return mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)


def _read_header(mapped: mmap.mmap, store: str, dimensions: int) -> tuple[int, tuple[int, int]]:
    """Return the rows and both checksums; raises CorruptSegmentError for a header that we would not write."""
    header = mapped[:_HEADER]
    try:
        content: dict[str, Any] = json.loads(header[_LENGTH:])
        rows = int(content["texts"]["shape"][0])
        sums = (int(content["__metadata__"]["embeddings"], 16), int(content["__metadata__"]["texts"], 16))
        expected = _header(rows, dimensions, store, sums)
    except (ValueError, KeyError, IndexError, TypeError, RecursionError, OverflowError) as error:
        raise CorruptSegmentError("its header cannot be read") from error
    if header != expected:
        raise CorruptSegmentError(
            "it belongs to another store"
            if content["__metadata__"].get("store") != store
            else "its header changed"
        )
    if len(mapped) != _HEADER + rows * (4 * dimensions + _KEY):
        raise CorruptSegmentError("it is truncated")
    return rows, sums


def _header(rows: int, dimensions: int, store: str, sums: tuple[int, int]) -> bytes:
    """Return the header of a safetensors file; sums: the checksums of embeddings and texts."""
    end = 4 * rows * dimensions
    content = {
        "__metadata__": {"store": store, "embeddings": f"{sums[0]:08x}", "texts": f"{sums[1]:08x}"},
        "embeddings": {"dtype": "F32", "shape": [rows, dimensions], "data_offsets": [0, end]},
        "texts": {"dtype": "U8", "shape": [rows, _KEY], "data_offsets": [end, end + _KEY * rows]},
    }
    text = json.dumps(content).encode().ljust(_HEADER - _LENGTH)
    return len(text).to_bytes(_LENGTH, "little") + text


def _crc(array: np.ndarray) -> int:
    return zlib.crc32(_bytes(array))


def _bytes(array: np.ndarray) -> memoryview:
    return array.reshape(-1).view(np.uint8).data
